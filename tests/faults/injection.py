"""Faults before the n-th file operation of this process: a kill, a power cut, a disk error, a full disk.

Python calls a profile function before each call into C: `posix.fsync`, a file's `write`, SQLite's `execute`
and FAISS's `write_index` alike. Those that write or sync are counted. Raising there replaces the call.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tests.faults.power import PowerModel

__all__ = ["KINDS", "POINTER", "Fault", "Injector"]

KINDS = ("kill", "power", "eio", "enospc", "full")
"""SIGKILL; a power cut; one I/O error; one lack of space; a disk that is full from then on."""

POINTER = "CURRENT"
"""The file whose replacement publishes a generation."""

_ERRORS = {
    "eio": (OSError(errno.EIO, "Input/output error"), sqlite3.OperationalError("disk I/O error")),
    "enospc": (OSError(errno.ENOSPC, "No space left"), sqlite3.OperationalError("database or disk is full")),
}
"""What Python raises for an error of the disk, and what SQLite does."""
_OPERATIONS = {
    "posix": "mkdir rename replace unlink remove rmdir link symlink truncate ftruncate fsync posix_fallocate",
    "BufferedWriter BufferedRandom FileIO TextIOWrapper": "write flush truncate close",
    "Connection Cursor": "execute executemany executescript commit",  # SQLite's
    "IndexWriter": "commit",  # tantivy's
    "ndarray": "tofile",
    "_swigfaiss": "write_index",
}
_WATCHED = {
    (owner, name)
    for owners, names in _OPERATIONS.items()
    for owner in owners.split()
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one of `KINDS` before the operation with the number `at`, counted from 1."""

    kind: str
    at: int


class Injector:
    """Counts the file operations of this thread, and makes the fault happen; for a child process alone."""

    def __init__(self, folder: Path, fault: Fault | None) -> None:
        """Watch an index folder; without a fault, only count.

        `unsynced` becomes what a power cut could have lost when `POINTER` was replaced.
        """
        self.operations: list[str] = []
        self.unsynced: list[str] = []
        self._folder = folder
        self._power = PowerModel(folder)
        self._fault = fault

    def __enter__(self) -> None:
        self._power.watch()
        sys.addaudithook(self._audit)
        sys.setprofile(self._profile)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and Path(arguments[1]).name == POINTER:
            self.unsynced = self._power.unsynced()

    def _profile(self, frame: FrameType, event: str, called: Any) -> None:
        if (
            event != "c_call"
            or (_owner(called), called.__name__) not in _WATCHED
            or self._is_elsewhere(frame)
        ):
            return
        self.operations.append(called.__name__)
        if self._fault and self._fault.at == len(self.operations):
            self._happen(self._fault, _owner(called))

    def _is_elsewhere(self, frame: FrameType) -> bool:
        """Tell whether a folder outside the index is removed: Tantivy may write a lock there meanwhile."""
        if frame.f_code.co_filename != shutil.__file__:
            return False
        return not Path(frame.f_locals["path"]).absolute().is_relative_to(self._folder)

    def _happen(self, fault: Fault, owner: str) -> None:
        if fault.kind == "full":
            # Python ignores the signal that would come with it, so every later write fails with EFBIG.
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        if fault.kind in _ERRORS:
            raise _ERRORS[fault.kind][owner in {"Connection", "Cursor"}]
        if fault.kind == "power":
            sys.setprofile(None)
            self._power.cut(random.Random(fault.at))
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()


def _owner(called: Any) -> str:
    """Return the module or the type that a built-in function belongs to."""
    return str(called.__module__ or type(called.__self__).__name__).rpartition(".")[2]
