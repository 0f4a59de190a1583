"""Why an answer is what it is: sums that add up, numbers that are numbers, and how the question was read."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, answer
from bot.answering.confidence import Judge
from bot.answering.explanation import explanation, explanation_lines
from bot.service.service import Service
from index.search.hits import Hit, TermMatch
from index.search.question import Term
from index.search.signals import JUDGED, SUMMED, judged, summed
from tests.bot.conftest import Footnote
from tests.bot.made import FIT, Line, found, hit, question
from tests.bot.services import serving

shared_loop = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Who kept the lamp on Gull Rock?"
MISSPELT = "Who kept the lihgthouse lamp?"
NOTHING = "There was nothing to look for: the question has no letters or digits."

_PART = re.compile(r"([+-]\d+\.\d\d)  (-?\d+\.\d\d) x (\w+) (-?\d+\.\d\d): (\S.*)")
_OTHER = re.compile(r"([+-]\d+\.\d\d)  (\S.*)")
_HALF = 0.005000001
"""What rounding to two places takes away or adds, at most."""


@dataclasses.dataclass
class Sum:
    """One of the sums that are shown: its parts as (shown product, weight, signal, value), and its total."""

    name: str
    total: float
    begins: float
    parts: list[tuple[float, float, str, float]]

    def check(self) -> None:
        """Hold that each product is its factors', and the total that of its parts, within rounding."""
        for product, weight, _, value in self.parts:
            # The factors are rounded too.
            slack = _HALF * (1 + abs(weight) + abs(value) + _HALF)
            assert weight * value == pytest.approx(product, abs=slack)
        shown = self.begins + sum(product for product, *_ in self.parts)
        assert shown == pytest.approx(self.total, abs=_HALF * (2 + len(self.parts)))


def sums(lines: list[str]) -> list[Sum]:
    """Read the sums back out of an explanation."""
    read: list[Sum] = []
    parts: list[tuple[float, float, str, float]] = []
    begins = 0.0
    for line in map(str.strip, lines):
        if part := _PART.fullmatch(line):
            parts.append((float(part[1]), float(part[2]), part[3], float(part[4])))
        elif other := _OTHER.fullmatch(line):
            if other[2] == "to begin with":
                begins = float(other[1])
            else:
                read.append(Sum(other[2], float(other[1]), begins, parts))
                parts, begins = [], 0.0
    assert not parts
    return read


def assert_adds_up(lines: list[str]) -> None:
    """Hold that the score and the log-odds are there with every signal, and that they and the share agree."""
    score, odds = sums(lines)
    for one in (score, odds):
        one.check()
    assert [name for _, _, name, _ in score.parts] == list(SUMMED)
    assert [name for _, _, name, _ in odds.parts] == list(JUDGED)
    (shown,) = (float(one[1]) for one in map(re.compile(r"\s*confidence ([\d.]+)%;").match, lines) if one)
    assert 1 / (1 + math.exp(-odds.total)) == pytest.approx(shown / 100, abs=0.003)
    (passage,) = (value for _, _, name, value in odds.parts if name == "score")
    assert passage == pytest.approx(score.total, abs=2 * _HALF)


def assert_finite(value: Any) -> None:
    """Hold that every number in a JSON value is one."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            assert_finite(one)
    elif isinstance(value, float):
        assert math.isfinite(value)


_SIGNALS = st.floats(-1, 1)


@st.composite
def _hits(draw: st.DrawFn) -> Hit:
    """Draw a hit of any signals, with some terms."""
    lines = [Line("The lamp is old.", draw(_SIGNALS), draw(st.sampled_from([0.0, 0.5, 1.0]))), Line("Fog.")]
    terms = tuple(
        TermMatch(Term(f"word{at}", 0, 1, (), draw(st.floats(0, 4)), draw(st.booleans())), near, there)
        for at, (near, there) in enumerate(draw(st.lists(st.tuples(_SIGNALS, st.booleans()), max_size=4)))
    )
    made = hit(0.0, lines)
    return dataclasses.replace(
        made, dense=draw(_SIGNALS), lexical=draw(st.floats(0, 1)), late=draw(_SIGNALS), terms=terms
    )


def made_answer(*hits: Hit, judge: Judge, notes: tuple[str, ...] = ()) -> Answer:
    asked = question("Who lit the lamp?", notes=notes)
    terms = tuple(one.term for one in hits[0].terms) if hits else ()
    terms = terms or (Term("lamp", 0, 4, (), 1.0, says=True),)
    results = found(*hits, asked=dataclasses.replace(asked, terms=terms))
    return answer(asked.typed, results, judge=judge, generation="g")


@given(_hits(), st.floats(-9, 9), st.lists(st.floats(-9, 9), min_size=len(JUDGED), max_size=len(JUDGED)))
def test_the_sums_that_are_shown_add_up(one: Hit, bias: float, weights: list[float]) -> None:
    fit = dataclasses.replace(FIT, bias=bias, weights=dict(zip(JUDGED, weights, strict=True)))
    lines = list(explanation_lines(made_answer(one, judge=Judge(fit, 0.5))))
    score, odds = sums(lines)
    score.check()
    odds.check()
    assert score.total == pytest.approx(one.score, abs=_HALF)
    exact = bias + sum(weight * judged(one)[name] for name, weight in fit.weights.items())
    assert odds.total == pytest.approx(exact, abs=_HALF)


@given(_hits())
def test_every_number_of_the_json_is_the_hits_own_and_finite(one: Hit) -> None:
    told = json.loads(json.dumps(explanation(made_answer(one, judge=Judge(FIT, 0.7))), allow_nan=False))
    assert_finite(told)
    signals = {**{name: value for name, (_, value) in summed(one).items()}, **judged(one)}
    (shown,) = told["hits"]
    assert shown["signals"] == {name: round(value, 4) for name, value in signals.items()}
    assert shown["terms"] == [
        {"term": match.term.typed, "near": round(match.near, 3), "in_words": match.in_words}
        for match in one.terms
    ]
    assert (told["bias"], told["weights"]) == (FIT.bias, dict(FIT.weights))
    assert (told["answer_at"], told["related_at"]) == (0.7, FIT.related_at)


def test_each_word_that_says_something_is_told_of_with_how_it_is_met() -> None:
    terms = [
        TermMatch(Term("lamp", 0, 4, (), 1.0, says=True), 0.4, in_words=True),
        TermMatch(Term("ebba", 0, 4, (), 1.0, says=True), 0.256, in_words=False),
        TermMatch(Term("the", 0, 3, (), 1.0, says=False), 0.9, in_words=True),
    ]
    one = dataclasses.replace(hit(0.5, [Line("The lamp is old.")]), terms=tuple(terms))
    lines = list(explanation_lines(made_answer(one, judge=Judge(FIT, 0.5))))
    assert [line for line in lines if line.startswith("word ")] == [
        "word lamp: in the passage or its title",
        "word ebba: not there; nearest word 0.26",
    ]


def test_how_words_were_read_comes_first_and_the_thresholds_are_those_in_force() -> None:
    one = hit(0.5, [Line("The lamp is old.")])
    lines = list(explanation_lines(made_answer(one, judge=Judge(FIT, 0.1), notes=("lmap read as lamp", "b"))))
    assert lines[:2] == ["read: lmap read as lamp", "read: b"]
    assert "answered from 10.0% on, related from 10.0% on" in "\n".join(lines)
    lines = list(explanation_lines(made_answer(one, judge=Judge(FIT, 0.75))))
    assert "confidence 50.0%; answered from 75.0% on, related from 20.0% on" in lines


def test_where_no_passage_was_found_that_is_said() -> None:
    lines = list(explanation_lines(made_answer(judge=Judge(FIT, 0.5))))
    assert lines == ["asked for: any", "No passage was found."]


def test_an_answer_that_came_without_reasons_has_nothing_to_explain() -> None:
    bare = dataclasses.replace(made_answer(judge=Judge(FIT, 0.5)), reasons=None)
    assert explanation(bare) == {}
    assert list(explanation_lines(bare)) == [NOTHING]


# ---- real questions


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(built: Path) -> AsyncIterator[Service]:
    """Serve the small index."""
    async with serving(built) as started:
        yield started


@shared_loop
@pytest.mark.parametrize(
    "asked",
    [QUESTION, MISSPELT, "When was it published?", "Who won the cup in Lisbon?", "lamp", "¿Quién?", "the of"],
)
async def test_the_sums_of_a_real_answer_add_up_and_its_json_is_finite(service: Service, asked: str) -> None:
    made = await service.ask(asked)
    assert_adds_up(list(explanation_lines(made)))
    told = explanation(made)
    assert_finite(told)
    assert len(told["hits"]) == len(made.citations)
    assert [one["citation"] for one in told["hits"]] == [one.number for one in made.citations]


@shared_loop
async def test_an_explanation_is_no_part_of_the_answers_own_json(service: Service) -> None:
    fields = (await service.ask(QUESTION)).as_json()
    assert not {"reasons", "explanation", "further"} & fields.keys()


def blocks(out: str) -> Iterator[list[str]]:
    """Yield the lines of each explanation that was printed: those after "how sure" up to an empty one."""
    for block in out.split("  how sure: ")[1:]:
        yield block.split("\n\n", 1)[0].splitlines()[1:]


def test_ask_explains_below_the_answer(home: Path, footnote: Footnote) -> None:
    plain = footnote("ask", QUESTION).out
    told = footnote("ask", "--explain", QUESTION)
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith(plain)
    (lines,) = blocks(told.out)
    assert_adds_up(lines)
    assert "  asked for: person" in lines


def test_ask_explains_as_json_within_the_answers_object(home: Path, footnote: Footnote) -> None:
    plain = json.loads(footnote("ask", "--json", MISSPELT).out)
    told = json.loads(footnote("ask", "--json", "--explain", MISSPELT).out)
    explained = told.pop("explanation")
    assert {**told, "elapsed_ms": 0} == {**plain, "elapsed_ms": 0}
    assert_finite(explained)
    assert explained["read_as"] == "Who kept the lighthouse lamp?"
    assert explained["notes"] == ["lihgthouse read as lighthouse"]
    assert explained["wanted"] == "person"
    assert [one["term"] for one in explained["terms"]] == "Who kept the lihgthouse lamp".split()


def test_a_batch_explains_each_answer(home: Path, footnote: Footnote) -> None:
    rows = [
        {"question": QUESTION, "id": 1},
        {"question": "?!"},
        {"question": MISSPELT, "explanation": "mine"},
    ]
    Path("some.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    told = footnote("ask", "--json", "--explain", "--questions", "some.jsonl").out
    explained = [json.loads(line)["explanation"] for line in told.splitlines()]
    assert [len(one["hits"]) > 0 for one in explained] == [True, False, True]
    shown = footnote("ask", "--explain", "--questions", "some.jsonl").out
    assert shown.count("log-odds that its quote answers") == 2
    assert NOTHING in shown
    assert "  read: lihgthouse read as lighthouse\n" in shown
