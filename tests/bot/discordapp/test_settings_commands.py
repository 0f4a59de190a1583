"""The /settings commands, over the wire: what is set, taken back and shown, and of which server."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import MANAGE_GUILD
from tests.wire.places import Channel, Guild
from tests.wire.records import Json

DEFAULT = "Everything is as it comes:"
HINT = "Messages without a mention can be read only with the message-content intent"


@pytest.fixture
async def guild(wire: LoopbackDiscord) -> Guild:
    """Make a server with a text channel more, a forum and a category; the bot knows it once it connects."""
    made = wire.world.guild()
    wire.world.channel(made, "second")
    wire.world.forum(made)
    wire.world.channel(made, "category", kind=4)
    return made


async def settings(wire: LoopbackDiscord, guild: Guild, command: str, **options: Any) -> Json:
    """Use a /settings command as the server's owner; return the embed."""
    used = await wire.slash(f"settings {command}", guild.owner, guild, **options)
    (embed,) = (await wire.response_to(used))["embeds"]
    assert used.ephemeral
    return dict(embed)


async def shown(wire: LoopbackDiscord, guild: Guild) -> list[str]:
    """Return the lines of /settings show."""
    return str((await settings(wire, guild, "show"))["description"]).split("\n")


@pytest.mark.parametrize(
    ("command", "value", "line"),
    [
        ("answers", {"to": "questions"}, "Answers to: every question"),
        ("answers", {"to": "never"}, "Answers to: nothing"),
        ("answers", {"to": "mentions"}, "Answers to: mentions and commands"),
        ("private", {"private": "yes"}, "Answers to commands seen by the asker only: yes"),
        ("private", {"private": "no"}, "Answers to commands seen by the asker only: no"),
        ("language", {"language": "auto"}, "Language of Footnote's own words: as Discord is set"),
        ("language", {"language": "en"}, "Language of Footnote's own words: en"),
    ],
)
async def test_a_value_is_set_for_the_server_or_a_channel_and_inherit_takes_it_back(
    wire: LoopbackDiscord, guild: Guild, bot: FootnoteClient, command: str, value: dict[str, str], line: str
) -> None:
    first, second = guild.channels[:2]
    (option,) = value
    assert (await shown(wire, guild))[0].startswith(DEFAULT)
    embed = await settings(wire, guild, command, **value)
    assert embed["title"] == "Changed"
    assert embed["description"].split("\n")[:2] == ["**In the whole server**", line]
    await settings(wire, guild, command, **value, channel=second)
    in_second = [f"**In <#{second.id}>**", line]
    assert (await shown(wire, guild))[:4] == ["**In the whole server**", line, *in_second]
    await settings(wire, guild, command, **{option: "inherit"})
    assert (await shown(wire, guild))[:2] == in_second
    await settings(wire, guild, command, **{option: "inherit"}, channel=first)
    assert (await shown(wire, guild))[:2] == in_second
    await settings(wire, guild, command, **{option: "inherit"}, channel=second)
    assert (await shown(wire, guild))[0].startswith(DEFAULT)
    assert await bot.surface.records.overview(guild.id) == []


@pytest.mark.usefixtures("bot")
async def test_helpers_are_named_shown_without_a_ping_and_taken_back(
    wire: LoopbackDiscord, guild: Guild
) -> None:
    role, channel = wire.world.role(guild, "helpers"), guild.channels[1]
    embed = await settings(wire, guild, "helpers", role=role, channel=channel)
    assert embed["description"].split("\n") == [
        "**In the whole server**",
        f"Helpers: <@&{role.id}>",
        f"Questions are passed on in: <#{channel.id}>",
    ]
    assert (await settings(wire, guild, "helpers", role=role))["description"].count("\n") == 1
    assert (await settings(wire, guild, "helpers"))["description"].startswith(DEFAULT)
    assert wire.log.pings == []


@pytest.mark.usefixtures("bot")
async def test_telling_of_gaps_is_set_for_the_whole_server(wire: LoopbackDiscord, guild: Guild) -> None:
    told = "Tell the channel when a question has got its answer"
    assert (await settings(wire, guild, "gaps", tell=True))["description"].endswith(f"{told}: yes")
    assert (await settings(wire, guild, "gaps", tell=False))["description"].endswith(f"{told}: no")


@pytest.mark.usefixtures("bot")
async def test_each_server_sees_and_changes_its_own_alone(wire: LoopbackDiscord, guild: Guild) -> None:
    other = wire.world.guild("other")
    boss = wire.world.join(other, wire.world.user("boss"), wire.world.role(other, "boss", MANAGE_GUILD))
    await wire.gateway.announce(other)
    await settings(wire, guild, "answers", to="never")
    await settings(wire, guild, "private", private="yes", channel=guild.channels[1])
    own = await shown(wire, guild)
    assert (await shown(wire, other))[0].startswith(DEFAULT)
    used = await wire.slash("settings answers", boss, other, to="inherit")
    assert (await wire.response_to(used))["embeds"][0]["description"].startswith(DEFAULT)
    assert await shown(wire, guild) == own
    await settings(wire, other, "language", language="de")
    assert await shown(wire, guild) == own


@pytest.mark.usefixtures("bot")
async def test_text_channels_forums_and_threads_can_be_chosen_also_one_that_was_archived_long_ago(
    wire: LoopbackDiscord, guild: Guild
) -> None:
    text, _, forum, _ = guild.channels
    thread = await wire.thread(text, guild.owner, "thread")
    post, _ = await wire.post(forum, guild.owner, "post", "text")
    unknown = wire.world.thread(text, guild.owner, "old", wire.world.new_id())  # the bot was not told of it
    for number, place in enumerate((text, forum, thread, post, unknown), 1):
        await settings(wire, guild, "private", private="yes", channel=place)
        titles = [line for line in await shown(wire, guild) if line.startswith("**")]
        assert f"**In <#{place.id}>**" in titles
        assert len(titles) == number
    await settings(wire, guild, "helpers", channel=unknown)
    assert f"Questions are passed on in: <#{unknown.id}>" in await shown(wire, guild)


@pytest.mark.parametrize(
    ("command", "kind", "value"),
    [
        ("answers", 4, {"to": "never"}),
        ("private", 4, {"private": "yes"}),
        ("language", 4, {"language": "de"}),
        ("helpers", 4, {}),
        ("helpers", 15, {}),
    ],
)
async def test_categories_are_not_offered_and_refused_politely(
    wire: LoopbackDiscord, guild: Guild, bot: FootnoteClient, command: str, kind: int, value: dict[str, str]
) -> None:
    (chosen,) = (one for one in guild.channels if one.kind == kind)
    with pytest.raises(AssertionError, match=f"not {kind}"):
        await settings(wire, guild, command, **value, channel=chosen)
    offer_every_kind(wire, command)
    embed = await settings(wire, guild, command, **value, channel=chosen)
    assert embed["title"] == "That does not work for such a channel"
    assert await bot.surface.records.overview(guild.id) == []


def offer_every_kind(wire: LoopbackDiscord, command: str) -> None:
    """Let Discord offer channels of every kind to a /settings command."""
    (group,) = (one for one in wire.interactions.commands if one["name"] == "settings")
    (leaf,) = (one for one in group["options"] if one["name"] == command)
    for option in leaf["options"]:
        option.pop("channel_types", None)


@pytest.mark.parametrize("count", [1, 20, 40, 100])
async def test_of_many_channels_as_many_are_shown_as_have_room_whole_and_the_rest_is_counted(
    wire: LoopbackDiscord, guild: Guild, bot: FootnoteClient, count: int
) -> None:
    channels = [wire.world.channel(guild, f"c{number}") for number in range(count)]
    for one in channels:
        await bot.surface.records.change(
            guild.id, one.id, answers=AnswersTo.QUESTIONS, private=True, language="de"
        )
    await bot.surface.records.change(guild.id, None, answers=AnswersTo.NEVER, tell_gaps=True)
    *text, hint = (await settings(wire, guild, "show"))["description"].split("\n\n")
    assert hint.startswith(HINT)
    blocks = "\n".join(text).split("\n**")
    assert len(blocks[0].split("\n")) == 3
    shown = blocks[1:]
    note = shown[-1].split("\n")[-1]
    left = 0
    if note.startswith("Channels with settings, besides: "):
        left = int(note.rpartition(" ")[2])
        shown[-1] = shown[-1].removesuffix(f"\n{note}")
    assert [one.split("\n") for one in shown] == [of_channel(one) for one in channels[: len(shown)]]
    assert len(shown) + left == count
    assert (left > 0) is (count > 20)
    assert len(shown) >= min(count, 20)


def of_channel(channel: Channel) -> list[str]:
    return [
        f"In <#{channel.id}>**",
        "Answers to: every question",
        "Answers to commands seen by the asker only: yes",
        "Language of Footnote's own words: de",
    ]


@pytest.mark.parametrize("granted", [False, True])
async def test_every_question_without_the_intent_for_content_is_said_to_need_it(
    wire: LoopbackDiscord,
    guild: Guild,
    bot_settings: MakeBotSettings,
    service: FakeService,
    granted: bool,
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    async with running(bot_settings(discord_message_content=granted), service):
        embed = await settings(wire, guild, "answers", to="questions", channel=guild.channels[2])
        assert (HINT in embed["description"]) is not granted
        embed = await settings(wire, guild, "answers", to="never", channel=guild.channels[2])
        assert HINT not in embed["description"]


@pytest.mark.usefixtures("bot")
async def test_the_language_shows_at_once_in_the_answer_to_setting_it(
    wire: LoopbackDiscord, guild: Guild
) -> None:
    assert (await settings(wire, guild, "language", language="de"))["title"] == "Geändert"
    assert (await settings(wire, guild, "show"))["title"] == "Footnote auf diesem Server"
    assert (await settings(wire, guild, "language", language="inherit"))["title"] == "Changed"


async def test_settings_are_refused_while_footnote_is_stopping(
    wire: LoopbackDiscord, guild: Guild, bot: FootnoteClient
) -> None:
    bot.work.stopping = True
    used = await wire.slash("settings answers", guild.owner, guild, to="never")
    assert title_of(await wire.response_to(used)) == "Footnote is stopping"
    assert await bot.surface.records.overview(guild.id) == []
