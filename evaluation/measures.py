"""The measures of one set: each a function of its table, with a formula; NaN where there is nothing to count.

`pool` says over which questions an answer is judged: those of the set, and for `mixed_` measures (of sets
without unanswerable questions) each answerable one a second time, asked without its article.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.curves import area_under_risk, calibration_error, coverage_at, right_at
from evaluation.records import VERDICTS, Kind
from evaluation.tables import Column, Table

__all__ = ["MEASURES", "Measure", "Unit", "compute", "pool"]

Unit = str
"""`share` (0 to 1), `number`, `characters` or `ms`."""

_ANSWERED = VERDICTS.index("answered")
_KEPT = 0.95


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: its name for programs, its label for people; `better` is 1 where more is better, else -1."""

    name: str
    label: str
    compute: Callable[[Table], float]
    better: int = 1
    unit: Unit = "share"


def compute(table: Table) -> Column:
    """Return every one of `MEASURES` of the table, in order; NaN for those that it has no questions for."""
    return np.array([measure.compute(table) for measure in MEASURES])


def pool(table: Table, *, mixed: bool = False) -> tuple[Column, Column, Column]:
    """Return confidence, right and answered of the questions to be judged.

    With `mixed`, each question asked of another subject too counts a second time, never right; there are none
    to be judged where the set has unanswerable questions of its own.
    """
    own = table["confidence"], table["right"], table["verdict"] == _ANSWERED
    if not mixed:
        return own
    there = table["other_verdict"] >= 0
    if not there.any() or not table["answerable"].all():
        return own[0][:0], own[1][:0], own[2][:0]
    more = table["other_confidence"], np.zeros(len(table), dtype=bool), table["other_verdict"] == _ANSWERED
    return (
        np.concatenate([own[0], more[0][there]]),
        np.concatenate([own[1], more[1][there]]),
        np.concatenate([own[2], more[2][there]]),
    )


def _mean(values: Column, among: Column | None = None) -> float:
    kept = values if among is None else values[among]
    return float(kept.mean()) if len(kept) else float("nan")


def _top(count: int) -> Callable[[Table], float]:
    """Accuracy at k: answerable questions with a right paragraph among the first k cited / those with one.

    Source: Karpukhin et al., "Dense Passage Retrieval" (2020), there called top-k accuracy.
    """
    return lambda table: _mean(table["rank"] <= count, _placed(table))


def _placed(table: Table) -> Column:
    return np.asarray(table["answerable"] & ~np.isnan(table["rank"]))


def _reciprocal_rank(table: Table) -> float:
    """Mean of 1 / rank of the first right paragraph, 0 where none of the ten cited is.

    Source: Voorhees, "The TREC-8 Question Answering Track Report" (1999).
    """
    placed = _placed(table)
    return _mean(1 / table["rank"][placed])


def _quote_right(table: Table) -> float:
    """Answerable questions whose first quote holds a gold answer / answerable questions (`judging.holds`)."""
    return _mean(table["right"], table["answerable"])


def _any_quote_right(table: Table) -> float:
    """Answerable questions of which any quote holds a gold answer / answerable questions."""
    return _mean(table["any_right"], table["answerable"])


def _sentence_f1(table: Table) -> float:
    """Mean over the answerable of the best F1 of what is shown and a gold answer (`judging.token_f1`)."""
    return _mean(table["f1"], ~np.isnan(table["f1"]))


def _quote_characters(table: Table) -> float:
    """Median length in characters of the first quotes of answerable questions."""
    lengths = table["characters"][table["answerable"] & ~np.isnan(table["characters"])]
    return float(np.median(lengths)) if len(lengths) else float("nan")


def _verdict(kind: Kind, verdict: str) -> Callable[[Table], float]:
    """Questions of a kind with a verdict / questions of the kind."""
    wanted = VERDICTS.index(verdict)
    if kind is Kind.OTHER:
        return lambda table: _mean(table["other_verdict"] == wanted, table["other_verdict"] >= 0)
    answerable = kind is Kind.ANSWERABLE
    return lambda table: _mean(table["verdict"] == wanted, table["answerable"] == answerable)


def _answered_share(mixed: bool) -> Callable[[Table], float]:
    """Coverage: answered questions / all questions of the pool."""
    return lambda table: _mean(pool(table, mixed=mixed)[2])


def _answered_right(mixed: bool) -> Callable[[Table], float]:
    """Answered questions whose first quote is right / answered questions of the pool: selective accuracy.

    Source: El-Yaniv and Wiener (2010), where it is 1 - selective risk.
    """

    def share(table: Table) -> float:
        _, right, answered = pool(table, mixed=mixed)
        return _mean(right, answered)

    return share


def _coverage(share: float, mixed: bool) -> Callable[[Table], float]:
    """Share of the pool, surest first, that can be answered with `share` right (`curves.coverage_at`)."""
    return lambda table: coverage_at(*pool(table, mixed=mixed)[:2], share)


def _right_at(coverage: float, mixed: bool) -> Callable[[Table], float]:
    """Share right among the surest questions of the pool (`curves.right_at`)."""
    return lambda table: right_at(*pool(table, mixed=mixed)[:2], coverage)


def _area(mixed: bool) -> Callable[[Table], float]:
    """Area under the risk-coverage curve of the pool (`curves.area_under_risk`)."""
    return lambda table: area_under_risk(*pool(table, mixed=mixed)[:2])


def _calibration(mixed: bool) -> Callable[[Table], float]:
    """Calibration error expected over the pool, 15 bins (`curves.calibration_error`)."""
    return lambda table: calibration_error(*pool(table, mixed=mixed)[:2])


def _negatives(table: Table, kind: Kind) -> Column:
    if kind is Kind.OTHER:
        return np.asarray(table["other_confidence"][table["other_verdict"] >= 0])
    return np.asarray(table["confidence"][~table["answerable"]])


def _auroc(kind: Kind) -> Callable[[Table], float]:
    """Chance that an answerable question has a higher confidence than one of `kind`, ties half.

    Mann and Whitney's U over the number of pairs. Source: Fawcett, "An introduction to ROC analysis" (2006).
    scikit-learn's roc_auc_score gives the same, but its checks take most of a bootstrap's time.
    """

    def area(table: Table) -> float:
        positive, negative = table["confidence"][table["answerable"]], _negatives(table, kind)
        if not len(positive) or not len(negative):
            return float("nan")
        negative = np.sort(negative)
        under = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
        return float(under.mean() / (2 * len(negative)))

    return area


def _other_rejected(table: Table) -> float:
    """Other-subject questions under the highest threshold that keeps 95% of the answerable / all of them.

    1 - the false positive rate at a true positive rate of 0.95, as out-of-distribution detection reports it:
    Liang, Li and Srikant, "Enhancing the Reliability of Out-of-distribution Image Detection" (2018).
    """
    answerable, other = np.sort(table["confidence"][table["answerable"]]), _negatives(table, Kind.OTHER)
    if not len(answerable) or not len(other):
        return float("nan")
    lost = int((1 - _KEPT) * len(answerable) + 1e-9)
    return _mean(other < answerable[lost])


def _highlight_given(table: Table) -> float:
    """Answerable questions with a highlight in the first quote / answerable questions."""
    return _mean(table["highlighted"], table["answerable"])


def _highlight_right(table: Table) -> float:
    """Highlights that hold a gold answer or are held by one / highlights given to answerable questions."""
    return _mean(table["highlight_right"], table["answerable"] & table["highlighted"])


def _exact(table: Table) -> float:
    """Answers of which every quote is its article's text to the letter / all answers."""
    there = table["other_verdict"] >= 0
    return _mean(np.concatenate([table["exact"], table["other_exact"][there]]))


def _latency(percent: float) -> Callable[[Table], float]:
    """Percentile of the milliseconds from question to answer, over every time one was asked."""

    def percentile(table: Table) -> float:
        times = np.concatenate([table["ms"], table["other_ms"][table["other_verdict"] >= 0]])
        return float(np.percentile(times, percent)) if len(times) else float("nan")

    return percentile


def _deciding(mixed: bool) -> tuple[Measure, ...]:
    name, label = ("mixed_", ", with other subjects") if mixed else ("", "")
    return (
        Measure(f"{name}answered_share", f"answered{label}", _answered_share(mixed)),
        Measure(f"{name}answered_right", f"right when answered{label}", _answered_right(mixed)),
        Measure(f"{name}coverage_at_85", f"coverage at 85% right{label}", _coverage(0.85, mixed)),
        Measure(f"{name}coverage_at_90", f"coverage at 90% right{label}", _coverage(0.90, mixed)),
        Measure(f"{name}coverage_at_95", f"coverage at 95% right{label}", _coverage(0.95, mixed)),
        Measure(f"{name}right_at_35", f"right among the surest 35%{label}", _right_at(0.35, mixed)),
        Measure(f"{name}right_at_40", f"right among the surest 40%{label}", _right_at(0.40, mixed)),
        Measure(f"{name}aurc", f"area under risk-coverage{label}", _area(mixed), -1, "number"),
        Measure(f"{name}ece", f"calibration error{label}", _calibration(mixed), -1, "number"),
    )


def _verdicts(kind: Kind, label: str) -> tuple[Measure, ...]:
    wanted = 1 if kind is Kind.ANSWERABLE else -1
    return tuple(
        Measure(
            f"{kind}_{verdict}",
            f"{label}: {verdict.replace('_', ' ')}",
            _verdict(kind, verdict),
            wanted if verdict == "answered" else -wanted,
        )
        for verdict in VERDICTS
    )


MEASURES: tuple[Measure, ...] = (
    Measure("top_1", "right paragraph first", _top(1)),
    Measure("top_3", "right paragraph in the first 3", _top(3)),
    Measure("top_10", "right paragraph in the first 10", _top(10)),
    Measure("mrr", "mean reciprocal rank", _reciprocal_rank, 1, "number"),
    Measure("quote_right", "first quote holds the answer", _quote_right),
    Measure("any_quote_right", "any quote holds the answer", _any_quote_right),
    Measure("sentence_f1", "words shared with the gold sentences (F1)", _sentence_f1, 1, "number"),
    Measure("quote_characters", "median characters of the first quote", _quote_characters, -1, "characters"),
    *_verdicts(Kind.ANSWERABLE, "answerable"),
    *_verdicts(Kind.UNANSWERABLE, "unanswerable"),
    *_verdicts(Kind.OTHER, "other subject"),
    *_deciding(mixed=False),
    *_deciding(mixed=True),
    Measure("auroc_unanswerable", "AUROC, unanswerable", _auroc(Kind.UNANSWERABLE), 1, "number"),
    Measure("auroc_other", "AUROC, other subject", _auroc(Kind.OTHER), 1, "number"),
    Measure("other_rejected", "other subject rejected, 95% kept", _other_rejected),
    Measure("highlight_given", "highlight given", _highlight_given),
    Measure("highlight_right", "right when given", _highlight_right),
    Measure("exact", "quoted to the letter", _exact),
    Measure("ms_p50", "milliseconds, median", _latency(50), -1, "ms"),
    Measure("ms_p99", "milliseconds, 99th percentile", _latency(99), -1, "ms"),
)
"""All of them, in the order in which they are shown."""
