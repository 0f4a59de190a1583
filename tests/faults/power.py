"""A model of a power cut: which files and names of a folder were synced, and what losing the rest leaves.

A file survives as it was when it was last synced, a name when its folder was. Everything else may be lost, in
any combination: the content of a file from any byte on, and names that were given since. SQLite and
tantivy sync by themselves without Python's knowing, so the model loses more than a disk would.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PowerModel"]

_SMALL = 4096
"""Bytes of a file whose old content is remembered, so that a lost rename can bring it back."""


@dataclass(frozen=True, slots=True)
class _Synced:
    """A file's size and change time when it was synced; for a folder, its names and their inode numbers."""

    state: tuple[int, int]
    names: dict[str, int]
    small_files: dict[str, bytes]


class PowerModel:
    """What of a folder is on the disk; everything that is there at the start is taken to be."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which may not be there yet, and the one above it."""
        self._folder = folder
        self._synced: dict[int, _Synced] = {}
        for path in (folder.parent, *self._paths()):
            self._note(path)

    def watch(self) -> None:
        """Note every `os.fsync` of this process from now on."""
        fsync = os.fsync

        def noting_fsync(descriptor: int) -> None:
            fsync(descriptor)
            self._note(Path(f"/proc/self/fd/{descriptor}").readlink())

        os.fsync = noting_fsync  # type: ignore[assignment]

    def unsynced(self) -> list[str]:
        """Return what a power cut could lose now: paths below the folder, and names as "PATH (name)"."""
        paths = [(path, path.relative_to(self._folder).as_posix()) for path in self._paths()]
        contents = [name for path, name in paths if path.is_file() and not self._is_whole(path)]
        return contents + [f"{name} (name)" for path, name in paths if not self._is_named(path)]

    def cut(self, chance: random.Random) -> None:
        """Lose some of what is not on the disk, chosen by `chance`."""
        deepest_first = self._paths()[::-1]
        for path in deepest_first:
            with suppress(FileNotFoundError):  # tantivy's threads may remove files meanwhile
                if path.is_file() and not self._is_whole(path):
                    os.truncate(path, chance.randint(0, path.stat().st_size))
        for path in deepest_first:
            with suppress(FileNotFoundError):
                if not self._is_named(path) and chance.random() < 0.5:
                    self._lose_name(path)

    def _paths(self) -> list[Path]:
        return [self._folder, *sorted(self._folder.rglob("*"))] if self._folder.exists() else []

    def _note(self, path: Path) -> None:
        children = list(path.iterdir()) if path.is_dir() else []
        names = {child.name: child.stat().st_ino for child in children}
        small = [child for child in children if child.is_file() and child.stat().st_size <= _SMALL]
        contents = {child.name: child.read_bytes() for child in small}
        self._synced[path.stat().st_ino] = _Synced(_state(path), names, contents)

    def _lose_name(self, path: Path) -> None:
        """Remove a new name, or bring back the small file that had it before."""
        folder = self._synced.get(path.parent.stat().st_ino)
        if folder and path.name in folder.small_files:
            path.write_bytes(folder.small_files[path.name])
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)  # tantivy's threads may still write into it
        else:
            path.unlink()

    def _is_whole(self, path: Path) -> bool:
        synced = self._synced.get(path.stat().st_ino)
        # The content of a hard link was there before, under another name.
        return path.stat().st_nlink > 1 or (synced is not None and synced.state == _state(path))

    def _is_named(self, path: Path) -> bool:
        folder = self._synced.get(path.parent.stat().st_ino)
        return folder is not None and folder.names.get(path.name) == path.stat().st_ino


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
