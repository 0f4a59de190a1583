"""Who may see and change what is a server's own: the rules by themselves, and over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discordapp.permissions import Asker, may_manage_server
from bot.settings import BotSettings
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import ADMINISTRATOR, MANAGE_GUILD
from tests.wire.places import User

NOT_ALLOWED, ONLY_IN_SERVERS = "You may not do that here", "This works in a server only"


@pytest.mark.parametrize(
    ("asker", "may"),
    [
        (Asker(1, 51), True),
        (Asker(2, 51), True),
        (Asker(3, 51, frozenset({7})), True),
        (Asker(3, 51, manages_server=True), True),
        (Asker(3, 51), False),
        (Asker(3, 50), False),
        (Asker(3, 51, frozenset({8})), False),
        (Asker(1), False),
        (Asker(2), False),
        (Asker(3, None, manages_server=True), False),
    ],
)
def test_rules_for_what_is_a_servers_own(asker: Asker, may: bool) -> None:
    settings = BotSettings.load(discord_admin_users={2}, discord_admin_roles={7}, discord_admin_servers={50})
    assert may_manage_server(asker, settings, frozenset({1})) is may


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
"""The commands about a server's own rows, each with what it needs."""


async def refused(wire: LoopbackDiscord, command: str, user: User, where: Any, **more: Any) -> str:
    """Use a command about a server's rows, and return the title where it is refused, else ""."""
    used = await wire.slash(command, user, where, **OWN[command], **more)
    (embed,) = (await wire.response_to(used))["embeds"]
    assert used.ephemeral
    return str(embed["title"]) if embed["title"] in {NOT_ALLOWED, ONLY_IN_SERVERS} else ""


@pytest.mark.parametrize("command", OWN)
async def test_managers_see_and_change_what_is_their_servers_own_and_members_do_not(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, command: str
) -> None:
    guild, other = wire.world.guild("one"), wire.world.guild("other")
    boss, member, elsewhere = (wire.world.user(name) for name in ("boss", "member", "elsewhere"))
    for user, where, bits in ((boss, guild, MANAGE_GUILD), (elsewhere, other, ADMINISTRATOR)):
        wire.world.join(where, user, wire.world.role(where, "boss", bits))
    for user in (member, elsewhere):
        wire.world.join(guild, user)
    async with running(bot_settings(), service) as bot:
        assert await refused(wire, command, member, guild) == NOT_ALLOWED
        assert await refused(wire, command, elsewhere, guild) == NOT_ALLOWED
        assert await bot.surface.records.overview(guild.id) == []
        assert await refused(wire, command, boss, guild) == ""
        assert await refused(wire, command, guild.owner, guild) == ""
        assert await refused(wire, command, elsewhere, other) == ""


async def test_whoever_may_manage_the_index_manages_every_server_that_they_are_in(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild = wire.world.guild()
    keeper = wire.world.role(guild, "keeper")
    listed = wire.world.join(guild, wire.world.user("listed"))
    holder = wire.world.join(guild, wire.world.user("holder"), keeper)
    wire.world.join(guild, wire.world.owner)
    options = {"discord_admin_users": {listed.id}, "discord_admin_roles": {keeper.id}}
    async with running(bot_settings(**options), service):
        for user in (listed, holder, wire.world.owner):
            assert await refused(wire, "settings show", user, guild) == ""
            assert await refused(wire, "gaps list", user, guild) == ""


@pytest.mark.parametrize("where", ["direct", "not a member", "not a member, as a manager"])
@pytest.mark.parametrize("command", ["settings answers", "gaps list"])
async def test_a_servers_own_commands_work_only_where_the_bot_is_a_member(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, command: str, where: str
) -> None:
    owner = wire.world.owner
    foreign = wire.world.guild("foreign", owner=owner if where.endswith("manager") else None, bot=False)
    wire.world.join(foreign, owner)
    place = None if where == "direct" else foreign
    group = command.split(maxsplit=1)[0]
    async with running(bot_settings(), service) as bot:
        assert group not in wire.commands_shown(owner, place, installed="user")
        offered_everywhere(wire, group)
        installed = "guild" if where == "direct" else "user"
        assert await refused(wire, command, owner, place, installed=installed) == ONLY_IN_SERVERS
        assert await bot.surface.records.overview(foreign.id) == []


def offered_everywhere(wire: LoopbackDiscord, name: str) -> None:
    """Let Discord offer a command everywhere, as it may where an older registration lives on."""
    (command,) = (one for one in wire.interactions.commands if one["name"] == name)
    command |= {"contexts": [0, 1, 2], "integration_types": [0, 1]}


async def test_discord_offers_managers_commands_to_managers_and_the_rest_to_all(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild = wire.world.guild()
    boss = wire.world.join(guild, wire.world.user("boss"), wire.world.role(guild, "boss", MANAGE_GUILD))
    member = wire.world.join(guild, wire.world.user("member"))
    everyones = {"ask", "Answer this", "verify", "Check this quote", "privacy"}
    async with running(bot_settings(), service):
        assert set(wire.commands_shown(member, guild)) == everyones
        assert set(wire.commands_shown(boss, guild)) == everyones | {"index", "settings", "gaps"}
        assert set(wire.commands_shown(member)) == everyones | {"index"}
        group = wire.world.group_dm(member)
        assert set(wire.commands_shown(member, group, installed="user")) == everyones
