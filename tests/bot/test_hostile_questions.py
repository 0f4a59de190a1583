"""Any question, the whole way to what people see: no error, bounded work, and a note if it was cut."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given

from bot.answering.answer import Answer
from bot.answering.followups import Earlier
from bot.answering.verify import verify
from bot.service.answerer import Answerer
from bot.terminal.ask import make_console, show
from index.search.spelling import Vocabulary
from tests.bot.conftest import Footnote
from tests.strategies import hostile_text

TEXTS = hostile_text("lamp", "Gull Rock", "1871", "rowid", "\u0301" * 50, surrogates=True, most=20)
LONG = {
    "letters": "a" * 1_000_000,
    "words": "lamp " * 200_000,
    "fractions": "1/" * 500_000,
    "spaces, then a question": " " * 1_000_000 + "Who kept the lamp?",
    "combining": "Who kept the lamp" + "\u0301\u0316\u0489" * 100_000,
    "expanding": "\ufdfa" * 300_000,
    "half characters": "\ud800" * 1_000_000,
    "syntax": "NEAR(" * 200_000,
    "names": "Aa Bb of " * 100_000,
    "ideographs": "海。" * 500_000,
}


def shown(answer: Answer) -> str:
    """Return what the terminal shows of an answer, after putting it through JSON."""
    assert json.loads(json.dumps(answer.as_json()))["question"] == answer.question
    console = make_console()
    with console.capture() as captured:
        show(console, answer, heading=True, explain=True)
    return captured.get()


@given(TEXTS, TEXTS)
def test_any_question_and_any_follow_up_to_it_is_answered(answerer: Answerer, text: str, after: str) -> None:
    first = answerer.answer(text)
    follow_up = answerer.answer(after, earlier=Earlier.of(first))
    for answer in (first, follow_up, answerer.answer(text, after, Earlier(after, after))):
        assert not {"\x1b", "\x00", "\u202e", "\ud800"} & set(shown(answer))
    assert answerer.article(after) is None or after in {"lamp", "bread"}
    verify(f'{text} "{after}" > {text}', answerer.store)


@pytest.mark.parametrize("name", LONG)
def test_megabyte_is_answered_from_its_beginning_with_a_note(answerer: Answerer, name: str) -> None:
    text = LONG[name]
    answer = answerer.answer(text)
    assert ("Only the first" in shown(answer)) == bool(answer.read_only) == bool(text[2_000:].strip())
    assert answer.read_only <= 2_000
    assert answer.reasons
    question = answer.reasons.found.question
    assert len(question.text) <= 3 * 2_000
    assert len(question.terms) <= 32
    assert sum(len(form) for term in question.terms for form in term.forms) <= 40 * 2_000
    shown(answerer.answer("And who kept it?", earlier=Earlier(text, text)))
    assert len(verify(text, answerer.store)) <= 10
    assert answerer.vector(text).shape == (384,)


def test_beginning_of_a_long_question_is_what_it_is_answered_by(answerer: Answerer) -> None:
    question = "Who kept the lamp on Gull Rock for thirty-one years?"
    answer = answerer.answer(f"{question} {'x' * 5_000}")
    assert (answer.citations[0].article, answer.read_only) == ("lamp", 2_000)
    assert answerer.answer(question + " " * 5_000).read_only == 0


def test_words_beyond_the_encoder_s_window_are_reported_as_not_read(answerer: Answerer) -> None:
    text = "lamp rock " * 180  # the encoder reads some 250 tokens and silently drops the others
    read = answerer.answer(text).read_only
    assert 0 < read < len(text)
    assert answerer.answer(text[: read - 20]).read_only == 0


def test_spelling_looks_up_a_bounded_number_of_pairs() -> None:
    pairs = []

    def adjacent(left: str, right: str) -> bool:
        pairs.append((left, right))
        return False

    letters = random.Random(1)
    typed = ["".join(letters.choices("abcdefghijklmnop", k=30)) for _ in range(20)]
    halves = {half: 1 for word in typed for at in range(2, 29) for half in (word[:at], word[at:])}
    Vocabulary(halves).read(typed, (), adjacent)
    assert 100 < len(pairs) <= 200


def test_a_question_in_a_shell_may_be_anything(home: Path, footnote: Footnote) -> None:
    for text in ["NEAR(", '"', "\ud800", "\x1b]0;x\x07", "--", "9" * 100_000]:
        outcome = footnote("ask", "--", text)
        assert outcome.status == 0
        assert "\x1b" not in outcome.out
