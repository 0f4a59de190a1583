"""Questions in messages: mentions, replies to an answer, direct messages; and what is left alone."""

from __future__ import annotations

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, settle
from tests.bot.discordapp.service import BREAD, LAMP, LAMP_QUOTE
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT


async def test_a_mention_is_answered_in_a_reply_that_pings_nobody(chat: Chat) -> None:
    answer = await chat.mention(LAMP)
    assert (answer.title, answer.shown.quotes, chat.service.asked) == (texts.ANSWERED, [LAMP_QUOTE], [LAMP])
    assert chat.log.seen("POST", "/messages$")[-1].body["allowed_mentions"]["replied_user"] is False
    assert (await chat.mention("")).title == texts.HELP
    assert (chat.log.pings, chat.service.asked) == ([], [LAMP])


@pytest.mark.parametrize("form", ["<@{}> Why?", "<@!{}> Why?", "Why? <@{}>", "<@{0}> Why?<@{0}>"])
async def test_the_mention_is_taken_out_wherever_it_stands(chat: Chat, form: str) -> None:
    await chat.reply(await chat.say(chat.ann, chat.guild, form.format(chat.world.bot.id)))
    assert chat.service.asked == ["Why?"]


async def test_typing_is_shown_and_the_answer_does_not_wait_for_it(chat: Chat) -> None:
    chat.service.open.clear()
    asked = await chat.say(chat.ann, chat.guild, f"{chat.world.bot.mention} {LAMP}")
    await chat.log.until(lambda: chat.messages.typing == [chat.guild.channels[0]], "typing")
    chat.service.open.set()
    await chat.reply(asked)
    chat.faults.answer("POST", "/typing$", status=403, delay=2)
    await chat.reply(await chat.say(chat.ann, chat.guild, f"{chat.world.bot.mention} {LAMP}"), 1)


@pytest.mark.parametrize("locale", ["en-US", "de", "es-ES", "fr", "pt-BR"])
async def test_the_bot_speaks_the_language_of_the_server(chat: Chat, locale: str) -> None:
    guild, ann = await chat.server("ann", locale=locale)
    assert (await chat.mention(user=ann, where=guild)).title == texts.IN_LANGUAGE.get(
        locale[:2], texts.ANSWERED
    )


async def test_what_is_not_for_the_bot_is_left_alone(chat: Chat) -> None:
    me, guild, ann = chat.world.bot.mention, chat.guild, chat.ann
    robot = chat.world.join(guild, chat.world.user("robot", bot=True))
    await chat.say(ann, guild, LAMP)
    await chat.say(ann, guild, f"@everyone {LAMP}")
    await chat.say(robot, guild, f"{me} {LAMP}")
    await chat.say(chat.world.bot, guild, f"{me} {LAMP}")
    await chat.say(ann, guild, f"{me} {LAMP}", webhook=True)
    await chat.say(ann, guild, f"{me} pinned", kind=6)
    unknown = chat.world.guild()  # which is not announced: it is no direct message for that
    await chat.say(unknown.owner, unknown, LAMP)
    edited = await chat.say(ann, guild, f"{me} {LAMP}")
    await chat.reply(edited)
    edited.content, edited.edits = f"{me} {BREAD}", 1
    await chat.messages.announce(edited, "MESSAGE_UPDATE")
    await chat.mention(BREAD, unknown.owner, unknown)
    assert chat.service.asked == [LAMP, BREAD]


@pytest.mark.parametrize("text", [LAMP, "when the lamp was lit", "thanks!", "<@{}> why"])
async def test_every_direct_message_is_a_question(chat: Chat, text: str) -> None:
    await chat.direct(text.format(chat.world.bot.id))
    assert (await chat.direct("")).title == texts.HELP
    assert (chat.service.asked, chat.log.pings) == ([text.removeprefix("<@{}> ")], [])


async def test_a_reply_that_pings_goes_on_from_the_answer_that_it_replies_to(chat: Chat) -> None:
    first, second = await chat.mention(LAMP), await chat.ask(BREAD)
    await settle()
    for answer, question in ((first, LAMP), (second, BREAD)):
        await chat.reply(await chat.say(chat.bob, chat.guild, "And who?", answer))
        assert chat.service.asked_with[-1] == ("And who?", None, question)
    assert (await chat.reply(await chat.say(chat.bob, chat.guild, "", first))).title == texts.HELP
    said = await chat.say(chat.bob, chat.guild, "It was lit long ago.")
    await chat.mention("Is that so?", to=said)
    assert chat.service.asked_with[-1] == ("Is that so?", None, BREAD)  # what ann asked there last


async def test_a_reply_without_a_ping_needs_the_intent(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    assert chat.gateway.identifies[0]["intents"] == GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES
    first = await chat.mention(LAMP)
    await chat.say(chat.ann, chat.guild, "And who?", first, ping=False)
    await chat.mention("The last one?")
    assert chat.service.asked == [LAMP, "The last one?"]
    assert [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


async def test_with_the_intent_a_reply_need_not_ping(reading: Chat) -> None:
    assert reading.gateway.identifies[0]["intents"] & MESSAGE_CONTENT
    first = await reading.mention(LAMP)
    await settle()
    await reading.reply(await reading.say(reading.bob, reading.guild, "And who?", first, ping=False))
    assert reading.service.asked_with[-1] == ("And who?", None, LAMP)
    said = await reading.say(reading.ann, reading.guild, "So it is.")
    await reading.say(reading.bob, reading.guild, "Is it so?", said, ping=False)
    await reading.say(reading.bob, reading.guild, BREAD)
    await reading.mention("The last one?")
    assert reading.service.asked == [LAMP, "And who?", "The last one?"]
