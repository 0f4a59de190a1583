"""Memory that ran out, told as such: each library has words of its own for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from index.errors import FootnoteError, OutOfMemoryError

__all__ = ["enough_memory"]

_SAID = re.compile(r"bad_alloc|(?:fail|can.?t|cannot|could not|unable)\w* (?:to )?allocat", re.IGNORECASE)
"""How C++'s own allocator, ONNX Runtime, FAISS and torch put it."""


@contextmanager
def enough_memory() -> Iterator[None]:
    """Say of work on an index what to do where the system gives no more memory.

    Raises:
        OutOfMemoryError: memory ran out.
    """
    try:
        yield
    except FootnoteError:
        raise
    except Exception as error:
        if not (isinstance(error, MemoryError) or _SAID.search(str(error))):
            raise
        raise OutOfMemoryError(
            "memory ran out; the index that serves goes on serving. Make more memory free, or build on a "
            "bigger machine and copy the index folder."
        ) from error
