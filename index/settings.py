"""The index's settings, from command line options, the environment and `.env`, in that order.

A setting is written once, as a field here or in bot.settings: its option, its line in `.env.example` and its
row in docs/settings.md are made from the field.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import dotenv
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from index.collections import read_collections, refuse_shared_folders
from index.errors import SettingsError

if TYPE_CHECKING:
    from index.build_report import Gate

__all__ = ["DEFAULT_MODEL", "PREFIX", "IndexSettings", "read_variables"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PREFIX = "FOOTNOTE_"  # begins the name of a setting in the environment and in `.env`

_URL_USER = re.compile(r"//[^/@\s]*@")  # a password may stand there


def read_variables() -> tuple[dict[str, str], dict[str, str]]:
    """Return what `.env` and the environment set, by the setting's name; empty values count as not set.

    Raises:
        SettingsError: `.env` cannot be read.
    """
    try:
        in_file = dotenv.dotenv_values(".env", encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {error}. Correct the file or remove it.") from error
    return _by_setting(in_file), _by_setting(os.environ)


def _by_setting(variables: Mapping[str, str | None]) -> dict[str, str]:
    ours = {name.upper(): value for name, value in variables.items() if value}
    return {name[len(PREFIX) :].lower(): ours[name] for name in ours if name.startswith(PREFIX)}


class IndexSettings(BaseModel):
    """Where the articles and the index are, how the index is built, and when a rebuild is refused."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    articles: Path = Path("articles")
    """The article file, or the folder of article files, to answer from."""
    collection: str = ""
    """The collection of FOOTNOTE_COLLECTIONS to use, by name; empty: the articles and index named here."""
    collections: Path = Path("collections.toml")
    """The file that lists more sets of articles, each by a name and with an index of its own."""
    base_url: str = Field("", pattern=r"^(https?://\S+)?$")
    """The address below which articles with a relative `url`, `permalink` or `slug` are published."""
    sources: Path | None = None
    """The file that lists web pages, feeds and more folders. Default: sources.toml beside the articles."""
    contact: str = Field("", pattern=r"^[ -~]{0,200}$")
    """An address that tells the owners of fetched pages whom to write to."""
    index: Path = Path(".footnote/index")
    """The folder that holds the index."""
    model: str = Field(DEFAULT_MODEL, min_length=1)
    """The encoder: a sentence-transformers model, or its folder."""
    model_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """The only encoder accepted, by its fingerprint as `footnote doctor` prints it."""
    reader: str = Field("trained", min_length=1)
    """What reads the question against the passages: `trained` (it ships with Footnote), `none`, the name or
    folder of a question-answering model, or `openai:URL#MODEL`, a language model that may only choose."""
    reader_key_file: Path | None = None
    """A file with only the key of the language model's server, if it wants one."""
    language: str = Field("en", pattern=r"^[a-z]{2,3}$")
    """The language of the articles, as an ISO 639 code."""
    store: str = Field("", pattern=r"^(milvus\+https?://([\w.-]+|\[[\da-fA-F:]+\])(:[1-9]\d{0,4})?(/\w*)?)?$")
    """The Milvus server that shares the index among bots, as `milvus+http://HOST:19530/DATABASE`: builds copy
    the index to it, and bots answer from it. Empty: bots answer from the index folder."""
    store_token_file: Path | None = None
    """A file with only the token of that server, `USER:PASSWORD` or an API key, if it wants one."""
    keep: int = Field(3, ge=1, le=1_000)
    """Generations of the index to keep, including the one that serves."""
    gate: Path | None = None
    """The file of gold questions (JSON Lines) that a rebuild must still answer. Default: questions.jsonl in
    the folder of articles, or X.questions.jsonl beside an article file X."""
    gate_at: float = Field(1.0, ge=0, le=1)
    """The share of the gold questions answered before that must still be answered; 0 asks none."""
    shrink: float = Field(0.5, ge=0, le=1)
    """The share of the articles that a rebuild may lose without --force."""
    answer_at: float | None = Field(None, ge=0, le=1)
    """The confidence from which a quote is given as the answer; a higher one answers fewer questions.
    Default: that of the fit."""

    def find_gate(self) -> Gate | None:
        """Return the gate that a new generation must pass, if there is one."""
        return None

    @field_validator("answer_at", "gate", "reader_key_file", "sources", "store_token_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        # So that an option can unset what the environment sets.
        return None if value == "" else value

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read the settings; an option that is None counts as not given.

        Raises:
            SettingsError: a value is not accepted, or `.env` cannot be read.
        """
        given = {name: value for name, value in options.items() if value is not None}
        in_file, in_environment = read_variables()
        try:
            settings = cls(**{**in_file, **in_environment, **given})
        except ValidationError as error:
            raise SettingsError("\n".join(cls._message(fault, given) for fault in error.errors())) from None
        if not settings.collection:
            return settings
        listed, name = read_collections(settings.collections), settings.collection
        if name not in listed:
            names = ", ".join(listed) or "none"
            raise SettingsError(f"there is no collection {name!r}; {settings.collections} lists {names}.")
        unnamed = {**in_file, **in_environment}.get("index", cls.model_fields["index"].default)
        indexes = {"": Path(unnamed)} | {each: Path(values["index"]) for each, values in listed.items()}
        refuse_shared_folders(settings.collections, indexes)
        return settings.of_collection({**listed[name], **given})

    def of_collection(self, values: Mapping[str, Any]) -> Self:
        """Return these settings with those of a collection, as `read_collections` gives them.

        Raises:
            SettingsError: a value is not accepted.
        """
        try:
            return type(self)(**{**dict(self), **values})
        except ValidationError as error:
            faults = [f"{fault['loc'][0]} {fault['input']!r}: {fault['msg']}" for fault in error.errors()]
            where = f"{self.collections}: in [{values['collection']}]"
            raise SettingsError(f"{where}, {'; '.join(faults)}.") from None

    @classmethod
    def _message(cls, fault: Any, given: dict[str, Any]) -> str:
        name = str(fault["loc"][0])
        source = f"--{name.replace('_', '-')}" if name in given else PREFIX + name.upper()
        secret = "Secret" in str(cls.model_fields[name].annotation)
        shown = "its value (a secret, not shown)" if secret else _URL_USER.sub("//", repr(fault["input"]))
        return f"{source}: {shown} is not accepted: {fault['msg'].removeprefix('Value error, ')}."
