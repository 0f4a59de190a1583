"""What people see beside the bot's name: what it answers from, or that the index is being rebuilt."""

from __future__ import annotations

import logging

import discord

from bot.discordapp.delivery import LOST
from index import IndexStatus

__all__ = ["show_presence"]

_log = logging.getLogger(__name__)


async def show_presence(client: discord.Client, status: IndexStatus | None) -> None:
    """Show what is answered from; without a status that a rebuild is under way.

    What cannot be shown is logged only, since it is a courtesy.
    """
    text = "Rebuilding the index"
    if status is not None:
        articles = "1 article" if status.articles == 1 else f"{status.articles:,} articles"
        text = f"Answering from {articles}"
    activity = discord.CustomActivity(name=text)
    client.activity = activity  # also for the next time that the bot has to identify itself
    try:
        await client.change_presence(activity=activity)
    except (*LOST, AttributeError) as error:  # without a connection there is nothing to send it by
        _log.info("The bot's presence could not be shown: %s", error)
