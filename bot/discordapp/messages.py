"""Questions in messages, answered in a reply."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

import discord

from bot.answering.followups import Earlier
from bot.chat.logs import begin_question
from bot.chat.words import words_in
from bot.discordapp.asking import Asked, ask, keep, refusal
from bot.discordapp.delivery import LOST
from bot.discordapp.hearing import Heard, forum_post, from_person, hear, hear_in_thread
from bot.discordapp.notices import said
from bot.discordapp.origins import exchange_of
from bot.discordapp.posting import Reply, typing
from bot.discordapp.talk import Surface, Where, apology_for, count_failure
from bot.records.settings import AnswersTo

__all__ = ["Listener"]

_POST_PATIENCE = 3.0
"""Seconds for which a post's first message is awaited before its title alone is answered."""

_REMEMBERED = 1000

_log = logging.getLogger(__name__)


class Listener:
    """Answers what messages ask; remembers for a while which threads are under an answer."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self._begun: OrderedDict[int, discord.Message | None] = OrderedDict()
        self._posts: OrderedDict[int, None] = OrderedDict()

    async def on_message(self, message: discord.Message, me: int) -> None:
        """Answer a message, if something is asked of the bot in it."""
        begins_post = message.id == message.channel.id and forum_post(message.channel) is not None
        if (begins_post and not self._first(message.id)) or not from_person(message):
            return
        where = await self._where(message)
        heard = hear(message, me, where.settings.answers) or await self._hear_in_thread(message, me)
        if heard is None:
            return
        if where.settings.answers is AnswersTo.NEVER:
            _log.info("A question in channel %s is passed over: its settings say never.", where.channel)
            return
        with self.surface.work.answer():
            earlier = await self._earlier(message, heard, me)
            await self._answer(Reply(message.channel, message), where, heard, earlier)

    async def on_post(self, thread: discord.Thread) -> None:
        """Answer a forum's new post by its title, where its first message does not come.

        Discord announces a post before its first message, and that one is heard as any other.
        """
        if forum_post(thread) is None:
            return
        settings = await self.surface.records.settings(thread.guild.id, thread.id, thread.parent_id)
        if settings.answers is not AnswersTo.QUESTIONS:
            return
        with self.surface.work.answer():  # so that stopping does not forget it
            await asyncio.sleep(_POST_PATIENCE)
        if not self._first(thread.id):
            return
        words = words_in(settings.language, str(thread.guild.preferred_locale))
        where = Where(thread.owner_id, thread.guild.id, thread.id, settings, words)
        await self._answer(Reply(thread), where, Heard(thread.name.strip(), "forum"), None)

    def _first(self, post_id: int) -> bool:
        """Say whether a post is seen for the first time."""
        if post_id in self._posts:
            return False
        self._posts[post_id] = None
        while len(self._posts) > _REMEMBERED:
            self._posts.popitem(last=False)
        return True

    async def _where(self, message: discord.Message) -> Where:
        guild, channel = message.guild, message.channel
        # A server that is not cached (yet) is known by its id alone, and a direct message's channel has none.
        server = guild.id if guild else getattr(channel, "guild_id", None)
        parent = getattr(channel, "parent_id", None)
        settings = await self.surface.records.settings(server, channel.id, parent)
        words = words_in(settings.language, str(guild.preferred_locale) if guild else None)
        return Where(message.author.id, server, channel.id, settings, words)

    async def _hear_in_thread(self, message: discord.Message, me: int) -> Heard | None:
        """Hear a message that is not addressed to the bot, in a thread that was begun on its answer."""
        thread = message.channel
        heard = hear_in_thread(message) if isinstance(thread, discord.Thread) else None
        if heard is None or not isinstance(thread, discord.Thread):
            return None
        known = self.surface.exchanges.of_message(thread.id) is not None
        return heard if known or await self._begun_on(thread, me) is not None else None

    async def _begun_on(self, thread: discord.Thread, me: int) -> discord.Message | None:
        """Return the message of the bot's on which a thread was begun, if it was; the ids are the same."""
        if thread.id not in self._begun and isinstance(thread.parent, discord.TextChannel):
            try:
                found = await thread.parent.fetch_message(thread.id)
            except discord.NotFound:
                self._begun[thread.id] = None
            except LOST as error:
                _log.info("The message on which thread %s was begun cannot be read: %s", thread.id, error)
            else:
                self._begun[thread.id] = found if found.author.id == me else None
            while len(self._begun) > _REMEMBERED:
                self._begun.popitem(last=False)
        return self._begun.get(thread.id)

    async def _earlier(self, message: discord.Message, heard: Heard, me: int) -> Earlier | None:
        """Return what a question may lean on.

        That is the answer replied to; else the latest in the same thread or direct messages; else that on
        which the thread was begun; else the latest to the same person in the channel.
        """
        exchanges, channel = self.surface.exchanges, message.channel
        if heard.after is not None:
            found = await exchange_of(self.surface, heard.after)
        elif isinstance(channel, discord.Thread):
            found = exchanges.latest(channel.id) or exchanges.of_message(channel.id)
            found = found or await exchange_of(self.surface, await self._begun_on(channel, me))
        elif isinstance(channel, discord.DMChannel):
            found = exchanges.latest(channel.id)
        else:
            found = exchanges.latest(channel.id, message.author.id)
        return found.after if found else None

    async def _answer(self, reply: Reply, where: Where, heard: Heard, earlier: Earlier | None) -> None:
        """Answer in a reply, with "is typing" shown meanwhile."""
        surface = self.surface
        with surface.work.answer(), begin_question():
            refused = refusal(surface, where, heard.question)
            if refused is not None:
                await reply.put(refused)
                return
            asked = Asked(heard.question, where, heard.way, earlier=earlier)
            try:
                async with typing(reply.channel):
                    made = await ask(surface, asked, lambda waiting: reply.tell(where, waiting))
            except asyncio.CancelledError:
                await reply.put(said(where.words, "stopping"))
                raise
            except Exception as error:  # noqa: BLE001 -- whatever it is, the asker hears of it and it is logged
                count_failure(surface.metrics, error)
                await reply.put(apology_for(where.words, error))
                return
            sent = await reply.put(made.embed, made.view)
            if sent is not None:
                await keep(surface, asked, made.answer, sent.id)
