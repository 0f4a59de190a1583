"""One generation of the index on disk: where it is, whether it is whole, and how it is read.

    <index folder>/CURRENT              names the generation that serves, with its manifest's SHA-256
    <index folder>/<generation>/        manifest.json, passages.sqlite, dense.faiss,
                                        tokens.i8, basis.f32
    <index folder>/lock                 held by the one build that may write
    <index folder>/kept.vectors         what a build that was cut off had encoded (`index.kept`)

A generation's name ends in the first characters of its manifest's SHA-256, and the manifest has the SHA-256
of each file: so every byte that is read is covered. Writing is in `index.writer`.

`tokens.i8` holds the packed token vectors of all sentences, in order, a row each; `basis.f32` the basis that
they are packed in. Both are plain numbers, row by row, without a header.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import operator
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.articles import Article
from index.compression import Basis, PackedTokens, Vectors
from index.errors import DamagedIndexError
from index.manifest import (
    BASIS,
    DATABASE,
    DENSE,
    GENERATION,
    KEPT,
    LOCK,
    MANIFEST,
    POINTER,
    REBUILD,
    TEMPORARY,
    TOKENS,
    Manifest,
    Pointer,
    check_file,
    parse_manifest,
    read_manifest,
    read_pointer,
)
from index.passages import HEADING, Passage, Sentence

__all__ = [
    "Generation",
    "IndexStatus",
    "StoredPassage",
    "index_status",
    "open_generation",
    "source_text",
    "verify",
    "verify_generation",
]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The current generation in figures; `built` is in UTC, ISO 8601.

    `confidence` says what the confidence was fitted on, where whoever asks knows (`index.fits`).
    """

    generation: str
    built: str
    encoder: str
    encoder_fingerprint: str
    articles: int
    passages: int
    sentences: int
    bytes: int
    confidence: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """Return label and value pairs for people."""
        built = datetime.fromisoformat(self.built)
        return [
            ("generation", self.generation),
            ("built", f"{built:%Y-%m-%d %H:%M} UTC"),
            ("encoder", self.encoder),
            ("articles", f"{self.articles:,}"),
            ("passages", f"{self.passages:,}"),
            ("sentences", f"{self.sentences:,}"),
            ("size", f"{self.bytes / 1e6:,.1f} MB"),
            *([("confidence", self.confidence)] if self.confidence else []),
        ]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it stands in a generation.

    `row` numbers it, `first_sentence` and `first_token` what it begins with; `tokens` counts those of each
    sentence.
    """

    row: int
    article: int
    first_sentence: int
    passage: Passage
    first_token: int
    tokens: tuple[int, ...]


def index_status(folder: Path) -> IndexStatus:
    """Check every file of the current generation and return its figures; needs no encoder.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written.
    """
    pointer = read_pointer(folder)
    manifest = read_manifest(folder, pointer)
    home = folder / pointer.generation
    size = sum(check_file(home / name, digest) for name, digest in manifest.files.items())
    return _status(pointer.generation, manifest, size)


def _status(generation: str, manifest: Manifest, size: int) -> IndexStatus:
    return IndexStatus(
        generation,
        manifest.built,
        manifest.encoder,
        manifest.encoder_fingerprint,
        manifest.articles,
        manifest.passages,
        manifest.sentences,
        size,
    )


def verify(folder: Path) -> list[str]:
    """Recompute every checksum under the index folder; return a line on each thing that is not as written.

    Raises:
        NoIndexError: there is no index.
    """
    problems: list[str] = []
    try:
        pointer = read_pointer(folder)
        read_manifest(folder, pointer)
    except DamagedIndexError as error:
        problems.append(str(error))
    for path in sorted(folder.iterdir()):
        if path.name.startswith(TEMPORARY):
            problems.append(f"{path}: left by a build that was cut off; the next build removes it.")
        elif path.is_dir() and GENERATION.fullmatch(path.name):
            problems.extend(verify_generation(path))
        elif path.name not in {POINTER, LOCK, KEPT}:
            problems.append(f"{path}: not a file of the index.")
    return list(dict.fromkeys(problems))


def verify_generation(home: Path) -> Iterator[str]:
    """Yield a line on each file of one generation that is not as it was written."""
    try:
        data = (home / MANIFEST).read_bytes()
        if home.name.partition("-")[2] != hashlib.sha256(data).hexdigest()[:16]:
            yield f"{home / MANIFEST} is damaged. {REBUILD}"
            return
        manifest = parse_manifest(data, home / MANIFEST)
    except OSError as error:
        yield f"{home / MANIFEST} cannot be read: {error.strerror}. {REBUILD}"
        return
    except DamagedIndexError as error:
        yield str(error)
        return
    for name, digest in manifest.files.items():
        try:
            check_file(home / name, digest)
        except DamagedIndexError as error:
            yield str(error)
    for path in sorted(home.iterdir()):
        if path.name not in {MANIFEST, *manifest.files}:
            yield f"{path}: not a file of the index."


def open_generation(folder: Path) -> Generation:
    """Open the current generation, checking every byte of it.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written, or is of another version.
    """
    pointer = read_pointer(folder)
    try:
        return _open(folder, pointer)
    except DamagedIndexError:
        # A build may have published and removed the one just named; what CURRENT says now decides.
        again = read_pointer(folder)
        if again == pointer:
            raise
        return _open(folder, again)


def _open(folder: Path, pointer: Pointer) -> Generation:
    manifest = read_manifest(folder, pointer)
    home = folder / pointer.generation
    size = sum(check_file(home / name, digest) for name, digest in manifest.files.items())
    try:
        return Generation(home, manifest, size)
    except (RuntimeError, ValueError, sqlite3.Error) as error:
        raise DamagedIndexError(f"{home} cannot be opened: {error}. {REBUILD}") from error


class Generation:
    """An open generation. It stays readable when its files are removed; safe to use from several threads."""

    def __init__(self, home: Path, manifest: Manifest, size: int) -> None:
        """Open the files of `home`, which were just found whole; `size` is their bytes together."""
        self.name = home.name
        self.manifest = manifest
        self.bytes = size
        self._dense = faiss.read_index(str(home / DENSE))
        width = manifest.token_width
        self.basis: Basis = np.fromfile(home / BASIS, dtype=np.float32).reshape(-1, width)
        self._tokens: PackedTokens = (
            np.memmap(home / TOKENS, dtype=np.int8, mode="r").reshape(manifest.tokens, width)
            if manifest.tokens
            else np.empty((0, width), dtype=np.int8)
        )
        address = f"{(home / DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
        self._database = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        # SQLite opens the file at the first statement; from then on it may be removed under us.
        bodies = [row for (row,) in self.query("SELECT id FROM passages WHERE NOT is_heading")]
        bitmap = _bitmap(bodies, manifest.passages)
        self._bodies = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type] # its wrapper takes it

    def status(self) -> IndexStatus:
        """Return the generation's figures."""
        return _status(self.name, self.manifest, self.bytes)

    def close(self) -> None:
        """Free the database; the generation cannot be used afterwards."""
        with self._lock:
            self._database.close()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one read-only statement."""
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a question's vector (row, cosine), best first.

        Without `headings`, no heading is among them, nor takes the place of another passage; with the row of
        an `article`, only its passages are.
        """
        selector = self._selector(headings=headings, article=article)
        # Its wrapper takes what its annotations do not know.
        chosen = faiss.SearchParameters(sel=selector) if selector else None  # type: ignore[call-arg]
        scores, rows = self._dense.search(vector, min(count, self.manifest.passages), params=chosen)
        return [(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]

    def _selector(self, *, headings: bool, article: int | None) -> faiss.IDSelector | None:
        if article is None:
            return None if headings else self._bodies
        sql = "SELECT id FROM passages WHERE article = ? AND (? OR NOT is_heading)"
        rows = [row for (row,) in self.query(sql, article, headings)]
        return faiss.IDSelectorBatch(np.asarray(rows, dtype=np.int64))

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the dense vectors of passages, shape (rows, dimension)."""
        return np.asarray(self._dense.reconstruct_batch(np.asarray(rows, dtype=np.int64)))

    def tokens(self, first: int, last: int) -> PackedTokens:
        """Return the packed vectors of a run of tokens, `last` not included; they are read from the map."""
        return np.asarray(self._tokens[first:last])

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for."""
        found = {one.row: one for one in self._passages("passage IN (SELECT value FROM json_each(?))", rows)}
        return [found[row] for row in rows]

    def _passages(self, condition: str, rows: Sequence[int]) -> list[StoredPassage]:
        sentences = self.query(
            'SELECT passage, sentences.id, article, paragraph, start, "end", first_token, tokens '  # noqa: S608 - our own conditions
            f"FROM sentences JOIN passages ON passages.id = passage WHERE {condition} ORDER BY sentences.id",
            json.dumps(list(rows)),
        )
        return [_stored(list(group)) for _, group in itertools.groupby(sentences, operator.itemgetter(0))]

    def words(self) -> dict[str, int]:
        """Return the words of the collection as they are spelt, folded, with the passages that have each."""
        return dict(self.query("SELECT word, passages FROM words"))

    def abbreviations(self) -> list[tuple[str, str]]:
        """Return the abbreviations that the articles introduce, as short and long form."""
        rows = self.query(
            "SELECT short, long FROM abbreviations GROUP BY short, long ORDER BY min(abbreviations.rowid)"
        )
        return [(short, long) for short, long in rows]

    def article(self, row: int) -> Article:
        """Return an article by its row."""
        (fields,) = self.query(
            "SELECT name, title, author, publisher, url, published, heading, text FROM articles WHERE id = ?",
            row,
        )
        return Article(*fields)

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""
        # As bytes, since half a character, which no id has, would be refused as text.
        name = identity.encode("utf-8", "surrogatepass")
        rows = self.query("SELECT id FROM articles WHERE name = CAST(? AS TEXT)", name)
        return rows[0][0] if rows else None

    def article_by_id(self, identity: str) -> Article | None:
        """Return the article with this id, or None."""
        row = self.article_row(identity)
        return None if row is None else self.article(row)

    def article_lines(self) -> list[tuple[str, str, str, str, str, str, int]]:
        """Return id, title, author, publisher, url, published and paragraphs of every article, in order.

        The texts are not read: the last paragraph's number is how many there are.
        """
        return [
            (*fields, paragraphs)
            for *fields, paragraphs in self.query(
                "SELECT name, title, author, publisher, url, published, "
                "(SELECT max(paragraph) FROM sentences WHERE passage = "
                "(SELECT max(id) FROM passages WHERE article = articles.id)) FROM articles ORDER BY id"
            )
        ]

    def article_rows(self) -> list[tuple[int, str, str]]:
        """Return every article's row, id and content hash, in the order in which they were indexed."""
        rows = self.query("SELECT id, name, content_hash FROM articles ORDER BY id")
        return [(row, name, digest) for row, name, digest in rows]

    def rows_of_keys(self, keys: Iterable[str]) -> dict[str, int]:
        """Return the row of a passage with each of these keys, where there is one."""
        sql = "SELECT key, min(id) FROM passages WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key"
        return dict(self.query(sql, json.dumps(list(keys))))

    def passages_of(self, article: int) -> list[StoredPassage]:
        """Return every passage of an article, in order; the heading's first."""
        return self._passages("article IN (SELECT value FROM json_each(?))", [article])


def _bitmap(rows: Sequence[int], count: int) -> npt.NDArray[np.uint8]:
    """Return a bit a row, set for `rows`, as FAISS reads them: the lowest bit of each byte first."""
    chosen = np.zeros(count, dtype=np.uint8)
    chosen[rows] = 1
    return np.packbits(chosen, bitorder="little")


def _stored(sentences: list[tuple[int, ...]]) -> StoredPassage:
    """Put a passage together from the rows of its sentences."""
    row, first_sentence, article, _, _, _, first_token, _ = sentences[0]
    spans = tuple(Sentence(*fields[3:6]) for fields in sentences)
    tokens = tuple(fields[7] for fields in sentences)
    return StoredPassage(row, article, first_sentence, Passage(spans), first_token, tokens)


def source_text(article: Article, sentence: Sentence | Passage) -> str:
    """Return the text that a sentence's or a passage's offsets count in."""
    first = sentence.sentences[0] if isinstance(sentence, Passage) else sentence
    return article.heading if first.paragraph == HEADING else article.text
