"""The lines of a file that anybody may have written: none is longer in memory than a bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["LONGEST", "lines_of"]

LONGEST = 4_000_000
"""Bytes of a line that are read: a question is cut far below it."""


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield each line; of a longer one the first `LONGEST` bytes and one more, the rest passed over.

    Raises:
        OSError: the file cannot be read.
    """
    while line := file.readline(LONGEST + 1):
        yield line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST + 1)
