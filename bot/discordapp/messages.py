"""Questions in messages: a mention in a server, anything in a direct message."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import discord

from bot.discordapp.render import answer_embed
from bot.discordapp.talk import HELP, STOPPING, Surface, apology_for

__all__ = ["answer_message", "question_in"]

_ASKING = {discord.MessageType.default, discord.MessageType.reply}

_TYPING_EVERY = 8.0  # Discord shows it for ten seconds
_TYPING_PATIENCE = 0.3

_log = logging.getLogger(__name__)


def question_in(message: discord.Message, me: int) -> str | None:
    """Return the question that a message asks of the bot, "" for a bare mention, None for everything else."""
    if message.author.bot or message.webhook_id is not None or message.type not in _ASKING:
        return None
    # not message.guild: of a server that is not cached (yet) that is None, as in a direct message
    direct = isinstance(message.channel, discord.DMChannel)
    if not direct and all(user.id != me for user in message.mentions):
        return None
    return re.sub(rf"<@!?{me}>", " ", message.content).strip()


async def answer_message(surface: Surface, message: discord.Message, question: str) -> None:
    """Answer in a reply, with "is typing" shown meanwhile."""
    with surface.work.answer():
        if surface.work.stopping or not question:
            await _reply(message, STOPPING if surface.work.stopping else HELP)
            return
        try:
            async with _typing(message.channel):
                embed = answer_embed(await surface.service.ask(question))
        except asyncio.CancelledError:
            await _reply(message, STOPPING)
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the asker hears of it and it is logged
            embed = apology_for(error)
        await _reply(message, embed)


async def _reply(message: discord.Message, embed: discord.Embed) -> None:
    """Reply without a ping; a message that is gone by now is answered in its channel."""
    reference = message.to_reference(fail_if_not_exists=False)
    try:
        await message.channel.send(embed=embed, reference=reference, mention_author=False)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        _log.warning("A question could not be answered in channel %s: %s", message.channel.id, error)


@asynccontextmanager
async def _typing(channel: discord.abc.Messageable) -> AsyncIterator[None]:
    """Show "is typing" as far as Discord allows it.

    The answer hardly waits for it: only so long that "is typing" does not begin after the answer.
    """
    done = asyncio.Event()

    async def keep_typing() -> None:
        with suppress(discord.HTTPException, aiohttp.ClientError, OSError):
            while True:
                await channel.typing()
                try:
                    async with asyncio.timeout(_TYPING_EVERY):
                        await done.wait()
                except TimeoutError:
                    continue
                return

    task = asyncio.create_task(keep_typing())
    try:
        yield
    finally:
        done.set()
        await asyncio.wait({task}, timeout=_TYPING_PATIENCE)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
