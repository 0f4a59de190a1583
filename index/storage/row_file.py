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
            DamagedIndexError: it cannot be opened.
        """
        self._path, self._dtype, self._width = path, np.dtype(dtype), width
        self._row_bytes = self._dtype.itemsize * width
        self._file = open_regular(path)

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size // self._row_bytes

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def runs(self, runs: Iterable[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return runs of rows (first, end), one after the other, shape (rows, width).

        Raises:
            DamagedIndexError: the file ends before a run, or cannot be read.
        """
        data = b"".join(self._read(first * self._row_bytes, end * self._row_bytes) for first, end in runs)
        return np.frombuffer(data, dtype=self._dtype).reshape(-1, self._width)

    def _read(self, start: int, end: int) -> bytes:
        try:
            data = os.pread(self._file.fileno(), end - start, start)
        except OSError as error:
            raise DamagedIndexError.unreadable(self._path, error) from error
        if len(data) < end - start:
            raise DamagedIndexError.of(self._path, f"is damaged (it ends before byte {end:,})")
        return data
