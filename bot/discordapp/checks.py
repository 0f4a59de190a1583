"""/verify and "Check this quote": whether what somebody quotes stands in an article, to the letter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from bot.checking import Change, Checked, CheckVerdict
from bot.discordapp.asking import closed, too_soon
from bot.discordapp.delivery import edit_answer
from bot.discordapp.escape import fit, units
from bot.discordapp.installs import ANY_INSTALL, ANYWHERE
from bot.discordapp.logs import begin_question
from bot.discordapp.notices import notice
from bot.discordapp.render import Source, source_citation
from bot.discordapp.replies import refuse
from bot.discordapp.spans import Span
from bot.discordapp.talk import Surface, surface_of, where_of
from bot.discordapp.words import Words

__all__ = ["check_menu", "verify_command"]

_TEXT_LENGTH = 4000
_SENTENCE_ROOM = 500
_TOTAL_ROOM = 5000


def verify_command() -> app_commands.Command[Any, ..., None]:
    """Return /verify."""

    @app_commands.describe(
        text="What is quoted, or a text with quotes in it", private="Whether only you see the result"
    )
    async def verify(
        interaction: discord.Interaction,
        text: app_commands.Range[str, 1, _TEXT_LENGTH],
        private: bool | None = None,
    ) -> None:
        await _check(surface_of(interaction), interaction, text, private=private)

    return app_commands.Command(
        name="verify",
        description="Check whether a quote stands in the articles to the letter",
        callback=verify,
        allowed_contexts=ANYWHERE,
        allowed_installs=ANY_INSTALL,
    )


def check_menu() -> app_commands.ContextMenu:
    """Return the message menu's entry."""

    async def check_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        texts = [message.content, *(embed.description or "" for embed in message.embeds)]
        text = "\n\n".join(one for one in texts if one)
        await _check(surface_of(interaction), interaction, text, private=True)

    return app_commands.ContextMenu(
        name="Check this quote",
        callback=check_this,
        allowed_contexts=ANYWHERE,
        allowed_installs=ANY_INSTALL,
    )


async def _check(
    surface: Surface, interaction: discord.Interaction[Any], text: str, *, private: bool | None
) -> None:
    with surface.work.answer(), begin_question():
        where = await where_of(surface, interaction)
        refused = closed(surface, where) or too_soon(surface, where)
        if refused is not None:
            await refuse(interaction, refused)
            return
        ephemeral = where.settings.private if private is None else private
        await interaction.response.defer(thinking=True, ephemeral=ephemeral)
        checked = await surface.service.check(text)
        await edit_answer(interaction, checked_embed(checked, where.words))


def checked_embed(checked: Iterable[Checked], words: Words) -> discord.Embed:
    """Return what came of checking, a block for each sentence, as many as there is room for."""
    blocks: list[str] = []
    room = _TOTAL_ROOM
    embed = notice(words("check_title"))
    for number, one in enumerate(checked):
        block = _block(one, words)
        room -= units(block) + 2
        if room < 0 or units("\n\n".join(blocks)) + units(block) > 3900:
            blocks.append(words("check_more", count=number))
            break
        blocks.append(block)
    embed.description = "\n\n".join(blocks) or words("check_nothing")
    return embed


def _block(checked: Checked, words: Words) -> str:
    """Return a sentence as it was quoted, what is to be said of it, and what the article has instead."""
    if checked.verdict is CheckVerdict.ABSENT or checked.article is None:
        return f"> {_flat(checked.quoted)}\n{words('check_absent')}"
    in_heading = checked.paragraph == 0
    text = checked.article.heading if in_heading else checked.article.text
    span = Span.of(
        checked.article.id, text[checked.start : checked.end], checked.start, in_heading=in_heading
    )
    source = ", ".join(source_citation(Source(checked.article, span), words).split("\n"))
    if checked.verdict is CheckVerdict.EXACT:
        lines = [f"> {_flat(checked.quoted)}", words("check_exact", source=source)]
        lines += [words("check_times", times=checked.times)] if checked.times > 1 else []
        return "\n".join(lines)
    lines = [f"> {_marked(checked.changes)}", words("check_changed", source=source), words("check_key")]
    return "\n".join(lines)


def _flat(text: str) -> str:
    return fit(" ".join(text.split()), _SENTENCE_ROOM)


def _marked(changes: Iterable[Change]) -> str:
    """Return a quote with what the article lacks struck out, and what the quote lacks in bold."""
