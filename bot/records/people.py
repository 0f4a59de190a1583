"""People: known by a keyed hash, shown what is kept of them, and forgotten.

A person's id is kept as its HMAC-SHA256 under 32 random bytes that are made with the file and kept in it. So
rows that are shown, exported or logged name nobody, and the rows of two installations cannot be joined. It
does not protect from whoever has the whole file: Discord's ids are public, and with the key each can be
tried.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.records import feedback
from bot.records.feedback import Feedback
from bot.records.transactions import atomic

__all__ = [
    "Asked",
    "PersonRecords",
    "forget",
    "forget_before",
    "forget_server",
    "hash_person",
    "load_key",
    "show",
]

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of somebody's that was not answered: their words, where, and when last, in UTC."""

    question: str
    server: int | None
    last: datetime


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """All that is kept of one person: their unanswered questions, and their feedback; the newest first."""

    questions: tuple[Asked, ...]
    feedback: tuple[Feedback, ...]


def load_key(connection: sqlite3.Connection) -> bytes:
    """Return the file's key, which is made when it is first asked for."""
    made = secrets.token_bytes(_KEY_BYTES)
    connection.execute("INSERT OR IGNORE INTO keys (name, value) VALUES ('people', ?)", (made,))
    (key,) = connection.execute("SELECT value FROM keys WHERE name = 'people'").fetchone()
    return bytes(key)


def hash_person(key: bytes, user: int) -> bytes:
    """Return what stands for a user in this file."""
    return hmac.digest(key, str(user).encode(), "sha256")


def show(connection: sqlite3.Connection, person: bytes) -> PersonRecords:
    """Return all that is kept of a person, in every server."""
    asked = connection.execute(
        "SELECT question, server, MAX(at) FROM askings JOIN gaps ON gaps.id = gap WHERE person = ? "
        "GROUP BY gap, question ORDER BY MAX(at) DESC, MAX(askings.id) DESC",
        (person,),
    )
    questions = tuple(Asked(text, server, datetime.fromtimestamp(at, UTC)) for text, server, at in asked)
    return PersonRecords(questions, tuple(feedback.of_person(connection, person)))


def forget(connection: sqlite3.Connection, person: bytes) -> int:
    """Delete a person's rows; returns how many. A gap that nobody else asked goes with them."""
    with atomic(connection):
        return _delete(connection, "person = ?", person)


def forget_before(connection: sqlite3.Connection, at: float) -> int:
    """Delete what is older than a moment (Unix seconds); returns how many rows people had there."""
    with atomic(connection):
        return _delete(connection, "at < ?", at)


def forget_server(connection: sqlite3.Connection, server: int) -> None:
    """Delete all rows of a server, its settings too."""
    with atomic(connection):
        for table in ("settings", "gaps", "feedback"):
            connection.execute(f"DELETE FROM {table} WHERE server = ?", (server,))  # noqa: S608 - our own names


def _delete(connection: sqlite3.Connection, condition: str, value: bytes | float) -> int:
    """Delete askings and feedback of a condition of ours, and the gaps that nobody asks then."""
    deleted = 0
    for table in ("askings", "feedback"):
        deleted += connection.execute(f"DELETE FROM {table} WHERE {condition}", (value,)).rowcount  # noqa: S608 - our own names
    connection.execute("DELETE FROM gaps WHERE NOT EXISTS (SELECT 1 FROM askings WHERE gap = gaps.id)")
    return deleted
