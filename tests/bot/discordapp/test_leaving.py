"""A server that the bot is removed from is forgotten; one that is only out of reach is not."""

from __future__ import annotations

import asyncio

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.gapped import made_gap
from tests.bot.discordapp.stage import answer_to, inhabited
from tests.wire.gateway import GUILDS
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User
from tests.wire.records import Json


async def lived_in(wire: LoopbackDiscord, bot: FootnoteClient, name: str) -> tuple[Guild, User]:
    """Make a server of which something is kept of each kind."""
    guild, (member,) = await inhabited(wire, name)
    await bot.surface.records.change(guild.id, None, answers=AnswersTo.MENTIONS, tell_gaps=True)
    await bot.surface.records.change(guild.id, guild.channels[0].id, private=False)
    await made_gap(bot, guild, member, f"Who is {name}?")
    await wire.response_to(await wire.press(member, await answer_to(wire, member, guild), "Helpful"))
    return guild, member


async def kept_of(bot: FootnoteClient, guild: Guild) -> tuple[int, int, int]:
    """Count the rows of settings, questions and feedback."""
    records = bot.surface.records
    found = await records.overview(guild.id), await records.gaps(guild.id), await records.feedback(guild.id)
    return len(found[0]), len(found[1]), len(found[2])


async def forgotten(bot: FootnoteClient, guild: Guild) -> None:
    """Wait until nothing is kept of a server."""
    async with asyncio.timeout(3):
        while await kept_of(bot, guild) != (0, 0, 0):
            pass  # another thread is at it


async def leave(wire: LoopbackDiscord, guild: Guild, **more: bool) -> None:
    gone: Json = {"id": str(guild.id), **more}
    await wire.gateway.dispatch("GUILD_DELETE", gone, GUILDS, guild.id)


async def test_what_is_kept_of_a_server_goes_with_the_bot_and_no_other_servers(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    guild, ann = await lived_in(wire, bot, "ann")
    other, _ = await lived_in(wire, bot, "bob")
    await made_gap(bot, None, ann, "Asked alone?")
    assert await kept_of(bot, guild) == await kept_of(bot, other) == (2, 1, 1)
    await leave(wire, guild)
    await forgotten(bot, guild)
    assert await kept_of(bot, other) == (2, 1, 1)
    assert [one.question for one in await bot.surface.records.gaps(None)] == ["Asked alone?"]


async def test_an_outage_of_a_server_changes_nothing(wire: LoopbackDiscord, bot: FootnoteClient) -> None:
    guild, ann = await lived_in(wire, bot, "ann")
    other, _ = await lived_in(wire, bot, "bob")
    await leave(wire, guild, unavailable=True)
    await leave(wire, other)  # heard afterwards
    await forgotten(bot, other)
    assert await kept_of(bot, guild) == (2, 1, 1)
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, None, answers=AnswersTo.NEVER)
    assert (await answer_to(wire, ann, guild))["flags"] & 64
    assert await kept_of(bot, guild) == (2, 1, 1)


async def test_what_cannot_be_forgotten_is_logged(
    wire: LoopbackDiscord, bot: FootnoteClient, caplog: pytest.LogCaptureFixture
) -> None:
    guild, _ = await lived_in(wire, bot, "ann")
    await bot.surface.records.close()
    await leave(wire, guild)
    await wire.response_to(await wire.slash("index status", wire.world.owner))  # heard afterwards
    assert "guild_remove could not be dealt with" in caplog.text
