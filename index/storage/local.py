"""The store on one machine: an open generation, read with SQLite, FAISS and Tantivy.

    <generation>/passages.sqlite    articles, passages, sentences, abbreviations     (database)
    <generation>/words/             the word index                                   (words)
    <generation>/dense.faiss        the passages' vectors; of many, dense.f32 too    (vectors)
    <generation>/tokens.u4          packed token vectors of all sentences, row by row
    <generation>/basis.f32          the basis in which these are packed

Opening compares the checksum of each file, of large ones in the background; `check` waits for these.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from index.encoding.encoder import Basis, Vectors
from index.encoding.packing import PackedTokens, packed_width
from index.errors import DamagedIndexError, NoIndexError
from index.files import check_file
from index.storage.database import DATABASE, Database
from index.storage.manifest import GENERATION, Manifest, read_manifest, read_pointer
from index.storage.store import StoredPassage
from index.storage.vectors import RowFile, VectorIndex
from index.storage.words import WordIndex

__all__ = ["BASIS", "TOKENS", "WORDS", "LocalStore", "open_generation", "open_store"]

TOKENS = "tokens.u4"
BASIS = "basis.f32"
WORDS = "words"

_BACKGROUND_BYTES = 64_000_000  # from which a file is compared in the background: some 10 ms in memory


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


class LocalStore(Database, WordIndex):
    """An open generation. It stays readable when its files are removed; safe to use from several threads."""

    def __init__(self, home: Path, manifest: Manifest, background_bytes: int = _BACKGROUND_BYTES) -> None:
        """Open the generation at `home`, which need not have its name yet.

        Files of at least `background_bytes` are compared in the background.

        Raises:
            DamagedIndexError: a file is not what was written.
        """
        self.info = manifest.info(home.name)
        large = {name for name, expected in manifest.files.items() if expected.size >= background_bytes}
        self._checking = _in_background(lambda: _check_files(home, manifest, large)) if large else None
        _check_files(home, manifest, manifest.files.keys() - large)
        with ExitStack() as stack:
            try:
                self._open(home, manifest, stack)
            except (LookupError, RuntimeError, TypeError, ValueError, sqlite3.Error, OSError) as error:
                raise DamagedIndexError.of(home, f"cannot be opened: {error}") from error
            self._resources = stack.pop_all()

    def _open(self, home: Path, manifest: Manifest, stack: ExitStack) -> None:
        width = manifest.token_width
        self.basis: Basis = np.fromfile(home / BASIS, dtype=np.float32).reshape(-1, width)
        self._tokens = RowFile(home / TOKENS, np.uint16, packed_width(width))
        stack.callback(self._tokens.close)
        # First, since it compares the number of passages, for which memory is taken below.
        WordIndex.__init__(self, home / WORDS, self.info.language, manifest.passages)
        Database.__init__(self, home / DATABASE)
        stack.callback(Database.close, self)
        self._bodies = np.ones(manifest.passages, dtype=np.bool_)
        self._bodies[self.heading_rows()] = False
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

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a vector; see `Store`."""
        if article is None:
            return self._vectors.nearest(vector, count, headings=headings)
        rows = np.array(self.rows_of_article(article), dtype=np.int64)
        return self._vectors.best_of(rows if headings else rows[self._bodies[rows]], vector, count)

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the vectors of passages, shape (rows, dimension)."""
        return self._vectors.vectors(rows)

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, shape (tokens, packed width)."""
        return self._tokens.runs(
            (passage.first_token, passage.first_token + sum(passage.token_counts)) for passage in passages
        )


def _check_files(home: Path, manifest: Manifest, names: Collection[str]) -> None:
    for name in names:
        check_file(home / name, manifest.files[name])


def _in_background(work: Callable[[], None]) -> Future[None]:
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-check")
    try:
        return thread.submit(work)
    finally:
        thread.shutdown(wait=False)
