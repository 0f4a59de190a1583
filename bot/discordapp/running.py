"""`footnote discord`: the bot until a signal stops it; and `footnote discord sync`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from bot.chat.logs import set_up_logging
from bot.credentials import exposed_files
from bot.discordapp import connection
from bot.discordapp.client import FootnoteClient, make_tree
from bot.discordapp.connection import token_of
from bot.discordapp.delivery import is_ours
from bot.service.service import Service
from bot.settings import BotSettings
from index.errors import FootnoteError

__all__ = ["run", "serve_until_signalled", "sync_commands"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


def run(settings: BotSettings) -> None:
    """Answer on Discord until SIGTERM or Ctrl-C; then finish the answers under way and return.

    Raises:
        DiscordRefusedError: there is no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: there is no index, it is damaged, or there is no model.
    """
    handler = set_up_logging(settings, libraries=("discord", "aiohttp", "asyncio"))
    handler.addFilter(_shorten_tracebacks)
    for line in exposed_files(settings):
        _log.warning("%s", line)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_until_signalled(settings, Service))


async def serve_until_signalled(
    settings: BotSettings, make_service: Callable[[BotSettings], Service]
) -> None:
    """Start the service, answer until SIGTERM or SIGINT, and close it; a second signal ends the process.

    Raises:
        DiscordRefusedError: Discord cannot be reached, or refuses the bot.
        FootnoteError: the service cannot start.
    """
    token_of(settings)  # before the encoder is loaded, which takes a while
    stop = asyncio.Event()
    with _stopping_on_signal(stop):
        service = make_service(settings)
        try:
            await service.start()
            gc.freeze()  # what is loaded now stays, so no collection need walk it again
            if not stop.is_set():
                await FootnoteClient(settings, service).serve(stop)
        finally:
            await service.close()


async def sync_commands(settings: BotSettings, server: int | None, *, force: bool, removing: bool) -> str:
    """Register the commands for every server or one, or remove that one's; return a line on it.

    Raises:
        DiscordRefusedError: there is no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: Discord does not accept the commands.
    """
    return await connection.sync_commands(settings, make_tree, server, force=force, remove=removing)


@contextmanager
def _stopping_on_signal(stop: asyncio.Event) -> Iterator[None]:
    """Set the event at the first signal; end the process at the second, even if the loop hangs."""
    loop = asyncio.get_running_loop()

    def first(_: int, __: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, _leave)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, first) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _: object) -> NoReturn:
    """End at once, with the exit status of a process that the signal ended."""
    with suppress(Exception):  # nothing may keep the process from ending
        _log.warning("A second signal to stop: Footnote leaves at once.")
        logging.shutdown()
    os._exit(128 + number)


def _shorten_tracebacks(record: logging.LogRecord) -> bool:
    """Make one line of discord.py's tracebacks about trouble that passes by itself, such as a reconnect."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None or not record.name.startswith("discord"):
        return True
    if str(record.msg).startswith("Attempting a reconnect"):
        text = f"The connection to Discord was lost ({type(error).__name__}). {record.getMessage()}"
    elif isinstance(error, FootnoteError) or not is_ours(error):
        text = f"{record.getMessage()} ({error})"
    else:
        return True
    record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None
    record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
