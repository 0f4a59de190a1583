"""Health checks of the running bot: what they say of the connection, of stopping and of what was answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.discordapp.client import FootnoteClient
from bot.errors import RebuildError
from bot.settings import BotSettings
from index.errors import ArticleError, BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import ImpatientShards, free_port
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to
from tests.bot.discordapp.ways import Asker, until
from tests.wire.loopback import LoopbackDiscord

GATEWAY = "the connection to Discord's gateway"


@dataclass
class Health:
    """Asks the port for health checks."""

    settings: BotSettings
    session: aiohttp.ClientSession

    async def get(self, path: str) -> aiohttp.ClientResponse:
        """Return an answer that has been read."""
        url = f"http://127.0.0.1:{self.settings.health_port}{path}"
        async with self.session.get(url) as answer:
            await answer.read()
            return answer

    async def missing(self) -> list[str]:
        """Return what is missing before questions can be answered."""
        answer = await self.get("/readyz")
        said: dict[str, Any] = await answer.json()
        assert (answer.status, said["ready"]) == ((503, False) if said["missing"] else (200, True))
        return list(said["missing"])

    async def figures(self) -> dict[str, float]:
        """Return the figures by name and labels."""
        text = await (await self.get("/metrics")).text()
        return {
            " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
async def health(bot_settings: MakeBotSettings) -> AsyncIterator[Health]:
    """Choose a port."""
    async with aiohttp.ClientSession() as session:
        yield Health(bot_settings(health_port=free_port()), session)


class Held(FootnoteClient):
    """A client whose next session begins when it is told to."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            await self.go.wait()

    async def setup_hook(self) -> None:
        self.go = asyncio.Event()
        await super().setup_hook()


async def test_ready_is_not_said_before_the_bot_is_connected(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    wire.fault("GET", "/users/@me", delay=30)
    stop = asyncio.Event()
    serving = asyncio.create_task(FootnoteClient(health.settings, service).serve(stop))
    await until(lambda: wire.log.faults[0].times == 0)
    assert await health.missing() == [GATEWAY]
    assert (await health.get("/healthz")).status == 200
    stop.set()
    await asyncio.wait_for(serving, 5)


async def test_ready_is_not_said_while_the_connection_is_lost(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    async with running(health.settings, service, Held) as bot:
        assert await health.missing() == []
        await wire.gateway.invalidate()
        await until(lambda: not bot.is_connected())
        assert await health.missing() == [GATEWAY]
        assert (await health.figures())["footnote_gateway_connected"] == 0
        assert isinstance(bot, Held)
        bot.go.set()
        await until(bot.is_connected)
        assert await health.missing() == []


async def test_ready_is_not_said_while_stopping_and_nothing_after_it(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    client, stop = FootnoteClient(health.settings, service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=3))
    await asyncio.wait_for(client.ready.wait(), 5)
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.log.until(lambda: used.loading, "the acknowledgement")
    stop.set()
    await until(lambda: client.work.stopping)
    assert await health.missing() == ["Footnote is stopping"]
    assert (await health.get("/healthz")).status == 200
    service.open.set()
    await asyncio.wait_for(serving, 5)
    with pytest.raises(aiohttp.ClientConnectionError):
        await health.get("/healthz")


async def test_figures_count_what_was_asked_in_every_way(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    async with running(health.settings, service) as bot:
        asker = await Asker.ready(wire, bot, service)
        await asker.ends()
        figures = await health.figures()
        counted = {"slash": 2, "menu": 1, "follow-up": 1, "mention": 1, "direct": 1}
        assert {way: figures[f"footnote_questions_total related {way}"] for way in counted} == counted
        assert figures["footnote_answer_seconds_count"] == 6  # "Why?" is no question
        assert figures["footnote_gateway_connected"] == 1
        assert (figures["footnote_passages"], figures["footnote_articles"]) == (41, 3)
        assert figures["footnote_errors_total"] == 0


async def test_figures_count_what_was_refused_and_what_failed(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    async with running(health.settings, service):
        for error in (BusyError("full"), RuntimeError("boom")):
            service.error = error
            await answer_to(wire, wire.world.user("ann"))
        for refusal in (None, ArticleError(["a.txt: empty"]), RebuildError("killed")):
            service.rebuild_error = refusal
            await wire.slash("index rebuild", wire.world.owner)
            await wire.log.until(lambda: wire.interactions.all[-1].edits, "the outcome")
            await wire.response_to(wire.interactions.all[-1])
        figures = await health.figures()
    assert figures["footnote_refused_total busy"] == 1
    assert figures["footnote_errors_total"] == 1
    counted = {"done": 1, "refused": 1, "failed": 1}
    assert {outcome: figures[f"footnote_rebuilds_total {outcome}"] for outcome in counted} == counted


async def test_ready_is_said_once_every_shard_is_connected(
    wire: LoopbackDiscord, health: Health, service: FakeService
) -> None:
    wire.shards = 2
    async with running(health.settings, service, ImpatientShards):
        assert await health.missing() == []
        assert (await health.figures())["footnote_gateway_connected"] == 1
