"""Mentions, over the wire."""

from __future__ import annotations

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from index.errors import BusyError
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer
from tests.bot.discordapp.stage import mentioned, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import SEND_MESSAGES
from tests.wire.renderer import render
from tests.wire.world import Guild, User

pytestmark = pytest.mark.usefixtures("bot")


@pytest.fixture
async def guild(wire: LoopbackDiscord, bot: object) -> Guild:
    """Make a server that the bot knows of."""
    made = wire.world.guild()
    await wire.gateway.announce(made)
    return made


@pytest.fixture
def ann(wire: LoopbackDiscord, guild: Guild) -> User:
    """Make a member."""
    return wire.world.join(guild, wire.world.user("ann"))


async def test_mention_is_answered_in_a_reply_that_pings_nobody(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} When did it open?")
    reply = await wire.reply_to(asked)
    assert service.asked == ["When did it open?"]
    assert render(reply["embeds"][0]["description"]).quotes == [QUOTE]
    assert wire.log.pings == []
    request = wire.log.seen("POST", r"/messages$")[-1]
    assert request.body["allowed_mentions"] == {"parse": [], "replied_user": False}


@pytest.mark.parametrize("form", ["<@{}> Why so?", "<@!{}> Why so?", "Why so? <@{}>", "<@{0}> Why so?<@{0}>"])
async def test_mention_is_taken_out_wherever_it_stands(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User, form: str
) -> None:
    await wire.reply_to(await wire.say(guild, ann, form.format(wire.world.bot.id)))
    assert service.asked == ["Why so?"]


async def test_typing_is_shown_while_the_answer_is_made(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    service.open.clear()
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    await wire.log.until(lambda: wire.channels.typing, "typing")
    service.open.set()
    await wire.reply_to(asked)
    assert wire.channels.typing == [guild.channels[0].id]


async def test_typing_is_shown_before_an_answer_that_comes_at_once(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} Why?"))
    posts = [request.path.rsplit("/", 1)[-1] for request in wire.log.seen("POST", "^/channels/")]
    assert posts[0] == "typing"
    assert wire.channels.typing == [guild.channels[0].id]


async def test_answer_hardly_waits_for_typing(wire: LoopbackDiscord, guild: Guild, ann: User) -> None:
    wire.fault("POST", "/typing", status=403, delay=2)
    await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} Why?"), 1)


async def test_bare_mention_gets_short_help(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    reply = await wire.reply_to(await wire.say(guild, ann, wire.world.bot.mention))
    assert reply["embeds"][0]["title"] == "Ask a question"
    assert service.asked == []


async def test_what_is_not_for_the_bot_is_left_alone(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    me = wire.world.bot
    other = wire.world.join(guild, wire.world.user("other bot", bot=True))
    await wire.say(guild, ann, "When did it open?")
    await wire.say(guild, ann, "@everyone when did it open?")
    await wire.say(guild, other, f"{me.mention} Why?")
    await wire.say(guild, me, f"{me.mention} Why?")
    await wire.say(guild, ann, f"{me.mention} Why?", webhook_id="1")
    await wire.say(guild, ann, f"{me.mention} pinned", type=6)
    await wire.reply_to(await wire.say(guild, ann, f"{me.mention} The last one?"))
    assert service.asked == ["The last one?"]
    assert len(wire.said(guild)) == 2  # with the one that the bot itself said above


async def test_server_that_is_not_cached_yet_is_no_direct_message(
    wire: LoopbackDiscord, service: FakeService, ann: User
) -> None:
    unknown = wire.world.guild("not announced")
    wire.world.join(unknown, ann)
    await wire.say(unknown, ann, "When did it open?")
    await wire.reply_to(await wire.say(unknown, ann, f"{wire.world.bot.mention} The last one?"))
    assert service.asked == ["The last one?"]
    assert len(wire.said(unknown)) == 1


async def test_question_deleted_meanwhile_is_answered_in_the_channel(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    service.open.clear()
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    await wire.log.until(lambda: service.asked, "the question")
    del wire.channels.messages[int(asked["id"])]
    service.open.set()
    await wire.log.until(lambda: wire.said(guild), "an answer")


@pytest.mark.parametrize(
    ("error", "title"),
    [(BusyError("full"), "Too many questions are waiting"), (RuntimeError("boom"), "Something went wrong")],
)
async def test_failed_question_is_answered_with_an_apology(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User, error: Exception, title: str
) -> None:
    service.error = error
    reply = await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} Why?"))
    assert reply["embeds"][0]["title"] == title


async def test_missing_permission_to_write_is_logged_and_the_bot_goes_on(
    wire: LoopbackDiscord, guild: Guild, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    await wire.deny(guild.channels[0], SEND_MESSAGES)
    await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    await wire.log.until(lambda: len(wire.log.seen("POST", r"/messages$")) == 2, "the refused replies")
    await wire.deny(guild.channels[0], 0)
    await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} Why?"))
    assert "could not be posted" in caplog.text


async def test_an_edited_message_is_not_asked_again(
    wire: LoopbackDiscord, service: FakeService, guild: Guild, ann: User
) -> None:
    me = wire.world.bot.mention
    asked = await wire.say(guild, ann, f"{me} Why?")
    await wire.reply_to(asked)
    asked["content"] = f"{me} Why so?"
    await wire.messages.announce(asked, "MESSAGE_UPDATE")
    await wire.reply_to(await wire.say(guild, ann, f"{me} The last one?"))
    assert service.asked == ["Why?", "The last one?"]


@pytest.mark.parametrize(
    ("setting", "locale", "title"),
    [
        (None, "en-US", "The articles say"),
        (None, "es-ES", "Los artículos dicen"),
        (None, "pt-BR", "The articles say"),
        ("es", "de", "Los artículos dicen"),
    ],
)
async def test_the_bot_speaks_the_servers_language(
    wire: LoopbackDiscord, bot: FootnoteClient, setting: str | None, locale: str, title: str
) -> None:
    guild = wire.world.guild()
    guild.locale = locale
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, None, language=setting)
    reply = await mentioned(wire, guild.owner, guild)
    assert title_of(reply) == title
    assert render(reply["embeds"][0]["description"]).quotes == [QUOTE]  # articles are never translated


async def test_a_gap_is_noted_in_its_server_and_a_question_that_is_answered_is_none(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, guild: Guild, ann: User
) -> None:
    service.replies["Why not?"] = sample_answer("Why not?", verdict=Verdict.NOT_FOUND)
    for question in ("Why?", "Why not?", "The last one?"):
        await mentioned(wire, ann, guild, question)
    (gap,) = await bot.surface.records.gaps(guild.id)
    assert gap.question == "Why not?"
    assert await bot.surface.records.gaps(None) == []
