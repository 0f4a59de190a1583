"""The records store: the asynchronous interface to settings, gaps and feedback."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy.typing as npt

from bot.errors import RecordsError
from bot.records import gaps, people
from bot.records.database import atomic, connect, explain, scrub
from bot.records.gaps import Gap, pack_vector
from bot.records.people import Feedback, PersonRecords, hash_person, load_key
from bot.records.settings import ChannelSettings, SettingsCache, validate

__all__ = ["Records"]

_Result = TypeVar("_Result")

_DAY = 24 * 60 * 60.0
_DEFAULT_DAYS = 90
_ADD_FEEDBACK = """
INSERT INTO feedback (server, channel, message, person, question, helpful, reason, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message, person) DO UPDATE
SET question = excluded.question, helpful = excluded.helpful, reason = excluded.reason, at = excluded.at
"""


class Records:
    """Per-server settings, unanswered questions ("gaps") and feedback, in one SQLite file.

    Servers never see each other's rows; None as a server stands for direct messages. With `days` 0, settings
    work but no gaps or feedback are added, and those already in the file are deleted after 90 days.

    Each method that uses the file raises RecordsError if it is not open or cannot be used now (no space, no
    access, locked by another program), and DamagedRecordsError if it has been damaged.
    """

    def __init__(
        self, file: Path, *, days: int = _DEFAULT_DAYS, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the file, for how many days gaps and feedback are kept, and a clock of Unix seconds."""
        self.file = file
        self.days = days
        self._clock = clock
        self._settings = SettingsCache()
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._key = b""

    async def open(self) -> None:
        """Open the file, creating it if missing; migrate it to the newest version and prune it.

        Raises:
            RecordsError: it cannot be written.
            DamagedRecordsError: it is not ours, damaged or of a newer version; it is left unchanged.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-records")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish the jobs that were started and close the file; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._close)
            await asyncio.to_thread(thread.shutdown)

    async def settings(
        self, server: int | None, channel: int | None = None, parent: int | None = None
    ) -> ChannelSettings:
        """Return the settings in effect in a channel, from memory; direct messages (None) have the defaults.

        Each value is the channel's own, else its `parent`'s (of a thread), its server's, or the default.
        """
        return self._settings.effective(server, channel, parent)

    async def change(self, server: int, channel: int | None, **values: object) -> None:
        """Set ChannelSettings in a channel, or for the whole server (None); a value of None is inherited.

        Raises:
            ValueError: a name is unknown or applies to whole servers only, or a value is not accepted.
        """
        validate(channel, values)
        await self._run(lambda db: self._settings.change(db, server, channel, values))

    async def overview(self, server: int) -> list[tuple[int | None, dict[str, object]]]:
        """Return what was set in a server, from memory: for the whole server (None), then by channel."""
        return self._settings.overview(server)

    async def leave(self, server: int) -> None:
        """Delete a server that the bot has left: its settings, gaps and feedback."""

        def job(connection: sqlite3.Connection) -> None:
            with atomic(connection):
                for table in ("settings", "gaps", "feedback"):
                    connection.execute(f"DELETE FROM {table} WHERE server = ?", (server,))  # noqa: S608 - our own names
            self._settings.refresh(connection, server)
            scrub(connection)

        await self._run(job)

    async def add_gap(  # noqa: PLR0913 - keyword arguments
        self,
        *,
        server: int | None,
        channel: int,
        user: int,
        question: str,
        verdict: str,
        confidence: float,
        vector: npt.ArrayLike,
    ) -> None:
        """Store an unanswered question with its vector (of any shape), merged with the same open question.

        `gaps.find_same` decides what is the same question.

        Raises:
            ValueError: the vector is empty, or not all of its numbers are finite.
        """
        if not self.days:
            return
        row = {
            "channel": channel,
            "person": hash_person(self._key, user),
            "question": _storable(question),
            "verdict": verdict,
            "confidence": float(confidence),
            "vector": pack_vector(vector),
            "at": self._clock(),
        }
        await self._run(lambda db: gaps.add(db, server, row))

    async def gaps(self, server: int | None, *, answered: bool = False, limit: int = 1000) -> list[Gap]:
        """Return a server's open gaps, or those with an answer by now; last asked first."""
        condition = f"server IS ? AND answered_by IS {'NOT NULL' if answered else 'NULL'}"
        return await self._run(lambda db: gaps.select(db, condition, server, limit))

    async def every_open_gap(self) -> list[Gap]:
        """Return the open gaps of all servers, last asked first."""
        return await self._run(lambda db: gaps.select(db, "answered_by IS NULL", -1))

    async def mark_answered(self, gap: int, generation: str) -> None:
        """Store that a generation has an answer to a gap, which closes the gap."""
        statement = "UPDATE gaps SET answered_by = ? WHERE id = ?"
        await self._run(lambda db: db.execute(statement, (generation, gap)).rowcount)

    async def drop_gap(self, server: int | None, gap: int) -> bool:
        """Delete a gap of this server; return False if the server has no such gap."""
        statement = "DELETE FROM gaps WHERE id = ? AND server IS ?"
        return bool(await self._run(lambda db: _scrubbed(db, db.execute(statement, (gap, server)).rowcount)))

    async def add_feedback(  # noqa: PLR0913 - keyword arguments
        self,
        *,
        server: int | None,
        channel: int,
        message: int,
        user: int,
        question: str,
        helpful: bool,
        reason: str = "",
    ) -> None:
        """Store whether an answer (a message) helped, replacing the user's earlier feedback on it."""
        if not self.days:
            return
        given = (_storable(question), helpful, _storable(reason), self._clock())
        row = (server, channel, message, hash_person(self._key, user), *given)
        await self._run(lambda db: db.execute(_ADD_FEEDBACK, row).rowcount)

    async def feedback(self, server: int | None, limit: int = 1000) -> list[Feedback]:
        """Return a server's feedback, newest first."""
        return await self._run(lambda db: people.feedback(db, "server IS ?", server, limit))

    async def show(self, user: int) -> PersonRecords:
        """Return everything stored about a user, in every server."""
        return await self._run(lambda db: people.records_of(db, hash_person(self._key, user)))

    async def forget(self, user: int) -> int:
        """Delete everything stored about a user, down to the file's bytes; return the number of rows.

        A gap that only they asked is deleted; one that others asked too keeps only the others' words.
        """
        person = hash_person(self._key, user)
        return await self._run(lambda db: _scrubbed(db, people.delete(db, "person = ?", person)))

    async def prune(self) -> int:
        """Delete gaps and feedback older than `days` (90 where that is 0); return the number of rows."""
        return await self._run(self._prune)

    def _prune(self, connection: sqlite3.Connection) -> int:
        oldest = self._clock() - (self.days or _DEFAULT_DAYS) * _DAY
        return _scrubbed(connection, people.delete(connection, "at < ?", oldest))

    async def _run(self, job: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run a job on the thread; once started it finishes, even if the caller is cancelled."""

        def run() -> _Result:
            assert self._connection is not None  # noqa: S101 - jobs run between _open and _close
            try:
                return job(self._connection)
            except sqlite3.Error as error:
                raise explain(error, self.file) from error

        if self._thread is None:
            raise RecordsError(f"{self.file} is not open: Footnote is starting or stopping. Try again later.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _open(self) -> None:
        self._connection = connect(self.file)
        try:
            self._key = load_key(self._connection)
            self._settings.load(self._connection)
            self._prune(self._connection)
        except sqlite3.Error as error:
            raise explain(error, self.file, opening=True) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _scrubbed(connection: sqlite3.Connection, deleted: int) -> int:
    """Leave none of the bytes of deleted rows in the file; return the number of rows."""
    if deleted:
        scrub(connection)
    return deleted


def _storable(text: str) -> str:
    """Return the text with what UTF-8 cannot encode (lone surrogates) replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
