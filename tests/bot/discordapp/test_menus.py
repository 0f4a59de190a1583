"""The entries in a message's menu, and where each command is offered."""

from __future__ import annotations

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import answer_to, inhabited, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import ADMINISTRATOR, MANAGE_GUILD
from tests.wire.renderer import render

pytestmark = pytest.mark.usefixtures("bot")

EVERYBODYS = {"ask", "verify", "privacy", "Answer this", "Check this quote"}
MANAGERS = {"index", "settings", "gaps"}


async def test_answer_this_answers_anybodys_message_without_the_intent(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    said = await wire.say(guild, bob, "When did *it* open, @everyone?")
    used = await wire.menu("Answer this", ann, said)
    message = await wire.response_to(used)
    assert service.asked_with == [("When did *it* open, @everyone?", None, None)]
    assert title_of(message) == "The articles say"
    assert render(message["content"]).quotes == ["When did *it* open, @everyone?"]
    assert render(message["content"]).constructs == []
    assert not used.ephemeral
    assert wire.log.pings == []


async def test_answer_this_leaves_the_bots_mention_out(wire: LoopbackDiscord, service: FakeService) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    me = wire.world.bot
    said = await wire.say(guild, ann, f"<@!{me.id}> When did it open? {me.mention}", webhook_id="1")
    await wire.response_to(await wire.menu("Answer this", ann, said))
    assert service.asked == ["When did it open?"]


@pytest.mark.parametrize("text", ["", "  \n ", "{}"])
async def test_answer_this_on_a_message_without_words_gives_help(
    wire: LoopbackDiscord, service: FakeService, text: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    said = await wire.say(guild, ann, text.format(wire.world.bot.mention), webhook_id="1")
    used = await wire.menu("Answer this", ann, said)
    assert title_of(await wire.response_to(used)) == "Ask a question"
    assert used.ephemeral
    assert service.asked == []


async def test_answer_this_leans_on_nothing_and_is_as_private_as_the_channel(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await answer_to(wire, ann, guild)
    await bot.surface.records.change(guild.id, guild.channels[0].id, private=True)
    used = await wire.menu("Answer this", ann, await wire.say(guild, ann, "And who?"))
    await wire.response_to(used)
    assert service.asked_with[-1] == ("And who?", None, None)
    assert used.ephemeral


async def test_a_message_as_long_as_discord_takes_is_answered(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    ann = wire.world.user("ann")
    said = await wire.say(wire.world.dm(ann), ann, "*Why?* " * 571, type=6)  # type 6: not answered by itself
    message = await wire.response_to(await wire.menu("Answer this", ann, said))
    assert len(service.asked[0]) == 1000
    assert render(message["content"]).constructs == []


async def test_commands_are_offered_where_they_make_sense(wire: LoopbackDiscord) -> None:
    guild, (ann, manager, admin) = await inhabited(wire, "ann", "manager", "admin")
    wire.world.join(guild, manager, wire.world.role(guild, "managers", MANAGE_GUILD))
    wire.world.join(guild, admin, wire.world.role(guild, "admins", ADMINISTRATOR))
    assert set(wire.commands_shown(ann, guild)) == EVERYBODYS
    assert set(wire.commands_shown(manager, guild)) == EVERYBODYS | MANAGERS
    assert set(wire.commands_shown(admin, guild)) == EVERYBODYS | MANAGERS
    assert set(wire.commands_shown(ann)) == EVERYBODYS | {"index"}  # owners use it in direct messages
    assert set(wire.commands_shown(ann, wire.world.group_dm(ann), installed="user")) == EVERYBODYS
    without = wire.world.guild("without the bot", bot=False)
    assert set(wire.commands_shown(without.owner, without, installed="user")) == EVERYBODYS
    assert wire.commands_shown(without.owner, without) == []


async def test_commands_say_themselves_where_and_for_whom_they_are(wire: LoopbackDiscord) -> None:
    offered = {one["name"]: one for one in wire.interactions.commands}
    for name in EVERYBODYS:
        assert set(offered[name]["contexts"]) == {0, 1, 2}
        assert set(offered[name]["integration_types"]) == {0, 1}
        assert offered[name]["default_member_permissions"] is None
    for name in MANAGERS:
        assert 2 not in offered[name]["contexts"]
        assert offered[name]["integration_types"] == [0]
        assert offered[name]["default_member_permissions"] == str(MANAGE_GUILD)


@pytest.mark.parametrize("place", ["server", "group"])
async def test_who_installed_the_bot_for_themselves_can_use_it_where_it_is_no_member(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, place: str
) -> None:
    service.reply = sample_answer("Why?", verdict=Verdict.NOT_FOUND)
    guild = wire.world.guild(bot=False)
    ann = wire.world.join(guild, wire.world.user("ann"))
    where = guild.channels[0] if place == "server" else wire.world.group_dm(ann, wire.world.user("bob"))
    used = await wire.slash("ask", ann, where, installed="user", question="Why?")
    message = await wire.response_to(used)
    assert title_of(message) == "The articles do not seem to say"
    assert not used.ephemeral
    said = wire.messages.build(where, guild.owner, {"content": "When did it open?"})
    for name in ("Answer this", "Check this quote"):
        assert (await wire.response_to(await wire.menu(name, ann, said, installed="user")))["embeds"]
    checked = await wire.slash("verify", ann, where, installed="user", text="It opened.")
    assert title_of(await wire.response_to(checked)) == "Does it stand in the articles?"
    assert service.asked == ["Why?", "When did it open?"]
    assert service.checks == ["When did it open?", "It opened."]


async def test_nothing_is_recorded_for_a_server_that_the_bot_is_no_member_of(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService
) -> None:
    service.reply = sample_answer("Why?", verdict=Verdict.NOT_FOUND)
    guild = wire.world.guild(bot=False)
    ann = wire.world.join(guild, wire.world.user("ann"))
    await bot.surface.records.change(guild.id, None, private=True, language="es")  # from when it was one
    for _ in range(2):
        used = await wire.slash("ask", ann, guild, installed="user", question="Why?")
        assert title_of(await wire.response_to(used)) == "The articles do not seem to say"
        assert not used.ephemeral
    assert await bot.surface.records.gaps(guild.id) == []
    (gap,) = await bot.surface.records.gaps(None)
    assert gap.question == "Why?"
    assert "Ask the helpers" not in wire.buttons(used.original or {})


async def test_in_a_server_with_the_bot_its_settings_hold_for_those_who_installed_it_too(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, None, private=True)
    used = await wire.slash("ask", ann, guild, installed="user", question="Why?")
    await wire.response_to(used)
    assert used.ephemeral
