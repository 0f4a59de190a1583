"""The /privacy commands, over the wire: one's own rows from everywhere, seen and deleted by oneself alone."""

from __future__ import annotations

from typing import Any

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.gapped import gaps_kept, made_gap
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

Place = Guild | Channel | None


@pytest.fixture
async def place(wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient) -> tuple[Guild, User, User]:
    """Make a server with two members, in which nothing is answered."""
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    assert bot.is_ready()
    return guild, ann, bob


async def privacy(
    wire: LoopbackDiscord, command: str, user: User, where: Place = None, **more: Any
) -> tuple[str, dict[str, list[str]]]:
    """Use a /privacy command; return the text, and the lines of each field as they are read."""
    used = await wire.slash(f"privacy {command}", user, where, **more)
    message = await wire.response_to(used)
    assert used.ephemeral
    (embed,) = message["embeds"]
    fields = {one["name"]: one["value"].split("\n") for one in embed.get("fields", [])}
    return embed["description"], {name: list(map(read, lines)) for name, lines in fields.items()}


def read(line: str) -> str:
    shown = render(line.removeprefix("- "))
    assert shown.constructs == []
    return shown.text


def kept(questions: list[str] | None = None, feedback: list[str] | None = None) -> dict[str, list[str]]:
    """Return the fields that show this and no more."""
    return {
        "Questions without an answer": questions or ["Nothing."],
        "What you said of answers": feedback or ["Nothing."],
    }


async def voted(wire: LoopbackDiscord, user: User, message: Json, reason: str | None = None) -> None:
    """Say that an answer helped, or why it did not, and wait until that is noted."""
    used = await wire.press(user, message, "Helpful" if reason is None else "Not helpful")
    if reason is not None:
        used = await wire.submit(used, [reason])
    assert title_of(await wire.response_to(used)) == "Thank you"


async def test_one_sees_what_is_kept_of_oneself_from_every_server_and_from_direct_messages(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, bob = place
    other, _ = await inhabited(wire)
    wire.world.join(other, ann)
    assert (await privacy(wire, "show", ann, guild))[1] == kept()
    answer = await mentioned(wire, ann, guild, "In one?")
    await gaps_kept(bot, guild.id)
    await answer_to(wire, ann, other, "In the other?")
    await gaps_kept(bot, other.id)
    await wire.reply_to(await wire.say(wire.world.dm(ann), ann, "Alone?"))
    await gaps_kept(bot, None)
    await voted(wire, ann, answer)
    await voted(wire, ann, await answer_to(wire, bob, guild, "Of Bob's?"), "too *short*")
    await gaps_kept(bot, guild.id, times=2)
    mine = kept(
        ["Alone?", "In the other?", "In one?"], ["Not helpful: Of Bob's?: too *short*", "Helpful: In one?"]
    )
    for where in (guild, other, None):
        text, fields = await privacy(wire, "show", ann, where)
        assert fields == mine
        assert "for 90 days" in text
    assert (await privacy(wire, "show", bob, guild))[1] == kept(["Of Bob's?"])


async def test_the_rows_are_shown_also_where_one_has_installed_the_bot_for_oneself(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    _, ann, _ = place
    foreign = wire.world.guild("foreign", bot=False)
    wire.world.join(foreign, ann)
    await answer_to(wire, ann, foreign, "Abroad?", installed="user")
    await gaps_kept(bot, None)
    for where in (foreign, wire.world.group_dm(ann)):
        assert (await privacy(wire, "show", ann, where, installed="user"))[1] == kept(["Abroad?"])


async def test_to_forget_deletes_ones_own_and_leaves_the_others(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, bob = place
    both = "Of both?"
    await voted(wire, ann, await answer_to(wire, ann, guild, both))
    await voted(wire, bob, await answer_to(wire, bob, guild, both))
    await answer_to(wire, ann, guild, both)
    await gaps_kept(bot, guild.id, times=3)
    await made_gap(bot, guild, ann, "Of Ann?")
    await made_gap(bot, None, ann, "Of Ann, alone?")
    before = await privacy(wire, "show", bob)
    assert (await privacy(wire, "forget", ann))[0] == "Rows deleted: 5."  # four times asked, one vote
    for where in (guild, None):
        assert (await privacy(wire, "show", ann, where))[1] == kept()
    assert await privacy(wire, "show", bob) == before == (before[0], kept([both], [f"Helpful: {both}"]))
    (gap,) = await bot.surface.records.every_open_gap()
    assert (gap.question, gap.count, gap.people) == (both, 1, 1)
    assert (await privacy(wire, "forget", ann))[0] == "Rows deleted: 0."


async def test_what_is_forgotten_is_in_no_managers_list(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    number = await made_gap(bot, guild, ann, "Of Ann?")
    await bot.surface.records.mark_answered(number, "g-2")
    await privacy(wire, "forget", ann, guild)
    for answered in (False, True):
        used = await wire.slash("gaps list", guild.owner, guild, answered=answered)
        (embed,) = (await wire.response_to(used))["embeds"]
        assert embed["description"] == "There are none."


async def test_asking_again_after_forgetting_is_kept_anew(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    for _ in range(2):
        await answer_to(wire, ann, guild, "Of Ann?")
        await gaps_kept(bot, guild.id)
        assert (await privacy(wire, "show", ann))[1] == kept(["Of Ann?"])
        assert (await privacy(wire, "forget", ann))[0] == "Rows deleted: 1."


@pytest.mark.parametrize("text", ["**x** <@1> `y`\n- z " * 50, "\U0001f3f4" * 900, "x" * 900, "1. one"])
@pytest.mark.parametrize("count", [9, 10, 40])
async def test_much_that_is_kept_stays_within_the_limits_and_what_has_no_room_is_counted(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User], text: str, count: int
) -> None:
    guild, ann, _ = place
    for number in range(count):
        await made_gap(bot, guild, ann, f"{text} {number}")
        await bot.surface.records.add_feedback(
            server=guild.id, channel=1, message=number, user=ann.id, question=text, helpful=False, reason=text
        )
    for lines in (await privacy(wire, "show", ann))[1].values():
        *shown, last = lines
        if last.startswith("and "):
            assert last == f"and {count - len(shown)} more"
        else:
            assert len(lines) == count
    assert wire.log.pings == []


async def test_where_nothing_is_recorded_that_is_said_and_what_was_recorded_before_is_gone(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    off = "Footnote's operator has switched recording off."
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        await made_gap(bot, guild, ann, "Before?")
        assert off not in (await privacy(wire, "show", ann))[0]
    async with running(bot_settings(record_days=0), service):
        text, fields = await privacy(wire, "show", ann)
        assert off in text
        assert fields == kept()
