"""Durable files, their checksums, and the lock of an index folder.

What is written here is on the disk when the call returns: the file's content, and its name in its folder.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import portalocker
import xxhash

from index.errors import BusyError, DamagedIndexError, NotWritableError

__all__ = [
    "LOCK",
    "Checksum",
    "check_file",
    "checksum",
    "locked",
    "make_folder",
    "open_regular",
    "read_file",
    "remove_folder",
    "replace_file",
    "sync",
    "writable",
    "write_file",
]

LOCK = "lock"  # the name of the lock file in an index folder

_CHUNK = 1 << 20
# A link could lead out of the index folder, and opening a pipe would block.
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Checksum:
    """A file's XXH3-128 in hexadecimal, and its size in bytes.

    XXH3 finds every change that chance makes. It does not stop a forger, but whoever can write to the index
    folder can write another index.
    """

    xxh3: str
    size: int


def checksum(path: Path) -> Checksum:
    """Read a file and return its checksum.

    Raises:
        DamagedIndexError: it cannot be read, or is not a regular file.
    """
    digest, size = xxhash.xxh3_128(), 0
    with _reading(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Checksum(digest.hexdigest(), size)


def check_file(path: Path, expected: Checksum) -> None:
    """Compare a file with its checksum.

    Raises:
        DamagedIndexError: it differs, cannot be read, or is not a regular file.
    """
    actual = checksum(path)
    if actual.size != expected.size:
        sizes = f"it has {actual.size:,} bytes instead of {expected.size:,}"
        raise DamagedIndexError.of(path, f"is damaged ({sizes})")
    if actual != expected:
        raise DamagedIndexError.of(path, "is damaged (its checksum differs)")


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for unbuffered reading; it stays readable when its name is removed.

    Raises:
        DamagedIndexError: it cannot be opened, or is a link or no regular file.
    """
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamagedIndexError.of(path, "is a link, which is not followed") from error
        raise DamagedIndexError.unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DamagedIndexError.of(path, "cannot be read: it is not a regular file")
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 - a descriptor


def read_file(path: Path) -> bytes:
    """Return the content of a regular file.

    Raises:
        DamagedIndexError: it cannot be read, or is not a regular file.
    """
    with _reading(path) as file:
        return file.read()


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    with open_regular(path) as file:
        try:
            yield file
        except OSError as error:
            raise DamagedIndexError.unreadable(path, error) from error


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a file and sync it; raises OSError where it cannot."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file's content in one step that a power cut does not undo.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    aside = path.with_name(f"{path.name}.new")
    try:
        write_file(aside, data)
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, unless they exist; raises OSError where it cannot."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync(folder.parent)


def remove_folder(path: Path, aside: Path) -> None:
    """Rename a folder to `aside`, then delete it, so that no half of it is left under its name.

    A link or a file is deleted directly.

    Raises:
        OSError: it stays as it was. What cannot be deleted after the renaming is left without an error.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def sync(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an existing index folder, so that one build runs at a time.

    It is the operating system's lock on a file that stays, so it is freed however the process ends. The
    file's content names the holder for people.

    Raises:
        BusyError: another build holds it, in this process or another.
        OSError: the lock file cannot be written.
    """
    with (folder / LOCK).open("a+", encoding="utf-8", errors="replace") as file:
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.AlreadyLocked as error:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise BusyError(
                f"another build is running on {folder}: {holder}. Try again when it is done."
            ) from error
        except portalocker.exceptions.LockException as error:
            raise OSError(f"it cannot be locked: {error}") from error
        file.truncate(0)  # a killed process leaves its text there, but no lock
        file.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write an index folder into an error that says what to do.

    Raises:
        NotWritableError: no access, no room, or a failing disk.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotWritableError(
            f"the index at {folder} cannot be written: {reason}. Free some space, or make it writable; "
            "the previous index is unchanged."
        ) from error
