"""The gate: what a new generation has to pass before it is published, and what comes of one that does not.

What is asked, and of whom, is for whoever gives `build_index` a gate; here is what the two tell each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from index.errors import GateError
from index.progress import Progress
from index.storage.durable import sync, write_file
from index.storage.local import Generation
from index.storage.manifest import GATE, REFUSED
from index.storage.retention import remove_refused

__all__ = ["Gate", "GateReport", "Gold", "set_aside"]


@dataclass(frozen=True, slots=True)
class Gold:
    """How many of the gold questions were `asked`, and `answered` right by the new generation.

    `lost` names those, for people, that the generation before answers and the new one does not.
    """

    asked: int
    answered: int
    lost: tuple[str, ...] = ()
    note: str = ""
    """Why they were not compared with the generation before, where that could not be asked."""

    def summary(self) -> str:
        """Return a sentence on it for people."""
        lost = f", {len(self.lost):,} lost" if self.lost else ""
        return f"{self.answered:,} of {self.asked:,} gold questions answered{lost}."


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a gate found. `refusal` says for people why the generation must not be published; "" where it may.

    `details` is what is written down of a refused one.
    """

    gold: Gold
    refusal: str = ""
    details: Mapping[str, Any] | None = None


class Gate(Protocol):
    """Judges new generations."""

    def note(self) -> str:
        """Say for people what will be asked."""

    def __call__(
        self, new: Generation, old: Generation | None, progress: Callable[[Progress], None]
    ) -> GateReport:
        """Judge a new generation, beside the one that serves, where there is one."""


def set_aside(folder: Path, home: Path, name: str, found: GateReport) -> GateError:
    """Keep a new generation that was refused aside, with the report; return the error that says so.

    `home` is where it was written, and `name` the one it would have had. One is kept: this one.

    Raises:
        OSError: it cannot be written.
    """
    aside = folder / f"{REFUSED}{name}"
    write_file(home / GATE, (json.dumps(found.details, indent=1) + "\n").encode())
    sync(home)
    remove_refused(folder)
    home.rename(aside)
    sync(folder)
    return GateError(
        f"{found.refusal}\nThe generation of before goes on serving, and the new one is kept aside, with a "
        f"report in {aside / GATE}. Correct the articles, or the gold questions where they are out of date, "
        "and build again; FOOTNOTE_GATE_AT says how many may be lost."
    )
