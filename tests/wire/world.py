"""Accounts, servers, channels and messages of the loopback Discord, with their payloads."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Any

from tests.wire.renderer import Shown, render

__all__ = [
    "EPHEMERAL", "LOADING", "Channel", "Guild", "Json", "Kind", "Message", "Permission", "Role", "User",
    "World",
]  # fmt: skip

Json = dict[str, Any]

EPHEMERAL, LOADING = 1 << 6, 1 << 7
"""Flags of a message: one person alone sees it; it still says "is thinking"."""


class Permission(IntFlag):
    """The permissions that matter to the bot."""

    ADMINISTRATOR = 1 << 3
    MANAGE_SERVER = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_HISTORY = 1 << 16
    USE_COMMANDS = 1 << 31
    SEND_IN_THREADS = 1 << 38
    ALL = (1 << 53) - 1


_ON_TOP = Permission.ADMINISTRATOR | Permission.MANAGE_SERVER
_EVERYONE = sum(one for one in Permission if not one & _ON_TOP)
_OUTSIDE = Permission.EMBED_LINKS | Permission.ATTACH_FILES
"""What the bot may do in response to an interaction where it is no member."""


class Kind(IntEnum):
    """The type of a channel."""

    TEXT = 0
    DIRECT = 1
    GROUP = 3
    CATEGORY = 4
    THREAD = 11
    FORUM = 15


@dataclass(slots=True, eq=False)
class User:
    """An account; `locale` is the language of its client."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"

    @property
    def mention(self) -> str:
        """What is typed to mention the account."""
        return f"<@{self.id}>"

    def payload(self) -> Json:
        """Return the user object."""
        about = {"id": str(self.id), "username": self.name, "bot": self.bot}
        return about | {"discriminator": "0", "global_name": None, "avatar": None}


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server."""

    id: int
    name: str
    permissions: int = 0

    def payload(self) -> Json:
        """Return the role object."""
        permissions = str(int(self.permissions))
        return {"id": str(self.id), "name": self.name, "permissions": permissions, "position": 0}


@dataclass(slots=True, eq=False)
class Guild:
    """A server; `bot` is None where only people have installed the application."""

    id: int
    name: str
    owner: User
    bot: User | None
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[User, tuple[Role, ...]]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)

    def permissions(self, user: User) -> int:
        """Return what the member may do in the server as a whole."""
        given = self.roles[self.id].permissions
        for role in self.members[user.id][1]:
            given |= role.permissions
        return Permission.ALL if user is self.owner or given & Permission.ADMINISTRATOR else given

    def member(self, user: User) -> Json:
        """Return the member object."""
        roles = [str(role.id) for role in self.members[user.id][1]]
        about = {"user": user.payload(), "roles": roles, "permissions": str(int(self.permissions(user)))}
        return about | {"joined_at": "2024-01-01T00:00:00+00:00", "flags": 0}

    def payload(self) -> Json:
        """Return the guild object; without the intent for members it has the bot alone."""
        threads = [one for one in self.channels if one.kind is Kind.THREAD]
        return {
            "id": str(self.id), "name": self.name, "owner_id": str(self.owner.id), "icon": None,
            "preferred_locale": self.locale, "member_count": len(self.members),
            "roles": [role.payload() for role in self.roles.values()],
            "channels": [one.payload() for one in self.channels if one not in threads],
            "threads": [one.payload() for one in threads], "presences": [], "voice_states": [],
            "members": [self.member(self.bot)] if self.bot else [], "emojis": [], "stickers": [],
            "features": [],
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Channel:
    """A channel or thread of a server, somebody's direct messages with the bot, or a group of people."""

    id: int
    name: str = ""
    kind: Kind = Kind.TEXT
    guild: Guild | None = None
    people: tuple[User, ...] = ()
    """Of direct messages and groups: who is in it, besides the bot."""
    parent: Channel | None = None
    owner: User | None = None
    denied: int = 0
    """The permissions that the bot lacks here."""
    locked: bool = False

    @property
    def bot_may(self) -> int:
        """What the bot may do here."""
        if self.guild is None or self.guild.bot is None:
            return Permission.ALL if self.kind is Kind.DIRECT else 0
        given = self.guild.permissions(self.guild.bot) & ~(self.parent or self).denied
        return given if given & Permission.VIEW_CHANNEL else 0

    @property
    def app_permissions(self) -> int:
        """What the bot may do here in response to an interaction."""
        return self.bot_may if self.guild is not None and self.guild.bot else _OUTSIDE

    @property
    def context(self) -> int:
        """Where interactions take place: 0 a server, 1 direct messages with the bot, 2 a group."""
        return 0 if self.guild else 1 if self.kind is Kind.DIRECT else 2

    def payload(self) -> Json:
        """Return the channel object."""
        base: Json = {"id": str(self.id), "type": int(self.kind), "name": self.name, "flags": 0}
        if self.guild is None:
            return base | {"recipients": [one.payload() for one in self.people]}
        parent = str(self.parent.id) if self.parent else None
        base |= {"guild_id": str(self.guild.id), "parent_id": parent, "position": 0}
        if self.kind is Kind.THREAD:
            state = {"archived": False, "locked": self.locked, "auto_archive_duration": 1440}
            owner = str(self.owner.id) if self.owner else "0"
            about = {"owner_id": owner, "member_count": 1, "message_count": 0}
            return base | about | {"thread_metadata": state | {"archive_timestamp": _now()}}
        bot = str(self.guild.bot.id if self.guild.bot else 0)
        denied = {"id": bot, "type": 1, "allow": "0", "deny": str(int(self.denied))}
        return base | {"permission_overwrites": [denied], "available_tags": []}


@dataclass(slots=True, eq=False)
class Message:
    """A message as it stands now; the properties are what a person sees of it."""

    id: int
    channel: Channel
    author: User
    content: str = ""
    kind: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    flags: int = 0
    mentions: list[User] = field(default_factory=list)
    reply_to: Message | None = None
    interaction: Json | None = None
    """Of a response: the metadata of the interaction that it responds to."""
    webhook: bool = False
    nonce: Any = None
    edits: int = 0
    deleted: bool = False

    @property
    def private(self) -> bool:
        """Whether one person alone sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def title(self) -> str:
        """The title of the embed, else the first line of the text without its marks of bold."""
        return str(self.embeds[0].get("title")) if self.embeds else self.content.split("\n")[0].strip("*")

    @property
    def text(self) -> str:
        """The description of the embed, else the text."""
        return str(self.embeds[0].get("description", "")) if self.embeds else self.content

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the embed, values by names."""
        return {one["name"]: one["value"] for one in self.embeds[0].get("fields", [])} if self.embeds else {}

    @property
    def shown(self) -> Shown:
        """What Discord's client makes of `text`."""
        return render(self.text)

    @property
    def every_part(self) -> list[Shown]:
        """What Discord's client makes of everything in which Markdown counts."""
        return [render(one) for one in (self.content, self.text, *self.fields.values())]

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons by their labels, in order."""
        return {one.get("label", ""): one for row in self.components for one in row.get("components", [])}

    def is_for(self, user: User) -> bool:
        """Say whether a bot may read it without the message-content intent."""
        return user in self.mentions or self.author is user or self.channel.guild is None

    def payload(self, *, readable: bool = True, nested: bool = True) -> Json:
        """Return the message object; unless `readable`, without what the message-content intent is for."""
        shown: Json = {
            "content": self.content, "embeds": self.embeds, "attachments": self.attachments,
            "components": self.components,
        }  # fmt: skip
        if not readable:
            shown = {key: type(value)() for key, value in shown.items()}
        shown |= {
            "id": str(self.id), "channel_id": str(self.channel.id), "author": self.author.payload(),
            "type": self.kind, "timestamp": _now(), "edited_timestamp": _now() if self.edits else None,
            "mentions": [one.payload() for one in self.mentions], "mention_roles": [], "flags": self.flags,
            "mention_everyone": "@everyone" in self.content, "tts": False, "pinned": False,
        }  # fmt: skip
        shown |= {"webhook_id": "1"} if self.webhook else {}
        shown |= {"interaction_metadata": self.interaction} if self.interaction else {}
        if (earlier := self.reply_to) is not None:
            place = {"message_id": str(earlier.id), "channel_id": str(earlier.channel.id)}
            shown["message_reference"] = place
            if nested:
                readable = readable and (earlier.is_for(self.author) or not self.author.bot)
                there = None if earlier.deleted else earlier.payload(readable=readable, nested=False)
                shown["referenced_message"] = there
        return shown


class World:
    """Everything that there is, by id, and the application that the bot belongs to."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.bot = self.user("Footnote", bot=True)
        self.owner = self.user("owner")
        self.application_id = self.new_id()
        self.application_flags = 0
        self.team: list[tuple[User, str, int]] = []
        """(account, role, membership state) of each member of the owning team, where there is one."""

    def new_id(self) -> int:
        """Return a snowflake of this moment that nothing else has."""
        return (int(time.time() * 1000) - 1_420_070_400_000) << 22 | next(self._count)

    def user(self, name: str, **more: Any) -> User:
        """Make an account."""
        made = User(self.new_id(), name, **more)
        self.users[made.id] = made
        return made

    def guild(
        self, name: str = "server", owner: User | None = None, *, bot: bool = True, **more: Any
    ) -> Guild:
        """Make a server with the channel "general"; its events go to the `shard` of so many `shards`."""
        shard, shards = more.pop("shard", 0), more.pop("shards", 1)
        guild_id = self.new_id()
        while (guild_id >> 22) % shards != shard:
            guild_id += 1 << 22
        made = Guild(guild_id, name, owner or self.user("owner"), self.bot if bot else None, **more)
        made.roles[made.id] = Role(made.id, "@everyone", _EVERYONE)
        made.members = {one.id: (one, ()) for one in (made.owner, made.bot) if one}
        self.guilds[made.id] = made
        self.channel(made)
        return made

    def channel(self, guild: Guild, name: str = "general", kind: Kind = Kind.TEXT, **more: Any) -> Channel:
        """Make a channel of a server."""
        made = Channel(more.pop("id", None) or self.new_id(), name, kind, guild, **more)
        guild.channels.append(made)
        self.channels[made.id] = made
        return made

    def role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Make a role."""
        made = Role(self.new_id(), name, permissions)
        guild.roles[made.id] = made
        return made

    def join(self, guild: Guild, user: User, *roles: Role) -> User:
        """Make the account a member with these roles."""
        guild.members[user.id] = (user, roles)
        return user

    def between(self, *people: User) -> Channel:
        """Return somebody's direct messages with the bot, or a group of people in which the bot is not."""
        for one in self.channels.values():
            if one.people == people:
                return one
        made = Channel(self.new_id(), kind=Kind.DIRECT if len(people) == 1 else Kind.GROUP, people=people)
        self.channels[made.id] = made
        return made

    def application(self) -> Json:
        """Return the application object, owned by one account or by the team."""
        members = [
            {
                "user": user.payload(),
                "role": role,
                "membership_state": state,
                "team_id": "1",
                "permissions": [],
            }
            for user, role, state in self.team
        ]
        team = {"id": "1", "name": "team", "icon": None, "members": members}
        return {
            "id": str(self.application_id), "name": self.bot.name, "icon": None, "description": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "00" * 32,
            "owner": self.owner.payload(), "flags": self.application_flags, "bot": self.bot.payload(),
            "team": team | {"owner_user_id": str(self.team[0][0].id)} if self.team else None,
        }  # fmt: skip


def _now() -> str:
    """Return the time as Discord writes it."""
    return datetime.now(UTC).isoformat()
