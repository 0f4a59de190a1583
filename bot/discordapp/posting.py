"""A reply in the making: "is typing", the place in the queue, and the answer in the place of that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import discord

from bot.discordapp.delivery import LOST, as_text, post
from bot.discordapp.replies import WORTH_TELLING, waiting_notice
from bot.discordapp.talk import Where
from bot.service.job_queue import Waiting

__all__ = ["Reply", "typing"]

_TYPING_EVERY = 8.0  # Discord shows it for ten seconds
_TYPING_PATIENCE = 0.3

_typing: set[asyncio.Task[None]] = set()
"""What is under way, since the loop itself forgets tasks that nobody holds."""

_log = logging.getLogger(__name__)


class Reply:
    """One message in a channel, in reply `to` another or to none, whatever it comes to say."""

    def __init__(self, channel: discord.abc.Messageable, to: discord.Message | None = None) -> None:
        self.channel, self.to = channel, to
        self._telling: asyncio.Task[discord.Message | None] | None = None

    def tell(self, where: Where, waiting: Waiting) -> None:
        """Tell the asker of their place in the queue, if the wait is worth telling."""
        if waiting.seconds >= WORTH_TELLING:
            shown = waiting_notice(where, waiting)
            self._telling = asyncio.create_task(post(self.channel, shown, reply_to=self.to))

    async def put(self, embed: discord.Embed, view: discord.ui.View | None = None) -> discord.Message | None:
        """Post this, in the place of the queue's notice if there is one; None where it cannot be posted."""
        told = await self._telling if self._telling else None
        edited = await _edited(told, embed, view) if told else None
        return edited or await post(self.channel, embed, view, reply_to=self.to)


async def _edited(
    told: discord.Message, embed: discord.Embed, view: discord.ui.View | None
) -> discord.Message | None:
    try:
        if told.embeds:
            return await told.edit(embed=embed, view=view)
        return await told.edit(content=as_text(embed), view=view)  # embeds are not allowed there
    except LOST as error:
        _log.warning("A message that told of the queue could not be edited: %s", error)
        return None


@asynccontextmanager
async def typing(channel: discord.abc.Messageable) -> AsyncIterator[None]:
    """Show "is typing" as far as Discord allows it.

    The answer hardly waits for it: only so long that "is typing" does not begin after the answer. A request
    for it that is under way then is not given up: where it has met the global rate limit, discord.py would
    take that for lasting, and never send anything again.
    """
    done = asyncio.Event()
    task = asyncio.create_task(_keep_typing(channel, done))
    _typing.add(task)
    task.add_done_callback(_typing.discard)
    try:
        yield
    finally:
        done.set()
        await asyncio.wait({task}, timeout=_TYPING_PATIENCE)


async def _keep_typing(channel: discord.abc.Messageable, done: asyncio.Event) -> None:
    with suppress(*LOST, RuntimeError):  # the last: the client has been closed
        while True:
            await channel.typing()
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _TYPING_EVERY)
                return
