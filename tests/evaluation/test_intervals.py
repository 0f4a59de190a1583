"""Bootstrap intervals: they hold the figure, narrow with questions, and pair what two runs share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.intervals import differences, estimates
from evaluation.records import Asked, Kind
from evaluation.tables import tabulate
from tests.evaluation.strategies import RECORD, record_sets

WRONG = replace(RECORD, quotes=("It is red.",))


def many(rights: int, wrongs: int) -> list[Asked]:
    records = [RECORD] * rights + [WRONG] * wrongs
    return [replace(record, id=str(number)) for number, record in enumerate(records)]


@settings(max_examples=10)
@given(record_sets(least=2), st.integers(0, 5))
def test_intervals_are_in_order_within_bounds_and_the_same_for_a_seed(
    records: list[Asked], seed: int
) -> None:
    found = estimates(tabulate(records), seed, resamples=30)
    assert found == estimates(tabulate(records), seed, resamples=30)
    for one in found.values():
        assert (one.low is None) == (one.high is None)
        if one.low is not None and one.high is not None:
            assert one.value is not None
            assert 0 <= one.low <= one.high


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    found = estimates(tabulate(many(80, 20)), seed=1)["quote_right"]
    # The normal approximation: 0.8 +- 1.96 x sqrt(0.8 x 0.2 / 100).
    assert found.value == 0.8
    assert found.low == pytest.approx(0.72, abs=0.02)
    assert found.high == pytest.approx(0.88, abs=0.02)


def test_more_questions_make_it_narrower() -> None:
    few = estimates(tabulate(many(8, 2)), 1, 200)["quote_right"]
    more = estimates(tabulate(many(80, 20)), 1, 200)["quote_right"]
    assert few.low is not None
    assert more.low is not None
    assert few.low < more.low < 0.8


def test_one_question_has_no_interval_and_what_is_not_there_no_figure() -> None:
    found = estimates(tabulate([RECORD]), seed=1)
    assert (found["quote_right"].value, found["quote_right"].low) == (1, None)
    assert found["auroc_other"].value is None


def test_a_kind_that_most_drawings_lack_has_a_figure_without_an_interval() -> None:
    unanswerable = replace(RECORD, kind=Kind.UNANSWERABLE, gold=(), verdict="related")
    records = [replace(unanswerable, id=str(number)) for number in range(40)]
    found = estimates(tabulate(records), 1, 100)["answered_right"]
    assert found.value is None
    records[0] = replace(records[0], verdict="answered")
    found = estimates(tabulate(records), 1, 100)["answered_right"]
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_difference_is_paired_so_what_both_got_wrong_adds_no_doubt() -> None:
    before = tabulate(many(50, 50))
    after = tabulate(many(60, 40))
    found = differences(before, after, 1, 300)["quote_right"]
    assert found.value == pytest.approx(0.1)
    # Unpaired, the interval would be about 0.1 +- 0.14.
    assert found.low == pytest.approx(0.04, abs=0.02)
    assert found.high == pytest.approx(0.16, abs=0.02)
    same = differences(before, before, 1, 20)["quote_right"]
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_tables_of_other_questions_have_no_difference() -> None:
    with pytest.raises(ValueError, match="same questions"):
        differences(tabulate(many(1, 1)), tabulate(many(1, 2)), seed=1)
