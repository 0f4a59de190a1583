"""The /settings commands: who may use them, what they show, and what they change, at once and there alone."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.bot.discordapp.asking import ask, gaps, mention, set_to
from tests.bot.discordapp.phrases import (
    ABSENT,
    ANSWER_THIS,
    ANSWERED,
    CHECK_THIS,
    IN_LANGUAGE,
    NEEDS_INTENT,
    NEVER_HERE,
    NOT_ALLOWED,
    SERVER_ONLY,
    SETTINGS_CHANGED,
    SETTINGS_DEFAULT,
    WRONG_CHANNEL,
)
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE, ControlledService
from tests.wire.driver import Where, Wire
from tests.wire.world import Channel, Guild, Kind, Message, Permission, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

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


async def shown(wire: Wire, guild: Guild) -> str:
    """Return the text of /settings show."""
    return (await set_to(wire, guild, "show")).text


@pytest.mark.parametrize("command", OWN)
async def test_managers_see_and_change_what_is_their_servers_own_and_nobody_else(
    wire: Wire, command: str
) -> None:
    guild, boss, ann, eve = await wire.server("boss", "ann", "eve")
    other, *_ = await wire.server()
    for where, user, bits in (
        (guild, boss, Permission.MANAGE_SERVER),
        (other, eve, Permission.ADMINISTRATOR),
    ):
        wire.world.join(where, user, wire.world.role(where, "boss", bits))

    async def title(user: User, where: Where, **more: Any) -> str:
        answer = await wire.answer(await wire.slash(user, command, where, **OWN[command], **more))
        assert answer.private
        return answer.title

    assert [await title(user, guild) for user in (ann, eve)] == [NOT_ALLOWED] * 2
    assert (await shown(wire, guild)).startswith(SETTINGS_DEFAULT)
    for user, where in ((boss, guild), (guild.owner, guild), (eve, other)):
        assert await title(user, where) not in {NOT_ALLOWED, SERVER_ONLY}
    foreign, *_ = await wire.server(owner=wire.world.owner, bot=False)
    assert await title(wire.world.owner, wire.world.owner) == SERVER_ONLY
    assert await title(wire.world.owner, foreign, by_user=True) == SERVER_ONLY


@pytest.mark.parametrize(
    ("command", "value"),
    [
        ("answers", {"to": "questions"}),
        ("answers", {"to": "never"}),
        ("private", {"private": "yes"}),
        ("private", {"private": "no"}),
        ("language", {"language": "auto"}),
        ("language", {"language": "en"}),
    ],
)
async def test_a_value_is_set_for_the_server_or_a_channel_and_inherit_takes_it_back(
    wire: Wire, command: str, value: dict[str, str]
) -> None:
    guild, _ = await wire.server("ann")
    second, (option,) = await wire.channel(guild), value
    assert (await shown(wire, guild)).startswith(SETTINGS_DEFAULT)
    changed = await set_to(wire, guild, command, **value)
    assert (changed.title, changed.private) == (SETTINGS_CHANGED, True)
    server, line, *_ = changed.text.split("\n")
    await set_to(wire, guild, command, **value, channel=second)
    assert (await shown(wire, guild)).split("\n")[:4] == [server, line, f"**In <#{second.id}>**", line]
    await set_to(wire, guild, command, **{option: "inherit"})
    assert (await shown(wire, guild)).split("\n")[:2] == [f"**In <#{second.id}>**", line]
    await set_to(wire, guild, command, **{option: "inherit"}, channel=second)
    assert (await shown(wire, guild)).startswith(SETTINGS_DEFAULT)


async def test_helpers_are_shown_without_a_ping_and_each_server_sees_its_own_alone(wire: Wire) -> None:
    guild, _ = await wire.server("ann")
    other, _ = await wire.server("bob")
    role, channel = wire.world.role(guild, "helpers"), guild.channels[0]
    named = (await set_to(wire, guild, "helpers", role=role, channel=channel)).text
    assert f"<@&{role.id}>" in named
    assert f"<#{channel.id}>" in named
    assert (await shown(wire, other)).startswith(SETTINGS_DEFAULT)
    await set_to(wire, other, "answers", to="inherit")
    await set_to(wire, other, "language", language="de")
    assert await shown(wire, guild) == named
    assert (await set_to(wire, guild, "helpers")).text.startswith(SETTINGS_DEFAULT)
    assert wire.log.pings == []


async def test_text_channels_forums_and_threads_can_be_chosen_and_no_categories(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    forum = await wire.channel(guild, "forum", Kind.FORUM)
    thread, post = await wire.thread(guild, ann, "thread"), await wire.post(forum, ann, "post", "text")
    for place in (guild.channels[0], forum, thread, post):
        assert f"<#{place.id}>" in (await set_to(wire, guild, "private", private="yes", channel=place)).text
    category = await wire.channel(guild, "category", Kind.CATEGORY)
    options = wire.commands.find("settings")["options"]
    kinds = {one["name"]: one for one in options if one["name"] in {"answers", "helpers"}}
    for command, chosen, more in (("answers", category, {"to": "never"}), ("helpers", forum, {})):
        (option,) = (one for one in kinds[command]["options"] if one["name"] == "channel")
        before = option["channel_types"]
        assert chosen.kind not in before  # which Discord then does not offer
        option["channel_types"] = [*before, int(chosen.kind)]
        assert (await set_to(wire, guild, command, channel=chosen, **more)).title == WRONG_CHANNEL
        option["channel_types"] = before


async def test_of_many_channels_as_many_are_shown_as_have_room_and_the_rest_is_counted(wire: Wire) -> None:
    guild, _ = await wire.server("ann")
    channels = [await wire.channel(guild, f"c{number}") for number in range(60)]
    for one in channels:
        for command, value in (("answers", {"to": "never"}), ("private", {"private": "yes"})):
            await set_to(wire, guild, command, **value, channel=one)
    text = await shown(wire, guild)
    count = text.count("**In <#")
    assert 20 <= count < 60
    assert str(60 - count) in text.split("**In <#")[-1]


async def test_every_question_without_the_intent_is_said_to_need_it(wire: Wire) -> None:
    guild, _ = await wire.server("ann")
    assert NEEDS_INTENT in (await set_to(wire, guild, "answers", to="questions")).text
    assert NEEDS_INTENT not in (await set_to(wire, guild, "answers", to="never")).text


async def test_every_question_with_the_intent_is_not_said_to_need_it(reading: Wire) -> None:
    guild, _ = await reading.server("ann")
    assert NEEDS_INTENT not in (await set_to(reading, guild, "answers", to="questions")).text


# What they change


async def test_private_and_language_hold_at_once_for_a_channel_before_the_server(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    first, second = guild.channels[0], await wire.channel(guild)
    thread, beside = await wire.thread(first, ann, "thread"), await wire.thread(first, ann, "beside")
    await set_to(wire, guild, "private", private="yes")
    await set_to(wire, guild, "private", private="no", channel=first)
    await set_to(wire, guild, "language", language="de")
    await set_to(wire, guild, "language", language="fr", channel=first)
    await set_to(wire, guild, "language", language="en", channel=thread)
    for where, private, language in (
        (first, False, "fr"), (second, True, "de"), (thread, False, "en"), (beside, False, "fr"),
    ):  # fmt: skip
        by_command, by_mention = await ask(wire, ann, where), await mention(wire, ann, where)
        assert (by_command.private, by_command.title) == (private, IN_LANGUAGE[language])
        assert (by_mention.private, by_mention.title) == (False, IN_LANGUAGE[language])
        assert by_command.shown.quotes == by_mention.shown.quotes == [LAMP_QUOTE]
    ann.locale = "es-ES"
    await set_to(wire, guild, "language", language="auto", channel=first)
    assert (await ask(wire, ann, first)).title == IN_LANGUAGE["es"]
    await set_to(wire, guild, "private", private="inherit", channel=first)
    assert (await ask(wire, ann, first)).private
    other, bob = await wire.server("bob")
    assert (await ask(wire, bob, other)).title == ANSWERED


async def use(wire: Wire, how: str, user: User, where: Guild | Channel) -> Message:
    """Ask or check something by a command or a menu."""
    if how in {ANSWER_THIS, CHECK_THIS}:
        return await wire.answer(await wire.menu(user, how, await wire.say(user, where, LAMP)))
    options = {"question" if how == "ask" else "text": LAMP}
    return await wire.answer(await wire.slash(user, how, where, **options))


@pytest.mark.parametrize("how", ["ask", "verify", ANSWER_THIS, CHECK_THIS])
async def test_where_nothing_is_answered_commands_are_refused_privately(
    wire: Wire, service: ControlledService, how: str
) -> None:
    guild, ann = await wire.server("ann")
    second, thread = await wire.channel(guild), await wire.thread(guild, ann, "thread")
    await set_to(wire, guild, "answers", to="never")
    await set_to(wire, guild, "answers", to="mentions", channel=second)
    for where in (guild, thread):
        refused = await use(wire, how, ann, where)
        assert (refused.title, refused.private) == (NEVER_HERE, True)
    assert service.asked == service.checks == []
    assert (await use(wire, how, ann, second)).title not in {NEVER_HERE, ABSENT}


async def test_where_nothing_is_answered_messages_are_passed_over_in_silence_and_logged(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, ann = await wire.server("ann")
    second, forum = await wire.channel(guild), await wire.channel(guild, "forum", Kind.FORUM)
    unknown, me = wire.world.guild(), wire.world.bot.mention
    await set_to(wire, guild, "answers", to="never")
    await set_to(wire, guild, "answers", to="mentions", channel=second)
    with caplog.at_level(logging.INFO):
        await wire.say(ann, guild, f"{me} {LAMP}")
        post = await wire.post(forum, ann, LAMP, f"{me} Does anybody know?")
        thread = await wire.thread(guild, ann, "thread")
        await wire.say(ann, thread, f"{me} {LAMP}")
        assert (await mention(wire, ann, second, LAMP)).title == ANSWERED
    assert wire.said(guild) == wire.said(post) == wire.said(thread) == []
    assert all(str(one.id) in caplog.text for one in (guild.channels[0], post, thread))
    assert "lighthouse" not in caplog.text
    assert (await mention(wire, ann, ann, LAMP)).title == ANSWERED  # direct messages work all the same
    assert (await mention(wire, unknown.owner, unknown, LAMP)).title == ANSWERED
    await set_to(wire, guild, "answers", to="inherit")
    assert (await mention(wire, ann, guild, LAMP)).title == ANSWERED
    assert len(service.asked) == 4


async def test_a_server_that_the_bot_left_is_forgotten_and_one_out_of_reach_is_not(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    other, bob = await wire.server("bob")
    for where, user in ((guild, ann), (other, bob)):
        await set_to(wire, where, "language", language="de")
        await ask(wire, user, where, "Who painted the chapel?")
        await gaps(wire, where, 1)
    await wire.gateway.dispatch("GUILD_DELETE", {"id": str(other.id), "unavailable": True}, other.id)
    await wire.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)
    await wire.announce(guild)
    await wire.announce(other)
    await gaps(wire, guild, 0)
    assert (await shown(wire, guild)).startswith(SETTINGS_DEFAULT)
    assert await gaps(wire, other, 1)
