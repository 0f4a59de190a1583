"""Answering interactions: commands, menus and forms, all in the same way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord

from bot.chat.logs import Way, begin_question
from bot.discordapp.asking import Asked, ask, keep, latest, refusal
from bot.discordapp.delivery import edit_answer
from bot.discordapp.notices import notice, said
from bot.discordapp.origins import exchange_of
from bot.discordapp.render import asked_line
from bot.discordapp.talk import Surface, Where, apologise, private_reply, where_of
from bot.service.job_queue import Waiting

__all__ = ["WORTH_TELLING", "answer_interaction", "refuse", "telling_of_trouble", "waiting_notice"]

WORTH_TELLING = 1.0
"""Seconds of waiting from which on somebody is told their place in the queue."""


async def refuse(interaction: discord.Interaction[Any], embed: discord.Embed) -> None:
    """Answer with a notice, for the user alone."""
    await private_reply(interaction, embed)


def waiting_notice(where: Where, waiting: Waiting) -> discord.Embed:
    """Return what is shown while others are answered first."""
    place = where.words.ordinal(waiting.position)
    text = where.words("waiting_text", seconds=math.ceil(waiting.seconds))
    return notice(where.words("waiting", place=place), text)


async def answer_interaction(  # noqa: PLR0913 - what can be said of a question
    surface: Surface,
    interaction: discord.Interaction[Any],
    question: str,
    *,
    way: Way,
    article: str | None = None,
    private: bool | None = None,
    after: discord.Message | None = None,
) -> None:
    """Answer a question in the response to an interaction.

    `article` is what was chosen or typed to name one. Without `private` the channel's settings say who sees
    the answer. A question may lean on what the message `after` answers, one by command on what the same
    person asked last in the channel.
    """
    with surface.work.answer(), begin_question():
        where = await where_of(surface, interaction)
        refused = refusal(surface, where, question)
        if refused is not None:
            await refuse(interaction, refused)
            return
        ephemeral = where.settings.private if private is None else private
        async with telling_of_trouble(interaction, where):
            with surface.acknowledging.one():
                await interaction.response.defer(thinking=True, ephemeral=ephemeral)
            await surface.acknowledging.others()
            named = (article or "").strip()
            line = (await surface.service.catalogue()).find(named) if named else None
            if named and line is None:
                await private_reply(interaction, said(where.words, "no_such_article"))
                return
            earlier = None
            if after is not None:
                exchange = await exchange_of(surface, after)
                earlier = exchange.after if exchange else None
            elif way == "slash" and line is None:
                earlier = latest(surface, where, private=ephemeral)
            await _answer(surface, interaction, Asked(question, where, way, line, earlier, ephemeral))


@asynccontextmanager
async def telling_of_trouble(interaction: discord.Interaction[Any], where: Where) -> AsyncIterator[None]:
    """Tell whoever waits for an answer that it will not come, where that is so, and why."""
    try:
        yield
    except asyncio.CancelledError:
        await private_reply(interaction, said(where.words, "stopping"))
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, the asker hears of it and it is logged
        await apologise(interaction, error)


async def _answer(surface: Surface, interaction: discord.Interaction[Any], asked: Asked) -> None:
    telling: list[asyncio.Task[Any]] = []

    def tell(waiting: Waiting) -> None:
        if waiting.seconds >= WORTH_TELLING:
            shown = waiting_notice(asked.where, waiting)
            telling.append(asyncio.create_task(edit_answer(interaction, shown)))

    try:
        post = await ask(surface, asked, tell)
    finally:  # an edit on its way is let finish, so that it cannot come after what is said next
        await asyncio.gather(*telling, return_exceptions=True)
    question, public = asked_line(asked.question), not asked.private
    message = await edit_answer(interaction, post.embed, content=question, view=post.view, public=public)
    await keep(surface, asked, post.answer, message.id)
