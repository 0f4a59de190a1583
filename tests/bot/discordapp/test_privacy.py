"""The /privacy commands: users see and delete what is stored about them, and about nobody else."""

from __future__ import annotations

import re

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, eventually
from tests.bot.discordapp.service import ABSENT
from tests.wire.driver import Where
from tests.wire.entities import Message, User
from tests.wire.renderer import render

SUBJECTS = (
    "anchor bakery canal dentist engine ferry guitar harvest island jacket kettle ladder "
    "mirror needle orchard pencil quarry"
).split()
HOSTILE = {
    "markup": "**x** <@1> @everyone [a](https://b.c)\n# d",
    "flags": "\U0001f3f4" * 90,
    "one word": "x" * 400,
}


async def _privacy(
    chat: Chat, command: str, user: User | None = None, where: Where | None = None, *, by_user: bool = False
) -> Message:
    """Use a /privacy command; the response is always private."""
    response = await chat.use(f"privacy {command}", user, where, by_user=by_user)
    assert response.private
    assert all(set(part.constructs) <= {"list"} for part in response.every_part)
    return response


async def _stored(
    chat: Chat, user: User | None = None, where: Where | None = None, *, by_user: bool = False
) -> list[list[str]]:
    """Return the questions and the votes that are shown to a user."""
    response = await _privacy(chat, "show", user, where, by_user=by_user)
    columns = [column.split("\n") for column in response.fields.values()]
    return [[line for line in column if line.startswith("- ")] for column in columns]


async def _until_stored(
    chat: Chat, questions: int, votes: int, user: User | None = None
) -> list[list[str]]:  # fmt: skip
    """Return what is stored about a user once there is so much of it."""
    counts = [questions, votes]
    return await eventually(lambda: _stored(chat, user), lambda columns: [*map(len, columns)] == counts)


async def test_users_see_what_is_stored_about_them_from_everywhere_and_about_nobody_else(chat: Chat) -> None:
    ann, (other, *_), elsewhere = chat.ann, await chat.server(), chat.world.guild(bot=False)
    for guild in (other, elsewhere):
        chat.world.join(guild, ann)
    assert await _stored(chat) == [[], []]
    answer = await chat.mention("Who painted the chapel?")
    await chat.ask("What does a ferry cost?", where=other)
    await chat.ask("Which team won the cup?", where=elsewhere, by_user=True)
    await chat.direct("How deep is the canal?")
    await chat.click(answer, texts.HELPFUL)
    await chat.fill_in(await chat.ask("How old is the mayor?", chat.bob), texts.NOT_HELPFUL, "too *short*")
    questions, votes = await _until_stored(chat, 4, 2)
    subjects = ("canal", "cup", "ferry", "chapel")
    assert all(subject in line for subject, line in zip(subjects, questions, strict=True))
    assert ("mayor" in votes[0], "short" in votes[0]) == (True, True)
    group = chat.world.direct(ann, chat.bob)
    for where, by_user in ((other, False), (ann, False), (elsewhere, True), (group, True)):
        assert await _stored(chat, where=where, by_user=by_user) == [questions, votes]
    assert await _until_stored(chat, 1, 0, chat.bob)
    assert "90" in (await _privacy(chat, "show")).text  # days until it is deleted


async def test_forget_deletes_the_users_own_records_only(chat: Chat) -> None:
    for user in (chat.ann, chat.bob, chat.ann):
        await chat.click(await chat.ask(ABSENT, user), texts.HELPFUL, user)
    await _until_stored(chat, 1, 2)
    await eventually(lambda: chat.gaps(1), lambda text: texts.ASKED.format(3, 2) in text)
    before = await _until_stored(chat, 1, 1, chat.bob)
    assert "4" in (await _privacy(chat, "forget")).text  # asked twice, two votes
    assert (await _stored(chat), await _stored(chat, chat.bob)) == ([[], []], before)
    assert texts.ASKED_ONCE in await chat.gaps(1)
    assert "0" in (await _privacy(chat, "forget")).text
    await _privacy(chat, "forget", chat.bob)
    assert await chat.gaps(0) == texts.NONE
    await chat.ask(ABSENT)  # which is recorded anew
    await _until_stored(chat, 1, 0)


@pytest.mark.parametrize("name", HOSTILE)
async def test_long_lists_stay_within_the_limits_and_count_the_rest(chat: Chat, name: str) -> None:
    chat.service.verdict = "related"
    for subject in SUBJECTS:
        answer = await chat.ask(f"Who paid for the {subject}? {HOSTILE[name]}")
        await chat.fill_in(answer, texts.NOT_HELPFUL, HOSTILE[name])

    async def count() -> list[int]:
        columns = (await _privacy(chat, "show")).fields.values()
        more = [int((re.findall(texts.MORE, column) or ["0"])[0]) for column in columns]
        return [
            len(re.findall("^- ", column, re.MULTILINE)) + rest
            for column, rest in zip(columns, more, strict=True)
        ]

    assert await eventually(count, lambda counts: counts == [len(SUBJECTS)] * 2)
    listing = re.sub(r"<t:\d+:R>", "", await chat.gaps(15))
    assert (listing[-3:], render(listing.rpartition("\n")[0]).constructs) == (": 2", [])
    assert chat.log.pings == []


async def test_with_recording_off_nothing_is_stored_and_old_records_can_be_deleted(fresh: Chat) -> None:
    async with fresh.bot():
        answer = await fresh.ask(ABSENT)
        await _until_stored(fresh, 1, 0)
        await fresh.gaps(1)
    async with fresh.bot(record_days=0):
        assert not {texts.HELPFUL, texts.NOT_HELPFUL} & set((await fresh.ask(ABSENT)).buttons)
        for label in (texts.HELPFUL, texts.NOT_HELPFUL):  # of an answer from before
            notice = await fresh.click(answer, label)
            assert (notice.title, notice.private) == (texts.RECORDING_OFF, True)
        assert (await fresh.use("gaps list", fresh.guild.owner)).text.startswith(texts.RECORDING_OFF)
        assert texts.RECORDING_OFF in (await _privacy(fresh, "show")).text
        assert "1" in (await _privacy(fresh, "forget")).text
        assert await _stored(fresh) == [[], []]
