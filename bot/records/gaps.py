"""Gaps: questions that were not answered, the same ones merged and counted.

All that is told of a gap comes from its askings, one row each time somebody asked: whoever is forgotten takes
their askings along, and the gap is then as if they had never asked.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.records.sameness import Packed, find_same, fold
from bot.records.transactions import atomic

__all__ = ["Asking", "Gap", "add", "drop", "every_open", "listed", "mark_answered"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that was not answered, however many asked it, in the words in which it was asked first.

    `channel`, `verdict` and `confidence` are of the last asking; `people` counts those who asked; `first` and
    `last` are in UTC; `answered_by` is the generation that has an answer, if one has.
    """

    id: int
    server: int | None
    channel: int
    question: str
    count: int
    people: int
    first: datetime
    last: datetime
    verdict: str
    confidence: float
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Asking:
    """One time that somebody (a keyed hash) asked; `at` in Unix seconds."""

    server: int | None
    channel: int
    person: bytes
    question: str
    verdict: str
    confidence: float
    vector: Packed
    at: float


def add(connection: sqlite3.Connection, asking: Asking) -> None:
    """Add an asking to the open gap of its server that is the same question, or to a new one."""
    folded = fold(asking.question)
    with atomic(connection):
        found = connection.execute(_FIRST_ASKINGS, (asking.server,)).fetchall()
        gap = find_same(folded, asking.vector, found)
        if gap is None:
            made = connection.execute("INSERT INTO gaps (server) VALUES (?)", (asking.server,))
            gap = made.lastrowid
        who = (gap, asking.person, asking.channel)
        what = (asking.question, folded, asking.verdict, asking.confidence, asking.vector, asking.at)
        connection.execute(
            """INSERT INTO askings (gap, person, channel, question, folded, verdict, confidence, vector, at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (*who, *what),
        )


def listed(connection: sqlite3.Connection, server: int | None, *, answered: bool, limit: int) -> list[Gap]:
    """Return a server's gaps (None: those of direct messages), last asked first: the open or the answered."""
    wanted = "NOT NULL" if answered else "NULL"
    return _select(connection, f"server IS ? AND answered_by IS {wanted}", (server, limit))


def every_open(connection: sqlite3.Connection) -> list[Gap]:
    """Return the open gaps of all servers, last asked first."""
    return _select(connection, "answered_by IS NULL", (-1,))


def mark_answered(connection: sqlite3.Connection, gap: int, generation: str) -> None:
    """Note which generation has an answer."""
    connection.execute("UPDATE gaps SET answered_by = ? WHERE id = ?", (generation, gap))


def drop(connection: sqlite3.Connection, server: int | None, gap: int) -> int:
    """Delete a gap of this server; returns how many that were: 0 where it has none of this number."""
    return connection.execute("DELETE FROM gaps WHERE id = ? AND server IS ?", (gap, server)).rowcount


_FIRST_ASKINGS = """
SELECT gap, folded, vector FROM askings WHERE id IN (
    SELECT MIN(askings.id) FROM gaps JOIN askings ON askings.gap = gaps.id
    WHERE server IS ? AND answered_by IS NULL GROUP BY gaps.id)
"""
"""Of each open gap what it is compared by: always its first wording, so that it cannot drift."""


def _select(connection: sqlite3.Connection, condition: str, values: tuple[int | None, ...]) -> list[Gap]:
    """Return the gaps of a condition of ours; the last value is how many at most (-1: all)."""
    query = f"""
        SELECT gaps.id, server, final.channel, opening.question, count, people, begun, ended,
               final.verdict, final.confidence, answered_by
        FROM (SELECT gaps.id AS number, COUNT(*) AS count, COUNT(DISTINCT person) AS people, MIN(at) AS begun,
                     MAX(at) AS ended, MIN(askings.id) AS first, MAX(askings.id) AS last
              FROM gaps JOIN askings ON askings.gap = gaps.id WHERE {condition} GROUP BY gaps.id)
        JOIN gaps ON gaps.id = number
        JOIN askings AS opening ON opening.id = first
        JOIN askings AS final ON final.id = last
        ORDER BY ended DESC, last DESC LIMIT ?"""  # noqa: S608 - our own conditions
    return [_gap(*row) for row in connection.execute(query, values)]


def _gap(*row: Any) -> Gap:
    number, server, channel, question, count, people, begun, ended, *rest = row
    times = (datetime.fromtimestamp(begun, UTC), datetime.fromtimestamp(ended, UTC))
    return Gap(number, server, channel, question, count, people, *times, *rest)
