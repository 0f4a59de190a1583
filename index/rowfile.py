"""Rows of numbers in a file, read as they are asked for.

They are read and not mapped: a map makes resident not only the rows that are touched but what lies around
them too, 64 kB for each, which of a million passages soon is all there is; and a disk that fails raises an
error here, where a map would end the process.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["RowFile"]


class RowFile:
    """A file of rows, each `width` numbers of a type; it stays readable when the file is removed."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, width: int) -> None:
        """Open the file.

        Raises:
            OSError: it cannot be opened.
        """
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row = self._dtype.itemsize * width
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        self._rows = os.fstat(self._file).st_size // self._row

    def __len__(self) -> int:
        return self._rows

    def runs(self, runs: Iterable[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return runs of rows, the last of each not included, one after the other: shape (rows, width).

        Raises:
            OSError: the disk fails, or the file has no such rows any more.
        """
        wanted = [(first, last) for first, last in runs if first < last]
        rows = np.empty((sum(last - first for first, last in wanted), self._width), dtype=self._dtype)
        into = rows.reshape(-1).view(np.uint8).data
        at = 0
        for first, last in wanted:
            size = (last - first) * self._row
            # Of a very long run the system may give a part at a time.
            done = 0
            while done < size:
                got = os.preadv(self._file, [into[at + done : at + size]], first * self._row + done)
                if not got:
                    raise OSError(f"the file ends before row {last}")
                done += got
            at += size
        return rows
