"""Questions in messages: mentions, replies to an answer, direct messages; and what is left alone."""

from __future__ import annotations

import pytest

from index.errors import BusyError
from tests.bot.discordapp.asking import ask, mention, settle
from tests.bot.discordapp.phrases import ANSWERED, BUSY, FAULT, HELP, IN_LANGUAGE, STOPPING
from tests.bot.discordapp.service import BREAD, LAMP, LAMP_QUOTE, ControlledService
from tests.wire.driver import Wire
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT
from tests.wire.world import Permission

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_mention_is_answered_in_a_reply_that_pings_nobody(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    answer = await mention(wire, ann, guild, LAMP)
    assert (answer.title, answer.shown.quotes, service.asked) == (ANSWERED, [LAMP_QUOTE], [LAMP])
    assert wire.log.pings == []
    assert wire.log.seen("POST", "/messages$")[-1].body["allowed_mentions"]["replied_user"] is False


@pytest.mark.parametrize("form", ["<@{}> Why?", "<@!{}> Why?", "Why? <@{}>", "<@{0}> Why?<@{0}>"])
async def test_the_mention_is_taken_out_wherever_it_stands(
    wire: Wire, service: ControlledService, form: str
) -> None:
    guild, ann = await wire.server("ann")
    await wire.reply(await wire.say(ann, guild, form.format(wire.world.bot.id)))
    assert service.asked == ["Why?"]


async def test_typing_is_shown_until_the_answer_which_does_not_wait_for_it(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    service.open.clear()
    asked = await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}")
    await wire.log.until(lambda: wire.messages.typing == [guild.channels[0]], "typing")
    service.open.set()
    await wire.reply(asked)
    wire.faults.answer("POST", "/typing$", status=403, delay=2)
    await wire.reply(await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}"), 1)


@pytest.mark.parametrize("locale", ["en-US", "de", "es-ES", "fr", "pt-BR"])
async def test_the_bot_speaks_the_language_of_the_server(wire: Wire, locale: str) -> None:
    guild, ann = await wire.server("ann", locale=locale)
    assert (await mention(wire, ann, guild)).title == IN_LANGUAGE.get(locale[:2], ANSWERED)


async def test_a_mention_without_a_question_gets_help(wire: Wire, service: ControlledService) -> None:
    guild, ann = await wire.server("ann")
    assert (await mention(wire, ann, guild, "")).title == HELP
    assert service.asked == []


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=5.2), BUSY), (RuntimeError("boom"), FAULT)]
)
async def test_what_fails_is_answered_with_an_apology(
    wire: Wire, service: ControlledService, error: Exception, title: str
) -> None:
    guild, ann = await wire.server("ann")
    service.error = error
    apology = await mention(wire, ann, guild)
    assert (apology.title, "boom" in str(apology.embeds)) == (title, False)


async def test_what_is_not_for_the_bot_is_left_alone(wire: Wire, service: ControlledService) -> None:
    guild, ann = await wire.server("ann")
    me, robot = wire.world.bot.mention, wire.world.join(guild, wire.world.user("robot", bot=True))
    await wire.say(ann, guild, LAMP)
    await wire.say(ann, guild, f"@everyone {LAMP}")
    await wire.say(robot, guild, f"{me} {LAMP}")
    await wire.say(wire.world.bot, guild, f"{me} {LAMP}")
    await wire.say(ann, guild, f"{me} {LAMP}", webhook=True)
    await wire.say(ann, guild, f"{me} pinned", kind=6)
    edited = await wire.say(ann, guild, f"{me} {LAMP}")
    await wire.reply(edited)
    edited.content, edited.edits = f"{me} {BREAD}", 1
    await wire.messages.announce(edited, "MESSAGE_UPDATE")
    await mention(wire, ann, guild, "The last one?")
    assert service.asked == [LAMP, "The last one?"]


async def test_a_server_that_is_not_announced_yet_is_no_direct_message(
    wire: Wire, service: ControlledService
) -> None:
    guild = wire.world.guild()
    await wire.say(guild.owner, guild, LAMP)
    await mention(wire, guild.owner, guild, BREAD)
    assert service.asked == [BREAD]


@pytest.mark.parametrize("text", [LAMP, "when the lamp was lit", "thanks!", "<@{}> why"])
async def test_every_direct_message_is_a_question(
    wire: Wire, service: ControlledService, text: str
) -> None:
    ann = wire.world.user("ann")
    await wire.reply(await wire.say(ann, ann, text.format(wire.world.bot.id)))
    assert service.asked == [text.removeprefix("<@{}> ")]
    assert (await wire.reply(await wire.say(ann, ann, ""))).title == HELP
    assert wire.log.pings == []


async def test_a_reply_that_pings_is_read_together_with_the_answer_that_it_replies_to(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    first, second = await mention(wire, ann, guild, LAMP), await ask(wire, ann, guild, BREAD)
    await settle()
    for answer, question in ((first, LAMP), (second, BREAD)):
        await wire.reply(await wire.say(bob, guild, "And who?", answer))
        assert service.asked_with[-1] == ("And who?", None, question)
    assert (await wire.reply(await wire.say(bob, guild, "", first))).title == HELP
    said = await wire.say(bob, guild, "It was lit long ago.")
    await mention(wire, ann, guild, "Is that so?", said)
    assert service.asked_with[-1] == ("Is that so?", None, BREAD)  # what ann asked there last


async def test_a_reply_needs_no_intent_and_a_reply_without_a_ping_needs_it(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, ann = await wire.server("ann")
    (identify,) = wire.gateway.identifies
    assert identify["intents"] == GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES
    first = await mention(wire, ann, guild, LAMP)
    await wire.say(ann, guild, "And who?", first, ping=False)
    await mention(wire, ann, guild, "The last one?")
    assert service.asked == [LAMP, "The last one?"]
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


async def test_with_the_intent_a_reply_need_not_ping(reading: Wire, service: ControlledService) -> None:
    guild, ann, bob = await reading.server("ann", "bob")
    assert reading.gateway.identifies[0]["intents"] & MESSAGE_CONTENT
    first = await mention(reading, ann, guild, LAMP)
    await settle()
    await reading.reply(await reading.say(bob, guild, "And who?", first, ping=False))
    said = await reading.say(ann, guild, "So it is.")
    await reading.say(bob, guild, "Is it so?", said, ping=False)
    await reading.say(bob, guild, BREAD)
    await mention(reading, ann, guild, "The last one?")
    assert service.asked == [LAMP, "And who?", "The last one?"]
    assert service.asked_with[1] == ("And who?", None, LAMP)


async def test_a_question_that_is_deleted_meanwhile_is_answered_in_the_channel(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    service.open.clear()
    asked = await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}")
    await wire.log.until(lambda: wire.messages.typing, "typing")
    await wire.messages.delete(asked)
    service.open.set()
    (answer,) = await wire.log.until(lambda: wire.said(guild), "an answer")
    assert (answer.title, answer.reply_to) == (ANSWERED, None)


async def test_a_channel_without_the_right_to_write_is_logged_and_the_bot_goes_on(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    guild, ann = await wire.server("ann")
    await wire.deny(guild, Permission.SEND_MESSAGES)
    await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}")
    await wire.log.until(lambda: wire.log.seen("POST", "/messages$"), "the refused reply")
    await settle()
    await wire.deny(guild, 0)
    assert (await mention(wire, ann, guild)).title != STOPPING
    assert "could not be posted" in caplog.text
