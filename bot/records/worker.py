"""The database file and the one thread in which it is used: opening, jobs, and errors in plain words."""

from __future__ import annotations

import asyncio
import functools
import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from bot.errors import DamagedRecordsError, RecordsError
from bot.records.schema import APPLICATION_ID, check, migrate
from index.storage.sqlite import harden

__all__ = ["Worker"]

_Result = TypeVar("_Result")
_Given = ParamSpec("_Given")

_REFUSED = frozenset({
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_AUTH,
})  # fmt: skip
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OWNER_AT = slice(68, 72)
"""Where SQLite's file format has the application id, most significant byte first."""


class Worker:
    """One connection in one thread, which runs the jobs in the order in which they are given."""

    def __init__(self, file: Path) -> None:
        """Take the file; nothing is opened or made before `open`."""
        self._file = file
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, or make it with its folder, and bring it to the newest version.

        Raises:
            RecordsError: it cannot be written.
            DamagedRecordsError: it is not ours, damaged or of a newer version; it is then left as it is.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-records")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except BaseException:
            await self.close()
            raise

    async def run(
        self,
        job: Callable[Concatenate[sqlite3.Connection, _Given], _Result],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> _Result:
        """Run a job in the thread; once begun it is run to its end, also when whoever waits gives up.

        Raises:
            RecordsError: the file is not open, or cannot be read or written now.
            DamagedRecordsError: the file has been damaged.
        """
        if self._thread is None:
            raise RecordsError(
                f"{self._file} is not open: Footnote is starting or stopping. Try again later."
            )
        in_thread = functools.partial(self._run, job, *given, **named)
        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)

    async def close(self) -> None:
        """Finish the jobs that wait, and close the file; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._close)
            await asyncio.to_thread(thread.shutdown)

    def _run(
        self,
        job: Callable[Concatenate[sqlite3.Connection, _Given], _Result],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> _Result:
        if self._connection is None:
            raise RuntimeError("the thread outlives its connection")
        try:
            return job(self._connection, *given, **named)
        except sqlite3.Error as error:
            raise self._told(error) from error

    def _open(self) -> None:
        try:
            self._make()
            self._check_untouched()
            self._connection = sqlite3.connect(self._file, isolation_level=None)
            self._set_up(self._connection)
        except OSError as error:
            raise RecordsError.of(self._file, error.strerror or str(error)) from error
        except sqlite3.Error as error:
            raise self._told(error, unknown_is_damage=True) from error

    def _make(self) -> None:
        """Make the file and its folder where missing; only the owner may read what people asked."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            if not stat.S_ISREG(self._file.stat().st_mode):
                raise RecordsError.of(self._file, "it is not a regular file") from None

    def _check_untouched(self) -> None:
        """See that the file is ours and whole, by reading alone: opened for writing, SQLite may change it."""
        mode = "rw" if self._left_by_a_crash() else "ro"
        with closing(sqlite3.connect(f"{self._file.absolute().as_uri()}?mode={mode}", uri=True)) as found:
            harden(found)
            check(found, self._file)

    def _set_up(self, connection: sqlite3.Connection) -> None:
        harden(connection)
        if stat.S_IMODE(self._file.stat().st_mode) & 0o077:
            with suppress(PermissionError):  # another user's file, or a file system without modes
                self._file.chmod(0o600)
        # In memory: what people asked is in no other file, and a hardened host may have no folder for one.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        with suppress(sqlite3.OperationalError):  # a file system that cannot share memory keeps a journal
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        migrate(connection)

    def _left_by_a_crash(self) -> bool:
        """Tell whether a file of ours waits for its journal to be rolled back, which is writing."""
        with self._file.open("rb") as opened:
            owner = opened.read(_OWNER_AT.stop)[_OWNER_AT]
        journal = self._file.with_name(f"{self._file.name}-journal")
        return journal.exists() and owner == APPLICATION_ID.to_bytes(4)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _told(self, error: sqlite3.Error, *, unknown_is_damage: bool = False) -> Exception:
        """Return an error that says what to do, where there is something; else the error itself."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _REFUSED:
            return RecordsError.of(self._file, str(error))
        if code in _DAMAGED or unknown_is_damage:
            return DamagedRecordsError.of(self._file, str(error))
        return error
