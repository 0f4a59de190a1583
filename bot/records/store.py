"""The records' face: what is kept, asked for and forgotten, all of it off the event loop."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec

import numpy.typing as npt

from bot.errors import DamagedRecordsError
from bot.records import feedback, gaps, people
from bot.records.feedback import Feedback
from bot.records.gaps import Asking, Gap
from bot.records.people import PersonRecords, hash_person, load_key
from bot.records.sameness import pack
from bot.records.settings import ChannelSettings, SettingsTable, checked
from bot.records.transactions import scrub
from bot.records.worker import Worker

__all__ = ["Records"]

_Given = ParamSpec("_Given")

_DAY = 24 * 60 * 60.0


class Records:
    """Settings of servers and channels, unanswered questions ("gaps") and feedback, in one SQLite file.

    Servers never see each other's rows; None as a server stands for direct messages. With `recording` off,
    settings work, and gaps and feedback are not written; what is there from before can be read and forgotten.

    Each method that uses the file raises RecordsError where it is not open or cannot be used now (no room, no
    access, held by another program), and DamagedRecordsError where it has been damaged.
    """

    def __init__(
        self,
        file: Path,
        *,
        recording: bool = True,
        days: int = 90,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the file, how many days gaps and feedback are kept, and a clock of Unix seconds."""
        self.file = file
        self.recording = recording
        self.days = days
        self._clock = clock
        self._worker = Worker(file)
        self._settings = SettingsTable()
        self._key = b""

    async def open(self) -> None:
        """Open the file, or make it with its folder; bring it to the newest version, and prune it.

        Raises:
            RecordsError: it cannot be written.
            DamagedRecordsError: it is no database of ours, is damaged or of a newer version; it is then left
                as it is.
        """
        await self._worker.open()
        try:
            self._key = await self._worker.run(load_key)
            await self._worker.run(self._settings.load)
            await self.prune()
        except sqlite3.Error as error:  # our header, but not our tables
            await self._worker.close()
            raise DamagedRecordsError.of(self.file, str(error)) from error
        except BaseException:
            await self._worker.close()
            raise

    async def close(self) -> None:
        """Finish what was begun, and close the file; safe to call twice."""
        await self._worker.close()

    async def settings(
        self, server: int | None, channel: int | None = None, parent: int | None = None
    ) -> ChannelSettings:
        """Return what holds in a channel, from memory: each value as it was set nearest.

        That is in the channel, else in its `parent` (for a thread, the channel it is in), else in the server,
        else the default. In direct messages (None) the defaults hold.
        """
        return self._settings.effective(server, channel, parent)

    async def change(self, server: int, channel: int | None, **values: object) -> None:
        """Set values of ChannelSettings in a channel, or (None) in the whole server; None: as inherited.

        Raises:
            ValueError: no setting has the name, it is the whole server's alone, or it cannot have the value.
        """
        await self._worker.run(self._settings.change, server, channel, checked(channel, values))

    async def overview(self, server: int) -> list[tuple[int | None, dict[str, object]]]:
        """Return what was set in a server, from memory: in the whole server (None) first, then by channel."""
        return self._settings.rows(server)

    async def leave(self, server: int) -> None:
        """Forget a server that the bot is no longer in: its settings, gaps and feedback."""

        def job(connection: sqlite3.Connection) -> None:
            people.forget_server(connection, server)
            self._settings.refresh(connection, server)
            scrub(connection)

        await self._worker.run(job)

    async def add_gap(  # noqa: PLR0913 - each is named by its caller
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
        """Keep a question that was not answered, with the encoder's vector of it (of whatever shape).

        It is counted with an open gap of the server that is the same question: of the same words, or with a
        vector whose cosine is SAME or more and not just one word changed (see bot.records.sameness).

        Raises:
            ValueError: the vector is empty, or has numbers that are not finite.
        """
        if not self.recording:
            return
        person = hash_person(self._key, user)
        words = (_storable(question), verdict, float(confidence))
        asking = Asking(server, channel, person, *words, pack(vector), self._clock())
        await self._worker.run(gaps.add, asking)

    async def gaps(self, server: int | None, *, answered: bool = False, limit: int = 1000) -> list[Gap]:
        """Return a server's gaps, last asked first: the open ones, or those that have an answer by now."""
        return await self._worker.run(gaps.listed, server, answered=answered, limit=limit)

    async def every_open_gap(self) -> list[Gap]:
        """Return the open gaps of all servers, last asked first."""
        return await self._worker.run(gaps.every_open)

    async def mark_answered(self, gap: int, generation: str) -> None:
        """Note that a generation has an answer to a gap, which is then open no longer."""
        await self._worker.run(gaps.mark_answered, gap, generation)

    async def drop_gap(self, server: int | None, gap: int) -> bool:
        """Delete a gap of this server; False where the server has none of this number."""
        return bool(await self._delete(gaps.drop, server, gap))

    async def add_feedback(  # noqa: PLR0913 - each is named by its caller
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
        """Keep whether an answer (a message) helped; what the user said of it before is replaced."""
        if not self.recording:
            return
        said = (_storable(question), helpful, _storable(reason), datetime.fromtimestamp(self._clock(), UTC))
        given = Feedback(server, channel, message, *said)
        await self._worker.run(feedback.add, given, hash_person(self._key, user))

    async def feedback(self, server: int | None, limit: int = 1000) -> list[Feedback]:
        """Return a server's feedback, the newest first."""
        return await self._worker.run(feedback.listed, server, limit)

    async def feedback_counts(self, server: int | None) -> tuple[int, int]:
        """Return how many found an answer helpful in a server, and how many did not."""
        return await self._worker.run(feedback.counts, server)

    async def show(self, user: int) -> PersonRecords:
        """Return all that is kept of a user, in every server."""
        return await self._worker.run(people.show, hash_person(self._key, user))

    async def forget(self, user: int) -> int:
        """Delete all that is kept of a user, from the file's bytes too; returns how many rows that were.

        A gap that only they asked goes; one that others asked too is then told in the others' words alone.
        """
        return await self._delete(people.forget, hash_person(self._key, user))

    async def prune(self) -> int:
        """Delete what is older than the days that it is kept for; returns how many rows that were."""
        return await self._delete(people.forget_before, self._clock() - self.days * _DAY)

    async def _delete(
        self,
        delete: Callable[Concatenate[sqlite3.Connection, _Given], int],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> int:
        """Run a job that deletes rows and returns how many; no byte of them stays."""

        def job(connection: sqlite3.Connection) -> int:
            deleted = delete(connection, *given, **named)
            if deleted:
                scrub(connection)
            return deleted

        return await self._worker.run(job)


def _storable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold (half of a surrogate pair) replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
