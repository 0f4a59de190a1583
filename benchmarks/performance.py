"""The figures of docs/performance.md: speed, memory, growth and quality, beside what else a user would pick.

    python -m benchmarks.performance SETS [--full] [--only PART ...] [--out docs] [--environments .bench]

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
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.charts import draw
from benchmarks.processes import FailedError, bare_environment, run
from benchmarks.report import MARKER, report

PARTS = ("peers", "start", "question", "growth", "building", "dense")
_QUICK = ("peers", "start", "question", "growth")
"""Parts of the quick run, which is to end within 5 minutes on two cores."""
_SETS = {False: ("xquad-en",), True: ("xquad-en", "squad2", "clapnq")}
"""The sets that peers are asked, quick and full; the first is the one in the plot."""
_QUESTIONS = 300


class Driver:
    """Runs one part after the other."""

    def __init__(self, sets: Path, environments: Path, *, full: bool) -> None:
        self._sets = sets
        self._environments = environments
        self._full = full

    def measure(self, part: str) -> dict[str, Any]:
        """Return what a part found, or its error."""
        print(f"measuring: {part}", file=sys.stderr)
        try:
            found = {"peers": self._peers, "growth": self._growth}.get(part)
            return found() if found else {"markdown": self._printed(part)}
        except FailedError as error:
            print(f"{part} failed: {error}", file=sys.stderr)
            return {"markdown": "", "found": {}, "error": str(error)}

    def _peers(self) -> dict[str, Any]:
        found = []
        for name in _SETS[self._full]:
            options = [] if self._full else ["--limit", str(_QUESTIONS)]
            command = ["comparison", self._sets / name, "--environments", self._environments, *options]
            try:
                found.append(json.loads(self._run(*command)))
            except FailedError as error:
                found.append({"set": name, "error": str(error)})
        return {"found": found}

    def _growth(self) -> dict[str, Any]:
        if self._full:
            sizes = ["1000", "10000", "100000", "1000000"]
            return {"found": json.loads(self._run("growth", self._sets, "--sizes", *sizes))}
        return {"found": json.loads(self._run("growth", self._sets / _SETS[False][0]))}

    def _printed(self, part: str) -> str:
        """Return the Markdown that a program prints."""
        program = "profile_question" if part == "question" else part
        wanted = {"question": [self._sets / _SETS[False][0]], "dense": [self._sets]}
        return self._run(program, *wanted.get(part, []))

    def _run(self, program: str, *options: str | Path) -> str:
        return run(
            [sys.executable, "-m", f"benchmarks.{program}", *options], bare_environment(), 6 * 3600
        ).out


def describe_machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text("utf-8").splitlines() if cpus.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        "system": f"{platform.system()} {platform.release()}",
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
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--environments", type=Path, default=Path(".bench"))
    given = parser.parse_args()
    file = given.out / "performance.json"
    record = json.loads(file.read_text("utf-8")) if file.exists() else {"parts": {}}
    driver = Driver(given.sets.resolve(), given.environments.resolve(), full=given.full)
    for part in given.only or (PARTS if given.full else _QUICK):
        program = "profile_question" if part == "question" else "comparison" if part == "peers" else part
        if importlib.util.find_spec(f"benchmarks.{program}") is None:
            continue
        record["parts"][part] = {
            "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "command": "make bench-full" if given.full else "make bench",
            "machine": describe_machine(),
            **driver.measure(part),
        }
        write(record, given.out)
    print(f"written: {given.out / 'performance.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
