"""Gaps: unanswered questions, with repeats of the same question merged and counted.

A gap has one row for each time it was asked, and everything shown of it is computed from those rows. Deleting
a person's rows therefore leaves each gap exactly as if they had never asked.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.records.database import atomic

__all__ = [
    "SAME_COSINE",
    "Gap",
    "add",
    "find_same",
    "fold_question",
    "pack_vector",
    "select",
]

SAME_COSINE = 0.9
"""The cosine of two questions' vectors from which on they count as the same question.

Chosen on hand-made pairs (tests/bot/records/question_pairs.py) with the default encoder: 62 pairs of one
question in two wordings, and 66 of two questions that differ in little ("Who keeps / Who built the
lighthouse?").

    cosine    same question, merged    different questions, merged
    0.85           54                          8
    0.90           42                          6
    0.95           22                          3

A wrong merge hides a question and a missed one merely shows it twice, so precision wins. The cosine alone
cannot tell such pairs apart (at 0.90 it merges 44 and 25), but somebody who rephrases a question changes more
than one word: questions that differ in exactly one word are never merged. The rule came from these pairs; of
20 and 24 pairs made after it, it merged 14 and 1.
"""

_VECTOR_TYPE = np.dtype("<f2")
_PUNCTUATION = "?!.,;:…¿¡\"'“”„‘’«»()[]*_~`<>|"


@dataclass(frozen=True, slots=True)
class Gap:
    """An unanswered question in its first wording, with how often and by how many people it was asked.

    `channel`, `verdict` and `confidence` are those of the last time; `first` and `last` are in UTC;
    `answered_by` is the generation that has an answer, if there is one.
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


def add(connection: sqlite3.Connection, server: int | None, row: Mapping[str, Any]) -> None:
    """Add a question to the open gap of its server that is the same question, or to a new gap.

    `row` has the columns of `askings` but for `gap` and `folded`; its vector is as from `pack_vector`.
    """
    folded = fold_question(row["question"])
    with atomic(connection):
        gap = find_same(folded, row["vector"], connection.execute(_OPEN_GAPS, (server,)).fetchall())
        if gap is None:
            gap = connection.execute("INSERT INTO gaps (server) VALUES (?)", (server,)).lastrowid
        connection.execute(
            """INSERT INTO askings (channel, person, question, verdict, confidence, vector, at, gap, folded)
            VALUES (:channel, :person, :question, :verdict, :confidence, :vector, :at, :gap, :folded)""",
            {**row, "gap": gap, "folded": folded},
        )


def fold_question(question: str) -> str:
    """Return a question without case, punctuation around words, and extra white space."""
    plain = unicodedata.normalize("NFKC", question).casefold()
    words = (word.strip(_PUNCTUATION) for word in plain.split())
    return " ".join(word for word in words if word) or plain.strip()


def pack_vector(vector: npt.ArrayLike) -> bytes:
    """Return a vector of any shape as it is stored: of unit length, as little-endian half precision.

    Raises:
        ValueError: it is empty, or not all of its numbers are finite.
    """
    flat = np.asarray(vector, dtype=np.float64).ravel()
    if not flat.size or not np.isfinite(flat).all():
        raise ValueError("a question's vector must be one or more finite numbers")
    return (flat / (np.linalg.norm(flat) or 1.0)).astype(_VECTOR_TYPE).tobytes()


def find_same(folded: str, vector: bytes, gaps: Sequence[tuple[int, str, bytes]]) -> int | None:
    """Return the id of the gap (id, folded question, packed vector) that is the same question, if any.

    Equal words win, then the highest cosine. Another encoder's vectors, of another length, match nothing.
    """
    for gap, other, _ in gaps:
        if other == folded:
            return gap
    comparable = [gap for gap in gaps if len(gap[2]) == len(vector)]
    if not comparable:
        return None
    matrix = _unpack(b"".join(packed for _, _, packed in comparable)).reshape(len(comparable), -1)
    cosines = matrix @ _unpack(vector)
    for row in np.argsort(-cosines, kind="stable"):
        gap, other, _ = comparable[int(row)]
        if cosines[row] < SAME_COSINE:
            break
        if not _differ_in_one_word(other, folded):
            return gap
    return None


def _unpack(packed: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(packed, dtype=_VECTOR_TYPE).astype(np.float32)


def _differ_in_one_word(first: str, second: str) -> bool:
    """Tell whether one word was replaced by another; unknown in scripts without spaces, so False there."""
    words, others = first.split(), second.split()
    if len(words) != len(others) or len(words) == 1:
        return False
    return sum(word != other for word, other in zip(words, others, strict=True)) == 1


_OPEN_GAPS = """
SELECT gap, folded, vector FROM askings WHERE id IN (
    SELECT MIN(askings.id) FROM gaps JOIN askings ON askings.gap = gaps.id
    WHERE server IS ? AND answered_by IS NULL GROUP BY gaps.id)
"""
"""What a new question is compared with: each open gap's first wording, so that a gap cannot drift."""


def select(connection: sqlite3.Connection, condition: str, *values: int | None) -> list[Gap]:
    """Return the gaps that meet an SQL condition, last asked first; the last value is the limit, or -1."""
    query = f"""
        SELECT gaps.id, server, last.channel, first.question, count, people, first_at, last_at,
               last.verdict, last.confidence, answered_by
        FROM (SELECT gaps.id AS gap_id, COUNT(*) AS count, COUNT(DISTINCT person) AS people,
                     MIN(at) AS first_at, MAX(at) AS last_at,
                     MIN(askings.id) AS first_id, MAX(askings.id) AS last_id
              FROM gaps JOIN askings ON askings.gap = gaps.id WHERE {condition} GROUP BY gaps.id)
        JOIN gaps ON gaps.id = gap_id
        JOIN askings AS first ON first.id = first_id
        JOIN askings AS last ON last.id = last_id
        ORDER BY last_at DESC, last_id DESC LIMIT ?"""  # noqa: S608 - our own conditions
    return [
        Gap(*row[:6], *(datetime.fromtimestamp(at, UTC) for at in row[6:8]), *row[8:])
        for row in connection.execute(query, values)
    ]
