"""What everybody may use: /ask, "Answer this", /verify, "Check this quote", and the follow-up form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.answering.verify import MAX_SENTENCES, Change, ChangeKind, QuoteVerdict, VerifiedSentence
from bot.chat.asking import Question, queue_notice
from bot.chat.logs import Way, begin_question
from bot.chat.messages import Messages, Notice
from bot.chat.quote_links import QuoteReference, with_pages
from bot.discordapp.buttons import answer_buttons, entries
from bot.discordapp.context import Interaction, RefusedError, anywhere, place_of, without_mention
from bot.discordapp.delivery import defer, edit_response, handling
from bot.discordapp.embeds import Source, answer_embed, asked_line, exchange_of, source_citation
from bot.discordapp.markdown import choice_name, excerpt, pieces, printable, shorten, units
from bot.errors import NoCollectionError
from index.errors import BusyError, DamagedIndexError

if TYPE_CHECKING:
    from bot.service.job_queue import QueuePosition

__all__ = ["answer_this", "ask", "check_this", "take_follow_up", "verify"]

_QUESTION_LENGTH, _TEXT_LENGTH, _CHOICES = 1000, 4000, 25
_ROOM, _SENTENCE_ROOM, _MARKED_ROOM = 3800, 500, 1000

_MARKS = {ChangeKind.SAME: "", ChangeKind.QUOTED: "~~", ChangeKind.ARTICLE: "**"}
_VISIBLE_SPACE = "\u2423"


@anywhere
@app_commands.command(name="ask", description="Ask the articles a question")
@app_commands.describe(
    question="What you want to know",
    article="Ask only this article",
    private="Whether only you see the answer",
)
async def ask(
    interaction: Interaction,
    question: app_commands.Range[str, 1, _QUESTION_LENGTH],
    article: str | None = None,
    private: bool | None = None,
) -> None:
    """Answer a question."""
    await _answer(interaction, question, "slash", article=article, private=private)


@ask.autocomplete("article")
async def _articles(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    try:
        collection = (await place_of(interaction)).collection
        service = interaction.client.assistant.service_of(collection)
        entries = (await service.catalogue()).suggest(typed, _CHOICES)
    except (BusyError, DamagedIndexError, NoCollectionError):  # the command itself will say so
        return []
    return [app_commands.Choice(name=choice_name(entry.title), value=entry.key) for entry in entries]


@anywhere
@app_commands.context_menu(name="Answer this")
async def answer_this(interaction: Interaction, message: discord.Message) -> None:
    """Answer a message."""
    me = interaction.client.user
    text = without_mention(message.content, me.id if me else 0)
    await _answer(interaction, text[:_QUESTION_LENGTH], "menu")


async def take_follow_up(interaction: Interaction) -> None:
    """Answer what was typed into the follow-up form; after a private answer, in private."""
    message = interaction.message
    private = True if message is not None and message.flags.ephemeral else None
    await _answer(interaction, entries(interaction)[-1], "follow-up", private=private, after=message)


async def _answer(  # noqa: PLR0913 - what can be said of a question
    interaction: Interaction,
    text: str,
    way: Way,
    *,
    article: str | None = None,
    private: bool | None = None,
    after: discord.Message | None = None,
) -> None:
    """Answer a question in the response to an interaction.

    `article` names the only article to answer from. Without `private` the channel's settings decide. The
    question may build on what the message `after` answers, one by command on the same person's last.
    """
    assistant = interaction.client.assistant
    with begin_question():
        async with handling(interaction) as place:
            if (refusal := assistant.refusal(place, text)) is not None:
                raise RefusedError(refusal)
            ephemeral = place.settings.private if private is None else private
            await defer(interaction, private=ephemeral)
            name, line, exchange = (article or "").strip(), None, None
            service = assistant.service_of(place.collection)
            if name and (line := (await service.catalogue()).find(name)) is None:
                raise RefusedError(place.messages.notice("no_such_article"))
            if after is not None:
                exchange = await exchange_of(assistant, after, place)
            elif way == "slash" and line is None:
                latest, collection = assistant.conversations.latest, place.collection
                exchange = latest(place.channel, place.user, private=ephemeral, collection=collection)
            earlier = exchange.after if exchange else None
            await _respond(interaction, Question(text, place, way, line, earlier, ephemeral))


async def _respond(interaction: Interaction, question: Question) -> None:
    assistant, place, article = interaction.client.assistant, question.place, question.article
    edits: list[asyncio.Task[Any]] = []

    def show_queue(waiting: QueuePosition) -> None:
        if (notice := queue_notice(place.messages, waiting)) is not None:
            edits.append(asyncio.create_task(edit_response(interaction, notice)))

    try:
        answer = await assistant.ask(question, show_queue)
    finally:  # so that the notice cannot overwrite the answer
        await asyncio.gather(*edits, return_exceptions=True)
    label = article.title if article else ""
    # In a thread: finding where a very long article's link leads takes a tenth of a second.
    linked = with_pages(answer, *assistant.pages(place))
    embed = await asyncio.to_thread(answer_embed, linked, place.messages, only_in=label)
    view = answer_buttons(answer, place, recording=assistant.recording, article=article)
    above, public = asked_line(question.text), not question.private
    message = await edit_response(interaction, embed, content=above, public=public, view=view)
    if message is not None:
        await assistant.remember(question, answer, message.id)


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
            checked = await assistant.service_of(place.collection).verify(text)
            notice = await asyncio.to_thread(_checked_notice, checked, place.messages, assistant.pages(place))
            await edit_response(interaction, notice, public=not ephemeral)


def _checked_notice(
    checked: Sequence[VerifiedSentence], messages: Messages, pages: tuple[str, str, str]
) -> Notice:
    """Return the result of a check, a block for each sentence, as many as fit."""
    blocks: list[str] = []
    room = _ROOM
    for sentence in checked:
        block = _block(sentence, messages, pages)
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


def _block(checked: VerifiedSentence, messages: Messages, pages: tuple[str, str, str]) -> str:
    """Return a sentence as it was quoted, the verdict, and where it is."""
    quoted = f"> {excerpt(' '.join(checked.quoted.split()), _SENTENCE_ROOM)}"
    if checked.verdict is QuoteVerdict.ABSENT or checked.article is None:
        return f"{quoted}\n{messages('check_absent')}"
    in_heading = checked.paragraph == 0
    text = (checked.article.heading if in_heading else checked.article.text)[checked.start : checked.end]
    span = QuoteReference.of(checked.article.id, text, checked.start, in_heading=in_heading)
    source = source_citation(Source(checked.article, span, pages), messages).replace("\n", ", ")
    if checked.verdict is QuoteVerdict.CHANGED:
        return f"> {_marked(checked.changes)}\n{messages('check_changed', source=source)}"
    lines = [quoted, messages("check_exact", source=source)]
    lines += [messages("check_times", times=checked.times)] if checked.times > 1 else []
    return "\n".join(lines)


def _marked(changes: Iterable[Change]) -> str:
    """Return a quote with what the article lacks struck out, and what the quote lacks in bold."""
    runs = [(change.kind, printable(change.text)) for change in changes]
    # Escaped as a whole, since a character's escape depends on the next one; then taken apart again.
    escaped = iter(pieces("".join(text for _, text in runs)))
    shown = ""
    for kind, text in runs:
        shown += _in_marks("".join(islice(escaped, len(text))), _MARKS[kind])
    return shorten(shown, _MARKED_ROOM)


def _in_marks(text: str, mark: str) -> str:
    """Return escaped text between two marks, which must not touch white space on their inner sides."""
    core = text.strip()
    if not mark or not text:
        return text
    before, _, after = text.partition(core) if core else ("", "", "")
    return f"{before}{mark}{core or _VISIBLE_SPACE}{mark}{after}"
