"""Messages in channels: the routes that read and write them, and their gateway events."""

from __future__ import annotations

import re
from typing import Any

from tests.wire.api import Call, Files, Handler, RefusedError, check
from tests.wire.entities import Channel, Json, Kind, Message, Permission, User
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT, Gateway
from tests.wire.recording import Log
from tests.wire.world import World

__all__ = ["Messages"]

_REPLY = 19


class Messages:
    """Makes, changes and deletes messages; handles the routes of channels."""

    def __init__(self, world: World, log: Log, gateway: Gateway) -> None:
        self.world, self.log, self.gateway = world, log, gateway
        self.typing: list[Channel] = []
        """The channels in which "is typing" was shown, in order."""
        self.refused: dict[str, tuple[int, int]] = {}
        """Parts of a message, such as "embeds", that are refused: with a status and a code."""

    def routes(self) -> dict[str, Handler]:
        return {
            "POST /users/@me/channels": self._open_direct,
            "POST /channels/{channel}/typing": self._typing,
            "POST /channels/{channel}/messages": self._create,
            "GET /channels/{channel}/messages/{message}": self._read,
            "PATCH /channels/{channel}/messages/{message}": self._edit,
        }

    def make(
        self, channel: Channel, author: User, body: Json, files: Files | None = None, *,
        message_id: int | None = None, **attributes: Any,
    ) -> Message:  # fmt: skip
        content, users = body.get("content") or "", self.world.users
        mentioned = map(int, re.findall(r"<@!?(\d+)>", content))
        mentions = [users[user_id] for user_id in dict.fromkeys(mentioned) if user_id in users]
        message = Message(message_id or self.world.new_id(), channel, author, mentions=mentions, **attributes)
        message.flags |= body.get("flags") or 0
        message.nonce = body.get("nonce")
        self.world.messages[message.id] = message
        self._fill(message, {"content": content} | body, files or [])
        return message

    def check(self, body: Json) -> None:
        """Check a message against the limits, and for parts that are refused.

        Raises:
            RefusedError: it is refused.
        """
        check(body)
        for part, (status, code) in self.refused.items():
            if body.get(part):
                raise RefusedError(status, code, f"In {part}: refused", violation=False)

    async def change(self, message: Message, call: Call) -> Json:
        """Change the parts of a message that an edit names, and return it.

        Raises:
            RefusedError: a limit is exceeded.
        """
        self.check(call.body)
        self._fill(message, call.body, call.files)
        message.edits += 1
        await self.announce(message, "MESSAGE_UPDATE")
        return self.payload(message)

    def _fill(self, message: Message, body: Json, files: Files) -> None:
        """Set the content of a message; if it is the bot's, record whom that pings."""
        for part in ("content", "embeds", "components"):
            if part in body:
                setattr(message, part, body[part] or type(getattr(message, part))())
        for name, data in files:
            attachment = {"id": str(self.world.new_id()), "filename": name, "size": len(data)}
            attachment |= dict.fromkeys(("url", "proxy_url"), "https://cdn.example/f")
            message.attachments.append(attachment)
            message.files.append(data)
        if message.author is self.world.bot:
            self.log.pings += _pinged(message.content, body.get("allowed_mentions"))

    async def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        """Send the event of a message to the bot, without what its intents do not let it see."""
        channel, guild = message.channel, message.channel.guild
        if message.private or not channel.bot_permissions & Permission.VIEW_CHANNEL:
            return
        extra: Json = {"channel_type": int(channel.kind)}
        if guild is not None:
            extra["guild_id"] = str(guild.id)
            if message.author.id in guild.members and not message.webhook:
                extra["member"] = guild.member(message.author)
        intent = GUILD_MESSAGES if guild else DIRECT_MESSAGES
        for session in self.gateway.audience(guild.id if guild else None, intent):
            readable = bool(session.intents & MESSAGE_CONTENT) or message.readable_by(self.world.bot)
            await session.dispatch(event, message.payload(readable=readable) | extra)

    async def delete(self, message: Message) -> None:
        message.deleted = True
        self.world.messages.pop(message.id, None)
        if not message.private:
            guild = message.channel.guild
            event = {"id": str(message.id), "channel_id": str(message.channel.id)}
            event |= {"guild_id": str(guild.id)} if guild else {}
            await self.gateway.dispatch("MESSAGE_DELETE", event, guild.id if guild else None)

    def payload(self, message: Message) -> Json:
        """Return a message as the bot gets it by HTTP and in interactions."""
        granted = bool(self.gateway.granted & MESSAGE_CONTENT)
        return message.payload(readable=granted or message.readable_by(self.world.bot))

    def _channel(self, call: Call, needed: int = 0) -> Channel:
        channel = self.world.channels.get(int(call.params["channel"]))
        if channel is None:
            raise RefusedError(404, 10003, "Unknown Channel", violation=False)
        if not channel.bot_permissions & Permission.VIEW_CHANNEL:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        if needed & ~channel.bot_permissions:
            raise RefusedError(403, 50013, "Missing Permissions", violation=False)
        return channel

    def _writable(self, call: Call, needed: int = 0) -> Channel:
        thread = self._channel(call).kind is Kind.THREAD
        needed |= Permission.SEND_IN_THREADS if thread else Permission.SEND_MESSAGES
        channel = self._channel(call, needed)
        if channel.locked:
            raise RefusedError(403, 160005, "Thread is locked", violation=False)
        return channel

    def _message(self, call: Call) -> Message:
        channel, message = self._channel(call), self.world.messages.get(int(call.params["message"]))
        if message is None or message.channel is not channel or message.private:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        return message

    async def _open_direct(self, call: Call) -> Any:
        user = self.world.users.get(int(call.body["recipient_id"]))
        if user is None:
            raise RefusedError(400, 50033, "Invalid Recipient(s)", violation=False)
        return self.world.direct(user).payload()

    async def _typing(self, call: Call) -> Any:
        self.typing.append(self._writable(call))

    async def _create(self, call: Call) -> Any:
        body = call.body
        self.check(body)
        needed = Permission.EMBED_LINKS if body.get("embeds") else Permission(0)
        channel = self._writable(call, needed | (Permission.ATTACH_FILES if call.files else 0))
        if not (body.get("content") or body.get("embeds") or call.files):
            raise RefusedError(400, 50006, "Cannot send an empty message")
        if body.get("enforce_nonce"):
            for earlier in self.world.messages.values():
                if earlier.nonce and earlier.nonce == body.get("nonce"):
                    return self.payload(earlier)
        original = self._referenced(channel, body.get("message_reference"))
        message = self.make(channel, self.world.bot, body, call.files)
        if original is not None:
            message.reply_to, message.kind = original, _REPLY
            if body.get("allowed_mentions", {"replied_user": True}).get("replied_user"):
                self.log.pings.append(original.author.id)
        await self.announce(message)
        return self.payload(message)

    def _referenced(self, channel: Channel, reference: Json | None) -> Message | None:
        if reference is None:
            return None
        if not channel.bot_permissions & Permission.READ_HISTORY:
            raise RefusedError(403, 160002, "Cannot reply without reading the history", violation=False)
        original = self.world.messages.get(int(reference["message_id"]))
        if original is None and reference.get("fail_if_not_exists", True):
            raise RefusedError(400, 50035, "message_reference: Unknown message", violation=False)
        return original

    async def _read(self, call: Call) -> Any:
        self._channel(call, Permission.READ_HISTORY)
        return self.payload(self._message(call))

    async def _edit(self, call: Call) -> Any:
        return await self.change(self._message(call), call)


def _pinged(content: str, allowed: Json | None) -> list[int]:
    """Return the ids that a text notifies, given `allowed_mentions`; 0 is everyone."""
    allowed = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    parse, ids = allowed.get("parse", []), list[int]()
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        listed = {str(listed_id) for listed_id in allowed.get(kind) or []}
        mentioned = re.findall(pattern, content)
        ids += [int(user_id) for user_id in mentioned if kind in parse or user_id in listed]
    return ids + [0 for _ in re.findall("@everyone|@here", content) if "everyone" in parse]
