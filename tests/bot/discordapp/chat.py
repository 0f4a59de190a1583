"""People who use the bot on a loopback Discord, in the ways that the tests of all features share."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from bot.discordapp.client import FootnoteClient
from bot.settings import BotSettings
from tests.bot.discordapp import phrases as say
from tests.bot.discordapp.service import LAMP, StagedService
from tests.wire.driver import Where, Wire
from tests.wire.interactions import Interaction
from tests.wire.world import Guild, Message, User

__all__ = [
    "TOKEN",
    "WAYS",
    "Bot",
    "Chat",
    "PromptClient",
    "eventually",
    "free_port",
    "no_traceback",
    "settle",
]
__all__ += ["until"]

TOKEN = "MTE0.loopback.s3cret-t0ken"

MakeClient = Callable[[BotSettings, StagedService], FootnoteClient]
_T = TypeVar("_T")


class PromptClient(FootnoteClient):
    """A client that does not wait for five seconds before it identifies again, as Discord asks real ones to."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Go on at once."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A connected client, the event that stops it, and the task that then ends."""

    client: FootnoteClient
    stop: asyncio.Event
    serving: asyncio.Task[None]


class Chat(Wire):
    """A loopback Discord with a server, two members of it, and the service that the bot there answers from."""

    service: StagedService
    guild: Guild
    ann: User
    bob: User

    async def begin(self, service: StagedService) -> None:
        """Make a new server with its members."""
        self.service = service
        self.guild, self.ann, self.bob = await self.server("ann", "bob")

    def settings(self, **options: Any) -> BotSettings:
        """Load settings that point here; nobody is limited by default."""
        base = {"discord_token": self.token, "discord_api_url": self.url, "discord_user_rate": 0}
        return BotSettings.load(**base | options)

    @asynccontextmanager
    async def bot(
        self, kind: MakeClient = PromptClient, *, drain: float = 2, **options: Any
    ) -> AsyncIterator[Bot]:  # fmt: skip
        """Connect a client for as long as the block runs; it alone hears of swaps and damage."""
        listeners = self.service.swap_listeners, self.service.damage_listeners
        self.service.swap_listeners, self.service.damage_listeners = [], []
        client, stop = kind(self.settings(**options), self.service), asyncio.Event()
        shown = len(self.gateway.presences)
        serving = asyncio.create_task(client.serve(stop, drain=drain))
        ready = asyncio.create_task(self.log.until(lambda: len(self.gateway.presences) > shown, "the bot"))
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

    # Ways of asking; without more, ann does it in the server's first channel

    async def use(
        self, command: str, user: User | None = None, where: Where | None = None, **more: Any
    ) -> Message:
        """Use a command, and return what it shows."""
        return await self.answer(await self.slash(user or self.ann, command, where or self.guild, **more))

    async def ask(
        self, question: str = LAMP, user: User | None = None, where: Where | None = None, **more: Any
    ) -> Message:
        """Ask with the command."""
        return await self.use("ask", user, where, question=question, **more)

    async def mention(
        self, question: str = LAMP, user: User | None = None, where: Where | None = None, to: Message | None = None
    ) -> Message:  # fmt: skip
        """Ask in a message that mentions the bot."""
        text = f"{self.world.bot.mention} {question}"
        return await self.reply(await self.say(user or self.ann, where or self.guild, text, to))

    async def direct(
        self, question: str = LAMP, user: User | None = None, to: Message | None = None
    ) -> Message:
        """Ask in a direct message."""
        return await self.reply(await self.say(user or self.ann, user or self.ann, question, to))

    async def menu_of(self, name: str, text: str | Message, user: User | None = None) -> Message:
        """Use an entry of the menu of a message, or of one that somebody writes now."""
        message = await self.say(self.bob, self.guild, text, webhook=True) if isinstance(text, str) else text
        return await self.answer(await self.menu(user or self.ann, name, message))

    async def press_on(self, message: Message, label: str, user: User | None = None) -> Message:
        """Press a button, and return what that is answered with."""
        used = await self.press(user or self.ann, message, label)
        if label == say.HELPERS:  # which changes its own message, and says so beside it
            return (await self.log.until(lambda: used.followups, f"a notice after {label}"))[-1]
        return await self.answer(used)

    async def fill(self, message: Message, label: str, text: str, user: User | None = None) -> Message:
        """Press a button that opens a form, and send the form with this text."""
        return await self.answer(await self.submit(await self.press(user or self.ann, message, label), text))

    async def follow(self, message: Message, question: str, user: User | None = None) -> Message:
        """Ask a follow-up in the form that the button opens."""
        return await self.fill(message, say.FOLLOW_UP, question, user)

    # What managers and the owner do

    async def set_to(self, command: str, guild: Guild | None = None, **options: Any) -> Message:
        """Use a /settings command as the server's owner."""
        guild = guild or self.guild
        return await self.use(f"settings {command}", guild.owner, guild, **options)

    async def gaps(self, count: int, guild: Guild | None = None, **options: Any) -> str:
        """Return the text of /gaps list once it has so many questions: they are kept after the answer."""
        guild = guild or self.guild

        async def listed() -> str:
            return (await self.use("gaps list", guild.owner, guild, **options)).text

        return await eventually(listed, lambda text: text.count("<t:") == count)

    async def ended(self, rebuild: Interaction) -> Message:
        """Wait for the end of a rebuild."""
        ends = (say.REBUILT, say.REBUILD_FAILED, say.OTHER_REBUILD, say.GIVEN_UP)
        await self.log.until(lambda: rebuild.outcome and rebuild.outcome.title in ends, "the end", 60)
        assert rebuild.outcome is not None
        return rebuild.outcome


WAYS: dict[str, Callable[[Chat, str], Awaitable[Message]]] = {
    "command": lambda chat, question: chat.ask(question),
    "mention": lambda chat, question: chat.mention(question),
    "menu": lambda chat, question: chat.menu_of(say.ANSWER_THIS, question),
    "direct": lambda chat, question: chat.direct(question),
}
"""Ways of asking that need no answer before."""


async def eventually(read: Callable[[], Awaitable[_T]], holds: Callable[[_T], object]) -> _T:
    """Read again and again until what is read holds; for what the bot does after it has answered."""
    async with asyncio.timeout(5):
        while not holds(found := await read()):
            await asyncio.sleep(0.005)
    return found


async def until(look: Callable[[], object]) -> None:
    """Wait until something holds that the wire does not tell of."""

    async def read() -> object:
        return look()

    await eventually(read, bool)


async def settle() -> None:
    """Let the bot take note of what it has posted, which it does once Discord has said so."""
    await asyncio.sleep(0.03)


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def no_traceback(caplog: pytest.LogCaptureFixture) -> bool:
    """Say whether no traceback was logged, also none of a task that nobody awaited."""
    gc.collect()
    found = [record.getMessage() for record in caplog.records if record.exc_info]
    logging.getLogger(__name__).info("tracebacks: %s", found)
    return not found
