"""Records to a fit: a logistic model of whether the first quote is right; thresholds on unseen articles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from evaluation.curves import threshold_at
from evaluation.judging import is_right, plain
from evaluation.records import Asked, Kind
from evaluation.tables import Column
from index.search.calibration import Fit, FitError

__all__ = ["Fitted", "fit_confidence"]

_FOLDS = 5
_ANSWER_RIGHT = 0.85
_CAREFUL_RIGHT = 0.95
_RELATED_KEPT = 0.95
_ITERATIONS = 5000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit, and how it did on articles that it had not seen (out of fold).

    `left_out` samples had no hit, or a signal that is no number. `answered` and `careful` are the share that
    is answered at `answer_at` and at `careful_at`, each with the share of it that is right.
    """

    fit: Fit
    samples: int
    left_out: int
    answered: tuple[float, float]
    careful: tuple[float, float]


def fit_confidence(records: Sequence[Asked], encoder: str, fingerprint: str, made: date) -> Fitted:
    """Fit the chance that the first quote holds the answer to the signals of some records of any sets.

    Every question counts the same, whatever its set or kind: so `answered` is right 85 times in 100 on these
    sets put together, not on each of them.

    Logistic regression on standardised signals (L2, C = 1), its weights then put back in the signals' own
    units. The thresholds are chosen on predictions for articles that were left out of the fit, in five
    parts, so that they are not the better for having been seen. Sources: Platt, "Probabilistic Outputs for
    Support Vector Machines" (1999); scikit-learn's LogisticRegression and GroupKFold.

    Raises:
        FitError: there is nothing to tell right from wrong by.
    """
    samples = [one for one in records if _is_usable(one)]
    right = np.array([is_right(one) for one in samples], dtype=bool)
    if right.all() or not right.any():
        found = "all are right" if right.any() else "none is right"
        raise FitError(f"the confidence cannot be fitted to these questions: {found}. Name other sets.")
    names = [name for name, _ in samples[0].signals]
    table = np.array([[dict(one.signals)[name] for name in names] for one in samples])
    bias, weights = _logistic(table, right)
    unseen = _out_of_fold(table, right, [_group(one) for one in samples])
    related, answer, careful = _thresholds(unseen, right, samples)
    asked = Counter(one.set_name for one in records if one.kind is not Kind.OTHER)
    fit = Fit(
        encoder=encoder,
        encoder_fingerprint=fingerprint,
        bias=bias,
        weights=tuple(zip(names, weights, strict=True)),
        answer_at=answer,
        careful_at=careful,
        related_at=related,
        sets=tuple(sorted(asked.items())),
        questions=asked.total(),
        made=made.isoformat(),
    )
    return Fitted(
        fit,
        len(samples),
        len(records) - len(samples),
        _said(unseen, right, answer),
        _said(unseen, right, careful),
    )


def _is_usable(record: Asked) -> bool:
    return bool(record.signals) and all(math.isfinite(value) for _, value in record.signals)


def _group(sample: Asked) -> str:
    """Return what must not be in two folds: an article by its title, whichever set has it."""
    return plain(sample.title) or f"{sample.set_name}\n{sample.id}"


def _logistic(table: Column, right: Column) -> tuple[float, list[float]]:
    """Return the bias and the weights of the signals as they are, not standardised."""
    scaler = StandardScaler().fit(table)
    model = LogisticRegression(max_iter=_ITERATIONS)
    model.fit(scaler.transform(table), right)
    weights = model.coef_[0] / scaler.scale_
    return float(model.intercept_[0] - weights @ scaler.mean_), [float(one) for one in weights]


def _out_of_fold(table: Column, right: Column, groups: Sequence[str]) -> Column:
    """Return the confidence of each sample from a fit that has seen nothing of its article."""
    unseen = np.zeros(len(right))
    folds = min(_FOLDS, len(set(groups)))
    if folds < 2:
        raise FitError("the confidence cannot be fitted to questions on one article only. Name more sets.")
    for train, test in GroupKFold(folds).split(table, right, groups):
        if right[train].all() or not right[train].any():
            unseen[test] = np.average(right[train])  # nothing to tell them apart by
            continue
        bias, weights = _logistic(table[train], right[train])
        # tanh does not overflow: 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2.
        unseen[test] = (1 + np.tanh((bias + table[test] @ np.array(weights)) / 2)) / 2
    return unseen


def _thresholds(sure: Column, right: Column, samples: Sequence[Asked]) -> tuple[float, float, float]:
    """Return `related_at`, `answer_at` and `careful_at`, rounded down, in rising order."""
    answer = _down(threshold_at(sure, right, _ANSWER_RIGHT))
    careful = _down(threshold_at(sure, right, _CAREFUL_RIGHT))
    answerable = np.array([one.kind is Kind.ANSWERABLE for one in samples])
    related = _down(float(np.quantile(sure[answerable], 1 - _RELATED_KEPT, method="lower")))
    return min(related, answer), answer, max(answer, careful)


def _down(confidence: float) -> float:
    return math.floor(1e4 * confidence) / 1e4


def _said(sure: Column, right: Column, at: float) -> tuple[float, float]:
    """Return the share at or above a threshold, and the share of it that is right."""
    said = sure >= at
    return float(said.mean()), float(right[said].mean()) if said.any() else 0.0
