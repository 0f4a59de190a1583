"""Passing a question on to a server's helpers, over the wire."""

from __future__ import annotations

import asyncio

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, noticed, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import SEND_MESSAGES, VIEW_CHANNEL
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

_BUTTON = "Ask the helpers"


@pytest.fixture
async def place(wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient) -> tuple[Guild, User, User]:
    """Make a server with two members, in which nothing is answered."""
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    assert bot.is_ready()
    return guild, ann, bob


async def help_channel(wire: LoopbackDiscord, bot: FootnoteClient, guild: Guild, **more: int) -> Channel:
    """Make a channel for helpers, and name it in the settings, with what more there is to name."""
    made = wire.world.channel(guild, "help")
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, None, helper_channel=made.id, **more)
    return made


def posted(wire: LoopbackDiscord, where: Channel | Guild) -> list[str]:
    """Return the texts of the bot's own messages in a channel that are no answers."""
    return [one["content"] for one in wire.said(where) if not one["embeds"]]


def link_to(message: Json, guild: Guild) -> str:
    return f"https://discord.com/channels/{guild.id}/{message['channel_id']}/{message['id']}"


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_question_goes_to_the_channel_that_is_named_with_a_link_and_pings_the_role_alone(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User], by_command: bool
) -> None:
    guild, ann, bob = place
    role = wire.world.role(guild, "helpers")
    helpers = await help_channel(wire, bot, guild, helper_role=role.id)
    question = "@everyone **why** <@&1>?"
    answer = await (answer_to if by_command else mentioned)(wire, ann, guild, question)
    notice = await noticed(wire, await wire.press(bob, answer, _BUTTON))
    assert title_of(notice) == "Passed on"
    assert notice["flags"] & 64
    (text,) = posted(wire, helpers)
    first, quoted, link = text.split("\n")
    assert first.startswith(f"<@&{role.id}> <@{bob.id}> ")
    assert render(quoted).quotes == [question]
    assert render(quoted).constructs == []
    assert link == f"Asked in {link_to(answer, guild)}"
    assert [ping.whom for ping in wire.log.pings] == [str(role.id)]


async def test_with_a_role_alone_it_is_pinged_where_the_question_was_asked(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    role = wire.world.role(guild, "helpers")
    await bot.surface.records.change(guild.id, None, helper_role=role.id)
    answer = await answer_to(wire, ann, guild)
    await noticed(wire, await wire.press(ann, answer, _BUTTON))
    (text,) = posted(wire, guild)
    assert text.startswith(f"<@&{role.id}> <@{ann.id}> ")
    assert [ping.whom for ping in wire.log.pings] == [str(role.id)]


async def test_with_a_channel_alone_nobody_is_pinged(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    helpers = await help_channel(wire, bot, guild)
    await noticed(wire, await wire.press(ann, await mentioned(wire, ann, guild), _BUTTON))
    (text,) = posted(wire, helpers)
    assert text.startswith(f"<@{ann.id}> ")
    assert wire.log.pings == []


async def test_the_button_is_then_gone_for_everybody_and_the_answer_stays(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    await help_channel(wire, bot, guild)
    answer = await answer_to(wire, ann, guild)
    before, shown, above = wire.buttons(answer), answer["embeds"], answer["content"]
    await noticed(wire, await wire.press(ann, answer, _BUTTON))
    after = wire.messages.all[int(answer["id"])]
    assert wire.buttons(after) == [one for one in before if one != _BUTTON]
    assert (after["embeds"], after["content"]) == (shown, above)


async def test_two_who_press_at_once_pass_it_on_once_and_both_are_told(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, bob = place
    helpers = await help_channel(wire, bot, guild)
    answer = await mentioned(wire, ann, guild)
    both = await asyncio.gather(*(wire.press(who, answer, _BUTTON) for who in (ann, bob)))
    assert [title_of(await noticed(wire, one)) for one in both] == ["Passed on"] * 2
    assert len(posted(wire, helpers)) == 1


async def test_a_private_answer_is_passed_on_without_a_link(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    helpers = await help_channel(wire, bot, guild)
    answer = await answer_to(wire, ann, guild, private=True)
    await noticed(wire, await wire.press(ann, answer, _BUTTON))
    (text,) = posted(wire, helpers)
    assert render(text).quotes == ["When did it open?"]
    assert "https" not in text
    assert _BUTTON not in wire.buttons(answer)


@pytest.mark.parametrize("trouble", ["forbidden", "hidden", "removed", "server"])
async def test_where_helpers_cannot_be_told_whoever_pressed_hears_so_and_may_try_again(
    wire: LoopbackDiscord,
    bot: FootnoteClient,
    place: tuple[Guild, User, User],
    trouble: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    guild, ann, bob = place
    helpers = await help_channel(wire, bot, guild)
    answer = await answer_to(wire, ann, guild)
    if trouble == "removed":
        await wire.remove(helpers)
    elif trouble == "server":
        wire.fault("POST", f"/channels/{helpers.id}/messages", status=501)
    else:
        await wire.deny(helpers, SEND_MESSAGES if trouble == "forbidden" else VIEW_CHANNEL)
    notice = await noticed(wire, await wire.press(ann, answer, _BUTTON))
    assert title_of(notice) == "The helpers could not be told"
    assert notice["flags"] & 64
    assert "could not be passed on" in caplog.text
    assert _BUTTON in wire.buttons(answer)
    await bot.surface.records.change(guild.id, None, helper_channel=guild.channels[0].id)
    assert title_of(await noticed(wire, await wire.press(bob, answer, _BUTTON))) == "Passed on"
    assert len(posted(wire, guild)) == 1


async def test_an_answer_that_is_deleted_meanwhile_is_passed_on_all_the_same(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    helpers = await help_channel(wire, bot, guild)
    answer = await answer_to(wire, ann, guild)
    gone = b'{"message": "Unknown Message", "code": 10008}'
    wire.fault("PATCH", r"/messages/@original$", status=404, body=gone)
    assert title_of(await noticed(wire, await wire.press(ann, answer, _BUTTON))) == "Passed on"
    assert len(posted(wire, helpers)) == 1


async def test_helpers_that_are_no_longer_named_are_not_told(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    helpers = await help_channel(wire, bot, guild)
    answer = await answer_to(wire, ann, guild)
    await bot.surface.records.change(guild.id, None, helper_channel=None)
    used = await wire.press(ann, answer, _BUTTON)
    assert title_of(await wire.response_to(used)) == "This server names no helpers"
    assert used.ephemeral
    assert posted(wire, helpers) == []


async def test_a_thread_has_the_helpers_of_its_channel(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    helpers = wire.world.channel(guild, "help")
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, guild.channels[0].id, helper_channel=helpers.id)
    thread = await wire.thread(guild, ann, "About the academy")
    answer = await mentioned(wire, ann, thread)
    await noticed(wire, await wire.press(ann, answer, _BUTTON))
    (text,) = posted(wire, helpers)
    assert link_to(answer, guild) in text
