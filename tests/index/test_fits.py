"""The fit as data: its confidence, its file, and what is refused."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import MissingError
from index.search.calibration import Fit, FitError, load_fit, save_fit, write_atomically

FIT = Fit(
    encoder="all-MiniLM-L6-v2",
    encoder_fingerprint="ab" * 32,
    bias=-3.5,
    weights=(("dense", 1.75), ("both", 9.25)),
    answer_at=0.5,
    careful_at=0.75,
    related_at=0.125,
    sets=(("lamps", 12), ("bread", 30)),
    questions=42,
    made="2026-01-31",
)
FILE = Path("fit.json")

finite = st.floats(allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1)


def write(**changes: Any) -> None:
    FILE.write_text(json.dumps({**FIT.as_json(), **changes}), encoding="utf-8")


@given(
    numbers=st.tuples(finite, finite, finite),
    thresholds=st.tuples(shares, shares, shares).map(sorted),
    name=st.text(min_size=1).filter(str.strip),
)
def test_a_saved_fit_is_loaded_as_it_was(
    numbers: tuple[float, float, float], thresholds: list[float], name: str
) -> None:
    bias, dense, both = numbers
    related, answer, careful = thresholds
    fit = replace(
        FIT,
        encoder=name,
        bias=bias,
        weights=(("dense", dense), ("both", both)),
        related_at=related,
        answer_at=answer,
        careful_at=careful,
    )
    save_fit(fit, FILE)
    assert load_fit(FILE, {"dense", "both"}) == fit


@given(signals=st.fixed_dictionaries({"dense": st.floats(), "both": st.floats()}))
def test_confidence_is_a_share_whatever_the_signals(signals: dict[str, float]) -> None:
    assert 0 <= FIT.confidence(signals) <= 1


def test_confidence_is_the_logistic_of_the_weighed_signals_and_passes_over_others() -> None:
    signals = {"dense": 0.4, "both": 0.3, "length": 70.0}
    assert FIT.confidence(signals) == pytest.approx(1 / (1 + math.exp(3.5 - 1.75 * 0.4 - 9.25 * 0.3)))
    with pytest.raises(KeyError):
        FIT.confidence({"dense": 0.4})


def test_confidence_rises_with_a_signal_of_positive_weight() -> None:
    sure = [FIT.confidence({"dense": 0.5, "both": tenth / 10}) for tenth in range(11)]
    assert sure == sorted(sure)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "format 1"),
        ({"encoder": ""}, '"encoder" is not text'),
        ({"bias": "low"}, '"bias" is not a finite number'),
        ({"bias": True}, '"bias" is not a finite number'),
        ({"bias": math.nan}, '"bias" is not a finite number'),
        ({"bias": 10**400}, '"bias" is not a finite number'),
        ({"weights": {"dense": math.inf, "both": 1}}, '"weights.dense" is not a finite number'),
        ({"weights": {}}, '"weights" is not an object'),
        ({"weights": ["dense", "both"]}, '"weights" is not an object'),
        ({"weights": {"dense": 1}}, "no weight for 'both'"),
        ({"weights": {"dense": 1, "both": 1, "moon": 1}}, "an unknown signal 'moon'"),
        ({"answer_at": 1.5}, '"answer_at" is 1.5, not 0 to 1'),
        ({"careful_at": -0.1}, '"careful_at" is -0.1, not 0 to 1'),
        ({"careful_at": 0.25}, "not in rising order"),
        ({"related_at": None}, '"related_at" is not a finite number'),
        ({"questions": -1}, '"questions" is not a whole number'),
        ({"sets": {"lamps": 1.5}}, '"sets.lamps" is not a whole number'),
        ({"made": "yesterday"}, '"made" is no ISO date'),
        ({"pickle": "gASV"}, "unknown 'pickle'"),
    ],
)
def test_a_malformed_fit_is_refused_with_file_and_reason(changes: dict[str, Any], told: str) -> None:
    write(**changes)
    with pytest.raises(FitError) as refused:
        load_fit(FILE, {"dense", "both"})
    assert str(refused.value).startswith("fit.json: ")
    assert told in str(refused.value)
    assert refused.value.exit_status == 65


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{", b"[" * 100_000, b"1" * 5000, b'{"format": 1}'])
def test_what_is_no_fit_at_all_is_refused(data: bytes) -> None:
    FILE.write_bytes(data)
    with pytest.raises(FitError, match=r"fit\.json: "):
        load_fit(FILE)


def test_a_fit_that_is_not_there_is_missing() -> None:
    with pytest.raises(MissingError, match=r"fit\.json cannot be read") as missing:
        load_fit(FILE)
    assert missing.value.exit_status == 69


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"one")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"two"


def test_what_cannot_be_written_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "file/below", tmp_path / "pipe"):
        with pytest.raises(MissingError, match="cannot be written"):
            write_atomically(path, b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]
