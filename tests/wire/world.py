"""The people and places of the loopback Discord, and their payloads as Discord documents them."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.wire.records import Json

__all__ = ["Channel", "Guild", "Role", "User", "World", "now_text"]

_EPOCH_MS = 1_420_070_400_000
_ALL_PERMISSIONS = (1 << 50) - 1
_ADMINISTRATOR = 1 << 3
_EVERYDAY = (1 << 10) | (1 << 11) | (1 << 14) | (1 << 16) | (1 << 31)  # view, send, embed, history, commands


def now_text() -> str:
    """Return the time as Discord writes it."""
    return datetime.now(UTC).isoformat()


@dataclass(slots=True, eq=False)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False

    @property
    def mention(self) -> str:
        """What is typed to mention the account."""
        return f"<@{self.id}>"

    def payload(self) -> Json:
        """Return the user object."""
        return {
            "id": str(self.id), "username": self.name, "discriminator": "0", "global_name": None,
            "avatar": None, "bot": self.bot,
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server."""

    id: int
    name: str
    permissions: int = 0

    def payload(self) -> Json:
        """Return the role object."""
        colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
        return {
            "id": str(self.id), "name": self.name, "permissions": str(self.permissions), "color": 0,
            "colors": colors, "hoist": False, "position": 0, "managed": False, "mentionable": False,
            "flags": 0,
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Guild:
    """A server, with the roles that each member holds."""

    id: int
    name: str
    owner: User
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[User, list[int]]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)

    def permissions_of(self, user: User) -> int:
        """Return what the member may do, computed as Discord does without channel overwrites."""
        held = self.roles[self.id].permissions
        for role in self.members[user.id][1]:
            held |= self.roles[role].permissions
        return _ALL_PERMISSIONS if user is self.owner or held & _ADMINISTRATOR else held

    def member(self, user: User, *, full: bool = False) -> Json:
        """Return the member object; `full` adds the user and the permissions, as interactions have them."""
        base: Json = {
            "roles": [str(role) for role in self.members[user.id][1]],
            "joined_at": "2024-01-01T00:00:00+00:00",
            "deaf": False, "mute": False, "flags": 0, "nick": None, "avatar": None,
            "premium_since": None, "pending": False, "communication_disabled_until": None,
        }  # fmt: skip
        if full:
            base |= {"user": user.payload(), "permissions": str(self.permissions_of(user))}
        return base

    def payload(self) -> Json:
        """Return the guild object as GUILD_CREATE carries it."""
        return {
            "id": str(self.id), "name": self.name, "owner_id": str(self.owner.id), "icon": None,
            "splash": None,
            "discovery_splash": None, "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "emojis": [], "stickers": [],
            "features": [], "mfa_level": 0, "application_id": None, "system_channel_id": None,
            "system_channel_flags": 0, "rules_channel_id": None, "vanity_url_code": None, "description": None,
            "banner": None, "premium_tier": 0, "preferred_locale": "en-US", "public_updates_channel_id": None,
            "nsfw_level": 0, "premium_progress_bar_enabled": False, "safety_alerts_channel_id": None,
            "joined_at": now_text(), "large": False, "unavailable": False, "member_count": len(self.members),
            "roles": [role.payload() for role in self.roles.values()],
            "channels": [channel.payload() for channel in self.channels],
            "members": [], "voice_states": [], "threads": [], "presences": [], "stage_instances": [],
            "guild_scheduled_events": [], "soundboard_sounds": [],
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel of a server, or a direct message channel with one recipient."""

    id: int
    name: str = ""
    guild: Guild | None = None
    recipient: User | None = None

    def payload(self) -> Json:
        """Return the channel object."""
        if self.guild is None:
            people = [self.recipient.payload()] if self.recipient else []
            return {"id": str(self.id), "type": 1, "last_message_id": None, "recipients": people, "flags": 0}
        return {
            "id": str(self.id), "type": 0, "guild_id": str(self.guild.id), "name": self.name, "position": 0,
            "permission_overwrites": [], "topic": None, "nsfw": False, "last_message_id": None,
            "parent_id": None, "rate_limit_per_user": 0, "flags": 0,
        }  # fmt: skip


class World:
    """Every account, server and channel, with the application that the bot belongs to."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.bot = self.user("Footnote", bot=True)
        self.owner = self.user("owner")
        self.application_id = self.new_id()
        self.team: list[tuple[User, str, int]] | None = None
        """(user, role, membership state) of each member of the owning team, the team's owner first."""

    def new_id(self) -> int:
        """Return a snowflake of this moment that nothing else has."""
        return (int(time.time() * 1000) - _EPOCH_MS) << 22 | next(self._count)

    def user(self, name: str, *, bot: bool = False) -> User:
        """Make an account."""
        made = User(self.new_id(), name, bot)
        self.users[made.id] = made
        return made

    def guild(self, name: str = "server", *, owner: User | None = None) -> Guild:
        """Make a server with one channel, "general", in which the bot and the owner are members."""
        made = Guild(self.new_id(), name, owner or self.user(f"owner of {name}"))
        made.roles[made.id] = Role(made.id, "@everyone", _EVERYDAY)
        made.members = {user.id: (user, []) for user in (made.owner, self.bot)}
        self.guilds[made.id] = made
        self.channel(made)
        return made

    def channel(self, guild: Guild, name: str = "general") -> Channel:
        """Make a text channel."""
        made = Channel(self.new_id(), name, guild)
        guild.channels.append(made)
        self.channels[made.id] = made
        return made

    def role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Make a role."""
        made = Role(self.new_id(), name, permissions)
        guild.roles[made.id] = made
        return made

    def join(self, guild: Guild, user: User, *roles: Role) -> User:
        """Make the user a member with these roles."""
        guild.members[user.id] = (user, [role.id for role in roles])
        return user

    def dm(self, user: User) -> Channel:
        """Return the direct message channel between the bot and the user."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        made = Channel(self.new_id(), recipient=user)
        self.channels[made.id] = made
        return made

    def application(self) -> Json:
        """Return the application object, owned by one account or by the team."""
        base: Json = {
            "id": str(self.application_id), "name": self.bot.name, "icon": None, "description": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "00" * 32, "team": None,
            "owner": self.owner.payload(), "flags": 0, "bot": self.bot.payload(), "redirect_uris": [],
            "interactions_endpoint_url": None, "approximate_guild_count": len(self.guilds),
        }  # fmt: skip
        if self.team is None:
            return base
        team_id = str(self.new_id())
        members = [
            {
                "user": user.payload(),
                "role": role,
                "membership_state": state,
                "team_id": team_id,
                "permissions": ["*"],
            }
            for user, role, state in self.team
        ]
        owner = {**self.owner.payload(), "id": team_id, "username": f"team{team_id}"}
        team = {"id": team_id, "name": "team", "icon": None, "members": members}
        return base | {"owner": owner, "team": team | {"owner_user_id": str(self.team[0][0].id)}}
