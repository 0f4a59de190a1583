"""The database of one generation: articles, passages, sentences, and the words to find them by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.articles import Article
from index.drafts import Draft, sentence_texts
from index.passages import Passage

__all__ = ["write_database"]

_SCHEMA = """
CREATE TABLE articles (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL,
    publisher TEXT NOT NULL, url TEXT NOT NULL, published TEXT NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, content_hash TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles, first_sentence INTEGER NOT NULL,
    is_heading INTEGER NOT NULL);
CREATE TABLE sentences (
    id INTEGER PRIMARY KEY, passage INTEGER NOT NULL REFERENCES passages, paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL);
CREATE VIRTUAL TABLE passage_words USING fts5(
    text, title, content='', tokenize='porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE sentence_words USING fts5(
    text, content='', tokenize='porter unicode61 remove_diacritics 2');
CREATE INDEX passages_by_article ON passages (article);
CREATE INDEX sentences_by_passage ON sentences (passage);
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A passage with the numbers of its row, its article's and its first sentence's."""

    row: int
    article_row: int
    first_sentence: int
    article: Article
    passage: Passage


def _rows(drafts: Sequence[Draft]) -> Iterator[_Row]:
    row = first_sentence = 0
    for article_row, draft in enumerate(drafts):
        for passage in draft.passages:
            yield _Row(row, article_row, first_sentence, draft.article, passage)
            row += 1
            first_sentence += len(passage.sentences)


def write_database(path: Path, drafts: Sequence[Draft], language: str) -> None:
    """Write the drafts' database to `path`, which the caller then syncs.

    Raises:
        sqlite3.OperationalError: it cannot be written.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # The file is aside until it is whole, so a journal would guard nothing.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        _insert(database, "articles", map(_article_row, range(len(drafts)), drafts))
        _insert(database, "passages", map(_passage_row, _rows(drafts)))
        _insert(database, "sentences", (one for r in _rows(drafts) for one in _sentence_rows(r)))
        database.executemany(
            "INSERT INTO passage_words (rowid, text, title) VALUES (?, ?, ?)",
            (
                (r.row, "\n".join(sentence_texts(r.article, r.passage, language)), r.article.title)
                for r in _rows(drafts)
            ),
        )
        for r in _rows(drafts):
            database.executemany(
                "INSERT INTO sentence_words (rowid, text) VALUES (?, ?)",
                enumerate(sentence_texts(r.article, r.passage, language), r.first_sentence),
            )
        database.execute("COMMIT")


def _insert(database: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    for row in rows:
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - our own table names


def _article_row(row: int, draft: Draft) -> tuple[Any, ...]:
    one = draft.article
    fields = (one.id, one.title, one.author, one.publisher, one.url, one.published, one.heading, one.text)
    return (row, *fields, one.content_hash)


def _passage_row(r: _Row) -> tuple[int, ...]:
    return r.row, r.article_row, r.first_sentence, int(r.passage.is_heading)


def _sentence_rows(r: _Row) -> Iterator[tuple[int, ...]]:
    for number, sentence in enumerate(r.passage.sentences, r.first_sentence):
        yield number, r.row, sentence.paragraph, sentence.start, sentence.end
