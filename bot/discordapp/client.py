"""The connection to Discord: what the bot listens to, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import discord

from bot.discordapp.answering import Answering
from bot.discordapp.commands import Tree, add_commands
from bot.discordapp.connection import LOGIN_TIMEOUT, explained, make_quiet, token_of
from bot.discordapp.endpoint import use_api, use_gateway
from bot.discordapp.messages import answer_message, question_in
from bot.discordapp.permissions import owners_of
from bot.discordapp.registration import register_if_changed
from bot.discordapp.talk import Surface
from bot.discordapp.work import Work
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings

__all__ = ["DRAIN", "FootnoteClient", "serve", "serve_until_signalled"]

DRAIN = 20.0
"""How long stopping waits for the answers under way."""
_READY_TIMEOUT = 60.0
_GUILD_GAP = 0.2  # discord.py calls itself ready once no server was announced for this long

_log = logging.getLogger(__name__)


class FootnoteClient(discord.Client):
    """Answers commands, mentions and direct messages from the service.

    Only unprivileged intents are asked for: Discord delivers the content of mentions and direct messages
    without the message-content intent.
    """

    def __init__(self, settings: BotSettings, service: Answering) -> None:
        make_quiet()
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            guild_ready_timeout=_GUILD_GAP,
        )
        self.settings = settings
        self.work = Work()
        self.ready = asyncio.Event()
        self.surface = Surface(settings, service, self.work, lambda: owners_of(self.application))
        self.tree = Tree(self)
        add_commands(self.tree, self.surface)

    async def setup_hook(self) -> None:
        """Once logged in, before connecting: find the gateway, register the commands."""
        await use_gateway(self.http)
        await register_if_changed(self.tree)

    async def on_ready(self) -> None:
        """Say so, the first time."""
        if not self.ready.is_set():
            self.ready.set()
            _log.info("Footnote is on Discord as %s; Ctrl-C to stop.", self.user)

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is asked of the bot."""
        question = question_in(message, self.user.id) if self.user is not None else None
        if question is not None:
            await answer_message(self.surface, message, question)

    async def serve(self, stop: asyncio.Event, *, drain: float = DRAIN) -> None:
        """Connect and answer until `stop` is set; then finish the answers under way and close.

        Raises:
            DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
        """
        token = token_of(self.settings)
        use_api(self.settings.discord_api_url)
        async with self:
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
                await _ended(running, told=told)

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


async def serve(settings: BotSettings, service: Answering, stop: asyncio.Event) -> None:
    """Answer on Discord from a started service until `stop` is set.

    Raises:
        DiscordRefusedError: Discord cannot be reached, refuses the bot, or stops accepting it.
    """
    await FootnoteClient(settings, service).serve(stop)


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
