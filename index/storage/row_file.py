"""A file of fixed-size rows of numbers, read as they are asked for.

Rows are read, not memory-mapped: a map keeps what lies around each row in memory too, and a failing disk
raises an error here where a map would end the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import DamagedIndexError
from index.storage.files import open_regular

__all__ = ["RowFile"]


class RowFile:
    """A file of rows, each `width` numbers of a type; safe to use from several threads."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, width: int) -> None:
        """Open the file; it stays readable when it is removed.

        Raises:
            DamagedIndexError: it cannot be opened, or ends within a row.
        """
        self._path = path
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row_bytes = self._dtype.itemsize * width
        self._file = open_regular(path)
        size = os.fstat(self._file.fileno()).st_size
        if size % self._row_bytes:
            self.close()
            raise DamagedIndexError.of(path, f"is damaged (it has {size:,} bytes)")
        self._rows = size // self._row_bytes

    def __len__(self) -> int:
        return self._rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def runs(self, runs: Iterable[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return runs of rows (first, end), one after the other, shape (rows, width).

        Raises:
            DamagedIndexError: the file ends before a run, or cannot be read.
        """
        wanted = [(first, end) for first, end in runs if first < end]
        rows = np.empty((sum(end - first for first, end in wanted), self._width), dtype=self._dtype)
        buffer = rows.reshape(-1).view(np.uint8).data
        at = 0
        for first, end in wanted:
            size = (end - first) * self._row_bytes
            self._fill(buffer[at : at + size], first * self._row_bytes)
            at += size
        return rows

    def _fill(self, buffer: memoryview, offset: int) -> None:
        done = 0
        while done < len(buffer):  # the system may return a long run in parts
            try:
                got = os.preadv(self._file.fileno(), [buffer[done:]], offset + done)
            except OSError as error:
                raise DamagedIndexError.unreadable(self._path, error) from error
            if not got:
                raise DamagedIndexError.of(
                    self._path, f"is damaged (it ends before byte {offset + len(buffer):,})"
                )
            done += got
