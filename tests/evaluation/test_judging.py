"""A quote and the gold answers: what counts as right."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.judging import (
    any_right,
    highlight_right,
    holds,
    is_right,
    plain,
    rank,
    token_f1,
    whole_sentences,
)
from evaluation.records import Kind
from tests.evaluation.strategies import RECORD

_words = st.lists(st.sampled_from("crane quay the rope a 1911".split()), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("quote", "answers", "right"),
    [
        ("It was built in 1911.", ["1911"], True),
        ("“The Harbour-Master’s” crane", ["the harbour master s"], True),
        ("It was built early.", ["1911", "early"], True),
        ("It was built in 1911.", ["1912"], False),
        ("built early in 1911 or so", ["They say it was built early in 1911, or so."], True),
        ("built early", ["They say it was built early."], False),  # too short to be the better part
        ("", ["1911"], False),
        ("It was built.", ["—"], False),
        ("It was built.", [], False),
        ("Straße 9, ÉCOLE", ["école"], True),
    ],
)
def test_a_quote_is_right_when_it_holds_an_answer_or_is_the_better_part_of_one(
    quote: str, answers: list[str], right: bool
) -> None:
    assert holds(quote, answers) is right


@given(st.text())
def test_plain_text_is_letters_and_digits_and_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert all(part.isalnum() for part in plain(text).split())


@given(_words, _words)
def test_f1_is_a_share_the_same_both_ways_and_one_for_equals(one: str, other: str) -> None:
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, other) == pytest.approx(token_f1(other, one))
    if set(one.split()) - {"a", "the"}:
        assert token_f1(one, one) == 1


def test_f1_counts_words_as_often_as_they_stand_there_and_leaves_out_articles() -> None:
    # Shared: rope twice, quay once. Precision 3 / 4, recall 3 / 3.
    assert token_f1("The rope, rope, quay; crane", "a rope rope quay") == pytest.approx(6 / 7)
    assert token_f1("the", "the") == 0


def test_only_answerable_questions_can_be_right() -> None:
    assert is_right(RECORD)
    assert not is_right(replace(RECORD, kind=Kind.OTHER))
    assert not is_right(replace(RECORD, quotes=RECORD.quotes[::-1]))
    assert any_right(replace(RECORD, quotes=RECORD.quotes[::-1]))
    assert not any_right(replace(RECORD, quotes=()))


def test_rank_is_of_the_first_right_paragraph() -> None:
    assert rank(RECORD) == 1
    assert rank(replace(RECORD, gold=(("quay", 1), ("rope", 1)))) == 2
    assert rank(replace(RECORD, gold=(("crane", 1),))) == math.inf
    assert math.isnan(rank(replace(RECORD, gold=())))


@pytest.mark.parametrize(
    ("words", "right"), [("in 1911", True), ("1911.", True), ("crane", False), ("—", False), (None, False)]
)
def test_a_highlight_is_right_when_it_and_an_answer_hold_one_another(words: str | None, right: bool) -> None:
    assert highlight_right(replace(RECORD, highlight=words)) is right


def test_gold_answers_are_whole_sentences_when_most_are() -> None:
    sentence = replace(RECORD, answers=("It was built in 1911.",))
    assert whole_sentences([sentence, sentence, RECORD])
    assert not whole_sentences([sentence, RECORD])
    assert not whole_sentences([replace(RECORD, answers=("J. Vass Jr.",))])
    assert not whole_sentences([])
