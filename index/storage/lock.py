"""The lock of an index folder: one build at a time.

It is the operating system's lock on a file that stays, so it is freed however the process ends. The file's
content names the holder for people.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import portalocker

from index.errors import BusyError, NotWritableError

__all__ = ["LOCK", "locked", "writable"]

LOCK = "lock"
"""The name of the lock file in an index folder."""

_SHOWN = 200
"""Characters of the lock file that are shown in an error."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an existing index folder.

    Raises:
        BusyError: another build holds it, in this process or another.
        OSError: the lock file cannot be written.
    """
    with (folder / LOCK).open("a+", encoding="utf-8", errors="replace") as file:
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.AlreadyLocked as error:
            file.seek(0)
            holder = file.read(_SHOWN).strip() or "another process"
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
