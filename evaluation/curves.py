"""What confidence is worth: how much is answered rightly at each level of it, and whether it is what it says.

Every function takes the confidences of some questions and whether each was right. Questions of one
confidence cannot be told apart by a threshold, so curves have a point at the end of each such group only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.tables import Column

__all__ = [
    "BINS",
    "Bin",
    "area_under_risk",
    "calibration_error",
    "coverage_at",
    "histogram",
    "reliability",
    "right_at",
    "risk_coverage",
    "threshold_at",
]

BINS = 15
"""Bins of equal width, as in the papers."""

_SLACK = 1e-9  # 0.95 of sums of floats is seldom 0.95


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence is in one bin: `low` to `high`, the highest included in the last."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


def _prefixes(confidence: Column, right: Column) -> tuple[Column, Column, Column]:
    """Return, from the highest threshold: it, the share at or above it, and the share right of those."""
    order = np.argsort(-confidence, kind="stable")
    sure = confidence[order]
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True)) if len(sure) else np.array([], dtype=int)
    correct = np.cumsum(right[order].astype(float))
    return sure[ends], (ends + 1) / max(len(sure), 1), correct[ends] / (ends + 1)


def risk_coverage(confidence: Column, right: Column) -> tuple[Column, Column]:
    """Return coverage (the share answered) and risk (the share wrong among them), threshold by threshold.

    Source: El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification" (2010).
    """
    _, coverage, correct = _prefixes(confidence, right)
    return coverage, 1 - correct


def area_under_risk(confidence: Column, right: Column) -> float:
    """Return the mean risk over all coverages (AURC): 0 is perfect, a random order gives the share wrong.

    The sum over thresholds of the coverage that each adds, times the risk there. Source: Geifman, Uziel and
    El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers" (2019).
    """
    if not len(confidence):
        return float("nan")
    coverage, risk = risk_coverage(confidence, right)
    return float(np.sum(np.diff(coverage, prepend=0.0) * risk))


def coverage_at(confidence: Column, right: Column, share: float) -> float:
    """Return the greatest share that can be answered, surest first, with `share` of it right."""
    if not len(confidence):
        return float("nan")
    _, coverage, correct = _prefixes(confidence, right)
    reached = np.flatnonzero(correct >= share - _SLACK)
    return float(coverage[reached[-1]]) if len(reached) else 0.0


def right_at(confidence: Column, right: Column, coverage: float) -> float:
    """Return the share right among the surest `coverage` of all, and those as sure as the last of them."""
    if not len(confidence):
        return float("nan")
    _, covered, correct = _prefixes(confidence, right)
    return float(correct[np.searchsorted(covered, coverage - _SLACK)])


def threshold_at(confidence: Column, right: Column, share: float) -> float:
    """Return the confidence at or above which the most is answered with `share` of it right.

    It is 1 where no threshold reaches that.
    """
    thresholds, _, correct = _prefixes(confidence, right)
    reached = np.flatnonzero(correct >= share - _SLACK)
    return float(thresholds[reached[-1]]) if len(reached) else 1.0


def _bin_of(confidence: Column) -> Column:
    return np.asarray(np.minimum((confidence * BINS).astype(int), BINS - 1))


def reliability(confidence: Column, right: Column) -> tuple[Bin, ...]:
    """Return the bins that hold questions, each with its mean confidence and the share right in it.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"
    (2015); Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """
    place = _bin_of(confidence)
    counts = np.bincount(place, minlength=BINS)
    sure = np.bincount(place, confidence, BINS)
    correct = np.bincount(place, right.astype(float), BINS)
    return tuple(
        Bin(one / BINS, (one + 1) / BINS, int(count), float(sure[one] / count), float(correct[one] / count))
        for one, count in enumerate(counts)
        if count
    )


def calibration_error(confidence: Column, right: Column) -> float:
    """Return the expected calibration error: the mean of |share right - mean confidence| over the questions.

    Each bin of `reliability` counts by its questions; sources as there.
    """
    if not len(confidence):
        return float("nan")
    place = _bin_of(confidence)
    gaps = np.bincount(place, right.astype(float) - confidence, BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def histogram(confidence: Column) -> tuple[int, ...]:
    """Return how many confidences are in each of the bins."""
    return tuple(int(count) for count in np.bincount(_bin_of(confidence), minlength=BINS))
