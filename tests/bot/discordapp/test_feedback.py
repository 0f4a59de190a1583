"""Helpful or not: what is kept of it, over the wire and in the records."""

from __future__ import annotations

import asyncio

import pytest

from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, noticed, pressed, title_of
from tests.wire.forms import fields_of
from tests.wire.loopback import LoopbackDiscord

_QUESTION = "When did it open?"


async def kept(bot: FootnoteClient, server: int | None) -> list[tuple[str, bool, str]]:
    """Return what was kept of a server's feedback, the newest first: question, vote and reason."""
    return [(one.question, one.helpful, one.reason) for one in await bot.surface.records.feedback(server)]


async def voted(bot: FootnoteClient, server: int) -> tuple[str, bool, str]:
    """Return the one vote in a server, once it is kept: the form that it opens comes before."""
    found: list[tuple[str, bool, str]] = []
    async with asyncio.timeout(3):
        while not found:
            found = await kept(bot, server)
    (vote,) = found
    return vote


@pytest.mark.parametrize("by_command", [True, False])
async def test_helpful_is_kept_with_its_question_and_thanked_for_in_private(
    wire: LoopbackDiscord, bot: FootnoteClient, by_command: bool
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    answer = await (answer_to if by_command else mentioned)(wire, ann, guild)
    used = await wire.press(bob, answer, "Helpful")  # who need not be the asker
    thanks = await wire.response_to(used)
    assert (title_of(thanks), thanks["embeds"][0]["description"]) == ("Thank you", "Noted as helpful.")
    assert used.ephemeral
    (one,) = await bot.surface.records.feedback(guild.id)
    assert (one.question, one.helpful, one.reason) == (_QUESTION, True, "")
    assert (one.server, one.channel, one.message) == (guild.id, guild.channels[0].id, int(answer["id"]))
    assert [given.message for given in (await bot.surface.records.show(bob.id)).feedback] == [one.message]
    assert (await bot.surface.records.show(ann.id)).feedback == ()


async def test_feedback_in_direct_messages_is_of_no_server(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    ann = wire.world.user("ann")
    answer = await wire.reply_to(await wire.say(wire.world.dm(ann), ann, _QUESTION))
    await pressed(wire, ann, answer, "Helpful")
    assert await kept(bot, None) == [(_QUESTION, True, "")]


async def test_not_helpful_opens_a_form_and_is_kept_though_that_is_dismissed(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    used = await wire.press(ann, await answer_to(wire, ann, guild), "Not helpful")
    ((label, field),) = fields_of(await wire.form(used))
    assert (label, field["required"], field["max_length"]) == ("In a few words", False, 500)
    assert await voted(bot, guild.id) == (_QUESTION, False, "")


@pytest.mark.parametrize(("typed", "reason"), [("It is of 2018.", "It is of 2018."), ("  ", ""), ("", "")])
async def test_the_reason_is_kept_with_the_vote_and_may_be_left_out(
    wire: LoopbackDiscord, bot: FootnoteClient, typed: str, reason: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    used = await wire.press(ann, await answer_to(wire, ann, guild), "Not helpful")
    sent = await wire.submit(used, [typed])
    thanks = await wire.response_to(sent)
    assert (title_of(thanks), thanks["embeds"][0]["description"]) == ("Thank you", "Noted as not helpful.")
    assert sent.ephemeral
    assert await kept(bot, guild.id) == [(_QUESTION, False, reason)]


async def test_a_person_has_one_vote_on_a_message_the_last(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    first, second = await answer_to(wire, ann, guild), await answer_to(wire, ann, guild, "And who?")
    for _ in range(3):
        await pressed(wire, ann, first, "Helpful")
    await pressed(wire, bob, first, "Helpful")
    await pressed(wire, ann, second, "Helpful")
    assert await bot.surface.records.feedback_counts(guild.id) == (3, 0)
    await wire.response_to(await wire.submit(await wire.press(ann, first, "Not helpful"), ["No."]))
    assert await bot.surface.records.feedback_counts(guild.id) == (2, 1)
    assert (_QUESTION, False, "No.") in await kept(bot, guild.id)


@pytest.mark.parametrize("button", ["Helpful", "Not helpful"])
async def test_with_recording_off_nothing_is_kept_and_buttons_of_before_say_so(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings, button: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), service):
        answer = await answer_to(wire, ann, guild)
        opened = await wire.press(ann, await answer_to(wire, ann, guild), "Not helpful")
        await wire.form(opened)
    async with running(bot_settings(record_days=0), service) as bot:
        before = await kept(bot, guild.id)
        for used in (await wire.press(ann, answer, button), await wire.submit(opened, ["No."])):
            assert title_of(await wire.response_to(used)) == "Footnote's operator has switched recording off."
            assert used.ephemeral
        assert await kept(bot, guild.id) == before == [(_QUESTION, False, "")]


async def test_a_vote_on_an_answer_whose_question_is_lost_is_kept_all_the_same(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), service):
        asked = await wire.say(guild, ann, f"{wire.world.bot.mention} {_QUESTION}")
        answer = await wire.reply_to(asked)
    async with running(bot_settings(), service) as bot:
        await wire.delete(asked)
        await pressed(wire, ann, answer, "Helpful")
        assert await kept(bot, guild.id) == [("", True, "")]


async def test_nobody_is_thanked_for_what_could_not_be_kept(
    wire: LoopbackDiscord, bot: FootnoteClient, caplog: pytest.LogCaptureFixture
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild)
    await bot.surface.records.close()
    used = await wire.press(ann, answer, "Helpful")
    shown = await wire.response_to(used)
    assert title_of(shown) == "Something went wrong"
    assert shown["flags"] & 64
    apology = await noticed(wire, await wire.press(ann, answer, "Not helpful"))
    assert title_of(apology) == "Something went wrong"
    assert apology["flags"] & 64
    assert "A handler failed." in caplog.text
