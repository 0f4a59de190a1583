"""Kills, power cuts and disk errors at every file operation, and kills at random times.

    python -m benchmarks.crashes [--scenes A,B] [--kinds A,B] [--every N] [--times N] [--sample N] [--seed S]

A scene is an index and a command on it; a case is one fault in it (`tests/faults`). After each: does the old
generation serve, or the new one, whole? Does the command then work without help, clean up, and come to what
an undisturbed one does? `--sample 200` tries 200 of the cases, drawn by the seed; `--kinds time --times 200`
kills at 200 random times. Exits with 1 where something did not hold.

Not reached: the single writes inside SQLite, FAISS and tantivy, except by kills at random times and by a disk
that is full from some operation on; and what a real disk does without power, for which there is a model.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.processes import table
from tests.faults.injection import KINDS
from tests.faults.scenes import SCENES, Scene, make_scene
from tests.faults.trials import Case, at_operations, try_case

__all__ = ["main"]

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
"""Where syncing is quick; what a power cut would lose is computed, and does not depend on the disk."""


def main() -> None:
    """Try the cases, and print a table of what served after them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=_names, default=list(SCENES))
    parser.add_argument("--kinds", type=_names, default=[*KINDS, "time"])
    parser.add_argument("--every", type=int, default=1, help="try every n-th operation only")
    parser.add_argument("--times", type=int, default=70, help="kills at random times, over all scenes")
    parser.add_argument("--sample", type=int, help="try only so many of the cases")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        scenes = [make_scene(name, Path(folder, name)) for name in options.scenes]
        cases = [case for scene in scenes for case in _cases(scene, options)]
        if options.sample:
            cases = random.Random(options.seed).sample(cases, min(options.sample, len(cases)))  # noqa: S311
        sys.exit(try_all(cases))


def _names(text: str) -> list[str]:
    return text.split(",")


def _cases(scene: Scene, options: argparse.Namespace) -> list[Case]:
    faults = [kind for kind in KINDS if kind in options.kinds]
    cases = at_operations(scene, faults, options.every)
    if "time" in options.kinds:
        chance = random.Random(f"{scene.name} {options.seed}")  # noqa: S311 - no secret
        count = -(-options.times // len(options.scenes))
        cases += [Case(scene, None, chance.uniform(0, 1.05)) for _ in range(count)]
    return cases


def try_all(cases: list[Case]) -> int:
    """Try the cases, print what came of them, and return the exit status."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, case in enumerate(cases, 1):
        served, problems = try_case(case)
        for problem in problems:
            print(problem, file=sys.stderr, flush=True)
        counts[case.kind].update(["cases", served or "none", *(["failures"] if problems else [])])
        if number % 50 == 0:
            print(f"{number} of {len(cases)}", file=sys.stderr, flush=True)
    counts["all"] = sum(counts.values(), Counter())
    columns = ("cases", "old", "new", "none", "failures")
    rows = [(kind, *(count[column] for column in columns)) for kind, count in counts.items()]
    print(table(("fault", "cases", "old served", "new served", "none yet", "failures"), rows))
    return int(counts["all"]["failures"] > 0)


if __name__ == "__main__":
    main()
