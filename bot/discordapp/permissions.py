"""Who may see the index's status and rebuild it, and who may see and change what is a server's own.

One index serves every server, and anyone can invite a public bot to a server of their own. So being powerful
in a server counts for the index only in the servers that the settings name. A server's own settings and
unanswered questions are its managers'.
"""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.settings import BotSettings

__all__ = ["Asker", "asker_of", "may_manage_index", "may_manage_server", "owners_of"]

_TEAM_ROLES = {discord.TeamMemberRole.admin, discord.TeamMemberRole.developer}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who used a command, and what Discord says of them there."""

    user: int
    server: int | None = None
    roles: frozenset[int] = frozenset()
    manages_server: bool = False


def asker_of(interaction: discord.Interaction) -> Asker:
    """Return who used the command, from what Discord sent with it."""
    user = interaction.user
    if interaction.guild_id is None or not isinstance(user, discord.Member):
        return Asker(user.id)
    may = interaction.permissions
    # Member.roles looks roles up in the cache of servers, which may not hold them (yet); these are as sent.
    roles = frozenset(user._roles)
    return Asker(user.id, interaction.guild_id, roles, may.manage_guild or may.administrator)


def owners_of(application: discord.AppInfo | None) -> frozenset[int]:
    """Return the users to whom the application belongs.

    Of a team these are its owner, and the members who accepted and may change the application: those who
    are only invited, or may only read, do not count.
    """
    if application is None:
        return frozenset()
    team = application.team
    if team is None:
        return frozenset({application.owner.id})
    accepted = discord.TeamMembershipState.accepted
    members = {one.id for one in team.members if one.membership_state == accepted and one.role in _TEAM_ROLES}
    return frozenset(members | ({team.owner_id} if team.owner_id else set()))


def may_manage_index(asker: Asker, settings: BotSettings, owners: frozenset[int]) -> bool:
    """Say whether the asker may rebuild the index and see its status."""
    if asker.user in owners | settings.discord_admin_users:
        return True
    if asker.roles & settings.discord_admin_roles:
        return True
    return asker.manages_server and asker.server in settings.discord_admin_servers


def may_manage_server(asker: Asker, settings: BotSettings, owners: frozenset[int]) -> bool:
    """Say whether the asker may see and change the rows of the server that they ask in, and of no other."""
    return asker.server is not None and (asker.manages_server or may_manage_index(asker, settings, owners))
