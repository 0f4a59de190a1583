"""Curves and measures: bounds, brute force, and figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from evaluation.curves import (
    BINS,
    area_under_risk,
    calibration_error,
    coverage_at,
    histogram,
    reliability,
    right_at,
    risk_coverage,
    threshold_at,
)
from evaluation.measures import MEASURES, compute, pool
from evaluation.records import Asked, Kind
from evaluation.tables import Column, tabulate
from tests.evaluation.strategies import RECORD, pooled, record_sets

Pooled = tuple[Column, Column]


def figures(records: list[Asked]) -> dict[str, float]:
    names = [measure.name for measure in MEASURES]
    return dict(zip(names, map(float, compute(tabulate(records))), strict=True))


@given(pooled())
def test_coverage_is_the_greatest_share_that_any_threshold_gives(drawn: Pooled) -> None:
    sure, right = drawn
    for share in (0.5, 0.85, 0.95):
        every = [(sure >= at).mean() for at in sure if right[sure >= at].mean() >= share]
        assert coverage_at(sure, right, share) == pytest.approx(max(every, default=0))


@given(pooled())
def test_less_is_covered_the_more_must_be_right(drawn: Pooled) -> None:
    sure, right = drawn
    covered = [coverage_at(sure, right, tenth / 10) for tenth in range(11)]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] == 1


@given(pooled())
def test_the_threshold_answers_what_the_coverage_says(drawn: Pooled) -> None:
    sure, right = drawn
    at = threshold_at(sure, right, 0.85)
    covered = coverage_at(sure, right, 0.85)
    assert (sure >= at).mean() == pytest.approx(covered) if covered else at == 1


@given(pooled(), st.floats(0.01, 1))
def test_right_at_a_coverage_is_that_of_the_surest_so_many_and_their_equals(
    drawn: Pooled, coverage: float
) -> None:
    sure, right = drawn
    if not len(sure):
        return
    last = np.sort(sure)[::-1][int(np.ceil(coverage * len(sure) - 1e-9)) - 1]
    assert right_at(sure, right, coverage) == pytest.approx(right[sure >= last].mean())


@given(pooled())
def test_risk_ends_at_the_share_that_is_wrong_and_coverage_rises_to_all(drawn: Pooled) -> None:
    sure, right = drawn
    coverage, risk = risk_coverage(sure, right)
    assert list(coverage) == sorted(coverage)
    assert coverage[-1] == pytest.approx(1)
    assert risk[-1] == pytest.approx(1 - right.mean())
    assert len(coverage) == len(set(sure))
    assert 0 <= area_under_risk(sure, right) <= 1


def test_area_under_risk_is_least_for_the_best_order_and_the_share_wrong_for_none() -> None:
    right = np.array([True, True, False, False])
    rising = np.array([0.1, 0.2, 0.3, 0.4])
    assert area_under_risk(-rising, right) == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert area_under_risk(rising, right) == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)
    assert area_under_risk(np.full(4, 0.5), right) == pytest.approx(0.5)


@given(pooled())
def test_calibration_error_is_the_mean_gap_of_the_reliability_table(drawn: Pooled) -> None:
    sure, right = drawn
    bins = reliability(sure, right)
    assert sum(one.count for one in bins) == len(sure)
    assert all(one.low - 1e-9 <= one.confidence <= one.high + 1e-9 for one in bins)
    gaps = sum(one.count * abs(one.right - one.confidence) for one in bins) / len(sure)
    assert calibration_error(sure, right) == pytest.approx(gaps)
    assert 0 <= gaps <= 1


def test_what_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    assert calibration_error(np.full(4, 0.75), np.array([True, True, True, False])) == 0
    assert histogram(np.array([0.0, 1.0, 0.999])) == (1, *[0] * (BINS - 2), 2)


@given(record_sets())
def test_every_share_is_a_share_or_unknown(records: list[Asked]) -> None:
    found = figures(records)
    for measure in MEASURES:
        if measure.unit in {"share", "number"} and not np.isnan(found[measure.name]):
            assert 0 <= found[measure.name] <= 1, measure.name


@given(record_sets(least=1))
def test_verdicts_of_a_kind_add_up_and_ranks_nest(records: list[Asked]) -> None:
    found = figures(records)
    for kind in Kind:
        shares = [found[f"{kind}_{verdict}"] for verdict in ("answered", "related", "not_found")]
        some = any(record.kind is kind for record in records)
        assert sum(shares) == pytest.approx(1) if some else all(map(np.isnan, shares))
    if not np.isnan(found["top_1"]):
        assert found["top_1"] <= found["mrr"] <= found["top_10"]
        assert found["top_1"] <= found["top_3"] <= found["top_10"]
    if not np.isnan(found["quote_right"]):
        assert found["quote_right"] <= found["any_quote_right"]
        assert found["coverage_at_95"] <= found["coverage_at_85"]


@given(record_sets(least=1))
def test_separation_is_what_scikit_learn_says(records: list[Asked]) -> None:
    found = figures(records)
    sure = {kind: [record.confidence for record in records if record.kind is kind] for kind in Kind}
    for kind in (Kind.UNANSWERABLE, Kind.OTHER):
        answerable, others = sure[Kind.ANSWERABLE], sure[kind]
        if answerable and others:
            labels = [1] * len(answerable) + [0] * len(others)
            assert found[f"auroc_{kind}"] == pytest.approx(roc_auc_score(labels, answerable + others))
        else:
            assert np.isnan(found[f"auroc_{kind}"])


@given(record_sets(least=1))
def test_rejection_keeps_95_of_100_answerable(records: list[Asked]) -> None:
    answerable = [record.confidence for record in records if record.kind is Kind.ANSWERABLE]
    other = [record.confidence for record in records if record.kind is Kind.OTHER]
    if not other:
        return
    kept = [at for at in answerable if np.mean([one >= at for one in answerable]) >= 0.95]
    rejected = max(np.mean([one < at for one in other]) for at in kept)
    assert figures(records)["other_rejected"] == pytest.approx(rejected)


@given(record_sets(least=1))
def test_the_pool_is_mixed_only_where_all_questions_are_answerable(records: list[Asked]) -> None:
    table = tabulate(records)
    own = [record for record in records if record.kind is not Kind.OTHER]
    assert len(pool(table)[0]) == len(own)
    other = len(records) - len(own)
    mixed = other and all(record.kind is Kind.ANSWERABLE for record in own)
    assert len(pool(table, mixed=True)[0]) == (len(records) if mixed else 0)


def test_the_figures_of_a_small_set_are_as_worked_out_by_hand() -> None:
    wrong = replace(
        RECORD, id="h2", quotes=("It is red.",), confidence=0.5, cited=(("quay", 1), ("crane", 2))
    )
    declined = replace(RECORD, id="h3", kind=Kind.UNANSWERABLE, gold=(), confidence=0.25, verdict="not_found")
    other = replace(RECORD, kind=Kind.OTHER, gold=(), confidence=0.5, verdict="related", exact=False)
    found = figures([RECORD, wrong, declined, other])
    assert (found["top_1"], found["top_3"], found["mrr"]) == (0.5, 1, 0.75)
    assert (found["quote_right"], found["any_quote_right"]) == (0.5, 0.5)
    assert found["quote_characters"] == (len(RECORD.quote) + len("It is red.")) / 2
    assert found["answered_share"] == pytest.approx(2 / 3)
    assert found["answered_right"] == 0.5
    assert found["coverage_at_95"] == pytest.approx(1 / 3)
    assert (found["auroc_unanswerable"], found["auroc_other"]) == (1, 0.75)
    assert (found["other_related"], found["other_rejected"], found["exact"]) == (1, 0, 0.75)
    assert (found["highlight_given"], found["ms_p50"]) == (0, 4.5)
    assert np.isnan([found["mixed_ece"], found["sentence_f1"], found["highlight_right"]]).all()


def test_f1_is_measured_on_what_is_shown_where_answers_are_whole_sentences() -> None:
    record = replace(RECORD, answers=("It lifts nine tonnes.", "The crane was built in 1911."))
    assert figures([record])["sentence_f1"] == 1
    both = figures([replace(record, shown=2)])["sentence_f1"]
    assert both == pytest.approx(2 * (5 / 9) / (5 / 9 + 1))


def test_every_measure_has_a_name_and_a_label_of_its_own() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert len({measure.label for measure in MEASURES}) == len(MEASURES)
