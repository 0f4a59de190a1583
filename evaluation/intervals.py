"""How sure a figure is: bootstrap intervals over a set's questions, paired where two runs asked the same."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from evaluation.measures import MEASURES, compute
from evaluation.tables import Column, Table

__all__ = ["RESAMPLES", "Estimate", "differences", "estimates"]

RESAMPLES = 1000
"""How often the questions are drawn again."""

_TAILS = (0.025, 0.975)
_BATCH = 50  # drawings at a time; bounds the memory


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95% interval; None where there is none to be had."""

    value: float | None
    low: float | None
    high: float | None


def estimates(table: Table, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return every measure of a set, by name, each with its interval.

    Percentile bootstrap: the questions are drawn with replacement, one drawing for all measures, and the
    middle 95% of what they then give is the interval. A question asked of another subject too is drawn with
    both, since the two are not independent. Source: Efron and Tibshirani, "An Introduction to the Bootstrap"
    (1993), chapter 13; scipy.stats.bootstrap. Where all questions went the same way, it is that one point.
    """
    return _intervals(lambda rows: compute(table[rows]), len(table), seed, resamples)


def differences(before: Table, after: Table, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return after - before of every measure, by name, each with its interval.

    The rows of both tables must be the same questions in the same order: they are drawn in pairs, so that
    what is hard for both takes nothing from how sure the difference is.

    Raises:
        ValueError: the tables do not have as many rows as one another.
    """
    if len(before) != len(after):
        raise ValueError("the tables are not of the same questions")
    return _intervals(lambda rows: compute(after[rows]) - compute(before[rows]), len(before), seed, resamples)


def _intervals(
    figures: Callable[[npt.NDArray[np.intp]], Column], count: int, seed: int, resamples: int
) -> dict[str, Estimate]:
    values = figures(np.arange(count))
    # One question, drawn again and again, tells nothing of how much others would vary.
    spread = _draw(figures, count, seed, resamples) if count > 1 else np.full((len(values), 1), math.nan)
    pairs = zip(MEASURES, values, spread, strict=True)
    return {measure.name: _estimate(value, drawn) for measure, value, drawn in pairs}


def _draw(figures: Callable[[npt.NDArray[np.intp]], Column], count: int, seed: int, resamples: int) -> Column:
    """Return the figures of each drawing, shape (figures, drawings)."""

    def statistic(rows: npt.NDArray[np.intp], axis: int) -> Column:
        drawn = np.array([figures(one) for one in rows.reshape(-1, count)])
        return drawn.T.reshape(-1, *rows.shape[:-1])

    with warnings.catch_warnings():
        # A drawing may hold nothing to count for a measure; `_estimate` knows what to make of that.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            (np.arange(count),),
            statistic,
            n_resamples=resamples,
            batch=_BATCH,
            vectorized=True,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return np.asarray(result.bootstrap_distribution)


def _estimate(value: float, drawn: Column) -> Estimate:
    """Put an estimate together; where most drawings held nothing to count, there is no interval."""
    known = drawn[np.isfinite(drawn)]
    if math.isnan(value):
        return Estimate(None, None, None)
    if 2 * len(known) < len(drawn):
        return Estimate(float(value), None, None)
    low, high = np.quantile(known, _TAILS)
    return Estimate(float(value), float(low), float(high))
