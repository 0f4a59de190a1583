"""Very many questions at once: each is acknowledged in time and answered once."""

from __future__ import annotations

import asyncio

import pytest

from tests.bot.discordapp.phrases import ANSWERED
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE
from tests.wire.driver import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNT = 200


async def test_hundreds_of_questions_at_once_are_acknowledged_in_time_and_answered_once(wire: Wire) -> None:
    guild, *people = await wire.server(*(f"user {number}" for number in range(COUNT)))
    used = [await wire.slash(one, "ask", guild, question=f"{LAMP}{' ' * n}") for n, one in enumerate(people)]
    said = [await wire.say(one, guild, f"{wire.world.bot.mention} {LAMP}") for one in people[:20]]
    replies = asyncio.gather(*(wire.reply(one, 60) for one in said))
    answers = await asyncio.gather(*(wire.answer(one, 60) for one in used))
    for used_once in used:
        await wire.log.until(lambda one=used_once: one.outcome and one.outcome.title == ANSWERED, "an answer", 60)
    assert all(one.shown.quotes == [LAMP_QUOTE] for one in answers)
    assert {one.title for one in await replies} == {ANSWERED}
    assert all(one.followups == [] for one in used)
    assert max(one.acknowledged_after or 9 for one in used) < wire.interactions.acknowledge_within
    assert len(wire.said(guild)) == len(said)
