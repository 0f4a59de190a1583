"""The fitted confidence: its formula, its file, and every way in which the file is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import Encoder
from index.errors import MissingError
from index.search.calibration import Fit, FitError, choose_fit, fit_file, load_fit, save_fit

FIT = Fit(
    encoder="all-MiniLM-L6-v2",
    encoder_fingerprint="ab" * 32,
    bias=-3.5,
    weights={"score": 1.75, "weakest": 9.25},
    answer_at=0.5,
    related_at=0.125,
    sets={"lamps": 12, "bread": 30},
    made=date(2026, 1, 31),
)
FILE = Path("fit.json")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), st.floats(0, 1))
def test_a_fit_is_read_as_it_was_saved(numbers: list[float], share: float) -> None:
    bias, score, weakest = numbers
    fit = replace(FIT, bias=bias, weights={"score": score, "weakest": weakest}, answer_at=share)
    save_fit(fit, FILE)
    assert load_fit(FILE) == fit


@given(st.fixed_dictionaries({"score": st.floats(), "weakest": st.floats()}))
def test_confidence_is_a_probability_whatever_the_signals(signals: dict[str, float]) -> None:
    assert 0 <= FIT.confidence(signals) <= 1


def test_confidence_is_the_logistic_function_of_the_weighted_signals() -> None:
    signals = {"score": 0.4, "weakest": 0.3, "other": 70.0}
    assert FIT.confidence(signals) == pytest.approx(1 / (1 + math.exp(3.5 - 1.75 * 0.4 - 9.25 * 0.3)))
    rising = [FIT.confidence({"score": 0.5, "weakest": tenth / 10}) for tenth in range(11)]
    assert rising == sorted(rising)
    with pytest.raises(KeyError):
        FIT.confidence({"score": 0.4})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"encoder": ""}, "encoder: String should have at least 1 character"),
        ({"bias": "low"}, "bias: Input should be a valid number"),
        ({"bias": math.nan}, "bias: Input should be a finite number"),
        ({"weights": {"score": math.inf, "weakest": 1}}, "weights: score: Input should be a finite number"),
        ({"weights": ["score", "weakest"]}, "weights: Input should be an object"),
        (
            {"weights": {"score": 1}},
            "fitted to the signals score; this version of Footnote uses score, weakest",
        ),
        ({"weights": {"score": 1, "weakest": 1, "value_wanted": 1}}, "score, weakest, value_wanted"),
        ({"answer_at": 1.5}, "answer_at: Input should be less than or equal to 1"),
        ({"sets": {"lamps": 1.5}}, "sets: lamps: Input should be a valid integer"),
        ({"made": "yesterday"}, "made: Input should be a valid date"),
    ],
)
def test_a_malformed_fit_is_refused_with_file_reason_and_what_to_run(
    changes: dict[str, Any], reason: str
) -> None:
    save_fit(FIT, FILE)
    FILE.write_text(json.dumps({**json.loads(FILE.read_bytes()), **changes}))
    with pytest.raises(FitError) as refused:
        load_fit(FILE)
    assert str(refused.value).startswith("fit.json ")
    assert reason in str(refused.value)
    assert "Run `footnote eval --fit SET`" in str(refused.value)
    assert refused.value.exit_status == 65


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{", b"[" * 100_000, b"1" * 5000, b'{"format": 1}'])
def test_a_file_that_is_no_fit_is_refused(data: bytes) -> None:
    FILE.write_bytes(data)
    with pytest.raises(FitError, match=r"fit\.json is not a fit: "):
        choose_fit(FILE, "ff" * 32)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="none cannot be read"):
        load_fit(tmp_path / "none")
    FILE.write_text("in the way")
    for path in (tmp_path, FILE / "below"):
        with pytest.raises(MissingError, match="cannot be written"):
            save_fit(FIT, path)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]


def test_a_link_keeps_pointing_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    FILE.symlink_to("real")
    save_fit(FIT, FILE)
    assert (FILE.is_symlink(), load_fit(tmp_path / "real")) == (True, FIT)


def test_ones_own_fit_lies_beside_the_index_and_is_chosen_for_its_encoder_only(encoder: Encoder) -> None:
    file = fit_file(Path(".footnote/index"))
    assert file == Path(".footnote/fit.json")
    shipped = choose_fit(file, encoder.model.fingerprint)
    assert shipped.is_for(encoder.model.fingerprint)
    assert 0 < shipped.related_at < shipped.answer_at < 1
    save_fit(FIT, file)
    assert choose_fit(file, FIT.encoder_fingerprint) == FIT
    assert choose_fit(file, "ff" * 32) == shipped
    assert FIT.describe(FIT.encoder_fingerprint) == "fitted on lamps, bread, 2026-01-31"
    assert FIT.describe("ff" * 32).startswith(
        "not fitted for this encoder (using the fit of all-MiniLM-L6-v2)"
    )
