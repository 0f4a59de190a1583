"""Who may write to an index folder: the one who holds its lock, where the system lets anybody.

The lock is the operating system's, on a file that stays: it is freed when the process that holds it ends,
however it ends. What the file says of its holder is for people; where nobody holds the lock, it says nothing.
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
from index.storage.manifest import LOCK

__all__ = ["locked", "writable"]

_SHOWN = 200
"""Characters of what the lock file says that are shown."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an index folder that is there.

    Raises:
        BusyError: another process, or another part of this one, holds it.
        OSError: the lock file cannot be written.
    """
    with (folder / LOCK).open("a+", encoding="utf-8", errors="replace") as file:
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.AlreadyLocked as error:
            file.seek(0)
            holder = file.read(_SHOWN).strip() or "another process"
            raise BusyError(
                f"another build is at work on {folder}: {holder}. Try again when it is done."
            ) from error
        except portalocker.exceptions.LockException as error:
            raise OSError(f"its lock cannot be had: {error}") from error
        file.truncate(0)  # what a process that was killed left there is no lock
        file.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):  # what was done under the lock is done
                file.truncate(0)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Say of an index folder what to do where the system does not let it be written.

    Raises:
        NotWritableError: no access, no room, or a disk that fails.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotWritableError(
            f"the index at {folder} cannot be written: {reason}. Make room or give access to it; "
            "nothing that was there before is harmed."
        ) from error
