"""What was fetched from sources, in one SQLite file, so that a rebuild needs no network.

A refresh is one transaction: what it fetched is seen by others once the index that holds it was published,
and never if the gate refused that.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from index.articles.folder import SourceFile
from index.errors import BusyError, NotWritableError

__all__ = ["HTML", "SUFFIXES", "Archive", "Page", "Refresh", "archive_file"]

SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
"""The suffix by which the reader of a media type is found."""

HTML = frozenset({"text/html", "application/xhtml+xml"})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    source TEXT NOT NULL, url TEXT NOT NULL, id TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL,
    charset TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL, content BLOB NOT NULL,
    sha256 TEXT NOT NULL, fetched TEXT NOT NULL, missing INTEGER NOT NULL, missing_since TEXT NOT NULL,
    problem TEXT NOT NULL, PRIMARY KEY (source, url));
CREATE TABLE IF NOT EXISTS refreshes (
    source TEXT PRIMARY KEY, ended TEXT NOT NULL, summary TEXT NOT NULL, problem TEXT NOT NULL);
"""
_MAX_ID = 200  # characters of an id that are taken from an address


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was fetched; `content` is compressed. Times are ISO 8601 in UTC.

    `missing` counts the refreshes in a row that did not find it, since `missing_since`. `problem` says why
    the last refresh could not take it; then the content is older.
    """

    source: str
    url: str
    id: str
    media_type: str
    charset: str
    etag: str
    last_modified: str
    content: bytes
    sha256: str
    fetched: str
    missing: int = 0
    missing_since: str = ""
    problem: str = ""

    @property
    def data(self) -> bytes:
        """The content as the server sent it."""
        return zlib.decompress(self.content)

    @property
    def has_links(self) -> bool:
        """Whether it is a page with links."""
        return self.media_type in HTML

    def as_file(self) -> SourceFile:
        """Return the page as a reader of articles gets it."""
        path = Path(self.id.rsplit("/", 1)[-1] + SUFFIXES[self.media_type])
        return SourceFile(path, self.id, content=self.data, url=self.url, charset=self.charset)


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a source's last refresh ended, and when; `problem` is "" where it went well."""

    source: str
    ended: str
    summary: str
    problem: str


_COLUMNS = ", ".join(field.name for field in fields(Page))


def archive_file(index: Path) -> Path:
    """Return the file of what was fetched for the index in a folder."""
    return index.parent / "sources.sqlite"


def _connect(place: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=1, isolation_level=None)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class Archive:
    """The pages of all sources. A context manager: it commits at its end, and rolls back after an error.

    Raises:
        BusyError: another refresh is running.
        NotWritableError: the file cannot be read or written.
    """

    def __init__(self, file: Path, *, writing: bool = False) -> None:
        """Open the file; with `writing`, make it where it is missing, and keep other refreshes out."""
        self.file = file
        try:
            if writing:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._database = _connect(file if writing or file.exists() else ":memory:")
            if writing or not self._has_tables():
                # A reader may meet a file that the first refresh is just making: then there is nothing yet.
                self._database = self._database if writing else _connect(":memory:")
                self._database.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA}")
            self._database.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                raise BusyError(
                    f"another refresh is running on {file}. Try again when it is done."
                ) from error
            raise self._unusable(error) from error
        except (OSError, sqlite3.DatabaseError) as error:
            raise self._unusable(error) from error

    def _has_tables(self) -> bool:
        tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('pages', 'refreshes')"
        return bool(self._database.execute(tables).fetchone()[0] == 2)

    def _unusable(self, error: Exception) -> NotWritableError:
        return NotWritableError(
            f"what was fetched from sources cannot be kept in {self.file}: {error}. Make it writable, or "
            "remove the file and run `footnote sources refresh`."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._database.execute("COMMIT" if error is None else "ROLLBACK")
        except sqlite3.OperationalError as failure:
            raise self._unusable(failure) from failure
        finally:
            self._database.close()

    def undo(self) -> None:
        """Forget what this refresh fetched, and begin anew."""
        self._database.execute("ROLLBACK")
        self._database.execute("BEGIN IMMEDIATE")

    def page(self, source: str, url: str) -> Page | None:
        """Return the page of a source at an address, or None."""
        return next(self._pages("source = ? AND url = ?", source, url), None)

    def pages(self, source: str) -> Iterator[Page]:
        """Yield the pages of a source, in order of address."""
        return self._pages("source = ? ORDER BY url", source)

    def _pages(self, condition: str, *values: object) -> Iterator[Page]:
        sql = f"SELECT {_COLUMNS} FROM pages WHERE {condition}"  # noqa: S608 - our own columns
        return (Page(*row) for row in self._database.execute(sql, values))

    def files(self, sources: Collection[str]) -> Iterator[SourceFile]:
        """Yield every page of these sources as a file, one at a time."""
        for source in sources:
            yield from (page.as_file() for page in self.pages(source))

    def count(self, source: str) -> int:
        """Return how many pages of a source there are."""
        (count,) = self._database.execute("SELECT count(*) FROM pages WHERE source = ?", (source,)).fetchone()
        return int(count)

    def put(self, page: Page) -> None:
        """Add or replace a page."""
        values = tuple(getattr(page, field.name) for field in fields(Page))
        marks = ", ".join("?" * len(values))
        self._write(f"INSERT OR REPLACE INTO pages ({_COLUMNS}) VALUES ({marks})", *values)  # noqa: S608 - our own tables

    def remove(self, page: Page) -> None:
        """Remove a page."""
        self._write("DELETE FROM pages WHERE source = ? AND url = ?", page.source, page.url)

    def keep_only(self, sources: Collection[str]) -> None:
        """Remove what belongs to no source any more."""
        marks = ", ".join("?" * len(sources))
        for table in ("pages", "refreshes"):
            self._write(f"DELETE FROM {table} WHERE source NOT IN ({marks})", *sources)  # noqa: S608 - our own tables

    def note(self, refresh: Refresh) -> None:
        """Note how a refresh ended."""
        values = (refresh.source, refresh.ended, refresh.summary, refresh.problem)
        self._write("INSERT OR REPLACE INTO refreshes VALUES (?, ?, ?, ?)", *values)

    def refreshes(self) -> dict[str, Refresh]:
        """Return how the last refresh of each source ended."""
        return {row[0]: Refresh(*row) for row in self._database.execute("SELECT * FROM refreshes")}

    def _write(self, sql: str, *values: object) -> None:
        try:
            self._database.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error

    def new_id(self, source: str, url: str) -> str:
        """Return a free id for a page: the source's name and the address's path, without its suffix."""
        parts = urlsplit(url)
        path = unquote(parts.path, errors="replace").strip("/")
        path = re.sub(r"(?:^|/)(?:index|default)\.\w{1,5}$|\.\w{1,5}$", "", path) or "index"
        path += f"-{parts.query}" if parts.query else ""
        path = re.sub(r"[^\w./~-]+", "-", path)
        stem = f"{source}/{path[:_MAX_ID]}"
        taken = self._database.execute("SELECT url FROM pages WHERE id = ?", (stem,)).fetchone()
        if taken is None or taken[0] == url:
            return stem
        return f"{stem}~{hashlib.sha256(url.encode()).hexdigest()[:8]}"
