"""The gateway: whom it lets in, what it sends to which shard, and what it hides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.bare import GatewayClient, call, callback, hook
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import VIEW_CHANNEL
from tests.wire.world import Guild, User


async def test_gateway_refuses_a_wrong_token(client: GatewayClient) -> None:
    await client.identify(token="wrong")
    assert await client.close_code() == 4004


@pytest.mark.parametrize(("intents", "code"), [(MESSAGE_CONTENT, 4014), (1 << 1, 4014), (1 << 40, 4013)])
async def test_gateway_refuses_intents(client: GatewayClient, intents: int, code: int) -> None:
    await client.identify(intents=intents)
    assert await client.close_code() == code


async def test_gateway_refuses_what_comes_before_identify(client: GatewayClient) -> None:
    await client.socket.receive_json(timeout=2)
    await client.socket.send_json({"op": 3, "d": {}})
    assert await client.close_code() == 4003


@pytest.mark.parametrize(
    ("shard", "code"), [(None, 4011), ([0, 1], 4011), ([2, 2], 4010), ([-1, 2], 4010), ([0], 4010)]
)
async def test_gateway_refuses_fewer_or_other_shards_than_it_asks_for(
    wire: LoopbackDiscord, client: GatewayClient, shard: Any, code: int
) -> None:
    wire.shards = 2
    await client.identify(**({} if shard is None else {"shard": shard}))
    assert await client.close_code() == code


@pytest.mark.parametrize("shard", [0, 1])
async def test_shard_gets_its_own_servers_and_the_first_the_direct_messages(
    wire: LoopbackDiscord, client: GatewayClient, shard: int
) -> None:
    wire.shards = 2
    guilds = [wire.guild_on(number) for number in (0, 1)]
    await client.identify(intents=GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES, shard=[shard, 2])
    (ready,) = await client.events("READY", 1)
    assert [one["id"] for one in ready["guilds"]] == [str(guilds[shard].id)]
    assert ready["shard"] == [shard, 2]
    assert not wire.gateway.connected  # the other shard is missing
    ann = wire.world.user("ann")
    await wire.say(wire.world.dm(ann), ann, "direct")
    for guild in guilds:
        await wire.say(guild, guild.owner, f"<@{wire.world.bot.id}> {guild.id}")
        await wire.slash("ask", guild.owner, guild)
    expected = [str(guilds[1].id)] if shard else [None, str(guilds[0].id)]
    seen = await client.events("MESSAGE_CREATE", len(expected))
    assert [one.get("guild_id") for one in seen] == expected
    (used,) = await client.events("INTERACTION_CREATE", 1)
    assert used["guild_id"] == str(guilds[shard].id)


async def test_servers_without_the_bot_are_not_told_of(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild
) -> None:
    elsewhere = wire.world.guild(bot=False)
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    (ready,) = await client.events("READY", 1)
    assert [one["id"] for one in ready["guilds"]] == [str(guild.id)]
    await wire.say(elsewhere, elsewhere.owner, f"{wire.world.bot.mention} there")
    await wire.say(guild, guild.owner, f"{wire.world.bot.mention} here")
    (event,) = await client.events("MESSAGE_CREATE", 1)
    assert event["content"].endswith("here")


@pytest.mark.parametrize(
    "presence",
    [
        {"status": "here", "activities": [], "afk": False},
        {"status": "idle", "activities": [{"name": "x" * 129, "type": 0}], "afk": False},
        {"status": "idle", "activities": [{"name": "x"}], "afk": False},
        {"status": "idle", "activities": []},
    ],
)
async def test_what_is_no_presence_is_refused(
    wire: LoopbackDiscord, client: GatewayClient, presence: dict[str, Any]
) -> None:
    await client.identify(presence={"status": "online", "activities": [], "afk": False})
    await client.events("READY", 1)
    await client.socket.send_json({"op": 3, "d": presence})
    assert await client.close_code() == 4002
    assert [one["status"] for one in wire.gateway.presences] == ["online"]


@pytest.mark.parametrize("granted", [False, True])
async def test_content_is_hidden_without_the_intent_unless_the_bot_is_meant(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User, granted: bool
) -> None:
    content = MESSAGE_CONTENT if granted else 0
    wire.gateway.granted = content
    await client.identify(intents=GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES | content)
    await wire.connected()
    first = await wire.say(guild, ann, "to all")
    await wire.say(guild, ann, f"to {wire.world.bot.mention}", reply_to=first)
    await wire.say(wire.world.dm(ann), ann, "direct")
    seen = await client.events("MESSAGE_CREATE", 3)
    shown = "to all" if granted else ""
    assert [one["content"] for one in seen] == [shown, f"to {wire.world.bot.mention}", "direct"]
    assert seen[1]["referenced_message"]["content"] == shown


async def test_reply_without_ping_is_hidden_and_one_with_ping_is_not(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    mine = wire.messages.build(guild.channels[0], wire.world.bot, {"content": "an answer"})
    await wire.say(guild, ann, "and then?", reply_to=mine, ping=False)
    await wire.say(guild, ann, "and then?", reply_to=mine)
    silent, loud = await client.events("MESSAGE_CREATE", 2)
    assert (silent["content"], loud["content"]) == ("", "and then?")
    assert silent["referenced_message"]["content"] == "an answer"


async def test_forum_post_comes_after_its_thread_and_without_content(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    forum = wire.world.forum(guild)
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    thread, message = await wire.post(forum, ann, "A title", "I wonder.")
    (made,) = await client.events("THREAD_CREATE", 1)
    (seen,) = await client.events("MESSAGE_CREATE", 1)
    assert (made["name"], made["newly_created"], made["parent_id"]) == ("A title", True, str(forum.id))
    assert seen["id"] == seen["channel_id"] == made["id"] == message["id"] == str(thread.id)
    assert (seen["content"], message["content"]) == ("", "I wonder.")


async def test_deletion_is_told(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    message = await wire.say(guild, ann, "x")
    await wire.delete(message)
    (gone,) = await client.events("MESSAGE_DELETE", 1)
    assert gone == {"id": message["id"], "channel_id": message["channel_id"], "guild_id": str(guild.id)}


async def test_events_that_no_intent_asks_for_or_that_the_bot_may_not_see_are_not_sent(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild
) -> None:
    await client.identify(intents=DIRECT_MESSAGES)
    await wire.connected()
    await wire.gateway.announce(guild)
    await wire.say(guild, guild.owner, "to all")
    await wire.say(wire.world.dm(guild.owner), guild.owner, "direct")
    (event,) = await client.events("MESSAGE_CREATE", 1)
    assert event["content"] == "direct"


async def test_channel_that_the_bot_may_not_view_is_silent(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild
) -> None:
    hidden = wire.world.channel(guild, "hidden")
    wire.world.deny(hidden, VIEW_CHANNEL)
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    (told,) = await client.events("GUILD_CREATE", 1)
    overwrite = {"id": str(wire.world.bot.id), "type": 1, "allow": "0", "deny": str(VIEW_CHANNEL)}
    assert [one["permission_overwrites"] for one in told["channels"]] == [[], [overwrite]]
    await wire.say(hidden, guild.owner, f"{wire.world.bot.mention} hidden")
    await wire.thread(hidden, guild.owner, "hidden")
    await wire.thread(guild, guild.owner, "seen")
    (made,) = await client.events("THREAD_CREATE", 1)
    assert made["name"] == "seen"
    await wire.say(guild, guild.owner, f"{wire.world.bot.mention} seen")
    (event,) = await client.events("MESSAGE_CREATE", 1)
    assert event["content"].endswith("seen")


async def test_private_answers_are_no_events_and_others_are(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    for flags in (64, 0):
        used = await wire.slash("ask", ann, guild)
        await callback(wire, used, 4, content=f"flags {flags}", flags=flags)
        await call(wire, "PATCH", hook(wire, used, "/messages/@original"), {"content": f"now {flags}"})
        await call(wire, "DELETE", hook(wire, used, "/messages/@original"))
    seen = await client.events("MESSAGE_CREATE", 1)
    assert [one["content"] for one in seen] == ["flags 0"]
    assert [one["content"] for one in await client.events("MESSAGE_UPDATE", 1)] == ["now 0"]
    kinds = [one["t"] for one in wire.gateway.sessions[0].sent]
    assert [kinds.count(f"MESSAGE_{kind}") for kind in ("CREATE", "UPDATE", "DELETE")] == [1, 1, 1]


async def test_deferred_answer_is_loading_until_it_is_finished(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    used = await wire.slash("ask", ann, guild)
    await callback(wire, used)
    await call(wire, "PATCH", hook(wire, used, "/messages/@original"), {"content": "x"})
    (made,), (changed,) = await client.events("MESSAGE_CREATE", 1), await client.events("MESSAGE_UPDATE", 1)
    assert (made["flags"], changed["flags"]) == (1 << 7, 0)


async def test_resume_gives_again_what_was_sent_as_it_was_then(
    wire: LoopbackDiscord, client: GatewayClient, guild: Guild, ann: User
) -> None:
    await client.identify(intents=GUILDS | GUILD_MESSAGES)
    await wire.connected()
    message = await wire.say(guild, ann, f"{wire.world.bot.mention} before")
    message["mentions"].clear()
    (sent,) = [one["d"] for one in wire.gateway.sessions[0].sent if one["t"] == "MESSAGE_CREATE"]
    assert [one["id"] for one in sent["mentions"]] == [str(wire.world.bot.id)]
