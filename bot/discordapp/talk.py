"""What handlers share: the surface they serve, where somebody asks, refusing, and apologising."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import discord
from discord import app_commands

from bot.chat.acknowledgements import Acknowledging
from bot.chat.conversations import Exchanges
from bot.chat.metrics import Metrics
from bot.chat.rate_limit import Cooldowns
from bot.chat.tasks import Work
from bot.chat.words import AUTO, Words, words_in
from bot.discordapp.answering import Answering
from bot.discordapp.delivery import LOST, is_ours, too_late
from bot.discordapp.notices import notice, said
from bot.discordapp.presence import Presence
from bot.records.settings import ChannelSettings
from bot.records.store import Records
from bot.settings import BotSettings
from index.errors import BusyError, DamagedIndexError, FootnoteError

__all__ = [
    "Surface",
    "Where",
    "apologise",
    "apology_for",
    "count_failure",
    "help_notice",
    "log_failure",
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
    presence: Presence
    owners: Callable[[], frozenset[int]]
    acknowledging: Acknowledging


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
    """Return what to tell the asker, and log why; a fault of ours is logged with where it is."""
    if isinstance(error, BusyError):
        if error.seconds is None:
            return notice(words("busy"), words("busy_soon"))
        return said(words, "busy", seconds=math.ceil(error.seconds))
    if isinstance(error, DamagedIndexError):  # which was logged when it was found
        return said(words, "damaged", fault=True)
    log_failure("A handler failed.", error)
    return said(words, "fault" if is_ours(error) else "not_taken", fault=True)


def count_failure(metrics: Metrics, error: BaseException) -> None:
    """Count what did not come to an answer, by whose fault it is."""
    if isinstance(error, BusyError):
        metrics.refused("busy")
    elif isinstance(error, DamagedIndexError):
        metrics.refused("damaged")
    else:
        metrics.failed()


def log_failure(what: str, error: BaseException | None) -> None:
    """Log that something failed: a fault of ours with where it is, all else with the reason in a line."""
    if not is_ours(error):
        _log.warning("%s Discord did not take it: %s", what, _reason(error))
    elif isinstance(error, FootnoteError):  # it says by itself what is wrong, and where
        _log.error("%s %s", what, error)
    else:
        _log.error(what, exc_info=error)


def _reason(error: BaseException | None) -> str:
    return str(error) or type(error).__name__


async def private_reply(interaction: discord.Interaction[Any], embed: discord.Embed) -> None:
    """Answer an interaction for its user alone, whatever state it is in; no "thinking" is left behind."""
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(embed=embed, ephemeral=True)
            return
        # A first follow-up would take the deferred message's place and be seen by all, so that goes first.
        # A button's message stays: what was deferred there is no message of its own.
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            with suppress(discord.NotFound):  # somebody has deleted it
                await interaction.delete_original_response()
        await interaction.followup.send(embed=embed, ephemeral=True)
    except LOST as error:
        _log.warning("A private reply could not be sent: %s", _reason(error))
        if not too_late(error):
            await _replace(interaction, embed)


async def _replace(interaction: discord.Interaction[Any], embed: discord.Embed) -> None:
    try:
        await interaction.edit_original_response(embed=embed)
    except LOST as error:
        _log.warning("What was to be said in private could not be shown at all: %s", _reason(error))


async def apologise(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the user that what they asked for failed, if Discord still waits for an answer."""
    if isinstance(error, app_commands.CheckFailure):  # whoever refused it has said why
        return
    surface = surface_of(interaction)
    count_failure(surface.metrics, error)
    if too_late(error):
        _log.warning("Discord no longer waits for an answer: %s", error)
        return
    await private_reply(interaction, apology_for(await _words_for(surface, interaction), error))


async def _words_for(surface: Surface, interaction: discord.Interaction[Any]) -> Words:
    """Return the words for an apology, also where finding out what is set is what failed."""
    try:
        return (await where_of(surface, interaction)).words
    except Exception:  # noqa: BLE001 -- what failed is told of as it is
        return words_in(AUTO, str(interaction.locale))
