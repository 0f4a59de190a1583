"""Unanswered questions: which are recorded, the /gaps commands, and asking again after a swap."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.remarks import is_small_talk
from index.errors import BusyError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, eventually, until
from tests.bot.discordapp.service import ABSENT, LAMP, LAMP_QUOTE
from tests.wire.entities import Guild, Permission
from tests.wire.renderer import render

CELLS = st.text(st.sampled_from("=+-@\t\r\n ＝＋－＠,;\"'a1é\U0001f600"), min_size=1, max_size=30)


def _questions(listing: str) -> list[str]:
    """Return the questions in the text of /gaps list, rendered."""
    return [render(line).text for line in re.findall(r"^\d+\\\. (.*)$", listing, re.MULTILINE)]


async def _export(chat: Chat, guild: Guild | None = None) -> list[list[str]]:
    """Return the rows of /gaps export, including the header."""
    guild = guild or chat.guild
    message = await chat.use("gaps export", guild.owner, guild)
    (attachment,), (data,) = message.attachments, message.files
    assert (attachment["filename"], message.private, data[:3]) == ("gaps.csv", True, b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("verdict", ["related", "not_found"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_question_without_an_answer_is_recorded_for_its_server(
    chat: Chat, way: str, verdict: str
) -> None:
    chat.service.verdict = verdict
    await WAYS[way](chat, ABSENT)
    if way == "direct":  # belongs to no server
        await chat.ask("Who was the mayor?")
    assert _questions(await chat.gaps(1)) == ["Who was the mayor?" if way == "direct" else ABSENT]
    assert (await _export(chat))[1][6] == verdict


async def test_answered_and_refused_questions_are_not_recorded(chat: Chat) -> None:
    second, elsewhere = await chat.channel(chat.guild), chat.world.guild(bot=False)
    await chat.ask(LAMP)
    for text in (" \t ", "thanks!", "list all articles"):
        await chat.ask(text)
    await chat.ask("Who is it?", article="none")
    await chat.ask("Who is abroad?", chat.world.join(elsewhere, chat.ann), elsewhere, by_user=True)
    await chat.configure("answers", to="never", channel=second)
    await chat.ask("Who is refused?", where=second)
    for error in (BusyError("full"), RuntimeError("boom")):
        chat.service.error = error
        await chat.mention("Who is it when it fails?")
    chat.service.error = None
    await chat.ask(ABSENT)
    assert _questions(await chat.gaps(1)) == [ABSENT]


async def test_the_same_question_is_counted_and_the_newest_comes_first(chat: Chat) -> None:
    chat.service.verdict = "related"
    tall, green = "How tall is the tower of Wexholm?", "Who painted the chapel green?"
    for count, question in enumerate((tall, green), 1):
        await chat.ask(question)
        await chat.gaps(count)
    for question in (tall.lower(), "What is the height of the tower of Wexholm?"):
        await chat.ask(question, chat.bob)
    header, first, second = await eventually(lambda: _export(chat), lambda rows: rows[1][2] == "3")
    assert header[:4] == ["number", "question", "times", "people"]
    assert (first[1:4], second[1:4]) == ([tall, "3", "2"], [green, "1", "1"])
    listing = await chat.gaps(2)
    assert (_questions(listing), texts.ASKED.format(3, 2) in listing) == ([tall, green], True)


async def test_each_server_lists_exports_and_drops_only_its_own(chat: Chat) -> None:
    other, eve = await chat.server("eve")
    assert await chat.gaps(0) == texts.NONE
    for guild, user, question in ((chat.guild, chat.ann, "Who was mine?"), (other, eve, "Who was theirs?")):
        await chat.ask(question, user, guild)
        await chat.gaps(1, guild)
    (mine,), (theirs,) = (await _export(chat))[1:], (await _export(chat, other))[1:]
    for number, left in ((int(theirs[0]), 1), (10**6, 1), (int(mine[0]), 0)):
        await chat.use("gaps drop", chat.guild.owner, number=number)
        await chat.gaps(left)
    assert _questions(await chat.gaps(1, other)) == ["Who was theirs?"]


@settings(max_examples=15)
@given(question=CELLS.filter(lambda text: not is_small_talk(text)))
async def test_any_question_can_be_exported_and_is_never_a_formula(chat: Chat, question: str) -> None:
    guild, ann = await chat.server("ann")
    chat.service.verdict = "related"
    await chat.ask(question, ann, guild)
    await chat.gaps(1, guild)
    _, (_, cell, *_) = await _export(chat, guild)
    assert cell.removeprefix("'").strip() == question.removeprefix("'").strip()
    assert cell[0] not in set("=+-@\t\r\n ＝＋－＠")


# Asking again after a swap


async def _record(chat: Chat, *questions: str) -> None:
    """Have questions recorded as unanswered, although the articles answer them."""
    chat.service.verdict = "not_found"
    for count, question in enumerate(questions, 1):
        await chat.ask(question)
        await chat.gaps(count)
    chat.service.reset()


async def test_after_a_swap_open_questions_are_asked_again_and_late_answers_posted(fresh: Chat) -> None:
    question = "**When** was the lighthouse on Gull Rock lit, @everyone?"
    async with fresh.bot():
        await fresh.configure("gaps", tell=True)
        await _record(fresh, question, ABSENT)
        fresh.service.swap()
        (post,) = await fresh.log.until(lambda: fresh.posts(fresh.guild), "a late answer")
        assert post.content.startswith(texts.NOW_ANSWERED)
        assert render(post.content).quotes == [question]
        assert (post.title, post.shown.quotes) == (texts.ANSWERED, [LAMP_QUOTE])
        assert _questions(await fresh.gaps(1)) == [ABSENT]
        assert _questions(await fresh.gaps(1, answered=True)) == [question]
        fresh.service.swap()
        await until(lambda: fresh.service.asked.count(ABSENT) == 2)
    assert (fresh.log.pings, len(fresh.posts(fresh.guild)), len(fresh.service.asked)) == ([], 1, 3)


async def test_late_answers_are_posted_only_where_that_is_set_and_allowed(fresh: Chat) -> None:
    names = ("not set", "never", "private", "gone", "closed", "posted")
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
        (post,) = await fresh.log.until(lambda: fresh.posts(servers["posted"][0]), "a late answer")
        assert post.title == texts.IN_LANGUAGE["de"]
    assert [name for name, (guild, _) in servers.items() if fresh.posts(guild)] == ["posted"]
    assert len(fresh.service.asked) == 6


@pytest.mark.parametrize("error", [BusyError("full", seconds=0.02), RuntimeError("boom")])
async def test_a_failure_while_asking_again_does_not_lose_questions(fresh: Chat, error: Exception) -> None:
    async with fresh.bot():
        await _record(fresh, LAMP, "Who kept the lamp on Gull Rock?")
        fresh.service.error = error
        fresh.service.swap()
        await until(lambda: len(fresh.service.asked) >= 2)
        fresh.service.error = None
        if not isinstance(error, BusyError):
            fresh.service.swap()
        assert await fresh.gaps(0) == texts.NONE


async def test_a_question_deleted_while_it_is_asked_again_gets_no_late_answer(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.configure("gaps", tell=True)
        await _record(fresh, LAMP)
        fresh.service.open.clear()
        fresh.service.swap()
        await until(lambda: fresh.service.asked)
        await fresh.use("privacy forget")
        fresh.service.open.set()
        await fresh.ask(LAMP)
    assert fresh.posts(fresh.guild) == []
