"""The /gaps commands, over the wire: the list, the file, and taking a question off."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.gapped import exported, gap_command, gaps_kept, made_gap, questions_of, text_of
from tests.bot.discordapp.stage import answer_to, inhabited
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User
from tests.wire.renderer import render


@pytest.fixture
async def place(wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient) -> tuple[Guild, User, User]:
    """Make a server with two members, in which nothing is answered."""
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    assert bot.is_ready()
    return guild, ann, bob


async def test_without_any_the_list_says_so_and_the_file_is_empty(
    wire: LoopbackDiscord, place: tuple[Guild, User, User]
) -> None:
    guild, _, _ = place
    assert (
        text_of(await gap_command(wire, guild))
        == text_of(await gap_command(wire, guild, answered=True))
        == "There are none."
    )
    assert await exported(wire, guild) == []


async def test_the_list_is_newest_first_and_counts_how_often_and_by_how_many(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, bob = place
    service.reply = sample_answer(verdict=Verdict.RELATED)
    for number, (user, question) in enumerate(
        ((ann, "Who was first?"), (ann, "Who was next?"), (bob, "who was first"), (bob, "Who was first?!"))
    ):
        await answer_to(wire, user, guild, question)
        await gaps_kept(bot, guild.id, times=number + 1)
    message = await gap_command(wire, guild)
    assert message["embeds"][0]["title"] == "Questions without an answer"
    lines = text_of(message).split("\n")
    first, second = lines[0].partition("\\. ")[0], lines[2].partition("\\. ")[0]
    assert lines[0] == f"{first}\\. Who was first?"
    assert re.fullmatch(r"asked 3 times \(people: 2\), last <t:\d+:R>", lines[1])
    assert lines[2] == f"{second}\\. Who was next?"
    assert re.fullmatch(r"asked once, last <t:\d+:R>", lines[3])
    assert len(lines) == 4


async def test_other_words_for_the_same_are_merged_by_the_encoders_vectors(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, bob = place
    east, north = np.eye(2, 384, dtype=np.float32)
    service.vectors = {
        "How tall is the tower?": east,
        "What is the height of the tower?": 0.95 * east + 0.31 * north,
        "Who painted the tower green?": 0.8 * east + 0.6 * north,
    }
    for user, question in zip((ann, bob, bob), service.vectors, strict=True):
        await answer_to(wire, user, guild, question)
    await gaps_kept(bot, guild.id, times=3)
    assert questions_of(await gap_command(wire, guild)) == [
        "Who painted the tower green?",
        "How tall is the tower?",
    ]
    assert "asked 2 times (people: 2)" in text_of(await gap_command(wire, guild))


async def test_answered_ones_are_listed_apart_and_stand_last_in_the_file(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    numbers = [await made_gap(bot, guild, ann, question) for question in ("One?", "Two?", "Three?")]
    await bot.surface.records.mark_answered(numbers[1], "g-2")
    assert questions_of(await gap_command(wire, guild)) == ["Three?", "One?"]
    message = await gap_command(wire, guild, answered=True)
    assert message["embeds"][0]["title"] == "Questions that now have an answer"
    assert questions_of(message) == ["Two?"]
    read = await exported(wire, guild)
    assert [(row[0], row[1], row[-1]) for row in read] == [
        (str(numbers[2]), "Three?", ""), (str(numbers[0]), "One?", ""), (str(numbers[1]), "Two?", "g-2"),
    ]  # fmt: skip


async def test_each_server_sees_exports_and_drops_its_own_alone(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    other, (eve,) = await inhabited(wire, "eve")
    mine, theirs = await made_gap(bot, guild, ann, "Mine?"), await made_gap(bot, other, eve, "Theirs?")
    alone = await made_gap(bot, None, eve, "Alone?")
    assert questions_of(await gap_command(wire, guild)) == ["Mine?"]
    assert questions_of(await gap_command(wire, other)) == ["Theirs?"]
    assert [row[1] for row in await exported(wire, guild)] == ["Mine?"]
    for number in (theirs, alone, 10**6):
        message = await gap_command(wire, guild, "drop", number=number)
        assert message["embeds"][0]["title"] == "There is no such question here"
    assert (await gap_command(wire, guild, "drop", number=mine))["embeds"][0]["title"] == "Removed"
    assert questions_of(await gap_command(wire, guild)) == []
    assert questions_of(await gap_command(wire, other)) == ["Theirs?"]
    assert [gap.id for gap in await bot.surface.records.gaps(None)] == [alone]


async def test_numbers_stay_those_of_their_questions_when_others_are_dropped(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User]
) -> None:
    guild, ann, _ = place
    one, two, three = [await made_gap(bot, guild, ann, question) for question in ("One?", "Two?", "Three?")]
    await gap_command(wire, guild, "drop", number=three)
    four = await made_gap(bot, guild, ann, "Four?")
    assert four not in {one, two, three}
    await gap_command(wire, guild, "drop", number=three)
    assert [row[:2] for row in await exported(wire, guild)] == [
        [str(four), "Four?"], [str(two), "Two?"], [str(one), "One?"],
    ]  # fmt: skip
    assert text_of(await gap_command(wire, guild)).startswith(f"{four}\\. ")


@pytest.mark.parametrize(
    "question", ["**x** <@1> @everyone [a](https://b.c)\n# d " * 20, "\U0001f3f4" * 900, "x" * 1000]
)
@pytest.mark.parametrize("count", [15, 18])
async def test_a_long_list_stays_within_the_limits_and_says_how_many_more_there_are(
    wire: LoopbackDiscord, bot: FootnoteClient, place: tuple[Guild, User, User], question: str, count: int
) -> None:
    guild, ann, _ = place
    for number in range(count):
        await made_gap(bot, guild, ann, f"{number} {question}")
    text = text_of(await gap_command(wire, guild))
    assert len(re.findall(r"^\d+\\\. ", text, re.MULTILINE)) == 15
    note = f"More in the file of `/gaps export`: {count - 15}"
    assert text.endswith(note) is (count > 15)
    plain = re.sub(r"<t:\d+:R>", "", text.removesuffix(note))
    assert render(plain).constructs == []
    assert len(await exported(wire, guild)) == count
    assert wire.log.pings == []


async def test_where_recording_is_off_the_list_says_so_and_shows_what_is_there_from_before(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        await made_gap(bot, guild, ann, "Before?")
    async with running(bot_settings(record_days=0), service) as bot:
        await wire.gateway.announce(guild)
        await answer_to(wire, ann, guild, "Afterwards?")
        message = await gap_command(wire, guild)
        assert text_of(message).startswith("Footnote's operator has switched recording off.\n\n")
        assert questions_of(message) == ["Before?"]
        await gap_command(wire, guild, "drop", number=(await gaps_kept(bot, guild.id))[0].id)
        assert questions_of(await gap_command(wire, guild)) == []
