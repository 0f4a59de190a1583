"""A question on its way to a post: whether it may be asked, the answer, and what is kept of it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import discord

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.chat.conversations import Exchange
from bot.chat.logs import Way, log_answered
from bot.discordapp.buttons import answer_buttons
from bot.discordapp.notices import said
from bot.discordapp.render import answer_embed
from bot.discordapp.talk import Surface, Where, help_notice
from bot.records.settings import AnswersTo
from bot.service.catalogue import ArticleLine
from bot.service.job_queue import Waiting
from index.errors import FootnoteError

__all__ = ["Asked", "Post", "ask", "closed", "keep", "latest", "refusal", "too_soon"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, where it is asked and in what way, and what it may lean on."""

    question: str
    where: Where
    way: Way
    article: ArticleLine | None = None
    earlier: Earlier | None = None
    private: bool = False
    """Whether the asker alone sees the answer."""


@dataclass(frozen=True, slots=True)
class Post:
    """An answer with what is posted of it."""

    answer: Answer
    embed: discord.Embed
    view: discord.ui.View


def closed(surface: Surface, where: Where) -> discord.Embed | None:
    """Return why nothing can be asked or checked there now, or None."""
    if surface.work.stopping:
        return said(where.words, "stopping")
    return said(where.words, "never_here") if where.settings.answers is AnswersTo.NEVER else None


def too_soon(surface: Surface, where: Where) -> discord.Embed | None:
    """Return when to try again, where too much was asked lately, or None; then this is counted."""
    wait = surface.cooldowns.take(where.user, where.server)
    if wait <= 0:
        return None
    surface.metrics.refused("rate-limited")
    return said(where.words, "slow_down", seconds=math.ceil(wait))


def refusal(surface: Surface, where: Where, question: str) -> discord.Embed | None:
    """Return why this cannot be asked now, or None; a question that can be asked is counted."""
    blank = None if question.strip() else help_notice(where.words)
    return closed(surface, where) or blank or too_soon(surface, where)


async def ask(surface: Surface, asked: Asked, waiting: Callable[[Waiting], None] | None = None) -> Post:
    """Ask, and return what to post.

    Raises:
        BusyError: too many questions are waiting.
    """
    article = asked.article
    begun = time.perf_counter()
    answer = await surface.service.ask(
        asked.question, article=article.id if article else None, earlier=asked.earlier, waiting=waiting
    )
    where, seconds = asked.where, time.perf_counter() - begun
    surface.metrics.answered(asked.way, answer.verdict, seconds)
    log_answered(
        answer,
        surface.settings,
        way=asked.way,
        server=where.server,
        channel=where.channel,
        waited_ms=max(1000 * seconds - answer.elapsed_ms, 0.0),
    )
    only_in = article.label if article else ""
    # In a thread: to tell a sentence of a very long article from all others takes a tenth of a second.
    embed = await asyncio.to_thread(answer_embed, answer, where.words, only_in=only_in)
    view = answer_buttons(answer, where, recording=surface.settings.recording, article=article)
    return Post(answer, embed, view)


def latest(surface: Surface, where: Where, *, private: bool) -> Earlier | None:
    """Return what a person asked last in a channel, for a question whose answer is private or is not.

    What they asked in private is looked at only for what they ask in private again: an answer tells what it
    was read with.
    """
    found = surface.exchanges.latest(_side(where, private=private), where.user)
    return found.after if found else None


def _side(where: Where, *, private: bool) -> int:
    """Return the key of a channel as all see it, or of what one person sees there."""
    return -where.channel if private else where.channel


async def keep(surface: Surface, asked: Asked, answer: Answer, message: int) -> None:
    """Remember the exchange for follow-ups, and the question for /gaps where it was not answered."""
    where = asked.where
    article = asked.article.key if asked.article else None
    exchange = Exchange(asked.question, article, asked.earlier, Earlier.of(answer))
    for private in (True,) if asked.private else (True, False):
        channel = _side(where, private=private)
        surface.exchanges.remember(exchange, message=message, channel=channel, user=where.user)
    if answer.verdict is Verdict.ANSWERED or not surface.settings.recording:
        return
    question = f"{asked.question} ({answer.read_as})" if answer.read_as else asked.question
    try:
        await surface.records.add_gap(
            server=where.server,
            channel=0 if asked.private else where.channel,  # no channel is told of what was private
            user=where.user,
            question=question,
            verdict=str(answer.verdict),
            confidence=answer.confidence,
            vector=await surface.service.vector(question),
        )
    except (FootnoteError, OSError) as error:  # it has been answered; this is only for the moderators
        _log.warning("An unanswered question could not be recorded: %s", error)
    except Exception:  # noqa: BLE001 -- nor must a fault of ours take the place of the answer
        _log.exception("An unanswered question could not be recorded.")
