"""`footnote eval` in the program: from questions to every file, and statuses that say what is wrong."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.runs import load_run
from index.encoding.encoder import Encoder
from index.search.calibration import load_fit, save_fit
from index.search.signals import JUDGED
from tests.bot.conftest import WAIT, Footnote, Outcome, environment, finish, start
from tests.bot.made import FIT
from tests.evaluation.conftest import HOSTILE, QUESTIONS

_HEAVY = "torch numpy scipy sklearn matplotlib jinja2 discord transformers faiss pydantic rich".split()

# Runs the program in a process of its own that tells, last of all, what of the above it imported.
_WATCHED = f"""
import atexit, sys
atexit.register(
    lambda: print("imported:", *[name for name in {_HEAVY!r} if name in sys.modules], file=sys.stderr)
)
from bot.cli import main
main(sys.argv[1:])
"""


def watched(*arguments: str) -> tuple[Outcome, set[str]]:
    """Run the program; return how it ended, and the heavy packages that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
        env=environment(),
    )
    err, _, imported = done.stderr.rpartition("imported:")
    return Outcome(done.returncode, done.stdout, err), set(imported.split())


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), ([], 2), (["--fit"], 2)])
def test_help_and_a_call_that_makes_no_sense_import_nothing_heavy(arguments: list[str], status: int) -> None:
    outcome, imported = watched("eval", *arguments)
    assert (outcome.status, imported) == (status, set())
    assert "footnote eval [OPTIONS] SET..." in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--fit", "harbour", "--csv", "rows.csv"], 2, "need a SET to ask"),
        (["harbour", "--answer-at", "1.5"], 2, "--answer-at: 1.5 is not accepted"),
        (["nowhere"], 69, "no question set at nowhere"),
        (["harbour", "--compare", "none.json"], 69, "none.json"),
        (["harbour", "--compare", "harbour/questions.jsonl"], 65, "questions.jsonl"),
        (["harbour", "--fit", "harbour"], 65, "nothing is left to fit to"),
        (["bad"], 65, "questions.jsonl, line 1: not JSON"),
    ],
)
def test_what_is_wrong_is_told_with_its_status_before_torch_is_imported(
    harbour: Path, tmp_path: Path, arguments: list[str], status: int, told: str
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/questions.jsonl").write_text("{", encoding="utf-8")
    (tmp_path / "bad/a.txt").write_text("Some text.\n", encoding="utf-8")
    outcome, imported = watched("eval", *arguments)
    assert outcome.status == status
    assert told in outcome.err
    assert not {"torch", "discord", "transformers"} & imported
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


def test_a_fit_file_that_is_none_is_65_by_its_name(harbour: Path, footnote: Footnote) -> None:
    Path(".footnote").mkdir()
    Path(".footnote/fit.json").write_text("{}", encoding="utf-8")
    outcome = footnote("eval", "harbour")
    assert outcome.status == 65
    assert "fit.json: no fit of format 1" in outcome.err


def test_a_run_by_the_installed_program_is_printed_and_written_and_the_same_again(
    harbour: Path, footnote: Footnote, encoder: Encoder
) -> None:
    outcome = finish(start("eval", "harbour", "--json", "--csv", "rows.csv", "--report", "page"))
    assert outcome.status == 0
    assert {"written: rows.csv", "written: page/index.html"} <= set(outcome.err.splitlines())
    assert "harbour: encoding: " in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert outcome.out.count("\n") == 1
    Path("run.json").write_text(outcome.out, encoding="utf-8")
    run = json.loads(outcome.out)
    assert run["encoder"]["fingerprint"] == encoder.model.fingerprint
    assert_rows_are_those_of(run)
    assert_is_one_page()

    again = footnote("eval", "harbour", "--json", "--compare", "run.json")
    (difference,) = json.loads(again.out)["comparison"]
    assert (difference["common"], difference["only_now"], difference["only_before"]) == (12, 0, 0)
    assert (difference["won"], difference["lost"]) == ([], [])
    values = {one["value"] for name, one in difference["differences"].items() if not name.startswith("ms")}
    assert values <= {0, None}


def assert_rows_are_those_of(run: dict[str, Any]) -> None:
    """Hold that rows.csv has a row for each asking of the run, with the same verdict and confidence."""
    (rows,) = (one["rows"] for one in run["sets"])
    assert [row["id"] for row in rows if row["kind"] != "other"] == [one["id"] for one in QUESTIONS]
    with Path("rows.csv").open(newline="", encoding="utf-8") as opened:
        written = list(csv.DictReader(opened))
    keys = ("id", "kind", "verdict", "question")
    assert [[one[key] for key in keys] for one in written] == [[one[key] for key in keys] for one in rows]
    assert [float(one["confidence"]) for one in written] == [one["confidence"] for one in rows]
    assert {name.removeprefix("signal ") for name in written[0] if name.startswith("signal ")} == set(JUDGED)
    assert list(load_run(Path("run.json"))) == ["harbour"]


def assert_is_one_page() -> None:
    """Hold that the report is one file that needs no other, and shows text as text."""
    assert [path.name for path in Path("page").iterdir()] == ["index.html"]
    page = Path("page/index.html").read_text(encoding="utf-8")
    assert "harbour" in page
    assert HOSTILE not in page
    assert "<script" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_a_fit_by_the_program_is_what_answers_are_judged_by_from_then_on(
    home: Path, harbour: Path, bees: Path, footnote: Footnote, encoder: Encoder
) -> None:
    outcome = footnote("eval", str(bees), "--fit", "harbour", "--fit-out", "mine.json")
    assert outcome.status == 0
    assert "written: mine.json" in outcome.err
    assert not Path(".footnote/fit.json").exists()
    fit = load_fit(Path("mine.json"), JUDGED)
    assert (fit.encoder_fingerprint, fit.sets) == (encoder.model.fingerprint, (("harbour", 7),))
    assert "confidence fitted to harbour (7 questions)" in outcome.out

    told = json.loads(footnote("index", "status", "--json", "--fit-file", "mine.json").out)
    assert told["confidence"] == f"fitted on harbour, {fit.made}"
    asked = footnote("ask", "--json", "--explain", "--fit-file", "mine.json", "Who kept the lamp?")
    answer = json.loads(asked.out)
    assert answer["explanation"]["weights"] == dict(fit.weights)
    assert answer["explanation"]["answer_at"] == fit.answer_at
    signals = answer["explanation"]["hits"][0]["signals"]
    odds = fit.bias + sum(weight * signals[name] for name, weight in fit.weights)
    assert answer["confidence"] == pytest.approx(1 / (1 + math.exp(-odds)), abs=0.001)
    assert (answer["verdict"] == "answered") == (answer["confidence"] >= fit.answer_at)


def test_a_run_is_judged_by_the_fit_file_and_the_bar_that_are_set(
    harbour: Path, footnote: Footnote, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = replace(
        FIT,
        encoder_fingerprint=encoder.model.fingerprint,
        bias=0.0,
        weights=tuple((name, 0.0) for name in JUDGED),
    )
    save_fit(half, Path("half.json"))
    monkeypatch.setenv("FOOTNOTE_FIT_FILE", "half.json")
    run = json.loads(footnote("eval", "harbour", "--json", "--limit", "2", "--answer-at", "0.6").out)
    (rows,) = (one["rows"] for one in run["sets"])
    assert {(row["confidence"], row["verdict"]) for row in rows} == {(0.5, "related")}
    assert len({row["id"] for row in rows}) == 2
    assert (run["limit"], run["fitted"], run["settings"]["answer_at"]) == (2, None, 0.6)
