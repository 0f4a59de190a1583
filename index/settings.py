"""What indexing can be told, from options, the environment and `.env` (in that order)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from index.errors import SettingsError
from index.search.parts import Part

__all__ = ["CHECK_MB", "DEFAULT_MODEL", "IndexSettings", "split_list"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
CHECK_MB = 1_000
"""Megabytes of rows that opening reads to check them: some tenths of a second in memory, one from a disk."""
_PREFIX = "FOOTNOTE_"
_URL_USER = re.compile(r"//[^/@\s]*@")  # what stands there in an address may be a password


def split_list(value: object) -> object:
    """Split "1, 2 3" into its parts, so that a list reads the same in `.env` as on the command line."""
    if isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    return value


def none_of_nothing(value: object) -> object:
    """Read "" as None, so that a command line can say that there is none, whatever `.env` says."""
    return None if value == "" else value


class IndexSettings(BaseSettings):
    """Where the articles and the index are, how the index is made, and what it must go on answering."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    articles: Path = Field(
        Path("articles"), description="The article file, or the folder of article files, to answer from."
    )
    index: Path = Field(Path(".footnote/index"), description="The folder that holds the index.")
    article_mb: float = Field(
        64,
        gt=0,
        le=1000,
        description="Megabytes that one article may have, a file or a line of JSON; larger ones are refused.",
    )
    model: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        description="The encoder: a sentence-transformers model by name, or its folder.",
    )
    model_sha256: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="The encoder's fingerprint, without which it is refused; `footnote doctor` prints it.",
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}$",
        description="The language of the articles, as an ISO 639 code: how sentences are told apart.",
    )
    check_mb: int = Field(
        CHECK_MB,
        ge=0,
        description="Megabytes of vectors up to which opening checks them all; larger ones as they are read.",
    )
    fit_file: Path = Field(
        Path(".footnote/fit.json"),
        description="The file of a confidence fitted to your own questions; else the shipped one is used.",
    )
    without: Annotated[frozenset[Part], NoDecode] = Field(
        frozenset(),
        description="Parts of finding and quoting to leave out, with commas between them.",
    )

    keep: int = Field(
        3,
        ge=1,
        le=1_000,
        description="How many generations are kept, the one that serves among them.",
    )
    gate: Path | None = Field(
        None,
        description="The file of gold questions that a rebuild must go on answering. Without it, "
        "questions.jsonl among the articles, where it is there.",
    )
    gate_at: float = Field(
        1.0,
        ge=0,
        le=1,
        description="The share of the gold questions answered before that a rebuild must still answer; "
        "with 0 none are asked.",
    )
    shrink: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The share by which a rebuild may have fewer articles than before without --force.",
    )
    answer_at: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The confidence at which a quote is given as the answer; higher is more careful. Without "
        "it, that of the fit: right 85 times in 100 on the questions it was fitted on.",
    )

    _split_parts = field_validator("without", mode="before")(split_list)
    _read_none = field_validator("answer_at", "gate", mode="before")(none_of_nothing)

    @property
    def article_bytes(self) -> int:
        """Bytes that one article may have."""
        return int(self.article_mb * 1_000_000)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read the settings; `options` left None are as if not given.

        Raises:
            SettingsError: a value is not accepted.
        """
        given = {name: value for name, value in options.items() if value is not None}
        try:
            return cls(**given)
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
