"""The database of one generation: articles, passages, sentences, and the words to find them by."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.abbreviations import find_abbreviations
from index.articles import Article
from index.drafts import Draft, sentence_texts
from index.manifest import POSTINGS
from index.passages import Passage
from index.postings import TOKENIZER, write_postings
from index.values import value_terms
from index.wording import words_of

__all__ = ["write_database"]

_SCHEMA = f"""
CREATE TABLE articles (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL,
    publisher TEXT NOT NULL, url TEXT NOT NULL, published TEXT NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, content_hash TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles, first_sentence INTEGER NOT NULL,
    is_heading INTEGER NOT NULL);
CREATE TABLE sentences (
    id INTEGER PRIMARY KEY, passage INTEGER NOT NULL REFERENCES passages, paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, first_token INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE VIRTUAL TABLE passage_words USING fts5(
    text, title, content='', tokenize='{TOKENIZER}');
CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE abbreviations (short TEXT NOT NULL, long TEXT NOT NULL, UNIQUE (short, long));
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


def write_database(path: Path, drafts: Sequence[Draft], tokens: Sequence[int], language: str) -> None:
    """Write the drafts' database to `path`, which the caller then syncs; `tokens` counts each sentence's.

    The postings of its words are written beside it.

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
        _insert(database, "sentences", _sentence_rows(drafts, tokens))
        _insert(database, "abbreviations", _abbreviations(drafts))
        _write_words(database, drafts, language)
        database.execute("COMMIT")
        write_postings(database, path.with_name(POSTINGS))


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - our own table names


def _article_row(row: int, draft: Draft) -> tuple[Any, ...]:
    one = draft.article
    fields = (one.id, one.title, one.author, one.publisher, one.url, one.published, one.heading, one.text)
    return (row, *fields, one.content_hash)


def _passage_row(r: _Row) -> tuple[int, ...]:
    return r.row, r.article_row, r.first_sentence, int(r.passage.is_heading)


def _sentence_rows(drafts: Sequence[Draft], tokens: Sequence[int]) -> Iterator[tuple[int, ...]]:
    first_token = 0
    for r in _rows(drafts):
        for number, sentence in enumerate(r.passage.sentences, r.first_sentence):
            count = tokens[number]
            yield number, r.row, sentence.paragraph, sentence.start, sentence.end, first_token, count
            first_token += count


def _abbreviations(drafts: Sequence[Draft]) -> list[tuple[str, str]]:
    """Return the abbreviations that the articles introduce, each pair once."""
    pairs = (pair for draft in drafts for pair in find_abbreviations(draft.article.text))
    return list(dict.fromkeys(pairs))


def _write_words(database: sqlite3.Connection, drafts: Sequence[Draft], language: str) -> None:
    """Write what passages are found by, and how many passages have each word as it is spelt."""
    passages: Counter[str] = Counter()
    for r in _rows(drafts):
        text = "\n".join(sentence_texts(r.article, r.passage, language))
        # Values in their one form after the text, so that each is found however it is written.
        searched = " ".join([text, *value_terms(text, language)])
        database.execute(
            "INSERT INTO passage_words (rowid, text, title) VALUES (?, ?, ?)",
            (r.row, searched, r.article.title),
        )
        passages.update(set(words_of(f"{r.article.title}\n{text}")))
    _insert(database, "words", sorted(passages.items()))
