"""Sources as `sources.toml` lists them: a table for each, whose name is the source's.

    [handbook]
    url = "https://docs.example.org/guide/"
    follow = "sitemap"
    every = "6h"

The file is written with its comments kept, so people may edit it and check it in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from index.errors import SettingsError
from index.files import replace_file

if TYPE_CHECKING:
    from index.settings import IndexSettings

__all__ = ["Source", "add_source", "name_for", "next_time", "read_sources", "remove_source", "sources_file"]

_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
_DURATION = re.compile(r"(\d{1,6})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_HEAD = "# Where Footnote's articles come from. `footnote sources` writes this file; edit it as you like.\n\n"


class Source(BaseModel):
    """A place that articles come from: an address on the web, or a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=_NAME)
    """Begins the ids of its articles."""
    url: str = ""
    """The address of a page, a feed, a sitemap, or a file."""
    path: Path | None = None
    """A folder or a file in place of an address; relative to the folder of sources.toml."""
    follow: Literal["", "sitemap", "feed", "links"] = ""
    """What leads to more pages; by default a feed, a sitemap or an llms.txt is, and a page is not."""
    every: str = ""
    """How often the bot refreshes it: `30m`, `6h`, `1d`, or a cron line; "" only when it is told to."""
    include: tuple[str, ...] = ()
    """Patterns of the paths to take, such as `/guide/*`."""
    exclude: tuple[str, ...] = ()
    """Patterns of the paths to leave out."""
    depth: int = Field(3, ge=0, le=20)
    """How many links to follow from the first page."""
    limit: int = Field(1_000, ge=1, le=100_000)
    """The most pages to keep."""
    grace: str = "1d"
    """How long a page that is gone is kept."""
    allow_private: tuple[str, ...] = ()
    """Hosts on a private network that may be asked."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("expected an address that begins with https:// or http://")
        if "@" in urlsplit(value).netloc:
            raise ValueError("has a user name or password, which would be stored here; remove it")
        return value

    @field_validator("every")
    @classmethod
    def _check_every(cls, value: str) -> str:
        if value:
            next_time(value, datetime(2000, 1, 1))  # only to see whether it is one
        return value

    @field_validator("allow_private")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not re.fullmatch(r"[\w.-]+|\[?[0-9a-fA-F:.]+\]?", host):
                raise ValueError(f"expected a host's name or address, without a port: not {host!r}")
        return value

    @field_validator("grace")
    @classmethod
    def _check_grace(cls, value: str) -> str:
        _duration(value)
        return value

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if bool(self.url) == (self.path is not None):
            raise ValueError("give either `url` or `path`")
        return self

    @property
    def grace_time(self) -> timedelta:
        """How long a page that is gone is kept."""
        return _duration(self.grace)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError("expected a time such as 30m, 6h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def next_time(every: str, last: datetime) -> datetime:
    """Return when a source is due that was last refreshed at `last`.

    Raises:
        ValueError: `every` is neither a time such as 6h nor a cron line.
    """
    if len(every.split()) == 1:
        if step := _duration(every):
            return last + step
        raise ValueError("expected at least 1m")
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(every, last))
    except (CronSimError, StopIteration):
        raise ValueError("expected a time such as 6h, or a cron line such as 0 4 * * *") from None


def sources_file(settings: IndexSettings) -> Path:
    """Return where the sources are listed: beside the articles, unless a setting says otherwise."""
    return settings.sources or settings.articles.parent / "sources.toml"


def read_sources(file: Path) -> dict[str, Source]:
    """Return the sources by name; none where there is no file.

    Raises:
        SettingsError: the file is not TOML, or a source in it is not accepted.
    """
    try:
        text = file.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}. Correct it; nothing was changed.") from error
    return {name: _source(name, table, f"{file}, [{name}]") for name, table in tables.items()}


def _source(name: str, table: Any, place: str) -> Source:
    if not isinstance(table, Mapping):
        raise SettingsError(f"{place}: not a table; a source begins with a line [{name}].")
    try:
        return Source(**{**table, "name": name})
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(map(str, fault["loc"]))
        reason = fault["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{place}{f' {field}' if field else ''}: {reason}.") from None


def name_for(address: str, taken: Mapping[str, Source]) -> str:
    """Return a free name for a source: its host, or its folder's name."""
    last = re.sub(r"^https?://(www\.)?", "", address.lower()) if "://" in address else Path(address).stem
    stem = re.sub(r"[^a-z0-9]+", "-", re.split(r"[/?#:]", last.lower())[0]).strip("-")[:60] or "source"
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def add_source(file: Path, name: str, fields: Mapping[str, Any]) -> Source:
    """Add a source to the file.

    Raises:
        SettingsError: there is one of this name, it is not accepted, or the file cannot be written.
    """
    import tomlkit

    if name in read_sources(file):
        raise SettingsError(f"{file} has a source {name!r}; choose another name with --name, or remove it.")
    source = _source(name, fields, "sources add")
    table = tomlkit.table()
    for field, value in fields.items():
        table.add(field, value)
    _edit(file, lambda document: document.add(name, table))
    return source


def remove_source(file: Path, name: str) -> None:
    """Remove a source from the file.

    Raises:
        SettingsError: there is none of this name, or the file cannot be written.
    """
    if name not in read_sources(file):
        raise SettingsError(f"{file} has no source {name!r}; `footnote sources list` names them.")
    _edit(file, lambda document: document.remove(name))


def _edit(file: Path, change: Callable[[Any], object]) -> None:
    import tomlkit

    try:
        text = file.read_text(encoding="utf-8") if file.exists() else _HEAD
        document = tomlkit.parse(text)
        change(document)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, tomlkit.dumps(document).encode())
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}. Nothing was changed.") from error
