"""Trials: one fault in one scene, and everything that must hold after it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.faults.commands import INDEX, Result, run
from tests.faults.injection import POINTER, Fault
from tests.faults.scenes import SCENES, Scene, ask, copy_index, other_names, show
from tests.index.shelf import contents

__all__ = ["Case", "at_operations", "try_case"]

_REFUSED = {65, 69}
"""Exit statuses of a command that could not do its work: bad data, or something that is needed is missing."""
_IN_USE = re.compile(rf"{INDEX}/(?:{POINTER}|\d[\w-]*)(?![\w.-])")
"""The pointer's path or a generation's, in what `verify` prints: no fault may damage what is there."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault before an operation; without one, a kill after a share of the time that the command takes."""

    scene: Scene
    fault: Fault | None
    share: float = 0.0

    @property
    def kind(self) -> str:
        """The fault's kind; "time" for a kill at a random time."""
        return self.fault.kind if self.fault else "time"

    def __str__(self) -> str:
        if self.fault is None:
            return f"{self.scene.name}: killed after {self.share:.3f} of its time"
        operation = self.scene.calm.operations[self.fault.at - 1]
        return f"{self.scene.name}: {self.kind} before operation {self.fault.at}, {operation}"


def at_operations(scene: Scene, kinds: Sequence[str], every: int = 1) -> list[Case]:
    """Return a case for each kind of fault before every n-th operation, the last one among them."""
    numbers = range(len(scene.calm.operations), 0, -every)
    return [Case(scene, Fault(kind, at)) for at in numbers for kind in kinds]


def try_case(case: Case) -> tuple[str, list[str]]:
    """Run a case and look at what it left; run the command again undisturbed, and look again.

    Return which generation served in between ("old", "new", or "" for none), and a line on every problem.
    """
    scene, command = case.scene, SCENES[case.scene.name]
    copy_index(scene.before, scene.home / INDEX)
    articles = contents(scene.home / "articles")
    if case.fault:
        result = run(scene.home, command, case.fault)
    else:
        result = run(scene.home, command, kill_after=case.share * scene.calm.seconds)
    answers = ask(scene.home)
    served = {scene.old: "old", scene.new: "new", None: ""}.get(answers, f"wrong answers, {answers}")
    problems = [*_after_fault(case, served, result), *_after_repeat(scene, run(scene.home, command))]
    if contents(scene.home / "articles") != articles:
        problems.append("the articles have changed")
    return served, [f"{case}: {problem}" for problem in problems]


def _after_fault(case: Case, served: str, result: Result) -> Iterator[str]:
    if served not in ({"old", "new"} if case.scene.old else {"", "new"}):
        yield f"{served or 'nothing'} is served"
    if result.status == 0 and served != "new":
        yield "the command said that it was done"
    if case.kind in {"kill", "power"} and result.status != -signal.SIGKILL:
        yield f"it was not killed: {result.err}"
    if result.status > 0 and (result.status not in _REFUSED or ". " not in result.err):
        yield f"status {result.status}: {result.err}"
    problems = run(case.scene.home, ("index", "verify")).err.splitlines()
    yield from (line for line in problems if _IN_USE.search(line))


def _after_repeat(scene: Scene, result: Result) -> Iterator[str]:
    if result.status:
        yield f"the next one ended with status {result.status}: {result.err}"
        return
    if (answers := ask(scene.home)) != scene.new:
        yield f"after the next one, it answers {answers}"
    if show(scene.home) != scene.shown:
        yield "after the next one, the index does not hold what an undisturbed run leaves in it"
    if names := other_names(scene.home) ^ scene.others:
        yield f"left over after the next one, or missing: {sorted(names)}"
    if problems := run(scene.home, ("index", "verify")).err:
        yield f"after the next one: {problems}"
