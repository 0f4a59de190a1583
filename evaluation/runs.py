"""One run of the evaluation: all that was asked and measured, as JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.curves import histogram, reliability, risk_coverage
from evaluation.errors import RunError
from evaluation.failures import refused, wrong
from evaluation.fitting import Fitted
from evaluation.intervals import Estimate
from evaluation.judging import is_right
from evaluation.measures import pool
from evaluation.records import VERDICTS, Asked, Kind
from evaluation.tables import tabulate
from index.errors import MissingError

__all__ = ["FORMAT", "LISTED", "Run", "SetRun", "curves", "load_run"]

FORMAT = 1
"""The version of the run's JSON; another one is refused."""

LISTED = 25
"""Failures of each sort that a run names."""

_NOT_A_RUN = "not a run of `footnote eval --json`"


@dataclass(frozen=True, slots=True)
class SetRun:
    """One set: how many articles it has, the records of what was asked, and the measures by name."""

    name: str
    articles: int
    records: tuple[Asked, ...]
    measures: tuple[tuple[str, Estimate], ...]

    def count(self, kind: Kind) -> int:
        """Return how many questions of a kind were asked."""
        return sum(record.kind is kind for record in self.records)


@dataclass(frozen=True, slots=True)
class Run:
    """All that one `footnote eval` found; `fitted` where the confidence was fitted in it.

    `dropped` says for each set fitted to how many of its articles the reported sets have too.
    """

    version: str
    made: str
    encoder: str
    encoder_fingerprint: str
    settings: tuple[tuple[str, Any], ...]
    seed: int
    limit: int | None
    sets: tuple[SetRun, ...]
    fitted: Fitted | None = None
    dropped: tuple[tuple[str, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the run as one JSON object, with curves and a row for each question asked."""
        return {
            "format": FORMAT,
            "footnote": self.version,
            "made": self.made,
            "encoder": {"name": self.encoder, "fingerprint": self.encoder_fingerprint},
            "settings": dict(self.settings),
            "seed": self.seed,
            "limit": self.limit,
            "fitted": _fitted(self.fitted, self.dropped) if self.fitted else None,
            "sets": [_set(one) for one in self.sets],
        }


def _fitted(fitted: Fitted, dropped: Iterable[tuple[str, int]]) -> dict[str, Any]:
    return {**asdict(fitted), "fit": fitted.fit.as_json(), "dropped_articles": dict(dropped)}


def _set(run: SetRun) -> dict[str, Any]:
    records = run.records
    return {
        "name": run.name,
        "articles": run.articles,
        "questions": {str(kind): run.count(kind) for kind in Kind},
        "measures": {name: asdict(estimate) for name, estimate in run.measures},
        "curves": curves(records),
        "failures": {
            "wrong": [[record.id, record.kind] for record in wrong(records)[:LISTED]],
            "refused": [[record.id, record.kind] for record in refused(records)[:LISTED]],
        },
        "rows": [{**asdict(one), "signals": _finite(one.signals), "right": is_right(one)} for one in records],
    }


def _finite(signals: Iterable[tuple[str, float]]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in signals}


def curves(records: Sequence[Asked]) -> dict[str, Any]:
    """Return the risk-coverage curve, the reliability table and the histograms of a set's confidence.

    The first two are over the questions of the set; where they are all answerable, with other subjects too.
    """
    table = tabulate(records)
    mixed = len(pool(table, mixed=True)[0]) > 0
    sure, right, _ = pool(table, mixed=mixed)
    coverage, risk = risk_coverage(sure, right)
    return {
        "with_other_subjects": mixed,
        "risk_coverage": {"coverage": coverage.tolist(), "risk": risk.tolist()},
        "reliability": [asdict(one) for one in reliability(sure, right)],
        "histogram": {
            "answerable": histogram(table["confidence"][table["answerable"]]),
            "unanswerable": histogram(table["confidence"][~table["answerable"]]),
            "other": histogram(table["other_confidence"][table["other_verdict"] >= 0]),
        },
    }


def load_run(path: Path) -> dict[str, tuple[Asked, ...]]:
    """Read the records of a run, by set, from the JSON that `footnote eval --json` printed.

    Raises:
        MissingError: it is not there, or cannot be read.
        RunError: it is no such run.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        run = json.loads(path.read_bytes())
        if run["format"] != FORMAT:
            raise RunError(f"{path}: a run of format {run['format']!r}; this Footnote compares {FORMAT}.")
        adapter = TypeAdapter(tuple[Asked, ...])
        read = {
            str(one["name"]): adapter.validate_python(list(map(_row, one["rows"]))) for one in run["sets"]
        }
        for record in (record for found in read.values() for record in found):
            _check(record)
    except OSError as error:
        raise MissingError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise RunError(f"{path}: {_NOT_A_RUN}: row {where}: {fault['msg']}.") from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RunError(f"{path}: {_NOT_A_RUN}.") from error
    return read


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the JSON as the fields of a record; null stands for a number that is none."""
    signals = {name: math.nan if value is None else value for name, value in row["signals"].items()}
    return {**row, "signals": tuple(signals.items())}


def _check(record: Asked) -> None:
    if record.verdict not in VERDICTS or not 0 <= record.confidence <= 1 or not record.elapsed_ms >= 0:
        raise ValueError(f"no such answer: {record.id}")
