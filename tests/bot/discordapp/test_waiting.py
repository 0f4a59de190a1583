"""The queue and the cooldowns, as people see them."""

from __future__ import annotations

import gc
import re

import pytest

from bot.discordapp.client import FootnoteClient
from bot.service.job_queue import Waiting
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import QUOTE, FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, noticed, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import EMBED_LINKS
from tests.wire.places import Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

FIFTH = Waiting(5, 4.0)


async def told(wire: LoopbackDiscord, asked: Json) -> Json:
    """Wait until the asker of a message is told of the queue; return that reply as it is then."""
    return dict(await wire.reply_to(asked))


@pytest.mark.usefixtures("bot")
async def test_a_command_tells_the_place_in_line_and_then_the_answer_in_its_place(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.place = FIFTH
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    message = await wire.response_to(used)
    assert title_of(message) == "You are 5th in line"
    assert message["embeds"][0]["description"] == "About 4 s."
    service.open.set()
    await wire.log.until(lambda: len(used.edits) == 2, "the answer")
    assert title_of(message) == "The articles say"
    assert render(message["content"]).quotes == ["Why?"]
    assert used.followups == []


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("denied", [0, EMBED_LINKS])
async def test_a_mention_is_told_the_place_in_line_and_then_the_answer_in_its_place(
    wire: LoopbackDiscord, service: FakeService, denied: int
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await wire.deny(guild.channels[0], denied)
    service.place = FIFTH
    service.open.clear()
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    first = await told(wire, asked)
    assert "You are 5th in line" in str(first)
    service.open.set()
    await wire.log.until(lambda: wire.said(guild)[0]["edited_timestamp"], "the answer")
    (message,) = wire.said(guild)
    assert "You are 5th in line" not in str(message)
    assert bool(message["embeds"]) is not bool(denied)
    shown = message["content"] if denied else message["embeds"][0]["description"]
    assert QUOTE in render(shown).text
    assert "Show context" in wire.buttons(message)
    assert wire.log.pings == []


@pytest.mark.usefixtures("bot")
async def test_who_waits_hardly_at_all_is_told_nothing(wire: LoopbackDiscord, service: FakeService) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.place = Waiting(1, 0.9)
    used = await wire.slash("ask", ann, guild, question="Why?")
    await wire.response_to(used)
    await mentioned(wire, ann, guild)
    assert len(used.edits) == 1
    assert [title_of(one) for one in wire.said(guild)] == ["The articles say"]
    assert wire.said(guild)[0]["edited_timestamp"] is None


@pytest.mark.usefixtures("bot")
async def test_an_answer_is_posted_anew_where_what_told_of_the_queue_is_gone(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.place = FIFTH
    service.open.clear()
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    await wire.delete(await wire.reply_to(asked))
    service.open.set()
    assert title_of(await wire.reply_to(asked)) == "The articles say"


@pytest.mark.usefixtures("bot")
async def test_what_fails_after_waiting_is_said_in_the_place_of_the_queue(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.place, service.error = FIFTH, RuntimeError("boom")
    service.open.clear()
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    used = await wire.slash("ask", ann, guild, question="Why?")
    message = await wire.reply_to(asked)
    await wire.response_to(used)
    service.open.set()
    await wire.log.until(lambda: message["edited_timestamp"], "an apology")
    assert title_of(message) == "Something went wrong"
    assert len(wire.said(guild)) == 1
    assert title_of(await noticed(wire, used)) == "Something went wrong"
    assert used.original is None  # an apology is for the asker alone


@pytest.mark.usefixtures("bot")
async def test_a_place_in_line_that_cannot_be_told_is_no_matter(
    wire: LoopbackDiscord, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.place = FIFTH
    wire.fault("PATCH", r"/messages/@original$", status=403)
    assert title_of(await answer_to(wire, ann, guild)) == "The articles say"
    wire.fault("POST", rf"/channels/{guild.channels[0].id}/messages$", status=403)
    assert title_of(await mentioned(wire, ann, guild)) == "The articles say"
    gc.collect()  # a failure that nobody looked at is told of now
    assert [one.message for one in caplog.records if one.name == "asyncio"] == []


@pytest.mark.usefixtures("bot")
async def test_beyond_the_queue_people_are_told_when_to_try_again(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.error = BusyError("full", seconds=5.2)
    for message in (await answer_to(wire, ann, guild), await mentioned(wire, ann, guild)):
        assert title_of(message) == "Too many questions are waiting"
        assert message["embeds"][0]["description"] == "Footnote is busy. Try again in 6 s."
    assert 'footnote_refused_total{why="busy"} 2.0' in bot.surface.metrics.text().decode()


async def slowed(wire: LoopbackDiscord, user: User, where: Guild | None, way: str) -> int | None:
    """Ask; return after how many seconds to try again, or None where there is an answer."""
    if way == "ask":
        message = await answer_to(wire, user, where)
    elif way == "verify":
        message = await wire.response_to(await wire.slash("verify", user, where, text="It opened."))
    elif where is None:
        message = await wire.reply_to(await wire.say(wire.world.dm(user), user, "Why?"))
    else:
        message = await mentioned(wire, user, where)
    if title_of(message) != "That was quick":
        return None
    found = re.search(r"Try again in (\d+) s\.", message["embeds"][0]["description"])
    assert found is not None
    assert way == "message" or message["flags"] == 64
    return int(found[1])


@pytest.mark.parametrize("third", ["ask", "message", "verify"])
async def test_who_asks_too_much_is_told_when_to_try_again_and_nobody_else(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, third: str
) -> None:
    async with running(bot_settings(discord_user_rate=2), service):
        guild, (ann, bob) = await inhabited(wire, "ann", "bob")
        assert await slowed(wire, ann, guild, "ask") is None
        assert await slowed(wire, ann, None, "message") is None  # wherever it is asked
        wait = await slowed(wire, ann, guild, third)
        assert wait is not None
        assert 1 <= wait <= 30
        assert await slowed(wire, bob, guild, third) is None
    assert len(service.asked) + len(service.checks) == 3


async def test_blank_questions_and_unknown_commands_cost_nothing(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(discord_user_rate=1), service):
        guild, (ann,) = await inhabited(wire, "ann")
        for _ in range(3):
            await answer_to(wire, ann, guild, "   ")
            await wire.reply_to(await wire.say(guild, ann, wire.world.bot.mention))
        assert await slowed(wire, ann, guild, "ask") is None
        assert await slowed(wire, ann, guild, "ask") is not None


async def test_a_server_that_asks_too_much_waits_and_others_and_direct_messages_do_not(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    settings = bot_settings(discord_server_rate=2, discord_user_rate=0)
    async with running(settings, service) as client:
        guild, people = await inhabited(wire, "ann", "bob", "cem")
        other, (dora,) = await inhabited(wire, "dora")
        ann, bob, cem = people
        assert await slowed(wire, ann, guild, "ask") is None
        assert await slowed(wire, bob, guild, "message") is None
        assert await slowed(wire, cem, guild, "ask") is not None
        assert await slowed(wire, cem, guild, "message") is not None
        assert await slowed(wire, dora, other, "message") is None
        assert await slowed(wire, cem, None, "ask") is None
        shown = client.surface.metrics.text().decode()
    assert 'footnote_refused_total{why="rate-limited"} 2.0' in shown
