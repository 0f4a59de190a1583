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
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.asking import Kind, Outcome
from index.encoding.models import Model
from index.search.calibration import Fit, FitError, Logistic
from index.search.hits import JUDGED, READ, SUBJECT

__all__ = [
    "PRECISION",
    "Measure",
    "auroc",
    "calibration_error",
    "coverage_at",
    "decided",
    "fit_confidence",
    "measure",
    "surest_threshold",
]

Column = npt.NDArray[Any]

_BINS = 15
_SHARES = (0.85, 0.90, 0.95)
PRECISION = 0.85
"""The precision of what is answered, as a fit promises it."""

_SURENESS = 0.8  # of the interval of that precision
_LOST = 0.02  # of the answerable questions, when other subjects are rejected


class Measure(NamedTuple):
    """A value, with a 95% interval if it is a share."""

    value: float
    low: float | None = None
    high: float | None = None


def measure(outcomes: Sequence[Outcome]) -> dict[str, Measure]:
    """Return the measures of a set by name, without those that it has no questions for.

    "top-k" is top-k accuracy: Karpukhin et al., "Dense Passage Retrieval" (2020).
    """
    answerable, unanswerable, other = ([each for each in outcomes if each.kind is kind] for kind in Kind)
    judged = decided(outcomes)
    confidence, right = _columns(judged)
    ranks = [outcome.rank for outcome in answerable if outcome.question.paragraph is not None]
    shares = {
        "top-1: right paragraph first": [rank <= 1 for rank in ranks],
        "top-3: right paragraph in the first 3": [rank <= 3 for rank in ranks],
        "first quote right": [outcome.right for outcome in answerable],
        "answerable: answered": [outcome.answered for outcome in answerable],
        "answerable: not found": [outcome.verdict == "not_found" for outcome in answerable],
        "unanswerable: answered": [outcome.answered for outcome in unanswerable],
        "other subject: answered": [outcome.answered for outcome in other],
        "other subject: not found": [outcome.verdict == "not_found" for outcome in other],
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


def surest_threshold(precision: float, confidence: Column, right: Column) -> tuple[float, float]:
    """Return the coverage and the threshold of the loosest confidence that surely has a precision.

    That is where the lower bound of the 80% interval of the precision reaches it: Clopper and Pearson (1934).
    Coverage is 0 and the threshold 1 where none does.
    """
    order = np.argsort(-confidence, kind="stable")
    thresholds, count, rights = confidence[order], np.arange(1, len(order) + 1), np.cumsum(right[order])
    distinct = np.diff(thresholds, append=-np.inf) != 0
    lowest = stats.beta.ppf((1 - _SURENESS) / 2, rights, count - rights + 1)  # NaN where none is right
    reached = np.flatnonzero(distinct & (np.nan_to_num(lowest) >= precision))
    if not len(reached):
        return 0.0, 1.0
    return float(count[reached[-1]] / len(order)), float(thresholds[reached[-1]])


def fit_confidence(
    sets: Mapping[str, Sequence[Outcome]],
    encoder: Model,
    reader: str,
    shipped: Fit,
    *,
    precision: float = PRECISION,
) -> tuple[Fit, float]:
    """Fit the probabilities that a quote is right, and that a question is on the subject, to outcomes by set.

    Logistic regression (log loss, L2 penalty, standardised signals): Platt, "Probabilistic Outputs for
    Support Vector Machines" (1999). The threshold is chosen on predictions for articles that were left out of
    the fit, in five folds; without questions on other subjects, the subject is judged as in `shipped`.
    Returned with the coverage at `answer_at`.

    Raises:
        FitError: the questions do not suffice.
    """
    names = READ if reader else JUDGED
    samples = [each for outcomes in sets.values() for each in outcomes if each.signals]
    signals, right = _signals(samples, names), _columns(samples)[1]
    articles = [each.question.article or each.question.id for each in samples]
    judged = {id(each) for outcomes in sets.values() for each in decided(outcomes)}
    counts = np.array([id(each) in judged for each in samples], dtype=np.bool_)
    try:
        unseen = _predict_unseen(signals, right, articles)
        answers = _logistic(signals, right, names)
    except ValueError as error:
        advice = "Use questions about several articles, some answered correctly and some not."
        raise FitError(f"the confidence cannot be fitted to these questions: {error}. {advice}") from error
    coverage, answer_at = surest_threshold(precision, unseen[counts], right[counts])
    subject, related_at = _fit_subject(samples) or (shipped.subject, shipped.related_at)
    fit = Fit(
        encoder=encoder.name,
        encoder_fingerprint=encoder.fingerprint,
        reader=reader,
        answers=answers,
        subject=subject,
        answer_at=math.floor(1e4 * answer_at) / 1e4,
        related_at=math.floor(1e4 * related_at) / 1e4,
        sets={name: len({each.question.id for each in outcomes}) for name, outcomes in sets.items()},
        made=datetime.now(UTC).date(),
    )
    return fit, coverage


def _fit_subject(outcomes: Sequence[Outcome]) -> tuple[Logistic, float] | None:
    """Return what tells the articles' subject from others, and its threshold; None without others."""
    own = np.array([outcome.kind is not Kind.OTHER for outcome in outcomes])
    if own.all():
        return None
    subject = _logistic(_signals(outcomes, SUBJECT), own, SUBJECT)
    on_subject = [subject(each.signals) for each in outcomes if each.kind is Kind.ANSWERABLE]
    return subject, float(np.quantile(on_subject, _LOST, method="lower"))


def _predict_unseen(signals: Column, right: Column, articles: Sequence[str]) -> Column:
    folds = GroupKFold(min(5, len(set(articles))))
    predicted = cross_val_predict(_model(), signals, right, groups=articles, cv=folds, method="predict_proba")
    return np.asarray(predicted)[:, 1]


def _model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression())


def _logistic(signals: Column, right: Column, names: Sequence[str]) -> Logistic:
    scaler, logistic = _model().fit(signals, right)
    weights = logistic.coef_[0] / scaler.scale_
    bias = float(logistic.intercept_[0] - weights @ scaler.mean_)
    return Logistic(bias, dict(zip(names, weights.tolist(), strict=True)))


def _signals(outcomes: Sequence[Outcome], names: Sequence[str]) -> Column:
    return np.array([[outcome.signals[name] for name in names] for outcome in outcomes])


def _columns(outcomes: Sequence[Outcome]) -> tuple[Column, Column]:
    return np.array([each.confidence for each in outcomes]), np.array([each.right for each in outcomes])


def _share(hits: Sequence[bool]) -> Measure:
    """Return a share with its Wilson score interval: Wilson (1927)."""
    interval = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return Measure(sum(hits) / len(hits), float(interval.low), float(interval.high))
