"""The /privacy commands: what is kept of oneself, from everywhere, seen and deleted by oneself alone."""

from __future__ import annotations

import pytest

from tests.bot.discordapp.asking import ask, eventually, gaps, mention, press
from tests.bot.discordapp.conftest import running
from tests.bot.discordapp.phrases import HELPFUL, NOT_HELPFUL, RECORDING_OFF
from tests.bot.discordapp.service import ABSENT, LAMP, ControlledService
from tests.wire.driver import Where, Wire
from tests.wire.world import Message, User

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def privacy(wire: Wire, command: str, user: User, where: Where | None = None, **more: bool) -> Message:
    """Use a /privacy command; only its user sees what it shows."""
    shown = await wire.answer(await wire.slash(user, f"privacy {command}", where or user, **more))
    assert shown.private
    assert all(set(part.constructs) <= {"list"} for part in shown.every_part)
    return shown


async def kept(wire: Wire, user: User, where: Where | None = None, **more: bool) -> list[list[str]]:
    """Return the questions and the votes that are kept of somebody."""
    shown = await privacy(wire, "show", user, where, **more)
    return [[line for line in one.split("\n") if line.startswith("- ")] for one in shown.fields.values()]


async def counted(wire: Wire, user: User, questions: int, votes: int) -> list[list[str]]:
    """Return what is kept of somebody once there is so much."""
    size = [questions, votes]
    return await eventually(lambda: kept(wire, user), lambda found: [len(one) for one in found] == size)


async def test_one_sees_what_is_kept_of_oneself_from_everywhere_and_of_nobody_else(wire: Wire) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    other, _ = await wire.server("eve")
    foreign = wire.world.guild(bot=False)
    for where in (other, foreign):
        wire.world.join(where, ann)
    assert await kept(wire, ann, guild) == [[], []]
    answer = await mention(wire, ann, guild, "Who painted the chapel?")
    await ask(wire, ann, other, "What does a ferry cost?")
    await ask(wire, ann, foreign, "Which team won the cup?", by_user=True)
    await mention(wire, ann, ann, "How deep is the canal?")
    await press(wire, ann, answer, HELPFUL)
    theirs = await ask(wire, bob, guild, "How old is the mayor?")
    await wire.answer(await wire.submit(await wire.press(ann, theirs, NOT_HELPFUL), "too *short*"))
    questions, votes = await counted(wire, ann, 4, 2)
    asked = ("canal", "cup", "ferry", "chapel")
    assert all(one in line for one, line in zip(asked, questions, strict=True))
    assert "mayor" in votes[0]
    assert "short" in votes[0]
    for place, by_user in ((guild, False), (other, False), (foreign, True)):
        assert await kept(wire, ann, place, by_user=by_user) == [questions, votes]
    assert await counted(wire, bob, 1, 0)
    assert "90" in (await privacy(wire, "show", ann)).text


async def test_to_forget_deletes_ones_own_and_leaves_the_others(wire: Wire) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    for user in (ann, bob, ann):
        await press(wire, user, await ask(wire, user, guild, ABSENT), HELPFUL)
    await gaps(wire, guild, 1)
    await counted(wire, ann, 1, 2)
    before = await counted(wire, bob, 1, 1)
    assert "4" in (await privacy(wire, "forget", ann)).text  # asked twice, two votes
    assert await kept(wire, ann) == [[], []]
    assert await kept(wire, bob) == before
    assert "asked once" in await gaps(wire, guild, 1)
    assert "0" in (await privacy(wire, "forget", ann)).text
    await privacy(wire, "forget", bob)
    assert await gaps(wire, guild, 0)
    await ask(wire, ann, guild, ABSENT)  # which is kept anew
    await counted(wire, ann, 1, 0)


@pytest.mark.parametrize("text", ["**x** <@1> `y`\n- z " * 20, "\U0001f3f4" * 99, "x" * 400, "1. one"])
async def test_much_that_is_kept_stays_within_the_limits_and_the_rest_is_counted(
    wire: Wire, service: ControlledService, text: str
) -> None:
    guild, ann = await wire.server("ann")
    service.verdict = "related"
    subjects = "anchor bakery canal dentist engine ferry guitar harvest island jacket kettle ladder".split()
    for subject in subjects:
        answer = await ask(wire, ann, guild, f"Who paid for the {subject}? {text}")
        await wire.answer(await wire.submit(await wire.press(ann, answer, NOT_HELPFUL), text))

    async def shown() -> list[int]:
        fields = (await privacy(wire, "show", ann)).fields.values()
        last = [one.rpartition("\n")[2] for one in fields]
        more = [int("".join(filter(str.isdigit, one))) if "more" in one else 0 for one in last]
        return [one.count("\n- ") + 1 + left for one, left in zip(fields, more, strict=True)]

    assert await eventually(shown, lambda found: found == [12, 12])
    assert wire.log.pings == []


@pytest.mark.xfail(strict=True, reason="until the merge: with record_days=0 nothing is kept")
async def test_where_nothing_is_recorded_that_is_said_and_what_is_there_can_be_forgotten(
    own_wire: Wire, service: ControlledService
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        await ask(own_wire, ann, guild, ABSENT)
        await counted(own_wire, ann, 1, 0)
    async with running(own_wire, service, record_days=0):
        assert (await ask(own_wire, ann, guild, LAMP)).buttons
        shown = await privacy(own_wire, "show", ann)
        assert RECORDING_OFF in shown.text
        assert "1" in (await privacy(own_wire, "forget", ann)).text
        assert await kept(own_wire, ann) == [[], []]
