"""Which client answers, and until when: one connection or as many as Discord asks for, until a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import discord
from yarl import URL

from bot.discordapp.answering import Answering
from bot.discordapp.client import FootnoteClient
from bot.discordapp.connection import LOGIN_TIMEOUT, explained, logged_in, token_of
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings

__all__ = ["ShardedFootnoteClient", "serve", "serve_until_signalled"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


class ShardedFootnoteClient(FootnoteClient, discord.AutoShardedClient):
    """The same over as many connections as Discord asks for, where the bot is in very many servers."""

    async def launch_shard(self, gateway: URL, shard_id: int, *, initial: bool = False) -> None:
        """Connect a shard.

        Raises:
            DiscordRefusedError: the first one cannot be connected; discord.py would try again for ever.
        """
        if not initial and not self.shards:
            raise DiscordRefusedError(
                f"The gateway {gateway.with_query(None)} cannot be reached. "
                "Check the network and FOOTNOTE_DISCORD_API_URL."
            )
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def on_shard_ready(self, shard_id: int) -> None:
        """Show the presence on a connection that was made anew."""
        if self.ready.is_set():
            _log.info("Shard %s is connected again.", shard_id)
            await self._show_status()

    def is_connected(self) -> bool:
        """Say whether the events of all servers reach the bot."""
        return self.ready.is_set() and not any(shard.is_closed() for shard in self.shards.values())


async def serve_until_signalled(
    settings: BotSettings, make_service: Callable[[BotSettings], Answering]
) -> None:
    """Start the service, answer until SIGTERM or SIGINT, and close it; a second signal ends the process.

    Raises:
        DiscordRefusedError: Discord cannot be reached, or refuses the bot.
        FootnoteError: the service cannot start.
    """
    token_of(settings)  # before the encoder is loaded: nobody waits for that to hear of a missing token
    stop = asyncio.Event()
    with _stopping_on_signal(stop):
        service = make_service(settings)
        try:
            await service.start()
            gc.freeze()  # what is loaded now stays: no collection need walk it again
            await serve(settings, service, stop)
        finally:
            await service.close()


@contextmanager
def _stopping_on_signal(stop: asyncio.Event) -> Iterator[None]:
    """Set the event at the first signal; at the second one the process ends, whatever is under way.

    The loop is only told of the first one: it may be what hangs.
    """
    loop = asyncio.get_running_loop()

    def told(_: int, __: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, _leave)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _: object) -> NoReturn:
    """End at once, with the status of who was ended by this signal; only the log is written out."""
    with suppress(Exception):  # nothing keeps the process from ending
        _log.warning("Footnote was told again to stop, and leaves at once.")
        logging.shutdown()
    os._exit(128 + number)


async def serve(settings: BotSettings, service: Answering, stop: asyncio.Event) -> None:
    """Answer on Discord from a started service until `stop` is set.

    Raises:
        DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
        RecordsError: the file of the records cannot be written.
        DamagedRecordsError: it is damaged, or not ours.
        MissingError: the port for health checks cannot be used.
    """
    stopping = asyncio.create_task(stop.wait())
    asking = asyncio.create_task(_shards_asked_for(settings))
    try:
        await asyncio.wait({stopping, asking}, return_when=asyncio.FIRST_COMPLETED)
        shards = await asking if asking.done() else 0
    finally:
        for task in (stopping, asking):
            task.cancel()
        await asyncio.gather(stopping, asking, return_exceptions=True)
    if shards:
        kind = ShardedFootnoteClient if shards > 1 else FootnoteClient
        await kind(settings, service, shards).serve(stop)


async def _shards_asked_for(settings: BotSettings) -> int:
    """Return how many connections Discord asks for; 1 where it does not say."""
    async with logged_in(settings) as client:
        with explained(settings):
            async with asyncio.timeout(LOGIN_TIMEOUT):
                try:
                    shards: object = (await client.http.get_bot_gateway())[0]
                except (discord.GatewayNotFound, KeyError, TypeError):
                    return 1
    return shards if isinstance(shards, int) and shards > 1 else 1
