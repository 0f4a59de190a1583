"""The real service on a small index and the real client on a loopback Discord, shared where that is safe."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.discordapp.client import FootnoteClient
from bot.settings import BotSettings
from tests.bot.discordapp.service import ControlledService
from tests.wire.driver import Wire
from tests.wire.gateway import MESSAGE_CONTENT

TOKEN = "MTE0.loopback.s3cret-t0ken"

MakeClient = Callable[[BotSettings, ControlledService], FootnoteClient]


class PromptClient(FootnoteClient):
    """A client that does not wait for five seconds before it identifies again, as Discord asks real ones to."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Go on at once."""


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_for(wire: Wire, **options: Any) -> BotSettings:
    """Load settings that point at a loopback Discord."""
    base = {"discord_token": TOKEN, "discord_api_url": wire.url, "discord_user_rate": 0}
    return BotSettings.load(**base | options)


@dataclass(frozen=True, slots=True)
class Serving:
    """A client that is connected, the event that stops it, and the task that then ends."""

    client: FootnoteClient
    stop: asyncio.Event
    task: asyncio.Task[None]


@asynccontextmanager
async def serving(
    wire: Wire, service: ControlledService, kind: MakeClient = PromptClient, *, drain: float = 2, **options: Any
) -> AsyncIterator[Serving]:
    """Connect a client, and stop it at the end, within a bound; it alone hears of swaps and damage."""
    listeners = service.swap_listeners, service.damage_listeners
    service.swap_listeners, service.damage_listeners = [], []
    client, stop = kind(settings_for(wire, **options), service), asyncio.Event()
    shown = len(wire.gateway.presences)
    task = asyncio.create_task(client.serve(stop, drain=drain))
    ready = asyncio.create_task(wire.log.until(lambda: len(wire.gateway.presences) > shown, "the bot"))
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        await ready
        yield Serving(client, stop, task)
    finally:
        ready.cancel()
        stop.set()
        await asyncio.wait_for(task, 8)
        service.swap_listeners, service.damage_listeners = listeners


@asynccontextmanager
async def running(
    wire: Wire, service: ControlledService, kind: MakeClient = PromptClient, **options: Any
) -> AsyncIterator[FootnoteClient]:
    """Connect a client for as long as the block runs."""
    async with serving(wire, service, kind, **options) as served:
        yield served.client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_service(built: Path) -> AsyncIterator[ControlledService]:
    """Open the index of the small article set, once."""
    settings = BotSettings.model_construct(articles=built / "articles", index=built / ".footnote/index")
    service = ControlledService(settings)
    await service.start()
    yield service
    await service.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_wire(
    shared_service: ControlledService, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Wire]:
    """Start a loopback Discord with the bot connected to it, once."""
    records = tmp_path_factory.mktemp("records") / "records.sqlite"
    async with Wire(TOKEN) as wire, running(wire, shared_service, records=records):
        yield wire


@pytest_asyncio.fixture(loop_scope="session")
async def service(shared_service: ControlledService) -> AsyncIterator[ControlledService]:
    """Give the service as the real one is; what a test does to it ends with the test."""
    shared_service.reset()
    yield shared_service
    shared_service.reset()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_reading_wire(
    shared_service: ControlledService, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Wire]:
    """Start another, where the bot has the message-content intent, once."""
    options = {"records": tmp_path_factory.mktemp("records") / "records.sqlite", "discord_message_content": True}
    async with Wire(TOKEN) as wire:
        wire.gateway.granted = MESSAGE_CONTENT
        async with running(wire, shared_service, **options):
            yield wire


@asynccontextmanager
async def judging(wire: Wire) -> AsyncIterator[Wire]:
    """Use a loopback Discord, and fail for what it forbids and for uses that come to no end."""
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = wire.url, URL(wire.gateway_url)  # of all clients
    wire.log.clear()
    yield wire
    wire.faults.clear()
    judged = [*wire.log.violations, *wire.interactions.unfinished()]
    wire.interactions.all.clear()
    wire.interactions.clock_ahead = 0.0
    wire.messages.typing.clear()
    assert judged == []


@pytest_asyncio.fixture(loop_scope="session")
async def service(shared_service: ControlledService) -> AsyncIterator[ControlledService]:
    """Give the service as the real one is; what a test does to it ends with the test."""
    shared_service.reset()
    yield shared_service
    shared_service.reset()


@pytest_asyncio.fixture(loop_scope="session")
async def wire(shared_wire: Wire, service: ControlledService) -> AsyncIterator[Wire]:
    """Give a loopback Discord to which the bot with default settings is connected."""
    async with judging(shared_wire) as wire:
        yield wire


@pytest_asyncio.fixture(loop_scope="session")
async def reading(shared_reading_wire: Wire, service: ControlledService) -> AsyncIterator[Wire]:
    """Give a loopback Discord to which a bot is connected that may read all messages."""
    async with judging(shared_reading_wire) as wire:
        yield wire


@pytest_asyncio.fixture(loop_scope="session")
async def own_wire(service: ControlledService) -> AsyncIterator[Wire]:
    """Give a loopback Discord of the test's own, to which no bot is connected yet."""
    async with Wire(TOKEN) as server, judging(server) as wire:
        yield wire
