"""The gate: a rebuild that loses gold questions is not published, and names them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.service.rebuild import Rebuilder
from bot.settings import BotSettings
from evaluation.gate import find_gate
from index.errors import GateError, MissingError
from index.search.calibration import FitError
from tests.bot.conftest import LAMP, Footnote
from tests.evaluation.conftest import question, write_lines

INDEX = Path(".footnote/index")
GOLD = (
    question("q1", "Who kept the lamp on Gull Rock?", "Ebba Lind"),
    question("q2", "Why does sourdough rise slowly?", "wild yeast"),
    question("q3", "How tall is Everest?"),
    question("q4", "How tall is the lamp of Everest?", "8 km"),
)
"""Of these, the articles answer the first two; the last is never answered rightly."""


def write_gold(*gold: dict[str, Any], file: str = "articles/questions.jsonl") -> Path:
    return write_lines(Path(file), list(gold))


def lose_the_keeper() -> None:
    """Take the only sentence that answers the first question out of its article."""
    text = LAMP.replace("Ebba Lind kept the lamp on Gull Rock for thirty-one years. She", "The keeper")
    assert text != LAMP
    Path("articles/lamp.txt").write_text(text, encoding="utf-8")


def serving(footnote: Footnote) -> str:
    """Return the name of the serving generation."""
    return str(json.loads(footnote("index", "status", "--json").out)["generation"])


@pytest.mark.usefixtures("home")
def test_a_build_that_loses_a_gold_question_is_set_aside_with_a_report(footnote: Footnote) -> None:
    write_gold(*GOLD)
    lose_the_keeper()
    before = serving(footnote)
    planned = footnote("index", "build", "--dry-run")
    assert "4 gold questions in articles/questions.jsonl would be asked" in planned.err
    refused = footnote("index", "build")
    assert refused.status == 65
    assert f"1 gold question of articles/questions.jsonl, answered by {before}, would be lost" in refused.err
    assert "\n  q1: Who kept the lamp on Gull Rock?\n" in refused.err
    assert "q2" not in refused.err
    assert serving(footnote) == before
    assert "1 gold question lost" in footnote("index", "history").out
    (file,) = INDEX.glob("refused-*/gate.json")
    report = json.loads(file.read_bytes())
    (lost,) = report["lost"]
    assert (report["serving"], report["asked"], report["answered"]) == (before, 4, 2)
    assert (lost["question"], lost["before"]["verdict"]) == (GOLD[0]["question"], "answered")
    assert "Ebba Lind" in lost["before"]["quote"]
    assert "Ebba Lind" not in lost["after"]["quote"]
    as_json = footnote("index", "build", "--json")
    assert json.loads(as_json.out.splitlines()[-1])["error"]["class"] == "GateError"


@pytest.mark.usefixtures("home")
def test_the_setting_says_which_share_of_what_was_answered_must_stay_answered(footnote: Footnote) -> None:
    """Three of the four pass, and one of these is lost."""
    write_gold(*GOLD)
    lose_the_keeper()
    assert footnote("index", "build", "--gate-at", "0.67").status == 65
    passed = footnote("index", "build", "--gate-at", "0.66")
    assert passed.status == 0
    assert "note: gold question lost: q1: Who kept the lamp on Gull Rock?" in passed.err
    assert "2 of 4 gold questions answered, 1 lost." in passed.out


@pytest.mark.usefixtures("home")
def test_a_first_build_can_lose_nothing(footnote: Footnote) -> None:
    write_gold(*GOLD)
    shutil.rmtree(INDEX / serving(footnote))
    (INDEX / "CURRENT").unlink()
    assert "3 of 4 gold questions answered." in footnote("index", "build").out


@pytest.mark.usefixtures("home")
def test_an_unanswerable_question_is_lost_if_it_is_answered(footnote: Footnote) -> None:
    write_gold(question("p", "Who painted the door of the bakery?"))
    Path("articles/door.txt").write_text("Doors\n\nNils Berg painted the door of the bakery.\n")
    refused = footnote("index", "build")
    assert (refused.status, "p: Who painted the door" in refused.err) == (65, True)


@pytest.mark.usefixtures("home")
def test_bad_lines_are_named_before_anything_is_built(footnote: Footnote) -> None:
    file = write_gold(GOLD[0], GOLD[0], {"id": "x", "question": "Why?"})
    file.write_bytes(file.read_bytes() + b"{\n\xff")
    refused = footnote("index", "build")
    assert refused.status == 65
    for number, reason in enumerate(("the id 'q1'", "answerable: Field required", "Invalid", "Invalid"), 2):
        assert f"questions.jsonl, line {number}: {reason}" in refused.err
    assert "encoding" not in refused.err
    assert find_gate(BotSettings.load(gate_at=0)) is None


@pytest.mark.usefixtures("home")
def test_gold_questions_are_where_the_settings_say_or_beside_the_articles() -> None:
    def file_of(**options: Any) -> Path | None:
        gate = find_gate(BotSettings.load(**options))
        return gate.file if gate else None

    assert file_of() is None
    for missing in ("none.jsonl", "articles"):
        with pytest.raises(MissingError, match="FOOTNOTE_GATE") as raised:
            file_of(gate=missing)
        assert raised.value.exit_status == 69
    beside = write_gold(GOLD[0])
    single = write_gold(GOLD[0], file="articles/lamp.questions.jsonl")
    named = write_gold(GOLD[0], file="gold.jsonl")
    assert file_of() == beside
    assert file_of(articles="articles/lamp.txt") == single
    assert file_of(articles="articles/bread.md") is None
    assert file_of(gate="gold.jsonl") == named
    Path(".footnote/fit.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FitError):
        file_of()


@pytest.mark.usefixtures("home")
def test_lost_questions_are_shown_harmless_short_and_twenty_at_most(footnote: Footnote) -> None:
    hostile = "Who kept the lamp on Gull Rock?\x1b[\n\u202e" + "?" * 200
    write_gold(*({**GOLD[0], "id": f"q{number}", "question": hostile} for number in range(25)))
    lose_the_keeper()
    refused = footnote("index", "build")
    lines = refused.err.partition("footnote: ")[2].splitlines()
    assert "25 gold questions of" in lines[0]
    assert lines[21] == "  and 5 more"
    assert max(map(len, lines[1:21])) < 120
    assert not {"\x1b", "\u202e"} & set(refused.err)


async def test_a_rebuild_in_its_own_process_asks_with_the_settings_it_was_given(home: Path) -> None:
    gold = write_gold(*GOLD, file="gold.jsonl")
    lose_the_keeper()
    with pytest.raises(
        GateError, match=r"1 gold question of gold\.jsonl, answered by .*, would be lost(.|\n)*q1"
    ):
        await Rebuilder(BotSettings.load(gate=gold)).run(lambda step: None)
    # At a confidence that nothing reaches nothing was answered before, so nothing can be lost.
    done = await Rebuilder(BotSettings.load(gate=gold, answer_at=1.0)).run(lambda step: None)
    assert done.gold is not None
    assert (done.gold.asked, done.gold.answered, done.gold.lost) == (4, 1, ())
