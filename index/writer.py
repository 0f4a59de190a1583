"""One generation written: aside, synced, checksummed, renamed, and named by one replace of the pointer.

A crash at any byte leaves the generation before serving; what it left behind is removed by the next build.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index.articles import Article
from index.encoder import Encoder, Vectors
from index.errors import DamagedIndexError, NoIndexError
from index.generation import (
    DATABASE,
    DENSE,
    FORMAT,
    GENERATION,
    MANIFEST,
    POINTER,
    SENTENCES,
    TEMPORARY,
    Generation,
    Manifest,
    Pointer,
    generation_name,
    read_pointer,
    source_text,
    verify_generation,
)
from index.passages import Passage, split_article
from index.wording import heading_line_text

__all__ = [
    "Draft",
    "Progress",
    "passage_settings",
    "passage_text",
    "remove_leftovers",
    "reuse",
    "split",
    "write_generation",
]

_TITLE_BYTES = 100
_PASSAGES_VERSION = 1
"""Raised when splitting or `index.wording` changes, so that no passage made the old way is reused."""
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
class Progress:
    """How far a build is: `done` of `total` steps of a stage, whose name is for people."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An article on its way into a generation.

    `vectors` holds those of its passages and of its sentences, as the generation before has them; None
    where they are still to be encoded.
    """

    article: Article
    passages: tuple[Passage, ...]
    vectors: tuple[Vectors, Vectors] | None = None


def passage_settings(language: str) -> dict[str, Any]:
    """Return what passages and their vectors depend on besides the encoder; kept in the manifest."""
    return {"language": language, "title_bytes": _TITLE_BYTES, "version": _PASSAGES_VERSION}


def split(article: Article, encoder: Encoder, language: str) -> tuple[Passage, ...]:
    """Split an article so that each passage fits the encoder's window together with its title."""
    (title_tokens,) = encoder.count_tokens([_title_prefix(article, encoder)])
    return split_article(article, encoder.count_tokens, encoder.window - title_tokens, language)


def reuse(article: Article, row: int, old: Generation) -> Draft:
    """Draft an article from a generation that holds the same content as its article `row`."""
    stored = old.passages_of(row)
    first = stored[0].first_sentence
    count = sum(len(one.passage.sentences) for one in stored)
    vectors = (
        old.passage_vectors([one.row for one in stored]),
        old.sentence_vectors(range(first, first + count)),
    )
    return Draft(article, tuple(one.passage for one in stored), vectors)


def remove_leftovers(folder: Path) -> None:
    """Remove what a build that was cut off left behind, and what is damaged; only under the lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(path)
    (folder / f"{POINTER}.new").unlink(missing_ok=True)
    with suppress(NoIndexError, DamagedIndexError):
        _remove_old(folder, read_pointer(folder).generation)


def _remove_old(folder: Path, serving: str) -> None:
    """Keep the generation that serves and the last whole one before it; remove the others."""
    others = sorted((_number(path), path) for path in _generations(folder) if path.name != serving)
    kept = None
    for number, path in reversed(others):
        whole = kept is None and number < _number(folder / serving) and not any(verify_generation(path))
        if whole:
            kept = path
        else:
            shutil.rmtree(path, ignore_errors=True)


def _generations(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if GENERATION.fullmatch(path.name)]


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def write_generation(
    folder: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    language: str,
    progress: Callable[[Progress], None],
) -> tuple[str, Manifest]:
    """Write and publish the next generation below `folder`; return its name and manifest.

    Raises:
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    home = folder / f"{TEMPORARY}{os.getpid()}"
    home.mkdir()
    try:
        dense, sentences = _encode(drafts, encoder, language, progress)
        progress(Progress("writing", 0, 1))
        _write_database(home / DATABASE, drafts, language)
        _write_file(home / DENSE, _flat_index(dense))
        _write_file(home / SENTENCES, _half_index(sentences))
        manifest = _manifest(home, drafts, encoder, language)
        _write_file(home / MANIFEST, manifest.to_bytes())
        _sync(home)
        name = _publish(folder, home, manifest)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    progress(Progress("writing", 1, 1))
    return name, manifest


def _title_prefix(article: Article, encoder: Encoder) -> str:
    """Return what stands before each passage of an article when it is encoded: its subject.

    Cut in bytes, because no tokenizer makes more tokens of a text than it has bytes.
    """
    room = min(_TITLE_BYTES, encoder.window // 3)
    return article.title.encode()[:room].decode(errors="ignore") + ". "


def passage_text(article: Article, passage: Passage, encoder: Encoder, language: str) -> str:
    """Return what is encoded of a passage: the title and its text, or a heading with its questions."""
    if passage.is_heading:
        return "\n".join(_sentence_texts(article, passage, language))
    return _title_prefix(article, encoder) + article.text[passage.start : passage.end]


def _sentence_texts(article: Article, passage: Passage, language: str) -> list[str]:
    text = source_text(article, passage)
    pieces = [(one.start, text[one.start : one.end]) for one in passage.sentences]
    if passage.is_heading:
        return [heading_line_text(article, start, piece, language) for start, piece in pieces]
    return [piece for _, piece in pieces]


def _encode(
    drafts: Sequence[Draft], encoder: Encoder, language: str, progress: Callable[[Progress], None]
) -> tuple[Vectors, Vectors]:
    """Return the vectors of all passages and of all sentences, in order, encoding those that are new."""
    fresh = [draft for draft in drafts if draft.vectors is None]
    passages = [
        passage_text(draft.article, one, encoder, language) for draft in fresh for one in draft.passages
    ]
    sentences = [
        text
        for draft in fresh
        for one in draft.passages
        for text in _sentence_texts(draft.article, one, language)
    ]
    total = len(passages) + len(sentences)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress(Progress("encoding", done, total))

    passage_vectors = encoder.encode_passages(passages, report)
    sentence_vectors = encoder.encode_passages(sentences, report)
    return _in_order(drafts, passage_vectors, 0), _in_order(drafts, sentence_vectors, 1)


def _in_order(drafts: Sequence[Draft], new: Vectors, which: int) -> Vectors:
    """Put new vectors and those at hand (`which`: 0 passages, 1 sentences) in the order of the drafts."""
    parts: list[Vectors] = []
    used = 0
    for draft in drafts:
        if draft.vectors is not None:
            parts.append(draft.vectors[which])
            continue
        count = len(draft.passages) if which == 0 else sum(len(one.sentences) for one in draft.passages)
        parts.append(new[used : used + count])
        used += count
    return np.concatenate(parts)


def _flat_index(vectors: Vectors) -> bytes:
    """Return an exact inner-product index of unit vectors: inner product is cosine."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


def _half_index(vectors: Vectors) -> bytes:
    """Return the vectors in half precision (2 bytes a dimension); they are read back by row."""
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


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


def _write_database(path: Path, drafts: Sequence[Draft], language: str) -> None:
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
                (r.row, "\n".join(_sentence_texts(r.article, r.passage, language)), r.article.title)
                for r in _rows(drafts)
            ),
        )
        for r in _rows(drafts):
            database.executemany(
                "INSERT INTO sentence_words (rowid, text) VALUES (?, ?)",
                enumerate(_sentence_texts(r.article, r.passage, language), r.first_sentence),
            )
        database.execute("COMMIT")
    _sync(path)


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


def _manifest(home: Path, drafts: Sequence[Draft], encoder: Encoder, language: str) -> Manifest:
    passages = [passage for draft in drafts for passage in draft.passages]
    return Manifest(
        format=FORMAT,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        dimension=encoder.dimension,
        passage_settings=passage_settings(language),
        articles=len(drafts),
        passages=len(passages),
        sentences=sum(len(passage.sentences) for passage in passages),
        files={name: _digest(home / name) for name in (DATABASE, DENSE, SENTENCES)},
    )


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _publish(folder: Path, home: Path, manifest: Manifest) -> str:
    """Give the generation its name, point CURRENT at it in one step, and remove those no longer kept."""
    content = manifest.to_bytes()
    number = max(map(_number, _generations(folder)), default=0) + 1
    name = generation_name(number, content)
    home.rename(folder / name)
    _sync(folder)
    aside = folder / f"{POINTER}.new"
    _write_file(aside, Pointer(name, hashlib.sha256(content).hexdigest()).line())
    aside.replace(folder / POINTER)
    _sync(folder)
    _remove_old(folder, name)
    return name


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
