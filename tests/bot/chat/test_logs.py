"""What a log line holds: no question unless that is wanted, nothing that controls a terminal, no token."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bot.answering.answer import Answer, Verdict
from bot.chat.logs import begin_question, log_answer, set_up_logging
from bot.settings import BotSettings

TOKEN = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEy"  # made up
ANSWER = Answer("Who kept the lamp?", Verdict.NOT_FOUND, 0.0, (), (), generation="000001-a", elapsed_ms=1.0)

pytestmark = pytest.mark.usefixtures("restored_root")


@pytest.fixture
def restored_root() -> Iterator[None]:
    """Undo what setting up the log changes in the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def logged(text: str = "", **options: Any) -> str:
    """Return what is written on a text, or on an answer, with these settings."""
    stream, settings = io.StringIO(), BotSettings.load(**options)
    handler = set_up_logging(settings, stream)
    with begin_question():
        if text:
            logging.getLogger("bot.example").warning(text)
        else:
            log_answer(ANSWER, settings, way="slash", waited_ms=0.0, server=1, collection="harbour")
    logging.getLogger().removeHandler(handler)
    return stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_question_is_logged_only_where_the_operator_says_so(log_format: str) -> None:
    line = logged(log_format=log_format)
    assert "question_length" in line
    assert "lamp" not in line
    assert "Who kept the lamp?" in logged(log_format=log_format, log_questions=True)


def test_line_on_an_answer_is_one_json_object_with_its_figures() -> None:
    line = json.loads(logged(log_format="json"))
    expected = {
        "way": "slash",
        "verdict": "not_found",
        "generation": "000001-a",
        "server": 1,
        "collection": "harbour",
        "level": "info",
    }
    assert expected.items() <= line.items()
    assert len(line["id"]) == 8


def test_no_logged_text_controls_the_terminal() -> None:
    line = logged("a\x1b[31mred\x1b[0m \x9b31m \u202e\x07")
    assert all(letter.isprintable() for letter in line.strip())


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_interaction_token_is_redacted(log_format: str) -> None:
    line = logged(f"POST /webhooks/12/{TOKEN}/messages failed: {{'token': '{TOKEN}'}}", log_format=log_format)
    assert (TOKEN in line, line.count("not shown")) == (False, 2)
