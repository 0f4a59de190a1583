"""A loopback Discord whose rules must not be broken, and the real client connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.discordapp.answering import Answering
from bot.discordapp.client import FootnoteClient
from bot.settings import BotSettings
from index.build import build_index
from index.encoding.encoder import Encoder
from index.settings import IndexSettings
from tests.bot.discordapp.fake_service import FakeService
from tests.graphs import lend_graph
from tests.wire.loopback import LoopbackDiscord

LIT = "The lighthouse at Skerry Point was lit for the first time in 1874."
TOKEN = "MTE0.loopback.s3cret-t0ken"
MakeBotSettings = Callable[..., BotSettings]


@pytest.fixture
async def wire() -> AsyncIterator[LoopbackDiscord]:
    """Start a loopback Discord; whatever the bot did that Discord forbids fails the test."""
    async with LoopbackDiscord(TOKEN) as server:
        yield server
        assert server.log.violations == []
        assert server.interactions.unfinished() == []


@pytest.fixture
def bot_settings(wire: LoopbackDiscord) -> MakeBotSettings:
    """Make settings that point at the loopback Discord."""

    def make(**options: object) -> BotSettings:
        return BotSettings.load(**{"discord_token": TOKEN, "discord_api_url": wire.url, **options})

    return make


@pytest.fixture
def service() -> FakeService:
    """Make a service that answers at once."""
    return FakeService()


@pytest.fixture
def articles(tmp_path: Path, encoder: Encoder, graph_folder: Path) -> Path:
    """Write one article and index it."""
    file = tmp_path / "lighthouse.txt"
    file.write_text(f"The light at Skerry Point\n\n{LIT} It stands 31 metres tall.\n", encoding="utf-8")
    lend_graph(graph_folder, tmp_path / "index")
    build_index(IndexSettings.load(articles=file, index=tmp_path / "index"), encoder=encoder)
    return file


@asynccontextmanager
async def running(
    settings: BotSettings, service: Answering, kind: type[FootnoteClient] = FootnoteClient
) -> AsyncIterator[FootnoteClient]:
    """Connect a client; stop it at the end, within a bound."""
    client, stop = kind(settings, service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=2))
    ready = asyncio.create_task(client.ready.wait())
    try:
        await asyncio.wait({serving, ready}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        assert client.ready.is_set()
        yield client
    finally:
        ready.cancel()
        stop.set()
        await asyncio.wait_for(serving, 8)


@pytest.fixture
async def bot(bot_settings: MakeBotSettings, service: FakeService) -> AsyncIterator[FootnoteClient]:
    """Connect the bot with default settings."""
    async with running(bot_settings(), service) as client:
        yield client
