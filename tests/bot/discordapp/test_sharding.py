"""As many connections as Discord asks for: the bot answers on each of them, and stops on all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.discordapp import starting
from bot.discordapp.client import FootnoteClient
from bot.discordapp.starting import ShardedFootnoteClient, serve
from bot.errors import DiscordRefusedError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import ImpatientShards, free_port, shown
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, mentioned
from tests.bot.discordapp.ways import no_traceback, until
from tests.wire.loopback import LoopbackDiscord


class Noted(ImpatientShards):
    """Tells what it was made with."""

    made: list[int] = []  # noqa: RUF012 -- of the class, which a test empties

    def __init__(self, settings: Any, service: Any, shards: int) -> None:
        self.made.append(shards)
        super().__init__(settings, service)


async def test_serving_uses_as_many_connections_as_discord_asks_for(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "ShardedFootnoteClient", Noted)
    Noted.made.clear()
    wire.shards = 2
    guilds = [wire.guild_on(0), wire.guild_on(1)]
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(bot_settings(), service, stop))
    await wire.connected()
    await wire.log.until(lambda: len(wire.gateway.presences) >= 2, "the presence on both")
    assert [one["shard"] for one in wire.gateway.identifies] == [[0, 2], [1, 2]]
    assert Noted.made == [2]
    for guild in guilds:
        assert (await mentioned(wire, guild.owner, guild))["embeds"]
        assert (await answer_to(wire, guild.owner, guild))["embeds"]
    assert (await answer_to(wire, guilds[1].owner))["embeds"]  # direct messages are the first one's
    stop.set()
    await asyncio.wait_for(serving, 5)
    await wire.log.until(lambda: not any(one.socket for one in wire.gateway.sessions), "both to close")
    assert no_traceback(caplog)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"status": 404},
        {"status": 200, "body": b"<html>", "content_type": "text/html"},
        {"status": 200, "body": b'{"shards": "2", "url": "", "session_start_limit": {}}'},
        {"status": 200, "body": b'{"shards": 0, "url": "", "session_start_limit": {}}'},
    ],
)
async def test_one_connection_is_used_where_discord_asks_for_no_more(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    answer: dict[str, Any] | None,
) -> None:
    if answer is not None:
        wire.fault("GET", "/gateway/bot$", times=5, **answer)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(bot_settings(), service, stop))
    await wire.connected()
    assert (await answer_to(wire, wire.world.user("ann")))["embeds"]
    assert "shard" not in wire.gateway.identifies[0]
    stop.set()
    await asyncio.wait_for(serving, 5)


async def test_stopping_does_not_wait_for_the_number_of_connections(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.fault("GET", "/gateway/bot$", status=404, delay=30)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(bot_settings(), service, stop))
    await until(lambda: wire.log.faults[0].times == 0)
    stop.set()
    await asyncio.wait_for(serving, 5)
    assert wire.gateway.connections == []


async def test_the_presence_is_shown_and_changed_on_every_connection(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.shards = 2
    async with running(bot_settings(), service, ImpatientShards) as bot:
        await wire.log.until(lambda: len(wire.gateway.presences) == 2, "the presence on both")
        async with bot.surface.presence.rebuilding():
            await wire.log.until(lambda: len(wire.gateway.presences) == 4, "the rebuild on both")
            assert {shown(one) for one in wire.gateway.presences[2:]} == {"Rebuilding the index"}


async def test_one_lost_connection_of_two_is_made_anew_and_the_bot_is_not_ready_meanwhile(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire.shards = 2
    async with running(bot_settings(), service, ImpatientShards) as bot:
        guild = wire.guild_on(1)
        await wire.gateway.announce(guild)
        assert bot.is_connected()
        first, second = wire.gateway.sessions
        wire.gateway.sessions.remove(second)  # its resume is refused, so that it has to identify anew
        assert second.socket is not None
        await second.socket.ws.close(code=4000)
        await until(lambda: not bot.is_connected())
        before = len(wire.gateway.presences)
        await wire.connected()
        await until(bot.is_connected)
        await wire.gateway.announce(guild)
        assert (await mentioned(wire, guild.owner, guild))["embeds"]
        assert [one["shard"] for one in wire.gateway.identifies] == [[0, 2], [1, 2], [1, 2]]
        assert first.socket is not None
        # In identifying itself, and then on both.
        await wire.log.until(lambda: len(wire.gateway.presences) == before + 3, "the presence, again")
    assert no_traceback(caplog)


async def test_more_connections_have_more_time_to_get_ready(
    bot_settings: MakeBotSettings, service: FakeService
) -> None:
    one, hundred = (ShardedFootnoteClient(bot_settings(), service, shards) for shards in (1, 100))
    assert hundred._ready_within - one._ready_within >= 99 * 5  # discord.py lets five seconds pass between


@pytest.mark.parametrize("code", [4004, 4014])
async def test_a_refusal_on_one_connection_ends_all(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, code: int
) -> None:
    wire.shards = 2
    client = ImpatientShards(bot_settings(), service)
    serving = asyncio.create_task(client.serve(asyncio.Event(), drain=2))
    await asyncio.wait_for(client.ready.wait(), 5)
    socket = wire.gateway.sessions[1].socket
    assert socket is not None
    await socket.ws.close(code=code)
    with pytest.raises(DiscordRefusedError):
        await asyncio.wait_for(serving, 5)
    await wire.log.until(lambda: not any(one.socket for one in wire.gateway.sessions), "both to close")


async def test_a_gateway_that_cannot_be_reached_is_not_tried_for_ever(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.gateway_url = f"ws://127.0.0.1:{free_port()}/"
    client: FootnoteClient = ImpatientShards(bot_settings(), service)
    with pytest.raises(DiscordRefusedError, match="cannot be reached"):
        await asyncio.wait_for(client.serve(asyncio.Event()), 10)
