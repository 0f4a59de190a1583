"""The loopback Discord refuses what Discord refuses: it must be able to fail the bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT
from tests.wire.interactions import Interaction
from tests.wire.limits import check_message, pinged
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json, RefusedError
from tests.wire.renderer import render
from tests.wire.schema import check_commands

TOKEN = "loopback-token"
AGENT = {"User-Agent": "DiscordBot (https://example.org, 1)", "Authorization": f"Bot {TOKEN}"}
ASK: Json = {"name": "ask", "type": 1, "description": "Ask", "options": []}


@pytest.fixture
async def wire() -> AsyncIterator[LoopbackDiscord]:
    """Start a server that knows one command."""
    async with LoopbackDiscord(TOKEN) as server:
        await call(server, "PUT", f"/applications/{server.world.application_id}/commands", [ASK])
        yield server


async def call(
    wire: LoopbackDiscord, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Make a request as a bot would, and return status and JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, wire.url + path, json=body, headers=headers or AGENT) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def callback(wire: LoopbackDiscord, used: Interaction, kind: int = 5, **data: Any) -> tuple[int, Any]:
    path = f"/interactions/{used.id}/{used.token}/callback?with_response=1"
    return await call(wire, "POST", path, {"type": kind, "data": data})


def hook(wire: LoopbackDiscord, used: Interaction, rest: str = "") -> str:
    return f"/webhooks/{wire.world.application_id}/{used.token}{rest}"


async def test_second_initial_response_is_refused(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    assert (await callback(wire, used))[0] == 200
    status, error = await callback(wire, used)
    assert (status, error["code"]) == (400, 40060)
    assert len(wire.log.violations) == 1


async def test_late_acknowledgement_is_refused_and_noted(wire: LoopbackDiscord) -> None:
    wire.interactions.acknowledge_within = 0.05
    used = await wire.slash("ask", wire.world.user("ann"))
    await asyncio.sleep(0.1)
    assert "not acknowledged within" in wire.log.violations[0]
    status, error = await callback(wire, used)
    assert (status, error["code"]) == (404, 10062)


async def test_nothing_can_follow_before_the_initial_response(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    for method, rest in (("POST", ""), ("PATCH", "/messages/@original")):
        status, error = await call(wire, method, hook(wire, used, rest), {"content": "x"})
        assert (status, error["code"]) == (404, 10015)
    assert wire.interactions.unfinished() == ["/ask (not acknowledged)"]


async def test_token_of_an_interaction_dies_after_fifteen_minutes(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used)
    wire.interactions.clock_ahead = 15 * 60
    status, error = await call(wire, "PATCH", hook(wire, used, "/messages/@original"), {"content": "x"})
    assert (status, error["code"]) == (401, 50027)


async def test_first_follow_up_takes_the_deferred_messages_place(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used, flags=64)
    assert wire.interactions.unfinished() == ["/ask (thinking)"]
    await call(wire, "POST", hook(wire, used), {"content": "x"})
    assert (await wire.response_to(used))["flags"] == 64
    assert used.followups == []
    assert wire.interactions.unfinished() == []


async def test_requests_without_the_token_or_a_bots_name_are_refused(wire: LoopbackDiscord) -> None:
    assert (await call(wire, "GET", "/users/@me"))[0] == 200
    for key in AGENT:
        headers = {**AGENT, key: "x"}
        assert (await call(wire, "GET", "/users/@me", headers=headers))[0] in {401, 403}
    assert all("Authorization" not in request.headers for request in wire.log.requests)


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("text/plain", b"{}", 50035),
        ("application/json", b"{broken", 50109),
        ("application/json", b'{"content": "\\ud800"}', 50109),
    ],
)
async def test_bodies_that_are_no_json_are_refused(
    wire: LoopbackDiscord, kind: str, data: bytes, code: int
) -> None:
    where = f"{wire.url}/channels/{wire.world.dm(wire.world.user('ann')).id}/messages"
    async with (
        aiohttp.ClientSession(headers={**AGENT, "Content-Type": kind}) as session,
        session.post(where, data=data) as answer,
    ):
        assert (await answer.json())["code"] == code


def _field(name: str = "n", value: str = "v") -> Json:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001},
        {"content": "😀" * 1001},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"title": "t", "fields": [_field()] * 26}]},
        {"embeds": [{"fields": [_field(name="x" * 257)]}]},
        {"embeds": [{"fields": [_field(value="x" * 1025)]}]},
        {"embeds": [{"fields": [_field(value=" ")]}]},
        {"embeds": [{"title": "t", "footer": {"text": "x" * 2049}}]},
        {"embeds": [{"title": "t", "author": {"name": "x" * 257}}]},
        {"embeds": [{"title": "t", "url": "javascript:x"}]},
        {"embeds": [{"title": "t", "url": "https://"}]},
        {"embeds": [{}]},
        {"embeds": [{"title": "t"}] * 11},
        {"embeds": [{"description": "x" * 3001}] * 2},
        {"components": [{"components": [{"custom_id": "x" * 101}]}]},
        {"components": [{"components": [{"custom_id": "x"}] * 2}]},
        {"content": ""},
        {},
    ],
)
def test_messages_over_a_limit_are_refused(body: Json) -> None:
    with pytest.raises(RefusedError):
        check_message(body)


def test_messages_at_the_limits_pass() -> None:
    check_message({"content": "😀" * 1000})
    check_message({"embeds": [{"description": "x" * 3000}] * 2})
    check_message({"embeds": [{"title": "x" * 256, "fields": [_field("x" * 100, "y" * 100)] * 25}]})
    check_message({"embeds": []}, editing=True)


def _options(*options: Json) -> Json:
    return ASK | {"options": list(options)}


def _option(**more: Any) -> Json:
    return {"type": 3, "name": "q", "description": "d"} | more


@pytest.mark.parametrize(
    "command",
    [
        ASK | {"name": "Ask"},
        ASK | {"name": "a b"},
        ASK | {"name": "x" * 33},
        ASK | {"name": ""},
        ASK | {"description": ""},
        ASK | {"description": "x" * 101},
        ASK | {"contexts": [3]},
        ASK | {"contexts": []},
        _options(*[_option(name=f"q{number}") for number in range(26)]),
        _options(_option(), _option()),
        _options(_option(), _option(name="r", required=True)),
        _options(_option(max_length=6001)),
        _options(_option(type=4, max_length=5)),
        _options(_option(type=12)),
        _options(_option(type=1, options=[_option(type=1)])),
    ],
)
def test_commands_that_discord_would_not_take_are_refused(command: Json) -> None:
    check_commands([ASK])
    with pytest.raises(RefusedError):
        check_commands([command])


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        ({"content": "<@1> <@!2> <@&3> @everyone"}, ["1", "2", "3", "@everyone"]),
        ({"content": "<@1> @here", "allowed_mentions": {"parse": []}}, []),
        ({"content": "<@1> <@2>", "allowed_mentions": {"parse": [], "users": ["2"]}}, ["2"]),
        ({"content": "<@1> @here", "allowed_mentions": {"parse": ["everyone"]}}, ["@here"]),
        ({"embeds": [{"title": "<@1>"}]}, []),
    ],
)
def test_pings_follow_allowed_mentions(body: Json, whom: list[str]) -> None:
    assert pinged(body) == whom


async def test_reply_pings_its_author_unless_told_not_to(wire: LoopbackDiscord) -> None:
    ann = wire.world.user("ann")
    asked = await wire.say(wire.world.dm(ann), ann, "Why?")
    path = f"/channels/{asked['channel_id']}/messages"
    body: Json = {"content": "x", "message_reference": {"message_id": asked["id"]}}
    await call(wire, "POST", path, body)
    assert [ping.whom for ping in wire.log.pings] == [str(ann.id)]
    await call(wire, "POST", path, body | {"allowed_mentions": {"parse": [], "replied_user": False}})
    assert len(wire.log.pings) == 1


class Client:
    """A bare gateway client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def identify(self, token: str = TOKEN, intents: int = GUILDS) -> None:
        await self.socket.receive_json(timeout=2)
        await self.socket.send_json({"op": 2, "d": {"token": token, "intents": intents}})

    async def close_code(self) -> int:
        while not self.socket.closed:
            await self.socket.receive(timeout=2)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def events(self, kind: str, count: int) -> list[Json]:
        found: list[Json] = []
        while len(found) < count:
            payload = await self.socket.receive_json(timeout=2)
            found += [payload["d"]] if payload["t"] == kind else []
        return found


@pytest.fixture
async def client(wire: LoopbackDiscord) -> AsyncIterator[Client]:
    """Connect to the gateway without compression."""
    async with aiohttp.ClientSession() as session, session.ws_connect(wire.gateway_url + "?v=10") as socket:
        yield Client(socket)


async def test_gateway_refuses_a_wrong_token(client: Client) -> None:
    await client.identify(token="wrong")
    assert await client.close_code() == 4004


@pytest.mark.parametrize(("intents", "code"), [(MESSAGE_CONTENT, 4014), (1 << 1, 4014), (1 << 40, 4013)])
async def test_gateway_refuses_intents(client: Client, intents: int, code: int) -> None:
    await client.identify(intents=intents)
    assert await client.close_code() == code


async def test_gateway_refuses_what_comes_before_identify(client: Client) -> None:
    await client.socket.receive_json(timeout=2)
    await client.socket.send_json({"op": 3, "d": {}})
    assert await client.close_code() == 4003


@pytest.mark.parametrize("granted", [False, True])
async def test_content_is_hidden_without_the_intent_unless_the_bot_is_meant(
    wire: LoopbackDiscord, client: Client, granted: bool
) -> None:
    content = MESSAGE_CONTENT if granted else 0
    wire.gateway.granted = content
    await client.identify(intents=GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES | content)
    await wire.connected()
    guild = wire.world.guild()
    ann = wire.world.join(guild, wire.world.user("ann"))
    await wire.say(guild, ann, "to all")
    await wire.say(guild, ann, f"to {wire.world.bot.mention}")
    await wire.say(wire.world.dm(ann), ann, "direct")
    seen = [event["content"] for event in await client.events("MESSAGE_CREATE", 3)]
    assert seen == ["to all" if granted else "", f"to {wire.world.bot.mention}", "direct"]


async def test_events_that_no_intent_asks_for_are_not_sent(wire: LoopbackDiscord, client: Client) -> None:
    await client.identify(intents=DIRECT_MESSAGES)
    await wire.connected()
    guild = wire.world.guild()
    await wire.gateway.announce(guild)
    await wire.say(guild, guild.owner, "to all")
    await wire.say(wire.world.dm(guild.owner), guild.owner, "direct")
    (event,) = await client.events("MESSAGE_CREATE", 1)
    assert event["content"] == "direct"


@pytest.mark.parametrize(
    "text",
    ["# a", "-# a", "- a", "1. a", "> a", "**a**", "_a_", "`a`", "||a||", "https://a.example", "<@1>",
     "<t:1>", ":cat:", "@here", "[a](https://a.example)", "~~a~~", "<:a:1>", "<#1>", "</ask:1>", "<id:home>"],
)  # fmt: skip
def test_renderer_sees_every_construct(text: str) -> None:
    shown = render(text)
    assert shown.constructs or shown.links or shown.quotes


def test_renderer_takes_escapes_for_letters() -> None:
    shown = render("\\# \\*a\\* https\\://a.example \\\\")
    assert (shown.text, shown.constructs) == ("# *a* https://a.example \\", [])
