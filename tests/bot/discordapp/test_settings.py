"""The /settings commands: permissions, what they show, and what they change."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import ABSENT, LAMP, LAMP_QUOTE
from tests.wire.driver import Where
from tests.wire.entities import Kind, Permission, User

MANAGERS_COMMANDS: dict[str, dict[str, Any]] = {
    "settings show": {},
    "settings answers": {"to": "never"},
    "settings private": {"private": "yes"},
    "settings language": {"language": "de"},
    "settings collection": {"collection": "default"},
    "settings helpers": {},
    "settings gaps": {"tell": True},
    "gaps list": {},
    "gaps export": {},
    "gaps drop": {"number": 1},
}
"""The commands for those who manage a server, with the options that they need."""


@pytest.mark.parametrize("command", MANAGERS_COMMANDS)
async def test_only_managers_of_the_server_are_allowed(chat: Chat, command: str) -> None:
    guild, (other, eve), owner = chat.guild, await chat.server("eve"), chat.world.owner
    chat.world.join(guild, chat.bob, chat.world.role(guild, "boss", Permission.MANAGE_SERVER))
    chat.world.join(other, eve, chat.world.role(other, "boss", Permission.ADMINISTRATOR))
    chat.world.join(guild, eve)
    elsewhere = chat.world.guild(owner=owner, bot=False)

    async def title(user: User, where: Where, *, by_user: bool = False) -> str:
        response = await chat.use(command, user, where, by_user=by_user, **MANAGERS_COMMANDS[command])
        assert response.private
        return response.title

    assert [await title(user, guild) for user in (chat.ann, eve)] == [texts.NOT_ALLOWED] * 2
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)
    for user, where in ((chat.bob, guild), (guild.owner, guild), (eve, other)):
        assert await title(user, where) not in {texts.NOT_ALLOWED, texts.SERVER_ONLY}
    assert await title(owner, owner) == texts.SERVER_ONLY
    assert await title(owner, elsewhere, by_user=True) == texts.SERVER_ONLY


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("answers", {"to": "questions"}), ("answers", {"to": "never"}), ("private", {"private": "yes"}),
        ("private", {"private": "no"}), ("language", {"language": "auto"}), ("language", {"language": "en"}),
    ],
)  # fmt: skip
async def test_a_setting_applies_to_the_server_or_a_channel_until_it_is_inherited_again(
    chat: Chat, command: str, option: dict[str, Any]
) -> None:
    second = await chat.channel(chat.guild)
    inherit: dict[str, Any] = dict.fromkeys(option, "inherit")
    changed = await chat.configure(command, **option)
    assert (changed.title, changed.private) == (texts.SETTINGS_CHANGED, True)
    heading, line, *_ = changed.text.split("\n")
    await chat.configure(command, **option, channel=second)
    of_channel = [f"**In <#{second.id}>**", line]
    assert (await chat.configure("show")).text.split("\n")[:4] == [heading, line, *of_channel]
    await chat.configure(command, **inherit)
    assert (await chat.configure("show")).text.split("\n")[:2] == of_channel
    await chat.configure(command, **inherit, channel=second)
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)


async def test_each_server_sees_its_own_helpers_without_a_ping(chat: Chat) -> None:
    role, channel = chat.world.role(chat.guild, "helpers"), chat.guild.channels[0]
    other, *_ = await chat.server()
    listing = (await chat.configure("helpers", role=role, channel=channel)).text
    assert (f"<@&{role.id}>" in listing, f"<#{channel.id}>" in listing) == (True, True)
    assert chat.log.pings == []
    assert (await chat.configure("show", other)).text.startswith(texts.SETTINGS_DEFAULT)
    await chat.configure("language", other, language="de")
    assert (await chat.configure("show")).text == listing
    assert (await chat.configure("helpers")).text.startswith(texts.SETTINGS_DEFAULT)


async def test_text_channels_forums_and_threads_can_be_chosen_but_not_categories(chat: Chat) -> None:
    forum = await chat.channel(chat.guild, "forum", Kind.FORUM)
    thread = await chat.thread(chat.guild, chat.ann, "thread")
    post = await chat.post(forum, chat.ann, "post", "text")
    for channel in (chat.guild.channels[0], forum, thread, post):
        assert f"<#{channel.id}>" in (await chat.configure("private", private="yes", channel=channel)).text
    category = await chat.channel(chat.guild, "category", Kind.CATEGORY)
    commands = {group["name"]: group["options"] for group in chat.commands.find("settings")["options"]}
    for command, channel, options in (("answers", category, {"to": "never"}), ("helpers", forum, {})):
        (option,) = (option for option in commands[command] if option["name"] == "channel")
        offered = option["channel_types"]
        assert channel.kind not in offered
        option["channel_types"] = [*offered, int(channel.kind)]  # a client that offers it all the same
        response = await chat.configure(command, None, channel=channel, **options)
        assert response.title == texts.WRONG_CHANNEL
        option["channel_types"] = offered


async def test_a_long_list_of_channels_stays_within_the_limits_and_counts_the_rest(chat: Chat) -> None:
    for number in range(60):
        channel = await chat.channel(chat.guild, f"c{number}")
        await chat.configure("answers", to="never", channel=channel)
        await chat.configure("private", private="yes", channel=channel)
    text = (await chat.configure("show")).text
    count = text.count("**In <#")
    assert 20 <= count < 60
    assert str(60 - count) in text.split("**In <#")[-1]


async def test_answering_every_question_is_said_to_need_the_intent(chat: Chat) -> None:
    assert texts.NEEDS_INTENT in (await chat.configure("answers", to="questions")).text
    assert texts.NEEDS_INTENT not in (await chat.configure("answers", to="never")).text


async def test_with_the_intent_nothing_is_said_of_it(reading: Chat) -> None:
    assert texts.NEEDS_INTENT not in (await reading.configure("answers", to="questions")).text


async def test_a_channels_privacy_and_language_override_those_of_the_server(chat: Chat) -> None:
    first, second, ann = chat.guild.channels[0], await chat.channel(chat.guild), chat.ann
    thread, beside = await chat.thread(first, ann, "thread"), await chat.thread(first, ann, "beside")
    for channel, private, language in ((None, "yes", "de"), (first, "no", "fr")):
        await chat.configure("private", private=private, channel=channel)
        await chat.configure("language", language=language, channel=channel)
    await chat.configure("language", language="en", channel=thread)
    for where, is_private, language in (
        (first, False, "fr"), (second, True, "de"), (thread, False, "en"), (beside, False, "fr"),
    ):  # fmt: skip
        by_command, by_mention = await chat.ask(where=where), await chat.mention(where=where)
        assert by_command.title == by_mention.title == texts.IN_LANGUAGE[language]
        assert (by_command.private, by_mention.private) == (is_private, False)
        assert by_command.shown.quotes == by_mention.shown.quotes == [LAMP_QUOTE]
    ann.locale = "es-ES"
    await chat.configure("language", language="auto", channel=first)
    await chat.configure("private", private="inherit", channel=first)
    answer = await chat.ask()
    assert (answer.title, answer.private) == (texts.IN_LANGUAGE["es"], True)
    other, eve = await chat.server("eve")
    assert (await chat.ask(user=eve, where=other)).title == texts.ANSWERED


@pytest.mark.parametrize("command", ["ask", "verify", texts.ANSWER_THIS, texts.CHECK_THIS])
async def test_where_the_bot_never_answers_commands_are_refused_in_private(chat: Chat, command: str) -> None:
    second, thread = await chat.channel(chat.guild), await chat.thread(chat.guild, chat.ann, "thread")
    await chat.configure("answers", to="never")
    await chat.configure("answers", to="mentions", channel=second)
    for where, refused in ((chat.guild.channels[0], True), (thread, True), (second, False)):
        if command == "ask":
            response = await chat.ask(where=where)
        elif command == "verify":
            response = await chat.use("verify", where=where, text=LAMP)
        else:
            response = await chat.use_menu(command, await chat.say(chat.ann, where, LAMP))
        assert not refused or (response.title, response.private) == (texts.NEVER_HERE, True)
        assert len([*chat.service.asked, *chat.service.verified]) == (not refused)


async def test_where_the_bot_never_answers_mentions_are_only_logged(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    second, forum = await chat.channel(chat.guild), await chat.channel(chat.guild, "forum", Kind.FORUM)
    await chat.configure("answers", to="never")
    await chat.configure("answers", to="mentions", channel=second)
    thread, mention = await chat.thread(chat.guild, chat.ann, "thread"), f"{chat.world.bot.mention} {LAMP}"
    with caplog.at_level(logging.INFO):
        await chat.say(chat.ann, chat.guild, mention)
        post = await chat.post(forum, chat.ann, LAMP, mention)
        await chat.say(chat.ann, thread, mention)
        assert (await chat.mention(where=second)).title == texts.ANSWERED
    ignored = (chat.guild.channels[0], post, thread)
    assert [chat.posts(channel) for channel in ignored] == [[], [], []]
    assert all(str(channel.id) in caplog.text for channel in ignored)
    assert "lighthouse" not in caplog.text
    assert (await chat.direct()).title == texts.ANSWERED  # no server's settings apply
    await chat.configure("answers", to="inherit")
    assert (await chat.mention()).title == texts.ANSWERED


async def test_a_server_that_the_bot_left_is_forgotten_but_not_one_with_an_outage(chat: Chat) -> None:
    left, (other, eve) = chat.guild, await chat.server("eve")
    for guild, user in ((left, chat.ann), (other, eve)):
        await chat.configure("language", guild, language="de")
        await chat.ask(ABSENT, user, guild)
        await chat.gaps(1, guild)
    await chat.gateway.dispatch("GUILD_DELETE", {"id": str(other.id), "unavailable": True}, other.id)
    await chat.gateway.dispatch("GUILD_DELETE", {"id": str(left.id)}, left.id)
    for guild, count in ((left, 0), (other, 1)):
        await chat.announce(guild)
        await chat.gaps(count, guild)
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)
