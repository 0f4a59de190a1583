"""Accounts, roles, servers and channels, and their payloads as Discord documents them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.wire import permissions
from tests.wire.permissions import Overwrite
from tests.wire.records import Json

__all__ = ["DM", "FORUM", "GROUP", "TEXT", "THREAD", "Channel", "Guild", "Role", "User", "now_text"]

TEXT, DM, GROUP, THREAD, FORUM = 0, 1, 3, 11, 15


def now_text() -> str:
    """Return the time as Discord writes it."""
    return datetime.now(UTC).isoformat()


@dataclass(slots=True, eq=False)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    """The language of the person's client."""

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
    """A server, with the roles that each member holds; `bot` is None where only people installed the app."""

    id: int
    name: str
    owner: User
    bot: User | None = None
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[User, list[int]]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    threads: list[Channel] = field(default_factory=list)

    def permissions_of(self, user: User, channel: Channel | None = None) -> int:
        """Return what the member may do in the server, or in one channel of it."""
        held, roles = self.roles[self.id].permissions, self.members[user.id][1]
        for role in roles:
            held |= self.roles[role].permissions
        if user is self.owner or held & permissions.ADMINISTRATOR:
            return permissions.ALL
        if channel is None:
            return held
        overwrites = (channel.parent or channel).overwrites
        return permissions.with_overwrites(held, overwrites, self.id, roles, user.id)

    def member(self, user: User, *, full: bool = False, channel: Channel | None = None) -> Json:
        """Return the member object; `full` adds the user and the permissions, as interactions have them."""
        base: Json = {
            "roles": [str(role) for role in self.members[user.id][1]],
            "joined_at": "2024-01-01T00:00:00+00:00",
            "deaf": False, "mute": False, "flags": 0, "nick": None, "avatar": None,
            "premium_since": None, "pending": False, "communication_disabled_until": None,
        }  # fmt: skip
        if full:
            base |= {"user": user.payload(), "permissions": str(self.permissions_of(user, channel))}
        return base

    def payload(self) -> Json:
        """Return the guild object as GUILD_CREATE has it; of the members, without intents, only the bot."""
        bot = [self.member(self.bot) | {"user": self.bot.payload()}] if self.bot else []
        threads = [one for one in self.threads if not one.archived]
        return {
            "id": str(self.id), "name": self.name, "owner_id": str(self.owner.id), "icon": None,
            "splash": None,
            "discovery_splash": None, "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "emojis": [], "stickers": [],
            "features": [], "mfa_level": 0, "application_id": None, "system_channel_id": None,
            "system_channel_flags": 0, "rules_channel_id": None, "vanity_url_code": None, "description": None,
            "banner": None, "premium_tier": 0, "preferred_locale": self.locale,
            "public_updates_channel_id": None,
            "nsfw_level": 0, "premium_progress_bar_enabled": False, "safety_alerts_channel_id": None,
            "joined_at": now_text(), "large": False, "unavailable": False, "member_count": len(self.members),
            "roles": [role.payload() for role in self.roles.values()],
            "channels": [channel.payload() for channel in self.channels],
            "members": bot, "voice_states": [], "threads": [one.payload() for one in threads],
            "presences": [], "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, forum or thread of a server, a direct message channel, or a group of people."""

    id: int
    name: str = ""
    guild: Guild | None = None
    recipient: User | None = None
    kind: int = TEXT
    parent: Channel | None = None
    """Of a thread: the channel or forum that it is in."""
    owner: User | None = None
    """Of a thread: who made it."""
    people: list[User] = field(default_factory=list)
    """Of a group: who is in it."""
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    messages: int = 0
    """Of a thread: how many messages are in it."""

    @property
    def denied(self) -> int:
        """What this channel takes from the bot."""
        found = self.overwrites.get(self._bot.id)
        return found.denied if found else 0

    @denied.setter
    def denied(self, bits: int) -> None:
        self.overwrites[self._bot.id] = Overwrite(member=True, denied=bits)

    @property
    def _bot(self) -> User:
        assert self.guild is not None, "only channels of servers have overwrites"
        assert self.guild.bot is not None, f"the bot is not in {self.guild.name}"
        return self.guild.bot

    @property
    def bot_may(self) -> int:
        """What the bot may do here; everything in direct messages, nothing where it is not."""
        if self.guild is None:
            return 0 if self.kind == GROUP else permissions.ALL
        return self.guild.permissions_of(self.guild.bot, self) if self.guild.bot else 0

    def app_permissions(self, user: User) -> int:
        """Return what the application may do here when the person uses it."""
        if self.guild is None:
            return permissions.OF_RESPONSES if self.kind == GROUP else permissions.OF_DIRECT_MESSAGES
        if self.guild.bot is not None:
            return self.bot_may
        return permissions.OF_RESPONSES & self.guild.permissions_of(user, self)

    def payload(self) -> Json:
        """Return the channel object."""
        if self.guild is None:
            people = self.people if self.kind == GROUP else [self.recipient] if self.recipient else []
            return {
                "id": str(self.id), "type": GROUP if self.kind == GROUP else DM, "last_message_id": None,
                "recipients": [one.payload() for one in people], "flags": 0, "name": self.name or None,
            }  # fmt: skip
        base: Json = {
            "id": str(self.id), "type": self.kind, "guild_id": str(self.guild.id), "name": self.name,
            "parent_id": str(self.parent.id) if self.parent else None, "last_message_id": None,
            "rate_limit_per_user": 0, "flags": 0,
        }  # fmt: skip
        if self.kind == THREAD:
            assert self.owner is not None
            about = {
                "archived": self.archived, "locked": self.locked, "auto_archive_duration": 1440,
                "archive_timestamp": now_text(), "create_timestamp": now_text(),
            }  # fmt: skip
            return base | {
                "owner_id": str(self.owner.id), "thread_metadata": about, "member_count": 1,
                "message_count": self.messages, "total_message_sent": self.messages,
            }  # fmt: skip
        forum: Json = {"available_tags": [], "default_reaction_emoji": None, "default_forum_layout": 0}
        return base | (forum if self.kind == FORUM else {}) | {
            "position": 0, "topic": None, "nsfw": False,
            "permission_overwrites": [one.payload(whom) for whom, one in self.overwrites.items()],
        }  # fmt: skip
