"""Where the settings say that the bot answers nothing: it says so to commands, and is silent otherwise."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User

pytestmark = pytest.mark.usefixtures("bot")


@pytest.fixture
async def people(wire: LoopbackDiscord, bot: FootnoteClient) -> tuple[Guild, User]:
    """Make a server in which nothing is answered, but for its channel "open"."""
    guild, (ann,) = await inhabited(wire, "ann")
    channel = wire.world.channel(guild, "open")
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, None, answers=AnswersTo.NEVER)
    await bot.surface.records.change(guild.id, channel.id, answers=AnswersTo.MENTIONS)
    return guild, ann


@pytest.mark.parametrize("name", ["ask", "verify"])
async def test_commands_are_refused_privately(
    wire: LoopbackDiscord, service: FakeService, people: tuple[Guild, User], name: str
) -> None:
    guild, ann = people
    options: dict[str, Any] = {"question" if name == "ask" else "text": "When did it open?"}
    used = await wire.slash(name, ann, guild, **options)
    assert title_of(await wire.response_to(used)) == "Footnote does not answer in this channel"
    assert used.ephemeral
    assert service.asked == service.checks == []


@pytest.mark.parametrize("name", ["Answer this", "Check this quote"])
async def test_menus_are_refused_privately(
    wire: LoopbackDiscord, service: FakeService, people: tuple[Guild, User], name: str
) -> None:
    guild, ann = people
    used = await wire.menu(name, ann, await wire.say(guild, ann, "When did it open?"))
    assert title_of(await wire.response_to(used)) == "Footnote does not answer in this channel"
    assert used.ephemeral
    assert service.asked == service.checks == []


async def test_mentions_and_posts_are_passed_over_and_logged(
    wire: LoopbackDiscord,
    service: FakeService,
    people: tuple[Guild, User],
    caplog: pytest.LogCaptureFixture,
) -> None:
    guild, ann = people
    me = wire.world.bot.mention
    forum = wire.world.forum(guild)
    await wire.gateway.announce(guild)
    with caplog.at_level(logging.INFO):
        await wire.say(guild, ann, f"{me} When did it open?")
        post, _ = await wire.post(forum, ann, "When did it open?", f"{me} Does anybody know?")
        thread = await wire.thread(guild, ann, "thread")
        await wire.say(thread, ann, f"{me} When did it open?")
        await mentioned(wire, ann, guild.channels[1], "The last one?")
    assert service.asked == ["The last one?"]
    assert wire.said(guild) == wire.said(post) == wire.said(thread) == []
    logged = [one.message for one in caplog.records if "settings say never" in one.message]
    assert [str(one.id) in line for one, line in zip((guild.channels[0], post, thread), logged, strict=True)]
    assert "When did it open" not in caplog.text


async def test_a_server_that_is_not_cached_yet_is_asked_nothing_either(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    unknown = wire.world.guild("not announced")
    wire.world.join(unknown, ann)
    await bot.surface.records.change(unknown.id, None, answers=AnswersTo.NEVER)
    await wire.say(unknown, ann, f"{wire.world.bot.mention} When did it open?")
    await mentioned(wire, ann, guild.channels[1], "The last one?")
    assert service.asked == ["The last one?"]


async def test_direct_messages_work_all_the_same(
    wire: LoopbackDiscord, service: FakeService, people: tuple[Guild, User]
) -> None:
    _, ann = people
    await wire.reply_to(await wire.say(wire.world.dm(ann), ann, "One?"))
    await answer_to(wire, ann, None, "Two?")
    assert service.asked == ["One?", "Two?"]


async def test_asking_works_again_once_that_is_set(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    await bot.surface.records.change(guild.id, None, answers=None)
    await answer_to(wire, ann, guild, "One?")
    assert service.asked == ["One?"]
