"""Readers by their setting, the whole way: whose choice is shown, and what is said where one is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.conftest import Footnote, built, footnote, home
from tests.index.reading.model_server import ModelServer, Request, completion, failure

__all__ = ["built", "footnote", "home"]

QUESTION = "Who kept the lamp on Gull Rock?"
KEEPER = "Ebba Lind kept the lamp on Gull Rock for thirty-one years."
ELECTRIC = "The lamp was replaced by an electric one in 1954."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Run a language model's server, and name it as the reader."""
    with ModelServer() as running:
        monkeypatch.setenv("FOOTNOTE_READER", f"openai:{running.url}#choosy")
        yield running


@pytest.mark.usefixtures("home")
def test_a_language_models_choice_is_quoted_and_nothing_that_it_writes(
    server: ModelServer, footnote: Footnote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("a-key\n")
    monkeypatch.setenv("FOOTNOTE_READER_KEY_FILE", "key")

    def choose(request: Request) -> str:
        return json.dumps({"sentences": [request.sentences[ELECTRIC]]})

    server.plan(completion(choose))
    answer = json.loads(footnote("ask", "--json", "--explain", QUESTION).out)
    assert answer["quotes"][0]["text"] == ELECTRIC
    assert answer["explanation"]["reader"] == "trained", "the fit that stands in for its own"
    assert server.requests[0].headers["Authorization"] == "Bearer a-key"
    server.plan(completion("Ebba Lind invented the lamp!"))
    outcome = footnote("ask", QUESTION)
    assert "invented" not in outcome.out + outcome.err
    assert "Closest passages:" in outcome.out
    assert "not fitted for this reader openai:choosy" in footnote("index", "status").out
    assert "not fitted for this reader openai:choosy" in footnote("doctor").out


@pytest.mark.usefixtures("home")
def test_where_a_language_model_is_away_the_shipped_reader_answers_and_says_so(
    server: ModelServer, footnote: Footnote, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan(failure(500))
    answer = json.loads(footnote("ask", "--json", QUESTION).out)
    assert (answer["quotes"][0]["text"], answer["remark"]) == (KEEPER, "other_reader")
    outcome = footnote("ask", QUESTION)
    assert "Footnote chose by itself instead." in outcome.out
    assert "answered with HTTP 500" in caplog.text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("setting", "status", "message"),
    [
        ("openai:http://example.com/v1#model", 2, "plain http is for this machine and local networks only"),
        ("openai:nothing", 2, "Write openai:URL#MODEL"),
        ("no/such-model", 69, "run `footnote index build`"),
    ],
)
def test_a_reader_that_cannot_be_had_is_named_with_what_to_do(
    footnote: Footnote, monkeypatch: pytest.MonkeyPatch, setting: str, status: int, message: str
) -> None:
    monkeypatch.setenv("FOOTNOTE_READER", setting)
    outcome = footnote("ask", QUESTION)
    assert (outcome.status, "Traceback" in outcome.err) == (status, False)
    assert message in outcome.err
    monkeypatch.setenv("FOOTNOTE_READER", "none")
    assert KEEPER in footnote("ask", QUESTION).out
