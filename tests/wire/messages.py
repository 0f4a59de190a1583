"""Every message: making, changing and deleting one, and what Discord says of it to whom."""

from __future__ import annotations

import re
from typing import Any

from tests.wire.faults import invalid_form
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT, Gateway
from tests.wire.limits import pinged
from tests.wire.permissions import VIEW_CHANNEL
from tests.wire.places import Channel, User, now_text
from tests.wire.records import Json, Log, Ping, RefusedError
from tests.wire.uploads import Upload, Uploads
from tests.wire.world import World

__all__ = ["EPHEMERAL", "REPLY", "Messages"]

EPHEMERAL = 1 << 6
REPLY, _STARTER, _MENU = 19, 21, 23
_HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


class Messages:
    """The messages by id, those that only one person sees among them."""

    def __init__(self, world: World, log: Log, gateway: Gateway) -> None:
        self.world, self.log, self.gateway = world, log, gateway
        self.uploads = Uploads()
        self.all: dict[int, Json] = {}

    def build(
        self,
        channel: Channel,
        author: User,
        body: Json,
        *,
        ephemeral: bool = False,
        files: list[Upload] | None = None,
        message_id: int | None = None,
    ) -> Json:
        """Make the message object, keep it, and return it."""
        content = body.get("content") or ""
        ids = dict.fromkeys(map(int, re.findall(r"<@!?(\d+)>", content)))
        named = [self.world.users[one] for one in ids if one in self.world.users]
        made: Json = {
            "id": str(message_id or self.world.new_id()), "channel_id": str(channel.id),
            "author": author.payload(),
            "type": 0, "content": content, "timestamp": now_text(), "edited_timestamp": None, "tts": False,
            "pinned": False,
            "mention_everyone": "@everyone" in content, "mention_roles": re.findall(r"<@&(\d+)>", content),
            "mentions": [user.payload() for user in named],
            "attachments": self.uploads.attach(body, files or [], [], self.world.new_id),
            "embeds": body.get("embeds") or [], "components": body.get("components") or [],
            "flags": EPHEMERAL if ephemeral else body.get("flags") or 0,
        }  # fmt: skip
        self.all[int(made["id"])] = made
        channel.messages += 1
        return made

    def change(self, message: Json, body: Json, files: list[Upload]) -> None:
        """Change the parts that an edit names.

        Raises:
            RefusedError: nothing would be left (50006).
        """
        attached = self.uploads.attach(body, files, message["attachments"], self.world.new_id)
        empty: Json = {"content": "", "embeds": [], "components": []}
        changed: Json = {key: body[key] or nothing for key, nothing in empty.items() if key in body}
        after = message | changed | {"attachments": attached}
        if not any(after[key] for key in (*empty, "attachments")):
            raise RefusedError(400, 50006, "Cannot send an empty message")
        message |= changed | {"attachments": attached, "edited_timestamp": now_text()}

    def told(self, message: Json) -> bool:
        """Say whether the bot may read the message without the message-content intent."""
        bot = str(self.world.bot.id)
        named = any(user["id"] == bot for user in message["mentions"])
        return named or message["author"]["id"] == bot or self.channel_of(message).guild is None

    def channel_of(self, message: Json) -> Channel:
        """Return the channel that the message is in."""
        return self.world.channels[int(message["channel_id"])]

    @property
    def content_granted(self) -> bool:
        """Whether the application may read all messages, by HTTP and in interactions."""
        return bool(self.gateway.granted & MESSAGE_CONTENT)

    def seen(self, message: Json, *, content: bool | None = None, nested: bool = True) -> Json:
        """Return the message as the bot gets it, with the message replied to (None where that is gone).

        `content` says whether all content is shown; else what the application is granted counts.
        """
        content = self.content_granted if content is None else content
        shown = dict(message) if content or self.told(message) else message | _HIDDEN
        if nested and message["type"] in {REPLY, _STARTER, _MENU}:
            earlier = self.all.get(int(message.get("message_reference", {}).get("message_id", 0)))
            shown["referenced_message"] = (
                self.seen(earlier, content=content, nested=False) if earlier else None
            )
        return shown

    def point(self, message: Json, earlier: Json, kind: int = REPLY) -> None:
        """Make the message refer to an earlier one."""
        reference = {"type": 0, "message_id": earlier["id"], "channel_id": earlier["channel_id"]}
        guild = self.channel_of(earlier).guild
        message |= {
            "type": kind,
            "message_reference": reference | ({"guild_id": str(guild.id)} if guild else {}),
        }

    async def announce(self, message: Json, event: str = "MESSAGE_CREATE") -> None:
        """Dispatch the message, without the content where the message-content intent is needed for it."""
        if message["flags"] & EPHEMERAL:
            return
        channel = self.channel_of(message)
        about: Json = {"channel_type": channel.payload()["type"]}
        if channel.guild is not None:
            about["guild_id"] = str(channel.guild.id)
            author = self.world.users[int(message["author"]["id"])]
            if author.id in channel.guild.members and "webhook_id" not in message:
                about["member"] = channel.guild.member(author)
        for session in self._audience(channel):
            content = bool(session.intents & MESSAGE_CONTENT)
            await session.dispatch(event, self.seen(message, content=content) | about)

    def _audience(self, channel: Channel) -> list[Any]:
        if not channel.bot_may & VIEW_CHANNEL:
            return []
        intent = GUILD_MESSAGES if channel.guild else DIRECT_MESSAGES
        return self.gateway.audience(channel.guild.id if channel.guild else None, intent)

    async def forget(self, message: Json) -> None:
        """Delete the message, and dispatch that."""
        self.all.pop(int(message["id"]), None)
        if message["flags"] & EPHEMERAL:
            return
        channel = self.channel_of(message)
        gone = {"id": message["id"], "channel_id": message["channel_id"]}
        for session in self._audience(channel):
            await session.dispatch(
                "MESSAGE_DELETE", gone | ({"guild_id": str(channel.guild.id)} if channel.guild else {})
            )

    def note_pings(
        self, message: Json, body: Json, replied_to: User | None = None, *, response: bool = False
    ) -> None:
        """Record whom the message notifies."""
        self.log.pings += [Ping(message["id"], whom) for whom in pinged(body, replied_to, response=response)]

    def replied_to(self, channel: Channel, reference: Json) -> Json | None:
        """Return the message that a new one replies to; None where it is gone and that may be.

        Raises:
            RefusedError: it is gone, or no message that can be replied to.
        """
        found = self.all.get(int(reference["message_id"]))
        if found is None or found["channel_id"] != str(channel.id) or found["flags"] & EPHEMERAL:
            if not reference.get("fail_if_not_exists", True):
                return None
            fault = ("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            raise invalid_form([fault], violation=False)
        if found["type"] not in {0, REPLY, 20, _MENU}:
            fault = (
                "message_reference",
                "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE",
                "Cannot reply to a system message",
            )
            raise invalid_form([fault])
        return found
