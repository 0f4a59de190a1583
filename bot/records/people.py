"""People: stored as keyed hashes, shown what is stored about them, and forgotten.

A user id is stored as its HMAC-SHA256 under 32 random bytes, which are created with the file and kept in it.
Rows that are shown, exported or logged therefore identify nobody, and two installations' rows cannot be
joined. This does not protect against somebody who has the whole file: Discord's ids are public, so with the
key each can be tried.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.records.database import atomic

__all__ = [
    "Asked",
    "Feedback",
    "PersonRecords",
    "delete",
    "feedback",
    "hash_person",
    "load_key",
    "records_of",
]

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's unanswered question in their own words, its server, and when they last asked it, in UTC."""

    question: str
    server: int | None
    last: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of an answer (a message): the question, whether it helped, why, and when, in UTC."""

    server: int | None
    channel: int
    message: int
    question: str
    helpful: bool
    reason: str
    when: datetime


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """Everything stored about one person: unanswered questions and feedback, newest first."""

    questions: tuple[Asked, ...]
    feedback: tuple[Feedback, ...]


def load_key(connection: sqlite3.Connection) -> bytes:
    """Return the file's hash key, creating it on first use."""
    new_key = secrets.token_bytes(_KEY_BYTES)
    connection.execute("INSERT OR IGNORE INTO keys (name, value) VALUES ('people', ?)", (new_key,))
    (key,) = connection.execute("SELECT value FROM keys WHERE name = 'people'").fetchone()
    return bytes(key)


def hash_person(key: bytes, user: int) -> bytes:
    """Return the HMAC-SHA256 of a user id: how the user is identified in this file."""
    return hmac.digest(key, str(user).encode(), "sha256")


def feedback(
    connection: sqlite3.Connection, condition: str, value: object, limit: int = -1
) -> list[Feedback]:
    """Return the feedback that meets an SQL condition, newest first; a limit of -1 is none."""
    query = f"""
        SELECT server, channel, message, question, helpful, reason, at FROM feedback
        WHERE {condition} ORDER BY at DESC, id DESC LIMIT ?"""  # noqa: S608 - our own conditions
    return [
        Feedback(server, channel, message, question, bool(helpful), reason, datetime.fromtimestamp(at, UTC))
        for server, channel, message, question, helpful, reason, at in connection.execute(
            query, (value, limit)
        )
    ]


def records_of(connection: sqlite3.Connection, person: bytes) -> PersonRecords:
    """Return everything stored about a person (a keyed hash), in every server."""
    rows = connection.execute(
        "SELECT question, server, MAX(at) FROM askings JOIN gaps ON gaps.id = gap WHERE person = ? "
        "GROUP BY gap, question ORDER BY MAX(at) DESC, MAX(askings.id) DESC",
        (person,),
    )
    questions = tuple(Asked(text, server, datetime.fromtimestamp(at, UTC)) for text, server, at in rows)
    return PersonRecords(questions, tuple(feedback(connection, "person = ?", person)))


def delete(connection: sqlite3.Connection, condition: str, value: bytes | float) -> int:
    """Delete the questions and feedback that meet an SQL condition; return the number of rows.

    A gap that is left without a question goes too.
    """
    deleted = 0
    with atomic(connection):
        for table in ("askings", "feedback"):
            deleted += connection.execute(f"DELETE FROM {table} WHERE {condition}", (value,)).rowcount  # noqa: S608 - our own conditions
        connection.execute("DELETE FROM gaps WHERE NOT EXISTS (SELECT 1 FROM askings WHERE gap = gaps.id)")
    return deleted
