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
from index.search.calibration import Fit, FitError, Logistic, choose_fit, fit_file, load_fit, save_fit
from index.search.hits import READ

FIT = Fit(
    encoder="all-MiniLM-L6-v2",
    encoder_fingerprint="ab" * 32,
    reader="",
    answers=Logistic(-3.5, {"score": 1.75, "weakest": 9.25}),
    subject=Logistic(-2.0, {"dense": 4.0, "score": 1.5, "weakest": 0.25}),
    answer_at=0.5,
    related_at=0.125,
    sets={"lamps": 12, "bread": 30},
    made=date(2026, 1, 31),
)
FILE = Path("fit.json")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), st.floats(0, 1))
def test_a_fit_is_read_as_it_was_saved(numbers: list[float], share: float) -> None:
    bias, score, weakest = numbers
    answers = Logistic(bias, {"score": score, "weakest": weakest})
    fit = replace(FIT, answers=answers, answer_at=share)
    save_fit(fit, FILE)
    assert load_fit(FILE) == fit


@given(st.fixed_dictionaries({"score": st.floats(), "weakest": st.floats()}))
def test_confidence_is_a_probability_whatever_the_signals(signals: dict[str, float]) -> None:
    assert 0 <= FIT.answers(signals) <= 1


def test_confidence_is_the_logistic_function_of_the_weighted_signals() -> None:
    signals = {"score": 0.4, "weakest": 0.3, "other": 70.0}
    assert FIT.answers(signals) == pytest.approx(1 / (1 + math.exp(3.5 - 1.75 * 0.4 - 9.25 * 0.3)))
    rising = [FIT.answers({"score": 0.5, "weakest": tenth / 10}) for tenth in range(11)]
    assert rising == sorted(rising)
    with pytest.raises(KeyError):
        FIT.answers({"score": 0.4})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, "format: Input should be 2"),
        ({"encoder": ""}, "encoder: String should have at least 1 character"),
        ({"answers": {"bias": "low", "weights": {}}}, "answers: bias: Input should be a valid number"),
        ({"subject": {"bias": math.nan, "weights": {}}}, "subject: bias: Input should be a finite number"),
        (
            {"answers": {"bias": 1, "weights": {"score": math.inf}}},
            "answers: weights: score: Input should be a finite number",
        ),
        ({"answers": {"bias": 1, "weights": ["score"]}}, "answers: weights: Input should be an object"),
        ({"answers": {"bias": 1, "weights": {"score": 1}}}, "fitted to the signals of another version"),
        ({"subject": {"bias": 1, "weights": {"score": 1}}}, "fitted to the signals of another version"),
        ({"reader": "trained"}, "fitted to the signals of another version"),
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


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{", b"[" * 100_000, b"1" * 5000, b'{"format": 2}'])
def test_a_file_that_is_no_fit_is_refused(data: bytes) -> None:
    FILE.write_bytes(data)
    with pytest.raises(FitError, match=r"fit\.json is not a fit: "):
        choose_fit(FILE, "ff" * 32, "")


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


@pytest.mark.parametrize("reader", ["", "trained"])
def test_ones_own_fit_lies_beside_the_index_and_is_chosen_for_its_encoder_and_reader_only(
    encoder: Encoder, reader: str
) -> None:
    file, fingerprint = fit_file(Path(".footnote/index")), encoder.model.fingerprint
    assert file == Path(".footnote/fit.json")
    shipped = choose_fit(file, fingerprint, reader)
    assert shipped.is_for(fingerprint, reader)
    assert 0 < shipped.related_at < 1
    assert 0 < shipped.answer_at < 1
    answers = Logistic(0.0, dict.fromkeys(READ, 1.0)) if reader else FIT.answers
    own = replace(FIT, reader=reader, answers=answers)
    save_fit(own, file)
    assert choose_fit(file, FIT.encoder_fingerprint, reader) == own
    assert choose_fit(file, "ff" * 32, reader) == shipped
    assert not choose_fit(file, FIT.encoder_fingerprint, "another").is_for(fingerprint, "another")


def test_a_fit_says_what_it_was_fitted_on_and_what_it_was_not_fitted_for() -> None:
    assert FIT.describe(FIT.encoder_fingerprint, "") == "fitted on lamps, bread, 2026-01-31"
    assert FIT.describe("ff" * 32, "").startswith(
        "not fitted for this encoder (using the fit of all-MiniLM-L6-v2)"
    )
    other = replace(FIT, reader="trained").describe(FIT.encoder_fingerprint, "other")
    assert other.startswith(
        "not fitted for this reader other (using the fit of all-MiniLM-L6-v2, reader trained)"
    )


def test_what_is_known_to_lack_something_is_half_as_sure_as_an_answer() -> None:
    assert [FIT.unsure(confidence) for confidence in (0.1, 0.25, 0.9)] == [0.1, 0.25, 0.25]
