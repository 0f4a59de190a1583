"""The table of docs/reliability.md: what may go wrong, what is promised, and how often that was tried.

    python -m benchmarks.reliability [--row NAME ...] [--list] [--out docs]

Each row of `benchmarks.promises` is proven by tests, by a program that fails where the promise is broken, or
by both. What came of each is kept in OUT/reliability.json, and from that all of OUT/reliability.md below its
marker line is written anew, after each row; rows that were not run stay as they were. The exit status is 1
where a row of this run failed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks.performance import machine
from benchmarks.processes import FailedError, bare_environment, build_small, run
from benchmarks.promises import PARTS, PROMISES, Promise

__all__ = ["MARKER", "counted", "lines", "write"]

MARKER = "<!-- the tables below are written by make reliability -->"
"""What stands above it in docs/reliability.md is written by hand."""

_LONGEST = 2 * 3600
_GRAPH = {"crashes": "--graph", "load": "--small", "soak": "--small"}
"""The option by which a program is lent the encoder's graph, that it need not be made each time."""
_EXAMPLES = re.compile(r"(\d+) passing")

Record = dict[str, Any]


def prove(promise: Promise, small: Path) -> Record:
    """Run what proves a promise, and return what came of it; `small` is an index to lend the graph of."""
    begun = time.monotonic()
    trials, problems = [], []
    for run_one in (_run_tests, _run_program):
        try:
            trials += run_one(promise, small)
        except FailedError as error:
            problems.append(str(error))
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": machine(),
        "seconds": round(time.monotonic() - begun, 1),
        "trials": trials,
        "problem": "\n".join(problems),
    }


def _run_tests(promise: Promise, _: Path) -> list[str]:
    """Run a promise's tests; return how many there were, and how many examples they drew.

    Raises:
        FailedError: one failed, or none was run.
    """
    if not promise.tests:
        return []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "junit.xml"
        options = ("--hypothesis-show-statistics", f"--junitxml={file}", "-p", "no:xdist")
        ran = run([sys.executable, "-m", "pytest", *options, *promise.tests], bare_environment(), _LONGEST)
        return counted(file.read_text("utf-8"), ran.out)


def counted(junit: str, out: str) -> list[str]:
    """Return what a pytest run tried: its tests, hypothesis' examples, and what tests counted as `trials`.

    Raises:
        FailedError: no test was run.
    """
    suites = ElementTree.fromstring(junit).iter("testsuite")  # noqa: S314 - what pytest has just written
    tests = skipped = own = 0
    for suite in suites:
        tests += int(suite.get("tests", 0))
        skipped += int(suite.get("skipped", 0))
        own += sum(int(one.get("value", 0)) for one in suite.iter("property") if one.get("name") == "trials")
    if tests == skipped:
        raise FailedError("no test was run")
    examples = sum(int(one) for one in _EXAMPLES.findall(out))
    kinds = {"tests": tests - skipped, "trials in them": own, "drawn examples": examples, "skipped": skipped}
    return [f"{count:,} {kind}" for kind, count in kinds.items() if count]


def _run_program(promise: Promise, small: Path) -> list[str]:
    """Run a promise's program; return what it tried.

    Raises:
        FailedError: the promise is broken.
    """
    if not promise.program:
        return []
    name, *arguments = promise.program
    if name in _GRAPH:
        if not small.exists():
            build_small(small)
        arguments += [_GRAPH[name], str(small)]
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    out = run(command, bare_environment(), _LONGEST).out
    if promise.counted:
        found = re.search(promise.counted, out, re.MULTILINE)
        return [f"{int(found[1]):,} trials"] if found else []
    return [str(json.loads(out)["trials"])]


def lines(record: Mapping[str, Record]) -> Iterator[str]:
    """Yield the tables, a part each; of a row that has never been run, just that."""
    machines = {json.dumps(found["machine"]): found["machine"] for found in record.values()}
    for one in machines.values():
        yield (
            f"Run on {one['processor']}, {one['cores']} cores, {one['memory_gb']:.0f} GB, {one['system']}, "
            f"Python {one['python']}."
        )
    yield ""
    for part in PARTS:
        yield from (f"## {part}", "", "| fault | promise | proven by | trials | result |")
        yield "| --- | --- | --- | --- | --- |"
        yield from (_row(one, record.get(one.name)) for one in PROMISES if one.part == part)
        yield ""
    yield from _failures(record)


def _row(promise: Promise, found: Record | None) -> str:
    proof = "<br>".join(f"`{command}`" for command in commands(promise))
    trials, result = _result(found)
    return f"| {promise.fault} | {promise.promise} | {proof} | {trials} | {result} |"


def _result(found: Record | None) -> tuple[str, str]:
    if found is None:
        return "", "not run"
    trials = "<br>".join(found["trials"])
    return trials, f"**broken**, {found['measured']}" if found["problem"] else f"held, {found['measured']}"


def commands(promise: Promise) -> Iterator[str]:
    """Yield the commands that prove a promise, as they are typed."""
    if promise.tests:
        yield f"pytest {' '.join(promise.tests)}"
    if promise.program:
        yield f"python -m benchmarks.{' '.join(promise.program)}"


def _failures(record: Mapping[str, Record]) -> Iterator[str]:
    for one in PROMISES:
        problem = record.get(one.name, {}).get("problem")
        if problem:
            yield from (f"### {one.name}: broken", "", "```", *problem.strip().splitlines(), "```", "")


def write(record: Mapping[str, Record], out: Path) -> None:
    """Write the record, and the page below its marker line."""
    (out / "reliability.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    page = out / "reliability.md"
    written = page.read_text("utf-8") if page.exists() else "# What it survives\n\n"
    head = written.split(MARKER)[0]
    page.write_text(f"{head}{MARKER}\n\n" + "\n".join(lines(record)).rstrip() + "\n", "utf-8")


def main() -> None:
    """Prove the rows and write the table, after each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [one.name for one in PROMISES]
    parser.add_argument("--row", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--list", action="store_true", help="name the rows with what proves them")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    given = parser.parse_args()
    if given.list:
        for one in PROMISES:
            print(f"{one.name}: {'; '.join(commands(one))}")
        return
    file = given.out / "reliability.json"
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    record = {name: before[name] for name in names if name in before}
    broken = []
    with tempfile.TemporaryDirectory() as home:
        for one in (one for one in PROMISES if one.name in given.row):
            record[one.name] = found = prove(one, Path(home) / "small")
            write(record, given.out)
            broken += [one.name] if found["problem"] else []
            print(f"{one.name}: {found['problem'] or ', '.join(found['trials'])}", file=sys.stderr)
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
