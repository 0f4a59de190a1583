"""What indexing can be told, from options, the environment and `.env` (in that order).

pydantic checks the values. What reads them is in here: pydantic-settings does the same and a little more, and
takes a tenth of the time to the first answer to be imported.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from index.errors import SettingsError
from index.parts import Part

__all__ = ["DEFAULT_MODEL", "IndexSettings", "read_env_file", "split_list"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_PREFIX = "FOOTNOTE_"
_ENV_FILE = ".env"
_URL_USER = re.compile(r"//[^/@\s]*@")  # what stands there in an address may be a password


def split_list(value: object) -> object:
    """Split "1, 2 3" into its parts, so that a list reads the same in `.env` as on the command line."""
    if isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    return value


def read_env_file() -> dict[str, str]:
    """Return what `.env` in the working folder says, by upper-case names; without such a file, nothing.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    if not Path(_ENV_FILE).exists():
        return {}
    import dotenv

    found = dotenv.dotenv_values(_ENV_FILE, encoding="utf-8")
    return {name.upper(): value or "" for name, value in found.items()}


def _read() -> dict[str, str]:
    """Return the settings that `.env` and the environment give, which comes first; empty is as not given."""
    environment = {name.upper(): value for name, value in os.environ.items()}
    given = (
        (name.removeprefix(_PREFIX).lower(), value)
        for source in (read_env_file(), environment)
        for name, value in source.items()
        if value and name.startswith(_PREFIX)
    )
    return dict(given)


class IndexSettings(BaseModel):
    """Where the articles and the index are, and how the index is made."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    articles: Path = Field(
        Path("articles"), description="The article file, or the folder of article files, to answer from."
    )
    index: Path = Field(Path(".footnote/index"), description="The folder that holds the index.")
    model: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        description="The encoder: a sentence-transformers model by name, or its folder.",
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}$",
        description="The language of the articles, as an ISO 639 code: how sentences are told apart.",
    )
    fit_file: Path = Field(
        Path(".footnote/fit.json"),
        description="The file of a confidence fitted to your own questions; else the shipped one is used.",
    )
    without: frozenset[Part] = Field(
        frozenset(),
        description="Parts of finding and quoting to leave out, with commas between them.",
    )

    _split_parts = field_validator("without", mode="before")(split_list)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read the settings; `options` left None are as if not given.

        Raises:
            SettingsError: a value is not accepted.
        """
        given = {name: value for name, value in options.items() if value is not None}
        try:
            return cls(**{**_read(), **given})
        except ValidationError as error:
            raise SettingsError(cls._explain(error, given)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f".env cannot be read: {error}. Correct the file or remove it.") from error

    @classmethod
    def _explain(cls, error: ValidationError, given: dict[str, Any]) -> str:
        return "\n".join(cls._explain_one(fault, given) for fault in error.errors())

    @classmethod
    def _explain_one(cls, fault: Any, given: dict[str, Any]) -> str:
        name = str(fault["loc"][0]) if fault["loc"] else ""
        option = "--" + name.replace("_", "-")
        variable = _PREFIX + name.upper()
        field = cls.model_fields.get(name)
        secret = field is not None and "Secret" in str(field.annotation)
        shown = (
            "its value (not shown: it is a secret)" if secret else _URL_USER.sub("//", repr(fault["input"]))
        )
        reason = fault["msg"].removeprefix("Value error, ")
        return f"{option if name in given else variable}: {shown} is not accepted: {reason}."
