"""The records of one set as columns: a row a question, so that questions can be drawn again at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.judging import any_right, highlight_right, is_right, rank, token_f1, whole_sentences
from evaluation.records import VERDICTS, Asked, Kind

__all__ = ["Column", "Table", "tabulate"]

Table = npt.NDArray[np.void]
"""A row a question, with the fields of `_FIELDS`; one asked of other subjects too has both in its row."""

Column = npt.NDArray[Any]

_FIELDS = np.dtype(
    [
        ("answerable", "?"),
        ("confidence", "f8"),
        ("verdict", "i1"),  # its place in VERDICTS
        ("right", "?"),
        ("any_right", "?"),
        ("rank", "f8"),  # of the first right paragraph, from 1; inf: not cited; NaN: not known which is right
        ("characters", "f8"),  # of the first quote; NaN: none
        ("f1", "f8"),  # NaN where gold answers are not whole sentences
        ("highlighted", "?"),
        ("highlight_right", "?"),
        ("exact", "?"),
        ("ms", "f8"),
        # The same question, asked of an index without its article; NaN and -1 where it was not.
        ("other_confidence", "f8"),
        ("other_verdict", "i1"),
        ("other_exact", "?"),
        ("other_ms", "f8"),
    ]
)


def tabulate(records: Sequence[Asked]) -> Table:
    """Return the table of one set's records, a row a question, in the order of the records."""
    own = [record for record in records if record.kind is not Kind.OTHER]
    other = {record.id: record for record in records if record.kind is Kind.OTHER}
    sentences = whole_sentences(own)
    rows = [(*_own(record, sentences), *_other(other.get(record.id))) for record in own]
    return np.array(rows, dtype=_FIELDS)


def _own(record: Asked, sentences: bool) -> tuple[object, ...]:
    answerable = record.kind is Kind.ANSWERABLE
    return (
        answerable,
        record.confidence,
        VERDICTS.index(record.verdict),
        is_right(record),
        any_right(record),
        rank(record),
        len(record.quote) or math.nan,
        _f1(record) if sentences and answerable else math.nan,
        record.highlight is not None,
        highlight_right(record),
        record.exact,
        record.elapsed_ms,
    )


def _other(record: Asked | None) -> tuple[object, ...]:
    if record is None:
        return math.nan, -1, True, math.nan
    return record.confidence, VERDICTS.index(record.verdict), record.exact, record.elapsed_ms


def _f1(record: Asked) -> float:
    shown = " ".join(record.quotes[: record.shown])
    return max((token_f1(shown, gold) for gold in record.answers), default=0.0)
