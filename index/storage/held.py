"""A file of the index, held open: what is read of it, and that no other file is read in its place.

It is read and not mapped: a disk that fails raises an error here, where a map would end the process.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from index.errors import DamagedIndexError

__all__ = ["HeldFile"]

# A link could lead out of the index folder, and a pipe would keep whoever opens it waiting.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))


class HeldFile:
    """A file open for reading; it stays readable when it is removed. Safe to use from several threads.

    `stamp` is what `look` returned when it was opened.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            DamagedIndexError: it cannot be opened, or is a link or no regular file.
        """
        self.path = path
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise DamagedIndexError.of(path, "is a link, which is not followed") from error
            raise DamagedIndexError.unreadable(path, error) from error
        self._hold(descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self.close()
            raise DamagedIndexError.of(path, "cannot be read: it is not a regular file")

    def _hold(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)
        self.stamp = self.look()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, which cannot be read any more; safe to call twice."""
        self._close()

    def again(self) -> HeldFile:
        """Hold the same file once more, whatever has its name now."""
        other = object.__new__(HeldFile)
        other.path = self.path
        other._hold(os.dup(self._descriptor))
        return other

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return os.fstat(self._descriptor).st_size

    def fill(self, into: memoryview, at: int) -> None:
        """Fill a buffer of bytes with what the file has from the byte `at`.

        Raises:
            DamagedIndexError: the disk fails, or the file ends before.
        """
        done = 0
        while done < len(into):
            # Of a very long run the system may give a part at a time.
            try:
                got = os.preadv(self._descriptor, [into[done:]], at + done)
            except OSError as error:
                raise DamagedIndexError.unreadable(self.path, error) from error
            if not got:
                raise DamagedIndexError.of(self.path, f"is damaged (it ends before byte {at + len(into):,})")
            done += got

    def parts(self, size: int) -> Iterator[memoryview]:
        """Yield the whole content, `size` bytes at a time; what was yielded before is overwritten.

        Raises:
            DamagedIndexError: the disk fails, or the file ends before.
        """
        buffer = memoryview(bytearray(size))
        whole = self.size
        for at in range(0, whole, size):
            part = buffer[: min(size, whole - at)]
            self.fill(part, at)
            yield part

    def read(self) -> bytes:
        """Return the whole content.

        Raises:
            DamagedIndexError: the disk fails, or the file ends before.
        """
        data = bytearray(self.size)
        self.fill(memoryview(data), 0)
        return bytes(data)

    def look(self) -> tuple[int, int]:
        """Return what changes when the file is written to, and not when it is removed."""
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns
