"""Questions in messages: mentions, replies, direct messages, threads, and forum posts; and late answers.

Without the message-content intent, Discord leaves out the text of every message that neither mentions the bot
nor is a direct message. Of those, only the title of a forum post can be read: it is its thread's name.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord
from cachetools import LRUCache

from bot.answering.questions import looks_like_question, looks_like_statement
from bot.chat.asking import Question, queue_notice
from bot.chat.logs import Way, begin_question
from bot.chat.quote_links import with_pages
from bot.discordapp.buttons import answer_buttons
from bot.discordapp.context import LOST, Surface, is_ours, without_mention
from bot.discordapp.delivery import Reply, post
from bot.discordapp.embeds import answer_embed, asked_line, exchange_of
from bot.discordapp.markdown import shorten
from bot.records.settings import AnswersTo

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.chat.asking import Assistant, Place
    from bot.chat.conversations import Exchange
    from bot.records.gaps import Gap
    from bot.service.job_queue import QueuePosition

__all__ = ["Listener", "tell_channel"]

_FROM_PEOPLE = {discord.MessageType.default, discord.MessageType.reply}
_BODY_ROOM, _CONTENT_ROOM = 500, 2000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_REMEMBERED = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    """What a message asks, "" for a bare mention; `after` is the bot's message that it replies to."""

    text: str
    way: Way
    after: discord.Message | None = None


class Listener:
    """Answers messages; remembers for a while which threads are under an answer."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self._starters: LRUCache[int, discord.Message | None] = LRUCache(_REMEMBERED)

    async def on_message(self, message: discord.Message, me: int) -> None:
        """Answer a message if it asks the bot, whose id is `me`, something."""
        channel, guild = message.channel, message.guild
        if message.author.bot or message.webhook_id is not None or message.type not in _FROM_PEOPLE:
            return
        place = await self.assistant.place(
            message.author.id,
            guild.id if guild else getattr(channel, "guild_id", None),  # a server may not be cached yet
            channel.id,
            parent=getattr(channel, "parent_id", None),
            locale=str(guild.preferred_locale) if guild else None,
        )
        request = _addressed(message, me, place.settings.answers) or await self._in_thread(message, me)
        if request is None:
            return
        if place.settings.answers is AnswersTo.NEVER:
            _log.info("A question in channel %s is ignored: its settings say never.", place.channel)
            return
        with self.assistant.tasks.track():
            if self._is_withheld(message, request):
                notice = self.assistant.refusal(place) or place.messages.notice("reply_withheld")
                await Reply(channel, message).put(notice)
                return
            exchange = await self._earlier(message, request, place, me)
            if exchange is not None:
                place = replace(place, collection=exchange.collection)
            earlier = exchange.after if exchange else None
            question = Question(request.text, place, request.way, earlier=earlier)
            await self._answer(Reply(channel, message), question)

    def _is_withheld(self, message: discord.Message, request: _Request) -> bool:
        """Return whether Discord keeps the text from the bot: that of a reply to a response to a command."""
        if message.content or request.after is None or self.assistant.settings.discord_message_content:
            return False
        return message.guild is not None and request.after.interaction_metadata is not None

    async def _in_thread(self, message: discord.Message, me: int) -> _Request | None:
        """Return what a message without a mention asks in a thread that was started on an answer."""
        thread = message.channel
        if not isinstance(thread, discord.Thread) or not looks_like_question(message.content):
            return None
        if message.reference is not None or message.mentions:  # meant for somebody else
            return None
        known = self.assistant.conversations.of_message(thread.id) or await self._starter(thread, me)
        return _Request(message.content.strip(), "thread") if known else None

    async def _starter(self, thread: discord.Thread, me: int) -> discord.Message | None:
        """Return the bot's message that a thread was started on, which has the thread's id."""
        if thread.id not in self._starters and isinstance(thread.parent, discord.TextChannel):
            try:
                starter = await thread.parent.fetch_message(thread.id)
            except discord.NotFound:
                self._starters[thread.id] = None
            except LOST as error:
                _log.info("The message that started thread %s cannot be read: %s", thread.id, error)
            else:
                self._starters[thread.id] = starter if starter.author.id == me else None
        return self._starters.get(thread.id)

    async def _earlier(
        self, message: discord.Message, request: _Request, place: Place, me: int
    ) -> Exchange | None:
        """Return what a question may build on.

        That is the answer replied to, whatever its collection. Else, in the collection of the channel, it is
        the latest in the thread or direct messages, else the thread's starter, else the latest answer to the
        same person in the channel.
        """
        conversations, channel, collection = self.assistant.conversations, message.channel, place.collection
        if request.after is not None:
            return await exchange_of(self.assistant, request.after, place)
        if isinstance(channel, discord.DMChannel):
            return conversations.latest(channel.id, collection=collection)
        if not isinstance(channel, discord.Thread):
            return conversations.latest(channel.id, message.author.id, collection=collection)
        if latest := conversations.latest(channel.id, collection=collection):
            return latest
        starter = conversations.of_message(channel.id)
        starter = starter or await exchange_of(self.assistant, await self._starter(channel, me), place)
        return starter if starter and starter.collection == collection else None

    async def _answer(self, reply: Reply, question: Question) -> None:
        assistant, place = self.assistant, question.place

        def show_queue(waiting: QueuePosition) -> None:
            if (notice := queue_notice(place.messages, waiting)) is not None:
                reply.show_queue(notice)

        with begin_question():
            if (refusal := assistant.refusal(place, question.text)) is not None:
                await reply.put(refusal)
                return
            try:
                answer = await assistant.ask(question, show_queue)
                embed = await asyncio.to_thread(
                    answer_embed, with_pages(answer, *assistant.pages(place)), place.messages
                )
            except asyncio.CancelledError:
                await reply.put(place.messages.notice("stopping"))
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the asker learns of it, and the log
                await reply.put(assistant.apology(place.messages, error, ours=is_ours(error)))
                return
            sent = await reply.put(embed, answer_buttons(answer, place, recording=assistant.recording))
            if sent is not None:
                await assistant.remember(question, answer, sent.id)


def _addressed(message: discord.Message, me: int, answers: AnswersTo) -> _Request | None:
    """Return what a message asks the bot, apart from threads under an answer; None if nothing."""
    text = without_mention(message.content, me)
    original = message.reference.resolved if message.reference else None
    own = original if isinstance(original, discord.Message) and original.author.id == me else None
    if isinstance(message.channel, discord.DMChannel):  # message.guild is None before it is cached, too
        return _Request(text, "direct", own)
    mentioned = any(user.id == me for user in message.mentions)
    if own is not None:
        return _Request(text, "reply", own) if mentioned or text else None
    post = _forum_post(message.channel) if message.id == message.channel.id else None
    if mentioned:
        return _Request(_of_post(post, text) if post else text, "mention")
    if answers is not AnswersTo.QUESTIONS:
        return None
    if post is not None:
        asks = any(map(looks_like_question, _SENTENCE_END.split(text))) or not looks_like_statement(post.name)
        return _Request(_of_post(post, text), "forum") if asks else None
    return _Request(text, "channel") if looks_like_question(text) else None


def _forum_post(channel: object) -> discord.Thread | None:
    """Return the thread that is a forum post; None for any other channel."""
    in_forum = isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel)
    return channel if in_forum else None  # type: ignore[return-value]


def _of_post(post: discord.Thread, body: str) -> str:
    """Return what a post asks: its title, and what its body asks, or else how the body begins."""
    title = post.name.strip()
    sentences = (sentence.strip() for sentence in _SENTENCE_END.split(body))
    asked = " ".join(sentence for sentence in sentences if sentence.endswith("?"))
    more = (asked or ("" if looks_like_question(title) else body))[:_BODY_ROOM].strip()
    return f"{title}\n{more}" if more and more.casefold() != title.casefold() else title


async def tell_channel(client: Surface, gap: Gap, answer: Answer) -> None:
    """Post a late answer where the question was asked, if its server wants that and it was no private one.

    A channel that asks another collection by now does not hear of it.
    """
    if gap.server is None or not gap.channel:
        return
    guild = client.get_guild(gap.server)
    parent = getattr(guild and guild.get_channel_or_thread(gap.channel), "parent_id", None)
    locale = str(guild.preferred_locale) if guild else None
    place = await client.assistant.place(0, gap.server, gap.channel, parent=parent, locale=locale)
    settings, messages = place.settings, place.messages
    if not settings.tell_gaps or settings.answers is AnswersTo.NEVER or place.collection != gap.collection:
        return
    channel = client.get_partial_messageable(gap.channel, guild_id=gap.server)
    content = shorten(f"{messages('gap_now')}:\n{asked_line(gap.question)}", _CONTENT_ROOM)
    answer = with_pages(answer, *client.assistant.pages(place))
    await post(channel, await asyncio.to_thread(answer_embed, answer, messages), content=content)
