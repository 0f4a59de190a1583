"""The store on one machine: an open generation, read with SQLite, FAISS and Tantivy.

    <generation>/passages.sqlite    articles, passages, sentences, abbreviations     (database)
    <generation>/words/             the word index                                   (words)
    <generation>/dense.faiss        the passages' vectors; of many, dense.f32 too    (vectors)
    <generation>/tokens.i8          packed token vectors of all sentences, row by row
    <generation>/basis.f32          the basis in which these are packed

Opening compares the checksum of each file. Large files are compared in the background, and `check` waits for
that: nothing is answered with a verdict before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from index.articles.article import Article
from index.encoding.encoder import Basis, PackedTokens, Vectors
from index.errors import DamagedIndexError, NoIndexError
from index.storage.database import DATABASE, Database
from index.storage.manifest import GENERATION, Manifest, read_manifest, read_pointer
from index.storage.store import ArticleSummary, Forms, StoredPassage
from index.storage.vectors import RowFile, VectorIndex
from index.storage.words import WordIndex

__all__ = ["BASIS", "TOKENS", "WORDS", "LocalStore", "open_generation", "open_store"]

TOKENS = "tokens.i8"
BASIS = "basis.f32"
WORDS = "words"

_BACKGROUND_BYTES = 64_000_000
"""Bytes from which a file is compared in the background: some 10 ms in memory."""


def open_store(folder: Path) -> LocalStore:
    """Open the generation that serves.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written, or is of another version.
    """
    name = read_pointer(folder)
    while True:
        try:
            return LocalStore(folder / name, read_manifest(folder / name))
        except DamagedIndexError:
            # A build may have published and pruned meanwhile; what CURRENT says now decides.
            before, name = name, read_pointer(folder)
            if before == name:
                raise


def open_generation(folder: Path, name: str) -> LocalStore:
    """Open a generation by its name, whether it serves or not.

    Raises:
        NoIndexError: there is none of this name.
        DamagedIndexError: a file is not what was written, or is of another version.
    """
    if not GENERATION.fullmatch(name) or not (folder / name).exists():
        raise NoIndexError(f"no generation {name!r} in {folder}: `footnote index history` lists them.")
    return LocalStore(folder / name, read_manifest(folder / name))


class LocalStore:
    """An open generation. It stays readable when its files are removed; safe to use from several threads."""

    def __init__(self, home: Path, manifest: Manifest, background_bytes: int = _BACKGROUND_BYTES) -> None:
        """Open the generation at `home`, which need not have its name yet.

        Files of at least `background_bytes` are compared in the background.

        Raises:
            DamagedIndexError: a file is not what was written.
        """
        self.info = manifest.info(home.name)
        self.home = home
        large = {name: one for name, one in manifest.files.items() if one.size >= background_bytes}
        small = {name: one for name, one in manifest.files.items() if name not in large}
        self._checking = _in_background(lambda: manifest.check_files(home, large)) if large else None
        manifest.check_files(home, small)
        with ExitStack() as stack:
            try:
                self._open(home, manifest, stack)
            except (LookupError, RuntimeError, TypeError, ValueError, sqlite3.Error, OSError) as error:
                raise DamagedIndexError.of(home, f"cannot be opened: {error}") from error
            self._resources = stack.pop_all()

    def _open(self, home: Path, manifest: Manifest, stack: ExitStack) -> None:
        width = manifest.token_width
        self.basis: Basis = np.fromfile(home / BASIS, dtype=np.float32).reshape(-1, width)
        self._tokens = RowFile(home / TOKENS, np.int8, width)
        stack.callback(self._tokens.close)
        # First, since it compares the number of passages, for which memory is taken below.
        with self._word_errors():
            self._words = WordIndex(home / WORDS, self.info.language, manifest.passages)
        self._database = Database(home / DATABASE)
        stack.callback(self._database.close)
        self._bodies = np.ones(manifest.passages, dtype=np.bool_)
        self._bodies[self._database.heading_rows()] = False
        self._vectors = VectorIndex(home, self._bodies, manifest.dimension)
        stack.callback(self._vectors.close)
        if len(self._tokens) != manifest.tokens:
            raise ValueError(f"{TOKENS} has {len(self._tokens)} rows instead of {manifest.tokens}")

    def check(self) -> None:
        """Wait for the background comparison of large files.

        Raises:
            DamagedIndexError: one is not what was written; the store is closed.
        """
        if self._checking is not None:
            try:
                self._checking.result()
            except DamagedIndexError:
                self.close()
                raise

    def close(self) -> None:
        """Close files and connections; the store cannot be used afterwards."""
        self._resources.close()

    def vocabulary(self) -> dict[str, int]:
        """See `Store`."""
        with self._word_errors():
            return self._words.vocabulary()

    def abbreviations(self) -> list[tuple[str, str]]:
        """See `Store`."""
        return self._database.abbreviations()

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        """See `Store`."""
        with self._word_errors():
            return self._words.passage_counts(terms)

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """See `Store`."""
        with self._word_errors():
            return self._words.only_in_headings(terms)

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """See `Store`."""
        with self._word_errors():
            return self._words.best(phrases, count, headings=headings, article=article)

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        """See `Store`."""
        with self._word_errors():
            return self._words.with_phrase(phrase, count)

    @contextmanager
    def _word_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # Tantivy raises ValueError for damage that it notices, and panics where it meets other damage. A
            # panic is no Exception, and its class cannot be imported.
            if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
                raise DamagedIndexError.of(self.home / WORDS, f"cannot be searched: {error}") from error
            raise

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """See `Store`."""
        if article is None:
            return self._vectors.nearest(vector, count, headings=headings)
        span = self._database.rows_of_article(article)
        rows = np.arange(span.start, span.stop)
        return self._vectors.best_of(rows if headings else rows[self._bodies[rows]], vector, count)

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """See `Store`."""
        return [float(cosine) for cosine in self._vectors.cosines(vector, rows)]

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """See `Store`."""
        return self._vectors.vectors(rows)

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """See `Store`."""
        return self._tokens.runs(
            (passage.first_token, passage.first_token + sum(passage.token_counts)) for passage in passages
        )

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """See `Store`."""
        return self._database.passages(rows)

    def passages_of(self, article: int) -> list[StoredPassage]:
        """See `Store`."""
        return self._database.passages_of(article)

    def rows_of_keys(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """See `Store`."""
        return self._database.rows_of_keys(keys)

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """See `Store`."""
        return self._database.articles(rows)

    def article_row(self, identity: str) -> int | None:
        """See `Store`."""
        return self._database.article_row(identity)

    def catalogue(self) -> list[ArticleSummary]:
        """See `Store`."""
        return self._database.catalogue()


def _in_background(work: Callable[[], None]) -> Future[None]:
    """Run some work in a thread of its own; its error is raised where the future's result is asked for."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-check")
    try:
        return thread.submit(work)
    finally:
        thread.shutdown(wait=False)
