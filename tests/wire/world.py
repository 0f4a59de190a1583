"""Everything that exists on the loopback Discord, by id, and the application that the bot belongs to."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.wire.entities import Channel, Guild, Json, Kind, Message, Permission, Role, User

__all__ = ["World"]

_EPOCH = 1_420_070_400_000
"""The first millisecond of a snowflake, as Unix time."""
_EVERYONE = sum(Permission) & ~(Permission.ADMINISTRATOR | Permission.MANAGE_SERVER)


class World:
    """Makes users, servers, roles and channels; `Messages` makes the messages."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.bot = self.user("Footnote", bot=True)
        self.owner = self.user("owner")
        self.application_id = self.new_id()
        self.team: list[tuple[User, str, int]] = []
        """Members of the team that owns the application, if one does: user, role, membership state."""

    def new_id(self) -> int:
        return (int(time.time() * 1000) - _EPOCH) << 22 | next(self._count)

    def user(self, name: str, **attributes: Any) -> User:
        user = User(self.new_id(), name, **attributes)
        self.users[user.id] = user
        return user

    def guild(
        self, owner: User | None = None, *, bot: bool = True, shard: int = 0, shards: int = 1,
        locale: str = "en-US",
    ) -> Guild:  # fmt: skip
        """Make a server with a channel "general" whose events go to this one of so many shards."""
        guild_id = self.new_id()
        while (guild_id >> 22) % shards != shard:
            guild_id += 1 << 22
        guild = Guild(guild_id, "server", owner or self.user("owner"), self.bot if bot else None, locale)
        guild.roles[guild.id] = Role(guild.id, "@everyone", _EVERYONE)
        guild.members = {user.id: (user, ()) for user in (guild.owner, guild.bot) if user}
        self.guilds[guild.id] = guild
        self.channel(guild)
        return guild

    def channel(
        self, guild: Guild, name: str = "general", kind: Kind = Kind.TEXT, channel_id: int | None = None,
        **attributes: Any,
    ) -> Channel:  # fmt: skip
        channel = Channel(channel_id or self.new_id(), name, kind, guild, **attributes)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        role = Role(self.new_id(), name, permissions)
        guild.roles[role.id] = role
        return role

    def join(self, guild: Guild, user: User, *roles: Role) -> User:
        """Make a user a member with these roles."""
        guild.members[user.id] = (user, roles)
        return user

    def direct(self, *recipients: User) -> Channel:
        """Return a user's direct messages with the bot, or a group DM of users without it."""
        for channel in self.channels.values():
            if channel.recipients == recipients:
                return channel
        kind = Kind.DIRECT if len(recipients) == 1 else Kind.GROUP
        channel = Channel(self.new_id(), kind=kind, recipients=recipients)
        self.channels[channel.id] = channel
        return channel

    def application(self) -> Json:
        """Return the application object, owned by one account or by the team."""
        common: Json = {"team_id": "1", "permissions": []}
        members = [
            {"user": user.payload(), "role": role, "membership_state": state} | common
            for user, role, state in self.team
        ]
        team = {"id": "1", "name": "team", "icon": None, "members": members}
        return {
            "id": str(self.application_id), "name": self.bot.name, "icon": None, "description": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "00" * 32,
            "owner": self.owner.payload(), "flags": 0, "bot": self.bot.payload(),
            "team": team | {"owner_user_id": str(self.team[0][0].id)} if self.team else None,
        }  # fmt: skip
