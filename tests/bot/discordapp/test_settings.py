"""The /settings commands: who may use them, what they show, and what they change, at once and there alone."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import ABSENT, LAMP, LAMP_QUOTE
from tests.wire.driver import Where
from tests.wire.entities import Kind, Permission, User

OWN: dict[str, dict[str, Any]] = {
    "settings show": {},
    "settings answers": {"to": "never"},
    "settings private": {"private": "yes"},
    "settings language": {"language": "de"},
    "settings helpers": {},
    "settings gaps": {"tell": True},
    "gaps list": {},
    "gaps export": {},
    "gaps drop": {"number": 1},
}
"""The commands about what is a server's own, each with what it needs."""


@pytest.mark.parametrize("command", OWN)
async def test_managers_manage_their_own_server_and_nobody_else_does(chat: Chat, command: str) -> None:
    guild, (other, eve) = chat.guild, await chat.server("eve")
    chat.world.join(guild, chat.bob, chat.world.role(guild, "boss", Permission.MANAGE_SERVER))
    chat.world.join(other, eve, chat.world.role(other, "boss", Permission.ADMINISTRATOR))
    chat.world.join(guild, eve)
    owner = chat.world.owner
    foreign = chat.world.guild(owner=owner, bot=False)

    async def title(user: User, where: Where, **more: Any) -> str:
        answer = await chat.use(command, user, where, **OWN[command], **more)
        assert answer.private
        return answer.title

    assert [await title(user, guild) for user in (chat.ann, eve)] == [texts.NOT_ALLOWED] * 2
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)
    for user, where in ((chat.bob, guild), (guild.owner, guild), (eve, other)):
        assert await title(user, where) not in {texts.NOT_ALLOWED, texts.SERVER_ONLY}
    assert [await title(owner, owner), await title(owner, foreign, by_user=True)] == [texts.SERVER_ONLY] * 2


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("answers", "to", "questions"), ("answers", "to", "never"), ("private", "private", "yes"),
        ("private", "private", "no"), ("language", "language", "auto"), ("language", "language", "en"),
    ],
)  # fmt: skip
async def test_a_value_is_set_for_the_server_or_a_channel_and_inherit_takes_it_back(
    chat: Chat, command: str, option: str, value: str
) -> None:
    second = await chat.channel(chat.guild)
    changed = await chat.configure(command, **{option: value})
    assert (changed.title, changed.private) == (texts.SETTINGS_CHANGED, True)
    server, line, *_ = changed.text.split("\n")
    await chat.configure(command, **{option: value}, channel=second)
    own = [f"**In <#{second.id}>**", line]
    assert (await chat.configure("show")).text.split("\n")[:4] == [server, line, *own]
    await chat.configure(command, **{option: "inherit"})
    assert (await chat.configure("show")).text.split("\n")[:2] == own
    await chat.configure(command, **{option: "inherit"}, channel=second)
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)


async def test_helpers_are_shown_without_a_ping_and_each_server_sees_its_own_alone(chat: Chat) -> None:
    role, channel, (other, *_) = (
        chat.world.role(chat.guild, "helpers"),
        chat.guild.channels[0],
        await chat.server(),
    )
    named = (await chat.configure("helpers", role=role, channel=channel)).text
    assert [f"<@&{role.id}>" in named, f"<#{channel.id}>" in named, chat.log.pings] == [True, True, []]
    assert (await chat.configure("show", other)).text.startswith(texts.SETTINGS_DEFAULT)
    await chat.configure("language", other, language="de")
    assert (await chat.configure("show")).text == named
    assert (await chat.configure("helpers")).text.startswith(texts.SETTINGS_DEFAULT)


async def test_text_channels_forums_and_threads_can_be_chosen_and_no_categories(chat: Chat) -> None:
    forum = await chat.channel(chat.guild, "forum", Kind.FORUM)
    thread = await chat.thread(chat.guild, chat.ann, "thread")
    post = await chat.post(forum, chat.ann, "post", "text")
    for place in (chat.guild.channels[0], forum, thread, post):
        assert f"<#{place.id}>" in (await chat.configure("private", private="yes", channel=place)).text
    category = await chat.channel(chat.guild, "category", Kind.CATEGORY)
    commands = {one["name"]: one["options"] for one in chat.commands.find("settings")["options"]}
    for command, chosen, more in (("answers", category, {"to": "never"}), ("helpers", forum, {})):
        (option,) = (one for one in commands[command] if one["name"] == "channel")
        offered = option["channel_types"]
        assert chosen.kind not in offered  # so that Discord does not offer it
        option["channel_types"] = [*offered, int(chosen.kind)]
        assert (await chat.configure(command, channel=chosen, **more)).title == texts.WRONG_CHANNEL
        option["channel_types"] = offered


async def test_of_many_channels_as_many_are_shown_as_have_room_and_the_rest_is_counted(chat: Chat) -> None:
    for number in range(60):
        channel = await chat.channel(chat.guild, f"c{number}")
        await chat.configure("answers", to="never", channel=channel)
        await chat.configure("private", private="yes", channel=channel)
    text = (await chat.configure("show")).text
    count = text.count("**In <#")
    assert (20 <= count < 60, str(60 - count) in text.split("**In <#")[-1]) == (True, True)


async def test_every_question_without_the_intent_is_said_to_need_it(chat: Chat) -> None:
    assert texts.NEEDS_INTENT in (await chat.configure("answers", to="questions")).text
    assert texts.NEEDS_INTENT not in (await chat.configure("answers", to="never")).text


async def test_every_question_with_the_intent_is_not_said_to_need_it(reading: Chat) -> None:
    assert texts.NEEDS_INTENT not in (await reading.configure("answers", to="questions")).text


async def test_private_and_language_hold_at_once_for_a_channel_before_the_server(chat: Chat) -> None:
    first, second, ann = chat.guild.channels[0], await chat.channel(chat.guild), chat.ann
    thread, beside = await chat.thread(first, ann, "thread"), await chat.thread(first, ann, "beside")
    for channel, private, language in ((None, "yes", "de"), (first, "no", "fr")):
        await chat.configure("private", private=private, channel=channel)
        await chat.configure("language", language=language, channel=channel)
    await chat.configure("language", language="en", channel=thread)
    for where, alone, language in (
        (first, False, "fr"), (second, True, "de"), (thread, False, "en"), (beside, False, "fr"),
    ):  # fmt: skip
        by_command, by_mention = await chat.ask(where=where), await chat.mention(where=where)
        assert (by_command.private, by_command.title) == (alone, texts.IN_LANGUAGE[language])
        assert (by_mention.private, by_mention.title) == (False, texts.IN_LANGUAGE[language])
        assert by_command.shown.quotes == by_mention.shown.quotes == [LAMP_QUOTE]
    ann.locale = "es-ES"
    await chat.configure("language", language="auto", channel=first)
    await chat.configure("private", private="inherit", channel=first)
    answer = await chat.ask()
    assert (answer.title, answer.private) == (texts.IN_LANGUAGE["es"], True)
    other, eve = await chat.server("eve")
    assert (await chat.ask(user=eve, where=other)).title == texts.ANSWERED


@pytest.mark.parametrize("how", ["ask", "verify", texts.ANSWER_THIS, texts.CHECK_THIS])
async def test_where_nothing_is_answered_commands_are_refused_privately(chat: Chat, how: str) -> None:
    second, thread = await chat.channel(chat.guild), await chat.thread(chat.guild, chat.ann, "thread")
    await chat.configure("answers", to="never")
    await chat.configure("answers", to="mentions", channel=second)
    for where, refused in ((chat.guild.channels[0], True), (thread, True), (second, False)):
        if how in {"ask", "verify"}:
            answer = await chat.use(how, where=where, **{"question" if how == "ask" else "text": LAMP})
        else:
            answer = await chat.use_menu(how, await chat.say(chat.ann, where, LAMP))
        assert not refused or (answer.title, answer.private) == (texts.NEVER_HERE, True)
        assert len([*chat.service.asked, *chat.service.verified]) == (not refused)


async def test_where_nothing_is_answered_messages_are_passed_over_in_silence_and_logged(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    second, forum = await chat.channel(chat.guild), await chat.channel(chat.guild, "forum", Kind.FORUM)
    await chat.configure("answers", to="never")
    await chat.configure("answers", to="mentions", channel=second)
    thread, asked = await chat.thread(chat.guild, chat.ann, "thread"), f"{chat.world.bot.mention} {LAMP}"
    with caplog.at_level(logging.INFO):
        await chat.say(chat.ann, chat.guild, asked)
        post = await chat.post(forum, chat.ann, LAMP, asked)
        await chat.say(chat.ann, thread, asked)
        assert (await chat.mention(where=second)).title == texts.ANSWERED
    passed_over = (chat.guild.channels[0], post, thread)
    assert [chat.posts(one) for one in passed_over] == [[], [], []]
    assert all(str(one.id) in caplog.text for one in passed_over)
    assert "lighthouse" not in caplog.text
    assert (await chat.direct()).title == texts.ANSWERED  # which no server's settings are about
    await chat.configure("answers", to="inherit")
    assert (await chat.mention()).title == texts.ANSWERED


async def test_a_server_that_the_bot_left_is_forgotten_and_one_out_of_reach_is_not(chat: Chat) -> None:
    guild, (other, eve) = chat.guild, await chat.server("eve")
    for where, user in ((guild, chat.ann), (other, eve)):
        await chat.configure("language", where, language="de")
        await chat.ask(ABSENT, user, where)
        await chat.gaps(1, where)
    await chat.gateway.dispatch("GUILD_DELETE", {"id": str(other.id), "unavailable": True}, other.id)
    await chat.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)
    for where, count in ((guild, 0), (other, 1)):
        await chat.announce(where)
        await chat.gaps(count, where)
    assert (await chat.configure("show")).text.startswith(texts.SETTINGS_DEFAULT)
