"""Log lines: no tokens, no traceback for what mends itself."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from bot.discordapp.logs import set_up_logging
from bot.settings import BotSettings

TOKEN = "MTE0.a.b"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Set logging up as `footnote discord` does, into a text; take it down afterwards."""
    loggers = [logging.getLogger(name) for name in (None, "discord", "aiohttp", "asyncio")]
    levels = [logger.level for logger in loggers]
    stream = io.StringIO()
    handler = set_up_logging(BotSettings.load(discord_token=TOKEN, log_level="debug"), stream)
    yield stream
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_token_is_taken_out_of_messages_and_tracebacks(written: io.StringIO) -> None:
    try:
        raise ValueError(f"bad header Bot {TOKEN}")
    except ValueError:
        logging.getLogger("discord.http").exception("With %s", TOKEN)
    assert "Traceback" in written.getvalue()
    assert TOKEN not in written.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "PATCH http://127.0.0.1/api/v10/webhooks/12/s3cret/messages/@original with {}",
        "POST http://127.0.0.1/api/v10/interactions/12/s3cret/callback?with_response=1",
        "{'t': 'INTERACTION_CREATE', 'd': {'token': 's3cret', 'type': 2}}",
        '{"op": 0, "d": {"token": "s3cret"}}',
    ],
)
def test_token_of_an_interaction_is_taken_out(written: io.StringIO, line: str) -> None:
    logging.getLogger("discord.webhook").debug(line)
    assert "s3cret" not in written.getvalue()
    assert "(token not shown)" in written.getvalue()


def test_lost_connection_is_one_line_without_a_traceback(written: io.StringIO) -> None:
    try:
        raise ConnectionResetError("reset")
    except ConnectionResetError:
        logging.getLogger("discord.client").exception("Attempting a reconnect in %.2fs", 1.5)
    (line,) = written.getvalue().splitlines()
    assert "was lost (ConnectionResetError). Attempting a reconnect in 1.50s" in line
    assert "WARNING" in line
