"""Log lines: no tokens, no questions unless they are wanted, and the id of the question they belong to."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.logs import JsonFormatter, about, begin_question, correlation, log_answered, set_up_logging
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings
from tests.bot.discordapp.fake_service import sample_answer

TOKEN = "MTE0.a.b"
QUESTION = 'Who "chairs"\nit?'
LOG = logging.getLogger("bot.test")
FORMATS = ("text", "json")

Write = Callable[..., io.StringIO]


@pytest.fixture
def write() -> Iterator[Write]:
    """Set logging up as `footnote discord` does, into a text; take it down afterwards."""
    root = logging.getLogger()
    loggers = [logging.getLogger(name) for name in (None, "discord", "aiohttp", "asyncio")]
    levels = [logger.level for logger in loggers]
    handlers: list[logging.Handler] = []

    def start(**options: Any) -> io.StringIO:
        stream = io.StringIO()
        settings = BotSettings.load(**{"discord_token": TOKEN, "log_level": "debug", **options})
        handlers.append(set_up_logging(settings, stream))
        return stream

    yield start
    for handler in handlers:
        root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def fail_with(message: str) -> None:
    raise ValueError(message)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the JSON lines that were written."""
    return [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]


@pytest.mark.parametrize("form", FORMATS)
def test_token_is_taken_out_of_messages_and_tracebacks(write: Write, form: str) -> None:
    written = write(log_format=form)
    try:
        fail_with(f"bad header Bot {TOKEN}")
    except ValueError:
        logging.getLogger("discord.http").exception("With %s", TOKEN)
    assert "Traceback" in written.getvalue()
    assert "bad header Bot (token not shown)" in written.getvalue()
    assert TOKEN not in written.getvalue()


@pytest.mark.parametrize("token", ['quo"ted', "back\\slash", "a'b"])
@pytest.mark.parametrize("form", FORMATS)
def test_token_that_json_would_escape_is_taken_out_too(write: Write, form: str, token: str) -> None:
    written = write(log_format=form, discord_token=token)
    LOG.info("With %s", token)
    assert "With (token not shown)" in written.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "line",
    [
        "PATCH http://127.0.0.1/api/v10/webhooks/12/s3cret/messages/@original with {}",
        "POST http://127.0.0.1/api/v10/interactions/12/s3cret/callback?with_response=1",
        "{'t': 'INTERACTION_CREATE', 'd': {'token': 's3cret', 'type': 2}}",
        '{"op": 0, "d": {"token": "s3cret"}}',
    ],
)
def test_token_of_an_interaction_is_taken_out(write: Write, form: str, line: str) -> None:
    written = write(log_format=form, log_questions=True)
    logging.getLogger("discord.webhook").debug(line)
    assert "s3cret" not in written.getvalue()
    assert "(token not shown)" in written.getvalue()


def test_lost_connection_is_one_line_without_a_traceback(write: Write) -> None:
    written = write()
    try:
        raise ConnectionResetError("reset")
    except ConnectionResetError:
        logging.getLogger("discord.client").exception("Attempting a reconnect in %.2fs", 1.5)
    (line,) = written.getvalue().splitlines()
    assert "was lost (ConnectionResetError). Attempting a reconnect in 1.50s" in line
    assert "WARNING" in line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError("late"), True),
        (DiscordRefusedError("cannot be reached"), True),
        (ValueError("x"), False),
    ],
)
def test_discord_pys_traceback_is_kept_for_our_own_faults(write: Write, error: Exception, told: bool) -> None:
    written = write()
    try:
        raise error
    except Exception:
        logging.getLogger("discord.app_commands.tree").exception("Ignoring exception in %r", "100%")
    first = written.getvalue().splitlines()[0]
    assert ("Traceback" in written.getvalue()) is not told
    assert (f"Ignoring exception in '100%' ({error})" in first) == told


def test_json_line_has_its_keys_and_a_time_in_utc(write: Write) -> None:
    written = write(log_format="json")
    before = datetime.now(UTC)
    LOG.warning("It is %s.", "so")
    (line,) = lines(written)
    when = datetime.fromisoformat(line.pop("time"))
    assert abs((when - before).total_seconds()) < 60
    assert when.utcoffset() is not None
    assert line == {"level": "warning", "logger": "bot.test", "message": "It is so."}


@given(message=st.text(max_size=60))
@example(message="line\nbreak \u2028 \x85 \ud800 \x1b[2J")
def test_any_message_is_one_json_line_that_reads_back(message: str) -> None:
    record = LOG.makeRecord(LOG.name, logging.INFO, __file__, 1, "%s", (message,), None)
    line = JsonFormatter(None, ()).format(record)
    assert line.splitlines() == [line]
    assert line.isascii()
    shown = json.loads(line)["message"]
    assert shown == message or "(token not shown)" in shown


def test_text_cannot_steer_the_terminal(write: Write) -> None:
    written = write()
    LOG.error("before %s after", "\x1b[2J\ud800")
    assert "before \ufffd[2J\ufffd after" in written.getvalue()


def test_lines_carry_the_id_of_their_question_and_only_inside_it(write: Write) -> None:
    text, as_json = write(), write(log_format="json")
    LOG.info("outside")
    with begin_question() as first:
        LOG.info("inside")
        with begin_question() as second:
            LOG.info("within")
        LOG.info("inside again")
    LOG.info("outside again")
    assert re.fullmatch(r"[0-9a-f]{8}", first)
    assert first != second
    assert [one.get("id") for one in lines(as_json)] == [None, first, second, first, None]
    shown = text.getvalue().splitlines()
    assert [f"[{one}]" in shown[number] for number, one in ((1, first), (2, second), (3, first))] == [
        True
    ] * 3
    assert "[" not in shown[0] + shown[4]


async def test_each_task_has_its_own_id_and_passes_it_to_its_threads(write: Write) -> None:
    written = write(log_format="json")
    together = asyncio.Barrier(3)

    async def ask(name: str) -> str:
        with begin_question() as made:
            await together.wait()
            await asyncio.to_thread(LOG.info, "thread of %s", name)
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(LOG.info, "other thread of %s", name))
            thread.start()
            await asyncio.to_thread(thread.join)
            LOG.info("task of %s", name)
            return made

    made = await asyncio.gather(*(ask(str(number)) for number in range(3)))
    assert len(set(made)) == 3
    assert correlation.get() == ""
    logged = {(one["message"], one["id"]) for one in lines(written)}
    assert logged == {
        (f"{place} of {number}", one)
        for number, one in enumerate(made)
        for place in ("thread", "other thread", "task")
    }


@given(question=st.text(max_size=60))
@example(question=QUESTION)
@example(question="\u202e\ud800\x1b\u2028")
def test_question_is_one_line_where_it_may_be_written_and_a_length_elsewhere(question: str) -> None:
    shown = about(question, BotSettings.load(log_questions=True))
    assert shown.splitlines() == [shown]
    assert not re.search("[\x00-\x1f\ud800-\udfff\u202e]", shown)
    assert about(question, BotSettings.load()) == f"{len(question)} characters"


def answered(settings: BotSettings) -> None:
    log_answered(sample_answer(QUESTION), settings, way="follow-up", server=12, channel=34, waited_ms=3.14159)


def test_answer_is_one_json_line_without_the_question(write: Write) -> None:
    written = write(log_format="json", log_level="info")
    with begin_question() as made:
        answered(BotSettings.load())
    (line,) = lines(written)
    del line["time"]
    assert line == {
        "level": "info", "logger": "bot.chat.logs", "message": "Question done", "id": made,
        "way": "follow-up", "verdict": "answered", "confidence": 0.934, "elapsed_ms": 7.9, "waited_ms": 3.1,
        "generation": "g-1", "server": 12, "channel": 34, "question_length": len(QUESTION),
    }  # fmt: skip
    assert "chairs" not in written.getvalue()


def test_answer_is_one_text_line_without_the_question(write: Write) -> None:
    written = write(log_level="info")
    with begin_question() as made:
        answered(BotSettings.load())
    (line,) = written.getvalue().splitlines()
    assert line.endswith(
        f"INFO    [{made}] Question done way=follow-up verdict=answered confidence=0.934 elapsed_ms=7.9 "
        f"waited_ms=3.1 generation=g-1 server=12 channel=34 question_length={len(QUESTION)}"
    )


@pytest.mark.parametrize("form", FORMATS)
def test_question_is_written_where_the_setting_says_so(write: Write, form: str) -> None:
    written = write(log_format=form)
    answered(BotSettings.load(log_questions=True))
    (line,) = written.getvalue().splitlines()
    if form == "json":
        assert json.loads(line)["question"] == QUESTION
    else:
        assert line.endswith(r'channel=34 question="Who \"chairs\"\nit?"')


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ({"log_level": "info"}, ["warning"]),
        ({"log_level": "error"}, []),
        ({"log_level": "debug"}, ["info", "warning"]),
        ({"log_level": "debug", "log_questions": True}, ["debug", "info", "warning"]),
    ],
)
@pytest.mark.parametrize("library", ["discord.gateway", "discord.http", "aiohttp.client", "asyncio"])
def test_libraries_tell_whole_messages_only_where_questions_may_be_logged(
    write: Write, library: str, options: dict[str, Any], heard: list[str]
) -> None:
    written = write(log_format="json", **options)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        logging.getLogger(library).log(level, "An event")
    assert [one["level"] for one in lines(written)] == heard
