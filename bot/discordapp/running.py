"""`footnote discord`: the bot, until it is told to stop; and the registration of its commands."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from bot.chat.logs import set_up_logging
from bot.credentials import exposed_files
from bot.discordapp import registration
from bot.discordapp.client import make_tree
from bot.discordapp.starting import serve_until_signalled
from bot.service.service import Service
from bot.settings import BotSettings

__all__ = ["run", "sync_commands"]

_log = logging.getLogger(__name__)


def run(settings: BotSettings) -> None:
    """Answer on Discord until SIGTERM or Ctrl-C; then finish the answers under way and return.

    Raises:
        DiscordRefusedError: no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: there is no index, it is damaged, or there is no model.
    """
    set_up_logging(settings)
    for line in exposed_files(settings):
        _log.warning("%s", line)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_until_signalled(settings, Service))


async def sync_commands(settings: BotSettings, server: int | None, *, force: bool, removing: bool) -> str:
    """Register the commands everywhere or in one server, or take that server's back; return a line on it.

    Raises:
        DiscordRefusedError: no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: Discord does not accept the commands.
    """
    return await registration.sync_commands(settings, make_tree, guild=server, force=force, removing=removing)
