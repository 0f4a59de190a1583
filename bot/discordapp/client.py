"""The connection to Discord: what the bot listens to, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from typing import Any

import discord

from bot.chat.acknowledgements import Acknowledging
from bot.chat.conversations import Exchanges
from bot.chat.metrics import Metrics, health_server
from bot.chat.rate_limit import Cooldowns
from bot.chat.tasks import Work
from bot.discordapp.alerts import tell_admins
from bot.discordapp.answering import Answering
from bot.discordapp.buttons import BUTTONS
from bot.discordapp.commands import Tree, add_commands
from bot.discordapp.connection import (
    LOGIN_TIMEOUT,
    explained,
    make_quiet,
    token_of,
    warn_of_missing_intent,
)
from bot.discordapp.endpoint import use_api, use_gateway
from bot.discordapp.gaps import ask_gaps_again
from bot.discordapp.messages import Listener
from bot.discordapp.permissions import owners_of
from bot.discordapp.presence import Presence
from bot.discordapp.registration import register_if_changed
from bot.discordapp.submitting import take_interaction
from bot.discordapp.talk import Surface, log_failure
from bot.errors import DiscordRefusedError
from bot.records.store import Records
from bot.service.live_index import Damage
from bot.settings import BotSettings
from index.errors import FootnoteError

__all__ = ["FootnoteClient", "make_tree"]

_READY_TIMEOUT = 60.0
_BETWEEN_SHARDS = 6.0  # discord.py lets five seconds pass before the next one identifies itself
_REGISTERING = 15.0
"""How long the connection waits for the commands to be registered; Discord may make that wait for minutes."""
_GUILD_GAP = 0.2  # discord.py calls itself ready once no server was announced for this long
_PRUNE_EVERY = 3600.0
_DRAIN = 20.0

_log = logging.getLogger(__name__)


class FootnoteClient(discord.Client):
    """Answers commands, buttons, mentions and direct messages from the service.

    Of the privileged intents only that for message content is asked for, and only where the settings say so:
    Discord delivers the content of mentions and direct messages without it.
    """

    def __init__(self, settings: BotSettings, service: Answering, shards: int = 1) -> None:
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
            shard_count=shards if shards > 1 else None,
        )
        self.settings = settings
        self.work = Work()
        self.ready = asyncio.Event()
        self.surface = Surface(
            settings=settings,
            service=service,
            records=Records(settings.records, days=settings.record_days),
            cooldowns=Cooldowns(settings.discord_user_rate, 10 * settings.discord_user_rate),
            metrics=Metrics(),
            work=self.work,
            exchanges=Exchanges(),
            presence=Presence(self),
            owners=lambda: owners_of(self.application),
            acknowledging=Acknowledging(),
        )
        self._listener = Listener(self.surface)
        self._connected = False
        self._ready_within = _READY_TIMEOUT + _BETWEEN_SHARDS * (shards - 1)
        self._patience = _DRAIN
        self._finishing: asyncio.Task[None] | None = None
        self.tree = make_tree(self)
        self.add_dynamic_items(*BUTTONS)

    async def setup_hook(self) -> None:
        """Once logged in, before connecting: find the gateway, register the commands."""
        await use_gateway(self.http)
        warn_of_missing_intent(self.settings, self.application)
        registering = self.work.start(register_if_changed(self.tree))
        await asyncio.wait({registering}, timeout=_REGISTERING)
        if not registering.done():
            _log.warning("The commands are not registered yet; Discord lets that wait. All else works.")

    async def on_ready(self) -> None:
        """Say so, the first time."""
        self._connected = True
        if not self.ready.is_set():
            self.ready.set()
            _log.info("Footnote is on Discord as %s; Ctrl-C to stop.", self.user)
        await self._show_status()

    async def on_resumed(self) -> None:
        """Note that the connection is there again, and show what could not be shown meanwhile."""
        self._connected = True
        await self._show_status()

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
        log_failure(f"The event {event_method} could not be dealt with.", sys.exception())
        self.surface.metrics.failed()

    async def _show_status(self) -> None:
        await self.surface.presence.answering_from(await self.surface.service.status())

    def _swapped(self, generation: str) -> None:
        """Show the new index, and ask again what the old one could not answer."""
        if self.work.stopping:
            return
        self.work.start(self._show_status())
        if self.surface.service.damage is None:  # else it is an older one, which had no answer then either
            self.work.start(ask_gaps_again(self.surface, self, generation))

    def _damaged(self, damage: Damage | None) -> None:
        """Show that the index is damaged, or whole again, and tell the admins."""
        if self.work.stopping:
            return
        self.surface.presence.damage = damage
        self.work.start(self._show_status())
        self.work.start(self._tell_admins(damage))

    async def _tell_admins(self, damage: Damage | None) -> None:
        await self.ready.wait()
        await tell_admins(self.surface, self, damage)

    async def _prune(self) -> None:
        """Forget, again and again, what has been kept long enough."""
        while True:
            await asyncio.sleep(_PRUNE_EVERY)
            try:
                await self.surface.records.prune()
            except FootnoteError as error:  # the file is busy or full; the next time will do
                log_failure("What was kept long enough could not be forgotten.", error)

    def is_connected(self) -> bool:
        """Say whether Discord's events reach the bot."""
        return self._connected

    def _missing(self) -> list[str]:
        """Return what is missing before questions can be answered."""
        missing = [] if self.is_connected() else ["the connection to Discord's gateway"]
        damage = self.surface.service.damage
        if damage is not None and not damage.serving:
            missing.append("a generation of the index that is whole")
        return [*missing, "Footnote is stopping"] if self.work.stopping else missing

    def _notes(self) -> list[str]:
        """Return what whoever looks after the bot should know, though questions may be answered."""
        damage = self.surface.service.damage
        return [] if damage is None else [damage.told]

    def _watch_figures(self) -> None:
        watch, service, shown = self.surface.metrics.watch, self.surface.service, self.surface.presence
        watch("queue_length", lambda: service.stats.waiting)
        watch("passages", lambda: shown.status.passages if shown.status else 0)
        watch("articles", lambda: shown.status.articles if shown.status else 0)
        watch("damaged", lambda: service.damage is not None)
        watch("gateway_connected", self.is_connected)
        watch("gateway_latency_seconds", lambda: self.latency)
        self.surface.metrics.count("damaged_generations", lambda: service.stats.damages)
        self.surface.metrics.count("withheld_quotes", lambda: service.stats.withheld)

    async def serve(self, stop: asyncio.Event, *, drain: float | None = None) -> None:
        """Connect and answer until `stop` is set; then finish the answers under way and close.

        `drain` is how many seconds these have, in the place of what the settings say.

        Raises:
            DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
            RecordsError: the file of the records cannot be written.
            DamagedRecordsError: it is damaged, or not ours.
            MissingError: the port for health checks cannot be used.
        """
        token = token_of(self.settings)
        use_api(self.settings.discord_api_url)
        surface = self.surface
        self._patience = self._patience if drain is None else drain
        async with self:
            await surface.records.open()
            try:
                port = self.settings.health_port
                async with health_server(port, surface.metrics, self._missing, self._notes):
                    surface.service.on_swap(self._swapped)
                    surface.service.on_damage(self._damaged)
                    if surface.service.damage is not None:  # before anybody listened
                        self._damaged(surface.service.damage)
                    self._watch_figures()
                    self.work.start(self._prune())
                    await self._connect_until(stop, token)
            finally:
                await self.close()
                await surface.records.close()

    async def _connect_until(self, stop: asyncio.Event, token: str) -> None:
        stopping = asyncio.create_task(stop.wait())
        running = asyncio.create_task(self._run(token))
        told = False
        try:
            await asyncio.wait({stopping, running}, return_when=asyncio.FIRST_COMPLETED)
            told = not running.done()
            if told:
                _log.info("Footnote is stopping.")
                await self.close()
        finally:
            stopping.cancel()
            await _ended(running, told=told)

    async def close(self) -> None:
        """Finish the answers under way, give up the rest, and close the connection."""
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish())
        await asyncio.shield(self._finishing)
        await super().close()

    async def _finish(self) -> None:
        if given_up := await self.work.drain(self._patience):
            _log.warning("%s under way could not be finished.", given_up)

    async def _run(self, token: str) -> None:
        with explained(self.settings):
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await self.login(token)
            connection = asyncio.create_task(self.connect())
            ready = asyncio.create_task(self.ready.wait())
            try:
                both = {connection, ready}
                await asyncio.wait(both, timeout=self._ready_within, return_when=asyncio.FIRST_COMPLETED)
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
    if told:
        await asyncio.gather(running, return_exceptions=True)
        return
    with suppress(asyncio.CancelledError):
        await running


def make_tree(client: discord.Client) -> Tree:
    """Return the tree with every command; a client that only registers them needs no more."""
    tree = Tree(client)
    add_commands(tree)
    return tree
