"""Rows of numbers in a file, read as they are asked for, and compared with their checksums each time.

They are read and not mapped: a map makes resident not only the rows that are touched but what lies around
them too, 64 kB for each, which of a million passages soon is all there is; and a disk that fails raises an
error here, where a map would end the process. The checksums of the file's blocks are held
in memory, 8 bytes for each 16 KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import DamagedIndexError
from index.storage.checksums import BLOCK, Sums, first_bad_block
from index.storage.held import HeldFile

__all__ = ["RowFile"]


class RowFile:
    """A file of rows, each `width` numbers of a type; it stays readable when the file is removed."""

    def __init__(
        self, file: HeldFile, sums: Sums, dtype: npt.DTypeLike, width: int, part: range | None = None
    ) -> None:
        """Read rows of a file by the checksums of its blocks; those that are `part` of its rows, or all.

        Raises:
            DamagedIndexError: there are not as many checksums as blocks, or the rows do not fill the file.
        """
        self._file = file
        self._sums = sums
        self._size = file.size
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row = self._dtype.itemsize * width
        self._part = range(-(-self._size // self._row)) if part is None else part
        if len(sums) != -(-self._size // BLOCK) or self._part.stop * self._row > self._size:
            raise DamagedIndexError.of(file.path, f"is damaged (it has {self._size:,} bytes)")

    def __len__(self) -> int:
        return len(self._part)

    def runs(self, runs: Iterable[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return runs of rows, the last of each not included, one after the other: shape (rows, width).

        Raises:
            DamagedIndexError: a block of them is not as it was written, or the disk fails.
        """
        wanted = [(first, last) for first, last in runs if first < last]
        rows = np.empty((sum(last - first for first, last in wanted), self._width), dtype=self._dtype)
        into = rows.reshape(-1).view(np.uint8).data
        at = 0
        for first, last in wanted:
            if first < 0 or last > len(self):
                raise DamagedIndexError.of(self._file.path, f"is damaged (it has {len(self):,} rows)")
            begin, size = (self._part.start + first) * self._row, (last - first) * self._row
            into[at : at + size] = self._read(begin, begin + size)
            at += size
        return rows

    def _read(self, begin: int, end: int) -> memoryview:
        """Return the bytes from `begin` to `end`, once the blocks that they lie in are found whole."""
        first, last = begin // BLOCK, -(-end // BLOCK)
        start = first * BLOCK
        blocks = np.empty(min(last * BLOCK, self._size) - start, dtype=np.uint8).data
        self._file.fill(blocks, start)
        bad = first_bad_block(blocks, self._sums[first:last])
        if bad is not None:
            place = start + bad * BLOCK
            until = min(place + BLOCK, self._size)
            raise DamagedIndexError.of(
                self._file.path, f"is damaged (bytes {place:,} to {until - 1:,} are not as written)"
            )
        return blocks[begin - start : end - start]
