"""The client stays with the configured server, also after reconnecting."""

from __future__ import annotations

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discordapp.client import FootnoteClient
from bot.discordapp.endpoint import DISCORD_API, is_safe_gateway, use_api
from tests.bot.discordapp.conftest import TOKEN, MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.loopback import LoopbackDiscord


class Impatient(FootnoteClient):
    """A client that does not wait five seconds before it identifies again, as Discord asks real ones to."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        return


async def answered(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.response_to(used)


async def test_gateway_is_the_one_that_the_api_names(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service):
        assert [request.path for request in wire.log.seen("GET", "^/gateway")] == ["/gateway"]
        assert wire.gateway.connections == ["v=10&encoding=json&compress=zlib-stream"]
        await answered(wire)


async def test_server_that_does_not_compress_is_understood(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.gateway.compressing = False
    async with running(bot_settings(), service):
        await answered(wire)


@pytest.mark.parametrize(
    "where", ["same", "missing", "wss://gateway-us-east1-b.discord.gg", "no address", ""]
)
async def test_dropped_connection_is_resumed_on_the_configured_server(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, where: str
) -> None:
    wire.gateway.resume_url = wire.gateway_url if where == "same" else where
    if where == "missing":
        wire.gateway.resume_url = None
    async with running(bot_settings(), service):
        await wire.gateway.drop()
        await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
        assert len(wire.gateway.connections) == 2
        assert len(wire.gateway.identifies) == 1
        await answered(wire)


async def test_token_is_not_sent_to_another_server_named_for_resuming(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with LoopbackDiscord(TOKEN) as elsewhere:
        wire.gateway.resume_url = elsewhere.gateway_url
        async with running(bot_settings(), service):
            await wire.gateway.drop()
            await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
        assert elsewhere.gateway.connections == []


async def test_reconnect_that_the_server_asks_for_is_resumed(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service):
        await wire.gateway.ask_reconnect()
        await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
        await answered(wire)


async def test_question_asked_while_disconnected_is_answered_after_the_resume(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service):
        wire.gateway.sessions[0].socket = None  # the connection is gone, and nobody has noticed yet
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
        await wire.gateway.drop()
        await wire.response_to(used)


async def test_invalid_session_is_identified_anew_on_the_configured_server(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service, Impatient):
        await wire.gateway.invalidate()
        await wire.log.until(
            lambda: len(wire.gateway.identifies) == 2 and wire.gateway.connected, "a session"
        )
        await answered(wire)


async def test_event_that_cannot_be_read_is_skipped_and_logged(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bot_settings(), service):
        await wire.gateway.dispatch("INTERACTION_CREATE", {"type": 2})
        await wire.gateway.dispatch("MESSAGE_CREATE", {"channel_id": "none"})
        await wire.gateway.dispatch("AN_EVENT_OF_TOMORROW", {})
        await answered(wire)
        assert len(wire.gateway.connections) == 1
    assert caplog.text.count("could not be read; it is skipped") == 2


def test_discords_own_address_leaves_discord_pys_own_values() -> None:
    use_api("http://127.0.0.1:1/api/v10")
    use_api("https://discord.com/api/v10")
    assert Route.BASE == DISCORD_API == "https://discord.com/api/v10"
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "wss://gateway.discord.gg/"


@pytest.mark.parametrize(
    ("gateway", "api", "safe"),
    [
        ("wss://gateway.example", "https://api.example/api/v10", True),
        ("ws://gateway.example", "https://api.example/api/v10", False),
        ("ws://127.0.0.1:1", "https://api.example/api/v10", False),
        ("ws://127.0.0.1:1", "http://127.0.0.1:1/api/v10", True),
        ("ws://[::1]:1", "http://localhost:1/api/v10", True),
        ("ws://gateway.example", "http://127.0.0.1:1/api/v10", False),
        ("wss://gateway.example", "http://127.0.0.1:1/api/v10", True),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/api/v10", False),
        ("wss://", "https://api.example/api/v10", False),
        ("wss://[bad", "https://api.example/api/v10", False),
    ],
)
def test_token_goes_only_to_gateways_that_keep_it(gateway: str, api: str, safe: bool) -> None:
    assert is_safe_gateway(gateway, api) is safe
