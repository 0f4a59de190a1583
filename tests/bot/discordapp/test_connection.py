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
from tests.bot.discordapp import phrases as say
from tests.bot.discordapp.chat import TOKEN, WAYS, Chat, PromptClient, free_port, no_traceback, until
from tests.bot.discordapp.service import BREAD, LAMP
from tests.wire.gateway import MESSAGE_CONTENT

PAGE = {"status": 200, "body": b"<html>", "content_type": "text/html"}


async def refusal(chat: Chat, **options: Any) -> str:
    """Try to serve, and return the one line that says why that is refused."""
    client = PromptClient(chat.settings(**options), chat.service)
    with pytest.raises(DiscordRefusedError) as caught:
        await asyncio.wait_for(client.serve(asyncio.Event()), 10)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert ("\n" in str(caught.value), caught.value.exit_status) == (False, 69)
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
    fresh: Chat, token: str, says: str
) -> None:
    said = await refusal(fresh, discord_token=token)
    assert (says in said, token.strip() and token in said, fresh.gateway.connections) == (
        True,
        token.strip() and False,
        0,
    )


@pytest.mark.parametrize(
    ("code", "says"),
    [(4004, "refused the token"), (4014, "privileged intents"), (4013, "intents"), (4011, "sharding")],
)
async def test_a_gateway_that_closes_for_good_ends_with_what_to_do(fresh: Chat, code: int, says: str) -> None:
    fresh.gateway.close_on_identify = code
    assert says in await refusal(fresh)


async def test_an_intent_that_is_not_granted_ends_with_where_to_switch_it_on(fresh: Chat) -> None:
    said = await refusal(fresh, discord_message_content=True)
    assert "Switch on Message Content Intent at https://discord.com/developers/applications" in said
    assert "FOOTNOTE_DISCORD_MESSAGE_CONTENT=false" in said


@pytest.mark.parametrize(
    ("flags", "warned"), [(0, True), (1 << 18, False), (1 << 19, False), (1 << 23, True)]
)
async def test_an_application_that_lacks_the_intent_is_warned_of(
    fresh: Chat, caplog: pytest.LogCaptureFixture, flags: int, warned: bool
) -> None:
    fresh.world.application_flags, fresh.gateway.granted = flags, MESSAGE_CONTENT
    async with fresh.bot(discord_message_content=True):
        assert ("may not read the content of messages" in caplog.text) is warned


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        ("/users/@me", {"status": 503, "times": 9}, "has trouble (status 503)"),
        ("/users/@me", {"status": 404}, "status 404"),
        ("/users/@me", {"status": 429}, "too many requests"),
        ("/users/@me", PAGE, "does not answer as Discord does"),
        ("/users/@me", {"status": 200, "body": b"{broken"}, "does not answer as Discord does"),
        ("/applications/@me", {"status": 200, "body": b"[]"}, "does not answer as Discord does"),
        ("/gateway$", {"status": 200, "body": b'{"url": 5}'}, "names no gateway"),
        (
            "/gateway$",
            {"status": 200, "body": b'{"url": "ws://gateway.example"}'},
            "names no gateway that can",
        ),
        ("/gateway$", PAGE, "names no gateway"),
    ],
)
async def test_an_api_that_does_not_answer_as_discord_does_is_told_so(
    fresh: Chat, path: str, answer: dict[str, Any], says: str
) -> None:
    fresh.faults.answer("GET", path, **answer)
    assert says in await refusal(fresh)


@pytest.mark.parametrize("what", ["api", "gateway"])
async def test_what_cannot_be_reached_is_named(fresh: Chat, what: str) -> None:
    nowhere = f"//127.0.0.1:{free_port()}/api/v10"
    fresh.gateway_url = f"ws:{nowhere}" if what == "gateway" else fresh.gateway_url
    options = {"discord_api_url": f"http:{nowhere}"} if what == "api" else {}
    said = await refusal(fresh, **options)
    assert ("cannot be reached" in said, nowhere in said) == (True, True)


async def again(chat: Chat, connections: int) -> None:
    """Wait until the bot is connected, for the so-manieth time."""
    await chat.log.until(
        lambda: chat.gateway.connections >= connections and chat.gateway.connected, "it again"
    )


@pytest.mark.parametrize("lost", ["drop", "ask_to_reconnect", "invalidate", "forget"])
async def test_nothing_is_lost_or_done_twice_over_a_lost_connection(
    fresh: Chat, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    caplog.set_level(logging.INFO)
    async with fresh.bot():
        fresh.service.open.clear()
        used = await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP)
        asked = await fresh.say(fresh.ann, fresh.guild, f"{fresh.world.bot.mention} {BREAD}")
        await until(lambda: len(fresh.service.asked) == 2)
        if lost == "forget":
            fresh.gateway.sessions.clear()  # so that the resume is refused
        await getattr(fresh.gateway, lost, fresh.gateway.drop)()
        fresh.service.open.set()
        assert [(await fresh.answer(used)).title, (await fresh.reply(asked)).title] == [say.ANSWERED] * 2
        identified = 1 if lost in {"drop", "ask_to_reconnect"} else 2
        await again(fresh, 2)
        await fresh.log.until(lambda: len(fresh.gateway.identifies) == identified, "the session")
        await again(fresh, 2)
        assert (await fresh.mention(LAMP)).title == say.ANSWERED
        await fresh.log.until(lambda: len(fresh.gateway.presences) >= 2, "the presence, again")
    assert set(fresh.gateway.presences) == {say.ANSWERING_FROM.format(3)}
    assert (caplog.text.count("Footnote is on Discord as"), len(fresh.log.seen("PUT", "/commands$"))) == (
        1,
        1,
    )
    assert (len(fresh.service.asked), no_traceback(caplog)) == (3, True)


async def test_what_is_asked_while_the_connection_is_lost_is_answered_after_the_resume(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.ask()
        fresh.gateway.sessions[0].socket = None  # it is gone, and nobody has noticed yet
        asking = [asyncio.create_task(way(fresh, LAMP)) for way in WAYS.values()]  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        assert len(fresh.service.asked) == 1
        await fresh.gateway.drop()
        assert {answer.title for answer in await asyncio.gather(*asking)} == {say.ANSWERED}
    assert (len(fresh.gateway.resumes), len(fresh.gateway.identifies)) == (1, 1)


@pytest.mark.parametrize("named", [None, "wss://gateway-us-east1-b.discord.gg", "no address", "elsewhere"])
async def test_a_resume_goes_to_the_configured_server_whatever_is_named(
    fresh: Chat, named: str | None
) -> None:
    async with Chat(TOKEN) as elsewhere:
        fresh.gateway.resume_url = elsewhere.gateway_url if named == "elsewhere" else named
        async with fresh.bot():
            await fresh.gateway.drop()
            await again(fresh, 2)
            assert (len(fresh.gateway.resumes), elsewhere.gateway.connections) == (1, 0)


async def test_an_event_that_cannot_be_read_is_skipped(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    connections = chat.gateway.connections
    await chat.gateway.dispatch("INTERACTION_CREATE", {"type": 2})
    await chat.gateway.dispatch("MESSAGE_CREATE", {"channel_id": "none"})
    await chat.gateway.dispatch("AN_EVENT_OF_TOMORROW", {})
    assert (await chat.mention()).title == say.ANSWERED
    assert (chat.gateway.connections, caplog.text.count("skipped")) == (connections, 2)


class PromptShards(PromptClient, ShardedFootnoteClient):
    """The same over as many connections as Discord asks for."""


def two_shards(*given: Any) -> FootnoteClient:
    """Make a client of two shards."""
    return PromptShards(*given, shards=2)


async def test_each_shard_answers_its_own_servers_and_a_lost_one_is_connected_again(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    fresh.gateway.shards = 2
    async with fresh.bot(two_shards):
        await fresh.log.until(lambda: len(fresh.gateway.presences) >= 2, "both")
        guilds = [(await fresh.server(shard=number, shards=2))[0] for number in (0, 1)]
        for guild in guilds:
            for asking in (fresh.mention, fresh.ask):
                assert (await asking(LAMP, guild.owner, guild)).title == say.ANSWERED
        assert (await fresh.direct(LAMP, guilds[1].owner)).title == say.ANSWERED
        lost = fresh.gateway.sessions.pop()  # so that it has to identify anew
        assert lost.socket is not None
        await lost.socket.close(code=4000)
        await again(fresh, 3)
        await fresh.announce(guilds[1])
        assert (await fresh.mention(LAMP, guilds[1].owner, guilds[1])).title == say.ANSWERED
    assert [one["shard"] for one in fresh.gateway.identifies] == [[0, 2], [1, 2], [1, 2]]
    assert no_traceback(caplog)


@pytest.mark.parametrize("kind", [PromptClient, two_shards])
async def test_a_refusal_while_serving_ends_all_once_answers_are_given(fresh: Chat, kind: Any) -> None:
    fresh.gateway.shards = 1 if kind is PromptClient else 2
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        async with fresh.bot(kind, drain=3) as bot:
            await fresh.log.until(lambda: len(fresh.gateway.presences) >= fresh.gateway.shards, "all")
            fresh.service.open.clear()
            used = await fresh.slash(fresh.ann, "ask", fresh.ann, question=LAMP)
            await until(lambda: fresh.service.asked)
            socket = fresh.gateway.sessions[-1].socket
            assert socket is not None
            await socket.close(code=4004)
            fresh.service.open.set()
            await asyncio.wait({bot.serving}, timeout=5)
    assert (await fresh.answer(used)).title == say.ANSWERED
    await fresh.log.until(lambda: not any(one.socket for one in fresh.gateway.sessions), "the end of all")
