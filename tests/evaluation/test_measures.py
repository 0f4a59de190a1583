"""Measures: brute force, figures worked out by hand, and a fit that finds the law behind its samples."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from evaluation.asking import Kind, Outcome
from evaluation.measures import auroc, calibration_error, coverage_at, fit_confidence, measure
from evaluation.question_sets import Question
from index.encoding.models import Model, find_model
from index.search.calibration import Fit, FitError

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
        "unanswerable: answered": 0,
        "other subject: answered": 0,
        "other subject: rejected at 95% kept": 0,
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


def samples(count: int = 4000, seed: int = 3) -> list[Outcome]:
    """Draw outcomes whose chance to be right is logistic: -1 + 2 score - 3 weakest."""
    drawn = random.Random(seed)
    outcomes = []
    for number in range(count):
        signals = {"score": drawn.gauss(2, 1), "weakest": drawn.random()}
        chance = 1 / (1 + math.exp(1 - 2 * signals["score"] + 3 * signals["weakest"]))
        right = drawn.random() < chance
        outcomes.append(outcome(number, right=right, signals=signals, article=f"a{number % 40}"))
    return outcomes


@pytest.fixture(scope="module")
def model() -> Model:
    """Find the default encoder's model."""
    return find_model("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def fitted(model: Model) -> tuple[Fit, float]:
    """Fit the confidence to samples of a known law."""
    return fit_confidence({"harbour": samples()}, model)


def test_a_fit_finds_the_law_behind_its_samples(fitted: tuple[Fit, float], model: Model) -> None:
    fit, _ = fitted
    assert fit.bias == pytest.approx(-1, abs=0.3)
    assert dict(fit.weights) == pytest.approx({"score": 2, "weakest": -3}, abs=0.4)
    assert (fit.sets, fit.encoder_fingerprint) == ({"harbour": 4000}, model.fingerprint)


def test_at_its_thresholds_new_questions_are_right_as_often_as_promised(fitted: tuple[Fit, float]) -> None:
    fit, coverage = fitted
    new = [(fit.confidence(one.signals), one.right) for one in samples(seed=8)]
    answered = [right for confidence, right in new if confidence >= fit.answer_at]
    assert np.mean(answered) == pytest.approx(0.85, abs=0.025)
    assert len(answered) / len(new) == pytest.approx(coverage, abs=0.025)
    assert np.mean([confidence >= fit.related_at for confidence, _ in new]) == pytest.approx(0.95, abs=0.015)


def test_questions_of_one_article_or_all_right_cannot_be_fitted_to(model: Model) -> None:
    one_article = [
        outcome(number, right=number < 9, signals={"score": 1.0, "weakest": 0.5}) for number in range(20)
    ]
    all_right = [one for one in samples(400) if one.right]
    for outcomes in (one_article, all_right, []):
        with pytest.raises(FitError, match="several articles, some answered correctly") as refused:
            fit_confidence({"harbour": outcomes}, model)
        assert refused.value.exit_status == 65
