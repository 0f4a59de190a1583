"""What handlers share: the surface they serve, where somebody asks, refusing, and apologising."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import discord

from bot.discordapp.answering import Answering
from bot.discordapp.cooldowns import Cooldowns
from bot.discordapp.exchanges import Exchanges
from bot.discordapp.health import Metrics
from bot.discordapp.notices import notice, said
from bot.discordapp.words import Words, words_in
from bot.discordapp.work import Work
from bot.records import ChannelSettings, Records
from bot.settings import BotSettings
from index.errors import BusyError

__all__ = [
    "Surface",
    "Where",
    "apologise",
    "apology_for",
    "help_notice",
    "private_reply",
    "surface_of",
    "where_of",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surface:
    """What every handler needs."""

    settings: BotSettings
    service: Answering
    records: Records
    cooldowns: Cooldowns
    metrics: Metrics
    work: Work
    exchanges: Exchanges
    owners: Callable[[], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Where:
    """Who asks and where, what is set there, and the words to answer in.

    `server` is None in direct messages, and in servers that the bot is no member of.
    """

    user: int
    server: int | None
    channel: int
    settings: ChannelSettings
    words: Words


def surface_of(interaction: discord.Interaction[Any]) -> Surface:
    """Return the surface of the client that was interacted with."""
    return cast("Surface", interaction.client.surface)


async def where_of(surface: Surface, interaction: discord.Interaction[Any]) -> Where:
    """Return where an interaction takes place."""
    server = interaction.guild_id if interaction.is_guild_integration() else None
    channel = interaction.channel_id or 0
    parent = getattr(interaction.channel, "parent_id", None)
    settings = await surface.records.settings(server, channel, parent)
    words = words_in(settings.language, str(interaction.locale))
    return Where(interaction.user.id, server, channel, settings, words)


def help_notice(words: Words) -> discord.Embed:
    """Return how to ask."""
    return said(words, "help")


def apology_for(words: Words, error: BaseException) -> discord.Embed:
    """Return what to tell the asker, and log what is a fault of ours."""
    if isinstance(error, BusyError):
        if error.seconds is None:
            return notice(words("busy"), words("busy_soon"))
        return said(words, "busy", seconds=math.ceil(error.seconds))
    _log.error("A handler failed.", exc_info=error)
    return said(words, "fault", fault=True)


async def private_reply(interaction: discord.Interaction[Any], embed: discord.Embed) -> None:
    """Answer an interaction for its user alone, whatever state it is in; no "thinking" is left behind."""
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(embed=embed, ephemeral=True)
            return
        # A first follow-up would take the deferred message's place and be seen by all, so that goes first.
        # A button's message stays: what was deferred there is no message of its own.
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.delete_original_response()
        await interaction.followup.send(embed=embed, ephemeral=True)
    except discord.HTTPException as error:
        _log.warning("An apology could not be sent privately: %s", error)
        await _replace(interaction, embed)


async def _replace(interaction: discord.Interaction[Any], embed: discord.Embed) -> None:
    try:
        await interaction.edit_original_response(embed=embed)
    except discord.HTTPException as error:
        _log.warning("An apology could not be sent: %s", error)


async def apologise(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the user that what they asked for failed."""
    surface = surface_of(interaction)
    surface.metrics.failed() if not isinstance(error, BusyError) else surface.metrics.refused("busy")
    where = await where_of(surface, interaction)
    await private_reply(interaction, apology_for(where.words, error))
