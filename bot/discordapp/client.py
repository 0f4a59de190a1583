"""`footnote discord`: the client with the events that it handles, and how it starts and stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.chat.asking import Assistant, log_failure
from bot.chat.logs import set_up_logging
from bot.chat.metrics import health_server
from bot.chat.tasks import stopping_on_signal
from bot.credentials import exposed_files
from bot.discordapp.buttons import BUTTONS, FOLLOW_UP_FORM, REASON_FORM, is_known, take_reason
from bot.discordapp.connection import LOGIN_TIMEOUT, explained, register, shorten_tracebacks, token_of
from bot.discordapp.context import (
    LOST,
    UNREADABLE,
    RefusedError,
    Surface,
    described,
    is_ours,
    place_of,
)
from bot.discordapp.delivery import handling
from bot.discordapp.endpoint import server_name, use_api, use_gateway
from bot.discordapp.index_commands import IndexCommands, alert_operators
from bot.discordapp.markdown import without_markup
from bot.discordapp.messages import Listener, tell_channel
from bot.discordapp.question_commands import answer_this, ask, check_this, take_follow_up, verify
from bot.discordapp.rebuilding import show_presence
from bot.discordapp.record_commands import GapCommands, PrivacyCommands, SettingsCommands
from bot.discordapp.source_commands import SourceCommands, SourceNews
from bot.service.schedule import Schedule, oldest_refresh, state_of

if TYPE_CHECKING:
    from bot.service.live_index import Damage
    from bot.service.service import Service
    from bot.service.services import Services
    from bot.settings import BotSettings

__all__ = ["FootnoteClient", "make_tree", "run"]

_DRAIN = 20.0  # seconds that answers under way have when the bot stops
_READY_TIMEOUT = 120.0  # discord.py identifies one shard in five seconds
_REGISTERING = 15.0  # seconds that connecting waits for commands to be registered; a rate limit lasts longer
_GUILD_GAP = 0.2  # discord.py calls itself ready once no server was announced for this long
_log = logging.getLogger(__name__)


def run(settings: BotSettings, services: Services) -> None:
    """Start the services, and answer on Discord until SIGTERM or Ctrl-C; then finish the answers under way.

    A second signal ends the process.

    Raises:
        DiscordRefusedError: there is no token, or Discord cannot be reached or refuses the bot.
        FootnoteError: there is no index, it is damaged, or there is no model.
    """
    handler = set_up_logging(settings, libraries=("discord", "aiohttp", "asyncio"))
    handler.addFilter(shorten_tracebacks)
    for line in exposed_files(settings):
        _log.warning("%s", line)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_until_signalled(settings, services))


async def _serve_until_signalled(settings: BotSettings, services: Services) -> None:
    token_of(settings)  # before the encoder is loaded, which takes a while
    stop = asyncio.Event()
    with stopping_on_signal(stop):
        try:
            await services.start()
            gc.freeze()  # what is loaded now stays, so no collection need walk it again
            if not stop.is_set():
                await FootnoteClient(settings, services).serve(stop)
        finally:
            await services.close()


class _Tree(app_commands.CommandTree[Any]):
    """The commands; a failure that a handler has not dealt with is told to the user here."""

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            error = RefusedError((await place_of(interaction)).messages.notice("command_changed"))
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        async with handling(interaction):
            raise cause


def make_tree(client: discord.Client) -> app_commands.CommandTree[Any]:
    """Return the tree of all commands; a client that only registers them needs nothing more."""
    tree = _Tree(client)
    groups = (IndexCommands(), SourceCommands(), SettingsCommands(), GapCommands(), PrivacyCommands())
    commands: list[Any] = [ask, answer_this, verify, check_this, *groups]
    for command in commands:
        tree.add_command(command)
    return tree


class FootnoteClient(Surface):
    """Answers commands, buttons, mentions and direct messages from the service.

    The only privileged intent is that for message content, where the settings ask for it: mentions and
    direct messages come with their content anyway.
    """

    def __init__(self, settings: BotSettings, services: Mapping[str, Service]) -> None:
        """Take the started services by collection."""
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        content = settings.discord_message_content
        super().__init__(
            intents=discord.Intents(
                guilds=True, guild_messages=True, dm_messages=True, message_content=content
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            guild_ready_timeout=_GUILD_GAP,
        )
        self.settings, self.assistant = settings, Assistant(settings, services, without_markup)
        self.ready = asyncio.Event()
        self.tree = make_tree(self)
        self._listener = Listener(self.assistant)
        self._drain_seconds, self._patience = _DRAIN, asyncio.timeout(None)
        self._draining: asyncio.Task[None] | None = None
        self.add_dynamic_items(*BUTTONS)

    async def setup_hook(self) -> None:
        """After login, before connecting: find the gateway, register the commands."""
        await use_gateway(self.http)
        registering = self.assistant.tasks.start(self._register())
        await asyncio.wait({registering}, timeout=_REGISTERING)

    async def _register(self) -> None:
        """Register the commands; without them, mentions and direct messages still work."""
        try:
            changed = await register(self.tree, self.settings)
        except (*LOST, *UNREADABLE, discord.DiscordException) as error:
            _log.error("The commands could not be registered with %s: %s", server_name(), described(error))
        else:
            _log.info("The commands %s.", "were registered" if changed else "are up to date")

    def is_connected(self) -> bool:
        """Return whether the events of all servers reach the bot."""
        return self.ready.is_set() and not any(shard.is_closed() for shard in self.shards.values())

    async def on_ready(self) -> None:
        """Say so, the first time."""
        if not self.ready.is_set():
            self.ready.set()
            self._patience.reschedule(None)
            _log.info("Footnote is on %s as %s; Ctrl-C to stop.", server_name(), self.user)
        await show_presence(self)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Show what could not be shown while disconnected."""
        await super().on_shard_resumed(shard_id)
        await show_presence(self)

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is asked of the bot."""
        if self.user is not None:
            await self._listener.on_message(message, self.user.id)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Answer forms, and buttons of an older version; discord.py dispatches commands and known buttons."""
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        is_form = interaction.type is discord.InteractionType.modal_submit
        form = custom_id.partition(".")[0]
        if is_form and form == FOLLOW_UP_FORM:
            await take_follow_up(interaction)
        elif is_form and form == REASON_FORM:
            await take_reason(interaction)
        elif is_form or (interaction.type is discord.InteractionType.component and not is_known(custom_id)):
            async with handling(interaction) as place:
                raise RefusedError(place.messages.notice("old_button"))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget a server that the bot was removed from."""
        await self.assistant.records.leave(guild.id)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Log what goes wrong in an event; discord.py would write a traceback beside the log."""
        error = sys.exception()
        log_failure(f"The event {event_method} failed.", error, ours=is_ours(error))
        self.assistant.metrics.errors.inc()

    def _swapped(self, collection: str, generation: str) -> None:
        """Show the new index, and ask again what the old one could not answer."""
        tasks, assistant = self.assistant.tasks, self.assistant
        if not tasks.stopping:
            tasks.start(show_presence(self))
            if assistant.services[collection].damage is None:  # else it is older, and had no answer either
                tasks.start(assistant.ask_gaps_again(collection, generation, partial(tell_channel, self)))

    def _damaged(self, collection: str, damage: Damage | None) -> None:
        """Show that the index is damaged, or whole again, and tell the operators once connected."""

        async def alert() -> None:
            await self.ready.wait()
            await alert_operators(self, collection, damage)

        tasks = self.assistant.tasks
        self.assistant.metrics.damages.inc(damage is not None)
        if not tasks.stopping:
            tasks.start(show_presence(self))
            tasks.start(alert())

    def _missing(self) -> list[str]:
        """Return what keeps questions from being answered, for /readyz."""
        here = [] if self.is_connected() else ["the connection to Discord's gateway"]
        return here + self.assistant.missing()

    async def serve(self, stop: asyncio.Event, *, drain: float = _DRAIN) -> None:
        """Connect and answer until `stop` is set; then finish answers within `drain` seconds, and close.

        Raises:
            DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
            RecordsError: the file of the records cannot be written.
            DamagedRecordsError: it is damaged, or not ours.
            MissingError: the port for health checks cannot be used.
        """
        token, self._drain_seconds = token_of(self.settings), drain
        use_api(self.settings.discord_api_url)
        records, metrics, services = self.assistant.records, self.assistant.metrics, self.assistant.services
        schedules = {name: Schedule(service, SourceNews(self, name)) for name, service in services.items()}
        metrics.watch("gateway_connected", self.is_connected)
        metrics.watch("gateway_latency_seconds", lambda: self.latency)
        metrics.watch("source_refresh_age_seconds", lambda: oldest_refresh(schedules.values()))
        async with self:
            await records.open()
            try:
                port, notes = self.settings.health_port, self.assistant.notes
                state = partial(state_of, schedules)
                async with health_server(port, metrics, self._missing, notes, state):
                    for name, service in services.items():
                        self._follow(name, service)
                    self.assistant.tasks.start(self.assistant.prune())
                    for schedule in schedules.values():
                        self.assistant.tasks.start(schedule.run())
                    await self._run_until(stop, token)
            finally:
                await self.close()
                await records.close()

    def _follow(self, collection: str, service: Service) -> None:
        """Hear of the swaps and the damage of a collection's index."""
        service.on_swap(partial(self._swapped, collection))
        service.on_damage(partial(self._damaged, collection))
        if service.damage is not None:  # found before anybody listened
            self._damaged(collection, service.damage)

    async def _run_until(self, stop: asyncio.Event, token: str) -> None:
        stopping = asyncio.create_task(stop.wait())
        running = asyncio.create_task(self._run(token))
        try:
            await asyncio.wait({stopping, running}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            else:
                _log.info("Footnote is stopping.")
                await self.close()
        finally:
            stopping.cancel()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self, token: str) -> None:
        with explained(self.settings):
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await self.login(token)
            async with asyncio.timeout(_READY_TIMEOUT) as self._patience:  # `on_ready` lifts it
                await self.connect()

    async def close(self) -> None:
        """Finish the answers under way, cancel the rest, and close the connection; safe to call twice."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        await asyncio.shield(self._draining)
        await super().close()

    async def _drain(self) -> None:
        if cancelled := await self.assistant.tasks.drain(self._drain_seconds):
            _log.warning("Tasks that could not be finished: %s", cancelled)
