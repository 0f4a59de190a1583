"""Measures of outcomes, and the confidence fitted to them.

Whether to answer or to decline is judged over all questions of a set and, if all of these are answerable,
also over those that were asked without their articles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.asking import Kind, Outcome
from index.encoding.models import Model
from index.search.calibration import Fit, FitError
from index.search.hits import JUDGED

__all__ = ["Measure", "auroc", "calibration_error", "coverage_at", "decided", "fit_confidence", "measure"]

Column = npt.NDArray[Any]

_BINS = 15
_SHARES = (0.85, 0.90, 0.95)
_PRECISION = 0.85  # of what is answered, as a fit promises it
_LOST = 0.05  # of the answerable questions, when other subjects are rejected


class Measure(NamedTuple):
    """A value, with a 95% interval if it is a share."""

    value: float
    low: float | None = None
    high: float | None = None


def measure(outcomes: Sequence[Outcome]) -> dict[str, Measure]:
    """Return the measures of a set by name, without those that it has no questions for.

    "top-k" is top-k accuracy: Karpukhin et al., "Dense Passage Retrieval" (2020). "Rejected" is 1 - FPR at
    95% TPR: Liang, Li and Srikant, "Enhancing the Reliability of Out-of-distribution Image Detection" (2018).
    """
    answerable, unanswerable, other = ([each for each in outcomes if each.kind is kind] for kind in Kind)
    judged = decided(outcomes)
    confidence, right = _columns(judged)
    ranks = [outcome.rank for outcome in answerable if outcome.question.paragraph is not None]
    least = np.quantile(_columns(answerable)[0], _LOST, method="lower") if answerable else 0.0
    shares = {
        "top-1: right paragraph first": [rank <= 1 for rank in ranks],
        "top-3: right paragraph in the first 3": [rank <= 3 for rank in ranks],
        "first quote right": [outcome.right for outcome in answerable],
        "answerable: answered": [outcome.answered for outcome in answerable],
        "unanswerable: answered": [outcome.answered for outcome in unanswerable],
        "other subject: answered": [outcome.answered for outcome in other],
        "other subject: rejected at 95% kept": [outcome.confidence < least for outcome in other],
        "answered": [outcome.answered for outcome in judged],
        "right if answered": [outcome.right for outcome in judged if outcome.answered],
    }
    numbers = {
        **{f"coverage at {share:.0%} right": coverage_at(share, confidence, right)[0] for share in _SHARES},
        "AUROC, unanswerable": auroc(answerable, unanswerable),
        "AUROC, other subject": auroc(answerable, other),
        "calibration error": calibration_error(confidence, right),
        "median characters of the first quote": np.median(
            [len(each.quote) for each in answerable] or math.nan
        ),
        "median milliseconds": np.median([outcome.elapsed_ms for outcome in outcomes]),
    }
    measures = {name: _share(hits) for name, hits in shares.items() if hits}
    return measures | {name: Measure(float(value)) for name, value in numbers.items() if not np.isnan(value)}


def decided(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return the outcomes over which decisions to answer or to decline are judged (see the module)."""
    own = [outcome for outcome in outcomes if outcome.kind is not Kind.OTHER]
    return own if any(outcome.kind is Kind.UNANSWERABLE for outcome in own) else outcomes


def coverage_at(precision: float, confidence: Column, right: Column) -> tuple[float, float]:
    """Return the greatest coverage that has a precision, and its threshold; 0 and 1 if there is none.

    Coverage is the share of questions at or above the threshold, precision (1 - selective risk) the share
    right among them: El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification" (2010).
    """
    order = np.argsort(-confidence, kind="stable")
    thresholds, count = confidence[order], np.arange(1, len(order) + 1)
    distinct = np.diff(thresholds, append=-np.inf) != 0  # a threshold cannot tell equal confidences apart
    reached = np.flatnonzero(distinct & (np.cumsum(right[order]) >= precision * count - 1e-9))
    if not len(reached):
        return 0.0, 1.0
    return float(count[reached[-1]] / len(order)), float(thresholds[reached[-1]])


def auroc(positive: Sequence[Outcome], negative: Sequence[Outcome]) -> float:
    """Return the probability that a positive is more confident than a negative, ties counting half.

    Mann and Whitney's U / pairs: Fawcett, "An introduction to ROC analysis" (2006). NaN if there is no pair.
    """
    if not positive or not negative:
        return math.nan
    test = stats.mannwhitneyu(_columns(positive)[0], _columns(negative)[0])
    return float(test.statistic / (len(positive) * len(negative)))


def calibration_error(confidence: Column, right: Column) -> float:
    """Return the expected calibration error over 15 bins: the mean of |share right - mean confidence|.

    Bins are of equal width and weighted by their questions: Guo et al., "On Calibration of Modern Neural
    Networks" (2017).
    """
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return float(np.abs(np.bincount(bins, right - confidence)).sum() / len(confidence))


def fit_confidence(sets: Mapping[str, Sequence[Outcome]], encoder: Model) -> tuple[Fit, float]:
    """Fit the probability that the first quote is right to the signals of outcomes, given by set.

    Logistic regression (log loss, L2 penalty, standardised signals): Platt, "Probabilistic Outputs for
    Support Vector Machines" (1999). Thresholds are chosen on predictions for articles that were left out of
    the fit, in five folds. Returned with the coverage at `answer_at`.

    Raises:
        FitError: the questions do not suffice.
    """
    samples = [outcome for outcomes in sets.values() for outcome in outcomes if outcome.signals]
    signals = np.array([[outcome.signals[name] for name in JUDGED] for outcome in samples])
    right = _columns(samples)[1]
    articles = [outcome.question.article or outcome.question.id for outcome in samples]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    try:
        folds = GroupKFold(min(5, len(set(articles))))
        unseen = cross_val_predict(model, signals, right, groups=articles, cv=folds, method="predict_proba")[
            :, 1
        ]
        scaler, logistic = model.fit(signals, right)
    except ValueError as error:
        raise FitError(
            f"the confidence cannot be fitted to these questions: {error}. Use questions about several "
            "articles, some answered correctly and some not."
        ) from error
    weights = logistic.coef_[0] / scaler.scale_
    coverage, answer_at = coverage_at(_PRECISION, unseen, right)
    answerable = unseen[[outcome.kind is Kind.ANSWERABLE for outcome in samples]]
    related_at = min(answer_at, np.quantile(answerable, _LOST, method="lower"))
    fit = Fit(
        encoder=encoder.name,
        encoder_fingerprint=encoder.fingerprint,
        bias=float(logistic.intercept_[0] - weights @ scaler.mean_),
        weights=dict(zip(JUDGED, weights.tolist(), strict=True)),
        answer_at=math.floor(1e4 * answer_at) / 1e4,
        related_at=math.floor(1e4 * related_at) / 1e4,
        sets={name: len({outcome.question.id for outcome in outcomes}) for name, outcomes in sets.items()},
        made=datetime.now(UTC).date(),
    )
    return fit, coverage


def _columns(outcomes: Sequence[Outcome]) -> tuple[Column, Column]:
    return np.array([each.confidence for each in outcomes]), np.array([each.right for each in outcomes])


def _share(hits: Sequence[bool]) -> Measure:
    """Return a share with its Wilson score interval: Wilson (1927)."""
    interval = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return Measure(sum(hits) / len(hits), float(interval.low), float(interval.high))
