"""The database of one generation: articles, passages, sentences, and the words to find them by.

It is written article by article, in order. Articles whose content stands in the generation before are copied
from its database, many at a time, with their numbers moved: what was found in them is not sought again.
"""

from __future__ import annotations

import itertools
import operator
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from index.articles.article import Article
from index.language import words_of
from index.passages.drafts import sentence_texts
from index.passages.splitting import Passage, Sentence
from index.search.abbreviations import find_abbreviations
from index.search.values import value_terms
from index.storage.lexical import TOKENIZER, write_postings
from index.storage.manifest import POSTINGS
from index.storage.sqlite import IMMUTABLE, address, harden, tell_damage

__all__ = ["DatabaseWriter", "Run"]

_SCHEMA = f"""
CREATE TABLE articles (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL,
    publisher TEXT NOT NULL, url TEXT NOT NULL, published TEXT NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, content_hash TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles, first_sentence INTEGER NOT NULL,
    is_heading INTEGER NOT NULL, key TEXT NOT NULL, terms TEXT NOT NULL);
CREATE TABLE sentences (
    id INTEGER PRIMARY KEY, passage INTEGER NOT NULL REFERENCES passages, paragraph INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, first_token INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE VIRTUAL TABLE passage_words USING fts5(
    text, title, content='', tokenize='{TOKENIZER}');
CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE abbreviations (
    article INTEGER NOT NULL REFERENCES articles, short TEXT NOT NULL, long TEXT NOT NULL);
"""
_INDEXES = """
CREATE INDEX passages_by_article ON passages (article);
CREATE INDEX sentences_by_passage ON sentences (passage);
CREATE INDEX abbreviations_by_article ON abbreviations (article);
"""
_EDGES = """
SELECT min(passage), max(passage) + 1, min(sentences.id), max(sentences.id) + 1,
    min(first_token), max(first_token + tokens)
FROM before.passages JOIN before.sentences ON passage = passages.id WHERE article BETWEEN ? AND ?
"""
_COPY_ARTICLE = """
INSERT INTO main.articles
SELECT ?, ?, title, author, publisher, url, published, heading, text, content_hash
FROM before.articles WHERE id = ?
"""
_COPIES = (
    """
    INSERT INTO main.passages
    SELECT id + :passages, article + :articles, first_sentence + :sentences, is_heading, key, terms
    FROM before.passages WHERE article BETWEEN :first AND :last ORDER BY id
    """,
    """
    INSERT INTO main.sentences
    SELECT sentences.id + :sentences, passage + :passages, paragraph, start, "end", first_token + :tokens,
        tokens
    FROM before.passages JOIN before.sentences ON passage = passages.id
    WHERE article BETWEEN :first AND :last ORDER BY sentences.id
    """,
    """
    INSERT INTO main.abbreviations SELECT article + :articles, short, long
    FROM before.abbreviations WHERE article BETWEEN :first AND :last ORDER BY rowid
    """,
)
_STORED = """
SELECT passage, article, terms, paragraph, start, "end"
FROM before.passages JOIN before.sentences ON passage = passages.id
WHERE article BETWEEN ? AND ? ORDER BY sentences.id
"""


_TITLE = 1_000
"""Characters of a title by which each passage of its article is found as well."""


@dataclass(frozen=True, slots=True)
class Run:
    """Rows that stand one after another in the generation before."""

    passages: range
    sentences: range
    tokens: range


class DatabaseWriter:
    """Writes one generation's database. Its counts are those of the rows so far.

    Every method raises sqlite3.OperationalError where it cannot be written, and as a context it raises
    DamagedIndexError where the one before cannot be read. The caller syncs the file.
    """

    def __init__(self, path: Path, language: str, before: Path | None) -> None:
        """Begin the database at `path`; `before` is that of the generation before, to copy from."""
        self.articles = self.passages = self.sentences = self.tokens = 0
        self._path = path
        self._language = language
        self._words: Counter[str] = Counter()
        self._times: Counter[int] = Counter()
        """How often each article of the generation before was copied."""
        self._before = before
        self._database = sqlite3.connect(address(path, "mode=rwc"), uri=True, isolation_level=None)
        try:
            # The file is aside until it is whole, so a journal would guard nothing.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            harden(self._database)
            self._database.executescript(_SCHEMA)
            if before is not None:
                self._database.execute("ATTACH ? AS before", (address(before, IMMUTABLE),))
            self._database.execute("BEGIN")
        except BaseException as error:
            self._close_after(error)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_after(error)

    def _close_after(self, error: BaseException | None) -> None:
        self._database.close()
        # What is written is never read before it is whole, so damage is that of the one before.
        if self._before is not None and isinstance(error, sqlite3.Error):
            tell_damage(self._before, error)

    def add(
        self, article: Article, passages: Sequence[tuple[Passage, str]], tokens: Sequence[Sequence[int]]
    ) -> None:
        """Add an article; each passage comes with its key, and `tokens` counts those of its sentences."""
        row = self.articles
        self._add_article(article)
        self.articles += 1
        for (passage, key), counts in zip(passages, tokens, strict=True):
            text = _text(article, passage, self._language)
            terms = " ".join(value_terms(text, self._language))
            fields = (self.passages, row, self.sentences, int(passage.is_heading), key, terms)
            self._insert("passages", [fields])
            self._add_words(self.passages, article, text, terms)
            self._words.update(_words(article, text))
            self._add_sentences(passage, counts)
            self.passages += 1
        self._insert("abbreviations", [(row, *pair) for pair in find_abbreviations(article.text)])

    def copy(self, articles: Sequence[Article], first: int) -> Run:
        """Add articles whose content the generation before has in as many rows, from `first` on.

        Return which rows of theirs it has there.
        """
        last = first + len(articles) - 1
        run = self._run(first, last)
        moved = {
            "articles": self.articles - first,
            "passages": self.passages - run.passages.start,
            "sentences": self.sentences - run.sentences.start,
            "tokens": self.tokens - run.tokens.start,
        }
        self._database.executemany(
            _COPY_ARTICLE,
            [(row, one.id, row - moved["articles"]) for row, one in enumerate(articles, self.articles)],
        )
        for statement in _COPIES:
            self._database.execute(statement, {**moved, "first": first, "last": last})
        for row, old, terms, passage in self._stored(first, last):
            article = articles[old - first]
            text = _text(article, passage, self._language)
            self._add_words(row + moved["passages"], article, text, terms)
        self._times.update(range(first, last + 1))
        self.articles += len(articles)
        self.passages += len(run.passages)
        self.sentences += len(run.sentences)
        self.tokens += len(run.tokens)
        return run

    def finish(self) -> None:
        """Write what is known only of all articles together, and the postings of the words beside it."""
        if self._before is not None:
            self._count_copied_words()
        self._insert("words", sorted((word, count) for word, count in self._words.items() if count))
        self._database.execute("COMMIT")
        self._database.executescript(_INDEXES)
        write_postings(self._database, self._path.with_name(POSTINGS))

    def _add_article(self, one: Article) -> None:
        fields = (one.id, one.title, one.author, one.publisher, one.url, one.published, one.heading, one.text)
        self._insert("articles", [(self.articles, *fields, one.content_hash)])

    def _add_sentences(self, passage: Passage, counts: Sequence[int]) -> None:
        rows = []
        for one, count in zip(passage.sentences, counts, strict=True):
            rows.append(
                (self.sentences, self.passages, one.paragraph, one.start, one.end, self.tokens, count)
            )
            self.sentences += 1
            self.tokens += count
        self._insert("sentences", rows)

    def _add_words(self, row: int, article: Article, text: str, terms: str) -> None:
        """Add what a passage is found by: its values in their one form stand after its text."""
        searched = f"{text} {terms}" if terms else text
        self._database.execute(
            "INSERT INTO passage_words (rowid, text, title) VALUES (?, ?, ?)",
            (row, searched, article.title[:_TITLE]),
        )

    def _count_copied_words(self) -> None:
        """Count words as the generation before did, but for the articles not copied from it just once."""
        self._words.update(dict(self._database.execute("SELECT word, passages FROM before.words")))
        for (row,) in self._database.execute("SELECT id FROM before.articles"):
            if times := self._times[row] - 1:
                article = self._article_before(row)
                for _, _, _, passage in self._stored(row, row):
                    for word in _words(article, _text(article, passage, self._language)):
                        self._words[word] += times

    def _article_before(self, row: int) -> Article:
        (fields,) = self._database.execute(
            "SELECT name, title, author, publisher, url, published, heading, text "
            "FROM before.articles WHERE id = ?",
            (row,),
        )
        return Article(*fields)

    def _run(self, first: int, last: int) -> Run:
        (edges,) = self._database.execute(_EDGES, (first, last))
        return Run(range(*edges[:2]), range(*edges[2:4]), range(*edges[4:]))

    def _stored(self, first: int, last: int) -> Iterator[tuple[int, int, str, Passage]]:
        """Yield the passages of articles of the generation before: row, article's row, terms, passage."""
        rows = self._database.execute(_STORED, (first, last))
        for (row, article, terms), group in itertools.groupby(rows, operator.itemgetter(0, 1, 2)):
            yield row, article, terms, Passage(tuple(Sentence(*fields[3:]) for fields in group))

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._database.executemany(f"INSERT INTO main.{table} VALUES ({marks})", rows)  # noqa: S608 - our own table names


def _text(article: Article, passage: Passage, language: str) -> str:
    return "\n".join(sentence_texts(article, passage, language))


def _words(article: Article, text: str) -> set[str]:
    """Return the words, as they are spelt, that a passage has or its title."""
    return set(words_of(f"{article.title[:_TITLE]}\n{text}"))
