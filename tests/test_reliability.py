"""The table of docs/reliability.md is what its renderer makes of what was run, and names what there is."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks.processes import FailedError
from benchmarks.promises import PARTS, PROMISES, Promise
from benchmarks.reliability import MARKER, counted, lines, write

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RECORD = json.loads((DOCS / "reliability.json").read_text("utf-8"))


def test_the_page_is_what_is_made_of_the_record() -> None:
    _, _, tables = (DOCS / "reliability.md").read_text("utf-8").partition(MARKER)
    assert tables.strip() == "\n".join(lines(RECORD)).strip()


def test_every_promise_has_a_result_and_every_result_a_promise() -> None:
    names = [one.name for one in PROMISES]
    assert sorted(RECORD) == sorted(set(names)) == sorted(names)
    assert all(found["trials"] or found["problem"] for found in RECORD.values())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda one: one.name)
def test_what_proves_a_promise_is_there(promise: Promise) -> None:
    assert promise.part in PARTS
    assert promise.tests or promise.program
    for one in promise.tests:
        file, _, name = one.partition("::")
        assert name in (ROOT / file).read_text("utf-8")
    if promise.program:
        assert importlib.util.find_spec(f"benchmarks.{promise.program[0]}")


def test_trials_are_counted_from_the_run() -> None:
    junit = """<testsuites><testsuite tests="3" skipped="1">
        <testcase><properties><property name="trials" value="20"/></properties></testcase>
        </testsuite></testsuites>"""
    out = "  - 60 passing, 0 failing, and 0 invalid test cases\n  - 1 passing, 0 failing test cases"
    assert counted(junit, out) == ["2 tests", "20 trials in them", "61 drawn examples", "1 skipped"]
    with pytest.raises(FailedError, match="no test"):
        counted('<testsuite tests="1" skipped="1"/>', "")


def test_a_row_that_failed_says_so(tmp_path: Path) -> None:
    (tmp_path / "reliability.md").write_text(f"# By hand\n\n{MARKER}\n\nof the last time\n", "utf-8")
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11.7"}
    found = {"measured": "2026-11-26 21:35 UTC", "trials": ["7 tests"], "machine": machine}
    first, second = PROMISES[0].name, PROMISES[1].name
    write({first: {**found, "problem": ""}, second: {**found, "problem": "it was lost"}}, tmp_path)
    text = (tmp_path / "reliability.md").read_text("utf-8")
    assert text.startswith(f"# By hand\n\n{MARKER}\n")
    assert "of the last time" not in text
    assert text.count("Run on a processor, 2 cores, 8 GB, Linux, Python 3.11.7.") == 1
    assert "| 7 tests | held, 2026-11-26 21:35 UTC |" in text
    assert "| 7 tests | **broken**, 2026-11-26 21:35 UTC |" in text
    assert f"### {second}: broken\n\n```\nit was lost\n```" in text
    assert text.count("not run") == len(PROMISES) - 2
