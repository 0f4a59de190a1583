"""The vectors that a build has computed so far, so that a build that was cut off resumes where it was.

Each passage's vectors have a checksum: what is damaged is encoded again, never published.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import xxhash

from index.encoding.encoder import Basis, Vectors
from index.encoding.packing import PackedTokens, packed_width

__all__ = ["CACHE", "PassageVectors", "VectorCache"]

CACHE = "vectors.sqlite"
"""The cache's file in an index folder; removed once its vectors are in a published generation."""

_SCHEMA = """
DROP TABLE IF EXISTS vectors;
DELETE FROM scope;
CREATE TABLE vectors (key BLOB PRIMARY KEY, counts BLOB, dense BLOB, tokens BLOB, checksum BLOB);
"""


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """A passage's vector, shape (dimension,), and its packed token vectors, with each sentence's count."""

    dense: Vectors
    tokens: PackedTokens
    token_counts: tuple[int, ...]


class VectorCache:
    """Vectors by passage key, in SQLite. Only the build that holds the index folder's lock may open it."""

    def __init__(self, folder: Path, fingerprint: str, basis: Basis) -> None:
        """Open or create the cache of an index folder; what is damaged or of another encoder is dropped.

        Raises:
            OSError: the file cannot be removed.
            sqlite3.Error: it cannot be written.
        """
        self._path = folder / CACHE
        self._width = packed_width(basis.shape[1])
        shape = str((*basis.shape, self._width)).encode()
        scope = hashlib.sha256(fingerprint.encode() + shape + basis.tobytes()).hexdigest()
        try:
            self._database = self._open(scope)
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            self.remove(folder)
            self._database = self._open(scope)

    def _open(self, scope: str) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None)
        try:
            # A killed process loses nothing; a power cut may lose the last transactions, but not the file.
            database.execute("PRAGMA journal_mode = WAL").close()
            database.execute("PRAGMA synchronous = NORMAL").close()
            database.execute("CREATE TABLE IF NOT EXISTS scope (scope TEXT PRIMARY KEY)")
            if database.execute("SELECT scope FROM scope").fetchall() != [(scope,)]:
                database.executescript(_SCHEMA)
                database.execute("INSERT INTO scope VALUES (?)", (scope,))
            _drop_damaged(database)
        except BaseException:
            database.close()
            raise
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def present(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of these keys have vectors."""
        known = "SELECT 1 FROM vectors WHERE key = ?"
        return {key for key in keys if self._database.execute(known, (key,)).fetchone()}

    def add(self, vectors: Iterable[tuple[bytes, PassageVectors]]) -> None:
        """Add the vectors of passages by their keys, in one transaction; may raise sqlite3.Error."""
        self._database.execute("BEGIN")
        for key, passage in vectors:
            counts = np.asarray(passage.token_counts, "<i4").tobytes()
            row = (key, counts, passage.dense.tobytes(), passage.tokens.tobytes())
            values = (*row, _checksum(*row))
            self._database.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)", values)
        self._database.execute("COMMIT")

    def __getitem__(self, key: bytes) -> PassageVectors:
        """Return the vectors of a passage; raises KeyError where there are none."""
        rows = self._database.execute("SELECT counts, dense, tokens FROM vectors WHERE key = ?", (key,))
        for counts, dense, tokens in rows.fetchall():
            return PassageVectors(
                np.frombuffer(dense, dtype="<f4"),
                np.frombuffer(tokens, dtype="<u2").reshape(-1, self._width),
                tuple(np.frombuffer(counts, dtype="<i4").tolist()),
            )
        raise KeyError(key.hex())

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove the cache of an index folder, where there is one; may raise OSError."""
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{CACHE}{suffix}").unlink(missing_ok=True)


def _drop_damaged(database: sqlite3.Connection) -> None:
    if database.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise sqlite3.DatabaseError("the cache is damaged")
    database.create_function("checksum", 4, _checksum, deterministic=True)
    database.execute("DELETE FROM vectors WHERE checksum IS NOT checksum(key, counts, dense, tokens)").close()


def _checksum(*columns: bytes) -> bytes:
    return xxhash.xxh3_128_digest(b"%d " * len(columns) % tuple(map(len, columns)) + b"".join(columns))
