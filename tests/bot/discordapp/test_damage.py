"""A damaged index, over the wire: who hears of it, where it shows, and what those who ask are told."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import aiohttp
import pytest

from bot.chat.metrics import HOST
from bot.discordapp.client import FootnoteClient
from bot.service.live_index import Damage
from bot.service.service import Service
from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError
from index.storage.manifest import TOKENS, read_pointer
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import free_port, shown
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, title_of
from tests.bot.discordapp.test_presence import presence
from tests.bot.discordapp.ways import no_traceback, until
from tests.bot.services import BOUND
from tests.bot.tampering import damage
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import User
from tests.wire.records import Json
from tests.wire.renderer import render

OLDER = Damage("g-2", "/i/g-2/tokens.i8 is **damaged** @everyone", "g-1")
NONE = Damage("g-2", "/i/g-2/tokens.i8 is damaged.")


async def told(wire: LoopbackDiscord, user: User, count: int = 1, within: float = 3) -> list[Json]:
    """Wait until somebody has been told something in direct messages; return what."""
    where = wire.world.dm(user)
    await wire.log.until(lambda: len(wire.said(where)) >= count, f"a direct message to {user.name}", within)
    return wire.said(where)


async def test_the_admins_are_told_once_by_direct_message_and_again_when_it_is_over(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    ann, bob = wire.world.user("ann"), wire.world.user("bob")
    async with running(bot_settings(discord_admin_users={ann.id, wire.world.owner.id}), service):
        service.find(OLDER)
        for user in (ann, wire.world.owner):
            (message,) = await told(wire, user)
            assert title_of(message) == "The index is damaged"
            text = render(message["embeds"][0]["description"])
            assert OLDER.reason in text.text
            assert "Answers now come from g-1" in text.text
            assert text.constructs == []
        service.find(None)
        for user in (ann, wire.world.owner):
            _, message = await told(wire, user, 2)
            assert title_of(message) == "The index is whole again"
            assert "g-1" in message["embeds"][0]["description"]
    assert wire.said(wire.world.dm(bob)) == []
    assert wire.log.pings == []


async def test_an_admin_who_takes_no_direct_messages_is_named_in_the_log_and_the_others_hear(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ann = wire.world.user("ann")
    async with running(bot_settings(discord_admin_users={ann.id, 4711}), service):
        service.find(NONE)
        await told(wire, ann)
        await told(wire, wire.world.owner)
        await until(lambda: "admin 4711 could not be told" in caplog.text)
        wire.log.violations.clear()  # there is no such user
        answer = await answer_to(wire, ann)
        assert title_of(answer) == "The articles say"
    assert no_traceback(caplog)


@pytest.mark.parametrize(
    ("found", "text", "status"),
    [(OLDER, "Answering from 3 articles, as they were before", 200), (NONE, "The index is damaged", 503)],
)
async def test_presence_status_readiness_and_figures_say_so(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    found: Damage,
    text: str,
    status: int,
) -> None:
    port = free_port()
    async with running(bot_settings(health_port=port), service), aiohttp.ClientSession() as session:
        await presence(wire, "Answering from 3 articles")
        service.find(found)
        await presence(wire, text)
        used = await wire.slash("index status", wire.world.owner)
        (embed,) = (await wire.response_to(used))["embeds"]
        assert found.reason in render(embed["description"]).text
        async with session.get(f"http://{HOST}:{port}/readyz") as answer:
            said = await answer.json()
            assert (answer.status, said["ready"]) == (status, status == 200)
            assert said["notes"] == [found.told]
        async with session.get(f"http://{HOST}:{port}/metrics") as answer:
            figures = await answer.text()
        for line in (
            "footnote_damaged 1.0",
            "footnote_damaged_generations_total 0.0",
            "footnote_withheld_quotes_total 0.0",
        ):
            assert line in figures.splitlines()
        service.find(None)
        await presence(wire, "Answering from 3 articles")
        async with session.get(f"http://{HOST}:{port}/readyz") as answer:
            assert await answer.json() == {"ready": True, "missing": []}


async def test_who_asks_while_nothing_is_whole_is_told_in_plain_words(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild)
    service.error = DamagedIndexError(NONE.told)
    for message in (await answer_to(wire, ann, guild), await mentioned(wire, ann, guild, "Why?")):
        assert title_of(message) == "The index is damaged"
        assert "g-2" not in str(message["embeds"])
        assert "rebuilt" in message["embeds"][0]["description"]
    used = await wire.slash("verify", ann, guild, text="“So it was said.”")
    assert title_of(await wire.response_to(used)) == "The index is damaged"
    assert title_of(answer) == "The articles say"
    assert b'footnote_refused_total{why="damaged"} 3.0' in bot.surface.metrics.text()
    assert b"footnote_errors_total 0.0" in bot.surface.metrics.text()
    assert no_traceback(caplog)


async def test_damage_that_was_found_before_anybody_listened_is_told_of(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    service.damage = OLDER
    async with running(bot_settings(), service):
        (message,) = await told(wire, wire.world.owner)
        assert title_of(message) == "The index is damaged"
        assert shown(wire.gateway.presences[-1]).endswith("as they were before")


async def test_damage_that_is_found_while_stopping_is_told_to_nobody(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService
) -> None:
    bot.work.stopping = True
    service.find(OLDER)
    await asyncio.sleep(0.1)
    assert wire.said(wire.world.dm(wire.world.owner)) == []


async def test_what_was_withheld_stands_in_the_status(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service):
        used = await wire.slash("index status", wire.world.owner)
        (embed,) = (await wire.response_to(used))["embeds"]
        assert "withheld" not in str(embed)
        service.figures = dataclasses.replace(service.figures, withheld=3)
        used = await wire.slash("index status", wire.world.owner)
        (embed,) = (await wire.response_to(used))["embeds"]
        assert embed["fields"][-1]["name"] == "withheld"
        assert embed["fields"][-1]["value"].startswith("3 quotes")


async def test_damage_under_a_real_service_is_answered_around_and_its_owner_is_told(
    wire: LoopbackDiscord, articles: Path, bot_settings: MakeBotSettings, encoder: Encoder
) -> None:
    settings = bot_settings(articles=articles, index=articles.parent / "index")
    first = read_pointer(settings.index).generation
    articles.write_text(f"{articles.read_text(encoding='utf-8')}\nIt is white.\n", encoding="utf-8")
    second = build_index(settings, encoder=encoder).generation
    service = Service(settings)
    await service.start()
    try:
        async with running(settings, service):
            owner = wire.world.owner
            damage(settings.index / second / TOKENS)
            used = await wire.slash("ask", owner, question="When was the lighthouse first lit?")
            assert title_of(await wire.response_to(used)) == "The articles say"
            (message,) = await told(wire, owner)
            text = render(message["embeds"][0]["description"]).text
            assert second in text
            assert first in text
            used = await wire.slash("index rebuild", owner)
            _, message = await told(wire, owner, 2, within=BOUND)
            assert title_of(message) == "The index is whole again"
            assert (await service.status()).generation in message["embeds"][0]["description"]
            await wire.log.until(lambda: used.edits and title_of(used.edits[-1]).endswith("done"), "its end")
    finally:
        await service.close()
