"""What /settings changes, over the wire: at once, in the next question, there and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import inhabited, mentioned, title_of
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User

IN_ENGLISH, IN_GERMAN, NOT_HERE = "The articles say", "Die Artikel sagen", "does not answer in this channel"


@pytest.fixture
async def people(wire: LoopbackDiscord, bot: FootnoteClient) -> tuple[Guild, User]:
    """Make a server with a member, and a second channel."""
    assert bot.is_ready()
    guild, (ann,) = await inhabited(wire, "ann")
    wire.world.channel(guild, "second")
    wire.world.forum(guild)
    await wire.gateway.announce(guild)
    return guild, ann


async def set_to(wire: LoopbackDiscord, guild: Guild, command: str, **options: Any) -> None:
    """Use a /settings command as the server's owner."""
    await wire.response_to(await wire.slash(f"settings {command}", guild.owner, guild, **options))


async def answered(
    wire: LoopbackDiscord, user: User, where: Guild | Channel, **options: Any
) -> tuple[str, bool]:
    """Ask by command; return the answer's title, and whether the asker alone sees it."""
    used = await wire.slash("ask", user, where, question="When did it open?", **options)
    return title_of(await wire.response_to(used)), used.ephemeral


async def test_private_holds_at_once_in_its_channel_before_the_servers(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    first, second = guild.channels[:2]
    await set_to(wire, guild, "private", private="yes")
    assert [await answered(wire, ann, one) for one in (first, second)] == [(IN_ENGLISH, True)] * 2
    await set_to(wire, guild, "private", private="no", channel=first)
    assert await answered(wire, ann, first) == (IN_ENGLISH, False)
    assert await answered(wire, ann, second) == (IN_ENGLISH, True)
    await set_to(wire, guild, "private", private="inherit", channel=first)
    assert await answered(wire, ann, first) == (IN_ENGLISH, True)
    await set_to(wire, guild, "private", private="inherit")
    assert await answered(wire, ann, first) == (IN_ENGLISH, False)
    assert await answered(wire, ann, first, private=True) == (IN_ENGLISH, True)


async def test_the_language_holds_for_commands_and_mentions(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    first, second = guild.channels[:2]
    await set_to(wire, guild, "language", language="de", channel=first)
    assert (await answered(wire, ann, first))[0] == IN_GERMAN
    assert (await answered(wire, ann, second))[0] == IN_ENGLISH
    assert title_of(await mentioned(wire, ann, first)) == IN_GERMAN
    await set_to(wire, guild, "language", language="de")
    await set_to(wire, guild, "language", language="en", channel=first)
    assert title_of(await mentioned(wire, ann, first)) == IN_ENGLISH
    assert title_of(await mentioned(wire, ann, second)) == IN_GERMAN


async def test_a_language_that_is_set_is_before_that_of_the_asker_and_of_the_server(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, _ = people
    guild.locale = "fr"
    eva = wire.world.join(guild, wire.world.user("eva", locale="de"))
    await wire.gateway.announce(guild)
    assert (await answered(wire, eva, guild))[0] == IN_GERMAN
    await set_to(wire, guild, "language", language="en")
    assert (await answered(wire, eva, guild))[0] == IN_ENGLISH
    await set_to(wire, guild, "language", language="auto", channel=guild.channels[0])
    assert (await answered(wire, eva, guild))[0] == IN_GERMAN


async def test_never_holds_at_once_and_a_channel_may_be_left_out_of_it(
    wire: LoopbackDiscord, service: FakeService, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    first, second = guild.channels[:2]
    await set_to(wire, guild, "answers", to="never")
    title, private = await answered(wire, ann, first)
    assert NOT_HERE in title
    assert private
    await wire.say(first, ann, f"{wire.world.bot.mention} When did it open?")
    await set_to(wire, guild, "answers", to="mentions", channel=second)
    assert title_of(await mentioned(wire, ann, second)) == IN_ENGLISH
    assert wire.said(first) == []
    assert len(service.asked) == 1
    await set_to(wire, guild, "answers", to="inherit")
    assert title_of(await mentioned(wire, ann, first)) == IN_ENGLISH


async def test_a_thread_has_what_its_channel_has_unless_it_has_its_own(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    first = guild.channels[0]
    thread = await wire.thread(first, ann, "thread")
    beside = await wire.thread(first, ann, "beside")
    await set_to(wire, guild, "private", private="yes", channel=first)
    await set_to(wire, guild, "language", language="de", channel=first)
    assert await answered(wire, ann, thread) == (IN_GERMAN, True)
    assert title_of(await mentioned(wire, ann, thread)) == IN_GERMAN
    await set_to(wire, guild, "language", language="en", channel=thread)
    assert await answered(wire, ann, thread) == (IN_ENGLISH, True)
    assert await answered(wire, ann, beside) == (IN_GERMAN, True)
    assert await answered(wire, ann, first) == (IN_GERMAN, True)
    await set_to(wire, guild, "answers", to="never", channel=first)
    await set_to(wire, guild, "answers", to="mentions", channel=beside)
    assert "antwortet" in (await answered(wire, ann, first))[0]
    assert NOT_HERE in (await answered(wire, ann, thread))[0]
    assert await answered(wire, ann, beside) == (IN_GERMAN, True)
    await set_to(wire, guild, "language", language="inherit", channel=thread)
    assert "antwortet" in (await answered(wire, ann, thread))[0]


async def test_another_server_has_none_of_it(wire: LoopbackDiscord, people: tuple[Guild, User]) -> None:
    guild, _ = people
    other, (bob,) = await inhabited(wire, "bob")
    await set_to(wire, guild, "answers", to="never")
    await set_to(wire, guild, "private", private="yes")
    await set_to(wire, guild, "language", language="de")
    assert await answered(wire, bob, other) == (IN_ENGLISH, False)


async def test_a_forums_posts_are_answered_by_their_titles_once_every_question_is(
    wire: LoopbackDiscord, service: FakeService, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    forum = guild.channels[2]
    await wire.post(forum, ann, "Why before?", "text")
    await set_to(wire, guild, "answers", to="questions", channel=forum)
    _, starter = await wire.post(forum, ann, "When did it open?", "text")
    assert title_of(await wire.reply_to(starter)) == IN_ENGLISH
    await set_to(wire, guild, "answers", to="inherit", channel=forum)
    await wire.post(forum, ann, "Why afterwards?", "text")
    await mentioned(wire, ann, guild, "The last one?")
    assert service.asked == ["When did it open?", "The last one?"]


@pytest.fixture
async def reading(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> AsyncIterator[FootnoteClient]:
    """Connect the bot with the intent for the content of messages."""
    wire.gateway.granted = MESSAGE_CONTENT
    async with running(bot_settings(discord_message_content=True), service) as client:
        yield client


@pytest.mark.usefixtures("reading")
async def test_every_question_in_a_channel_is_answered_once_that_is_set(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    wire.world.channel(guild, "second")
    await wire.gateway.announce(guild)
    first, second = guild.channels
    await wire.say(first, ann, "Why before?")
    await set_to(wire, guild, "answers", to="questions", channel=first)
    assert title_of(await wire.reply_to(await wire.say(first, ann, "When did it open?"))) == IN_ENGLISH
    await wire.say(second, ann, "Why in another channel?")
    await set_to(wire, guild, "answers", to="inherit", channel=first)
    await wire.say(first, ann, "Why afterwards?")
    await mentioned(wire, ann, first, "The last one?")
    assert service.asked == ["When did it open?", "The last one?"]
