"""A run as CSV: a row for each time a question was asked."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.judging import any_right, highlight_right, is_right, rank
from evaluation.records import Asked
from evaluation.runs import Run
from index.search.calibration import write_atomically

__all__ = ["write_csv"]

_STEERING = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to spreadsheets."""


def write_csv(run: Run, path: Path) -> None:
    """Write the rows of all sets to `path`, in one step.

    Questions and quotes are other people's text: one that begins as a formula is given an apostrophe first.

    Raises:
        MissingError: it cannot be written.
    """
    records = [record for one in run.sets for record in one.records]
    names = list(dict.fromkeys(name for record in records for name, _ in record.signals))
    content = io.StringIO()
    writer = csv.writer(content)
    for number, record in enumerate(records):
        row = dict(_row(record, names))
        if number == 0:
            writer.writerow(row)
        writer.writerow(map(_harmless, row.values()))
    write_atomically(path, content.getvalue().encode())


def _row(record: Asked, names: Sequence[str]) -> Iterator[tuple[str, str | float | None]]:
    place = rank(record)
    signals = dict(record.signals)
    yield "set", record.set_name
    yield "id", record.id
    yield "kind", str(record.kind)
    yield "question", record.question
    yield "answers", " | ".join(record.answers)
    yield "quote", record.quote
    yield "right", int(is_right(record))
    yield "any_right", int(any_right(record))
    yield "verdict", record.verdict
    yield "confidence", record.confidence
    yield "rank", int(place) if math.isfinite(place) else None
    yield "cited", " | ".join(f"{article} {paragraph}" for article, paragraph in record.cited)
    yield "gold", " | ".join(f"{article} {paragraph}" for article, paragraph in record.gold)
    yield "highlight", record.highlight
    yield "highlight_right", int(highlight_right(record)) if record.highlight else None
    yield "exact", int(record.exact)
    yield "elapsed_ms", record.elapsed_ms
    for name in names:
        yield f"signal {name}", signals.get(name)


def _harmless(cell: str | float | None) -> str | float | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STEERING) else cell
