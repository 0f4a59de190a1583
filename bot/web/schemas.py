"""The HTTP API's requests as models, and its OpenAPI document: `openapi.yaml` with the models' schemas.

The YAML file describes the responses, except for the parts that are dataclasses.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata, resources
from typing import Any

import yaml
from pydantic import BaseModel, Field, TypeAdapter

from bot.answering.answer import Citation, Quote
from bot.answering.verify import Change

__all__ = ["ArticlesQuery", "AskRequest", "Earlier", "VerifyRequest", "openapi"]

_MAX_TEXT, _MAX_ID = 20_000, 1_000  # characters of a question or a text, and of an article's id


class _Body(BaseModel, extra="forbid", strict=True, use_attribute_docstrings=True):
    pass


class Earlier(_Body):
    """What was asked before, as its answer gives it; with it, "And who kept it?" is understood."""

    question: str = Field(max_length=_MAX_TEXT)
    article: str | None = Field(None, max_length=_MAX_ID)


class AskRequest(_Body):
    """A question."""

    question: str = Field(min_length=1, max_length=_MAX_TEXT, examples=["When was the lighthouse lit?"])
    """The question in people's own words; its first 2,000 characters are read."""
    article: str | None = Field(None, max_length=_MAX_ID)
    """The id or title of the only article to answer from."""
    collection: str | None = None
    """The collection to ask; without it, the default one."""
    earlier: Earlier | None = None
    """What was asked before, for a follow-up."""
    explain: bool = False
    """Whether to say how the answer was found."""


class VerifyRequest(_Body):
    """A text whose quotes are verified: the first ten sentences of its quotations, or else of all of it."""

    text: str = Field(min_length=1, max_length=_MAX_TEXT, examples=["The lighthouse was lit in 1871."])
    collection: str | None = None
    """The collection to look in; without it, the default one."""


class ArticlesQuery(BaseModel, use_attribute_docstrings=True):
    """The parameters of a list of articles."""

    q: str = Field("", max_length=200)
    """What a title, id or author begins with or contains; case and accents do not matter."""
    limit: int = Field(25, ge=1, le=100)
    """The most articles to return."""
    offset: int = Field(0, ge=0)
    """How many to skip."""


@cache
def openapi(server: str, *, secured: bool) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a server at an address, which asks for a token if `secured`."""
    document = yaml.safe_load(resources.files(__package__).joinpath("openapi.yaml").read_text("utf-8"))
    document["info"]["version"] = metadata.version("footnote")
    kinds = (AskRequest, VerifyRequest, Quote, Citation, Change)
    _, schemas = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in kinds],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"] |= schemas["$defs"]
    for name, schema in ArticlesQuery.model_json_schema()["properties"].items():
        parameter = {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        document["paths"]["/api/articles"]["get"]["parameters"].append(parameter)
    return {**document, "servers": [{"url": server}], "security": [{"token": []}] if secured else []}
