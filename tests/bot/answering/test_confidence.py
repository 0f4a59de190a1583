"""Verdicts: the thresholds of the fit or of the settings, and what people see of the fit."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from index.encoding.encoder import Encoder
from index.search.calibration import save_fit
from tests.bot.answering.hits import FIT
from tests.bot.conftest import Footnote, built, footnote, home

__all__ = ["built", "footnote", "home"]

QUESTION = "Who kept the lamp on Gull Rock?"
FILE = Path(".footnote/fit.json")


@pytest.mark.parametrize(
    ("confidence", "verdict"),
    [
        (0.0, Verdict.NOT_FOUND),
        (0.1999, Verdict.NOT_FOUND),
        (0.2, Verdict.RELATED),
        (0.4999, Verdict.RELATED),
        (0.5, Verdict.ANSWERED),
        (1.0, Verdict.ANSWERED),
    ],
)
def test_each_verdict_begins_at_its_threshold(confidence: float, verdict: Verdict) -> None:
    assert Verdict.of(confidence, FIT) is verdict


@pytest.mark.parametrize(("answer_at", "verdict"), [(0.5, "answered"), (0.51, "related")])
def test_ones_own_fit_judges_answers_and_is_named_by_status_and_doctor(
    home: Path, footnote: Footnote, encoder: Encoder, answer_at: float, verdict: str
) -> None:
    """A fit that is half sure of everything."""
    fit = dataclasses.replace(
        FIT,
        encoder_fingerprint=encoder.model.fingerprint,
        bias=0.0,
        weights=dict.fromkeys(FIT.weights, 0.0),
        answer_at=answer_at,
    )
    save_fit(fit, FILE)
    fields = json.loads(footnote("ask", "--json", QUESTION).out)
    assert (fields["confidence"], fields["verdict"]) == (0.5, verdict)
    fields = json.loads(footnote("ask", "--json", "--answer-at", "0.4", QUESTION).out)
    assert (fields["confidence"], fields["verdict"]) == (0.5, "answered")
    line = "fitted on lamps, 2026-01-31"
    assert f"confidence  {line}\n" in footnote("index", "status").out
    assert json.loads(footnote("index", "status", "--json").out)["confidence"] == line
    assert f"confidence {line}\n" in footnote("doctor").out


@pytest.mark.parametrize("arguments", [["ask", QUESTION], ["index", "status", "--json"], ["doctor"]])
def test_an_unusable_fit_is_refused_by_the_name_of_its_file(
    home: Path, footnote: Footnote, arguments: list[str]
) -> None:
    FILE.write_text('{"format": 1}', encoding="utf-8")
    outcome = footnote(*arguments)
    assert outcome.status == 65
    message = outcome.out if arguments == ["doctor"] else outcome.err
    assert ".footnote/fit.json is not a fit: encoder: Field required" in message
    assert "footnote eval --fit" in message
    assert "Traceback" not in outcome.err
