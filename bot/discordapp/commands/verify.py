"""/verify, and "Check this quote" on a message: whether a quote is in the articles, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice

import discord
from discord import app_commands

from bot.answering.verify import MAX_SENTENCES, Change, ChangeKind, QuoteVerdict, VerifiedSentence
from bot.chat.logs import begin_question
from bot.chat.messages import Messages, Notice
from bot.chat.quote_reference import QuoteReference
from bot.discordapp.context import Interaction, RefusedError, anywhere, defer, handling
from bot.discordapp.delivery import edit_response
from bot.discordapp.embeds import Source, source_citation
from bot.discordapp.markdown import ELLIPSIS, excerpt, pieces, printable, units
from index.articles.article import Article

__all__ = ["check_this", "checked_notice", "verify"]

_TEXT_LENGTH = 4000
_ROOM, _SENTENCE_ROOM, _MARKED_ROOM = 3800, 500, 700
_BESIDE = 60
"""Characters shown on either side of a change in a long sentence, at least."""

_MARKS = {ChangeKind.SAME: "", ChangeKind.QUOTED: "~~", ChangeKind.ARTICLE: "**"}
_VISIBLE_SPACE = "\u2423"


@anywhere
@app_commands.command(name="verify", description="Check whether a quote is in the articles, word for word")
@app_commands.describe(
    text="What is quoted, or a text with quotes in it", private="Whether only you see the result"
)
async def verify(
    interaction: Interaction, text: app_commands.Range[str, 1, _TEXT_LENGTH], private: bool | None = None
) -> None:
    """Check a text."""
    await _check(interaction, text, private)


@anywhere
@app_commands.context_menu(name="Check this quote")
async def check_this(interaction: Interaction, message: discord.Message) -> None:
    """Check what a message says; of the bot's own answer, only the answer and not the question above it."""
    texts = [embed.description or "" for embed in message.embeds]
    if not texts or message.author != interaction.client.user:
        texts.insert(0, message.content)
    await _check(interaction, "\n\n".join(filter(None, texts)), True)


async def _check(interaction: Interaction, text: str, private: bool | None) -> None:
    assistant = interaction.client.assistant
    with begin_question():
        async with handling(interaction) as place:
            if (refusal := assistant.refusal(place)) is not None:
                raise RefusedError(refusal)
            ephemeral = place.settings.private if private is None else private
            await defer(interaction, private=ephemeral)
            checked = await assistant.service.verify(text)
            notice = await asyncio.to_thread(checked_notice, checked, place.messages)
            await edit_response(interaction, notice, public=not ephemeral)


def checked_notice(checked: Sequence[VerifiedSentence], messages: Messages) -> Notice:
    """Return the result of a check, a block for each sentence, as many as fit."""
    blocks: list[str] = []
    room = _ROOM
    for sentence in checked:
        block = _block(sentence, messages)
        room -= units(block) + 2
        if room < 0:
            break
        blocks.append(block)
    shown = len(blocks)
    if any(sentence.verdict is QuoteVerdict.CHANGED for sentence in checked[:shown]):
        blocks.append(messages("check_key"))
    if shown < len(checked) or shown == MAX_SENTENCES:  # there may have been more than are ever checked
        blocks.append(messages("check_more", count=shown))
    return Notice(messages("check_title"), "\n\n".join(blocks) or messages("check_nothing"))


def _block(checked: VerifiedSentence, messages: Messages) -> str:
    """Return a sentence as it was quoted, the verdict, and where it is."""
    quoted = f"> {excerpt(' '.join(checked.quoted.split()), _SENTENCE_ROOM)}"
    if checked.verdict is QuoteVerdict.ABSENT or checked.article is None:
        return f"{quoted}\n{messages('check_absent')}"
    source = source_citation(_source(checked, checked.article), messages).replace("\n", ", ")
    if checked.verdict is QuoteVerdict.CHANGED:
        return f"> {_marked(checked.changes)}\n{messages('check_changed', source=source)}"
    lines = [quoted, messages("check_exact", source=source)]
    lines += [messages("check_times", times=checked.times)] if checked.times > 1 else []
    return "\n".join(lines)


def _source(checked: VerifiedSentence, article: Article) -> Source:
    in_heading = checked.paragraph == 0
    text = (article.heading if in_heading else article.text)[checked.start : checked.end]
    return Source(article, QuoteReference.of(article.id, text, checked.start, in_heading=in_heading))


def _marked(changes: Iterable[Change]) -> str:
    """Return a quote with what the article lacks struck out, and what the quote lacks in bold.

    If that is too long, what the two have in common is cut first, so that the changes stay visible.
    """
    runs = [(change.kind, printable(change.text)) for change in changes]
    if sum(units(piece) for _, text in runs for piece in pieces(text)) > _MARKED_ROOM:
        last = len(runs) - 1
        runs = [(kind, _cut(kind, text, at == 0, at == last)) for at, (kind, text) in enumerate(runs)]
    # Escaped as a whole, since a character's escape depends on the next one; then taken apart again.
    escaped = iter(pieces("".join(text for _, text in runs)))
    shown = ""
    for kind, text in runs:
        run = _in_marks("".join(islice(escaped, len(text))), _MARKS[kind])
        if units(shown) + units(run) + units(ELLIPSIS) > _MARKED_ROOM:
            return shown.rstrip() + ELLIPSIS
        shown += run
    return shown


def _cut(kind: ChangeKind, text: str, first: bool, last: bool) -> str:
    """Return a run without what is far from any change, or without the end of a long change."""
    if len(text) <= 2 * _BESIDE:
        return text
    if kind is not ChangeKind.SAME:
        return text[: 2 * _BESIDE].rstrip() + ELLIPSIS + text[len(text.rstrip()) :]
    head, tail = text[:_BESIDE], text[-_BESIDE:]
    before = "" if first else f"{head.rpartition(' ')[0] or head} "
    after = "" if last else f" {tail.partition(' ')[2] or tail}"
    return f"{before}{ELLIPSIS}{after}"


def _in_marks(text: str, mark: str) -> str:
    """Return escaped text between two marks, which must not touch white space on their inner sides."""
    core = text.strip()
    if not mark or not text:
        return text
    before, _, after = text.partition(core) if core else ("", "", "")
    return f"{before}{mark}{core or _VISIBLE_SPACE}{mark}{after}"
