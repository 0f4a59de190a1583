"""The gate that a new generation passes before it is published: what it is asked, and what it answers.

Which questions are asked is decided by whoever passes a gate to `index.build.build_index`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from index.storage.store import Store

if TYPE_CHECKING:
    from index.build_report import Progress

__all__ = ["GATE_REPORT", "Gate", "GateReport", "Gold"]

GATE_REPORT = "gate.json"
"""The report in the folder of a refused generation: which gold questions were lost."""


@dataclass(frozen=True, slots=True)
class Gold:
    """How many gold questions were `asked`, and `answered` rightly by the new generation.

    `lost` names those that the serving generation answers and the new one does not. `note` says why the two
    were not compared, where that was impossible.
    """

    asked: int
    answered: int
    lost: tuple[str, ...] = ()
    note: str = ""

    def summary(self) -> str:
        """Return a sentence for people."""
        lost = f", {len(self.lost):,} lost" if self.lost else ""
        return f"{self.answered:,} of {self.asked:,} gold questions answered{lost}."


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a gate found; `refusal` says why the generation must not be published, "" where it may.

    `details` is written to the report of a refused generation.
    """

    gold: Gold
    refusal: str = ""
    details: Mapping[str, Any] | None = None


class Gate(Protocol):
    """Judges new generations."""

    def note(self) -> str:
        """Say what will be asked, for `--dry-run`."""

    def __call__(self, new: Store, old: Store | None, progress: Callable[[Progress], None]) -> GateReport:
        """Judge a new generation beside the one that serves, where there is one."""
