"""Failpoints: a fault at the n-th file operation of whatever runs in this process.

Python tells a profile function of every call into C, before and after it: of `posix.fsync`, of a file's
`write`, of SQLite's `execute` and FAISS's `write_index` alike. Those that touch files are counted, and at the
one that is asked for something happens. An error raised there takes the place of the call, or of its result.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import index
from tests.faults.disk import NOTED, Disk

__all__ = ["KINDS", "Failpoint", "Fault", "Operation"]

KINDS = ("kill", "cut", "eio", "enospc", "full")
"""What may happen: SIGKILL; a power cut; one error of the disk, or of its size; a full disk from then on."""

_OPERATIONS = {
    "posix": "open mkdir rename replace unlink remove rmdir link truncate ftruncate fsync posix_fallocate",
    "io": "open",
    "fcntl": "flock",
    "BufferedWriter": "write flush truncate close",
    "BufferedRandom": "write flush truncate close",
    "TextIOWrapper": "write flush truncate close",
    "Connection": "execute executemany executescript",
    "ndarray": "tofile",
}
_WATCHED = {(owner, name) for owner, names in _OPERATIONS.items() for name in names.split()}
_REMOVING = {"unlink", "remove", "rmdir", "rename", "replace"}
_READING_ARTICLES = "articles.py"
"""That is over before anything is written, and not what these faults are about."""
_OURS, _TESTS = str(Path(index.__file__).parent), str(Path(__file__).parent)
_KILLED_BY_OURSELVES = 30
"""Seconds that a process waits for the end that it has given itself."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A file operation: its name, and the line of the index's code that it is part of."""

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens before or after which operation, counted from 1; `seed` is that of a power cut."""

    kind: str
    at: int
    after: bool = False
    seed: int = 0


class Failpoint:
    """Counts the file operations below `folder` from `install` on, and has the fault happen at its time."""

    def __init__(self, folder: Path, fault: Fault | None = None) -> None:
        self.operations: list[Operation] = []
        self.lost_when_replaced: list[str] = []
        """What a power cut would have cost at the moment that the pointer was replaced."""
        self.disk = Disk(folder)
        self._fault = fault

    def install(self) -> None:
        """Begin; in this thread."""
        self.disk.watch()
        sys.setprofile(self._look)

    def remove(self) -> None:
        """Count no further."""
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, called: Any) -> None:
        if event not in {"c_call", "c_return", "c_exception"} or not _is_watched(called):
            return
        place = _place(frame)
        if not place:
            return
        if event == "c_call":
            self.operations.append(Operation(called.__name__, place))
            if called.__name__ == "replace":
                self.lost_when_replaced = self.disk.lost()
        elif called.__name__ in _REMOVING:
            self.disk.forget()
        fault = self._fault
        if fault and fault.at == len(self.operations) and fault.after == (event != "c_call"):
            self._fault = None
            self._happen(fault, called)

    def _happen(self, fault: Fault, called: Any) -> None:
        if fault.kind == "full":
            # Python has the signal that comes with it ignored, so writes fail with EFBIG.
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        if fault.kind in {"eio", "enospc"}:
            raise _error(called, errno.EIO if fault.kind == "eio" else errno.ENOSPC)
        if fault.kind == "cut":
            sys.setprofile(None)
            self.disk.cut(random.Random(fault.seed))
        os.kill(os.getpid(), signal.SIGKILL)
        signal.sigtimedwait([], _KILLED_BY_OURSELVES)


def _is_watched(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    module = called.__module__ or type(owner).__name__
    return (module, called.__name__) in _WATCHED


def _place(frame: FrameType | None) -> str:
    """Return the file and line of the innermost code of the index that is under way; "" without any."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_TESTS) and frame.f_code.co_name != NOTED:
            return ""
        if name.startswith(_OURS):
            if name.endswith(_READING_ARTICLES):
                return ""
            return f"{os.path.basename(name)}:{frame.f_lineno}"  # noqa: PTH119 - quick
        frame = frame.f_back
    return ""


def _error(called: Any, number: int) -> Exception:
    """Return what the library that is called raises where the disk has the error with this number."""
    if type(getattr(called, "__self__", None)).__name__ == "Connection":
        full = "database or disk is full"
        return sqlite3.OperationalError(full if number == errno.ENOSPC else "disk I/O error")
    return OSError(number, os.strerror(number))
