"""The figures of docs/performance.md: speed, memory, growth and quality, beside what else a user would pick.

    python -m benchmarks.performance SETS [--full] [--only PART ...] [--largest PASSAGES] [--out docs]

SETS holds the question sets (`make bench` and `make bench-full` name it). Every part is a program of its own,
and nothing else runs beside it. What was measured is kept in OUT/performance.json, a part an entry, and from
that OUT/performance.svg and all of OUT/performance.md below its marker line are written anew; a part that was
not measured this time stays as it was. A part that fails is reported with its error.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.charts import draw
from benchmarks.growth import SIZES
from benchmarks.processes import FailedError, bare_environment, build_small, run
from benchmarks.report import MARKER, report

PARTS = ("peers", "start", "question", "growth", "building", "dense")
_QUICK = ("peers", "start", "question", "growth")
"""Parts of the quick run, of which most is the making of the peers' indexes."""
SETS = ("xquad-en", "squad2", "clapnq")
"""The sets that are asked; the quick run asks the first, which is the one in the plot."""
LARGEST, LARGEST_QUICK = SIZES[-1], SIZES[1]
_QUESTIONS = 200
"""Questions of the quick run."""


class Driver:
    """Runs one part after the other."""

    def __init__(self, given: argparse.Namespace, home: Path) -> None:
        self._given = given
        self._sets = [given.sets.resolve() / name for name in SETS[: None if given.full else 1]]
        self._small = home / "small"
        self._once = build_small(self._small).seconds

    def measure(self, part: str) -> dict[str, Any]:
        """Return what a part found, or its error."""
        print(f"measuring: {part}", file=sys.stderr)
        try:
            found = {"peers": self._peers, "growth": self._growth}.get(part)
            return found() if found else {"markdown": self._printed(part)}
        except FailedError as error:
            print(f"{part} failed: {error}", file=sys.stderr)
            return {"error": str(error)}

    def _peers(self) -> dict[str, Any]:
        found = []
        environments = self._given.environments.resolve()
        options: list[str | Path] = ["--environments", environments, "--small", self._small]
        options += [] if self._given.full else ["--limit", str(_QUESTIONS)]
        for one in self._sets:
            try:
                found.append(json.loads(self._run("comparison", one, *options)))
            except FailedError as error:
                found.append({"set": one.name, "error": str(error)})
        return {"found": found, "once_s": self._once}

    def _growth(self) -> dict[str, Any]:
        largest = self._given.largest or (LARGEST if self._given.full else LARGEST_QUICK)
        sizes = [str(size) for size in SIZES if size <= largest]
        options: list[str | Path] = ["--small", self._small, "--sizes", *sizes]
        options += [] if self._given.full else ["--questions", str(_QUESTIONS)]
        return {"found": json.loads(self._run("growth", *self._sets, *options))}

    def _printed(self, part: str) -> str:
        """Return the Markdown that a program prints."""
        if part == "question":
            return self._run("profile_question", self._sets[0], "--small", self._small)
        options: dict[str, list[str | Path]] = {
            "start": ["--index", self._small, *([] if self._given.full else ["--times", "5"])],
            "building": [self._sets[0]],
            "dense": [self._given.sets.resolve() / name for name in SETS],
        }
        return self._run(part, *options.get(part, []))

    def _run(self, program: str, *options: str | Path) -> str:
        command = [sys.executable, "-m", f"benchmarks.{program}", *options]
        return run(command, bare_environment(), patience=6 * 3600).out


def conditions(*, full: bool) -> dict[str, Any]:
    """Return when figures were measured, by which command, and on what machine."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make bench-full" if full else "make bench",
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """Return what it is measured on."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text("utf-8").splitlines() if cpus.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def write(record: Mapping[str, Any], out: Path) -> None:
    """Write the record, the plot, and the page below its marker line."""
    (out / "performance.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    draw(record, out / "performance.svg")
    page = out / "performance.md"
    written = page.read_text("utf-8") if page.exists() else "# How fast and how light it is\n\n"
    head = written.split(MARKER)[0]
    page.write_text(f"{head}{MARKER}\n\n" + "\n".join(report(record)).rstrip() + "\n", "utf-8")


def main() -> None:
    """Measure and write; after each part, so that what is done is kept when a later one is cut off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--full", action="store_true", help="everything, up to a million passages (hours)")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="only these parts")
    parser.add_argument("--largest", type=int, help="the largest collection that growth is measured with")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--environments", type=Path, default=Path(".bench"))
    given = parser.parse_args()
    file = given.out / "performance.json"
    record = json.loads(file.read_text("utf-8")) if file.exists() else {"parts": {}}
    with tempfile.TemporaryDirectory() as home:
        driver = Driver(given, Path(home))
        for part in given.only or (PARTS if given.full else _QUICK):
            program = {"peers": "comparison", "question": "profile_question"}.get(part, part)
            if importlib.util.find_spec(f"benchmarks.{program}"):
                record["parts"][part] = {**conditions(full=given.full), **driver.measure(part)}
                write(record, given.out)
    print(f"written: {given.out / 'performance.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
