"""Questions without an answer: which are kept, the /gaps commands, and asking again after a swap."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import BusyError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, eventually, until
from tests.bot.discordapp.service import ABSENT, LAMP, LAMP_QUOTE
from tests.wire.entities import Guild, Permission
from tests.wire.renderer import render

SUBJECTS = "anchor bakery canal dentist engine ferry guitar harvest island jacket kettle ladder".split()
HOSTILE = {
    "marks": "**x** <@1> @everyone [a](https://b.c)\n# d",
    "flags": "\U0001f3f4" * 90,
    "one word": "x" * 400,
}


def questions_in(listed: str) -> list[str]:
    """Return the questions of a list, as they are read."""
    return [render(one).text for one in re.findall(r"^\d+\\\. (.*)$", listed, re.MULTILINE)]


async def exported(chat: Chat, guild: Guild | None = None) -> list[list[str]]:
    """Return the rows of /gaps export, with the header."""
    guild = guild or chat.guild
    message = await chat.use("gaps export", guild.owner, guild)
    (about,), (data,) = message.attachments, message.files
    assert (about["filename"], message.private, data[:3]) == ("gaps.csv", True, b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("verdict", ["related", "not_found"])
@pytest.mark.parametrize("way", WAYS)
async def test_what_has_no_answer_is_kept_under_its_server(chat: Chat, way: str, verdict: str) -> None:
    chat.service.verdict = verdict
    await WAYS[way](chat, ABSENT)
    if way == "direct":  # which is of no server
        await chat.ask("Who was the mayor?")
    assert questions_in(await chat.gaps(1)) == ["Who was the mayor?" if way == "direct" else ABSENT]
    assert (await exported(chat))[1][6] == verdict


async def test_what_was_answered_refused_or_no_question_is_not_kept(chat: Chat) -> None:
    second, foreign = await chat.channel(chat.guild), chat.world.guild(bot=False)
    await chat.ask(LAMP)
    await chat.ask(" \t ")
    await chat.ask("Who is it?", article="none")
    await chat.ask("Who is abroad?", chat.world.join(foreign, chat.ann), foreign, by_user=True)
    await chat.configure("answers", to="never", channel=second)
    await chat.ask("Who is refused?", where=second)
    for error in (BusyError("full"), RuntimeError("boom")):
        chat.service.error = error
        await chat.mention("Who is it when it fails?")
    chat.service.error = None
    await chat.ask(ABSENT)
    assert questions_in(await chat.gaps(1)) == [ABSENT]


async def test_the_same_question_is_merged_and_counted_and_the_newest_comes_first(chat: Chat) -> None:
    chat.service.verdict = "related"
    tall, green = "How tall is the tower of Wexholm?", "Who painted the chapel green?"
    for count, question in enumerate((tall, green), 1):
        await chat.ask(question)
        await chat.gaps(count)
    for question in (tall.lower(), "What is the height of the tower of Wexholm?"):
        await chat.ask(question, chat.bob)
    header, first, second = await eventually(lambda: exported(chat), lambda found: found[1][2] == "3")
    assert header[:4] == ["number", "question", "times", "people"]
    assert (first[1:4], second[1:4]) == ([tall, "3", "2"], [green, "1", "1"])
    text = await chat.gaps(2)
    assert (questions_in(text), texts.ASKED.format(3, 2) in text) == ([tall, green], True)


async def test_each_server_lists_exports_and_drops_its_own_alone(chat: Chat) -> None:
    other, eve = await chat.server("eve")
    assert await chat.gaps(0) == texts.NONE
    for guild, user, question in ((chat.guild, chat.ann, "Who was mine?"), (other, eve, "Who was theirs?")):
        await chat.ask(question, user, guild)
        await chat.gaps(1, guild)
    (mine,), (theirs,) = (await exported(chat))[1:], (await exported(chat, other))[1:]
    for number, left in ((int(theirs[0]), 1), (10**6, 1), (int(mine[0]), 0)):
        await chat.use("gaps drop", chat.guild.owner, number=number)
        await chat.gaps(left)
    assert questions_in(await chat.gaps(1, other)) == ["Who was theirs?"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_long_list_stays_within_the_limits_and_says_how_much_more_there_is(
    chat: Chat, name: str
) -> None:
    asked = [
        f"Who paid for the {one}? {HOSTILE[name]}"
        for one in (*SUBJECTS, *"mirror needle orchard pencil quarry".split())
    ]
    for question in asked:
        await chat.ask(question)
    rows = await eventually(lambda: exported(chat), lambda found: len(found) == 18)
    assert {row[1] for row in rows[1:]} == set(asked)
    shown = re.sub(r"<t:\d+:R>", "", await chat.gaps(15))
    assert (shown[-3:], render(shown.rpartition("\n")[0]).constructs, chat.log.pings) == (": 2", [], [])


CELLS = st.text(st.sampled_from("=+-@\t\r\n ＝＋－＠,;\"'a1é\U0001f600"), min_size=1, max_size=30)


@settings(max_examples=15)
@given(question=CELLS.filter(lambda text: bool(text.strip())))
async def test_any_question_is_read_back_from_the_file_and_runs_nothing(chat: Chat, question: str) -> None:
    guild, ann = await chat.server("ann")
    chat.service.verdict = "related"
    await chat.ask(question, ann, guild)
    await chat.gaps(1, guild)
    _, (_, cell, *_) = await exported(chat, guild)
    assert cell.removeprefix("'").strip() == question.removeprefix("'").strip()
    assert cell[0] not in set("=+-@\t\r\n ＝＋－＠")


async def left_open(chat: Chat, *questions: str) -> None:
    """Have questions that the articles answer kept as such that they do not."""
    chat.service.verdict = "not_found"
    for count, question in enumerate(questions, 1):
        await chat.ask(question)
        await chat.gaps(count)
    chat.service.reset()


async def test_after_a_swap_open_questions_are_asked_again_and_their_channel_is_told(fresh: Chat) -> None:
    question = "**When** was the lighthouse on Gull Rock lit, @everyone?"
    async with fresh.bot():
        await fresh.configure("gaps", tell=True)
        await left_open(fresh, question, ABSENT)
        fresh.service.swap()
        (told,) = await fresh.log.until(lambda: fresh.posts(fresh.guild), "a word on the question")
        assert (told.content.startswith(texts.NOW_ANSWERED), render(told.content).quotes) == (
            True,
            [question],
        )
        assert (told.title, told.shown.quotes) == (texts.ANSWERED, [LAMP_QUOTE])
        assert questions_in(await fresh.gaps(1)) == [ABSENT]
        assert questions_in(await fresh.gaps(1, answered=True)) == [question]
        fresh.service.swap()
        await until(lambda: fresh.service.asked.count(ABSENT) == 2)
    assert (fresh.log.pings, len(fresh.posts(fresh.guild)), len(fresh.service.asked)) == ([], 1, 3)


async def test_nobody_is_told_where_the_settings_do_not_say_so_or_it_cannot_be(fresh: Chat) -> None:
    names = ("not set", "never", "private", "gone", "closed", "told")
    async with fresh.bot():
        servers = {name: await fresh.server("eve", locale="de") for name in names}
        fresh.service.verdict = "not_found"
        for name, (guild, eve) in servers.items():
            await fresh.ask(LAMP, eve, guild, private=name == "private")
            await fresh.gaps(1, guild)
            await fresh.configure("gaps", guild, tell=name != "not set")
        await fresh.configure("answers", servers["never"][0], to="never")
        await fresh.remove(servers["gone"][0].channels[0])
        await fresh.deny(servers["closed"][0], Permission.SEND_MESSAGES)
        fresh.service.reset()
        fresh.service.swap()
        for name, (guild, _) in servers.items():
            if name != "gone":
                await fresh.gaps(0, guild)
        (told,) = await fresh.log.until(lambda: fresh.posts(servers["told"][0]), "a word")
        assert told.title == texts.IN_LANGUAGE["de"]
    assert [name for name, (guild, _) in servers.items() if fresh.posts(guild)] == ["told"]
    assert len(fresh.service.asked) == 6


@pytest.mark.parametrize("error", [BusyError("full", seconds=0.02), RuntimeError("boom")])
async def test_trouble_in_asking_again_costs_no_other_question(fresh: Chat, error: Exception) -> None:
    async with fresh.bot():
        await left_open(fresh, LAMP, "Who kept the lamp on Gull Rock?")
        fresh.service.error = error
        fresh.service.swap()
        await until(lambda: len(fresh.service.asked) >= 2)
        fresh.service.error = None
        if not isinstance(error, BusyError):
            fresh.service.swap()
        assert await fresh.gaps(0) == texts.NONE


async def test_a_question_that_is_deleted_while_it_is_asked_again_is_told_to_nobody(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.configure("gaps", tell=True)
        await left_open(fresh, LAMP)
        fresh.service.open.clear()
        fresh.service.swap()
        await until(lambda: fresh.service.asked)
        await fresh.use("privacy forget")
        fresh.service.open.set()
        await fresh.ask(LAMP)
    assert fresh.posts(fresh.guild) == []
