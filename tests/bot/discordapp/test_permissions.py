"""Who may manage the index: the rules by themselves, and over the wire."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.permissions import Asker, may_manage_index
from bot.settings import BotSettings
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.loopback import LoopbackDiscord
from tests.wire.world import User

MANAGE_SERVER, ADMINISTRATOR = 1 << 5, 1 << 3
ACCEPTED, INVITED = 2, 1


@pytest.mark.parametrize(
    ("asker", "may"),
    [
        (Asker(1), True),
        (Asker(2), True),
        (Asker(3), False),
        (Asker(3, 50, frozenset({7})), True),
        (Asker(3, 50, frozenset({8})), False),
        (Asker(3, 50, manages_server=True), True),
        (Asker(3, 51, manages_server=True), False),
        (Asker(3, None, manages_server=True), False),
        (Asker(3, 50), False),
        (Asker(50), False),
        (Asker(7), False),
    ],
)
def test_rules(asker: Asker, may: bool) -> None:
    settings = BotSettings.load(discord_admin_users={2}, discord_admin_roles={7}, discord_admin_servers={50})
    assert may_manage_index(asker, settings, frozenset({1})) is may


async def allowed(wire: LoopbackDiscord, user: User, where: Any = None) -> bool:
    """Use /index status, and say whether it was shown rather than refused."""
    used = await wire.slash("index status", user, where)
    message = await wire.response_to(used)
    refused = bool(message["embeds"][0]["title"] == "You may not do that here")
    assert used.ephemeral is refused
    return not refused


def _bot(
    make: MakeBotSettings, service: FakeService, **options: Any
) -> AbstractAsyncContextManager[FootnoteClient]:
    return running(make(**options), service)


async def test_owner_may_and_a_stranger_is_told_who_may(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with _bot(bot_settings, service):
        assert await allowed(wire, wire.world.owner)
        stranger = wire.world.user("ann")
        assert not await allowed(wire, stranger)
        used = await wire.slash("index rebuild", stranger)
        message = await wire.response_to(used)
        assert "owner of this application" in message["embeds"][0]["description"]
        assert service.rebuilds == 0


async def test_team_members_count_once_they_accepted_and_may_change_the_application(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    make = wire.world.user
    owner, admin, developer, reader, invited = (make(name) for name in ("o", "a", "d", "r", "i"))
    wire.world.team = [
        (owner, "", ACCEPTED),
        (admin, "admin", ACCEPTED),
        (developer, "developer", ACCEPTED),
        (reader, "read_only", ACCEPTED),
        (invited, "admin", INVITED),
    ]
    async with _bot(bot_settings, service):
        seen = {user.name: await allowed(wire, user) for user in (owner, admin, developer, reader, invited)}
    assert seen == {"o": True, "a": True, "d": True, "r": False, "i": False}


async def test_listed_users_and_roles_may(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild = wire.world.guild()
    keeper = wire.world.role(guild, "keeper")
    listed, holder, other = (wire.world.join(guild, wire.world.user(name)) for name in ("l", "h", "o"))
    wire.world.join(guild, holder, keeper)
    options = {"discord_admin_users": {listed.id}, "discord_admin_roles": {keeper.id}}
    async with _bot(bot_settings, service, **options):
        assert await allowed(wire, listed, guild)
        assert await allowed(wire, listed)
        assert await allowed(wire, holder, guild)
        assert not await allowed(wire, other, guild)


async def test_role_counts_though_the_server_is_not_cached(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild = wire.world.guild()
    keeper = wire.world.role(guild, "keeper")
    holder = wire.world.join(guild, wire.world.user("h"), keeper)
    del wire.world.guilds[guild.id]  # so that it is never announced
    async with _bot(bot_settings, service, discord_admin_roles={keeper.id}):
        assert await allowed(wire, holder, guild)


@pytest.mark.parametrize("permission", [MANAGE_SERVER, ADMINISTRATOR])
async def test_manage_server_counts_only_in_the_servers_named(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, permission: int
) -> None:
    named, other = wire.world.guild("named"), wire.world.guild("other")
    boss = wire.world.user("boss")
    for guild in (named, other):
        wire.world.join(guild, boss, wire.world.role(guild, "boss", permission))
    member = wire.world.join(named, wire.world.user("member"))
    async with _bot(bot_settings, service, discord_admin_servers={named.id}):
        assert await allowed(wire, boss, named)
        assert not await allowed(wire, boss, other)
        assert not await allowed(wire, other.owner, other)
        assert not await allowed(wire, member, named)
        assert not await allowed(wire, boss)


async def test_manage_server_alone_counts_nowhere_by_default(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild = wire.world.guild()
    async with _bot(bot_settings, service):
        assert not await allowed(wire, guild.owner, guild)
