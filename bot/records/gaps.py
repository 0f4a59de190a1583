"""Gaps: unanswered questions, with repeats of the same question merged and counted.

A gap has one row for each time it was asked, and everything shown of it is computed from those rows. Deleting
a person's rows therefore leaves each gap exactly as if they had never asked.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SAME_COSINE", "Gap", "add", "as_csv", "find_same", "fold_question", "pack_vector", "select"]

SAME_COSINE = 0.9
"""The cosine of two questions' vectors from which on they count as the same question.

Chosen on 62 pairs of one question in two wordings and 66 of different questions (question_pairs.tsv in the
tests) with the default encoder: 0.85, 0.90 and 0.95 merge 54, 42 and 22 of the former, 8, 6 and 3 of the
latter; 0.90 merges 44 and 25 if questions that differ in exactly one word count too. A wrong merge hides a
question and a missed one merely shows it twice, so precision wins.
"""

_FORMULA_STARTS = tuple("=+-@＝＋－＠")
_VECTOR_TYPE = np.dtype("<f2")
_OPEN_GAPS = """
SELECT gap, folded, vector FROM askings WHERE id IN (
    SELECT MIN(askings.id) FROM gaps JOIN askings ON askings.gap = gaps.id
    WHERE server IS ? AND collection = ? AND answered_by IS NULL GROUP BY gaps.id)
"""  # the first wording of each, so that a gap cannot drift
_PUNCTUATION = "?!.,;:…¿¡\"'“”„‘’«»()[]*_~`<>|"


@dataclass(frozen=True, slots=True)
class Gap:
    """An unanswered question in its first wording, with how often and by how many people it was asked."""

    id: int
    server: int | None
    channel: int  # where it was asked last, with that verdict and confidence
    question: str
    count: int
    people: int
    first: datetime  # in UTC
    last: datetime
    verdict: str
    confidence: float
    answered_by: str | None  # the generation that has an answer, if there is one
    collection: str = ""  # the name of what was asked


def add(connection: sqlite3.Connection, server: int | None, collection: str, row: Mapping[str, Any]) -> None:
    """Add a question to the open gap of its server and collection that is the same one, or to a new gap.

    `row` has the columns of `askings` but for `gap` and `folded`; its vector is as from `pack_vector`.
    """
    folded = fold_question(row["question"])
    owner = (server, collection)
    gap = find_same(folded, row["vector"], connection.execute(_OPEN_GAPS, owner).fetchall())
    if gap is None:
        gap = connection.execute("INSERT INTO gaps (server, collection) VALUES (?, ?)", owner).lastrowid
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
    """Return a vector of any shape as it is stored: of unit length, as little-endian half precision."""
    flat = np.asarray(vector, dtype=np.float64).ravel()
    return (flat / (np.linalg.norm(flat) or 1.0)).astype(_VECTOR_TYPE).tobytes()


def find_same(folded: str, vector: bytes, gaps: Sequence[tuple[int, str, bytes]]) -> int | None:
    """Return the id of the gap (id, folded question, packed vector) that is the same question, if any.

    Equal words win, then the highest cosine. Another encoder's vectors, of another length, match nothing.
    """
    equal = [gap for gap, other, _ in gaps if other == folded]
    alike = [
        (gap, packed)
        for gap, other, packed in gaps
        if len(packed) == len(vector) and not _differ_in_one_word(other, folded)
    ]
    if equal or not alike:
        return equal[0] if equal else None
    cosines = np.stack([_unpack(packed) for _, packed in alike]) @ _unpack(vector)
    best = int(np.argmax(cosines))
    return alike[best][0] if cosines[best] >= SAME_COSINE else None


def _unpack(packed: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(packed, dtype=_VECTOR_TYPE).astype(np.float32)


def _differ_in_one_word(first: str, second: str) -> bool:
    """Tell whether one word was replaced by another; unknown in scripts without spaces, so False there."""
    words, others = first.split(), second.split()
    if len(words) != len(others) or len(words) == 1:
        return False
    return sum(word != other for word, other in zip(words, others, strict=True)) == 1


def as_csv(gaps: Iterable[Gap]) -> bytes:
    """Return questions as CSV in UTF-8 with a byte order mark, which spreadsheets need."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    columns = "number,question,times,people,first,last,verdict,confidence,answered by"
    writer.writerow(columns.split(","))
    for gap in gaps:
        # Spreadsheets would run a question that looks like a formula (OWASP, "CSV injection").
        unsafe = gap.question[:1].isspace() or gap.question.startswith(_FORMULA_STARTS)
        row = [gap.id, f"'{gap.question}" if unsafe else gap.question, gap.count, gap.people]
        row += [when.isoformat(timespec="seconds") for when in (gap.first, gap.last)]
        writer.writerow([*row, gap.verdict, f"{gap.confidence:.3f}", gap.answered_by or ""])
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")


def select(connection: sqlite3.Connection, condition: str, *values: object) -> list[Gap]:
    """Return the gaps that meet an SQL condition, last asked first; the last value is a limit (-1: none)."""
    query = f"""
        SELECT gaps.id, server, last.channel, first.question, COUNT(*), COUNT(DISTINCT askings.person),
               first.at, last.at, last.verdict, last.confidence, answered_by, collection
        FROM gaps JOIN askings ON askings.gap = gaps.id
        JOIN askings AS first ON first.id = (SELECT MIN(id) FROM askings WHERE gap = gaps.id)
        JOIN askings AS last ON last.id = (SELECT MAX(id) FROM askings WHERE gap = gaps.id)
        WHERE {condition} GROUP BY gaps.id ORDER BY last.id DESC LIMIT ?"""  # noqa: S608 - our own conditions
    return [
        Gap(*row[:6], *(datetime.fromtimestamp(at, UTC) for at in row[6:8]), *row[8:])
        for row in connection.execute(query, values)
    ]
