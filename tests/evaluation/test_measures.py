"""Measures: brute force, figures worked out by hand, and a fit that finds the law behind its samples."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from evaluation.asking import Kind, Outcome
from evaluation.measures import (
    auroc,
    calibration_error,
    coverage_at,
    fit_confidence,
    measure,
    surest_threshold,
)
from evaluation.question_sets import Question
from index.encoding.models import Model, find_model
from index.search.calibration import Fit, FitError, choose_fit

SURE = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
JUDGED = st.lists(st.tuples(SURE, st.booleans()), min_size=1, max_size=30)


def outcome(number: int = 1, kind: Kind = Kind.ANSWERABLE, *, right: bool = True, **fields: Any) -> Outcome:
    """Make the outcome of a question whose answer is in the second paragraph of an article."""
    question = Question(
        id=str(number),
        question="When was the crane built?",
        answerable=kind is not Kind.UNANSWERABLE,
        answers=("1911",),
        article=fields.pop("article", "crane"),
        paragraph=1,
    )
    defaults = {
        "verdict": "answered",
        "confidence": 0.75,
        "quote": "The crane was built in 1911." if right else "It is red.",
        "cited": (("crane", 2), ("quay", 1)),
        "signals": {},
        "elapsed_ms": 4.5,
    }
    return Outcome(question, kind, **{**defaults, **fields})


def test_a_small_set_is_measured_as_worked_out_by_hand() -> None:
    outcomes = [
        outcome(1),
        outcome(2, right=False, confidence=0.5, cited=(("quay", 1), ("crane", 2))),
        outcome(3, Kind.UNANSWERABLE, confidence=0.25, verdict="not_found"),
        outcome(4, Kind.OTHER, confidence=0.5, verdict="related"),
    ]
    found = measure(outcomes)
    expected = {
        "top-1: right paragraph first": 0.5,
        "top-3: right paragraph in the first 3": 1,
        "first quote right": 0.5,
        "answerable: answered": 1,
        "answerable: not found": 0,
        "unanswerable: answered": 0,
        "other subject: answered": 0,
        "other subject: not found": 0,
        "answered": 2 / 3,
        "right if answered": 0.5,
        "coverage at 85% right": 1 / 3,
        "coverage at 90% right": 1 / 3,
        "coverage at 95% right": 1 / 3,
        "AUROC, unanswerable": 1,
        "AUROC, other subject": 0.75,
        "calibration error": (0.25 + 0.5 + 0.25) / 3,
        "median characters of the first quote": 19,
        "median milliseconds": 4.5,
    }
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected)
    # Wilson's interval of one in two.
    assert found["first quote right"][1:] == pytest.approx((0.0945, 0.9055), abs=1e-4)


def test_decisions_are_judged_with_other_subjects_only_where_all_questions_are_answerable() -> None:
    answerable, other = outcome(1), outcome(2, Kind.OTHER, verdict="related")
    assert measure([answerable, other])["answered"].value == 0.5
    assert measure([answerable, other, outcome(3, Kind.UNANSWERABLE)])["answered"].value == 1
    assert "AUROC, other subject" not in measure([answerable])


@given(JUDGED, st.sampled_from([0.5, 0.85, 0.95]))
def test_coverage_is_the_greatest_that_any_threshold_gives(
    judged: list[tuple[float, bool]], precision: float
) -> None:
    sure, right = np.array([one[0] for one in judged]), np.array([one[1] for one in judged])
    every = {(sure >= at).mean(): at for at in sure if right[sure >= at].mean() >= precision}
    coverage, threshold = coverage_at(precision, sure, right)
    assert (coverage, threshold) == (max(every), every[max(every)]) if every else (0, 1)


@given(st.lists(SURE, min_size=1, max_size=20), st.lists(SURE, min_size=1, max_size=20))
def test_auroc_is_what_scikit_learn_says(positive: list[float], negative: list[float]) -> None:
    labels = [1] * len(positive) + [0] * len(negative)
    positives, negatives = ([outcome(confidence=one) for one in some] for some in (positive, negative))
    assert auroc(positives, negatives) == pytest.approx(roc_auc_score(labels, positive + negative))


def test_a_confidence_that_is_as_often_right_as_it_says_has_no_calibration_error() -> None:
    assert calibration_error(np.full(4, 0.75), np.array([True, True, True, False])) == 0
    assert calibration_error(np.array([1.0, 0.0]), np.array([False, False])) == 0.5


@given(JUDGED, st.sampled_from([0.5, 0.85]))
def test_a_sure_threshold_is_the_loosest_whose_precision_is_surely_reached(
    judged: list[tuple[float, bool]], precision: float
) -> None:
    sure, right = np.array([one[0] for one in judged]), np.array([one[1] for one in judged])
    every = {
        (sure >= at).mean(): at
        for at in sure
        if binomtest(int(right[sure >= at].sum()), int((sure >= at).sum())).proportion_ci(0.8).low
        >= precision
    }
    coverage, threshold = surest_threshold(precision, sure, right)
    assert (coverage, threshold) == (max(every), every[max(every)]) if every else (0, 1)


def samples(count: int = 4000, seed: int = 3) -> list[Outcome]:
    """Draw outcomes whose chance to be right is logistic, -1 + 2 score - 3 weakest, and some never right."""
    drawn = random.Random(seed)
    outcomes = []
    for number in range(count):
        signals = {"dense": 0.5, "score": drawn.gauss(2, 1), "weakest": drawn.random()}
        chance = 1 / (1 + math.exp(1 - 2 * signals["score"] + 3 * signals["weakest"]))
        right = drawn.random() < chance
        outcomes.append(outcome(number, right=right, signals=signals, article=f"a{number % 40}"))
        if number % 4 == 0:
            outcomes.append(outcome(number, Kind.UNANSWERABLE, signals={**signals, "score": -1.0}))
            outcomes.append(outcome(number, Kind.OTHER, signals={**signals, "score": -8.0, "dense": 0.0}))
    return outcomes


@pytest.fixture(scope="module")
def model() -> Model:
    """Find the default encoder's model."""
    return find_model("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def shipped(model: Model) -> Fit:
    """Return the fit that ships for search alone."""
    return choose_fit(Path("none"), model.fingerprint, "")


@pytest.fixture(scope="module")
def fitted(model: Model, shipped: Fit) -> tuple[Fit, float]:
    """Fit the confidence to samples of a known law."""
    return fit_confidence({"harbour": samples()}, model, "", shipped)


def test_a_fit_finds_the_law_behind_its_samples(fitted: tuple[Fit, float], model: Model) -> None:
    fit, _ = fitted
    assert fit.answers.weights["score"] == pytest.approx(2, abs=0.4)
    assert fit.answers.weights["weakest"] == pytest.approx(-3, abs=0.5)
    assert (fit.sets, fit.encoder_fingerprint, fit.reader) == ({"harbour": 4000}, model.fingerprint, "")


def test_at_its_thresholds_new_questions_are_right_as_often_as_promised(fitted: tuple[Fit, float]) -> None:
    fit, coverage = fitted
    new = [one for one in samples(seed=8) if one.kind is not Kind.OTHER]
    answered = [one.right for one in new if fit.answers(one.signals) >= fit.answer_at]
    assert 0.84 < np.mean(answered) < 0.89
    assert len(answered) / len(new) == pytest.approx(coverage, abs=0.025)
    other = [one for one in samples(seed=8) if one.kind is Kind.OTHER]
    assert all(fit.subject(one.signals) < fit.related_at for one in other)
    kept = [fit.subject(one.signals) >= fit.related_at for one in new if one.kind is Kind.ANSWERABLE]
    assert np.mean(kept) == pytest.approx(0.98, abs=0.01)


def test_without_questions_on_other_subjects_the_shipped_fit_judges_the_subject(
    model: Model, shipped: Fit
) -> None:
    own = [one for one in samples() if one.kind is not Kind.OTHER]
    fit, _ = fit_confidence({"harbour": own}, model, "", shipped)
    assert (fit.subject, fit.related_at) == (shipped.subject, shipped.related_at)


def test_where_nothing_is_surely_right_nothing_is_answered(model: Model, shipped: Fit) -> None:
    wrong = [replace(one, quote="") if number % 2 else one for number, one in enumerate(samples(400))]
    fit, coverage = fit_confidence({"harbour": wrong}, model, "", shipped)
    assert (fit.answer_at, coverage) == (1, 0)


def test_questions_of_one_article_or_all_right_cannot_be_fitted_to(model: Model, shipped: Fit) -> None:
    one_article = [
        outcome(number, right=number < 9, signals={"dense": 0.5, "score": 1.0, "weakest": 0.5})
        for number in range(20)
    ]
    all_right = [one for one in samples(400) if one.right and one.kind is Kind.ANSWERABLE]
    for outcomes in (one_article, all_right, []):
        with pytest.raises(FitError, match="several articles, some answered correctly") as refused:
            fit_confidence({"harbour": outcomes}, model, "", shipped)
        assert refused.value.exit_status == 65
