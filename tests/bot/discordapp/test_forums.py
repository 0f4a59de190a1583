"""Forum posts, over the wire: the title without the message-content intent, the whole post with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import mentioned, title_of
from tests.bot.discordapp.ways import until
from tests.wire.gateway import GUILDS, MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json

PATIENT = 8.0
"""Seconds, more than the bot waits for a post's first message."""


@dataclass
class Forum:
    """A forum in which every question is answered, and somebody who posts there."""

    wire: LoopbackDiscord
    bot: FootnoteClient
    guild: Guild
    channel: Channel
    ann: User

    @classmethod
    async def made(cls, wire: LoopbackDiscord, bot: FootnoteClient, answers: AnswersTo) -> Forum:
        """Make it in a new server."""
        guild = wire.world.guild()
        channel = wire.world.forum(guild)
        await wire.gateway.announce(guild)
        await bot.surface.records.change(guild.id, channel.id, answers=answers)
        return cls(wire, bot, guild, channel, wire.world.join(guild, wire.world.user("ann")))

    async def post(
        self, title: str, body: str = "Please help.", user: User | None = None, **more: object
    ) -> Channel:
        """Make a post; return its thread."""
        thread, _ = await self.wire.post(self.channel, user or self.ann, title, body, **more)
        return thread

    async def announced(self, title: str) -> Channel:
        """Make a post whose first message never comes."""
        thread = self.wire.world.thread(self.channel, self.ann, title, self.wire.world.new_id())
        event = thread.payload() | {"newly_created": True}
        await self.wire.gateway.dispatch("THREAD_CREATE", event, GUILDS, self.guild.id)
        return thread

    async def answer(self, thread: Channel, within: float = 3.0) -> Json:
        """Wait for what the bot says in a post."""
        await self.wire.log.until(lambda: self.wire.said(thread), "an answer", within)
        return self.wire.said(thread)[0]


@pytest.fixture
async def forum(wire: LoopbackDiscord, bot: FootnoteClient) -> Forum:
    """Make a forum of questions, for a bot with default settings."""
    return await Forum.made(wire, bot, AnswersTo.QUESTIONS)


@pytest.fixture
async def read(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> AsyncIterator[Forum]:
    """Make a forum of questions, for a bot that may read all messages."""
    wire.gateway.granted = MESSAGE_CONTENT
    async with running(bot_settings(discord_message_content=True), service) as client:
        yield await Forum.made(wire, client, AnswersTo.QUESTIONS)


async def test_without_the_intent_a_posts_title_is_answered(forum: Forum, service: FakeService) -> None:
    thread = await forum.post("When did the academy open?", "And who chairs it?")
    answer = await forum.answer(thread)
    assert service.asked == ["When did the academy open?"]
    assert answer["message_reference"]["message_id"] == str(thread.id)
    assert forum.wire.log.pings == []


async def test_each_post_is_answered_once_and_one_without_a_message_by_its_title(
    forum: Forum, service: FakeService
) -> None:
    first = await forum.post("First?")
    await forum.answer(first)
    bare = await forum.announced("  Second? ")
    answer = await forum.answer(bare, PATIENT)  # by then the bot's patience with the first has ended too
    assert "message_reference" not in answer
    assert service.asked == ["First?", "Second?"]
    await forum.wire.messages.announce(
        forum.wire.messages.build(bare, forum.ann, {"content": "Late."}, message_id=bare.id)
    )
    third = await forum.post("Third?")
    await forum.answer(third)
    assert service.asked == ["First?", "Second?", "Third?"]
    assert [len(forum.wire.said(one)) for one in (first, bare, third)] == [1, 1, 1]


async def test_what_no_person_asks_in_a_forum_of_questions_is_left_alone(
    forum: Forum, service: FakeService
) -> None:
    wire, guild, change = forum.wire, forum.guild, forum.bot.surface.records.change
    bot = wire.world.join(guild, wire.world.user("other bot", bot=True))
    threads = [await forum.post("Is this news?", user=bot)]
    threads.append(await forum.post("Is this from a hook?", webhook_id="1"))
    await change(guild.id, guild.channels[0].id, answers=AnswersTo.QUESTIONS)
    threads.append(await wire.thread(guild, forum.ann, "Is this a thread in a text channel?"))
    for answers in (AnswersTo.MENTIONS, AnswersTo.NEVER):
        await change(guild.id, forum.channel.id, answers=answers)
        threads.append(await forum.post("Is this in another forum?"))
        threads.append(await forum.announced("Is this?"))
        await mentioned(wire, forum.ann, guild, "Next?")  # what came before has then been heard
    await change(guild.id, forum.channel.id, answers=AnswersTo.QUESTIONS)
    await forum.answer(await forum.announced("The last one?"), PATIENT)
    assert service.asked == ["Next?", "Next?", "The last one?"]
    assert [wire.said(one) for one in threads] == [[]] * len(threads)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("{}", "When did it open?"),
        ("{} I want to visit it.", "When did it open?"),
        ("Is it open now? {} I want to visit it.", "When did it open?\nIs it open now?"),
    ],
)
async def test_a_mention_in_a_post_asks_its_title_wherever_mentions_are_answered(
    forum: Forum, service: FakeService, body: str, asked: str
) -> None:
    await forum.bot.surface.records.change(forum.guild.id, forum.channel.id, answers=None)
    thread = await forum.post("When did it open?", body.format(forum.wire.world.bot.mention))
    await forum.answer(thread)
    assert service.asked == [asked]


@pytest.mark.parametrize(
    ("title", "body", "asked"),
    [
        ("When did it open?", "I found nothing.", "When did it open?"),
        ("When did it open?", "I looked. Who chairs it? Thanks", "When did it open?\nWho chairs it?"),
        ("Opening", "When did\nit open? And who chairs it?", "Opening\nit open? And who chairs it?"),
        ("Opening", "I need the date.", "Opening\nI need the date."),
        (
            "Opening",
            "See https://example.org/a?b=c for more.",
            "Opening\nSee https://example.org/a?b=c for more.",
        ),
        ("Opening?", "opening?", "Opening?"),
        ("Opening", "", "Opening"),
        ("Opening", "word " * 800, "Opening\n" + ("word " * 100).strip()),
    ],
)
async def test_with_the_intent_a_post_is_asked_with_what_its_body_asks(
    read: Forum, service: FakeService, title: str, body: str, asked: str
) -> None:
    await read.answer(await read.post(title, body))
    assert service.asked == [asked]


async def test_in_a_post_people_go_on_from_the_answer(
    read: Forum, wire: LoopbackDiscord, service: FakeService
) -> None:
    service.replies["When did it open?"] = sample_answer("When did it open?")
    chat = Chat(wire, read.bot, service)
    thread = await read.post("When did it open?")
    await chat.noted(await read.answer(thread))
    await wire.say(thread, read.ann, "thanks!")
    bob = wire.world.join(read.guild, wire.world.user("bob"))
    await chat.say(bob, thread, "And who chairs it?")
    assert service.asked == ["When did it open?", "And who chairs it?"]
    assert chat.before() == "When did it open?"


async def test_a_post_is_answered_in_the_servers_language(forum: Forum) -> None:
    wire, guild = forum.wire, forum.guild
    guild.locale = "de"
    await wire.gateway.announce(guild)
    said, bare = await forum.post("Wann?"), await forum.announced("Wer?")
    await mentioned(wire, forum.ann, guild, "Warum?")  # both have been heard by then
    await forum.bot.surface.records.change(guild.id, None, language="es")
    set_so = [await forum.post("¿Cuándo?"), await forum.announced("¿Quién?")]
    for thread in (said, bare):
        assert title_of(await forum.answer(thread, PATIENT)) == "Die Artikel sagen"
    for thread in set_so:
        assert title_of(await forum.answer(thread, PATIENT)) == "Los artículos dicen"


async def test_a_post_that_is_locked_or_deleted_at_once_is_only_logged(
    forum: Forum, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.open.clear()
    thread = await forum.post("When did it open?")
    gone = await forum.post("Who chairs it?")
    await forum.wire.log.until(lambda: len(service.asked) == 2, "the questions")
    await forum.wire.lock(thread)
    await forum.wire.remove(gone)
    service.open.set()
    await forum.answer(await forum.post("The last one?"))
    await until(lambda: caplog.text.count("could not be posted") == 2)
    assert "Traceback" not in caplog.text
