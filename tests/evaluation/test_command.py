"""`footnote eval`: its options, its output, its refusals, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from evaluation.command import eval_command
from evaluation.errors import QuestionSetError, RunError
from evaluation.runs import Run
from index.encoding.encoder import Encoder
from index.errors import MissingError
from index.search.calibration import load_fit
from tests.bot.conftest import WAIT, environment


def invoke(*arguments: object) -> None:
    eval_command.main([str(argument) for argument in arguments], "footnote eval", standalone_mode=False)


def parsed(*arguments: str) -> tuple[Sequence[str], Sequence[str]]:
    context = eval_command.make_context("eval", list(arguments))
    return list(map(str, context.params["fit"])), list(map(str, context.params["sets"]))


@pytest.mark.parametrize(
    ("arguments", "fit", "sets"),
    [
        (["C", "--fit", "A", "B"], ["A", "B"], ["C"]),
        (["--fit", "A", "B", "--limit", "3", "C"], ["A", "B"], ["C"]),
        (["--fit", "A", "--fit", "B", "--", "C", "--fit"], ["A", "B"], ["C", "--fit"]),
        (["--fit=A", "C"], ["A"], ["C"]),
        (["C", "D"], [], ["C", "D"]),
    ],
)
def test_fit_takes_every_word_up_to_the_next_option(
    arguments: list[str], fit: list[str], sets: list[str]
) -> None:
    assert parsed(*arguments) == (fit, sets)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a SET"),
        (["--fit"], "requires an argument"),
        (["C", "--fit", "--json"], "requires an argument"),
        (["--fit", "A", "--report", "page"], "need a SET"),
        (["C", "--fit-out", "fit.json"], "needs --fit"),
        (["C", "--limit", "0"], "not in the range"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        invoke(*arguments)


def test_what_is_wrong_with_files_is_told_before_anything_is_asked(harbour: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError):
        invoke(harbour, "--compare", tmp_path / "run.json")
    with pytest.raises(MissingError):
        invoke(harbour, "--fit", tmp_path / "none")
    with pytest.raises(QuestionSetError, match="nothing is left to fit to"):
        invoke(harbour, "--fit", harbour)
    (harbour / "questions.jsonl").write_text("{}\n")
    with pytest.raises(QuestionSetError):
        invoke(harbour)


def test_help_and_refusals_import_nothing_heavy(harbour: Path) -> None:
    program = (
        "import sys\n"
        "from evaluation.command import eval_command\n"
        "heavy = 'torch numpy sklearn scipy matplotlib discord pydantic jinja2 rich'.split()\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "eval_command.main(['--help'], 'footnote eval')\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
        env=environment(PYTHONPATH=str(root)),
    )
    assert done.stdout.startswith("[]\n")
    assert "--compare RUN.json" in done.stdout


def test_a_run_is_fitted_to_the_default_file_and_compared(
    run: Run, harbour: Path, bees: Path, capsys: pytest.CaptureFixture[str], encoder: Encoder
) -> None:
    Path("run.json").write_text(json.dumps(run.as_json()))
    invoke(bees, "--fit", harbour, "--compare", "run.json", "--answer-at", "0.4")
    out, err = capsys.readouterr()
    fit = load_fit(Path(".footnote/fit.json"))
    assert (fit.encoder_fingerprint, fit.sets) == (encoder.model.fingerprint, (("harbour", 7),))
    assert "written: .footnote/fit.json" in err
    assert "confidence fitted to harbour (7 questions)" in out
    assert "bees: 1 article(s), 1 answerable, 1 unanswerable" in out
    assert "bees: 2 asked in both runs" in out
