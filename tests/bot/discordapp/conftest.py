"""A bot that answers from a small index on a loopback Discord; shared between tests where that is safe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.settings import BotSettings
from tests.bot.discordapp.chat import TOKEN, Chat
from tests.bot.discordapp.service import StagedService
from tests.wire.gateway import MESSAGE_CONTENT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in the event loop of the clients that they share."""
    for item in items:
        if item.path.parent == Path(__file__).parent and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_service(built: Path) -> AsyncIterator[StagedService]:
    """Open the index of the small article set, once."""
    settings = BotSettings.model_construct(articles=built / "articles", index=built / ".footnote/index")
    service = StagedService(settings)
    await service.start()
    yield service
    await service.close()


@asynccontextmanager
async def _connected(
    service: StagedService, folder: pytest.TempPathFactory, granted: int = 0, **options: Any
) -> AsyncIterator[Chat]:
    """Start a loopback Discord and connect a bot."""
    async with Chat(TOKEN) as chat:
        chat.service, chat.gateway.granted = service, granted
        async with chat.bot(drain=0.1, records=folder.mktemp("records") / "records.sqlite", **options):
            yield chat


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_chat(
    shared_service: StagedService, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Chat]:
    """Connect a bot with default settings, once."""
    async with _connected(shared_service, tmp_path_factory) as chat:
        yield chat


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_reading(
    shared_service: StagedService, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Chat]:
    """Connect a bot with the message-content intent, once."""
    options = {"granted": MESSAGE_CONTENT, "discord_message_content": True}
    async with _connected(shared_service, tmp_path_factory, **options) as chat:
        yield chat


@asynccontextmanager
async def _judged(chat: Chat, service: StagedService) -> AsyncIterator[Chat]:
    """Start in a new server; fail for what Discord forbids and for interactions left unfinished."""
    # discord.py keeps these on its classes, so all clients of a process have the same
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = chat.url, URL(chat.gateway_url)
    service.reset()
    chat.log.clear()
    await chat.begin(service)
    yield chat
    service.reset()
    problems = [*chat.log.violations, *chat.interactions.unfinished()]
    chat.faults.clear()
    chat.interactions.all.clear()
    chat.interactions.clock_ahead = 0.0
    chat.messages.typing.clear()
    chat.messages.refused.clear()
    assert problems == []


@pytest_asyncio.fixture(loop_scope="session")
async def chat(shared_chat: Chat, shared_service: StagedService) -> AsyncIterator[Chat]:
    """Return a loopback Discord on which a bot with default settings is connected."""
    async with _judged(shared_chat, shared_service) as chat:
        yield chat


@pytest_asyncio.fixture(loop_scope="session")
async def reading(shared_reading: Chat, shared_service: StagedService) -> AsyncIterator[Chat]:
    """Return a loopback Discord on which a bot with the message-content intent is connected."""
    async with _judged(shared_reading, shared_service) as chat:
        yield chat


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(shared_service: StagedService) -> AsyncIterator[Chat]:
    """Return a new loopback Discord, to which no bot is connected yet."""
    async with Chat(TOKEN) as own, _judged(own, shared_service) as chat:
        yield chat
