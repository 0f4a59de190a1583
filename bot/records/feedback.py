"""Feedback: whether an answer helped, and what its reader said about it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Feedback", "add", "counts", "listed", "of_person"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said about an answer: the question it answered, and `when` they said it, in UTC."""

    server: int | None
    channel: int
    message: int
    question: str
    helpful: bool
    reason: str
    when: datetime


def add(connection: sqlite3.Connection, given: Feedback, person: bytes) -> None:
    """Keep it; what the same person (a keyed hash) said of the same message before is replaced."""
    where = (given.server, given.channel, given.message, person)
    said = (given.question, given.helpful, given.reason, given.when.timestamp())
    connection.execute(
        """INSERT INTO feedback (server, channel, message, person, question, helpful, reason, at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message, person) DO UPDATE
        SET question = excluded.question, helpful = excluded.helpful, reason = excluded.reason,
            at = excluded.at""",
        (*where, *said),
    )


def listed(connection: sqlite3.Connection, server: int | None, limit: int) -> list[Feedback]:
    """Return a server's feedback (None: that of direct messages), the newest first."""
    return _select(connection, "server IS ?", (server, limit))


def of_person(connection: sqlite3.Connection, person: bytes) -> list[Feedback]:
    """Return what a person gave, everywhere, the newest first."""
    return _select(connection, "person = ?", (person, -1))


def counts(connection: sqlite3.Connection, server: int | None) -> tuple[int, int]:
    """Return how many found an answer helpful in a server, and how many did not."""
    query = "SELECT COUNT(*) FILTER (WHERE helpful), COUNT(*) FROM feedback WHERE server IS ?"
    helpful, given = connection.execute(query, (server,)).fetchone()
    return helpful, given - helpful


def _select(connection: sqlite3.Connection, condition: str, values: tuple[object, int]) -> list[Feedback]:
    """Return the feedback of a condition of ours; the last value is how much at most (-1: all)."""
    query = f"""
        SELECT server, channel, message, question, helpful, reason, at FROM feedback
        WHERE {condition} ORDER BY at DESC, id DESC LIMIT ?"""  # noqa: S608 - our own conditions
    return [
        Feedback(server, channel, message, question, bool(helpful), reason, datetime.fromtimestamp(at, UTC))
        for server, channel, message, question, helpful, reason, at in connection.execute(query, values)
    ]
