"""What handlers share: the surface they serve, refusing, and apologising."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import discord

from bot.discordapp.answering import Answering
from bot.discordapp.render import notice
from bot.discordapp.work import Work
from bot.settings import BotSettings
from index.errors import BusyError

__all__ = ["HELP", "STOPPING", "Surface", "apologise", "apology_for", "private_reply"]

_log = logging.getLogger(__name__)

HELP = notice(
    "Ask a question",
    "Footnote answers from its articles, word for word, and says where each word stands. "
    "Use `/ask`, mention it with your question, or send it a direct message.",
)
STOPPING = notice("Footnote is stopping", "Ask again in a minute.")
_BUSY = notice("Too many questions are waiting", "Try again in a moment.")
_FAULT = notice(
    "Something went wrong", "This is a fault of Footnote's, and it is logged. Try again.", fault=True
)


@dataclass(frozen=True, slots=True)
class Surface:
    """What every handler needs."""

    settings: BotSettings
    service: Answering
    work: Work
    owners: Callable[[], frozenset[int]]


def apology_for(error: BaseException) -> discord.Embed:
    """Return what to tell the asker, and log what is a fault of ours."""
    if isinstance(error, BusyError):
        return _BUSY
    _log.error("A handler failed.", exc_info=error)
    return _FAULT


async def private_reply(interaction: discord.Interaction, embed: discord.Embed) -> None:
    """Answer an interaction for its user alone, whatever state it is in; no "thinking" is left behind."""
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(embed=embed, ephemeral=True)
            return
        # A first follow-up would take the deferred message's place and be seen by all, so that goes first.
        await interaction.delete_original_response()
        await interaction.followup.send(embed=embed, ephemeral=True)
    except discord.HTTPException as error:
        _log.warning("An apology could not be sent privately: %s", error)
        await _replace(interaction, embed)


async def _replace(interaction: discord.Interaction, embed: discord.Embed) -> None:
    try:
        await interaction.edit_original_response(embed=embed)
    except discord.HTTPException as error:
        _log.warning("An apology could not be sent: %s", error)


async def apologise(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the user that their command failed."""
    await private_reply(interaction, apology_for(error))
