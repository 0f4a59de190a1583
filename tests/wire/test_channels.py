"""Channels and messages by HTTP: permissions, threads, deleted messages, lists, reactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire import permissions as may
from tests.wire.bare import call, code_of, upload
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.world import Channel, Guild, User

EMBED: Json = {"embeds": [{"title": "t"}]}


@pytest.fixture
def channel(guild: Guild) -> Channel:
    """Return the server's channel."""
    return guild.channels[0]


def posts(channel: Channel, rest: str = "") -> str:
    return f"/channels/{channel.id}/messages{rest}"


def reply(message: Json, **more: Any) -> Json:
    return {"content": "x", "message_reference": {"message_id": message["id"], **more}}


@pytest.mark.parametrize(
    ("denied", "body", "refusal"),
    [
        (may.VIEW_CHANNEL, {"content": "x"}, (403, 50001)),
        (may.SEND_MESSAGES, {"content": "x"}, (403, 50013)),
        (may.EMBED_LINKS, EMBED, (403, 50013)),
        (may.EMBED_LINKS, {"content": "x"}, None),
        (may.READ_MESSAGE_HISTORY, {"content": "x"}, None),
        (may.SEND_MESSAGES_IN_THREADS, {"content": "x"}, None),
    ],
)
async def test_what_the_bot_may_not_send_is_refused_and_no_violation(
    wire: LoopbackDiscord, channel: Channel, denied: int, body: Json, refusal: tuple[int, int] | None
) -> None:
    channel.denied = denied
    if refusal is None:
        assert (await call(wire, "POST", posts(channel), body))[0] == 200
    else:
        assert await code_of(wire, "POST", posts(channel), body) == refusal
    assert wire.log.violations == []
    wire.world.deny(channel, 0)
    assert (await call(wire, "POST", posts(channel), body))[0] == 200


async def test_files_and_typing_need_their_permissions(wire: LoopbackDiscord, channel: Channel) -> None:
    channel.denied = may.ATTACH_FILES
    status, error = await upload(wire, "POST", posts(channel), {}, ("files[0]", "a.csv", b"x"))
    assert (status, error["code"]) == (403, 50013)
    assert (await call(wire, "POST", f"/channels/{channel.id}/typing"))[0] == 204
    channel.denied = may.SEND_MESSAGES
    assert await code_of(wire, "POST", f"/channels/{channel.id}/typing") == (403, 50013)


async def test_reply_and_reading_need_the_history(wire: LoopbackDiscord, channel: Channel, ann: User) -> None:
    said = await wire.say(channel, ann, "x")
    path = posts(channel, f"/{said['id']}")
    channel.denied = may.READ_MESSAGE_HISTORY
    assert await code_of(wire, "POST", posts(channel), reply(said)) == (403, 160002)
    assert await code_of(wire, "GET", path) == (403, 50013)
    assert await code_of(wire, "PUT", path + "/reactions/%F0%9F%91%8D/@me") == (403, 50013)
    assert (await call(wire, "GET", posts(channel)))[1] == []
    channel.denied = 0
    assert len((await call(wire, "GET", posts(channel)))[1]) == 1
    assert wire.log.violations == []


@pytest.mark.parametrize("whom", ["everyone", "role", "bot"])
async def test_overwrites_of_everyone_roles_and_members_count(
    wire: LoopbackDiscord, guild: Guild, channel: Channel, whom: str
) -> None:
    role = wire.world.role(guild, "bots")
    wire.world.join(guild, wire.world.bot, role)
    target = {"everyone": guild.roles[guild.id], "role": role, "bot": None}[whom]
    wire.world.deny(channel, may.SEND_MESSAGES, target)
    assert await code_of(wire, "POST", posts(channel), {"content": "x"}) == (403, 50013)
    guild.roles[role.id].permissions = may.ADMINISTRATOR
    assert (await call(wire, "POST", posts(channel), {"content": "x"}))[0] == 200


async def test_places_without_the_bot_are_closed_to_it(wire: LoopbackDiscord, ann: User) -> None:
    elsewhere = wire.world.guild(bot=False)
    for closed in (elsewhere.channels[0], wire.world.group_dm(ann)):
        assert await code_of(wire, "POST", posts(closed), {"content": "x"}) == (403, 50001)
    assert await code_of(wire, "GET", f"/guilds/{elsewhere.id}") == (404, 10004)


async def test_reply_to_a_deleted_message_is_refused_unless_it_may_fail(
    wire: LoopbackDiscord, channel: Channel, ann: User
) -> None:
    said = await wire.say(channel, ann, "x")
    await wire.delete(said)
    assert await code_of(wire, "POST", posts(channel), reply(said)) == (400, 50035)
    _, sent = await call(wire, "POST", posts(channel), reply(said, fail_if_not_exists=False))
    assert (sent["type"], "message_reference" in sent) == (0, False)
    assert wire.log.violations == []


async def test_reply_across_channels_or_to_what_is_private_is_refused(
    wire: LoopbackDiscord, guild: Guild, channel: Channel, ann: User
) -> None:
    elsewhere = await wire.say(wire.world.channel(guild, "other"), ann, "x")
    private = wire.messages.build(channel, wire.world.bot, {"content": "x"}, ephemeral=True)
    for message in (elsewhere, private):
        assert await code_of(wire, "POST", posts(channel), reply(message)) == (400, 50035)


async def test_thread_has_its_own_permission_and_can_be_locked_and_removed(
    wire: LoopbackDiscord, channel: Channel, ann: User
) -> None:
    thread = await wire.thread(channel, ann, "talk")
    send = {"content": "x"}
    channel.denied = may.SEND_MESSAGES
    _, mine = await call(wire, "POST", posts(thread), send)
    channel.denied = may.SEND_MESSAGES_IN_THREADS
    assert await code_of(wire, "POST", posts(thread), send) == (403, 50013)
    channel.denied = 0
    for archived, refusal in ((False, (403, 160005)), (True, (403, 50083))):
        await wire.lock(thread, archived=archived)
        assert await code_of(wire, "POST", posts(thread), send) == refusal
        assert await code_of(wire, "PATCH", posts(thread, f"/{mine['id']}"), send) == refusal
    await wire.remove(thread)
    assert await code_of(wire, "POST", posts(thread), send) == (404, 10003)
    assert wire.log.violations == []


async def test_archived_thread_opens_when_somebody_writes(
    wire: LoopbackDiscord, channel: Channel, ann: User
) -> None:
    thread = await wire.thread(channel, ann, "talk")
    thread.archived = True
    assert (await call(wire, "POST", posts(thread), {"content": "x"}))[0] == 200
    assert not thread.archived


async def test_nothing_is_written_in_a_forum_itself(wire: LoopbackDiscord, guild: Guild, ann: User) -> None:
    forum = wire.world.forum(guild)
    assert await code_of(wire, "POST", posts(forum), {"content": "x"}) == (400, 40058)
    with pytest.raises(AssertionError, match="make posts"):
        await wire.say(forum, ann, "x")
    said = await wire.say(guild, ann, "x")
    await wire.thread(guild, ann, "one", on=said)
    with pytest.raises(AssertionError, match="thread already"):
        await wire.thread(guild, ann, "two", on=said)


async def test_list_is_newest_first_and_paged(wire: LoopbackDiscord, channel: Channel, ann: User) -> None:
    said = [await wire.say(channel, ann, f"<@{wire.world.bot.id}> {number}") for number in range(6)]
    ids = [one["id"] for one in said]

    async def listed(query: str) -> list[str]:
        _, found = await call(wire, "GET", posts(channel, query))
        return [one["id"] for one in found]

    assert await listed("") == ids[::-1]
    assert await listed("?limit=2") == [ids[5], ids[4]]
    assert await listed(f"?before={ids[3]}&limit=2") == [ids[2], ids[1]]
    assert await listed(f"?after={ids[1]}&limit=2") == [ids[3], ids[2]]
    assert await listed(f"?around={ids[2]}&limit=3") == [ids[3], ids[2], ids[1]]
    for wrong in ("?limit=0", "?limit=101", f"?before={ids[0]}&after={ids[0]}"):
        assert await code_of(wire, "GET", posts(channel, wrong)) == (400, 50035)


@pytest.mark.parametrize("granted", [False, True])
async def test_content_is_blank_by_http_too_without_the_intent(
    wire: LoopbackDiscord, channel: Channel, ann: User, granted: bool
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT if granted else 0
    first = await wire.say(channel, ann, "to all")
    second = await wire.say(channel, ann, f"{wire.world.bot.mention}?", reply_to=first)
    _, found = await call(wire, "GET", posts(channel))
    shown = "to all" if granted else ""
    assert [one["content"] for one in found] == [second["content"], shown]
    _, one = await call(wire, "GET", posts(channel, f"/{second['id']}"))
    assert one["referenced_message"]["content"] == shown


async def test_own_reply_shows_what_is_replied_to_only_where_it_was_told(
    wire: LoopbackDiscord, channel: Channel, ann: User
) -> None:
    said = await wire.say(channel, ann, "to all")
    _, sent = await call(wire, "POST", posts(channel), reply(said))
    assert sent["referenced_message"]["content"] == ""
    assert sent["message_reference"]["guild_id"] == str(channel.guild.id if channel.guild else 0)
    assert await wire.reply_to(said) is wire.messages.all[int(sent["id"])]


async def test_only_own_messages_are_edited_and_others_deleted_with_permission(
    wire: LoopbackDiscord, guild: Guild, channel: Channel, ann: User
) -> None:
    said = await wire.say(channel, ann, "x")
    path = posts(channel, f"/{said['id']}")
    assert await code_of(wire, "PATCH", path, {"content": "y"}) == (403, 50005)
    assert await code_of(wire, "DELETE", path) == (403, 50013)
    guild.roles[guild.id].permissions |= may.MANAGE_MESSAGES
    assert (await call(wire, "DELETE", path))[0] == 204
    _, mine = await call(wire, "POST", posts(channel), {"content": "x"})
    path = posts(channel, f"/{mine['id']}")
    assert await code_of(wire, "PATCH", path, {"content": ""}) == (400, 50006)
    assert (await call(wire, "PATCH", path, {"content": None} | EMBED))[1]["content"] == ""


async def test_reactions_are_counted_once_and_taken_back(
    wire: LoopbackDiscord, channel: Channel, ann: User
) -> None:
    said = await wire.say(channel, ann, "x")
    path = posts(channel, f"/{said['id']}/reactions/%F0%9F%91%8D/@me")
    for _ in range(2):
        assert (await call(wire, "PUT", path))[0] == 204
    assert [(one["emoji"]["name"], one["count"]) for one in said["reactions"]] == [("👍", 1)]
    assert (await call(wire, "DELETE", path))[0] == 204
    assert said["reactions"] == []
    assert await code_of(wire, "PUT", path.replace("%F0%9F%91%8D", "thumbsup")) == (400, 10014)
    channel.denied = may.ADD_REACTIONS
    assert await code_of(wire, "PUT", path) == (403, 50013)
