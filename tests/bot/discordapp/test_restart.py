"""Every button and form after a restart, from a message that the bot posted before it; and while stopping."""

from __future__ import annotations

import asyncio

import pytest

from bot.answering.answer import Verdict
from bot.answering.followups import Earlier
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer, sample_article
from tests.bot.discordapp.stage import (
    answer_to,
    has_articles,
    inhabited,
    mentioned,
    noticed,
    pressed,
    title_of,
)
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

_QUESTION = "When did it open?"


@pytest.fixture
def stocked(service: FakeService) -> FakeService:
    """Let nothing be quite an answer, and all of it stand in articles."""
    service.reply = sample_answer(
        verdict=Verdict.RELATED, articles=("councils", "more"), further=("Second.", "Third.")
    )
    has_articles(
        service,
        sample_article("councils", f"{QUOTE} And so on."),
        sample_article("more", "Second."),
    )
    return service


async def answers(wire: LoopbackDiscord, guild: Guild, user: User) -> list[Json]:
    """Ask by command, by mention, in private and in direct messages; return the answers."""
    direct = wire.world.dm(user)
    return [
        await answer_to(wire, user, guild, _QUESTION),
        await mentioned(wire, user, guild, _QUESTION),
        await answer_to(wire, user, guild, _QUESTION, private=True),
        await wire.reply_to(await wire.say(direct, user, _QUESTION)),
    ]


async def test_every_button_works_after_a_restart(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), stocked) as bot:
        await bot.surface.records.change(guild.id, None, helper_channel=guild.channels[0].id)
        before = await answers(wire, guild, ann)
    asked = len(stocked.asked)
    async with running(bot_settings(), stocked) as bot:
        for answer in before:
            context = await pressed(wire, ann, answer, "Show context")
            assert "In its place" in title_of(context)
            source = await pressed(wire, ann, answer, "Next source")
            assert title_of(source) == "Source 2 of 3"
            assert render(source["embeds"][0]["description"]).quotes == ["Second."]
            assert title_of(await pressed(wire, ann, answer, "Why?")) == "Why this verdict"
            assert title_of(await pressed(wire, ann, answer, "Helpful")) == "Thank you"
            for button, typed in (("Ask a follow-up", "And who?"), ("Not helpful", "No.")):
                sent = await wire.submit(await wire.press(ann, answer, button), [typed])
                assert (await wire.response_to(sent))["embeds"]
            if "Ask the helpers" in wire.buttons(answer):
                used = await wire.press(ann, answer, "Ask the helpers")
                assert title_of(await noticed(wire, used)) == "Passed on"
        given = [*await bot.surface.records.feedback(guild.id), *await bot.surface.records.feedback(None)]
    again, after = (_QUESTION, None, None), ("And who?", None, Earlier(_QUESTION))
    assert stocked.asked_with[asked:] == [again, after] * 4
    assert {one.message for one in given} == {int(answer["id"]) for answer in before}
    assert {(one.question, one.helpful, one.reason) for one in given} == {(_QUESTION, False, "No.")}
    assert len([one for one in wire.said(guild) if _QUESTION in one["content"]]) == 3


async def test_sources_go_on_being_paged_after_a_restart(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    ann = wire.world.user("ann")
    async with running(bot_settings(), stocked):
        source = await pressed(wire, ann, await answer_to(wire, ann), "Next source")
    stocked.texts["councils"] = sample_article("councils", "Third.")
    async with running(bot_settings(), stocked):
        paged = await pressed(wire, ann, source, "Next source")
    assert paged["id"] == source["id"]
    assert title_of(paged) == "Source 3 of 3"
    assert render(paged["embeds"][0]["description"]).quotes == ["Third."]


async def test_a_form_that_was_opened_before_a_restart_can_be_sent_after_it(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), stocked):
        answer = await mentioned(wire, ann, guild, _QUESTION)
        follow_up, reason = [
            await wire.press(ann, answer, button) for button in ("Ask a follow-up", "Not helpful")
        ]
        for opened in (follow_up, reason):
            await wire.form(opened)
    async with running(bot_settings(), stocked) as bot:
        shown = await wire.response_to(await wire.submit(follow_up, ["And who?"]))
        assert stocked.asked_with[-1] == ("And who?", None, Earlier(_QUESTION))
        assert wire.buttons(shown) == wire.buttons(answer)
        assert title_of(await wire.response_to(await wire.submit(reason, ["No."]))) == "Thank you"
        (given,) = await bot.surface.records.feedback(guild.id)
    assert (given.question, given.helpful, given.reason) == (_QUESTION, False, "No.")


async def test_a_button_that_was_pressed_before_stays_gone_after_a_restart(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), stocked) as bot:
        await bot.surface.records.change(guild.id, None, helper_channel=guild.channels[0].id)
        answer = await answer_to(wire, ann, guild)
        await noticed(wire, await wire.press(ann, answer, "Ask the helpers"))
    async with running(bot_settings(), stocked):
        assert "Ask the helpers" not in wire.buttons(answer)
        for button in ("Show context", "Why?", "Helpful"):
            assert (await pressed(wire, ann, answer, button))["embeds"]


@pytest.mark.parametrize("restart", [False, True])
async def test_why_asks_the_article_again_that_was_asked_alone(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings, restart: bool
) -> None:
    ann = wire.world.user("ann")
    async with running(bot_settings(), stocked):
        answer = await answer_to(wire, ann, None, _QUESTION, article="more")
        if not restart:
            await pressed(wire, ann, answer, "Why?")
    async with running(bot_settings(), stocked):
        if restart:
            await pressed(wire, ann, answer, "Why?")
        assert stocked.asked_with == [(_QUESTION, "more", None)] * 2
        stocked.lines = stocked.lines[:1]
        assert title_of(await pressed(wire, ann, answer, "Why?")) == "This article has changed"
    assert len(stocked.asked_with) == 2


async def test_why_asks_a_follow_up_again_with_what_it_leant_on(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    async with running(bot_settings(), stocked):
        first = await answer_to(wire, ann, guild, _QUESTION)
        second = await wire.reply_to(await wire.say(guild, ann, "And who?", reply_to=first))
        used = await wire.press(bob, second, "Why?")
        assert title_of(await wire.response_to(used)) == "Why this verdict"
    assert used.ephemeral
    assert stocked.asked_with[1] == stocked.asked_with[2]
    assert stocked.asked_with[1][2] is not None


@pytest.mark.parametrize("button", ["Why?", "Ask the helpers"])
async def test_a_question_that_can_no_longer_be_seen_is_said_to_be_lost(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings, button: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), stocked) as bot:
        await bot.surface.records.change(guild.id, None, helper_channel=guild.channels[0].id)
        asked = await wire.say(guild, ann, f"{wire.world.bot.mention} {_QUESTION}")
        answer = await wire.reply_to(asked)
    await wire.delete(asked)
    async with running(bot_settings(), stocked):
        begun = len(wire.log.requests)
        used = await wire.press(ann, answer, button)
        shown = await (noticed(wire, used) if button == "Ask the helpers" else wire.response_to(used))
    first, then = [one.path for one in wire.log.requests[begun:]][:2]
    assert first.endswith("/callback")  # before Discord is asked for the question
    assert then.endswith(f"/messages/{asked['id']}")
    assert title_of(shown) == "The question can no longer be seen"
    assert shown["flags"] & 64
    assert len(stocked.asked) == 1
    assert len(wire.said(guild)) == 1


async def test_why_is_counted_as_a_question_is(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    async with running(bot_settings(discord_user_rate=2), stocked):
        ann = wire.world.user("ann")
        answer = await answer_to(wire, ann)
        titles = [title_of(await pressed(wire, ann, answer, "Why?")) for _ in range(2)]
    assert titles == ["Why this verdict", "That was quick"]
    assert len(stocked.asked) == 2


async def test_a_press_that_stopping_gives_up_is_told_so(
    wire: LoopbackDiscord, stocked: FakeService, bot_settings: MakeBotSettings
) -> None:
    ann = wire.world.user("ann")
    client, stop = FootnoteClient(bot_settings(), stocked), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=0.1))
    await asyncio.wait_for(client.ready.wait(), 5)
    answer = await answer_to(wire, ann)
    stocked.open.clear()
    used = await wire.press(ann, answer, "Why?")
    await wire.log.until(lambda: used.loading, "an acknowledgement")
    stop.set()
    await asyncio.wait_for(serving, 8)
    assert title_of(await wire.response_to(used)) == "Footnote is stopping"
