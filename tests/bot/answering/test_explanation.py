"""Why an answer is what it is: sums that add up, finite JSON, and lines that people can read."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer
from bot.answering.explanation import explanation, explanation_lines
from bot.answering.quoting import make_answer
from index.reading.reader import Reading, with_reading
from index.search.calibration import Fit, Logistic
from index.search.hits import JUDGED, READ, SCORE_WEIGHTS, Hit, TermMatch, judged, summed
from index.search.question import Term
from tests.bot.answering.hits import FIT, READ_FIT, found, make_hit

NOTHING = "There was nothing to look for: the question has no letters or digits."
PART = re.compile(r" *([+-]\d+\.\d\d)  (?:(-?\d+\.\d\d) x (\w+) (-?\d+\.\d\d): (\S.*)|(\S.*))")
HALF = 0.005001
"""What rounding to two places changes, at most."""

LAMP = TermMatch(Term("lamp", 0, 4, ("lamp", "lamps"), 1.0, is_content=True), 0.4, in_words=True)
EBBA = TermMatch(Term("ebba", 5, 9, ("ebba",), 2.0, is_content=True), 0.256, in_words=False)
THE = TermMatch(Term("the", 10, 13, ("the",), 1.0, is_content=False), 0.9, in_words=True)
HIT = make_hit("0 The lamp is old.", terms=[LAMP, EBBA, THE])


def explain(*hits: Hit, fit: Fit = FIT, notes: tuple[str, ...] = ()) -> Answer:
    return make_answer("Who lit the lamp?", found(*hits, notes=notes), fit, "000001-a")


def check_sum(lines: list[str], signals: Iterable[str], exact: float) -> None:
    """Check that a sum that is shown has these signals, adds up within rounding, and to the exact total."""
    *parts, total = [match for match in map(PART.fullmatch, lines) if match]
    assert float(total[1]) == pytest.approx(exact, abs=HALF)
    assert sum(float(part[1]) for part in parts) == pytest.approx(exact, abs=HALF * (len(parts) + 1))
    products = [part for part in parts if part[3]]
    assert [part[3] for part in products] == list(signals)
    for part in products:
        weight, value = float(part[2]), float(part[4])
        slack = HALF * (1 + abs(weight) + abs(value) + HALF)  # the factors are rounded too
        assert weight * value == pytest.approx(float(part[1]), abs=slack)


SHARES, WEIGHTS = st.floats(-1, 1), st.floats(-9, 9)


@given(SHARES, SHARES, SHARES, WEIGHTS, st.lists(WEIGHTS, min_size=len(JUDGED), max_size=len(JUDGED)))
def test_the_sums_add_up_and_the_json_has_the_same_finite_numbers(
    dense: float, late: float, near: float, bias: float, weights: list[float]
) -> None:
    terms = (LAMP, dataclasses.replace(EBBA, near=near), THE)
    hit = dataclasses.replace(HIT, dense=dense, late=late, terms=terms)
    fit = dataclasses.replace(FIT, answers=Logistic(bias, dict(zip(JUDGED, weights, strict=True))))
    answer = explain(hit, fit=dataclasses.replace(fit, answer_at=0.7))
    lines = list(explanation_lines(answer))
    middle = next(at for at, line in enumerate(lines) if line.endswith("score of the first passage")) + 1
    signals = judged(hit, hit.start, hit.end)
    log_odds = bias + sum(weight * signals[name] for name, weight in fit.answers.weights.items())
    check_sum(lines[:middle], SCORE_WEIGHTS, hit.score)
    check_sum(lines[middle:], JUDGED, log_odds)
    confidence = 1 / (1 + math.exp(-log_odds))
    assert f"confidence {confidence:.1%}; answered from 70.0%" in lines
    fields = json.loads(json.dumps(explanation(answer), allow_nan=False))
    (shown,) = fields["hits"]
    assert shown["signals"] == {name: round(value, 4) for name, (_, value) in summed(hit).items()}
    assert fields["signals"] == {name: round(value, 4) for name, value in signals.items()}
    assert [(one["term"], one["near"]) for one in shown["terms"]][1] == ("ebba", round(near, 3))
    assert (fields["bias"], fields["weights"], fields["answer_at"]) == (bias, fit.answers.weights, 0.7)


def test_the_lines_say_how_the_question_was_read_and_which_words_are_absent() -> None:
    answer = explain(
        HIT,
        fit=dataclasses.replace(FIT, answer_at=0.1, related_at=0.1),
        notes=("lmap read as lamp", "an abbreviation"),
    )
    answer = dataclasses.replace(answer, read_as="Gull Rock", read_only=2000, confidence=0.2)
    lines = list(explanation_lines(answer))
    assert lines[:2] == ["read together with: Gull Rock", "read: only the first 2,000 characters"]
    assert lines[2:4] == ["read: lmap read as lamp", "read: an abbreviation"]
    assert "confidence 50.0%; answered from 10.0%" in lines
    assert "on the articles' subject: 50.0%; not found below 10.0%" in lines
    assert "lowered to 20.0%: the passage lacks some of what the question names" in lines
    assert lines[-2:] == ["word lamp: in the passage or its title", "word ebba: absent; nearest 0.26"]
    fields = explanation(answer)
    assert (fields["read_as"], fields["notes"]) == (
        "Who lit the lamp?",
        ["lmap read as lamp", "an abbreviation"],
    )
    assert fields["terms"][0] == {"term": "lamp", "forms": ["lamp", "lamps"], "rarity": 1.0}
    assert not {"reasons", "explanation", "further", "read_as"} & answer.as_json().keys()


def test_what_the_reader_saw_is_said_in_words_and_in_the_json() -> None:
    read = with_reading(
        found(make_hit("0 The lamp is old. | 0 Oil burned. | 0 Fog.", terms=[LAMP])),
        Reading("trained", [[0.07, 0.81, 0.0]], 0.12),
    )
    answer = make_answer("Who lit the lamp?", read, READ_FIT, "000001-a")
    lines = list(explanation_lines(answer))
    assert "reader trained: likeliest sentence 0.81, next 0.07, no answer 0.12" in lines
    middle = next(at for at, line in enumerate(lines) if line.startswith("reader")) + 1
    check_sum(lines[middle:], READ, math.log(0.81 / 0.19))
    fields = explanation(answer)
    assert (fields["reader"], fields["none"]) == ("trained", 0.12)
    assert fields["signals"]["quote"] == pytest.approx(math.log(0.81 / 0.19), abs=1e-3)


def test_where_nothing_was_looked_for_or_found_that_is_said() -> None:
    nothing_asked = explain()
    assert nothing_asked.reasons is not None
    assert list(explanation_lines(nothing_asked)) == [NOTHING]
    without_reasons = dataclasses.replace(nothing_asked, reasons=None)
    assert (list(explanation_lines(without_reasons)), explanation(without_reasons)) == ([NOTHING], {})
    asked = dataclasses.replace(nothing_asked.reasons.found.question, terms=(LAMP.term,))
    reasons = dataclasses.replace(nothing_asked.reasons, found=dataclasses.replace(found(), question=asked))
    nothing_found = dataclasses.replace(nothing_asked, reasons=reasons)
    assert list(explanation_lines(nothing_found)) == ["No passage was found."]
