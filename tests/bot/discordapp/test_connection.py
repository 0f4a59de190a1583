"""The connection: what refusals say, resumes and new sessions, shards; the token goes to no other server."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.starting import ShardedFootnoteClient
from bot.errors import DiscordRefusedError
from tests.bot.discordapp.asking import WAYS, ask, mention, no_traceback, until
from tests.bot.discordapp.conftest import TOKEN, PromptClient, free_port, running, settings_for
from tests.bot.discordapp.phrases import ANSWERED, ANSWERING_FROM
from tests.bot.discordapp.service import BREAD, LAMP, ControlledService
from tests.wire.driver import Wire
from tests.wire.gateway import MESSAGE_CONTENT

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refusal(wire: Wire, service: ControlledService, **options: Any) -> str:
    """Try to serve, and return the one line that says why that is refused."""
    with pytest.raises(DiscordRefusedError) as caught:
        await asyncio.wait_for(PromptClient(settings_for(wire, **options), service).serve(asyncio.Event()), 10)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 69
    return str(caught.value)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("  ", "FOOTNOTE_DISCORD_TOKEN is not set"),
        ("two words", "characters that no token has"),
        ("tökén", "characters that no token has"),
        ("another.token", "Discord refused the token. Set FOOTNOTE_DISCORD_TOKEN"),
    ],
)
async def test_a_token_that_cannot_be_used_is_refused_and_not_shown(
    own_wire: Wire, service: ControlledService, token: str, says: str
) -> None:
    said = await refusal(own_wire, service, discord_token=token)
    assert says in said
    assert token.strip() == "" or token not in said
    assert own_wire.gateway.connections == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [(4004, "refused the token"), (4014, "privileged intents"), (4013, "intents"), (4011, "sharding")],
)
async def test_a_gateway_that_closes_for_good_ends_with_what_to_do(
    own_wire: Wire, service: ControlledService, code: int, says: str
) -> None:
    own_wire.gateway.close_on_identify = code
    assert says in await refusal(own_wire, service)


async def test_the_intent_for_content_that_is_not_granted_ends_with_where_to_switch_it_on(
    own_wire: Wire, service: ControlledService
) -> None:
    said = await refusal(own_wire, service, discord_message_content=True)
    assert "Switch on Message Content Intent at https://discord.com/developers/applications" in said
    assert "FOOTNOTE_DISCORD_MESSAGE_CONTENT=false" in said


@pytest.mark.parametrize(("flags", "warned"), [(0, True), (1 << 18, False), (1 << 19, False), (1 << 23, True)])
async def test_an_application_that_lacks_the_intent_is_warned_of(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture, flags: int, warned: bool
) -> None:
    own_wire.world.application_flags, own_wire.gateway.granted = flags, MESSAGE_CONTENT
    async with running(own_wire, service, discord_message_content=True):
        pass
    assert ("may not read the content of messages" in caplog.text) is warned


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        ("/users/@me", {"status": 503, "times": 9}, "has trouble (status 503)"),
        ("/users/@me", {"status": 404}, "status 404"),
        ("/users/@me", {"status": 429}, "too many requests"),
        ("/users/@me", {"status": 200, "body": b"<html>", "content_type": "text/html"}, "does not answer as"),
        ("/users/@me", {"status": 200, "body": b"{broken"}, "does not answer as Discord does"),
        ("/applications/@me", {"status": 200, "body": b"[]"}, "does not answer as Discord does"),
        ("/gateway$", {"status": 200, "body": b'{"url": 5}'}, "names no gateway"),
        ("/gateway$", {"status": 200, "body": b'{"url": "ws://gateway.example"}'}, "names no gateway that can"),
        ("/gateway$", {"status": 200, "body": b"<html>", "content_type": "text/html"}, "names no gateway"),
    ],
)
async def test_an_api_that_does_not_answer_as_discord_does_is_told_so(
    own_wire: Wire, service: ControlledService, path: str, answer: dict[str, Any], says: str
) -> None:
    own_wire.faults.answer("GET", path, **answer)
    assert says in await refusal(own_wire, service)


@pytest.mark.parametrize("what", ["api", "gateway", "socket"])
async def test_what_cannot_be_reached_is_named(own_wire: Wire, service: ControlledService, what: str) -> None:
    url = f"http://127.0.0.1:{free_port()}/api/v10"
    if what == "gateway":
        own_wire.gateway_url = url.replace("http", "ws")
    elif what == "socket":
        own_wire.gateway_url = own_wire.gateway_url.replace("/socket", "/nothing")
    options = {"discord_api_url": url} if what == "api" else {}
    assert "cannot be reached" in await refusal(own_wire, service, **options)
    own_wire.log.violations.clear()  # "/nothing" is no route


async def test_a_token_that_is_revoked_ends_the_bot_once_answers_under_way_are_finished(
    own_wire: Wire, service: ControlledService
) -> None:
    service.open.clear()
    client = PromptClient(settings_for(own_wire), service)
    serving = asyncio.create_task(client.serve(asyncio.Event(), drain=3))
    await own_wire.log.until(lambda: own_wire.gateway.presences, "the bot")
    guild, ann = await own_wire.server("ann")
    used = await own_wire.slash(ann, "ask", guild, question=LAMP)
    await until(lambda: service.asked)
    await own_wire.gateway.drop(4004)
    service.open.set()
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await asyncio.wait_for(serving, 5)
    assert (await own_wire.answer(used)).title == ANSWERED


# Resumes and new sessions


async def connected_again(wire: Wire, connections: int) -> None:
    """Wait for so many connections in all, and for the last one to be there."""
    await wire.log.until(lambda: wire.gateway.connections >= connections and wire.gateway.connected, "again")


@pytest.mark.parametrize("lost", ["dropped", "asked to reconnect", "invalidated", "forgotten"])
async def test_nothing_is_lost_or_done_twice_over_a_lost_connection(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    caplog.set_level(logging.INFO)
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        service.open.clear()
        used = await own_wire.slash(ann, "ask", guild, question=LAMP)
        asked = await own_wire.say(ann, guild, f"{own_wire.world.bot.mention} {BREAD}")
        await until(lambda: len(service.asked) == 2)
        if lost == "forgotten":
            own_wire.gateway.sessions.clear()  # so that the resume is refused
        losing = {"asked to reconnect": own_wire.gateway.ask_to_reconnect, "invalidated": own_wire.gateway.invalidate}
        await losing.get(lost, own_wire.gateway.drop)()
        service.open.set()
        assert [(await own_wire.answer(used)).title, (await own_wire.reply(asked)).title] == [ANSWERED] * 2
        await connected_again(own_wire, 2)
        identified = 1 if lost in {"dropped", "asked to reconnect"} else 2
        await own_wire.log.until(lambda: len(own_wire.gateway.identifies) == identified, "the session")
        await own_wire.log.until(lambda: own_wire.gateway.connected, "the session")
        assert (await mention(own_wire, ann, guild, LAMP)).title == ANSWERED
        assert len(own_wire.log.seen("PUT", "/commands$")) == 1
        await own_wire.log.until(lambda: len(own_wire.gateway.presences) >= 2, "the presence, again")
    assert set(own_wire.gateway.presences) == {ANSWERING_FROM.format(3)}
    assert caplog.text.count("Footnote is on Discord as") == 1
    assert (len(service.asked), no_traceback(caplog)) == (3, True)


async def test_what_is_asked_while_the_connection_is_lost_is_answered_after_the_resume(
    own_wire: Wire, service: ControlledService
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        await ask(own_wire, ann, guild)
        own_wire.gateway.sessions[0].socket = None  # it is gone, and nobody has noticed yet
        asking = [asyncio.create_task(WAYS[way](own_wire, ann, guild, LAMP)) for way in WAYS if way != "form"]
        await asyncio.sleep(0.05)
        assert len(service.asked) == 1
        await own_wire.gateway.drop()
        assert {answer.title for answer in await asyncio.gather(*asking)} == {ANSWERED}
        assert (len(own_wire.gateway.resumes), len(own_wire.gateway.identifies)) == (1, 1)


@pytest.mark.parametrize("named", [None, "wss://gateway-us-east1-b.discord.gg", "no address", "elsewhere"])
async def test_a_resume_goes_to_the_configured_server_whatever_is_named(
    own_wire: Wire, service: ControlledService, named: str | None
) -> None:
    async with Wire(TOKEN) as elsewhere:
        own_wire.gateway.resume_url = elsewhere.gateway_url if named == "elsewhere" else named
        async with running(own_wire, service):
            await own_wire.gateway.drop()
            await connected_again(own_wire, 2)
            assert (len(own_wire.gateway.resumes), elsewhere.gateway.connections) == (1, 0)


async def test_an_event_that_cannot_be_read_is_skipped_and_logged(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    guild, ann = await wire.server("ann")
    connections = wire.gateway.connections
    await wire.gateway.dispatch("INTERACTION_CREATE", {"type": 2})
    await wire.gateway.dispatch("MESSAGE_CREATE", {"channel_id": "none"})
    await wire.gateway.dispatch("AN_EVENT_OF_TOMORROW", {})
    assert (await mention(wire, ann, guild)).title == ANSWERED
    assert (wire.gateway.connections, caplog.text.count("skipped")) == (connections, 2)


# Shards


class PromptShards(PromptClient, ShardedFootnoteClient):
    """The same over as many connections as Discord asks for."""


def two_shards(*given: Any) -> FootnoteClient:
    """Make a client of two shards."""
    return PromptShards(*given, shards=2)


async def test_each_shard_answers_its_own_servers_and_a_lost_one_is_connected_again(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    own_wire.gateway.shards = 2
    async with running(own_wire, service, two_shards):
        await own_wire.log.until(lambda: len(own_wire.gateway.presences) >= 2, "both")
        guilds = [(await own_wire.server(shard=number, shards=2))[0] for number in (0, 1)]
        for guild in guilds:
            assert (await mention(own_wire, guild.owner, guild)).title == ANSWERED
            assert (await ask(own_wire, guild.owner, guild)).title == ANSWERED
        assert (await ask(own_wire, guilds[1].owner, guilds[1].owner)).title == ANSWERED
        _, second = own_wire.gateway.sessions
        own_wire.gateway.sessions.remove(second)  # so that it has to identify anew
        assert second.socket is not None
        await second.socket.close(code=4000)
        await connected_again(own_wire, 3)
        await own_wire.announce(guilds[1])
        assert (await mention(own_wire, guilds[1].owner, guilds[1])).title == ANSWERED
    assert [one["shard"] for one in own_wire.gateway.identifies] == [[0, 2], [1, 2], [1, 2]]
    assert no_traceback(caplog)


async def test_a_refusal_on_one_shard_ends_all(own_wire: Wire, service: ControlledService) -> None:
    own_wire.gateway.shards = 2
    serving = asyncio.create_task(two_shards(settings_for(own_wire), service).serve(asyncio.Event(), drain=1))
    await own_wire.log.until(lambda: len(own_wire.gateway.presences) >= 2, "both")
    socket_of_second = own_wire.gateway.sessions[1].socket
    assert socket_of_second is not None
    await socket_of_second.close(code=4014)
    with pytest.raises(DiscordRefusedError):
        await asyncio.wait_for(serving, 5)
    await own_wire.log.until(lambda: not any(one.socket for one in own_wire.gateway.sessions), "the end of all")
