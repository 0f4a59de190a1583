"""`footnote eval`: from question sets to measures, fits and pages, and its refusals."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from evaluation.command import eval_command
from index.encoding.encoder import Encoder
from index.search.calibration import load_fit
from index.search.hits import JUDGED, READ
from tests.bot.conftest import Footnote
from tests.evaluation.conftest import QUESTIONS, write_lines


@pytest.mark.parametrize(
    ("arguments", "fit", "sets"),
    [
        (["--fit", "A", "B", "--json", "C"], ["A", "B"], ["C"]),
        (["C", "--fit=A", "--fit", "B", "--", "D"], ["A", "B"], ["C", "D"]),
    ],
)
def test_fit_takes_all_words_up_to_the_next_option(
    arguments: list[str], fit: list[str], sets: list[str]
) -> None:
    params = eval_command.make_context("eval", arguments).params
    assert ([*map(str, params["fit"])], [*map(str, params["sets"])]) == (fit, sets)


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["rock", "--answer-at", "1.5"], 2, "--answer-at: 1.5 is not accepted"),
        (["nowhere"], 69, "no question set at nowhere"),
        (["rock", "--fit", "rock"], 65, "all its articles are in the reported sets too"),
        (["bad", "rock"], 65, "bad/questions.jsonl, line 1: Invalid JSON"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(
    rock: Path, footnote: Footnote, arguments: list[str], status: int, reason: str
) -> None:
    bad = rock.with_name("bad")
    bad.mkdir()
    (bad / "a.txt").write_text("Some text.\n", encoding="utf-8")
    write_lines(bad / "questions.jsonl", ["{", {"id": "x"}])
    outcome = footnote("eval", *arguments)
    assert (outcome.status, outcome.out) == (status, "")
    assert reason in outcome.err
    assert "asking" not in outcome.err


@pytest.mark.usefixtures("rock")
def test_each_question_is_asked_and_each_answerable_one_again_without_its_article(footnote: Footnote) -> None:
    outcome = footnote("eval", "rock", "--json")
    assert outcome.status == 0
    (found,) = json.loads(outcome.out)["sets"]
    rows: dict[tuple[str, str], dict[str, Any]] = {(row["id"], row["kind"]): row for row in found["rows"]}
    answerable = [one["id"] for one in QUESTIONS if one["answerable"]]
    assert [key for key in rows if key[1] == "answerable"] == [(name, "answerable") for name in answerable]
    assert {name for name, kind in rows if kind == "unanswerable"} == {"o2", "b3"}
    assert {name for name, kind in rows if kind == "other"} == set(answerable)
    row = rows["l2", "answerable"]
    assert row["quote"].startswith("Ebba Lind kept the lamp on Gull Rock for thirty-one years.")
    assert (row["cited"][0], row["right"], row["signals"].keys()) == (
        ["lamp", 2],
        True,
        {"dense", *JUDGED, *READ},
    )
    subjects = {"l": "lamp", "b": "bread", "o": "odd/1"}
    for (name, kind), row in rows.items():
        if kind == "other":
            assert subjects[name[0]] not in {article for article, _ in row["cited"]}
            assert row["confidence"] < rows[name, "answerable"]["confidence"]
    assert found["measures"]["first quote right"]["value"] == 1
    assert found["measures"]["other subject: answered"]["value"] == 0


@pytest.mark.usefixtures("home", "rock")
def test_a_fit_judges_the_reported_sets_and_answers_from_then_on(
    bees: Path, footnote: Footnote, encoder: Encoder
) -> None:
    outcome = footnote("eval", str(bees), "--fit", "rock")
    fit = load_fit(Path(".footnote/fit.json"))
    assert (fit.encoder_fingerprint, fit.sets) == (encoder.model.fingerprint, {"rock": 7})
    assert "fit written to .footnote/fit.json" in outcome.out
    assert f"confidence fitted on rock, {fit.made}" in outcome.out
    assert "bees: 1 answerable, 1 unanswerable" in outcome.out
    again = json.loads(footnote("eval", str(bees), "--json").out)
    assert again["fit"]["answers"]["weights"] == fit.answers.weights
    answer = json.loads(footnote("ask", "--json", "--explain", "Who kept the lamp?").out)
    signals = answer["explanation"]["signals"]
    logit = fit.answers.bias + sum(weight * signals[name] for name, weight in fit.answers.weights.items())
    assert answer["confidence"] == pytest.approx(1 / (1 + math.exp(-logit)), abs=0.001)
    assert (answer["verdict"] == "answered") == (answer["confidence"] >= fit.answer_at)


@pytest.mark.usefixtures("rock")
@pytest.mark.parametrize(("report", "file"), [("page", "page/index.html"), ("new/run.html", "new/run.html")])
def test_a_page_loads_nothing_and_shows_other_peoples_text_as_text(
    bees: Path, footnote: Footnote, report: str, file: str
) -> None:
    assert footnote("eval", "rock", str(bees), "--answer-at", "0", "--report", report).status == 0
    page = Path(file).read_text(encoding="utf-8")
    assert [path.name for path in Path(file).parent.iterdir()] == [Path(file).name]
    assert not re.search(
        r"<(script|link|img|svg|iframe|object|embed|base)|\s(on\w+|src|href)=|url\(|@import", page
    )
    assert "default-src 'none'" in page
    assert "&lt;script&gt;alert(&#39;quay&#39;)&lt;/script&gt;" in page
    assert page.count("first quote right") == 2
    assert "Answered wrongly, most confident first (" in page
