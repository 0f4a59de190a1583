"""Two runs of the same sets: how much each measure differs, and which questions were won and lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.intervals import Estimate, differences
from evaluation.judging import is_right
from evaluation.records import Asked, Kind
from evaluation.runs import SetRun
from evaluation.tables import tabulate

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One set now and before, over the questions that both runs asked.

    `differences` are now - before. `won` are the records of now that are well where they were not before,
    `lost` the other way round: an answerable question is well when the first quote is right, any other when
    it is not answered.
    """

    name: str
    common: int
    only_now: int
    only_before: int
    differences: tuple[tuple[str, Estimate], ...]
    won: tuple[Asked, ...]
    lost: tuple[Asked, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object; questions by id and kind."""
        return {
            "name": self.name,
            "common": self.common,
            "only_now": self.only_now,
            "only_before": self.only_before,
            "differences": {name: asdict(estimate) for name, estimate in self.differences},
            "won": [[record.id, record.kind] for record in self.won],
            "lost": [[record.id, record.kind] for record in self.lost],
        }


def compare(now: SetRun, before: Sequence[Asked], seed: int) -> Comparison:
    """Compare a set with the records of an earlier run, question by question.

    Questions are the same when id, kind and text are; what only one of the runs asked is only counted.
    """
    old = {_key(record): record for record in before}
    new = {_key(record): record for record in now.records}
    # A question's own asking and that of other subjects are one row: it is common when the first is.
    common = [key for key in new if key in old]
    pairs = [(new[key], old[key]) for key in common]
    found: Mapping[str, Estimate] = {}
    if any(record.kind is not Kind.OTHER for record, _ in pairs):
        found = differences(
            tabulate([record for _, record in pairs]), tabulate([record for record, _ in pairs]), seed
        )
    return Comparison(
        name=now.name,
        common=len(common),
        only_now=len(new) - len(common),
        only_before=len(old) - len(common),
        differences=tuple(found.items()),
        won=tuple(record for record, earlier in pairs if _well(record) and not _well(earlier)),
        lost=tuple(record for record, earlier in pairs if _well(earlier) and not _well(record)),
    )


def _key(record: Asked) -> tuple[str, Kind, str]:
    return record.id, record.kind, record.question


def _well(record: Asked) -> bool:
    return is_right(record) if record.kind is Kind.ANSWERABLE else record.verdict != "answered"
