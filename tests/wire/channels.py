"""The HTTP API about accounts, servers, channels and messages, and what Discord says of a message to whom."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT, Gateway
from tests.wire.limits import check_message, invalid_form, pinged
from tests.wire.records import Json, Log, Ping, RefusedError
from tests.wire.world import Channel, User, World, now_text

__all__ = ["Channels"]

_EPHEMERAL = 1 << 6


class Channels:
    """Messages, and the routes that read and write them."""

    def __init__(self, world: World, log: Log, gateway: Gateway) -> None:
        self.world, self.log, self.gateway = world, log, gateway
        self.messages: dict[int, Json] = {}
        self.typing: list[int] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's base."""
        message = "/channels/{channel}/messages/{message}"
        return [
            web.get("/users/@me", self._me),
            web.post("/users/@me/channels", self._open_dm),
            web.get("/oauth2/applications/@me", self._application),
            web.get("/applications/@me", self._application),
            web.get("/guilds/{guild}", self._guild),
            web.get("/guilds/{guild}/members/{user}", self._member),
            web.get("/channels/{channel}", self._channel),
            web.post("/channels/{channel}/typing", self._typing),
            web.post("/channels/{channel}/messages", self._create),
            web.get(message, self._read),
            web.patch(message, self._edit),
            web.delete(message, self._delete),
        ]

    def build(self, channel: Channel, author: User, body: Json, *, ephemeral: bool = False) -> Json:
        """Make the message object, keep it, and return it."""
        content = body.get("content") or ""
        ids = dict.fromkeys(map(int, re.findall(r"<@!?(\d+)>", content)))
        named = [self.world.users[one] for one in ids if one in self.world.users]
        made: Json = {
            "id": str(self.world.new_id()), "channel_id": str(channel.id), "author": author.payload(),
            "type": 0, "content": content, "timestamp": now_text(), "edited_timestamp": None, "tts": False,
            "pinned": False,
            "mention_everyone": "@everyone" in content, "mention_roles": re.findall(r"<@&(\d+)>", content),
            "mentions": [user.payload() for user in named], "attachments": [],
            "embeds": body.get("embeds") or [], "components": body.get("components") or [],
            "flags": _EPHEMERAL if ephemeral else body.get("flags", 0),
        }  # fmt: skip
        self.messages[int(made["id"])] = made
        return made

    async def announce(self, message: Json) -> None:
        """Dispatch MESSAGE_CREATE, without the content where the message-content intent is needed for it."""
        channel = self.world.channels[int(message["channel_id"])]
        event = dict(message)
        if channel.guild is not None:
            event["guild_id"] = str(channel.guild.id)
            author = self.world.users[int(message["author"]["id"])]
            if author.id in channel.guild.members:
                event["member"] = channel.guild.member(author)
        bot = str(self.world.bot.id)
        told = message["author"]["id"] == bot or any(user["id"] == bot for user in message["mentions"])
        for session in self.gateway.sessions:
            intent = GUILD_MESSAGES if channel.guild else DIRECT_MESSAGES
            if not session.intents & intent:
                continue
            blank = channel.guild and not told and not session.intents & MESSAGE_CONTENT
            hidden: Json = {"content": "", "embeds": [], "attachments": [], "components": []} if blank else {}
            await session.dispatch("MESSAGE_CREATE", event | hidden)

    def note_pings(self, message: Json, body: Json, replied_to: User | None = None) -> None:
        """Record whom the message notifies."""
        self.log.pings += [Ping(message["id"], whom) for whom in pinged(body, replied_to)]

    async def _me(self, _: web.Request) -> Any:
        return self.world.bot.payload() | {"verified": True, "mfa_enabled": False, "flags": 0}

    async def _application(self, _: web.Request) -> Any:
        return self.world.application()

    async def _open_dm(self, request: web.Request) -> Any:
        body = await request.json()
        user = self.world.users.get(int(body.get("recipient_id", 0)))
        if user is None:
            raise invalid_form([("recipient_id", "BASE_TYPE_REQUIRED", "Unknown user")])
        return self.world.dm(user).payload()

    async def _guild(self, request: web.Request) -> Any:
        guild = self.world.guilds.get(int(request.match_info["guild"]))
        if guild is None:
            raise RefusedError(404, 10004, "Unknown Guild", violation=False)
        return guild.payload()

    async def _member(self, request: web.Request) -> Any:
        guild = self.world.guilds.get(int(request.match_info["guild"]))
        user = self.world.users.get(int(request.match_info["user"]))
        if guild is None or user is None or user.id not in guild.members:
            raise RefusedError(404, 10007, "Unknown Member", violation=False)
        return guild.member(user) | {"user": user.payload()}

    def _find_channel(self, request: web.Request) -> Channel:
        found = self.world.channels.get(int(request.match_info["channel"]))
        if found is None or (found.guild and self.world.bot.id not in found.guild.members):
            raise RefusedError(404, 10003, "Unknown Channel", violation=False)
        return found

    def _find_message(self, request: web.Request, *, own: bool = False) -> Json:
        channel = self._find_channel(request)
        found = self.messages.get(int(request.match_info["message"]))
        if found is None or found["channel_id"] != str(channel.id):
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        if own and found["author"]["id"] != str(self.world.bot.id):
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        return found

    async def _channel(self, request: web.Request) -> Any:
        return self._find_channel(request).payload()

    async def _typing(self, request: web.Request) -> Any:
        self.typing.append(self._find_channel(request).id)
        return None

    async def _create(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        body = await request.json()
        check_message(body)
        reference = body.get("message_reference")
        replied_to = None
        if reference is not None:
            replied_to = self.messages.get(int(reference["message_id"]))
            if replied_to is None and reference.get("fail_if_not_exists", True):
                refused = invalid_form([("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")])
                refused.violation = False
                raise refused
        message = self.build(channel, self.world.bot, body)
        author = None
        if replied_to is not None:
            author = self.world.users[int(replied_to["author"]["id"])]
            named = {key: str(value) for key, value in reference.items() if key.endswith("_id")}
            message |= {"type": 19, "message_reference": named, "referenced_message": replied_to}
        self.note_pings(message, body, author)
        await self.announce(message)
        return message

    async def _read(self, request: web.Request) -> Any:
        return self._find_message(request)

    async def _edit(self, request: web.Request) -> Any:
        message = self._find_message(request, own=True)
        body = await request.json()
        check_message(body, editing=True)
        changed = {key: body[key] for key in ("content", "embeds", "components") if body.get(key) is not None}
        message |= changed | {"edited_timestamp": now_text()}
        return message

    async def _delete(self, request: web.Request) -> Any:
        del self.messages[int(self._find_message(request)["id"])]
        return None
