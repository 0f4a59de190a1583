"""/verify and "Check this quote": whether what somebody quotes stands in an article, to the letter."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import discord
from discord import app_commands

from bot.answering.verify import MOST, Change, ChangeKind, Checked, CheckVerdict
from bot.chat.logs import begin_question
from bot.chat.quote_reference import Span
from bot.chat.words import Words
from bot.discordapp.asking import closed, too_soon
from bot.discordapp.delivery import edit_answer
from bot.discordapp.escape import ELLIPSIS, escape, fit, printable, units
from bot.discordapp.installs import ANY_INSTALL, ANYWHERE
from bot.discordapp.notices import notice
from bot.discordapp.render import Source, source_citation
from bot.discordapp.replies import refuse, telling_of_trouble
from bot.discordapp.talk import Surface, surface_of, where_of
from index.articles.article import Article

__all__ = ["check_menu", "checked_embed", "verify_command"]

_TEXT_LENGTH = 4000
_ROOM, _SENTENCE_ROOM, _MARKED_ROOM = 3800, 500, 700
_BESIDE = 60
"""Characters that are shown on either side of a change in a long sentence, at least."""

_MARKS = {ChangeKind.SAME: "", ChangeKind.QUOTED: "~~", ChangeKind.ARTICLE: "**"}
_LETTER = re.compile(r"\\.|.", re.DOTALL)
_SPACE = "\u2423"  # a space that can be seen


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
        await _check(
            surface_of(interaction), interaction, _said_in(message, interaction.client.user), private=True
        )

    return app_commands.ContextMenu(
        name="Check this quote",
        callback=check_this,
        allowed_contexts=ANYWHERE,
        allowed_installs=ANY_INSTALL,
    )


def _said_in(message: discord.Message, me: discord.ClientUser | None) -> str:
    """Return what a message says; of an answer of the bot's, not the question, which stands above it."""
    texts = [embed.description or "" for embed in message.embeds]
    if not texts or message.author != me:
        texts.insert(0, message.content)
    return "\n\n".join(one for one in texts if one)


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
        async with telling_of_trouble(interaction, where):
            await interaction.response.defer(thinking=True, ephemeral=ephemeral)
            checked = await surface.service.check(text)
            embed = await asyncio.to_thread(checked_embed, checked, where.words)
            await edit_answer(interaction, embed, public=not ephemeral)


def checked_embed(checked: Sequence[Checked], words: Words) -> discord.Embed:
    """Return what came of checking, a block for each sentence, as many as there is room for."""
    blocks: list[str] = []
    room = _ROOM
    for one in checked:
        block = _block(one, words)
        room -= units(block) + 2
        if room < 0:
            break
        blocks.append(block)
    shown = len(blocks)
    if any(one.verdict is CheckVerdict.CHANGED for one in checked[:shown]):
        blocks.append(words("check_key"))
    if shown < len(checked) or shown == MOST:  # there may have been more than are ever checked
        blocks.append(words("check_more", count=shown))
    return notice(words("check_title"), "\n\n".join(blocks) or words("check_nothing"))


def _block(checked: Checked, words: Words) -> str:
    """Return a sentence as it was quoted, what is to be said of it, and where it stands."""
    quoted = f"> {fit(' '.join(checked.quoted.split()), _SENTENCE_ROOM)}"
    if checked.verdict is CheckVerdict.ABSENT or checked.article is None:
        return f"{quoted}\n{words('check_absent')}"
    source = ", ".join(source_citation(_source(checked, checked.article), words).split("\n"))
    if checked.verdict is CheckVerdict.CHANGED:
        return f"> {_marked(checked.changes)}\n{words('check_changed', source=source)}"
    lines = [quoted, words("check_exact", source=source)]
    lines += [words("check_times", times=checked.times)] if checked.times > 1 else []
    return "\n".join(lines)


def _source(checked: Checked, article: Article) -> Source:
    in_heading = checked.paragraph == 0
    text = (article.heading if in_heading else article.text)[checked.start : checked.end]
    return Source(article, Span.of(article.id, text, checked.start, in_heading=in_heading))


def _marked(changes: Iterable[Change]) -> str:
    """Return a quote with what the article lacks struck out, and what the quote lacks in bold.

    Where that is too long, what the two share is cut first, so that the changes are seen.
    """
    runs = [(one.kind, printable(one.text)) for one in changes]
    if units(escape("".join(text for _, text in runs))) > _MARKED_ROOM:
        last = len(runs) - 1
        runs = [(kind, _cut(kind, text, at == 0, at == last)) for at, (kind, text) in enumerate(runs)]
    # Escaped as a whole, since what a letter begins depends on the one after it; then taken apart again.
    letters = iter(_LETTER.findall(escape("".join(text for _, text in runs))))
    shown = ""
    for kind, text in runs:
        run = _in_marks("".join(islice(letters, len(text))), _MARKS[kind])
        if units(shown) + units(run) + units(ELLIPSIS) > _MARKED_ROOM:
            return shown.rstrip() + ELLIPSIS
        shown += run
    return shown


def _cut(kind: ChangeKind, text: str, first: bool, last: bool) -> str:
    """Return a run with an ellipsis for what is far from any change, or for the end of a long change."""
    if len(text) <= 2 * _BESIDE:
        return text
    if kind is not ChangeKind.SAME:
        return text[: 2 * _BESIDE].rstrip() + ELLIPSIS + text[len(text.rstrip()) :]
    head, tail = text[:_BESIDE], text[-_BESIDE:]
    before = "" if first else f"{head.rpartition(' ')[0] or head} "
    after = "" if last else f" {tail.partition(' ')[2] or tail}"
    return f"{before}{ELLIPSIS}{after}"


def _in_marks(text: str, mark: str) -> str:
    """Return escaped text between two marks, which must not stand beside white space inside them."""
    core = text.strip()
    if not mark or not text:
        return text
    before, _, after = text.partition(core) if core else ("", "", "")
    return f"{before}{mark}{core or _SPACE}{mark}{after}"
