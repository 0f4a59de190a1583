"""What a question in a channel may lean on: what the same person asked there last, and nothing private."""

from __future__ import annotations

import pytest

from bot.discordapp.client import FootnoteClient
from bot.service.catalogue import ArticleLine
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import inhabited
from tests.wire.loopback import LoopbackDiscord


@pytest.fixture
def service() -> FakeService:
    """Make a service that tells the questions before apart."""
    made = FakeService()
    made.replies = {question: sample_answer(question) for question in ("One?", "Two?", "Hidden?")}
    made.lines = (ArticleLine.of("lamp", "The lamp"),)
    return made


@pytest.fixture
def chat(wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService) -> Chat:
    """Let people ask one after the other."""
    return Chat(wire, bot, service)


async def test_it_is_the_latest_of_the_same_person_in_the_same_channel(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    other = wire.world.channel(guild, "other")
    await wire.gateway.announce(guild)
    await chat.command(ann, guild, "One?")
    assert chat.before() is None
    await chat.command(ann, guild, "Two?")
    assert chat.before() == "One?"
    for who, where in ((bob, guild), (ann, other), (ann, None)):
        await chat.command(who, where, "And who?")
        assert chat.before() is None
    await chat.command(ann, guild, "And who?")
    assert chat.before() == "Two?"


async def test_commands_and_mentions_lean_on_each_other(wire: LoopbackDiscord, chat: Chat) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    await chat.command(ann, guild, "One?")
    await chat.mention(bob, guild, "And who?")
    assert chat.before() is None
    await chat.mention(ann, guild, "Two?")
    assert chat.before() == "One?"
    await chat.command(ann, guild, "And who?")
    assert chat.before() == "Two?"


async def test_a_question_of_one_article_leans_on_nothing_and_can_be_leant_on(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await chat.command(ann, guild, "One?")
    await chat.command(ann, guild, "Two?", article="lamp")
    assert chat.before() is None
    await chat.command(ann, guild, "And who?")
    assert chat.before() == "Two?"


async def test_a_private_question_is_no_subject_of_one_that_all_see(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    thread = await wire.thread(guild, ann, "thread")
    for where in (guild, thread):
        await chat.command(ann, where, "Hidden?", private=True)
        await chat.command(ann, where, "And who?")
        assert chat.before() is None
    fresh = await wire.thread(guild, ann, "another")
    await chat.command(ann, fresh, "Hidden?", private=True)
    for who in (ann, bob):
        await chat.mention(who, fresh, "One?" if who is ann else "And who?")
        assert chat.before() == (None if who is ann else "One?")


async def test_a_private_question_leans_on_whatever_the_same_person_asked_last(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    await chat.command(ann, guild, "One?")
    await chat.command(ann, guild, "Hidden?", private=True)
    assert chat.before() == "One?"
    await chat.command(bob, guild, "And who?", private=True)
    assert chat.before() is None
    await chat.command(ann, guild, "And who?", private=True)
    assert chat.before() == "Hidden?"


async def test_the_subject_that_a_question_was_read_with_is_said(wire: LoopbackDiscord, chat: Chat) -> None:
    chat.service.replies["And who?"] = sample_answer("And who?", read_as="academy *2019*")
    guild, (ann,) = await inhabited(wire, "ann")
    await chat.command(ann, guild, "One?")
    (embed,) = (await chat.command(ann, guild, "And who?"))["embeds"]
    assert "Read together with: academy \\*2019\\*" in embed["description"]
