"""Any question, the whole way to what people see: no error, bounded work, and a note where it is cut."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.alignment import compare, places_of
from bot.answering.answer import Answer
from bot.answering.explanation import explanation_lines
from bot.answering.followups import Earlier
from bot.chat.words import languages, words_in
from bot.discordapp.render import answer_embed, asked_line
from bot.service.answerer import Serving
from bot.settings import BotSettings
from bot.terminal.ask import ask_batch
from bot.terminal.lines import LONGEST, lines_of
from bot.terminal.rendering import make_console, show
from index.search.spelling import Vocabulary
from index.search.values import find_values
from tests.bot.conftest import Footnote
from tests.wire.limits import check_message

SYNTAX = [
    '"', "'", "*", "^", "(", ")", "-", "+", ":", "{", "}", ",", "text:", "title :", "{text title}:",
    "- text:", "NEAR", "NEAR(", ", 10)", "AND", "OR", "NOT", "lamp*", "^lamp", '"lamp', "%", "_", "\\", "?",
    "'; DROP TABLE passages; --", "/*", "*/", "\x00", "lamp", "Gull Rock", "1871", "rowid", "passage_words",
]  # fmt: skip
ODD = [
    "\ud800", "\udfff", "\u202e", "\u2066", "\u200b", "\ufeff", "\u0301" * 50, "\ufdfa", "\ufb01", "\uff21",
    "\u0430", "\u0455", "\U0001d160", "\U0001d7d7", "\u0663", "\u0130", "\xdf", "\u0149", "\u1e9b\u0323",
    "\u1112\u1161\u11ab", "\U0001f469\u200d\U0001f467", "\U000e0041", "\U0010ffff", "\x1b[31m", "\u2028",
    "\xbd", "\u2153", "\xb2", "\u2116", "\u2122", "\u0345", "\U0001d54f",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(SYNTAX + ODD) | st.text(st.characters(), max_size=12), max_size=20).map(
    " ".join
)
LONG = {
    "letters": "a" * 1_000_000,
    "words": "lamp " * 200_000,
    "run together": "lamprockoil" * 90_000,
    "digits": "9" * 100_000,
    "strokes": "1/" * 500_000,
    "spaces": " " * 1_000_000,
    "spaces, then a question": " " * 1_000_000 + "Who kept the lamp?",
    "zalgo": "Who kept the lamp" + "\u0301\u0316\u0489" * 100_000,
    "expanding": "\ufdfa" * 300_000,
    "composing": "\U0001d160" * 300_000,
    "half characters": "\ud800" * 1_000_000,
    "overrides": "\u202e" * 1_000_000,
    "quotes": '"' * 1_000_000,
    "brackets": "NEAR(" * 200_000,
    "names": "Aa Bb of " * 100_000,
    "lines": "- a\n" * 250_000,
    "ideographs": "海。" * 500_000,
}


@pytest.fixture(scope="module")
def serving(built: Path) -> Iterator[Serving]:
    """Answer from the small article set, with the real encoder."""
    options = {"articles": built / "articles", "index": built / ".footnote/index"}
    opened = Serving.first(BotSettings.load(**options))
    yield opened
    opened.close()


def seen(answer: Answer) -> str:
    """Show an answer everywhere; return what the terminal shows."""
    assert json.loads(json.dumps(answer.as_json()))["question"] == answer.question
    for language in languages():
        embed = answer_embed(answer, words_in(language))
        check_message({"content": asked_line(answer.question), "embeds": [embed.to_dict()]})
    console = make_console()
    with console.capture() as captured:
        show(console, answer)
        console.print(*explanation_lines(answer))
    return captured.get()


@given(TEXTS, TEXTS)
def test_any_question_and_any_follow_up_to_it_is_answered(serving: Serving, text: str, after: str) -> None:
    first = serving.answer(text, None, None)
    seen(first)
    seen(serving.answer(after, None, Earlier.of(first)))
    seen(serving.answer(text, after, Earlier(after, text, text, after)))
    assert serving.article(after) is None or after in {"lamp", "bread"}
    serving.check(f'{text} "{after}" > {text}')


@pytest.mark.parametrize("name", LONG)
def test_a_megabyte_is_answered_from_its_beginning_and_that_is_said(serving: Serving, name: str) -> None:
    text = LONG[name]
    answer = serving.answer(text, None, None)
    shown = seen(answer)
    assert ("Only the first" in shown) == bool(answer.read_only) == bool(text[2_000:].strip())
    assert answer.read_only <= 2_000
    assert answer.reasons
    question = answer.reasons.found.question
    assert len(question.text) <= 3 * 2_000
    assert len(question.terms) <= 32
    assert sum(len(form) for term in question.terms for form in term.forms) <= 40 * 2_000
    seen(serving.answer("And who kept it?", None, Earlier(text, text, text, text)))
    assert len(serving.check(text)) <= 10
    assert serving.vector(text).shape == (384,)


def test_the_beginning_of_a_long_question_is_what_it_is_answered_by(serving: Serving) -> None:
    question = "Who kept the lamp on Gull Rock for thirty-one years?"
    long = f"{question} {'x' * 5_000}"
    assert serving.answer(long, None, None).citations[0].article == "lamp"
    assert serving.answer(long, None, None).read_only == 2_000
    assert serving.answer(question + " " * 5_000, None, None).read_only == 0


def test_words_that_the_encoder_has_no_room_for_are_said_not_to_be_read(serving: Serving) -> None:
    """It reads some 250 tokens; what comes after them is cut as silently as could be, if nobody looks."""
    text = "lamp rock " * 180
    read = serving.answer(text, None, None).read_only
    assert 0 < read < len(text)
    assert serving.answer(text[: read - 20], None, None).read_only == 0


@pytest.mark.parametrize("language", languages())
def test_discord_says_in_each_language_that_a_question_was_cut(serving: Serving, language: str) -> None:
    answer = serving.answer("lamp " * 1_000, None, None)
    said = words_in(language)("read_only", count=f"{answer.read_only:,}")
    assert (answer_embed(answer, words_in(language)).description or "").startswith(said)


# ---- a batch's lines


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"question": "' + b"x" * LONGEST + b'"}', "line 1: longer than 4,000,000 bytes"),
        (b'{"question": "x", "id": ' + b"[" * 100 + b"]" * 100 + b"}", "nested more than 100 deep"),
        (b'{"question": "x", "id": ' + b"[" * 900 + b"]" * 900 + b"}", "nested more than 100 deep"),
        (b'{"a":' * 200_000, "line 1: not JSON"),
        (b"[" * 3_000_000, "line 1: not JSON"),
    ],
    ids=["long", "101 deep", "901 deep", "objects", "lists"],
)
def test_a_line_that_is_too_much_is_told_of_and_the_next_is_answered(
    built: Path, capsys: pytest.CaptureFixture[str], line: bytes, fault: str
) -> None:
    options = {"articles": built / "articles", "index": built / ".footnote/index"}
    file = io.BytesIO(line + b'\n{"question": "Who kept the lamp?"}\n')
    assert ask_batch(BotSettings.load(**options), file, as_json=True) == 1
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert fault in bad["error"]
    assert good["citations"][0]["article"] == "lamp"


def test_no_more_of_a_line_is_held_than_the_bound() -> None:
    lines = list(lines_of(io.BytesIO(b"x" * (3 * LONGEST) + b"\nshort\n" + b"y" * LONGEST + b"\nlast")))
    assert [len(one) for one in lines] == [LONGEST + 1, 6, LONGEST + 1, 4]


# ---- work that is bounded


def test_it_is_asked_a_bounded_number_of_times_whether_words_stand_together() -> None:
    asked = []

    def adjacent(left: str, right: str) -> bool:
        asked.append((left, right))
        return False

    letters = random.Random(1)
    typed = ["".join(letters.choices("abcdefghijklmnop", k=30)) for _ in range(20)]
    halves = {half: 1 for word in typed for at in range(2, 29) for half in (word[:at], word[at:])}
    Vocabulary(halves).read(typed, (), adjacent)
    assert 100 < len(asked) <= 200


@pytest.mark.parametrize("size", [1_000, 1_000_000])
@pytest.mark.parametrize("sentence", ["a a a a b", "ab ab ac", "a " * 900 + "b"])
def test_a_sentence_is_sought_in_a_text_that_nearly_has_it_everywhere(sentence: str, size: int) -> None:
    """By a pattern that tries each word anew it would take the product of both lengths."""
    text = "a " * size
    assert list(places_of(sentence, text)) == []
    start = len(text) + 2
    assert list(places_of(sentence, f"{text}\n {sentence}")) == [(start, start + len(sentence))]


@given(st.lists(st.sampled_from(["a", "b", " ", "  ", "\n", "\t \n"]), max_size=30).map("".join))
@settings(max_examples=200)
def test_places_are_those_of_a_pattern_with_any_white_space(text: str) -> None:
    for sentence in ("a", "a b", "a a", "b a b"):
        pattern = re.compile(r"\s+".join(sentence.split()))
        assert list(places_of(sentence, text)) == [match.span() for match in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("quoted", "original"),
    [
        ("a b " * 500, "b a " * 500),
        ("a" * 1_000 + "b" * 1_000, "ab" * 1_000),
        ("ab cd ... " * 200, "cd ab ... " * 600),
    ],
)
def test_two_long_texts_are_compared_and_every_letter_of_both_is_there(quoted: str, original: str) -> None:
    """The longest common runs of these would be looked for for a minute each."""
    changes = compare(quoted, original)
    own, others = ("".join(one.text for one in changes if one.kind != kind) for kind in ("article", "quoted"))
    assert (own, others) == (" ".join(quoted.split()), " ".join(original.split()))


@pytest.mark.parametrize("text", ["9" * 100_000, "1/" * 50_000, "1,1" * 30_000, "one hundred " * 5_000])
def test_values_without_end_are_read_in_one_pass(text: str) -> None:
    for value in find_values(text, "en"):
        assert text[value.start : value.end].strip()


def test_a_question_in_a_shell_may_be_anything(home: Path, footnote: Footnote) -> None:
    for text in ["NEAR(", '"', "\ud800", "\x1b]0;x\x07", "--", "9" * 100_000]:
        done = footnote("ask", "--", text)
        assert done.status == 0
        assert "\x1b" not in done.out
