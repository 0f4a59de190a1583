"""Which questions are kept as gaps, over the wire: those that were not answered, under their server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from bot.records.gaps import Gap
from bot.records.settings import AnswersTo
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.gapped import gaps_answered, gaps_kept
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, noticed, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User

QUESTION = "Who paid for it?"

Way = Callable[[LoopbackDiscord, Guild, User], Awaitable[Channel]]
"""A way of asking QUESTION in a server; returns the channel in which it was asked."""


async def _slash(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    await answer_to(wire, user, guild, QUESTION)
    return guild.channels[0]


async def _mention(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    await mentioned(wire, user, guild.channels[1], QUESTION)
    return guild.channels[1]


async def _reply(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    answer = await mentioned(wire, user, guild, "Answered?")
    await wire.reply_to(await wire.say(guild, user, f"{wire.world.bot.mention} {QUESTION}", answer))
    return guild.channels[0]


async def _menu(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    message = await wire.say(guild, user, QUESTION)
    await wire.response_to(await wire.menu("Answer this", user, message))
    return guild.channels[0]


async def _follow_up(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    used = await wire.press(user, await answer_to(wire, user, guild, "Answered?"), "Ask a follow-up")
    await wire.response_to(await wire.submit(used, [QUESTION]))
    return guild.channels[0]


async def _thread(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    thread = await wire.thread(guild, user, "thread", on=await mentioned(wire, user, guild, "Answered?"))
    await mentioned(wire, user, thread, QUESTION)
    return thread


async def _forum(wire: LoopbackDiscord, guild: Guild, user: User) -> Channel:
    post, starter = await wire.post(guild.channels[2], user, QUESTION, "text")
    await wire.reply_to(starter)
    return post


WAYS: dict[str, Way] = {
    "slash": _slash, "mention": _mention, "reply": _reply, "menu": _menu, "follow-up": _follow_up,
    "thread": _thread, "forum": _forum,
}  # fmt: skip


@pytest.fixture
async def place(wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient) -> tuple[Guild, User]:
    """Make a server with a member, a second channel and a forum, in which every question is answered."""
    service.replies = {"Answered?": sample_answer("Answered?")}
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    guild, (ann,) = await inhabited(wire, "ann")
    wire.world.channel(guild, "second")
    forum = wire.world.forum(guild)
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, forum.id, answers=AnswersTo.QUESTIONS)
    return guild, ann


@pytest.mark.parametrize("verdict", [Verdict.RELATED, Verdict.NOT_FOUND])
@pytest.mark.parametrize("way", WAYS)
async def test_a_question_without_an_answer_is_kept_under_its_server_however_it_was_asked(
    wire: LoopbackDiscord,
    service: FakeService,
    bot: FootnoteClient,
    place: tuple[Guild, User],
    way: str,
    verdict: Verdict,
) -> None:
    guild, ann = place
    service.reply = sample_answer(verdict=verdict)
    channel = await WAYS[way](wire, guild, ann)
    (gap,) = await gaps_kept(bot, guild.id)
    assert (gap.question, gap.channel, gap.count, gap.people) == (QUESTION, channel.id, 1, 1)
    assert (gap.verdict, gap.confidence) == (str(verdict), 0.934)
    assert await bot.surface.records.every_open_gap() == [gap]


@pytest.mark.parametrize("way", ["command", "message", "follow-up", "user-installed", "group"])
async def test_outside_the_bots_servers_it_is_kept_under_none(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User], way: str
) -> None:
    _, ann = place
    foreign = wire.world.guild("foreign", bot=False)
    wire.world.join(foreign, ann)
    elsewhere: dict[str, Guild | Channel] = {"user-installed": foreign, "group": wire.world.group_dm(ann)}
    where = elsewhere.get(way, wire.world.dm(ann))
    if way == "message":
        await wire.reply_to(await wire.say(wire.world.dm(ann), ann, QUESTION))
    elif way == "follow-up":
        used = await wire.press(ann, await answer_to(wire, ann, where, "Answered?"), "Ask a follow-up")
        await wire.response_to(await wire.submit(used, [QUESTION]))
    else:
        installed = "user" if way in {"user-installed", "group"} else "guild"
        await answer_to(wire, ann, where, QUESTION, installed=installed)
    (gap,) = await gaps_kept(bot, None)
    assert (gap.question, gap.server) == (QUESTION, None)
    assert await bot.surface.records.every_open_gap() == [gap]


async def test_a_question_asked_with_another_ones_subject_is_kept_with_it(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    service.replies["And who?"] = sample_answer("And who?", Verdict.RELATED, read_as="academy budget")
    await mentioned(wire, ann, guild, "Answered?")
    await mentioned(wire, ann, guild, "And who?")
    (gap,) = await gaps_kept(bot, guild.id)
    assert gap.question == "And who? (academy budget)"
    service.reply = sample_answer()
    service.swap("g-2")
    await gaps_answered(bot, guild.id)
    assert service.asked_with[-1] == ("And who? (academy budget)", None, None)


async def test_what_was_answered_refused_or_no_question_is_not_kept(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    first, second = guild.channels[:2]
    await answer_to(wire, ann, first, "Answered?")
    assert title_of(await mentioned(wire, ann, first, "")) == "Ask a question"
    blank = await wire.slash("ask", ann, first, question=" \t ")
    assert title_of(await wire.response_to(blank)) == "Ask a question"
    no_article = await wire.slash("ask", ann, first, question="Who?", article="none")
    assert title_of(await noticed(wire, no_article)) == "There is no such article"
    await bot.surface.records.change(guild.id, second.id, answers=AnswersTo.NEVER)
    assert "does not answer" in title_of(await answer_to(wire, ann, second, "Who is refused?"))
    await wire.say(second, ann, f"{wire.world.bot.mention} Who is passed over?")
    for error in (BusyError("full"), RuntimeError("boom")):
        service.error = error
        await mentioned(wire, ann, first, "Who is it when it fails?")
    service.error = None
    assert await last_one(wire, bot, guild, ann) == [QUESTION]


async def test_who_asks_too_often_leaves_nothing(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    async with running(bot_settings(discord_user_rate=1), service) as bot:
        guild, (ann, bob) = await inhabited(wire, "ann", "bob")
        await answer_to(wire, ann, guild, "Who was in time?")
        assert title_of(await answer_to(wire, ann, guild, "Who came too soon?")) == "That was quick"
        assert await last_one(wire, bot, guild, bob) == [QUESTION, "Who was in time?"]


async def last_one(wire: LoopbackDiscord, bot: FootnoteClient, guild: Guild, user: User) -> list[str]:
    """Ask QUESTION, and return what is kept once that is."""
    await answer_to(wire, user, guild, QUESTION)

    def asked(found: list[Gap]) -> bool:
        return any(one.question == QUESTION for one in found)

    found: list[Gap] = []
    while not asked(found):
        found = await gaps_kept(bot, guild.id, times=len(found) + 1)
    return [one.question for one in await bot.surface.records.every_open_gap()]


async def test_nothing_is_kept_where_recording_is_off(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    async with running(bot_settings(record_days=0), service):
        guild, (ann,) = await inhabited(wire, "ann")
        await answer_to(wire, ann, guild)
        await mentioned(wire, ann, guild)
        await wire.reply_to(await wire.say(wire.world.dm(ann), ann, QUESTION))
    async with running(bot_settings(), service) as bot:  # what was under way is done
        assert await bot.surface.records.every_open_gap() == []
        await answer_to(wire, ann, guild)
        assert len(await gaps_kept(bot, guild.id)) == 1
