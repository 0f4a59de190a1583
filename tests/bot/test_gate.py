"""The gate: a rebuild that loses gold questions is not published, and says which ones those are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.service.rebuild import Rebuilder
from bot.settings import BotSettings
from evaluation.gate import GoldGate, _name, find_gate
from evaluation.questions import Question
from index.build import BuildReport, build_index
from index.encoding.encoder import Encoder
from index.errors import GateError, MissingError, ShrunkError
from index.progress import Progress
from index.search.calibration import FitError
from index.storage.gate import Gold
from index.storage.generations import State, history
from index.storage.manifest import GATE, KEPT, REFUSED, read_pointer
from index.storage.verification import index_status, verify
from tests.bot.conftest import LAMP, Footnote

INDEX = Path(".footnote/index")
GOLD: tuple[dict[str, Any], ...] = (
    {"id": "q1", "question": "Who kept the lamp on Gull Rock?", "answers": ["Ebba Lind"], "answerable": True},
    {
        "id": "q2",
        "question": "Why does sourdough rise slowly?",
        "answers": ["wild yeast"],
        "answerable": True,
    },
    {"id": "q3", "question": "How tall is Everest?", "answers": [], "answerable": False},
    {"id": "q4", "question": "How tall is the lamp of Everest?", "answers": ["8 km"], "answerable": True},
)


def ask_for(*gold: dict[str, Any], file: str = "articles/questions.jsonl") -> Path:
    Path(file).write_text("".join(f"{json.dumps(one)}\n" for one in gold), encoding="utf-8")
    return Path(file)


def lose_the_keeper() -> None:
    """Take the only sentence that answers the first question out of its article."""
    text = LAMP.replace("Ebba Lind kept the lamp on Gull Rock for thirty-one years. She", "The keeper")
    assert text != LAMP
    Path("articles/lamp.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def build(home: Path, encoder: Encoder) -> Callable[..., BuildReport]:
    """Build as the program does, with the gate that the settings call for."""

    def run(progress: Callable[[Progress], None] = lambda step: None, **options: Any) -> BuildReport:
        settings = BotSettings.load(**options)
        return build_index(settings, progress, encoder, gate=find_gate(settings))

    return run


def report() -> dict[str, Any]:
    (folder,) = INDEX.glob(f"{REFUSED}*")
    fields: dict[str, Any] = json.loads((folder / GATE).read_bytes())
    return fields


def test_generation_that_loses_a_gold_question_is_kept_aside_with_a_report(
    build: Callable[..., BuildReport],
) -> None:
    ask_for(*GOLD)
    lose_the_keeper()
    before, kept = read_pointer(INDEX), index_status(INDEX)
    steps: list[Progress] = []
    with pytest.raises(GateError) as raised:
        build(steps.append)
    assert raised.value.exit_status == 65
    told = str(raised.value)
    assert (
        f"1 gold question of articles/questions.jsonl would be lost, which {before.generation} answers"
        in told
    )
    assert "\n  q1: Who kept the lamp on Gull Rock?\n" in told
    assert "q2" not in told
    assert "refused-000002-" in told
    assert (read_pointer(INDEX), index_status(INDEX)) == (before, kept)
    assert verify(INDEX) == []
    fields = report()
    (lost,) = fields.pop("lost")
    assert fields.items() >= {"asked": 4, "answered": 2, "gate_at": 1.0, "serving": before.generation}.items()
    assert (lost["id"], lost["before"]["verdict"], lost["before"]["right"]) == ("q1", "answered", True)
    assert "Ebba Lind" in lost["before"]["quote"]
    assert "Ebba Lind" not in lost["after"]["quote"]
    assert [one.state for one in history(INDEX)] == [State.REFUSED, State.SERVING]
    # All are asked of the new one, and of the old one only what the new one gets wrong.
    asked = [(step.stage, step.total) for step in steps if step.stage.startswith("asking")]
    assert asked == [("asking the gold questions", 4)] * 4 + [("asking the generation before", 2)] * 2


def test_refused_once_it_is_built_again_without_encoding_and_only_one_is_kept(
    build: Callable[..., BuildReport],
) -> None:
    ask_for(*GOLD)
    lose_the_keeper()
    for _ in range(2):
        with pytest.raises(GateError):
            build()
    assert len(list(INDEX.glob(f"{REFUSED}*"))) == 1
    done = build(gate_at=0.4)
    assert (done.passages_encoded, done.passages_resumed > 0) == (0, True)
    assert not list(INDEX.glob(f"{REFUSED}*")) + [INDEX / KEPT] * (INDEX / KEPT).exists()


def test_share_that_must_stay_answered_is_that_of_what_was_answered_before(
    build: Callable[..., BuildReport],
) -> None:
    """Three were answered right, q4 never was: two of three are kept."""
    ask_for(*GOLD)
    lose_the_keeper()
    with pytest.raises(GateError):
        build(gate_at=0.67)
    done = build(gate_at=0.66)
    assert done.gold == Gold(4, 2, ("q1: Who kept the lamp on Gull Rock?",))
    assert done.summary().endswith("2 of 4 gold questions answered, 1 lost.")


def test_first_build_can_lose_nothing_and_says_how_many_are_answered(
    home: Path, build: Callable[..., BuildReport]
) -> None:
    ask_for(*GOLD)
    for name in ("CURRENT", read_pointer(INDEX).generation):
        path = INDEX / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert build().gold == Gold(4, 3)
    assert build().gold is None, "nothing has changed, so nothing is asked"


def test_question_that_the_articles_cannot_answer_is_lost_when_it_is_answered(
    build: Callable[..., BuildReport],
) -> None:
    ask_for(
        {"id": "p", "question": "Who painted the door of the bakery?", "answers": [], "answerable": False}
    )
    Path("articles/door.txt").write_text(
        "Doors\n\nNils Berg painted the door of the bakery.\n", encoding="utf-8"
    )
    with pytest.raises(GateError, match="p: Who painted the door"):
        build()
    assert report()["lost"][0]["after"]["verdict"] == "answered"


def test_new_generation_is_not_published_while_it_is_asked_nor_when_asking_is_cut_off(
    build: Callable[..., BuildReport],
) -> None:
    ask_for(*GOLD)
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    before = read_pointer(INDEX)

    def cut(step: Progress) -> None:
        if step.stage.startswith("asking"):
            assert read_pointer(INDEX) == before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(cut)
    assert read_pointer(INDEX) == before
    assert [one.generation for one in history(INDEX)] == [before.generation]
    assert build().passages_encoded == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "line 2: not JSON"),
        (
            b'{"id": "q1", "question": "x", "answers": ["y"], "answerable": true}',
            "line 2: the id 'q1' is taken",
        ),
        (b'{"id": "x", "question": "x", "answers": []}', 'line 2: has no "answerable"'),
        (b"\xff", "line 2: not UTF-8"),
    ],
)
def test_gold_questions_that_are_none_are_refused_by_line_before_anything_is_built(
    home: Path, line: bytes, told: str
) -> None:
    file = ask_for(GOLD[0])
    file.write_bytes(file.read_bytes() + line)
    with pytest.raises(GateError, match=f"questions.jsonl, {told}") as raised:
        find_gate(BotSettings.load())
    assert raised.value.exit_status == 65
    assert find_gate(BotSettings.load(gate_at=0)) is None


def test_gold_questions_are_where_the_settings_or_the_articles_have_them(home: Path) -> None:
    def file_of(**options: Any) -> Path | None:
        gate = find_gate(BotSettings.load(**options))
        return gate.file if gate else None

    assert file_of() is None
    with pytest.raises(
        MissingError, match=r"no file of gold questions at none\.jsonl.*FOOTNOTE_GATE"
    ) as raised:
        file_of(gate="none.jsonl")
    assert raised.value.exit_status == 69
    with pytest.raises(MissingError):
        file_of(gate="articles")
    beside = ask_for(GOLD[0])
    single = ask_for(GOLD[0], file="articles/lamp.questions.jsonl")
    named = ask_for(GOLD[0], file="gold.jsonl")
    assert file_of() == beside
    assert file_of(articles="articles/lamp.txt") == single
    assert file_of(articles="articles/bread.md") is None
    assert file_of(gate="gold.jsonl") == named
    Path("fit.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FitError):
        file_of(fit_file="fit.json")


def test_names_of_lost_questions_are_harmless_and_at_most_twenty(home: Path) -> None:
    def question(number: int) -> Question:
        text = f"red \x1b[31m\n\u202e{number} " + "x" * 500
        return Question(f"q{number}", text, ("a",), True, None, ())

    gate = GoldGate(BotSettings.load(), Path("gold.jsonl"), tuple(map(question, range(25))))
    gold = Gold(25, 0, tuple(map(_name, gate.questions)))

    class Old:
        name = "000001-x"

    told = gate._refusal(gold, Old())  # type: ignore[arg-type]
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert len(told.splitlines()) == 22
    assert "q19" in told
    assert "q20" not in told
    assert told.endswith("and 5 more")
    assert max(map(len, told.splitlines())) < 120


async def test_rebuild_of_its_own_process_asks_and_refuses_with_what_it_was_given(home: Path) -> None:
    """The gate's file and what answers are judged by reach it, though it has no FOOTNOTE_ variable."""
    gold = ask_for(*GOLD, file="gold.jsonl")
    lose_the_keeper()
    Path("articles/bread.md").unlink()
    Path("articles/odd.jsonl").unlink()
    settings = BotSettings.load(gate=gold, shrink=0.5)
    with pytest.raises(ShrunkError, match=r"1 article at articles.*holds 3.*--force.*force:True"):
        await Rebuilder(settings).run(lambda step: None)
    steps: list[Progress] = []
    with pytest.raises(GateError, match=r"2 gold questions of gold\.jsonl would be lost(.|\n)*q1(.|\n)*q2"):
        await Rebuilder(settings).run(steps.append, force=True)
    assert "asking the gold questions" in {step.stage for step in steps}
    # At a confidence that nothing has, nothing was answered before, and nothing can be lost.
    sure = BotSettings.load(gate=gold, answer_at=1.0, shrink=0.9)
    done = await Rebuilder(sure).run(lambda step: None)
    assert done.gold == Gold(4, 1)


def test_shell_says_what_is_asked_and_what_was_lost(home: Path, footnote: Footnote) -> None:
    ask_for(*GOLD)
    lose_the_keeper()
    planned = footnote("index", "build", "--dry-run")
    assert (planned.status, "4 gold questions in articles/questions.jsonl would be asked" in planned.err) == (
        0,
        True,
    )
    refused = footnote("index", "build")
    assert refused.status == 65
    assert "q1: Who kept the lamp on Gull Rock?" in refused.err
    assert "1 gold question lost" in footnote("index", "history").out
    as_json = footnote("index", "build", "--json")
    assert json.loads(as_json.out.splitlines()[-1])["error"]["class"] == "GateError"
    passed = footnote("index", "build", "--gate-at", "0.5")
    assert passed.status == 0
    assert "note: gold question lost: q1: Who kept the lamp on Gull Rock?" in passed.err
    assert "2 of 4 gold questions answered, 1 lost." in passed.out
