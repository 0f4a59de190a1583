"""One generation of the index on disk: where it is, whether it is whole, and how it is read.

    <index folder>/CURRENT              names the generation that serves, with its manifest's SHA-256
    <index folder>/<generation>/        manifest.json, passages.sqlite, postings.bin, dense.faiss,
                                        dense.f32 (of large collections), tokens.i8, basis.f32
    <index folder>/models/              the encoder's graph (`index.graphs`)
    <index folder>/lock                 held by the one build that may write
    <index folder>/kept.vectors         what a build that was cut off had encoded (`index.kept`)

A generation's name ends in the first characters of its manifest's SHA-256, and the manifest has the SHA-256
of each file: so every byte that is read is covered. Writing is in `index.writer`.

`tokens.i8` holds the packed token vectors of all sentences, in order, a row each; `basis.f32` the basis that
they are packed in. Both are plain numbers, row by row, without a header. `index.dense` and `index.postings`
say what is in the other files.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import operator
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.articles import Article
from index.compression import Basis, PackedTokens, Vectors
from index.dense import Dense
from index.errors import DamagedIndexError
from index.graphs import MODELS, check_graph, verify_models
from index.manifest import (
    BASIS,
    DATABASE,
    GENERATION,
    KEPT,
    LOCK,
    MANIFEST,
    POINTER,
    POSTINGS,
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
from index.passages import Passage, Sentence
from index.postings import Postings
from index.recent import Recent
from index.rowfile import RowFile
from index.store import Forms, StoredPassage

_WORDS = 300_000
"""Words that questions are spelt by: 80 MB of memory and a second at opening."""

_KEPT_CHARACTERS = 4_000_000
"""Characters of articles that are kept at hand, or one article that has more."""

_KEPT_SENTENCES = 50_000
"""Sentences of passages whose places are kept at hand: some 15 MB."""

__all__ = [
    "Generation",
    "IndexStatus",
    "index_status",
    "kept_manifests",
    "open_generation",
    "verify",
    "verify_generation",
]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The current generation in figures; `built` is in UTC, ISO 8601.

    `graph` is the SHA-256 of the encoder's graph, "" where sentence-transformers encodes;
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
    graph: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """Return label and value pairs for people."""
        built = datetime.fromisoformat(self.built)
        return [
            ("generation", self.generation),
            ("built", f"{built:%Y-%m-%d %H:%M} UTC"),
            ("encoder", self.encoder),
            ("fingerprint", self.encoder_fingerprint),
            ("articles", f"{self.articles:,}"),
            ("passages", f"{self.passages:,}"),
            ("sentences", f"{self.sentences:,}"),
            ("size", f"{self.bytes / 1e6:,.1f} MB"),
            ("graph", "kept with the index" if self.graph else "none: sentence-transformers encodes"),
            *([("confidence", self.confidence)] if self.confidence else []),
        ]


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
    check_graph(folder, manifest)
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
        graph=manifest.graph,
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
        elif path.name not in {POINTER, LOCK, KEPT, MODELS}:
            problems.append(f"{path}: not a file of the index.")
    problems.extend(verify_models(folder, kept_manifests(folder)))
    return list(dict.fromkeys(problems))


def kept_manifests(folder: Path) -> dict[Path, Manifest]:
    """Return the manifests of the generations that are there, each by its path, but those not readable."""
    found = {}
    for home in sorted(folder.iterdir()):
        if GENERATION.fullmatch(home.name):
            path = home / MANIFEST
            with suppress(OSError, DamagedIndexError):
                found[path] = parse_manifest(path.read_bytes(), path)
    return found


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
        width = manifest.token_width
        self.basis: Basis = np.fromfile(home / BASIS, dtype=np.float32).reshape(-1, width)
        self._tokens = RowFile(home / TOKENS, np.int8, width)
        if len(self._tokens) != manifest.tokens:
            raise ValueError(f"{TOKENS} has {len(self._tokens)} tokens instead of {manifest.tokens}")
        address = f"{(home / DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
        self._database = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self.query("PRAGMA cache_size = -32000")  # kB: the inner pages of a million passages' tables
        # SQLite opens the file at the first statement; from then on it may be removed under us.
        headings = [row for (row,) in self.query("SELECT id FROM passages WHERE is_heading")]
        self._bodies = np.ones(manifest.passages, dtype=np.bool_)
        self._bodies[headings] = False
        self._dense = Dense(home, self._bodies)
        self._postings = Postings(home / POSTINGS, manifest.passages, self.query)
        self._articles = Recent(self._read_articles, lambda one: len(one.text), _KEPT_CHARACTERS)
        self._stored = Recent(self._read_passages, lambda one: len(one.tokens), _KEPT_SENTENCES)

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
        an `article`, only its passages are, and none is missed.
        """
        if article is None:
            return self._dense.nearest(vector, count, headings=headings)
        run = self._run(article)
        rows = np.arange(run.start, run.stop)
        return self._dense.best_of(rows if headings else rows[self._bodies[rows]], vector, count)

    def _run(self, article: int) -> range:
        """Return the rows of an article's passages."""
        sql = "SELECT ifnull(min(id), 0), ifnull(max(id) + 1, 0) FROM passages WHERE article = ?"
        ((first, end),) = self.query(sql, article)
        return range(first, end)

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the dense vectors of passages, shape (rows, dimension)."""
        return self._dense.vectors(rows)

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """Return the cosines of a question's vector, shape (1, dimension), and those of passages."""
        return [float(one) for one in self._dense.cosines(vector, rows)]

    def counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages meet each term, by any of its forms."""
        return self._postings.counts(terms)

    def adjacent(self, left: str, right: str) -> bool:
        """Tell whether two words stand side by side, in this order, in some passage."""
        sql = "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1"
        return bool(self.query(sql, f'"{left} {right}"'))

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether some passage meets all of these terms, and none but headings do."""
        met = False
        for rows in self._postings.having_all(terms):
            if self._bodies[rows].any():
                return False
            met |= len(rows) > 0
        return met

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for all phrases (row, score), best first, then by row.

        `headings` and `article` as for `nearest`; see `index.postings` for what is approximate.
        """
        run = None if article is None else self._run(article)
        return self._postings.best(phrases, count, None if headings else self._bodies, run)

    def have(self, rows: Sequence[int], terms: Sequence[Forms]) -> npt.NDArray[np.bool_]:
        """Tell which passages meet which terms: shape (rows, terms)."""
        return self._postings.have(rows, terms)

    def tokens(self, first: int, last: int) -> PackedTokens:
        """Return the packed vectors of a run of tokens, `last` not included; they are read from the disk."""
        return self._tokens.runs([(first, last)])

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, one after the other."""
        return self._tokens.runs((one.first_token, one.first_token + sum(one.tokens)) for one in passages)

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for; those asked for lately are at hand."""
        return self._stored(rows)

    def _read_passages(self, rows: Sequence[int]) -> dict[int, StoredPassage]:
        found = self._passages("passage IN (SELECT value FROM json_each(?))", rows)
        return {one.row: one for one in found}

    def _passages(self, condition: str, rows: Sequence[int]) -> list[StoredPassage]:
        sentences = self.query(
            'SELECT passage, sentences.id, article, paragraph, start, "end", first_token, tokens '  # noqa: S608 - our own conditions
            f"FROM sentences JOIN passages ON passages.id = passage WHERE {condition} ORDER BY sentences.id",
            json.dumps(list(rows)),
        )
        return [_stored(list(group)) for _, group in itertools.groupby(sentences, operator.itemgetter(0))]

    def words(self) -> dict[str, int]:
        """Return words of the collection as they are spelt, folded, with the passages that have each.

        Of a very large collection they are the commonest: it has a million names and slips that stand once.
        """
        ((count,),) = self.query("SELECT count(*) FROM words")
        if count <= _WORDS:
            return dict(self.query("SELECT word, passages FROM words"))
        commonest = "SELECT word, passages FROM words ORDER BY passages DESC, word LIMIT ?"
        return dict(self.query(commonest, _WORDS))

    def abbreviations(self) -> list[tuple[str, str]]:
        """Return the abbreviations that the articles introduce, as short and long form."""
        rows = self.query(
            "SELECT short, long FROM abbreviations GROUP BY short, long ORDER BY min(abbreviations.rowid)"
        )
        return [(short, long) for short, long in rows]

    def article(self, row: int) -> Article:
        """Return an article by its row."""
        return self.articles([row])[0]

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for; those asked for lately are at hand."""
        return self._articles(rows)

    def _read_articles(self, rows: Sequence[int]) -> dict[int, Article]:
        found = self.query(
            "SELECT id, name, title, author, publisher, url, published, heading, text FROM articles "
            "WHERE id IN (SELECT value FROM json_each(?))",
            json.dumps(rows),
        )
        return {row: Article(*fields) for row, *fields in found}

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


def _stored(sentences: list[tuple[int, ...]]) -> StoredPassage:
    """Put a passage together from the rows of its sentences."""
    row, first_sentence, article, _, _, _, first_token, _ = sentences[0]
    spans = tuple(Sentence(*fields[3:6]) for fields in sentences)
    tokens = tuple(fields[7] for fields in sentences)
    return StoredPassage(row, article, first_sentence, Passage(spans), first_token, tokens)
