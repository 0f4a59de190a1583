"""The vectors of a build under way, kept as they are made: one that is cut off goes on where it was.

The file is a line that names the format, the scope that the vectors belong to (what computes them, and the
basis), and then a record a passage:

    its key, 16 bytes       how many sentences it has, 4 bytes      the tokens of each sentence, 4 bytes each
    its vector, 32-bit floats       its tokens, packed, a row each      the SHA-256 of all this, 32 bytes

Records are only ever added. What a record says is used only where its checksum holds, and after the first
that does not, nothing is: a power cut leaves a torn end.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from index.encoding.compression import Basis
from index.passages.drafts import PassageVectors
from index.storage.durable import sync

__all__ = ["Kept"]

_MAGIC = b"Footnote vectors 1\n"
_DIGEST = 32
_KEY = 16
_COUNT = 4
_SYNC_SECONDS = 1.0


class Kept:
    """Vectors of passages by key, on disk. Only the build that holds the index folder's lock may open it."""

    def __init__(self, path: Path, scope: str, basis: Basis) -> None:
        """Open the file at `path`, or make it; vectors of another scope and damaged ones are dropped.

        Raises:
            OSError: it cannot be read or written.
        """
        self._path = path
        self._dimension, self._width = basis.shape
        digest = hashlib.sha256(scope.encode() + str(basis.shape).encode() + basis.tobytes()).digest()
        self._places: dict[str, tuple[int, int]] = {}
        self._synced = 0.0
        self._file: BinaryIO = path.open("a+b")
        try:
            self._file.seek(0)
            head = _MAGIC + digest
            if self._file.read(len(head)) == head:
                self._places.update(self._read_places())
                self._file.truncate(max((sum(place) for place in self._places.values()), default=len(head)))
            else:
                self._file.truncate(0)
                self._file.write(head)
                sync(path.parent)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, found: Iterable[tuple[str, PassageVectors]]) -> None:
        """Add the vectors of passages by their keys.

        A killed process loses none, a power cut those of the last second.

        Raises:
            OSError: they cannot be written.
        """
        places = {}
        place = self._file.seek(0, os.SEEK_END)
        for key, vectors in found:
            record = _record(key, vectors)
            self._file.write(record)
            self._file.write(hashlib.sha256(record).digest())
            places[key] = place, len(record) + _DIGEST
            place += len(record) + _DIGEST
        self._file.flush()
        if time.monotonic() > self._synced + _SYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()
        self._places.update(places)

    def __getitem__(self, key: str) -> PassageVectors:
        """Return the vectors of a passage.

        Raises:
            OSError: they cannot be read, or are not as they were written; the next build encodes them anew.
        """
        start, size = self._places[key]
        data = os.pread(self._file.fileno(), size, start)
        record = data[:-_DIGEST]
        if data[-_DIGEST:] != hashlib.sha256(record).digest():
            raise OSError(errno.EIO, "it does not give back what was written", str(self._path))
        sentences = int.from_bytes(record[_KEY : _KEY + _COUNT], "little")
        counts = np.frombuffer(record, "<u4", sentences, _KEY + _COUNT)
        place = _KEY + _COUNT * (1 + sentences)
        dense = np.frombuffer(record, "<f4", self._dimension, place)
        place += dense.nbytes
        tokens = np.frombuffer(record, np.int8, int(counts.sum()) * self._width, place)
        return PassageVectors(dense, tokens.reshape(-1, self._width), tuple(map(int, counts)))

    def remove(self) -> None:
        """Remove the file; what was in it is in a generation that serves."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _read_places(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield the key of each whole record, with its place and size, up to the first that is not whole."""
        end = os.fstat(self._file.fileno()).st_size
        while True:
            place = self._file.tell()
            record = self._read_record(end - place)
            if record is None or self._file.read(_DIGEST) != hashlib.sha256(record).digest():
                return
            yield record[:_KEY].hex(), (place, len(record) + _DIGEST)

    def _read_record(self, room: int) -> bytes | None:
        """Read a record but for its checksum; None where it says that it goes on after the file's end."""
        head = self._file.read(_KEY + _COUNT)
        size = _COUNT * int.from_bytes(head[_KEY:], "little")
        if size > room:
            return None
        counts = self._file.read(size)
        if len(counts) < size:
            return None
        tokens = int(np.frombuffer(counts, "<u4").sum(dtype=np.uint64))
        rest = 4 * self._dimension + tokens * self._width
        if rest > room:
            return None
        return head + counts + self._file.read(rest)


def _record(key: str, vectors: PassageVectors) -> bytes:
    counts = np.asarray(vectors.counts, dtype="<u4")
    dense = np.asarray(vectors.dense, dtype="<f4")
    parts = (counts.tobytes(), dense.tobytes(), vectors.tokens.tobytes())
    return b"".join((bytes.fromhex(key), len(counts).to_bytes(_COUNT, "little"), *parts))
