"""Which question a message of the bot answers: from memory, else from what Discord keeps of it."""

from __future__ import annotations

import logging
import re

import discord

from bot.answering.followups import Earlier
from bot.chat.conversations import Exchange
from bot.discordapp.delivery import LOST
from bot.discordapp.render import question_asked
from bot.discordapp.talk import Surface

__all__ = ["exchange_of", "without_mention"]

_log = logging.getLogger(__name__)


def without_mention(content: str, me: int) -> str:
    """Return a message's text without the bot's own mention."""
    return re.sub(rf"<@!?{me}>", " ", content).strip()


async def exchange_of(surface: Surface, message: discord.Message | None) -> Exchange | None:
    """Return what a message of the bot answers; None where that can no longer be seen.

    It may ask Discord for the message that was replied to. Without the message-content intent Discord gives
    what mentions the bot, and direct messages, which are all that was answered by a reply.
    """
    if message is None:
        return None
    remembered = surface.exchanges.of_message(message.id)
    if remembered is not None:
        return remembered
    above, _, _ = message.content.partition("\n\n")  # the answer is below, where embeds are not allowed
    question = question_asked(above) or "\n".join([*_title(message), *await _replied_to(message)])
    return Exchange(question, None, None, Earlier(question)) if question else None


def _title(message: discord.Message) -> list[str]:
    """Return the title of the forum's post that a message answers; nothing of any other message."""
    channel, reference = message.channel, message.reference
    if not isinstance(channel, discord.Thread) or not isinstance(channel.parent, discord.ForumChannel):
        return []
    return [channel.name] if reference is None or reference.message_id == channel.id else []


async def _replied_to(message: discord.Message) -> list[str]:
    """Return the text that a message replies to; nothing where it cannot be read."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return []
    found = reference.resolved
    if not isinstance(found, discord.Message) or not found.content:
        try:
            found = await message.channel.fetch_message(reference.message_id)
        except LOST as error:
            _log.info("The question of message %s cannot be read: %s", message.id, error)
            return []
    text = without_mention(found.content, message.author.id)
    return [text] if text else []
