"""Cases: which fault in which scene, all of them numbered, so that any one can be tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.encoding.encoder import Encoder
from index.storage.local import open_generation
from tests.faults.failpoints import Fault, Operation
from tests.faults.invariants import Trial, reading, try_out
from tests.faults.runner import Runner
from tests.faults.scenes import Scene

__all__ = ["Case", "failpoints", "random_times", "run_case"]

AT_A_TIME = "a random time"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault in a scene: at an operation, or, killed from outside, after a share of what a build takes."""

    scene: str
    kind: str
    operation: Operation
    fault: Fault | None = None
    share: float = 0.0

    def __str__(self) -> str:
        if self.fault is None:
            return f"{self.scene}: {self.kind} after {self.share:.3f} of the build's time"
        when = "after" if self.fault.after else "before"
        what = f"operation {self.fault.at}, {self.operation.name} in {self.operation.place}"
        return f"{self.scene}: {self.kind} {when} {what}"


def failpoints(
    scene: str, operations: Sequence[Operation], kinds: Sequence[str], seed: int
) -> Iterator[Case]:
    """Yield each fault before and after each operation."""
    for at, operation in enumerate(operations, 1):
        for kind in kinds:
            for after in (False, True):
                yield Case(scene, kind, operation, Fault(kind, at, after, seed + at))


def random_times(scene: str, count: int, seed: int) -> Iterator[Case]:
    """Yield kills at random times of a build."""
    chance = random.Random(f"{scene} {seed}")
    for _ in range(count):
        yield Case(scene, "kill", Operation(AT_A_TIME, ""), share=chance.random() * 1.05)


def run_case(
    runner: Runner, scene: Scene, encoder: Encoder, case: Case, seconds: float, *, watched: bool = False
) -> Trial:
    """Try one case; `seconds` is what a build takes. `watched`: others open the index meanwhile."""
    scene.begin()
    index: Path = scene.settings.index
    opened = open_generation(index) if scene.old else None
    try:
        kill_after = None if case.fault else case.share * seconds
        with reading(scene, encoder, watched) as seen:
            ended = runner.run(scene.settings, scene.command, case.fault, kill_after)
        trial = try_out(scene, encoder, ended, opened)
        trial.problems.extend(f"meanwhile: {problem}" for problem in seen)
        if case.kind in {"kill", "cut"} and not ended.killed and case.fault:
            trial.problems.append(f"it was not killed: {ended.message}")
        return trial
    finally:
        if opened:
            opened.close()
