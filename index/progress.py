"""How far a build is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: `done` of `total` steps of a stage, whose name is for people."""

    stage: str
    done: int
    total: int
