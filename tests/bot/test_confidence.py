"""The judge: its thresholds, where they come from, and a fit that is another encoder's or is none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Verdict
from bot.answering.confidence import Judge, find_judge
from bot.service.service import Service
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.errors import MissingError
from index.search.calibration import FitError, choose_fit, save_fit
from tests.bot.conftest import Footnote
from tests.bot.made import FIT
from tests.bot.services import serving, settings_of
from tests.graphs import lend_graph
from tests.index.encoding.model_folders import copy_default

QUESTION = "Who kept the lamp on Gull Rock?"
FILE = Path(".footnote/fit.json")
SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("sure", "verdict"),
    [
        (0.0, Verdict.NOT_FOUND),
        (0.1999, Verdict.NOT_FOUND),
        (0.2, Verdict.RELATED),
        (0.4999, Verdict.RELATED),
        (0.5, Verdict.ANSWERED),
        (1.0, Verdict.ANSWERED),
    ],
)
def test_each_verdict_begins_at_its_threshold(sure: float, verdict: Verdict) -> None:
    assert Judge(FIT, 0.5).verdict(sure) is verdict


@given(SHARES, SHARES)
def test_asking_for_more_or_less_moves_only_what_is_answered(sure: float, answer_at: float) -> None:
    verdict = Judge(FIT, answer_at).verdict(sure)
    assert (verdict is Verdict.ANSWERED) == (sure >= answer_at and sure > 0)
    if verdict is not Verdict.ANSWERED:
        assert (verdict is Verdict.RELATED) == (sure >= FIT.related_at)


@given(SHARES)
def test_no_confidence_at_all_answers_nothing_however_little_is_asked_for(answer_at: float) -> None:
    assert Judge(FIT, answer_at).verdict(0.0) is Verdict.NOT_FOUND


@given(st.dictionaries(st.sampled_from(FIT.signal_names), st.floats(), min_size=len(FIT.signal_names)))
def test_confidence_is_a_share_whatever_the_signals(signals: dict[str, float]) -> None:
    assert 0 <= Judge(FIT, 0.5).confidence(signals) <= 1


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2).map(sorted))
def test_confidence_never_falls_when_a_signal_of_positive_weight_rises(scores: list[float]) -> None:
    less, more = ({**dict.fromkeys(FIT.signal_names, 0.0), "score": score} for score in scores)
    assert Judge(FIT, 0.5).confidence(less) <= Judge(FIT, 0.5).confidence(more)


def test_the_threshold_is_that_of_the_fit_unless_the_settings_say_otherwise() -> None:
    save_fit(dataclasses.replace(FIT, answer_at=0.625), FILE)
    assert find_judge(FILE, FIT.encoder_fingerprint, None).answer_at == 0.625
    for share in (0.0, 0.3, 1.0):
        assert find_judge(FILE, FIT.encoder_fingerprint, share).answer_at == share


def test_a_fit_for_the_encoder_is_taken_from_its_file() -> None:
    save_fit(FIT, FILE)
    chosen = choose_fit(FILE, FIT.encoder_fingerprint)
    assert (chosen.fit, chosen.is_fitted) == (FIT, True)
    assert chosen.line() == "fitted on lamps, bread, 2026-01-31"
    assert find_judge(FILE, FIT.encoder_fingerprint, None).fit == FIT


def test_a_fit_for_another_encoder_is_passed_over_for_the_shipped_one() -> None:
    shipped = choose_fit(Path("none"), "ff" * 32)
    save_fit(FIT, FILE)
    passed = choose_fit(FILE, "ff" * 32)
    assert passed == shipped
    assert passed.fit != FIT
    assert not passed.is_fitted
    assert passed.line().startswith("not fitted for this encoder (that of all-MiniLM-L6-v2 is used)")
    assert "footnote eval --fit" in passed.line()
    assert find_judge(FILE, "ff" * 32, None).fit == shipped.fit


def test_the_shipped_fit_is_for_the_default_encoder_and_its_thresholds_mean_something(
    encoder: Encoder,
) -> None:
    chosen = choose_fit(Path("none"), encoder.model.fingerprint)
    assert chosen.is_fitted
    assert 0 < chosen.fit.related_at < chosen.fit.answer_at < chosen.fit.careful_at < 1
    assert dict(chosen.fit.weights)["score"] > 0


def test_a_file_that_is_no_fit_is_refused_even_where_it_would_be_passed_over() -> None:
    for content in ("{}", json.dumps({**FIT.as_json(), "weights": {"moon": 1.0}})):
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(content, encoding="utf-8")
        with pytest.raises(FitError, match=r"fit\.json"):
            find_judge(FILE, "ff" * 32, None)
    FILE.unlink()
    FILE.mkdir()
    with pytest.raises(MissingError, match=r"fit\.json cannot be read"):
        find_judge(FILE, "ff" * 32, None)


# ---- what people see of it


def own_fit(encoder: Encoder, answer_at: float) -> None:
    """Write a fit for the real encoder: whatever is found is a half sure."""
    weights = tuple(dict.fromkeys(FIT.signal_names, 0.0).items())
    fit = dataclasses.replace(
        FIT,
        encoder_fingerprint=encoder.model.fingerprint,
        bias=0.0,
        weights=weights,
        answer_at=answer_at,
        careful_at=0.9,
        related_at=0.1,
    )
    save_fit(fit, FILE)


@pytest.mark.parametrize(("answer_at", "verdict"), [(0.5, "answered"), (0.51, "related")])
def test_answers_are_judged_by_the_fit_of_ones_own(
    home: Path, footnote: Footnote, encoder: Encoder, answer_at: float, verdict: str
) -> None:
    own_fit(encoder, answer_at)
    fields = json.loads(footnote("ask", "--json", QUESTION).out)
    assert (fields["confidence"], fields["verdict"]) == (0.5, verdict)
    fields = json.loads(footnote("ask", "--json", "--answer-at", "0.4", QUESTION).out)
    assert (fields["confidence"], fields["verdict"]) == (0.5, "answered")
    FILE.rename("mine.json")
    fields = json.loads(footnote("ask", "--json", "--fit-file", "mine.json", QUESTION).out)
    assert (fields["confidence"], fields["verdict"]) == (0.5, verdict)


def test_status_and_doctor_say_what_the_confidence_was_fitted_on(
    home: Path, footnote: Footnote, encoder: Encoder
) -> None:
    own_fit(encoder, 0.5)
    assert "confidence  fitted on lamps, bread, 2026-01-31\n" in footnote("index", "status").out
    told = json.loads(footnote("index", "status", "--json").out)
    assert told["confidence"] == "fitted on lamps, bread, 2026-01-31"
    assert "ok    confidence fitted on lamps, bread, 2026-01-31\n" in footnote("doctor").out


def test_status_and_doctor_say_that_an_encoder_has_no_fit(
    home: Path, footnote: Footnote, graph_folder: Path
) -> None:
    folder = copy_default(Path("other-model"))
    (folder / "extra.json").write_text("{}", encoding="utf-8")
    save_fit(FIT, FILE)
    outcome = footnote("doctor", "--model", str(folder.resolve()))
    assert "warn  confidence not fitted for this encoder (that of all-MiniLM-L6-v2 is used)" in outcome.out
    lend_graph(graph_folder, Path(".footnote/index"), find_model(str(folder.resolve())))
    built = footnote("index", "build", "--model", str(folder.resolve()))
    assert built.status == 0
    assert "confidence  not fitted for this encoder" in footnote("index", "status").out


@pytest.mark.parametrize(
    "arguments", [["ask", QUESTION], ["index", "status"], ["index", "status", "--json"], ["doctor"]]
)
def test_a_malformed_fit_is_65_by_the_name_of_its_file(
    home: Path, footnote: Footnote, arguments: list[str]
) -> None:
    Path("mine.json").write_text('{"format": 1}', encoding="utf-8")
    outcome = footnote(*arguments, "--fit-file", "mine.json")
    assert outcome.status == 65
    told = outcome.out if arguments == ["doctor"] else outcome.err
    assert "mine.json: lacks 'answer_at'" in told
    assert "footnote eval --fit" in told
    assert "Traceback" not in outcome.err


async def test_the_service_refuses_to_start_by_a_malformed_fit(home: Path) -> None:
    FILE.write_text("{", encoding="utf-8")
    service = Service(settings_of(home))
    with pytest.raises(FitError, match=r"fit\.json: not JSON"):
        await service.start()
    await service.close()


async def test_the_status_of_a_service_has_the_confidence(home: Path, encoder: Encoder) -> None:
    own_fit(encoder, 0.5)
    async with serving(home) as service:
        status = await service.status()
    assert ("confidence", "fitted on lamps, bread, 2026-01-31") in status.lines()
