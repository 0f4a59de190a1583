"""`footnote discord`: the bot, until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.discordapp.client import serve_until_signalled
from bot.discordapp.logs import set_up_logging
from bot.service import Service
from bot.settings import BotSettings

__all__ = ["run"]


def run(settings: BotSettings) -> None:
    """Answer on Discord until SIGTERM or Ctrl-C; then finish the answers under way and return.

    Raises:
        DiscordRefusedError: no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: there is no index, it is damaged, or there is no model.
    """
    set_up_logging(settings)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_until_signalled(settings, Service))
