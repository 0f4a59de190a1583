"""What in a message is asked of the bot: a mention, a reply, a direct message, a thread, a forum's post.

Without the message-content intent Discord leaves the text out of every message that does not mention the bot
and is no direct message. Nothing is heard there but a forum post's title, which is its thread's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.chat.logs import Way
from bot.discordapp.origins import without_mention
from bot.records.settings import AnswersTo

__all__ = ["Heard", "forum_post", "from_person", "hear", "hear_in_thread", "looks_like_question"]

_FROM_PEOPLE = {discord.MessageType.default, discord.MessageType.reply}
_BODY_ROOM = 500

_ADDRESS = re.compile(r"https?://\S+")  # its question mark asks nothing
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")

# How a question or a request without a question mark begins, in the languages of the lexicon. Three words
# at least, and after "is" or "can" who or what: "so cool", "will do" and "can confirm" ask nothing.
_ASKS = re.compile(
    r"""\W*(?:(?:and|so|but|then|y|pero)\W+)?
    (?:(?:what(?!\ an?\b)|when|where|which|who|whom|whose|why|how
        |qué|cuándo|cuando|dónde|donde|cuál|cual|cuáles|quién|quien|quiénes|cómo|como|cuánto|cuántos|cuántas)
        \s+\S+\s+\S
    |(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had)\s+
        (?:i|you|he|she|it|we|they|there|this|that|these|those|the|an?|any|some|my|your|his|her|its|our|their)
        \s+\S
    |(?:tell|show)\s+(?:me|us)\b|explain\s+\S|describe\s+\S|(?:name|list)\s+(?:the|all|every|some)\b
    |explica(?:me)?\s+\S|dime\s+\S|qu[eé]\s+(?:es|son|era|fue|significa)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is asked ("" for a bare mention), in what way, and which message of the bot's it replies to."""

    question: str
    way: Way
    after: discord.Message | None = None


def from_person(message: discord.Message) -> bool:
    """Say whether a person wrote a message, and not a bot, a webhook or Discord itself."""
    return not message.author.bot and message.webhook_id is None and message.type in _FROM_PEOPLE


def hear(message: discord.Message, me: int, answers: AnswersTo) -> Heard | None:
    """Return what a person's message asks of the bot, or None; `answers` is what is set for its channel.

    Messages in a thread under an answer are the caller's: whether it is under one cannot be told from them.
    """
    text = without_mention(message.content, me)
    replied_to = message.reference.resolved if message.reference else None
    own = replied_to if isinstance(replied_to, discord.Message) and replied_to.author.id == me else None
    # not message.guild: of a server that is not cached (yet) that is None, as in a direct message
    if isinstance(message.channel, discord.DMChannel):
        return Heard(text, "direct", own)
    mentioned = any(user.id == me for user in message.mentions)
    if own is not None:
        return Heard(text, "reply", own) if mentioned or text else None
    post = forum_post(message.channel) if message.id == message.channel.id else None
    if mentioned:
        return Heard(_of_post(post, text) if post else text, "mention")
    return _unaddressed(text, post) if answers is AnswersTo.QUESTIONS else None


def _unaddressed(text: str, post: discord.Thread | None) -> Heard | None:
    """Hear a message that does not name the bot, where every question is to be answered."""
    if post is not None:
        return Heard(_of_post(post, text), "forum")
    return Heard(text, "channel") if looks_like_question(text) else None


def hear_in_thread(message: discord.Message) -> Heard | None:
    """Return what a person's message in a thread under an answer asks, if it seems to ask the bot something.

    What replies to somebody or mentions somebody is for them.
    """
    if message.reference is not None or message.mentions or not looks_like_question(message.content):
        return None
    return Heard(message.content.strip(), "thread")


def looks_like_question(text: str) -> bool:
    """Say whether a text asks something: it has a question mark, or begins as questions and requests do."""
    plain = _ADDRESS.sub(" ", text)
    marked = "?" in plain or "¿" in plain
    return (marked and any(map(str.isalnum, plain))) or bool(_ASKS.match(plain))


def forum_post(channel: object) -> discord.Thread | None:
    """Return the thread that is a forum's post; None for any other channel."""
    if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
        return channel
    return None


def _of_post(post: discord.Thread, body: str) -> str:
    """Return what a post asks: its title, with what its body asks, or how that begins."""
    title = post.name.strip()
    sentences = (one.strip() for one in _SENTENCE_END.split(body))
    asked = " ".join(one for one in sentences if one.endswith("?"))
    more = (asked or ("" if looks_like_question(title) else body))[:_BODY_ROOM].strip()
    return f"{title}\n{more}" if more and more.casefold() != title.casefold() else title
