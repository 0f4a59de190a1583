"""The records store: the asynchronous interface to settings, gaps and feedback.

A user is stored as the HMAC-SHA256 of their id under a random key that the file holds. Rows that are shown,
exported or logged identify nobody, and rows of two files cannot be joined. This does not protect against
somebody who has the whole file: Discord's ids are public, so with the key each can be tried.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy.typing as npt

from bot.errors import RecordsError
from bot.records import gaps, settings
from bot.records.database import connect, scrub, translating_errors
from bot.records.gaps import Gap
from bot.records.settings import ChannelSettings, Overrides

__all__ = ["Feedback", "PersonRecords", "Records"]

_Result = TypeVar("_Result")

_DAY = 24 * 60 * 60.0
_DEFAULT_DAYS = 90
_OF_PEOPLE = ("askings", "feedback")
_ADD_FEEDBACK = """
INSERT INTO feedback (server, collection, channel, message, person, question, helpful, reason, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message, person) DO UPDATE
SET question = excluded.question, helpful = excluded.helpful, reason = excluded.reason, at = excluded.at
"""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of an answer: the question, whether it helped, why, and where the answer is."""

    question: str
    helpful: bool
    reason: str
    server: int | None
    channel: int
    message: int


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """Everything stored about one person: unanswered questions and feedback, newest first."""

    questions: tuple[str, ...]
    feedback: tuple[Feedback, ...]


class Records:
    """Per-server settings, unanswered questions ("gaps") and feedback, in one SQLite file.

    Servers never see each other's rows; None as a server stands for direct messages. Nor do collections; the
    one without a name is "". Gaps and feedback are deleted after `days`; 0 adds none and deletes those in the
    file after 90. Settings are read from memory, since every message reads them, so only one process may use
    the file at a time.

    Each method that uses the file raises RecordsError if it is not open or cannot be used now (no space, no
    access, locked by another program), and DamagedRecordsError if it has been damaged.
    """

    def __init__(self, file: Path, days: int = _DEFAULT_DAYS, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._days = days
        self._clock = clock
        self._settings: dict[int, Overrides] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._key = b""

    async def open(self) -> None:
        """Open the file, creating it if missing, and prune it; raises as `database.connect` does."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-records")
        await asyncio.get_running_loop().run_in_executor(thread, self._open)
        self._thread = thread

    async def close(self) -> None:
        """Finish the jobs that were started and close the file; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None and self._connection is not None:
            thread.submit(self._connection.close)
            await asyncio.to_thread(thread.shutdown)

    async def settings(
        self, server: int | None, channel: int | None = None, parent: int | None = None
    ) -> ChannelSettings:
        """Return the settings in effect in a channel; direct messages (None) have the defaults.

        Each value is the channel's own, else its `parent`'s (of a thread), its server's, or the default.
        """
        overrides = self._settings.get(server or 0, {})
        places = (None, parent, channel)  # the nearest last, overriding the others
        return ChannelSettings(**{k: v for place in places for k, v in overrides.get(place, {}).items()})

    async def change(self, server: int, channel: int | None, **values: object) -> None:
        """Set ChannelSettings in a channel, or for the whole server (None); raises as `settings.change`."""

        def job(connection: sqlite3.Connection) -> None:
            with connection:  # memory follows what was committed
                settings.change(connection, server, channel, values)
            self._settings = settings.load(connection)

        await self._run(job)

    async def overview(self, server: int) -> list[tuple[int | None, Mapping[str, Any]]]:
        """Return what was set in a server: for the whole server (None), then by channel."""
        return list(self._settings.get(server, {}).items())

    async def leave(self, server: int) -> None:
        """Delete a server that the bot has left: its settings, gaps and feedback."""

        def job(connection: sqlite3.Connection) -> None:
            _delete(connection, ("settings", "gaps", "feedback"), "server = ?", server)
            self._settings = settings.load(connection)

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
        collection: str = "",
    ) -> None:
        """Store an unanswered question with its vector (of any shape); `gaps.find_same` merges repeats."""
        row = {
            "channel": channel,
            "person": self._hash(user),
            "question": _storable(question),
            "verdict": verdict,
            "confidence": float(confidence),
            "vector": gaps.pack_vector(vector),
            "at": self._clock(),
        }
        if self._days:
            await self._run(lambda db: gaps.add(db, server, collection, row))

    async def gaps(
        self, server: int | None, collection: str = "", *, answered: bool = False, limit: int = 1000
    ) -> list[Gap]:
        """Return a server's open gaps, or those with an answer by now; last asked first."""
        condition = f"server IS ? AND collection = ? AND answered_by IS {'NOT NULL' if answered else 'NULL'}"
        return await self._run(lambda db: gaps.select(db, condition, server, collection, limit))

    async def every_open_gap(self, collection: str = "") -> list[Gap]:
        """Return the open gaps of all servers, last asked first."""
        condition = "collection = ? AND answered_by IS NULL"
        return await self._run(lambda db: gaps.select(db, condition, collection, -1))

    async def mark_answered(self, gap: int, generation: str) -> None:
        """Store that a generation has an answer to a gap, which closes the gap."""
        statement = "UPDATE gaps SET answered_by = ? WHERE id = ?"
        await self._run(lambda db: db.execute(statement, (generation, gap)).rowcount)

    async def drop_gap(self, server: int | None, gap: int, collection: str = "") -> bool:
        """Delete a gap of this server; return False if the server has no such gap."""
        condition = "server IS ? AND collection = ? AND id = ?"
        return await self._run(lambda db: _delete(db, ["gaps"], condition, server, collection, gap) > 0)

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
        collection: str = "",
    ) -> None:
        """Store whether an answer (a message) helped, replacing the user's earlier feedback on it."""
        given = (_storable(question), helpful, _storable(reason), self._clock())
        row = (server, collection, channel, message, self._hash(user), *given)
        if self._days:
            await self._run(lambda db: db.execute(_ADD_FEEDBACK, row).rowcount)

    async def feedback(self, server: int | None, collection: str = "") -> list[Feedback]:
        """Return a server's feedback, newest first."""
        return await self._run(lambda db: _feedback(db, "server IS ? AND collection = ?", server, collection))

    async def show(self, user: int) -> PersonRecords:
        """Return everything stored about a user, in every server."""
        person = self._hash(user)
        query = "SELECT question FROM askings WHERE person = ? GROUP BY gap, question ORDER BY MAX(id) DESC"

        def job(connection: sqlite3.Connection) -> PersonRecords:
            questions = tuple(question for (question,) in connection.execute(query, (person,)))
            return PersonRecords(questions, tuple(_feedback(connection, "person = ?", person)))

        return await self._run(job)

    async def forget(self, user: int) -> int:
        """Delete everything stored about a user, down to the file's bytes; return the number of rows.

        A gap that only they asked is deleted; one that others asked too keeps only the others' words.
        """
        return await self._run(lambda db: _delete(db, _OF_PEOPLE, "person = ?", self._hash(user)))

    async def prune(self) -> int:
        """Delete gaps and feedback older than `days` (90 where that is 0); return the number of rows."""
        return await self._run(self._prune)

    def _prune(self, connection: sqlite3.Connection) -> int:
        oldest = self._clock() - (self._days or _DEFAULT_DAYS) * _DAY
        return _delete(connection, _OF_PEOPLE, "at < ?", oldest)

    def _hash(self, user: int) -> bytes:
        return hmac.digest(self._key, str(user).encode(), "sha256")

    async def _run(self, job: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run a job on the thread, as a transaction; it finishes even if the caller is cancelled."""
        thread, connection = self._thread, self._connection
        if thread is None or connection is None:
            raise RecordsError(f"{self._file} is not open: Footnote is starting or stopping. Try again.")

        def run() -> _Result:
            with translating_errors(self._file), connection:
                return job(connection)

        return await asyncio.get_running_loop().run_in_executor(thread, run)

    def _open(self) -> None:
        self._connection = connection = connect(self._file)
        with translating_errors(self._file), connection:
            new_key = secrets.token_bytes(32)
            connection.execute("INSERT OR IGNORE INTO keys (name, value) VALUES ('people', ?)", (new_key,))
            (self._key,) = connection.execute("SELECT value FROM keys WHERE name = 'people'").fetchone()
            self._settings = settings.load(connection)
            self._prune(connection)


def _feedback(connection: sqlite3.Connection, condition: str, *values: object) -> list[Feedback]:
    columns = "question, helpful, reason, server, channel, message"
    query = f"SELECT {columns} FROM feedback WHERE {condition} ORDER BY at DESC, id DESC"  # noqa: S608 - our own
    return [Feedback(row[0], bool(row[1]), *row[2:]) for row in connection.execute(query, values)]


def _delete(connection: sqlite3.Connection, tables: Iterable[str], condition: str, *values: object) -> int:
    """Delete rows by a condition, and gaps that nobody asks any longer; return how many rows there were."""
    deleted = 0
    with connection:
        for table in tables:
            deleted += connection.execute(f"DELETE FROM {table} WHERE {condition}", values).rowcount  # noqa: S608 - ours
        connection.execute("DELETE FROM gaps WHERE id NOT IN (SELECT gap FROM askings)")
    if deleted:
        scrub(connection)
    return deleted


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates replaced
