"""The SQLite database of one generation: articles, passages with their sentences, and abbreviations."""

from __future__ import annotations

import json
import queue
import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from index.articles.article import Article
from index.articles.blocks import Block, BlockKind
from index.errors import DamagedIndexError
from index.passages.splitting import Passage, Sentence
from index.storage.store import ArticleSummary, StoredPassage

__all__ = ["DATABASE", "Database", "DatabaseWriter", "pack_sentences", "stored_passage"]

DATABASE = "passages.sqlite"

# `sentences` is a row of four little-endian 32-bit integers for each sentence: its paragraph, its start, its
# end, and how many tokens it has.
_SCHEMA = """
CREATE TABLE articles (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL,
    publisher TEXT NOT NULL, url TEXT NOT NULL, published TEXT NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, blocks TEXT NOT NULL, marks TEXT NOT NULL, description TEXT NOT NULL,
    file TEXT NOT NULL, pages TEXT NOT NULL, also TEXT NOT NULL,
    paragraphs INTEGER NOT NULL, content_hash TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles, is_heading INTEGER NOT NULL,
    key BLOB NOT NULL, first_token INTEGER NOT NULL, leads INTEGER NOT NULL, sentences BLOB NOT NULL);
CREATE TABLE abbreviations (short TEXT NOT NULL, long TEXT NOT NULL, UNIQUE (short, long));
"""
_INDEXES = """
CREATE INDEX passages_by_article ON passages (article);
CREATE INDEX passages_by_key ON passages (key);
"""
_ARTICLE_FIELDS = (
    "title author publisher url published heading text blocks marks description file pages also".split()
)
_BLOCK_FIELDS = attrgetter("kind", "paragraph", "start", "end", "level", "above")
_ARTICLE_COLUMNS = ", ".join(["id", "name", *_ARTICLE_FIELDS])
_PASSAGE_COLUMNS = "id, article, key, first_token, leads, sentences"
_AMONG = "id IN (SELECT value FROM json_each(?))"
# One for the thread that answers and one for the thread that looks things up, so that neither waits.
_CONNECTIONS = 2
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
_UNREADABLE = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT}
)


class DatabaseWriter:
    """Writes one generation's database. Every method raises sqlite3.OperationalError where it cannot."""

    def __init__(self, path: Path) -> None:
        """Begin the database at `path`; the caller syncs the file when it is finished."""
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            # The file is written aside, so a journal would protect nothing.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            _harden(self._database)
            self._database.executescript(_SCHEMA)
            self._database.execute("BEGIN")
        except BaseException:
            self._database.close()
            raise

    def add_article(self, row: int, article: Article, abbreviations: Sequence[tuple[str, str]]) -> None:
        """Add an article and the abbreviations that it introduces."""
        fields = {name: getattr(article, name) for name in _ARTICLE_FIELDS} | {
            "blocks": _to_json([*map(_BLOCK_FIELDS, article.blocks)]),
            "pages": _to_json(article.pages),
            "also": _to_json(article.also),
        }
        values = (row, article.id, *(fields[name] for name in _ARTICLE_FIELDS))
        self._insert("articles", (*values, len(article.paragraphs), article.content_hash))
        self._database.executemany("INSERT OR IGNORE INTO abbreviations VALUES (?, ?)", abbreviations)

    def add_passage(self, passage: StoredPassage) -> None:
        """Add a passage of an article that was added."""
        head = (passage.row, passage.article, passage.passage.is_heading, passage.key)
        packed = passage.first_token, len(passage.passage.leads), pack_sentences(passage)
        self._insert("passages", (*head, *packed))

    def finish(self) -> None:
        """Write the indexes and close the file."""
        self._database.execute("COMMIT")
        self._database.executescript(_INDEXES)
        self._database.close()

    def close(self) -> None:
        """Close the file, finished or not."""
        self._database.close()

    def _insert(self, table: str, values: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own tables


class Database:
    """The content of one generation, open for reading; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the database; it stays readable when the file is removed.

        Raises:
            sqlite3.Error: it is no database.
        """
        self._database_path = path
        self._pool: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(_CONNECTIONS):
            self._pool.put(_open_read_only(path))

    def close(self) -> None:
        """Close the connections, once those in use come back."""
        for _ in range(_CONNECTIONS):
            self._pool.get().close()

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for."""
        selected = self._select("articles", _ARTICLE_COLUMNS, _AMONG, json.dumps(list(rows)))
        by_row = {row: _article(*fields) for row, *fields in selected}
        return [by_row[row] for row in rows]

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""
        # As bytes, since sqlite3 refuses a lone surrogate, which no id has.
        name = identity.encode("utf-8", "surrogatepass")
        rows = self._select("articles", "id", "name = CAST(? AS TEXT)", name)
        return rows[0][0] if rows else None

    def catalogue(self) -> list[ArticleSummary]:
        """Return every article's summary, in order."""
        columns = "id, name, title, author, publisher, url, published, paragraphs, content_hash, file"
        return [ArticleSummary(*row) for row in self._select("articles", columns, "1 ORDER BY id")]

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for."""
        selected = self._select("passages", _PASSAGE_COLUMNS, _AMONG, json.dumps(list(rows)))
        by_row = {row[0]: stored_passage(*row) for row in selected}
        return [by_row[row] for row in rows]

    def passages_of(self, article: int) -> list[StoredPassage]:
        """Return every passage of an article, in order."""
        selected = self._select("passages", _PASSAGE_COLUMNS, "article = ? ORDER BY id", article)
        return [stored_passage(*row) for row in selected]

    def rows_of_article(self, article: int) -> range:
        """Return the rows of an article's passages."""
        columns = "ifnull(min(id), 0), ifnull(max(id) + 1, 0)"
        return range(*self._select("passages", columns, "article = ?", article)[0])

    def rows_of_keys(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the row of a passage with each of these keys, where there is one."""
        return {key: row for key in keys for (row,) in self._select("passages", "id", "key = ? LIMIT 1", key)}

    def heading_rows(self) -> list[int]:
        """Return the rows of the passages that are headings."""
        return [row for (row,) in self._select("passages", "id", "is_heading")]

    def abbreviations(self) -> list[tuple[str, str]]:
        """Return the abbreviations that the articles introduce, in the order of the articles."""
        return self._select("abbreviations", "short, long", "1 ORDER BY rowid")

    def _select(self, table: str, columns: str, condition: str, *values: object) -> list[tuple[Any, ...]]:
        sql = f"SELECT {columns} FROM {table} WHERE {condition}"  # noqa: S608 - our own statements
        connection = self._pool.get()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            _raise_if_damaged(self._database_path, error)
            raise
        finally:
            self._pool.put(connection)


def _to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _article(identity: str, *values: Any) -> Article:
    fields = dict(zip(_ARTICLE_FIELDS, values, strict=True))
    fields["blocks"] = tuple(
        Block(BlockKind(kind), paragraph, start, end, level, tuple(above))
        for kind, paragraph, start, end, level, above in json.loads(fields["blocks"])
    )
    for name in ("pages", "also"):
        fields[name] = tuple(json.loads(fields[name]))
    return Article(identity, **fields)


def pack_sentences(passage: StoredPassage) -> bytes:
    """Return a passage's sentences, leads first, as in the column `sentences`."""
    rows = [
        (sentence.paragraph, sentence.start, sentence.end, tokens)
        for sentence, tokens in zip(passage.passage.parts, passage.token_counts, strict=True)
    ]
    return np.asarray(rows, dtype="<i4").tobytes()


def stored_passage(  # noqa: PLR0913 - a row of the table
    row: int, article: int, key: bytes, first_token: int, leads: int, sentences: bytes
) -> StoredPassage:
    """Return a passage from its row, its sentences packed by `pack_sentences`."""
    rows = np.frombuffer(sentences, dtype="<i4").reshape(-1, 4).tolist()
    spans = tuple(Sentence(paragraph, start, end) for paragraph, start, end, _ in rows)
    passage = Passage(spans[leads:], spans[:leads])
    return StoredPassage(row, article, passage, key, first_token, tuple(row[3] for row in rows))


def _harden(database: sqlite3.Connection) -> None:
    """Run no function that the schema calls, and check pages before use."""
    database.execute("PRAGMA trusted_schema = OFF").close()
    database.execute("PRAGMA cell_size_check = ON").close()


def _open_read_only(path: Path) -> sqlite3.Connection:
    # Nobody writes to it, so it needs no lock and no journal.
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    database = sqlite3.connect(uri, uri=True, check_same_thread=False)
    try:
        _harden(database)
        database.execute("PRAGMA mmap_size = 0").close()  # under a map, a failing disk would end the process
    except BaseException:
        database.close()
        raise
    return database


def _raise_if_damaged(path: Path, error: sqlite3.Error) -> None:
    """Raise DamagedIndexError, if SQLite reports damage or a failing disk."""
    # Text that is not UTF-8 is reported by Python, without a code.
    unknown = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    code: int = getattr(error, "sqlite_errorcode", unknown)
    if code & 0xFF in _DAMAGED or code in _UNREADABLE:
        raise DamagedIndexError.of(path, f"is damaged or cannot be read ({error})") from error
