"""The HTTP API about accounts, servers, channels and messages."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from tests.wire.faults import amount, invalid_form
from tests.wire.limits import check_message
from tests.wire.messages import EPHEMERAL, Messages
from tests.wire.permissions import (
    ADD_REACTIONS,
    ATTACH_FILES,
    EMBED_LINKS,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)
from tests.wire.places import FORUM, THREAD, Channel
from tests.wire.records import Json, RefusedError
from tests.wire.uploads import BODY, FILES
from tests.wire.world import World

__all__ = ["Channels"]


def _require(channel: Channel, bits: int) -> None:
    if bits & ~channel.bot_may:
        raise RefusedError(403, 50013, "Missing Permissions", violation=False)


class Channels:
    """The routes that read and write messages, and those about who and where the bot is."""

    def __init__(self, world: World, messages: Messages) -> None:
        self.world, self.store = world, messages
        self.messages = messages.all
        self.typing: list[int] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's base."""
        message = "/channels/{channel}/messages/{message}"
        mine = message + "/reactions/{emoji}/@me"
        return [
            web.get("/users/@me", self._me),
            web.post("/users/@me/channels", self._open_dm),
            web.get("/oauth2/applications/@me", self._application),
            web.get("/applications/@me", self._application),
            web.get("/guilds/{guild}", self._guild),
            web.get("/guilds/{guild}/members/{user}", self._member),
            web.get("/channels/{channel}", self._channel),
            web.post("/channels/{channel}/typing", self._typing),
            web.get("/channels/{channel}/messages", self._list),
            web.post("/channels/{channel}/messages", self._create),
            web.put("/channels/{channel}/thread-members/@me", self._join),
            web.get(message, self._read),
            web.patch(message, self._edit),
            web.delete(message, self._delete),
            web.put(mine, self._react),
            web.delete(mine, self._unreact),
        ]

    async def _me(self, _: web.Request) -> Any:
        return self.world.bot.payload() | {"verified": True, "mfa_enabled": False, "flags": 0}

    async def _application(self, _: web.Request) -> Any:
        return self.world.application()

    async def _open_dm(self, request: web.Request) -> Any:
        user = self.world.users.get(int(request[BODY].get("recipient_id", 0)))
        if user is None:
            raise invalid_form([("recipient_id", "BASE_TYPE_REQUIRED", "Unknown user")])
        return self.world.dm(user).payload()

    async def _guild(self, request: web.Request) -> Any:
        guild = self.world.guilds.get(int(request.match_info["guild"]))
        if guild is None or guild.bot is None:
            raise RefusedError(404, 10004, "Unknown Guild", violation=False)
        return guild.payload()

    async def _member(self, request: web.Request) -> Any:
        guild = self.world.guilds.get(int(request.match_info["guild"]))
        user = self.world.users.get(int(request.match_info["user"]))
        if guild is None or guild.bot is None or user is None or user.id not in guild.members:
            raise RefusedError(404, 10007, "Unknown Member", violation=False)
        return guild.member(user) | {"user": user.payload()}

    def _find_channel(self, request: web.Request) -> Channel:
        found = self.world.channels.get(int(request.match_info["channel"]))
        if found is None:
            raise RefusedError(404, 10003, "Unknown Channel", violation=False)
        if not found.bot_may & VIEW_CHANNEL:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        return found

    def _find_message(self, request: web.Request, channel: Channel) -> Json:
        found = self.messages.get(int(request.match_info["message"]))
        if found is None or found["channel_id"] != str(channel.id) or found["flags"] & EPHEMERAL:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        return found

    def _may_write(self, channel: Channel) -> None:
        """Refuse what is to be written in a thread that is locked."""
        _require(channel, SEND_MESSAGES_IN_THREADS if channel.kind == THREAD else SEND_MESSAGES)
        if channel.locked and not channel.bot_may & MANAGE_THREADS:
            code, state = (50083, "archived") if channel.archived else (160005, "locked")
            raise RefusedError(403, code, f"Thread is {state}", violation=False)

    async def _channel(self, request: web.Request) -> Any:
        return self._find_channel(request).payload()

    async def _join(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        if channel.kind != THREAD:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        return None

    async def _typing(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        self._may_write(channel)
        self.typing.append(channel.id)
        return None

    async def _create(self, request: web.Request) -> Any:
        channel, body, files = self._find_channel(request), request[BODY] or {}, request[FILES]
        if channel.kind == FORUM:
            raise RefusedError(400, 40058, "Cannot send a message in a forum channel")
        check_message(body, files=len(files))
        self._may_write(channel)
        _require(channel, (EMBED_LINKS if body.get("embeds") else 0) | (ATTACH_FILES if files else 0))
        reference = body.get("message_reference")
        replied_to = None
        if reference is not None:
            if not channel.bot_may & READ_MESSAGE_HISTORY:
                message = "Cannot reply without permission to read message history"
                raise RefusedError(403, 160002, message, violation=False)
            replied_to = self.store.replied_to(channel, reference)
        channel.archived = False
        made = self.store.build(channel, self.world.bot, body, files=files)
        author = None
        if replied_to is not None:
            author = self.world.users[int(replied_to["author"]["id"])]
            self.store.point(made, replied_to)
        self.store.note_pings(made, body, author)
        await self.store.announce(made)
        return self.store.seen(made)

    async def _list(self, request: web.Request) -> Any:
        channel, query = self._find_channel(request), request.query
        limit = int(query.get("limit", 50))
        if faults := list(amount(limit, "limit", 1, 100)):
            raise invalid_form(faults)
        if len({"before", "after", "around"} & set(query)) > 1:
            raise invalid_form([("before", "BASE_TYPE_INVALID", "They exclude each other")])
        if not channel.bot_may & READ_MESSAGE_HISTORY:
            return []
        here = [
            one
            for one in self.messages.values()
            if one["channel_id"] == str(channel.id) and not one["flags"] & EPHEMERAL
        ]
        here.sort(key=lambda one: int(one["id"]), reverse=True)
        if "before" in query:
            here = [one for one in here if int(one["id"]) < int(query["before"])]
        elif "after" in query:
            here = [one for one in here if int(one["id"]) > int(query["after"])][-limit:]
        elif "around" in query:
            newer = [one for one in here if int(one["id"]) > int(query["around"])]
            here = here[max(0, len(newer) - limit // 2) :]
        return [self.store.seen(one) for one in here[:limit]]

    async def _read(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        _require(channel, READ_MESSAGE_HISTORY)
        return self.store.seen(self._find_message(request, channel))

    async def _edit(self, request: web.Request) -> Any:
        channel, body, files = self._find_channel(request), request[BODY] or {}, request[FILES]
        message = self._find_message(request, channel)
        if message["author"]["id"] != str(self.world.bot.id):
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        check_message(body, editing=True)
        if channel.archived or channel.locked:
            self._may_write(channel)
        self.store.change(message, body, files)
        await self.store.announce(message, "MESSAGE_UPDATE")
        return self.store.seen(message)

    async def _delete(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        message = self._find_message(request, channel)
        if message["author"]["id"] != str(self.world.bot.id):
            if channel.guild is None:
                raise RefusedError(403, 50003, "Cannot execute action on a DM channel")
            _require(channel, MANAGE_MESSAGES)
        await self.store.forget(message)
        return None

    async def _react(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        _require(channel, READ_MESSAGE_HISTORY)
        message, emoji = self._find_message(request, channel), request.match_info["emoji"]
        if re.search(r"[A-Za-z\s]", emoji):  # a server's own emoji: this world has none
            raise RefusedError(400, 10014, "Unknown Emoji")
        reactions = message.setdefault("reactions", [])
        found = next((one for one in reactions if one["emoji"]["name"] == emoji), None)
        if found is None:
            _require(channel, ADD_REACTIONS)
            found = {"count": 0, "me": False, "me_burst": False, "emoji": {"id": None, "name": emoji}}
            found |= {"count_details": {"burst": 0, "normal": 0}, "burst_colors": []}
            reactions.append(found)
        if not found["me"]:
            found |= {"me": True, "count": found["count"] + 1}
        return None

    async def _unreact(self, request: web.Request) -> Any:
        channel = self._find_channel(request)
        message, emoji = self._find_message(request, channel), request.match_info["emoji"]
        for one in message.get("reactions", []):
            if one["emoji"]["name"] == emoji and one["me"]:
                one |= {"me": False, "count": one["count"] - 1}
                message["reactions"] = [kept for kept in message["reactions"] if kept["count"]]
                return None
        raise RefusedError(404, 10014, "Unknown Emoji")
