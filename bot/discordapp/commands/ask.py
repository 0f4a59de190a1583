"""/ask, "Answer this" on a message, and the follow-up form: questions that are answered in an interaction."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
from discord import app_commands

from bot.chat.asking import Question, queue_notice
from bot.chat.logs import Way, begin_question
from bot.discordapp.buttons import answer_buttons, typed_in
from bot.discordapp.context import (
    Interaction,
    RefusedError,
    anywhere,
    defer,
    exchange_of,
    handling,
    without_mention,
)
from bot.discordapp.delivery import edit_response
from bot.discordapp.embeds import answer_embed, asked_line
from bot.discordapp.markdown import printable, shorten
from bot.service.job_queue import QueuePosition
from index.errors import BusyError, DamagedIndexError

__all__ = ["answer_this", "ask", "choice_name", "take_follow_up"]

_QUESTION_LENGTH = 1000
_CHOICES, _CHOICE_LENGTH = 25, 100


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
        lines = (await interaction.client.assistant.service.catalogue()).suggest(typed, _CHOICES)
    except (BusyError, DamagedIndexError):  # nothing can be shown here; what is typed is looked up anyway
        return []
    return [app_commands.Choice(name=choice_name(line.label), value=line.key) for line in lines]


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
    await _answer(interaction, typed_in(interaction), "follow-up", private=private, after=message)


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
            if name and (line := (await assistant.service.catalogue()).find(name)) is None:
                raise RefusedError(place.messages.notice("no_such_article"))
            if after is not None:
                exchange = await exchange_of(assistant, after)
            elif way == "slash" and line is None:
                exchange = assistant.conversations.latest(place.channel, place.user, private=ephemeral)
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
    label = article.label if article else ""
    # In a thread: finding where a very long article's link leads takes a tenth of a second.
    embed = await asyncio.to_thread(answer_embed, answer, place.messages, only_in=label)
    view = answer_buttons(answer, place, recording=assistant.recording, article=article)
    above, public = asked_line(question.text), not question.private
    message = await edit_response(interaction, embed, content=above, public=public, view=view)
    await assistant.remember(question, answer, message.id)


def choice_name(label: str) -> str:
    """Return a label as one line that fits an autocomplete choice."""
    return shorten(" ".join(printable(label).split()), _CHOICE_LENGTH)
