"""The real discord.py on the loopback Discord: every way of using a bot works from end to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from tests.wire.bare import TOKEN
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import SEND_MESSAGES, VIEW_CHANNEL
from tests.wire.sample_bot import SampleBot
from tests.wire.world import Guild, User


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """Start a server that discord.py is pointed at, and in which it must do nothing wrong."""
    async with LoopbackDiscord(TOKEN) as server:
        monkeypatch.setattr(Route, "BASE", server.url)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(server.gateway_url))
        yield server
        assert server.log.violations == []
        assert server.interactions.unfinished() == []


@asynccontextmanager
async def running(wire: LoopbackDiscord, **options: Any) -> AsyncIterator[SampleBot]:
    async with SampleBot(**options) as client:
        connecting = asyncio.create_task(client.start(TOKEN))
        await wire.connected()
        await asyncio.wait_for(client.wait_until_ready(), 5)
        yield client
        await client.close()
        await connecting


@pytest.fixture
async def bot(wire: LoopbackDiscord, guild: Guild) -> AsyncIterator[SampleBot]:
    async with running(wire) as client:
        yield client


async def test_command_with_typed_options_reaches_the_bot_and_its_answer_the_person(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    used = await wire.slash("ask", ann, guild, question="Why?", article="v3", private=True)
    assert (await wire.response_to(used))["content"] == "an answer"
    question, article, private, interaction = bot.last("ask")
    assert (question, article, private, used.ephemeral) == ("Why?", "v3", True, True)
    assert interaction.channel.name == "general"
    assert interaction.app_permissions.send_messages
    assert interaction.guild.me.guild_permissions.embed_links


async def test_channel_option_comes_resolved_and_the_file_back_to_the_byte(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    used = await wire.slash("export", ann, guild, channel=guild.channels[0], most=3)
    message = await wire.response_to(used)
    assert bot.last("export")[0].id == guild.channels[0].id
    assert wire.attachment(message) == b"a,b\r\n\r\n1,\xff\r\n--x"
    (about,) = message["attachments"]
    assert (about["filename"], about["size"], about["description"]) == ("the_gaps.csv", 15, "Gaps")


async def test_suggestions_come_for_what_is_typed(wire: LoopbackDiscord, bot: SampleBot, ann: User) -> None:
    assert bot.is_ready()
    found = await wire.autocomplete("ask", ann, focused="article", article="sk")
    assert (len(found), found[0]) == (25, {"name": "sk 0", "value": "v0"})


async def test_menu_gives_the_content_of_anybodys_message_without_the_intent(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    other = wire.world.join(guild, wire.world.user("bob"))
    said = await wire.say(guild, other, "The academy opened in 2019.")
    used = await wire.menu("Answer this", ann, said)
    assert (await wire.response_to(used))["content"] == "about The academy opened in 2019."
    assert bot.last("message").content == ""
    assert bot.last("menu").author.id == other.id


async def test_button_turns_the_page_in_its_own_message_and_again(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    assert bot.is_ready()
    reply = await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} Why?"))
    other = wire.world.join(guild, wire.world.user("bob"))
    for person, content in ((ann, "page 2"), (other, "page 3")):
        used = await wire.press(person, reply, "Next source")
        assert (await wire.response_to(used)) is reply
        assert reply["content"] == content
    assert wire.custom_id_of(reply, "Next source") == "next:3"
    assert wire.buttons(reply) == ["Next source"]


async def test_button_sees_the_message_replied_to_only_where_it_was_told(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
    reply = await wire.reply_to(asked)
    await wire.response_to(await wire.press(ann, reply, "Private"))
    seen = bot.last("button")
    assert seen.reference.resolved.content == asked["content"]
    asked["mentions"], asked["content"] = [], "something else"
    await wire.response_to(await wire.press(ann, reply, "Private"))
    assert bot.last("button").reference.resolved.content == ""
    await wire.delete(asked)
    await wire.response_to(await wire.press(ann, reply, "Private"))
    assert isinstance(bot.last("button").reference.resolved, discord.DeletedReferencedMessage)
    assert bot.last("deleted") == int(asked["id"])


async def test_button_of_a_private_answer_changes_it(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    assert bot.is_ready()
    first = await wire.slash("ask", ann, guild, question="Why?")
    used = await wire.press(ann, await wire.response_to(first), "Private")
    private = await wire.response_to(used)
    assert private["flags"] == 64
    turned = await wire.response_to(await wire.press(ann, private, "Next source"))
    assert (turned["content"], turned["flags"]) == ("page 2", 64)
    with pytest.raises(AssertionError, match="only another"):
        await wire.press(guild.owner, private, "Next source")


async def test_deferred_update_changes_the_message_later(
    wire: LoopbackDiscord, bot: SampleBot, ann: User
) -> None:
    assert bot.is_ready()
    message = await wire.response_to(await wire.slash("ask", ann, question="Why?"))
    used = await wire.press(ann, message, "Later")
    assert (await wire.response_to(used))["content"] == "changed later"
    assert (used.kind, used.original) == (6, message)


@pytest.mark.parametrize(
    "texts", [["Who chairs it?", "x"], {"Your question": "Who chairs it?", "reason": "x"}]
)
async def test_form_is_filled_in_and_answered(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User, texts: Any
) -> None:
    assert bot.is_ready()
    message = await wire.response_to(await wire.slash("ask", ann, guild, question="Why?"))
    used = await wire.press(ann, message, "Form")
    sent = await wire.submit(used, texts)
    answer = await wire.response_to(sent)
    assert (answer["content"], sent.ephemeral) == ("Who chairs it? because x", True)
    assert (sent.message, used.modal is not None) == (message, True)


async def test_threads_and_forum_posts_reach_the_bot(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    forum = wire.world.forum(guild)
    await wire.gateway.announce(guild)
    thread, message = await wire.post(forum, ann, "When did it open?", "I wonder.")
    mention = await wire.say(thread, ann, f"{wire.world.bot.mention} and now?")
    reply = await wire.reply_to(mention)
    assert reply["channel_id"] == str(thread.id) == message["id"]
    made = bot.last("thread")
    assert (made.name, made.parent.name, made.owner_id) == ("When did it open?", "questions", ann.id)
    starter = bot.saw[-2][1]
    assert (starter.id, starter.content, starter.channel) == (thread.id, "", made)

    said = await wire.say(guild, ann, "something")
    on_it = await wire.thread(guild, ann, "about it", on=said)
    assert on_it.id == int(said["id"])
    await wire.reply_to(await wire.say(on_it, ann, wire.world.bot.mention))
    assert bot.last("thread").parent.name == "general"


async def test_content_comes_with_the_intent(wire: LoopbackDiscord, guild: Guild, ann: User) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    intents = discord.Intents(guilds=True, messages=True, message_content=True)
    async with running(wire, intents=intents) as bot:
        forum = wire.world.forum(guild)
        await wire.gateway.announce(guild)
        await wire.post(forum, ann, "When did it open?", "I wonder.")
        await wire.reply_to(await wire.say(guild, ann, wire.world.bot.mention))
        assert bot.saw[-2][1].content == "I wonder."


async def test_people_who_installed_it_for_themselves_use_it_anywhere(
    wire: LoopbackDiscord, bot: SampleBot
) -> None:
    elsewhere = wire.world.guild("elsewhere", bot=False)
    used = await wire.slash("ask", elsewhere.owner, elsewhere, installed="user", question="Why?")
    await wire.response_to(used)
    interaction = bot.last("ask")[3]
    assert interaction.is_user_integration()
    assert not interaction.is_guild_integration()
    assert not interaction.app_permissions.send_messages
    assert interaction.app_permissions.embed_links
    used = await wire.slash("ask", elsewhere.owner, context=2, installed="user", question="Why?")
    await wire.response_to(used)
    assert bot.last("ask")[3].context.private_channel


async def test_bot_knows_what_it_may_not(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    channel = guild.channels[0]
    await wire.deny(channel, SEND_MESSAGES)
    used = await wire.slash("ask", ann, guild, question="Why?")
    await wire.response_to(used)
    interaction = bot.last("ask")[3]
    known = bot.get_channel(channel.id)
    assert isinstance(known, discord.TextChannel)
    assert not known.permissions_for(known.guild.me).send_messages
    assert not interaction.app_permissions.send_messages
    await wire.deny(channel, VIEW_CHANNEL)
    await wire.say(guild, ann, f"{wire.world.bot.mention} unseen")
    await wire.deny(channel, 0)
    await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} seen"))
    assert [one.content[-6:] for name, one in bot.saw if name == "message"] == ["> seen"]


async def test_presence_in_identifying_and_later_is_recorded(wire: LoopbackDiscord) -> None:
    async with running(wire, activity=discord.Game("with articles")) as bot:
        await bot.change_presence(status=discord.Status.idle)
        await wire.log.until(lambda: len(wire.gateway.presences) == 2, "the second presence")
    first, second = wire.gateway.presences
    assert first["activities"][0]["name"] == "with articles"
    assert (first["status"], second["status"]) == ("online", "idle")


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_429_is_waited_out(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User, scope: Any
) -> None:
    assert bot.is_ready()
    wire.rate_limit("POST", r"/messages$", retry_after=0.2, scope=scope)
    asked = await wire.say(guild, ann, wire.world.bot.mention)
    await wire.reply_to(asked)
    first, second = wire.log.seen("POST", r"/messages$")
    assert (first.status, second.status) == (429, 200)
    assert second.at - first.at >= 0.2


async def test_pause_of_the_api_leaves_the_gateway_up_and_what_was_sent_is_answered_after_it(
    wire: LoopbackDiscord, bot: SampleBot, guild: Guild, ann: User
) -> None:
    assert bot.is_ready()
    wire.pause(60)
    asked = await wire.say(guild, ann, wire.world.bot.mention)
    await asyncio.sleep(0.1)
    assert wire.gateway.connected
    assert wire.said(guild) == []
    wire.pause(0)
    await wire.reply_to(asked)


class ShardedBot(discord.AutoShardedClient):
    """Two connections, without the five seconds between them."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        return


async def test_each_shard_gets_its_own_servers(wire: LoopbackDiscord) -> None:
    wire.shards = 2
    guilds = [wire.guild_on(shard) for shard in (0, 1)]
    intents = discord.Intents(guilds=True)
    async with ShardedBot(intents=intents, guild_ready_timeout=0.1) as client:
        connecting = asyncio.create_task(client.start(TOKEN))
        await wire.connected()
        await asyncio.wait_for(client.wait_until_ready(), 5)
        assert client.shard_count == 2
        seen = {one.id: one.shard_id for one in client.guilds}
        assert seen == {guilds[0].id: 0, guilds[1].id: 1}
        by_session = [[one["d"]["id"] for one in session.sent if one["t"] == "GUILD_CREATE"]
                      for session in wire.gateway.sessions]  # fmt: skip
        assert by_session == [[str(guilds[0].id)], [str(guilds[1].id)]]
        await client.close()
        await connecting
