"""Questions in threads, over the wire: with a mention, and under an answer without one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import inhabited
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, User
from tests.wire.records import Json


@pytest.fixture
def service() -> FakeService:
    """Make a service that tells the questions before apart."""
    made = FakeService()
    made.replies = {question: sample_answer(question) for question in ("One?", "Two?")}
    return made


@pytest.fixture
def chat(wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService) -> Chat:
    """Let people ask one after the other; the bot has default settings."""
    return Chat(wire, bot, service)


@pytest.fixture
async def reader(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> AsyncIterator[Chat]:
    """Let people ask a bot that may read all messages."""
    wire.gateway.granted = MESSAGE_CONTENT
    async with running(bot_settings(discord_message_content=True), service) as client:
        yield Chat(wire, client, service)


async def under(
    chat: Chat, *names: str, way: str = "mention", question: str = "One?"
) -> tuple[Channel, Json, list[User]]:
    """Have a question answered in a new server, and a thread begun on the answer; the first one does both."""
    guild, people = await inhabited(chat.wire, *names)
    ask = chat.mention if way == "mention" else chat.command
    answer = await ask(people[0], guild, question)
    return await chat.wire.thread(guild, people[0], "More", on=answer), answer, people


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_a_mention_in_a_thread_leans_on_the_answer_that_the_thread_is_under(
    chat: Chat, way: str
) -> None:
    thread, _, (_, bob) = await under(chat, "ann", "bob", way=way)
    await chat.mention(bob, thread, "And who?")
    assert chat.before() == "One?"
    assert chat.wire.log.seen("GET", "/messages/") == []  # what is remembered is not asked for


async def test_in_a_thread_anybody_goes_on_from_the_latest_answer(chat: Chat) -> None:
    thread, _, (ann, bob) = await under(chat, "ann", "bob")
    await chat.mention(ann, thread, "Two?")
    await chat.mention(bob, thread, "And who?")
    assert chat.before() == "Two?"
    await chat.command(ann, thread, "And who?")
    assert chat.before() == "Two?"  # a command leans on what the same person asked


async def test_a_reply_in_a_thread_leans_on_what_it_replies_to(chat: Chat) -> None:
    thread, _, (ann, bob) = await under(chat, "ann", "bob")
    first = await chat.mention(ann, thread, "Two?")
    await chat.mention(ann, thread, "Something else?")
    await chat.say(bob, thread, "And who?", reply_to=first)
    assert chat.before() == "Two?"


async def test_a_thread_under_somebody_elses_message_leans_on_nothing(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await chat.mention(ann, guild, "One?")
    for on in (await wire.say(guild, ann, "Look at this"), None):
        await chat.mention(ann, await wire.thread(guild, ann, "thread", on=on), "And who?")
        assert chat.before() is None


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_after_a_restart_a_thread_still_leans_on_its_answer(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, way: str
) -> None:
    async with running(bot_settings(), service) as client:
        thread, _, (_, bob) = await under(Chat(wire, client, service), "ann", "bob", way=way)
    async with running(bot_settings(), service) as client:
        chat = Chat(wire, client, service)
        await chat.mention(bob, thread, "And who?")
        assert chat.before() == "One?"


async def test_without_the_intent_nothing_is_heard_in_a_thread_without_a_mention(
    wire: LoopbackDiscord, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    thread, _, (ann, _) = await under(chat, "ann", "bob")
    await wire.say(thread, ann, "And who chairs it?")
    await chat.mention(ann, thread, "The last one?")
    assert chat.service.asked == ["One?", "The last one?"]
    assert len(wire.said(thread)) == 1
    assert [one.message for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


async def test_with_the_intent_a_question_under_an_answer_needs_no_mention(reader: Chat) -> None:
    thread, _, (_, bob) = await under(reader, "ann", "bob")
    await reader.say(bob, thread, "And who chairs it?")
    assert reader.service.asked_with[-1][:2] == ("And who chairs it?", None)
    assert reader.before() == "One?"


async def test_with_the_intent_what_is_not_for_the_bot_is_left_alone(reader: Chat) -> None:
    wire = reader.wire
    thread, _, (ann, bob) = await under(reader, "ann", "bob")
    said = await wire.say(thread, bob, "thanks!")
    await wire.say(thread, ann, "Do you think so?", reply_to=said)
    await wire.say(thread, ann, "Is that right?", reply_to=said, ping=False)
    await wire.say(thread, ann, f"{bob.mention} what do you think of it?")
    await wire.say(thread, ann, "Who made this?", webhook_id="1")
    await wire.say(thread, ann, "Who pinned this?", type=6)
    assert thread.guild is not None
    await wire.say(thread, wire.world.join(thread.guild, wire.world.user("other", bot=True)), "Who am I?")
    await reader.say(bob, thread, "The last one?")
    assert reader.service.asked == ["One?", "The last one?"]


@pytest.mark.parametrize("kind", ["another's", "none"])
async def test_with_the_intent_threads_of_other_people_are_left_alone(reader: Chat, kind: str) -> None:
    wire = reader.wire
    guild, (ann,) = await inhabited(wire, "ann")
    on = await wire.say(guild, ann, "Look at this") if kind == "another's" else None
    thread = await wire.thread(guild, ann, "thread", on=on)
    await wire.say(thread, ann, "When did it open?")
    await reader.mention(ann, thread, "One?")
    looked_up = len(wire.log.seen("GET", rf"/messages/{thread.id}$"))
    await wire.say(thread, ann, "And who chairs it?")
    await wire.say(thread, ann, "And who runs it?")
    await reader.mention(ann, thread, "Two?")
    assert reader.service.asked == ["One?", "Two?"]
    assert len(wire.log.seen("GET", rf"/messages/{thread.id}$")) == looked_up  # once is enough


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_with_the_intent_a_thread_under_an_answer_is_known_after_a_restart(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, way: str
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    settings = bot_settings(discord_message_content=True)
    async with running(settings, service) as client:
        thread, answer, (_, bob) = await under(Chat(wire, client, service), "ann", "bob", way=way)
    async with running(settings, service) as client:
        chat = Chat(wire, client, service)
        await chat.say(bob, thread, "And who chairs it?")
        assert chat.before() == "One?"
        assert len(wire.log.seen("GET", rf"/messages/{answer['id']}$")) == 1


async def test_a_thread_whose_answer_cannot_be_read_now_is_known_once_it_can(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    settings = bot_settings(discord_message_content=True)
    async with running(settings, service) as client:
        thread, answer, (ann, bob) = await under(Chat(wire, client, service), "ann", "bob")
    async with running(settings, service) as client:
        wire.fault("GET", rf"/messages/{answer['id']}$", status=403)
        chat = Chat(wire, client, service)
        await wire.say(thread, bob, "And who chairs it?")
        await wire.log.until(lambda: wire.log.seen("GET", rf"/messages/{answer['id']}$"), "the refusal")
        await chat.command(ann, None, "Two?")  # the refusal has been heard by then
        await chat.say(ann, thread, "And who runs it?")
    assert service.asked == ["One?", "Two?", "And who runs it?"]


async def test_with_the_intent_a_channel_of_questions_is_answered_throughout(reader: Chat) -> None:
    wire = reader.wire
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    await reader.bot.surface.records.change(guild.id, guild.channels[0].id, answers=AnswersTo.QUESTIONS)
    await reader.say(ann, guild, "When did it open?")
    await wire.say(guild, ann, "thanks!")
    thread = await wire.thread(guild, bob, "of its own")
    await reader.say(bob, thread, "Who chairs it?")
    assert reader.service.asked == ["When did it open?", "Who chairs it?"]


async def test_without_the_intent_a_channel_of_questions_hears_mentions_only(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await chat.bot.surface.records.change(guild.id, guild.channels[0].id, answers=AnswersTo.QUESTIONS)
    await wire.say(guild, ann, "When did it open?")
    await chat.mention(ann, guild, "The last one?")
    assert chat.service.asked == ["The last one?"]
