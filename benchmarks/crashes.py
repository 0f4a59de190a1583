"""Builds killed, starved and refused by the disk at every file operation, and killed at random times.

    .venv/bin/python -m benchmarks.crashes [--seed N] [--scenes A,B] [--kinds A,B] [--every N] [--only K]

A scene is an index folder and a change to its articles; a case a fault in it, before or after one file
operation (`tests/faults`). After each: does the old generation serve, or the new one, whole? Does whoever had
the old one open go on answering? Does the next build need no help, leave nothing behind, and come to what an
undisturbed one does? Every case has a number, the same for the same seed, so that `--only` tries it again.
Exits with 1 where something did not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.encoding.opening import build_encoder, choose_encoder
from index.settings import DEFAULT_MODEL
from tests.faults.cases import Case, failpoints, random_times, run_case
from tests.faults.failpoints import KINDS
from tests.faults.runner import Runner, running
from tests.faults.scenes import NAMES, Scene, make_scene

_RANDOM_TIMES = 10
"""Kills at random times in each scene."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
"""Where it is quick to sync; what a power cut would cost is counted, and not found out."""
_WATCHED = 5
"""Of so many cases, one is watched by a reader that opens the index over and over."""


def main() -> None:
    """Try the cases, print a table of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=lambda text: text.split(","), default=list(NAMES))
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument(
        "--every", type=int, default=1, help="of the faults at operations, try only every so many"
    )
    parser.add_argument("--only", type=int, help="try only the case with this number")
    parser.add_argument("--graph", type=Path, help="an index folder that has the encoder's graph")
    parser.add_argument("--json", type=Path, help="write each case and what came of it to this file")
    options = parser.parse_args()
    print(f"seed {options.seed}\n")
    rows = []
    place = _MEMORY if _MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=place) as folder,
        prepared(Path(folder), options.graph) as (runner, encoder),
    ):
        scenes = {name: make_scene(name, Path(folder, name), encoder) for name in options.scenes}
        for number, case, seconds in numbered(runner, scenes, options):
            watched = number % _WATCHED == 0
            trial = run_case(runner, scenes[case.scene], encoder, case, seconds, watched=watched)
            for problem in trial.problems:
                print(f"{number}. {case}: {problem}", file=sys.stderr, flush=True)
            rows.append({
                "number": number, "case": str(case), "kind": case.kind, "scene": case.scene,
                "operation": case.operation.name, "served": trial.served, "problems": trial.problems,
            })  # fmt: skip
    print_table(rows)
    if options.json:
        options.json.write_text(
            json.dumps({"seed": options.seed, "trials": rows}, indent=1), encoding="utf-8"
        )
    sys.exit(any(row["problems"] for row in rows))


@contextmanager
def prepared(home: Path, graph: Path | None) -> Iterator[tuple[Runner, Encoder]]:
    """Give the process that forks, and an encoder; the encoder's graph is exported where none is given."""
    if graph is None:
        graph = home / "graph"
        graph.mkdir()
        build_encoder(graph, find_model(DEFAULT_MODEL), ())
    with running(graph) as runner:
        yield runner, choose_encoder(graph, DEFAULT_MODEL, threads=1)


def numbered(
    runner: Runner, scenes: dict[str, Scene], options: argparse.Namespace
) -> Iterator[tuple[int, Case, float]]:
    """Yield the cases to try, each with its number and the seconds that an undisturbed build takes."""
    number = 0
    for name, scene in scenes.items():
        scene.begin()
        calm = runner.run(scene.settings, scene.command)
        cases = [
            *failpoints(name, calm.operations, KINDS, options.seed),
            *random_times(name, _RANDOM_TIMES, options.seed),
        ]
        for case in cases:
            number += 1
            chosen = number == options.only if options.only else not (case.fault and number % options.every)
            if chosen and case.kind in options.kinds:
                yield number, case, calm.seconds


def print_table(rows: list[dict[str, object]]) -> None:
    """Print how often each kind of fault was tried at each kind of operation, and what served then."""
    counts: dict[tuple[object, object], Counter[str]] = {}
    for row in rows:
        count = counts.setdefault((row["kind"], row["operation"]), Counter())
        count.update(["trials", str(row["served"] or "none"), *(["failures"] if row["problems"] else [])])
    columns = ("trials", "old", "new", "none", "failures")
    print(f"| fault | operation | {' | '.join(columns)} |\n| --- | --- |{' ---: |' * len(columns)}")
    for (kind, operation), count in sorted(counts.items(), key=str):
        print(f"| {kind} | {operation} | {' | '.join(str(count[one]) for one in columns)} |")
    total = sum(counts.values(), Counter())
    print(f"| all | | {' | '.join(str(total[one]) for one in columns)} |")


if __name__ == "__main__":
    main()
