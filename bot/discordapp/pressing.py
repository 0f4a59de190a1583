"""What the buttons under an answer do."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import discord

from bot.chat.quote_reference import Span
from bot.chat.words import Words
from bot.discordapp.delivery import LOST, edit_answer
from bot.discordapp.escape import blockquote
from bot.discordapp.modals import follow_up_modal, reason_modal
from bot.discordapp.notices import notice, said
from bot.discordapp.origins import exchange_of
from bot.discordapp.render import Source, context_embed, source_embed
from bot.discordapp.talk import Surface, Where, where_of
from bot.discordapp.why import why_embed
from bot.records.settings import ChannelSettings

__all__ = [
    "PASS_ON",
    "explain",
    "open_follow_up",
    "pass_on",
    "show_context",
    "show_source",
    "take_feedback",
    "thank",
]

PASS_ON = "fn:help"  # noqa: S105 -- no password
"""The id of the button that passes a question on."""

Interaction = discord.Interaction[Any]
ViewOf = Callable[[int, tuple[Span, ...], Words, bool], discord.ui.View]

_QUESTION_ROOM = 1400  # beside two lines of the bot's own

_log = logging.getLogger(__name__)


async def _source(surface: Surface, span: Span) -> Source | None:
    """Return a quote's article, if it still stands there."""
    line = (await surface.service.catalogue()).by_key(span.key)
    article = await surface.service.article(line.id) if line else None
    return Source(article, span) if article and span.quote(article) is not None else None


async def show_context(surface: Surface, interaction: Interaction, span: Span) -> None:
    """Show a quote in its place, to whoever pressed."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    words = (await where_of(surface, interaction)).words
    source = await _source(surface, span)
    embed = await asyncio.to_thread(context_embed, source, words) if source else said(words, "changed_since")
    await edit_answer(interaction, embed)


async def show_source(  # noqa: PLR0913 - what an id holds of sources, and what it makes of them
    surface: Surface,
    interaction: Interaction,
    number: int,
    spans: tuple[Span, ...],
    view_of: ViewOf,
    *,
    in_place: bool,
) -> None:
    """Show an answer's `number`-th source to whoever pressed, beside the answer or in the message's place."""
    await interaction.response.defer(ephemeral=True, thinking=not in_place)
    words = (await where_of(surface, interaction)).words
    source = await _source(surface, spans[0])
    count = number - 1 + len(spans)
    if source is None:
        embed = said(words, "changed_since")
    else:
        embed = await asyncio.to_thread(source_embed, source, words, number, count)
    await edit_answer(interaction, embed, view=view_of(number, spans, words, source is not None))


async def open_follow_up(surface: Surface, interaction: Interaction) -> None:
    """Open the form for a follow-up."""
    words = (await where_of(surface, interaction)).words
    await interaction.response.send_modal(follow_up_modal(words))


async def explain(surface: Surface, interaction: Interaction, article_key: str | None) -> None:
    """Say why an answer has its verdict: its question is asked again, and the scores put in words."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    where = await where_of(surface, interaction)
    await edit_answer(interaction, await _why(surface, where, interaction.message, article_key))


async def _why(
    surface: Surface, where: Where, message: discord.Message | None, article_key: str | None
) -> discord.Embed:
    words = where.words
    exchange = await exchange_of(surface, message)
    if exchange is None:
        return said(words, "question_lost")
    line = (await surface.service.catalogue()).by_key(article_key) if article_key else None
    if article_key and line is None:
        return said(words, "changed_since")
    wait = surface.cooldowns.take(where.user, where.server)
    if wait > 0:
        surface.metrics.refused("rate-limited")
        return said(words, "slow_down", seconds=math.ceil(wait))
    article = line.id if line else None
    answer = await surface.service.ask(exchange.question, article=article, earlier=exchange.before)
    return why_embed(answer, words)


async def take_feedback(surface: Surface, interaction: Interaction, *, helpful: bool) -> None:
    """Note whether an answer helped; of one that did not, a form asks for the reason."""
    if helpful or not surface.settings.recording:
        await thank(surface, interaction, helpful=helpful)
        return
    words = (await where_of(surface, interaction)).words
    await interaction.response.send_modal(reason_modal(words))
    await _note_feedback(surface, interaction, helpful=False)


async def thank(surface: Surface, interaction: Interaction, *, helpful: bool, reason: str = "") -> None:
    """Keep what somebody said of an answer, and thank them for it."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    words = (await where_of(surface, interaction)).words
    if surface.settings.recording:
        await _note_feedback(surface, interaction, helpful=helpful, reason=reason)
        shown = notice(words("thanks"), words("thanks_helpful" if helpful else "thanks_not_helpful"))
    else:
        shown = notice(words("gaps_off"))
    await interaction.edit_original_response(embed=shown)


async def _note_feedback(
    surface: Surface, interaction: Interaction, *, helpful: bool, reason: str = ""
) -> None:
    message = interaction.message
    if message is None:
        return
    where = await where_of(surface, interaction)
    exchange = await exchange_of(surface, message)
    await surface.records.add_feedback(
        server=where.server,
        channel=where.channel,
        message=message.id,
        user=where.user,
        question=exchange.question if exchange else "",
        helpful=helpful,
        reason=reason,
    )


async def pass_on(surface: Surface, interaction: Interaction) -> None:
    """Tell the helpers whom the server's settings name of a question, once: the button then goes."""
    message = interaction.message
    where = await where_of(surface, interaction)
    words, settings = where.words, where.settings
    if message is None or not (settings.helper_role or settings.helper_channel):
        await interaction.response.send_message(embed=said(words, "no_helpers"), ephemeral=True)
        return
    await interaction.response.defer()
    exchange = await exchange_of(surface, message)
    if exchange is None:
        await interaction.followup.send(embed=said(words, "question_lost"), ephemeral=True)
        return
    if surface.exchanges.begin_passing_on(message.id):
        try:
            await _tell_helpers(interaction, message, exchange.question, settings, words)
        except LOST as error:
            surface.exchanges.not_passed_on(message.id)
            _log.warning("A question could not be passed on in server %s: %s", where.server, error)
            await interaction.followup.send(embed=said(words, "not_passed_on"), ephemeral=True)
            return
        with suppress(*LOST):  # the message may be gone meanwhile, and the helpers have been told
            await interaction.edit_original_response(view=_without(message, PASS_ON))
    await interaction.followup.send(embed=said(words, "passed_on"), ephemeral=True)


async def _tell_helpers(
    interaction: Interaction, message: discord.Message, question: str, settings: ChannelSettings, words: Words
) -> None:
    """Post a question for the helpers; the role that the settings name is the only one that is pinged."""
    role = settings.helper_role
    mention = f"<@&{role}>" if role else ""
    text = words("passed_on_message", mention=mention, asker=interaction.user.mention).strip()
    link = message.jump_url if not message.flags.ephemeral else ""
    lines = (text, blockquote(question, _QUESTION_ROOM), f"{words('asked_in')} {link}" if link else "")
    channel = interaction.client.get_partial_messageable(
        settings.helper_channel or interaction.channel_id or 0, guild_id=interaction.guild_id
    )
    allowed = discord.AllowedMentions(
        everyone=False, users=False, replied_user=False, roles=[discord.Object(role)] if role else False
    )
    await channel.send("\n".join(line for line in lines if line), allowed_mentions=allowed)


def _without(message: discord.Message, custom_id: str) -> discord.ui.View | None:
    """Return a message's buttons without one of them."""
    view = discord.ui.View.from_message(message, timeout=None)
    for item in view.children:
        if getattr(item, "custom_id", None) == custom_id:
            view.remove_item(item)
    view.stop()
    return view if view.children else None
