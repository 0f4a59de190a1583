"""The connection to Discord: what the bot listens to, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import discord

from bot.discordapp.answering import Answering
from bot.discordapp.buttons import BUTTONS
from bot.discordapp.commands import Tree, add_commands
from bot.discordapp.connection import LOGIN_TIMEOUT, explained, logged_in, make_quiet, token_of
from bot.discordapp.cooldowns import Cooldowns
from bot.discordapp.endpoint import use_api, use_gateway
from bot.discordapp.exchanges import Exchanges
from bot.discordapp.gaps import ask_gaps_again
from bot.discordapp.health import Metrics, health_server
from bot.discordapp.messages import Listener
from bot.discordapp.permissions import owners_of
from bot.discordapp.presence import show_presence
from bot.discordapp.registration import register_if_changed
from bot.discordapp.submitting import take_interaction
from bot.discordapp.talk import Surface
from bot.discordapp.work import Work
from bot.errors import DiscordRefusedError
from bot.records import Records
from bot.settings import BotSettings
from index import IndexStatus

__all__ = ["DRAIN", "FootnoteClient", "ShardedFootnoteClient", "make_tree", "serve", "serve_until_signalled"]

DRAIN = 20.0
"""How long stopping waits for the answers under way."""
_READY_TIMEOUT = 60.0
_GUILD_GAP = 0.2  # discord.py calls itself ready once no server was announced for this long
_PRUNE_EVERY = 3600.0

_log = logging.getLogger(__name__)


class FootnoteClient(discord.Client):
    """Answers commands, buttons, mentions and direct messages from the service.

    Of the privileged intents only that for message content is asked for, and only where the settings say so:
    Discord delivers the content of mentions and direct messages without it.
    """

    def __init__(self, settings: BotSettings, service: Answering) -> None:
        make_quiet()
        super().__init__(
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                message_content=settings.discord_message_content,
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            guild_ready_timeout=_GUILD_GAP,
        )
        self.settings = settings
        self.work = Work()
        self.ready = asyncio.Event()
        self.surface = Surface(
            settings=settings,
            service=service,
            records=Records(settings.records, recording=settings.recording, days=settings.record_days),
            cooldowns=Cooldowns(settings.discord_user_rate, settings.discord_server_rate),
            metrics=Metrics(),
            work=self.work,
            exchanges=Exchanges(),
            owners=lambda: owners_of(self.application),
        )
        self._listener = Listener(self.surface)
        self._connected = False
        self._status: IndexStatus | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self.tree = make_tree(self)
        self.add_dynamic_items(*BUTTONS)

    async def setup_hook(self) -> None:
        """Once logged in, before connecting: find the gateway, register the commands."""
        await use_gateway(self.http)
        await register_if_changed(self.tree)

    async def on_ready(self) -> None:
        """Say so, the first time."""
        self._connected = True
        if not self.ready.is_set():
            self.ready.set()
            _log.info("Footnote is on Discord as %s; Ctrl-C to stop.", self.user)
        await self._show_status()

    async def on_resumed(self) -> None:
        """Note that the connection is there again."""
        self._connected = True

    async def on_disconnect(self) -> None:
        """Note that the connection is lost; discord.py makes it anew."""
        self._connected = False

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is asked of the bot."""
        if self.user is not None:
            await self._listener.on_message(message, self.user.id)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        """Answer a forum's new post."""
        await self._listener.on_post(thread)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Answer what neither the commands nor the buttons answer by themselves."""
        await take_interaction(self.surface, interaction)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget a server that the bot was removed from."""
        await self.surface.records.leave(guild.id)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Log what goes wrong in an event; discord.py would write a traceback beside the log."""
        _log.exception("The event %s could not be dealt with.", event_method)
        self.surface.metrics.failed()

    async def _show_status(self) -> None:
        self._status = await self.surface.service.status()
        await show_presence(self, self._status)

    def _swapped(self, generation: str) -> None:
        """Show the new index, and ask again what the old one could not answer."""
        self._start(self._show_status())
        self._start(ask_gaps_again(self.surface, self, generation))

    def _start(self, job: Coroutine[Any, Any, Any]) -> None:
        """Run a job that nobody waits for, and that stopping gives up."""

        async def run() -> None:
            with self.work.other():
                try:
                    await job
                except Exception:  # noqa: BLE001 -- nobody waits for it, so the log is told
                    _log.exception("A job in the background failed.")

        task = asyncio.create_task(run())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(_PRUNE_EVERY)
            await self.surface.records.prune()

    def _missing(self) -> list[str]:
        """Return what is missing before questions can be answered."""
        missing = [] if self._connected else ["the connection to Discord's gateway"]
        return [*missing, "Footnote is stopping"] if self.work.stopping else missing

    def _watch_figures(self) -> None:
        watch, service = self.surface.metrics.watch, self.surface.service
        watch("queue_length", lambda: service.stats.waiting)
        watch("passages", lambda: self._status.passages if self._status else 0)
        watch("articles", lambda: self._status.articles if self._status else 0)
        watch("gateway_connected", lambda: self._connected)
        watch("gateway_latency_seconds", lambda: self.latency)

    async def serve(self, stop: asyncio.Event, *, drain: float = DRAIN) -> None:
        """Connect and answer until `stop` is set; then finish the answers under way and close.

        Raises:
            DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
        """
        token = token_of(self.settings)
        use_api(self.settings.discord_api_url)
        surface = self.surface
        await surface.records.open()
        surface.service.on_swap(self._swapped)
        self._watch_figures()
        async with self, health_server(self.settings.health_port, surface.metrics, self._missing):
            pruning = asyncio.create_task(self._prune())
            stopping = asyncio.create_task(stop.wait())
            running = asyncio.create_task(self._run(token))
            told = False
            try:
                await asyncio.wait({stopping, running}, return_when=asyncio.FIRST_COMPLETED)
                told = not running.done()
                if told:
                    _log.info("Footnote is stopping.")
                    given_up = await self.work.drain(drain)
                    if given_up:
                        _log.warning("%s under way could not be finished.", given_up)
                    await self.close()
            finally:
                stopping.cancel()
                try:
                    await _ended(running, told=told)
                finally:
                    left = [pruning, *self._jobs]
                    for job in left:
                        job.cancel()
                    await asyncio.gather(*left, return_exceptions=True)
                    await surface.records.close()

    async def _run(self, token: str) -> None:
        with explained(self.settings):
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await self.login(token)
            connection = asyncio.create_task(self.connect())
            ready = asyncio.create_task(self.ready.wait())
            try:
                both = {connection, ready}
                await asyncio.wait(both, timeout=_READY_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
                if not connection.done() and not self.ready.is_set():
                    raise DiscordRefusedError(
                        "The gateway let the bot connect, but did not say that it is ready. Try again later."
                    )
                await connection
            finally:
                ready.cancel()
                connection.cancel()
                with suppress(asyncio.CancelledError):
                    await connection


async def _ended(running: asyncio.Task[Any], *, told: bool) -> None:
    """Wait for the connection's end, and raise what it raised, unless it was told to end."""
    if not running.done():
        await asyncio.wait({running}, timeout=1)
        running.cancel()
    ignored = (asyncio.CancelledError, DiscordRefusedError) if told else (asyncio.CancelledError,)
    with suppress(*ignored):
        await running


class ShardedFootnoteClient(FootnoteClient, discord.AutoShardedClient):
    """The same over as many connections as Discord asks for, where the bot is in very many servers."""


async def serve(settings: BotSettings, service: Answering, stop: asyncio.Event) -> None:
    """Answer on Discord from a started service until `stop` is set.

    Raises:
        DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
    """
    kind = ShardedFootnoteClient if await _shards_asked_for(settings) > 1 else FootnoteClient
    await kind(settings, service).serve(stop)


async def _shards_asked_for(settings: BotSettings) -> int:
    """Return how many connections Discord asks for; 1 where it does not say."""
    async with logged_in(settings) as client:
        try:
            shards, _, _ = await client.http.get_bot_gateway()
        except (discord.GatewayNotFound, KeyError, TypeError):
            return 1
    return shards


def make_tree(client: discord.Client) -> Tree:
    """Return the tree with every command; a client that only registers them needs no more."""
    tree = Tree(client)
    add_commands(tree)
    return tree


async def serve_until_signalled(
    settings: BotSettings, make_service: Callable[[BotSettings], Answering]
) -> None:
    """Start the service, answer until SIGTERM or SIGINT, and close it.

    Raises:
        DiscordRefusedError: Discord cannot be reached, or refuses the bot.
        FootnoteError: the service cannot start.
    """
    token_of(settings)  # before the encoder is loaded: nobody waits for that to hear of a missing token
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # on Windows, Ctrl-C ends the run as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    service = make_service(settings)
    try:
        await service.start()
        await serve(settings, service, stop)
    finally:
        await service.close()
