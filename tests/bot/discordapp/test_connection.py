"""The connection: refusals, resumes, new sessions, shards."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.discordapp.connection import invitation, token_of
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import TOKEN, WAYS, Chat, PromptClient, free_port, no_traceback, until
from tests.bot.discordapp.service import BREAD, LAMP

PAGE = {"status": 200, "body": b"<html>", "content_type": "text/html"}


async def _refusal(chat: Chat, **options: Any) -> str:
    """Return the message with which connecting is refused: one line, without the token."""
    client = PromptClient(chat.settings(**options), {"": chat.service})
    with pytest.raises(DiscordRefusedError) as error:
        await asyncio.wait_for(client.serve(asyncio.Event()), 10)
    assert TOKEN not in "".join(traceback.format_exception(error.value))
    assert ("\n" in str(error.value), error.value.exit_status) == (False, 69)
    return str(error.value)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("  ", "FOOTNOTE_DISCORD_TOKEN is not set"),
        ("two words", "characters that no token has"),
        ("tökén", "characters that no token has"),
        ("another.token", " refused the token. Set FOOTNOTE_DISCORD_TOKEN"),
    ],
)
async def test_an_unusable_token_is_refused_and_not_shown(fresh: Chat, token: str, message: str) -> None:
    refusal = await _refusal(fresh, discord_token=token)
    assert message in refusal
    assert not token.strip() or token not in refusal
    assert fresh.gateway.connections == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [(4004, "refused the token"), (4013, "code 4013")],
)
async def test_a_fatal_close_code_is_explained(fresh: Chat, code: int, message: str) -> None:
    fresh.gateway.close_on_identify = code
    assert message in await _refusal(fresh)


async def test_a_disallowed_intent_is_explained_with_what_to_do(fresh: Chat) -> None:
    refusal = await _refusal(fresh, discord_message_content=True)
    host = urlsplit(fresh.url).netloc
    assert f"{host} refused the privileged intents. Switch on Message Content Intent at {host}" in refusal
    assert ("FOOTNOTE_DISCORD_MESSAGE_CONTENT=false" in refusal, "discord.com" in refusal) == (True, False)


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        ("/users/@me", {"status": 503, "times": 9}, "status 503"),
        ("/users/@me", {"status": 404}, "status 404"),
        ("/users/@me", {"status": 429}, "too many requests"),
        ("/users/@me", PAGE, "does not answer as Discord does"),
        ("/users/@me", {"status": 200, "body": b"{broken"}, "does not answer as Discord does"),
        ("/applications/@me", {"status": 200, "body": b"[]"}, "does not answer as Discord does"),
        ("/gateway$", {"status": 200, "body": b'{"url": 5}'}, "names no gateway"),
        ("/gateway$", {"status": 200, "body": b'{"url": "ws://gateway.example"}'}, "names no gateway"),
        ("/gateway$", PAGE, "names no gateway"),
    ],
)
async def test_an_api_that_is_not_discords_is_explained(
    fresh: Chat, path: str, answer: dict[str, Any], message: str
) -> None:
    fresh.faults.answer("GET", path, **answer)
    assert message in await _refusal(fresh)


async def test_an_address_that_cannot_be_reached_is_named(fresh: Chat) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/api/v10"
    assert f"{nowhere} cannot be reached" in await _refusal(fresh, discord_api_url=nowhere)


async def test_only_discord_itself_is_called_so_and_linked(fresh: Chat) -> None:
    with pytest.raises(DiscordRefusedError, match=r"from https://discord\.com/developers/applications "):
        token_of(BotSettings.load(discord_token=" "))
    link = await invitation(fresh.settings())
    assert link.startswith(f"http://{urlsplit(fresh.url).netloc}/oauth2/authorize?")
    assert f"client_id={fresh.world.application_id}&" in link


async def _connected_again(chat: Chat, connections: int) -> None:
    """Wait until there have been so many connections, and every shard is connected."""
    gateway = chat.gateway
    await chat.log.until(lambda: gateway.connections >= connections and gateway.connected, "a connection")


@pytest.mark.parametrize("fault", ["drop", "request_reconnect", "invalidate", "forget"])
async def test_nothing_is_lost_or_done_twice_when_the_connection_is_lost(
    fresh: Chat, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.INFO)
    async with fresh.bot():
        fresh.service.open.clear()
        use = await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP)
        question = await fresh.say(fresh.ann, fresh.guild, f"{fresh.world.bot.mention} {BREAD}")
        await until(lambda: len(fresh.service.asked) == 2)
        if fault == "forget":
            fresh.gateway.sessions.clear()  # so that the resume is refused
        await getattr(fresh.gateway, fault, fresh.gateway.drop)()
        fresh.service.open.set()
        titles = [(await fresh.answer(use)).title, (await fresh.reply(question)).title]
        assert titles == [texts.ANSWERED] * 2
        identified = 1 if fault in {"drop", "request_reconnect"} else 2
        await fresh.log.until(lambda: len(fresh.gateway.identifies) == identified, "the session")
        await _connected_again(fresh, 2)
        assert (await fresh.mention(LAMP)).title == texts.ANSWERED
        await fresh.log.until(lambda: len(fresh.gateway.presences) >= 2, "the presence")
    assert set(fresh.gateway.presences) == {texts.PRESENCE.format(3)}
    assert (caplog.text.count(texts.CONNECTED), len(fresh.log.seen("PUT", "/commands$"))) == (1, 1)
    assert [caplog.text.count(text) for text in (texts.CONNECTION_LOST, texts.CONNECTION_BACK)] == [1, 1]
    assert (len(fresh.service.asked), no_traceback(caplog)) == (3, True)


async def test_questions_during_an_outage_are_answered_after_the_resume(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.ask()
        fresh.gateway.sessions[0].socket = None  # a broken connection that nobody has noticed yet
        questions = [asyncio.ensure_future(way(fresh, LAMP)) for way in WAYS.values()]
        await asyncio.sleep(0.05)
        assert len(fresh.service.asked) == 1
        await fresh.gateway.drop()
        assert {answer.title for answer in await asyncio.gather(*questions)} == {texts.ANSWERED}
    assert (len(fresh.gateway.resumes), len(fresh.gateway.identifies)) == (1, 1)


@pytest.mark.parametrize("url", ["wss://gateway-us-east1-b.discord.gg", "no address", "elsewhere"])
async def test_a_resume_goes_to_the_configured_server_whatever_url_is_sent(fresh: Chat, url: str) -> None:
    async with Chat(TOKEN) as elsewhere:
        fresh.gateway.resume_url = elsewhere.gateway_url if url == "elsewhere" else url
        async with fresh.bot():
            await fresh.gateway.drop()
            await _connected_again(fresh, 2)
            assert (len(fresh.gateway.resumes), elsewhere.gateway.connections) == (1, 0)


async def test_a_malformed_event_is_skipped(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    connections = chat.gateway.connections
    await chat.gateway.dispatch("INTERACTION_CREATE", {"type": 2})
    await chat.gateway.dispatch("MESSAGE_CREATE", {"channel_id": "none"})
    await chat.gateway.dispatch("AN_EVENT_OF_TOMORROW", {})
    assert (await chat.mention()).title == texts.ANSWERED
    assert (chat.gateway.connections, caplog.text.count(texts.EVENT_SKIPPED)) == (connections, 2)


async def test_each_shard_answers_its_servers_and_reconnects_by_itself(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    fresh.gateway.shards = 2
    async with fresh.bot():
        await fresh.log.until(lambda: len(fresh.gateway.presences) >= 2, "both shards")
        guilds = [(await fresh.server(shard=number, shards=2))[0] for number in (0, 1)]
        for guild in guilds:
            for ask in (fresh.mention, fresh.ask):
                assert (await ask(LAMP, guild.owner, guild)).title == texts.ANSWERED
        assert (await fresh.direct(LAMP, guilds[1].owner)).title == texts.ANSWERED
        second = fresh.gateway.sessions.pop()  # so that it has to identify anew
        assert second.socket is not None
        await second.socket.close(code=4000)
        await _connected_again(fresh, 3)
        await fresh.announce(guilds[1])
        assert (await fresh.mention(LAMP, guilds[1].owner, guilds[1])).title == texts.ANSWERED
    assert [identify["shard"] for identify in fresh.gateway.identifies] == [[0, 2], [1, 2], [1, 2]]
    assert no_traceback(caplog)


async def _refused_while_serving(chat: Chat) -> None:
    async with chat.bot(drain=3) as bot:
        await chat.log.until(lambda: len(chat.gateway.presences) >= chat.gateway.shards, "all shards")
        chat.service.open.clear()
        use = await chat.slash(chat.ann, "ask", chat.ann, question=LAMP)
        await until(lambda: chat.service.asked)
        socket = chat.gateway.sessions[-1].socket
        assert socket is not None
        await socket.close(code=4004)
        chat.service.open.set()
        await asyncio.wait({bot.serving}, timeout=5)
        assert (await chat.answer(use)).title == texts.ANSWERED


@pytest.mark.parametrize("shards", [1, 2])
async def test_a_refusal_while_serving_ends_every_shard_after_the_answers_under_way(
    fresh: Chat, shards: int
) -> None:
    fresh.gateway.shards = shards
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await _refused_while_serving(fresh)
    sessions = fresh.gateway.sessions
    await fresh.log.until(lambda: not any(session.socket for session in sessions), "the end of all shards")


async def _refused_for_ever(chat: Chat, way: str) -> None:
    async with chat.bot() as bot:
        await chat.ask()
        chat.gateway.close_on_identify = 4000 if way == "closed" else None
        chat.gateway.invalidate_on_identify = way == "invalidated"
        chat.gateway.sessions.clear()
        await chat.gateway.drop()
        await asyncio.wait({bot.serving}, timeout=5)


@pytest.mark.parametrize("way", ["closed", "invalidated"])
async def test_a_server_that_refuses_every_session_is_warned_of_and_then_given_up(
    fresh: Chat, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """As a server does that closes with 4000, "unknown error", after the token was reset."""
    message = r"127\.0\.0\.1:\d+ refused 10 sessions of the bot in a row .* set FOOTNOTE_DISCORD_TOKEN"
    with pytest.raises(DiscordRefusedError, match=message) as error:
        await _refused_for_ever(fresh, way)
    assert (error.value.exit_status, "discord.com" in str(error.value)) == (69, False)
    assert len(fresh.gateway.resumes) + len(fresh.gateway.identifies) == 1 + 10
    assert caplog.text.count("has refused 3 sessions in a row") == 1


async def test_the_delay_before_a_reconnect_does_not_grow_across_outages(fresh: Chat) -> None:
    async with fresh.bot() as bot:
        shard = next(iter(bot.client.shards.values()))
        backoff = shard._parent._backoff
        for _ in range(8):
            backoff.delay()
        await fresh.gateway.drop()
        await _connected_again(fresh, 2)
        await until(lambda: not bot.client.refusals)
        backoff._last_invocation -= 61  # a minute later
        assert backoff.delay() <= 2
