"""The /privacy commands: what is kept of oneself, from everywhere, seen and deleted by oneself alone."""

from __future__ import annotations

import re

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, eventually
from tests.bot.discordapp.service import ABSENT
from tests.bot.discordapp.test_gaps import HOSTILE, SUBJECTS
from tests.wire.driver import Where
from tests.wire.entities import Message, User


async def privacy(
    chat: Chat, command: str, user: User | None = None, where: Where | None = None, **more: bool
) -> Message:
    """Use a /privacy command; only its user sees what it shows."""
    shown = await chat.use(f"privacy {command}", user, where, **more)
    assert shown.private
    assert all(set(part.constructs) <= {"list"} for part in shown.every_part)
    return shown


async def kept(
    chat: Chat, user: User | None = None, where: Where | None = None, **more: bool
) -> list[list[str]]:
    """Return the questions and the votes that are kept of somebody."""
    shown = await privacy(chat, "show", user, where, **more)
    return [[line for line in one.split("\n") if line.startswith("- ")] for one in shown.fields.values()]


async def counted(chat: Chat, questions: int, votes: int, user: User | None = None) -> list[list[str]]:
    """Return what is kept of somebody once there is so much."""
    size = [questions, votes]
    return await eventually(lambda: kept(chat, user), lambda found: [len(one) for one in found] == size)


async def test_one_sees_what_is_kept_of_oneself_from_everywhere_and_of_nobody_else(chat: Chat) -> None:
    ann, (other, *_), foreign = chat.ann, await chat.server(), chat.world.guild(bot=False)
    for guild in (other, foreign):
        chat.world.join(guild, ann)
    assert await kept(chat) == [[], []]
    answer = await chat.mention("Who painted the chapel?")
    await chat.ask("What does a ferry cost?", where=other)
    await chat.ask("Which team won the cup?", where=foreign, by_user=True)
    await chat.direct("How deep is the canal?")
    await chat.click(answer, texts.HELPFUL)
    await chat.fill_in(await chat.ask("How old is the mayor?", chat.bob), texts.NOT_HELPFUL, "too *short*")
    questions, votes = await counted(chat, 4, 2)
    assert all(one in line for one, line in zip(("canal", "cup", "ferry", "chapel"), questions, strict=True))
    assert ("mayor" in votes[0], "short" in votes[0]) == (True, True)
    for where, by_user in (
        (other, False),
        (ann, False),
        (foreign, True),
        (chat.world.direct(ann, chat.bob), True),
    ):
        assert await kept(chat, where=where, by_user=by_user) == [questions, votes]
    assert await counted(chat, 1, 0, chat.bob)
    assert "90" in (await privacy(chat, "show")).text  # the days for which it is kept


async def test_to_forget_deletes_ones_own_and_leaves_the_others(chat: Chat) -> None:
    for user in (chat.ann, chat.bob, chat.ann):
        await chat.click(await chat.ask(ABSENT, user), texts.HELPFUL, user)
    await counted(chat, 1, 2)
    before = await counted(chat, 1, 1, chat.bob)
    assert "4" in (await privacy(chat, "forget")).text  # asked twice, two votes
    assert (await kept(chat), await kept(chat, chat.bob)) == ([[], []], before)
    assert texts.ASKED_ONCE in await chat.gaps(1)
    assert "0" in (await privacy(chat, "forget")).text
    await privacy(chat, "forget", chat.bob)
    assert await chat.gaps(0) == texts.NONE
    await chat.ask(ABSENT)  # which is kept anew
    await counted(chat, 1, 0)


@pytest.mark.parametrize("name", HOSTILE)
async def test_much_that_is_kept_stays_within_the_limits_and_the_rest_is_counted(
    chat: Chat, name: str
) -> None:
    chat.service.verdict = "related"
    for subject in SUBJECTS:
        answer = await chat.ask(f"Who paid for the {subject}? {HOSTILE[name]}")
        await chat.fill_in(answer, texts.NOT_HELPFUL, HOSTILE[name])

    async def sizes() -> list[int]:
        fields = (await privacy(chat, "show")).fields.values()
        left = [re.findall(texts.MORE, one) or ["0"] for one in fields]
        return [
            len(re.findall("^- ", one, re.MULTILINE)) + int(more[0])
            for one, more in zip(fields, left, strict=True)
        ]

    assert await eventually(sizes, lambda found: found == [len(SUBJECTS)] * 2)
    assert chat.log.pings == []


@pytest.mark.xfail(strict=True, reason="until the merge: with record_days=0 nothing is kept")
async def test_where_nothing_is_recorded_that_is_said_and_what_is_there_can_be_forgotten(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.ask(ABSENT)
        await counted(fresh, 1, 0)
    async with fresh.bot(record_days=0):
        assert texts.RECORDING_OFF in (await privacy(fresh, "show")).text
        assert "1" in (await privacy(fresh, "forget")).text
        assert await kept(fresh) == [[], []]
