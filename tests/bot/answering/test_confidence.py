"""Verdicts: the thresholds of the fit or of the settings, and what people see of the fit."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from index.encoding.encoder import Encoder
from index.search.calibration import Logistic, save_fit
from index.search.hits import JUDGED, READ
from tests.bot.answering.hits import FIT
from tests.bot.conftest import Footnote, built, footnote, home

__all__ = ["built", "footnote", "home"]

QUESTION = "Who kept the lamp on Gull Rock?"
FILE = Path(".footnote/fit.json")


@pytest.mark.parametrize(
    ("confidence", "subject", "verdict"),
    [
        (0.0, 0.0, Verdict.NOT_FOUND),
        (0.9, 0.1999, Verdict.NOT_FOUND),
        (0.0, 0.2, Verdict.RELATED),
        (0.4999, 1.0, Verdict.RELATED),
        (0.5, 0.2, Verdict.ANSWERED),
        (1.0, 1.0, Verdict.ANSWERED),
    ],
)
def test_each_verdict_begins_at_its_threshold(confidence: float, subject: float, verdict: Verdict) -> None:
    assert Verdict.of(confidence, subject, FIT) is verdict


def test_without_a_hit_nothing_is_found_whatever_the_thresholds() -> None:
    assert Verdict.of(0.0, 0.0, dataclasses.replace(FIT, answer_at=0, related_at=0)) is Verdict.NOT_FOUND


@pytest.mark.parametrize("reader", ["trained", "none"])
@pytest.mark.parametrize(("answer_at", "verdict"), [(0.5, "answered"), (0.51, "related")])
def test_ones_own_fit_judges_answers_and_is_named_by_status_and_doctor(
    home: Path,
    footnote: Footnote,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    answer_at: float,
    verdict: str,
) -> None:
    """A fit that is half sure of everything."""
    monkeypatch.setenv("FOOTNOTE_READER", reader)
    names = READ if reader == "trained" else JUDGED
    fit = dataclasses.replace(
        FIT,
        encoder_fingerprint=encoder.model.fingerprint,
        reader="trained" if reader == "trained" else "",
        answers=Logistic(0.0, dict.fromkeys(names, 0.0)),
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
    assert f"confidence  {line}\n" in footnote("doctor").out


@pytest.mark.parametrize("arguments", [["ask", QUESTION], ["index", "status", "--json"], ["doctor"]])
def test_an_unusable_fit_is_refused_by_the_name_of_its_file(
    home: Path, footnote: Footnote, arguments: list[str]
) -> None:
    FILE.write_text('{"format": 2}', encoding="utf-8")
    outcome = footnote(*arguments)
    assert outcome.status == 65
    message = outcome.out if arguments == ["doctor"] else outcome.err
    assert ".footnote/fit.json is not a fit: encoder: Field required" in message
    assert "footnote eval --fit" in message
    assert "Traceback" not in outcome.err
