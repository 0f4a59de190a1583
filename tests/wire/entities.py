"""Users, servers, channels and messages of the loopback Discord, with their API payloads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Any

from tests.wire.renderer import Shown, render

__all__ = ["LOADING", "Channel", "Guild", "Json", "Kind", "Message", "Permission", "Role", "User"]

Json = dict[str, Any]

_EPHEMERAL, LOADING = 1 << 6, 1 << 7
"""Message flags: only one user sees it; it still shows "is thinking"."""


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


_WITHOUT_MEMBERSHIP = Permission.EMBED_LINKS | Permission.ATTACH_FILES
"""What the bot may do in a response where it is not a member."""


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
        """The text that mentions the account."""
        return f"<@{self.id}>"

    def payload(self) -> Json:
        payload = {"id": str(self.id), "username": self.name, "bot": self.bot}
        return payload | {"discriminator": "0", "global_name": None, "avatar": None}


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server."""

    id: int
    name: str
    permissions: int = 0

    def payload(self) -> Json:
        permissions = str(int(self.permissions))
        return {"id": str(self.id), "name": self.name, "permissions": permissions, "position": 0}


@dataclass(slots=True, eq=False)
class Guild:
    """A server; `bot` is None if only some of its members have installed the application."""

    id: int
    name: str
    owner: User
    bot: User | None
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[User, tuple[Role, ...]]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)

    def permissions(self, user: User) -> int:
        """Return a member's permissions in the server as a whole."""
        granted = self.roles[self.id].permissions
        for role in self.members[user.id][1]:
            granted |= role.permissions
        return Permission.ALL if user is self.owner or granted & Permission.ADMINISTRATOR else granted

    def member(self, user: User) -> Json:
        roles = [str(role.id) for role in self.members[user.id][1]]
        payload = {"user": user.payload(), "roles": roles, "permissions": str(int(self.permissions(user)))}
        return payload | {"joined_at": "2024-01-01T00:00:00+00:00", "flags": 0}

    def payload(self) -> Json:
        """Return the guild object; without the intent for members, the bot is the only one listed."""
        threads = [channel for channel in self.channels if channel.kind is Kind.THREAD]
        return {
            "id": str(self.id), "name": self.name, "owner_id": str(self.owner.id), "icon": None,
            "preferred_locale": self.locale, "member_count": len(self.members),
            "roles": [role.payload() for role in self.roles.values()],
            "channels": [channel.payload() for channel in self.channels if channel not in threads],
            "threads": [thread.payload() for thread in threads], "presences": [], "voice_states": [],
            "members": [self.member(self.bot)] if self.bot else [], "emojis": [], "stickers": [],
            "features": [],
        }  # fmt: skip


@dataclass(slots=True, eq=False)
class Channel:
    """A channel or thread of a server, a user's direct messages with the bot, or a group DM of users."""

    id: int
    name: str = ""
    kind: Kind = Kind.TEXT
    guild: Guild | None = None
    recipients: tuple[User, ...] = ()
    """In direct messages and groups: everyone but the bot."""
    parent: Channel | None = None
    owner: User | None = None
    denied: int = 0
    """Permissions that the bot lacks here."""
    locked: bool = False

    @property
    def bot_permissions(self) -> int:
        """The bot's permissions as a member."""
        if self.guild is None or self.guild.bot is None:
            return Permission.ALL if self.kind is Kind.DIRECT else 0
        granted = self.guild.permissions(self.guild.bot) & ~(self.parent or self).denied
        return granted if granted & Permission.VIEW_CHANNEL else 0

    @property
    def app_permissions(self) -> int:
        """The bot's permissions when it responds to an interaction."""
        return self.bot_permissions if self.guild is not None and self.guild.bot else _WITHOUT_MEMBERSHIP

    @property
    def context(self) -> int:
        """The context of interactions: 0 a server, 1 direct messages with the bot, 2 a group."""
        return 0 if self.guild else 1 if self.kind is Kind.DIRECT else 2

    def payload(self) -> Json:
        payload: Json = {"id": str(self.id), "type": int(self.kind), "name": self.name, "flags": 0}
        if self.guild is None:
            return payload | {"recipients": [user.payload() for user in self.recipients]}
        parent = str(self.parent.id) if self.parent else None
        payload |= {"guild_id": str(self.guild.id), "parent_id": parent, "position": 0}
        if self.kind is Kind.THREAD:
            state = {"archived": False, "locked": self.locked, "auto_archive_duration": 1440}
            owner = str(self.owner.id) if self.owner else "0"
            payload |= {"owner_id": owner, "member_count": 1, "message_count": 0}
            return payload | {"thread_metadata": state | {"archive_timestamp": _now()}}
        bot = str(self.guild.bot.id if self.guild.bot else 0)
        denied = {"id": bot, "type": 1, "allow": "0", "deny": str(int(self.denied))}
        return payload | {"permission_overwrites": [denied], "available_tags": []}


@dataclass(slots=True, eq=False)
class Message:
    """A message as it is now; the properties describe what people see of it."""

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
    """Metadata of the interaction that the message responds to, if any."""
    webhook: bool = False
    nonce: Any = None
    edits: int = 0
    deleted: bool = False

    @property
    def private(self) -> bool:
        return bool(self.flags & _EPHEMERAL)

    @property
    def title(self) -> str:
        """The title of the embed; without an embed, the first line of the text, without its bold marks."""
        return str(self.embeds[0].get("title")) if self.embeds else self.content.split("\n")[0].strip("*")

    @property
    def text(self) -> str:
        """The description of the embed; without an embed, the text."""
        return str(self.embeds[0].get("description", "")) if self.embeds else self.content

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the embed: values by name."""
        fields = self.embeds[0].get("fields", []) if self.embeds else []
        return {field["name"]: field["value"] for field in fields}

    @property
    def shown(self) -> Shown:
        """`text` as Discord's client renders it."""
        return render(self.text)

    @property
    def every_part(self) -> list[Shown]:
        """Everything that may contain Markdown, rendered: content, description, fields."""
        return [render(part) for part in (self.content, self.text, *self.fields.values())]

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons by label, in order."""
        rows = [row.get("components", []) for row in self.components]
        return {button.get("label", ""): button for row in rows for button in row}

    def readable_by(self, user: User) -> bool:
        """Return whether a bot may read it without the message-content intent.

        The ping of a reply counts as a mention, but not of a reply to a response to an interaction.
        """
        is_only_pinged = self.reply_to and self.reply_to.interaction and user.mention not in self.content
        mentioned = user in self.mentions and not is_only_pinged
        return mentioned or self.author is user or self.channel.guild is None

    def payload(self, *, readable: bool = True, nested: bool = True) -> Json:
        """Return the message object; unless `readable`, without what the message-content intent guards."""
        payload: Json = {
            "content": self.content, "embeds": self.embeds, "attachments": self.attachments,
            "components": self.components,
        }  # fmt: skip
        if not readable:
            payload = {key: type(value)() for key, value in payload.items()}
        payload |= {
            "id": str(self.id), "channel_id": str(self.channel.id), "author": self.author.payload(),
            "type": self.kind, "timestamp": _now(), "edited_timestamp": _now() if self.edits else None,
            "mentions": [user.payload() for user in self.mentions], "mention_roles": [], "flags": self.flags,
            "mention_everyone": "@everyone" in self.content, "tts": False, "pinned": False,
        }  # fmt: skip
        payload |= {"webhook_id": "1"} if self.webhook else {}
        payload |= {"interaction_metadata": self.interaction} if self.interaction else {}
        if (earlier := self.reply_to) is not None:
            where = {"message_id": str(earlier.id), "channel_id": str(earlier.channel.id)}
            payload["message_reference"] = where
            if nested:
                readable = readable and (earlier.readable_by(self.author) or not self.author.bot)
                original = None if earlier.deleted else earlier.payload(readable=readable, nested=False)
                payload["referenced_message"] = original
        return payload


def _now() -> str:
    return datetime.now(UTC).isoformat()
