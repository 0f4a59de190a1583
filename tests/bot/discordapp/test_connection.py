"""Refusals while connecting: one line each, that says what to do, without the token."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import traceback

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.connection import check_connection
from bot.discordapp.starting import serve
from bot.errors import DiscordRefusedError
from tests.bot.discordapp.conftest import TOKEN, MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord


def closed_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def refusal(make: MakeBotSettings, **options: object) -> str:
    """Try to serve, and return the one line that says why that is refused."""
    with pytest.raises(DiscordRefusedError) as caught:
        await asyncio.wait_for(serve(make(**options), FakeService(), asyncio.Event()), 10)
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("token", [None, "", "  "])
async def test_missing_token(bot_settings: MakeBotSettings, token: str | None) -> None:
    settings = bot_settings().model_copy(update={"discord_token": None})
    if token is not None:
        settings = bot_settings(discord_token=token)
    with pytest.raises(DiscordRefusedError, match=r"FOOTNOTE_DISCORD_TOKEN is not set\. Set"):
        await serve(settings, FakeService(), asyncio.Event())


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tökén"])
async def test_text_that_cannot_be_a_token_is_not_shown(bot_settings: MakeBotSettings, token: str) -> None:
    said = await refusal(bot_settings, discord_token=token)
    assert "characters that no token has" in said
    assert token not in said


async def test_refused_token(wire: LoopbackDiscord, bot_settings: MakeBotSettings) -> None:
    said = await refusal(bot_settings, discord_token="another.token")
    assert said.startswith("Discord refused the token. Set FOOTNOTE_DISCORD_TOKEN")
    assert "another.token" not in said
    assert wire.gateway.connections == []


@pytest.mark.parametrize(
    ("code", "says"),
    [(4004, "refused the token"), (4014, "privileged intents"), (4013, "intents"), (4011, "sharding")],
)
async def test_gateway_that_closes_for_good(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, code: int, says: str
) -> None:
    wire.gateway.close_on_identify = code
    assert says in await refusal(bot_settings)


async def test_api_that_cannot_be_reached(bot_settings: MakeBotSettings) -> None:
    url = f"http://127.0.0.1:{closed_port()}/api/v10"
    said = await refusal(bot_settings, discord_api_url=url)
    assert said.startswith(f"{url} cannot be reached (")
    assert "FOOTNOTE_DISCORD_API_URL" in said


async def test_gateway_that_cannot_be_reached(wire: LoopbackDiscord, bot_settings: MakeBotSettings) -> None:
    wire.gateway_url = f"ws://127.0.0.1:{closed_port()}/"
    assert (await refusal(bot_settings)).startswith(f"The gateway {wire.gateway_url} cannot be reached (")


async def test_gateway_that_is_no_gateway(wire: LoopbackDiscord, bot_settings: MakeBotSettings) -> None:
    wire.gateway_url = wire.gateway_url.replace("/socket", "/nothing")
    assert "cannot be reached" in await refusal(bot_settings)


@pytest.mark.parametrize("named", ["ws://gateway.example", "not an address", ""])
async def test_gateway_that_would_carry_the_token_in_the_clear(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, named: str
) -> None:
    wire.gateway_url = named
    assert "names no gateway that can be used" in await refusal(bot_settings)


@pytest.mark.parametrize(
    ("path", "status", "kind", "body", "says"),
    [
        ("/users/@me", 503, "application/json", b"{}", "has trouble (status 503)"),
        ("/users/@me", 404, "application/json", b"{}", "status 404"),
        ("/users/@me", 429, "application/json", b"{}", "too many requests"),
        ("/users/@me", 200, "text/html", b"<html>", "does not answer as Discord does"),
        ("/users/@me", 200, "application/json", b"{broken", "does not answer as Discord does"),
        ("/users/@me", 200, "application/json", b"{}", "does not answer as Discord does"),
        ("/applications/@me", 200, "application/json", b"[]", "does not answer as Discord does"),
        ("/gateway$", 200, "application/json", b'{"url": 5}', "names no gateway"),
        ("/gateway$", 200, "text/html", b"<html>", "names no gateway"),
    ],
)
async def test_api_that_answers_otherwise(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings,
    path: str, status: int, kind: str, body: bytes, says: str,
) -> None:  # fmt: skip
    wire.fault("GET", path, status=status, content_type=kind, body=body)
    assert says in await refusal(bot_settings)


@pytest.mark.parametrize(
    ("asked_for", "flags", "warned"),
    [
        (True, 0, True),
        (True, 1 << 18, False),  # an application that Discord has verified
        (True, 1 << 19, False),  # one in fewer than a hundred servers
        (True, 1 << 23, True),  # another flag
        (False, 0, False),
    ],
)
async def test_intent_that_is_not_switched_on_is_warned_of(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    asked_for: bool,
    flags: int,
    warned: bool,
) -> None:
    application = json.dumps(wire.world.application() | {"flags": flags}).encode()
    wire.fault("GET", "/applications/@me$", status=200, body=application)
    wire.gateway.granted = MESSAGE_CONTENT  # it is the gateway that decides
    async with running(bot_settings(discord_message_content=asked_for), service):
        pass
    said = [one.message for one in caplog.records if "read the content of messages" in one.message]
    assert len(said) == warned
    assert all("Switch on Message Content Intent at https://discord.com/developers" in one for one in said)


async def test_intent_that_the_gateway_refuses_ends_with_what_to_do(
    bot_settings: MakeBotSettings, caplog: pytest.LogCaptureFixture
) -> None:
    said = await refusal(bot_settings, discord_message_content=True)
    assert said.startswith("Discord refused the privileged intents. Switch on Message Content Intent at ")
    assert said.endswith("or set FOOTNOTE_DISCORD_MESSAGE_CONTENT=false.")
    assert "read the content of messages" in caplog.text


async def test_token_that_is_revoked_while_serving_ends_with_a_refusal(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    client = FootnoteClient(bot_settings(), service)
    serving = asyncio.create_task(client.serve(asyncio.Event()))
    await asyncio.wait_for(client.ready.wait(), 5)
    await wire.gateway.drop(4004)
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await asyncio.wait_for(serving, 3)


async def test_check_connection_returns_the_bots_name_and_does_not_connect(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    assert await check_connection(bot_settings()) == "Footnote"
    assert wire.gateway.connections == []
    assert wire.log.seen("PUT", "/commands$") == []


async def test_check_connection_refuses_as_serving_does(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await check_connection(bot_settings(discord_token="another.token"))


async def test_no_log_record_of_a_session_holds_the_token(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with running(bot_settings(), service) as client:
            used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
            await wire.response_to(used)
            await wire.gateway.drop()
            await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
            assert TOKEN not in repr(client) + repr(client.settings) + repr(client.http)
    assert "IDENTIFY" in caplog.text  # discord.py was indeed talkative
    assert TOKEN not in caplog.text
    assert isinstance(client, FootnoteClient)
