"""The loopback Discord with a bot on it, and the actions that the tests of all features share."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from bot.discordapp.client import FootnoteClient
from bot.service.service import Service
from bot.settings import BotSettings
from tests.bot.discordapp import texts
from tests.bot.discordapp.service import LAMP, StagedService
from tests.wire.driver import Where, Wire
from tests.wire.entities import Guild, Message, User
from tests.wire.interactions import Interaction

__all__ = [
    "TOKEN", "WAYS", "Bot", "Chat", "PromptClient", "eventually", "free_port", "no_traceback", "settle",
    "until",
]  # fmt: skip

TOKEN = "MTE0.loopback.s3cret-t0ken"

MakeClient = Callable[[BotSettings, Mapping[str, Service]], FootnoteClient]
_T = TypeVar("_T")


class PromptClient(FootnoteClient):
    """A client that identifies again at once; discord.py waits five seconds before that."""

    async def before_session_hook(self, refused: int) -> None:
        """Do not wait for longer after each refusal."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A connected client, the event that stops it, and the task that serves."""

    client: FootnoteClient
    stop: asyncio.Event
    serving: asyncio.Task[None]


class Chat(Wire):
    """A loopback Discord with a server, two members, and the service of its bot.

    Unless a test says otherwise, it is ann who acts, in the first channel of the server.
    """

    service: StagedService
    guild: Guild
    ann: User
    bob: User

    async def begin(self, service: StagedService) -> None:
        """Make a new server with its members."""
        self.service = service
        self.guild, self.ann, self.bob = await self.server("ann", "bob")

    def settings(self, **options: Any) -> BotSettings:
        """Return settings for a bot here; by default without rate limits."""
        defaults = {"discord_token": self.token, "discord_api_url": self.url, "discord_user_rate": 0}
        return BotSettings.load(**defaults | options)

    @asynccontextmanager
    async def bot(
        self, make: MakeClient = PromptClient, *, drain: float = 2, **options: Any
    ) -> AsyncIterator[Bot]:  # fmt: skip
        """Connect a client for as long as the block runs; staged swaps and damage are its alone."""
        listeners = self.service.swap_listeners, self.service.damage_listeners
        self.service.swap_listeners, self.service.damage_listeners = [], []
        client, stop = make(self.settings(**options), {"": self.service}), asyncio.Event()
        before = len(self.gateway.presences)
        serving = asyncio.create_task(client.serve(stop, drain=drain))
        ready = asyncio.create_task(self.log.until(lambda: len(self.gateway.presences) > before, "the bot"))
        try:
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
            await ready
            yield Bot(client, stop, serving)
        finally:
            ready.cancel()
            self.service.open.set()
            stop.set()
            await asyncio.wait_for(serving, 8)
            self.service.swap_listeners, self.service.damage_listeners = listeners

    async def use(
        self, command: str, user: User | None = None, where: Where | None = None, **options: Any
    ) -> Message:
        """Use a command; return the response."""
        return await self.answer(await self.slash(user or self.ann, command, where or self.guild, **options))

    async def ask(
        self, question: str = LAMP, user: User | None = None, where: Where | None = None, **options: Any
    ) -> Message:
        """Ask by command; return the answer."""
        return await self.use("ask", user, where, question=question, **options)

    async def mention(
        self, question: str = LAMP, user: User | None = None, where: Where | None = None,
        to: Message | None = None,
    ) -> Message:  # fmt: skip
        """Ask in a message that mentions the bot; return the reply."""
        text = f"{self.world.bot.mention} {question}"
        return await self.reply(await self.say(user or self.ann, where or self.guild, text, to))

    async def direct(
        self, question: str = LAMP, user: User | None = None, to: Message | None = None
    ) -> Message:
        """Ask in a direct message; return the reply."""
        return await self.reply(await self.say(user or self.ann, user or self.ann, question, to))

    async def use_menu(self, name: str, message: str | Message, user: User | None = None) -> Message:
        """Use a command in the context menu of a message, or of a new one with this text."""
        if isinstance(message, str):
            message = await self.say(self.bob, self.guild, message, webhook=True)
        return await self.answer(await self.menu(user or self.ann, name, message))

    async def click(self, message: Message, label: str, user: User | None = None) -> Message:
        """Press a button; return the response."""
        use = await self.press(user or self.ann, message, label)
        if label == texts.HELPERS:  # which edits its message, and has a notice as a follow-up
            return (await self.log.until(lambda: use.followups, f"a notice after {label}"))[-1]
        return await self.answer(use)

    async def fill_in(self, message: Message, label: str, text: str, user: User | None = None) -> Message:
        """Press a button that opens a modal, and submit it with this text; return the response."""
        use = await self.press(user or self.ann, message, label)
        values = (None, text) if label == texts.NOT_HELPFUL else (text,)
        return await self.answer(await self.submit(use, *values))

    async def follow_up(self, message: Message, question: str, user: User | None = None) -> Message:
        """Ask a follow-up with the button of an answer."""
        return await self.fill_in(message, texts.FOLLOW_UP, question, user)

    async def configure(self, command: str, guild: Guild | None = None, **options: Any) -> Message:
        """Use a /settings command as the owner of the server."""
        guild = guild or self.guild
        return await self.use(f"settings {command}", guild.owner, guild, **options)

    async def gaps(self, count: int, guild: Guild | None = None, **options: Any) -> str:
        """Return the text of /gaps list once it has so many questions; they are recorded after the answer."""
        guild = guild or self.guild

        async def list_gaps() -> str:
            return (await self.use("gaps list", guild.owner, guild, **options)).text

        return await eventually(list_gaps, lambda text: text.count("<t:") == count)

    async def ended(self, rebuild: Interaction) -> Message:
        """Wait for the end of a rebuild."""
        titles = (texts.REBUILT, texts.REBUILD_FAILED, texts.OTHER_REBUILD, texts.GIVEN_UP)
        await self.log.until(lambda: rebuild.outcome and rebuild.outcome.title in titles, "the end", 60)
        assert rebuild.outcome is not None
        return rebuild.outcome


WAYS: dict[str, Callable[[Chat, str], Awaitable[Message]]] = {
    "command": lambda chat, question: chat.ask(question),
    "mention": lambda chat, question: chat.mention(question),
    "menu": lambda chat, question: chat.use_menu(texts.ANSWER_THIS, question),
    "direct": lambda chat, question: chat.direct(question),
}
"""The ways of asking that do not need an earlier answer."""


async def eventually(read: Callable[[], Awaitable[_T]], condition: Callable[[_T], object]) -> _T:
    """Read until the condition holds, for what the bot does after it has answered."""
    async with asyncio.timeout(5):
        while not condition(value := await read()):  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.005)
    return value


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that is not visible on the wire."""

    async def check() -> object:
        return condition()

    await eventually(check, bool)


async def settle() -> None:
    """Give the bot time to note what it has posted, which it does once Discord has confirmed it."""
    await asyncio.sleep(0.03)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def no_traceback(caplog: pytest.LogCaptureFixture) -> bool:
    """Return whether no traceback was logged, including those of tasks that nobody awaited."""
    gc.collect()
    messages = [record.getMessage() for record in caplog.records if record.exc_info]
    logging.getLogger(__name__).info("tracebacks: %s", messages)
    return not messages
