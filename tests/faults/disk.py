"""What of a folder is on the disk, and not only in the memory of the operating system.

A file is there as it was when it was last synced, a name when its folder was. A power cut may cost all else,
in any combination: the content of a file from any byte on, a name that was given, one that was taken away.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NOTED", "Disk"]

NOTED = "_noted_fsync"
"""The name of the function that stands in the place of `os.fsync` where that is watched."""

_SMALL = 4096
"""Bytes of a file whose old content comes back when its replacement is lost."""


@dataclass(frozen=True, slots=True)
class _Synced:
    """A file's size and time of change, or a folder's names with the files that they stand for."""

    state: tuple[int, int]
    names: dict[str, int]
    small: dict[str, bytes]


class Disk:
    """Knows what has been synced below a folder, and in the folder above it."""

    def __init__(self, folder: Path) -> None:
        """Take everything that is there now to be on the disk."""
        self._folder = folder
        self._synced: dict[int, _Synced] = {}
        for path in (folder.parent, folder, *folder.rglob("*")):
            if path.exists():
                self._note(path)

    def watch(self) -> None:
        """Have every `os.fsync` of this process noted."""
        fsync = os.fsync

        def _noted_fsync(descriptor: int) -> None:
            fsync(descriptor)
            self._note(Path(f"/proc/self/fd/{descriptor}").readlink())

        os.fsync = _noted_fsync  # type: ignore[assignment]

    def _note(self, path: Path) -> None:
        names, small = {}, {}
        if path.is_dir():
            for one in path.iterdir():
                names[one.name] = one.stat().st_ino
                if one.is_file() and one.stat().st_size <= _SMALL:
                    small[one.name] = one.read_bytes()
        self._synced[path.stat().st_ino] = _Synced(_state(path), names, small)

    def forget(self) -> None:
        """Forget what is no longer there: its number may be given to another file."""
        paths = (self._folder.parent, self._folder, *self._folder.rglob("*"))
        there = {path.stat().st_ino for path in paths if path.exists()}
        self._synced = {number: one for number, one in self._synced.items() if number in there}

    def lost(self) -> list[str]:
        """Return what is not on the disk: files by their paths, and names followed by " (name)"."""
        found = []
        for path in (self._folder, *sorted(self._folder.rglob("*"))):
            if not path.exists():
                continue
            name = "." if path == self._folder else path.relative_to(self._folder).as_posix()
            if not path.is_dir() and not self._whole(path):
                found.append(name)
            if not self._named(path):
                found.append(f"{name} (name)")
        return found

    def cut(self, chance: random.Random) -> None:
        """Lose some of what is not on the disk, as `chance` has it."""
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path.is_file() and not self._whole(path):
                os.truncate(path, chance.randint(0, path.stat().st_size))
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path.exists() and not self._named(path) and chance.random() < 0.5:
                self._unname(path)

    def _unname(self, path: Path) -> None:
        """Have a folder lose a name that it was given, or get back the small file that had it before."""
        before = self._synced.get(path.parent.stat().st_ino)
        if before and path.name in before.small:
            path.write_bytes(before.small[path.name])
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def _whole(self, path: Path) -> bool:
        synced = self._synced.get(path.stat().st_ino)
        return synced is not None and synced.state == _state(path)

    def _named(self, path: Path) -> bool:
        synced = self._synced.get(path.parent.stat().st_ino)
        return synced is not None and synced.names.get(path.name) == path.stat().st_ino


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
