"""The fit: what it finds again, how samples are weighed, and thresholds on articles not seen."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from evaluation.fitting import fit_confidence
from evaluation.judging import is_right
from evaluation.records import Asked, rescore
from index.search.calibration import Fit, FitError, load_fit, save_fit
from tests.evaluation.strategies import RECORD

DAY = date(2026, 2, 3)


def samples(count: int = 4000, seed: int = 3) -> list[Asked]:
    """Draw records of two signals in odd units, right by a logistic law that is known."""
    drawn = random.Random(seed)
    records = []
    for number in range(count):
        near, length = drawn.gauss(0, 1), drawn.gauss(200, 50)
        right = drawn.random() < 1 / (1 + math.exp(-(1 + 2 * near - 0.02 * (length - 200))))
        records.append(
            replace(
                RECORD,
                id=str(number),
                title=f"Article {number % 40}",
                quotes=RECORD.quotes if right else ("It is red.",),
                signals=(("near", near), ("length", length)),
            )
        )
    return records


def fit(records: list[Asked]) -> Fit:
    return fit_confidence(records, "some-encoder", "cd" * 32, DAY).fit


def test_the_law_that_made_the_samples_is_found_again_in_the_signals_own_units() -> None:
    found = fit(samples())
    weights = dict(found.weights)
    assert weights["near"] == pytest.approx(2, abs=0.2)
    assert weights["length"] == pytest.approx(-0.02, abs=0.003)
    assert found.bias == pytest.approx(5, abs=0.6)
    assert (found.sets, found.questions, found.made) == ((("harbour", 4000),), 4000, "2026-02-03")


def test_at_its_thresholds_new_samples_are_right_as_often_as_promised() -> None:
    found = fit(samples())
    new = [rescore(record, found) for record in samples(seed=8)]
    for at, promised in ((found.answer_at, 0.85), (found.careful_at, 0.95)):
        said = [record for record in new if record.confidence >= at]
        assert sum(map(is_right, said)) / len(said) == pytest.approx(promised, abs=0.025)
    kept = sum(record.confidence >= found.related_at for record in new) / len(new)
    assert kept == pytest.approx(0.95, abs=0.015)
    assert 0 < found.related_at <= found.answer_at <= found.careful_at < 1


def test_thresholds_are_not_the_better_for_articles_that_were_seen() -> None:
    """A signal that only says which article it is helps nothing on others."""
    records = [
        replace(
            RECORD,
            id=str(number),
            signals=tuple((f"is {one}", float(number % 20 == one)) for one in range(20)),
            title=f"Article {number % 20}",
            quotes=RECORD.quotes if number % 20 < 10 else ("It is red.",),
        )
        for number in range(400)
    ]
    found = fit_confidence(records, "some-encoder", "cd" * 32, DAY)
    assert found.fit.answer_at > 0.5
    assert found.answered[0] < 0.2


def test_a_fit_is_saved_and_loaded_as_the_same_confidence() -> None:
    found = fit(samples(400))
    save_fit(found, Path("fit.json"))
    loaded = load_fit(Path("fit.json"), {"near", "length"})
    signals = {"near": 0.3, "length": 180.0}
    assert loaded.confidence(signals) == found.confidence(signals)


def test_a_record_is_judged_anew_by_a_fit() -> None:
    found = fit(samples(400))
    for record in samples(50, seed=9):
        new = rescore(record, found)
        assert new.confidence == pytest.approx(found.confidence(dict(record.signals)), abs=1e-6)
        assert (new.verdict == "answered") == (found.confidence(dict(record.signals)) >= found.answer_at)
    nothing = rescore(replace(RECORD, signals=()), found)
    assert (nothing.confidence, nothing.verdict) == (0, "not_found")


def test_samples_without_a_hit_or_with_a_signal_that_is_no_number_are_left_out() -> None:
    odd = [replace(RECORD, signals=()), replace(RECORD, signals=(("near", math.nan), ("length", 1.0)))]
    found = fit_confidence([*samples(400), *odd], "some-encoder", "cd" * 32, DAY)
    assert (found.samples, found.left_out) == (400, 2)


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], "none is right"),
        ([replace(RECORD, quotes=())] * 3, "none is right"),
        ([RECORD] * 3, "all are right"),
        ([RECORD, replace(RECORD, quotes=())] * 3, "one article only"),
    ],
)
def test_what_cannot_be_fitted_to_is_refused(records: list[Asked], told: str) -> None:
    with pytest.raises(FitError, match=told):
        fit(records)
