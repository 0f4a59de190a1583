"""Messages in channels: the API that reads and writes them, and what the gateway says of them."""

from __future__ import annotations

import re
from typing import Any

from tests.wire.api import Call, Files, Handler
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT, Gateway
from tests.wire.limits import RefusedError, check
from tests.wire.recording import Log
from tests.wire.world import Channel, Json, Kind, Message, Permission, User, World

__all__ = ["Messages"]

_REPLY = 19


class Messages:
    """The routes of channels, and all that makes, changes and deletes a message."""

    def __init__(self, world: World, log: Log, gateway: Gateway) -> None:
        self.world, self.log, self.gateway = world, log, gateway
        self.typing: list[Channel] = []
        """Where "is typing" was shown, one after the other."""

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "POST /users/@me/channels": self._open_direct,
            "POST /channels/{channel}/typing": self._typing,
            "POST /channels/{channel}/messages": self._create,
            "GET /channels/{channel}/messages/{message}": self._read,
            "PATCH /channels/{channel}/messages/{message}": self._edit,
        }

    def make(
        self, channel: Channel, author: User, body: Json, files: Files | None = None, **more: Any
    ) -> Message:  # fmt: skip
        """Make a message."""
        content, users = body.get("content") or "", self.world.users
        named = map(int, re.findall(r"<@!?(\d+)>", content))
        mentions = [users[one] for one in dict.fromkeys(named) if one in users]
        made = Message(
            more.pop("id", None) or self.world.new_id(), channel, author, mentions=mentions, **more
        )
        made.flags |= body.get("flags") or 0
        made.nonce = body.get("nonce")
        self.world.messages[made.id] = made
        self._put(made, {"content": content} | body, files or [])
        return made

    def change(self, message: Message, body: Json, files: Files) -> None:
        """Change the parts of a message that an edit names.

        Raises:
            RefusedError: nothing is left.
        """
        check(body)
        self._put(message, body, files)
        message.edits += 1
        if not (message.content or message.embeds or message.attachments):
            raise RefusedError(400, 50006, "Cannot send an empty message")

    def _put(self, message: Message, body: Json, files: Files) -> None:
        """Put content into a message, and note whom that pings where it is the bot's."""
        for part in ("content", "embeds", "components"):
            if part in body:
                setattr(message, part, body[part] or type(getattr(message, part))())
        for name, data in files:
            about = {"id": str(self.world.new_id()), "filename": name, "size": len(data)}
            message.attachments.append(about | dict.fromkeys(("url", "proxy_url"), "https://cdn.example/f"))
            message.files.append(data)
        if message.author is self.world.bot:
            self.log.pings += _pinged(message.content, body.get("allowed_mentions"))

    async def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        """Tell the bot of a message; without the intent for content, only what it may see of it."""
        channel, guild = message.channel, message.channel.guild
        if message.private or not channel.bot_may & Permission.VIEW_CHANNEL:
            return
        about: Json = {"channel_type": int(channel.kind)}
        if guild is not None:
            about["guild_id"] = str(guild.id)
            if message.author.id in guild.members and not message.webhook:
                about["member"] = guild.member(message.author)
        intent = GUILD_MESSAGES if guild else DIRECT_MESSAGES
        for session in self.gateway.audience(guild.id if guild else None, intent):
            readable = bool(session.intents & MESSAGE_CONTENT) or message.is_for(self.world.bot)
            await session.dispatch(event, message.payload(readable=readable) | about)

    async def delete(self, message: Message) -> None:
        """Delete a message, and tell the bot."""
        message.deleted = True
        self.world.messages.pop(message.id, None)
        guild = message.channel.guild
        gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if not message.private:
            gone |= {"guild_id": str(guild.id)} if guild else {}
            await self.gateway.dispatch("MESSAGE_DELETE", gone, guild.id if guild else None)

    def seen(self, message: Message) -> Json:
        """Return the message as the bot gets it by HTTP and in interactions."""
        granted = bool(self.gateway.granted & MESSAGE_CONTENT)
        return message.payload(readable=granted or message.is_for(self.world.bot))

    # The API

    def _channel(self, call: Call, needed: int = 0) -> Channel:
        found = self.world.channels.get(int(call.params["channel"]))
        if found is None:
            raise RefusedError(404, 10003, "Unknown Channel", violation=False)
        if not found.bot_may & Permission.VIEW_CHANNEL:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        if needed & ~found.bot_may:
            raise RefusedError(403, 50013, "Missing Permissions", violation=False)
        return found

    def _writable(self, call: Call, needed: int = 0) -> Channel:
        channel = self._channel(call)
        thread = channel.kind is Kind.THREAD
        self._channel(call, needed | (Permission.SEND_IN_THREADS if thread else Permission.SEND_MESSAGES))
        if channel.locked:
            raise RefusedError(403, 160005, "Thread is locked", violation=False)
        return channel

    def _message(self, call: Call) -> Message:
        channel, found = self._channel(call), self.world.messages.get(int(call.params["message"]))
        if found is None or found.channel is not channel or found.private:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        return found

    async def _open_direct(self, call: Call) -> Any:
        user = self.world.users.get(int(call.body["recipient_id"]))
        if user is None:
            raise RefusedError(400, 50033, "Invalid Recipient(s)", violation=False)
        return self.world.between(user).payload()

    async def _typing(self, call: Call) -> Any:
        self.typing.append(self._writable(call))

    async def _create(self, call: Call) -> Any:
        body = call.body
        check(body)
        needed = Permission.EMBED_LINKS if body.get("embeds") else Permission(0)
        channel = self._writable(call, needed | (Permission.ATTACH_FILES if call.files else 0))
        if not (body.get("content") or body.get("embeds") or call.files):
            raise RefusedError(400, 50006, "Cannot send an empty message")
        same = (one for one in self.world.messages.values() if one.nonce and one.nonce == body.get("nonce"))
        if body.get("enforce_nonce") and (known := next(same, None)):
            return self.seen(known)
        earlier = self._replied_to(channel, body.get("message_reference"))
        made = self.make(channel, self.world.bot, body, call.files)
        if earlier is not None:
            made.reply_to, made.kind = earlier, _REPLY
            if body.get("allowed_mentions", {"replied_user": True}).get("replied_user"):
                self.log.pings.append(earlier.author.id)
        await self.announce(made)
        return self.seen(made)

    def _replied_to(self, channel: Channel, reference: Json | None) -> Message | None:
        if reference is None:
            return None
        if not channel.bot_may & Permission.READ_HISTORY:
            raise RefusedError(403, 160002, "Cannot reply without reading the history", violation=False)
        found = self.world.messages.get(int(reference["message_id"]))
        if found is None and reference.get("fail_if_not_exists", True):
            raise RefusedError(400, 50035, "message_reference: Unknown message", violation=False)
        return found

    async def _read(self, call: Call) -> Any:
        self._channel(call, Permission.READ_HISTORY)
        return self.seen(self._message(call))

    async def _edit(self, call: Call) -> Any:
        message = self._message(call)
        if message.author is not self.world.bot:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        self.change(message, call.body, call.files)
        await self.announce(message, "MESSAGE_UPDATE")
        return self.seen(message)


def _pinged(content: str, allowed: Json | None) -> list[int]:
    """Return whom a text notifies, by `allowed_mentions` as Discord reads it; 0 is everyone."""
    allowed = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    parse, found = allowed.get("parse", []), list[int]()
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        listed = {str(one) for one in allowed.get(kind) or []}
        found += [int(one) for one in re.findall(pattern, content) if kind in parse or one in listed]
    return found + [0 for one in re.findall("@everyone|@here", content) if "everyone" in parse]
