"""Files and folders that are on the disk when the call returns, so that a power cut finds them whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["discard", "make_folder", "make_room", "need_room", "replace_file", "sync", "write_file"]


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a file and have it on the disk.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def replace_file(path: Path, aside: Path, data: bytes) -> None:
    """Have a file hold something else, in one step that a power cut does not undo; `aside` is its new self.

    Raises:
        OSError: it cannot be written; `aside` is not left behind.
    """
    try:
        write_file(aside, data)
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless they are there.

    Raises:
        OSError: it cannot be made.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync(one.parent)


def discard(home: Path, aside: Path) -> None:
    """Remove a folder; cut off, what is left of it has the name `aside`, which nobody takes for a whole one.

    Of a link, the link goes; a file goes too.

    Raises:
        OSError: it stays, as it was. What cannot be removed of it afterwards stays without a word.
    """
    if home.is_symlink() or not home.is_dir():
        home.unlink()
        return
    home.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def sync(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def need_room(folder: Path, size: int) -> None:
    """Find out whether there is room in a folder for so many bytes more; on some systems, only guess.

    Raises:
        OSError: there is none, or it cannot be written to.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        make_room(file, size)


def make_room(file: IO[bytes], size: int) -> None:
    """Give a new file its size, with room for all of it: writing a map without room ends the process.

    Raises:
        OSError: there is none.
    """
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)
