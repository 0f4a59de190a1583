"""Questions in messages: mentions, replies to an answer, direct messages; and what is ignored."""

from __future__ import annotations

import re

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, settle
from tests.bot.discordapp.service import BREAD, LAMP, LAMP_QUOTE
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT


async def test_a_mention_is_answered_in_a_reply_that_pings_nobody(chat: Chat) -> None:
    answer = await chat.mention(LAMP)
    assert (answer.title, answer.shown.quotes) == (texts.ANSWERED, [LAMP_QUOTE])
    assert chat.log.seen("POST", "/messages$")[-1].body["allowed_mentions"]["replied_user"] is False
    assert (await chat.mention("")).title == texts.HELP
    assert (chat.log.pings, chat.service.asked) == ([], [LAMP])


@pytest.mark.parametrize("text", ["<@{}> Why?", "<@!{}> Why?", "Why? <@{}>", "<@{0}> Why?<@{0}>"])
async def test_the_mention_is_not_part_of_the_question(chat: Chat, text: str) -> None:
    await chat.reply(await chat.say(chat.ann, chat.guild, text.format(chat.world.bot.id)))
    assert chat.service.asked == ["Why?"]


@pytest.mark.parametrize("locale", ["en-US", "de", "es-ES", "fr", "pt-BR"])
async def test_the_bot_uses_the_language_of_the_server(chat: Chat, locale: str) -> None:
    guild, ann = await chat.server("ann", locale=locale)
    title = (await chat.mention(user=ann, where=guild)).title
    assert title == texts.IN_LANGUAGE.get(locale[:2], texts.ANSWERED)


async def test_other_messages_are_ignored(chat: Chat) -> None:
    bot, guild, ann = chat.world.bot.mention, chat.guild, chat.ann
    robot = chat.world.join(guild, chat.world.user("robot", bot=True))
    await chat.say(ann, guild, LAMP)
    await chat.say(ann, guild, f"@everyone {LAMP}")
    await chat.say(robot, guild, f"{bot} {LAMP}")
    await chat.say(chat.world.bot, guild, f"{bot} {LAMP}")
    await chat.say(ann, guild, f"{bot} {LAMP}", webhook=True)
    await chat.say(ann, guild, f"{bot} pinned", kind=6)
    unknown = chat.world.guild()  # not announced, which does not make it a direct message
    await chat.say(unknown.owner, unknown, LAMP)
    edited = await chat.say(ann, guild, f"{bot} {LAMP}")
    await chat.reply(edited)
    edited.content, edited.edits = f"{bot} {BREAD}", 1
    await chat.messages.announce(edited, "MESSAGE_UPDATE")
    await chat.mention(BREAD, unknown.owner, unknown)
    assert chat.service.asked == [LAMP, BREAD]


@pytest.mark.parametrize("text", [LAMP, "when the lamp was lit", "thanks to whom?", "<@{}> why"])
async def test_every_direct_message_is_a_question(chat: Chat, text: str) -> None:
    await chat.direct(text.format(chat.world.bot.id))
    assert (await chat.direct("")).title == texts.HELP
    assert (chat.service.asked, chat.log.pings) == ([text.removeprefix("<@{}> ")], [])


@pytest.mark.parametrize("way", WAYS)
async def test_small_talk_gets_a_short_line_and_is_no_question(chat: Chat, way: str) -> None:
    await WAYS[way](chat, LAMP)
    await settle()
    for text, title in (("Hi there!!", texts.HELP), ("ok thx 🙏", texts.WELCOME)):
        assert (await WAYS[way](chat, text)).title == title
    await settle()
    await chat.ask("And who?", where=chat.ann if way == "direct" else None)
    assert chat.service.latest() == ("And who?", None, LAMP)
    assert chat.service.asked == [LAMP, "And who?"]


async def test_a_reply_with_a_ping_follows_up_on_the_answer(chat: Chat) -> None:
    first, second = await chat.mention(LAMP), await chat.mention(BREAD)
    await settle()
    for answer, question in ((first, LAMP), (second, BREAD)):
        await chat.reply(await chat.say(chat.bob, chat.guild, "And who?", answer))
        assert chat.service.latest() == ("And who?", None, question)
    assert (await chat.reply(await chat.say(chat.bob, chat.guild, "", first))).title == texts.HELP
    other = await chat.say(chat.bob, chat.guild, "It was lit long ago.")
    await chat.mention("Is that so?", to=other)
    assert chat.service.latest() == ("Is that so?", None, BREAD)  # ann's latest question there


@pytest.mark.parametrize("locale", ["en-US", "de", "es-ES", "fr"])
async def test_a_reply_to_a_response_arrives_without_its_text_and_is_told_how_to_follow_up(
    chat: Chat, locale: str
) -> None:
    guild, ann = await chat.server("ann", locale=locale)
    ann.locale = locale
    answer = await chat.ask(LAMP, ann, guild)
    notice = await chat.reply(await chat.say(ann, guild, "And who?", answer))
    (button,) = re.findall(r"\*\*(.+)\*\*", notice.text)
    assert (button in answer.buttons, notice.title == texts.WITHHELD) == (True, locale == "en-US")
    await chat.mention("And who?", ann, guild, answer)
    assert chat.service.latest() == ("And who?", None, LAMP)


async def test_a_reply_without_a_ping_needs_the_intent(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    assert chat.gateway.identifies[0]["intents"] == GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES
    first = await chat.mention(LAMP)
    await chat.say(chat.ann, chat.guild, "And who?", first, ping=False)
    await chat.mention("The last one?")
    assert chat.service.asked == [LAMP, "The last one?"]
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_with_the_intent_a_reply_needs_no_ping(reading: Chat) -> None:
    assert reading.gateway.identifies[0]["intents"] & MESSAGE_CONTENT
    first = await reading.mention(LAMP)
    await settle()
    await reading.reply(await reading.say(reading.bob, reading.guild, "And who?", first, ping=False))
    assert reading.service.latest() == ("And who?", None, LAMP)
    other = await reading.say(reading.ann, reading.guild, "So it is.")
    await reading.say(reading.bob, reading.guild, "Is it so?", other, ping=False)
    await reading.say(reading.bob, reading.guild, BREAD)
    await reading.mention("The last one?")
    assert reading.service.asked == [LAMP, "And who?", "The last one?"]
