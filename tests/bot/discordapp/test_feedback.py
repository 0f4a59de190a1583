"""Helpful or not, and passing a question on to a server's helpers."""

from __future__ import annotations

import asyncio

import pytest

from tests.bot.discordapp.asking import ask, eventually, mention, notice, press, set_to, until
from tests.bot.discordapp.conftest import running
from tests.bot.discordapp.phrases import (
    HELPERS,
    HELPFUL,
    NO_HELPERS,
    NOT_HELPFUL,
    NOT_PASSED_ON,
    PASSED_ON,
    RECORDING_OFF,
    THANKS,
)
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP, ControlledService
from tests.wire.driver import Wire
from tests.wire.world import Channel, Guild, Message, Permission, User

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def kept(wire: Wire, user: User) -> list[str]:
    """Return what /privacy show has of somebody's votes."""
    shown = await wire.answer(await wire.slash(user, "privacy show", user))
    return list(shown.fields.values())[1].split("\n")


async def test_a_vote_is_kept_with_its_question_and_thanked_for_in_private(wire: Wire) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    for answer in (await ask(wire, ann, guild, LAMP), await mention(wire, ann, guild, BREAD)):
        thanks = await press(wire, bob, answer, HELPFUL)  # it need not be the asker's
        assert (thanks.title, thanks.private) == (THANKS, True)
    direct = await mention(wire, bob, bob, LAMP)
    await press(wire, bob, direct, HELPFUL)
    assert [line.split(": ")[1] for line in await kept(wire, bob)] == [LAMP, BREAD, LAMP]
    assert len(await kept(wire, ann)) == 1  # which says that there is nothing


@pytest.mark.parametrize(("typed", "reason"), [("It is of 1872.", "It is of 1872."), ("  ", ""), (None, "")])
async def test_not_helpful_asks_for_a_reason_and_is_kept_though_that_is_dismissed(
    wire: Wire, typed: str | None, reason: str
) -> None:
    guild, ann = await wire.server("ann")
    used = await wire.press(ann, await ask(wire, ann, guild), NOT_HELPFUL)
    (label,) = (await wire.form(used))["components"]
    assert (label["component"]["required"], label["component"]["max_length"]) == (False, 500)
    if typed is not None:
        assert (await wire.answer(await wire.submit(used, typed))).title == THANKS
    (vote,) = await eventually(lambda: kept(wire, ann), lambda votes: LAMP in votes[0])
    assert vote.endswith(reason or LAMP)


async def test_a_person_has_one_vote_on_an_answer_the_last(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    answer, other = await ask(wire, ann, guild, LAMP), await ask(wire, ann, guild, BREAD)
    for one in (answer, answer, other):
        await press(wire, ann, one, HELPFUL)
    assert len(await kept(wire, ann)) == 2
    await wire.answer(await wire.submit(await wire.press(ann, answer, NOT_HELPFUL), "No."))
    votes = await kept(wire, ann)
    assert len(votes) == 2
    assert any(LAMP in one and one.endswith("No.") for one in votes)


@pytest.mark.xfail(strict=True, reason="until the merge: with record_days=0 nothing is kept")
async def test_where_nothing_is_recorded_nobody_is_asked_and_old_buttons_say_so(
    own_wire: Wire, service: ControlledService
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        answer = await ask(own_wire, ann, guild, LAMP)
    async with running(own_wire, service, record_days=0):
        assert not {HELPFUL, NOT_HELPFUL} & set((await ask(own_wire, ann, guild, LAMP)).buttons)
        for label in (HELPFUL, NOT_HELPFUL):
            told = await press(own_wire, ann, answer, label)
            assert (told.title, told.private) == (RECORDING_OFF, True)
        assert len(await kept(own_wire, ann)) == 1


# Helpers


async def helped(wire: Wire, **more: object) -> tuple[Guild, Channel, User, User]:
    """Make a server whose helpers are told in a channel of their own."""
    guild, ann, bob = await wire.server("ann", "bob")
    helpers = await wire.channel(guild, "help")
    await set_to(wire, guild, "helpers", channel=helpers, **more)
    return guild, helpers, ann, bob


def posted(wire: Wire, where: Channel | Guild) -> list[Message]:
    """Return what was passed on in a channel."""
    return [one for one in wire.said(where) if not one.embeds]


def link_to(message: Message) -> str:
    """Return the address of a message in a server."""
    assert message.channel.guild is not None
    return f"https://discord.com/channels/{message.channel.guild.id}/{message.channel.id}/{message.id}"


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_question_is_passed_on_with_a_link_and_pings_the_helpers_alone(
    wire: Wire, by_command: bool
) -> None:
    guild, helpers, ann, bob = await helped(wire)
    role = wire.world.role(guild, "helpers")
    await set_to(wire, guild, "helpers", channel=helpers, role=role)
    question = f"@everyone **who** painted it, <@{ann.id}>?"
    answer = await (ask if by_command else mention)(wire, ann, guild, question)
    before = answer.embeds, answer.content, set(answer.buttons)
    told = await notice(wire, bob, answer, HELPERS)
    assert (told.title, told.private) == (PASSED_ON, True)
    (message,) = posted(wire, helpers)
    assert message.shown.quotes == [question]
    assert all(part in message.content for part in (f"<@&{role.id}>", bob.mention, link_to(answer)))
    assert wire.log.pings == [role.id]
    assert (answer.embeds, answer.content, {*answer.buttons, HELPERS}) == before
    assert HELPERS not in answer.buttons


async def test_a_role_alone_is_pinged_where_the_question_was_asked_and_a_channel_alone_pings_nobody(
    wire: Wire,
) -> None:
    guild, helpers, ann, _ = await helped(wire)
    await notice(wire, ann, await ask(wire, ann, guild, ABSENT), HELPERS)
    assert (len(posted(wire, helpers)), wire.log.pings) == (1, [])
    role = wire.world.role(guild, "helpers")
    await set_to(wire, guild, "helpers", role=role)
    await notice(wire, ann, await ask(wire, ann, guild, ABSENT), HELPERS)
    assert (len(posted(wire, guild)), wire.log.pings) == (1, [role.id])


async def test_two_who_press_at_once_pass_it_on_once_and_both_are_told(wire: Wire) -> None:
    guild, helpers, ann, bob = await helped(wire)
    answer = await mention(wire, ann, guild, ABSENT)
    both = await asyncio.gather(*(notice(wire, user, answer, HELPERS) for user in (ann, bob)))
    assert ([one.title for one in both], len(posted(wire, helpers))) == ([PASSED_ON] * 2, 1)


async def test_a_private_answer_is_passed_on_without_a_link(wire: Wire) -> None:
    guild, helpers, ann, _ = await helped(wire)
    await notice(wire, ann, await ask(wire, ann, guild, ABSENT, private=True), HELPERS)
    (message,) = posted(wire, helpers)
    assert (message.shown.quotes, "https" in message.content) == ([ABSENT], False)


async def test_a_thread_has_the_helpers_of_its_channel(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    helpers = await wire.channel(guild, "help")
    await set_to(wire, guild, "helpers", channel=helpers)
    answer = await mention(wire, ann, await wire.thread(guild, ann, "thread"), ABSENT)
    await notice(wire, ann, answer, HELPERS)
    assert link_to(answer) in posted(wire, helpers)[0].content


@pytest.mark.parametrize("trouble", [Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL, "removed", "server"])
async def test_where_helpers_cannot_be_told_whoever_pressed_hears_so_and_may_try_again(
    wire: Wire, trouble: Permission | str, caplog: pytest.LogCaptureFixture
) -> None:
    guild, helpers, ann, bob = await helped(wire)
    answer = await ask(wire, ann, guild, ABSENT)
    if trouble == "removed":
        await wire.remove(helpers)
    elif trouble == "server":
        wire.faults.answer("POST", f"/channels/{helpers.id}/messages", status=501)
    else:
        await wire.deny(helpers, Permission(trouble))
    told = await notice(wire, ann, answer, HELPERS)
    assert (told.title, told.private) == (NOT_PASSED_ON, True)
    assert HELPERS in answer.buttons
    await until(lambda: "could not be passed on" in caplog.text)
    await set_to(wire, guild, "helpers", channel=guild.channels[0])
    assert (await notice(wire, bob, answer, HELPERS)).title == PASSED_ON


async def test_helpers_that_are_no_longer_named_are_not_told(wire: Wire) -> None:
    guild, helpers, ann, _ = await helped(wire)
    answer = await ask(wire, ann, guild, ABSENT)
    await set_to(wire, guild, "helpers")
    told = await press(wire, ann, answer, HELPERS)
    assert (told.title, told.private, posted(wire, helpers)) == (NO_HELPERS, True, [])
