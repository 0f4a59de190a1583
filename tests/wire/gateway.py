"""The gateway: hello, identify, heartbeats, resume, dispatch, and the ways in which it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.wire.places import Guild, now_text
from tests.wire.records import Json, Log
from tests.wire.sessions import Session, Socket
from tests.wire.world import World

__all__ = ["DIRECT_MESSAGES", "GUILDS", "GUILD_MESSAGES", "MESSAGE_CONTENT", "Gateway", "Session"]

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
_PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
_ALL_INTENTS = (1 << 26) - 1
_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _RECONNECT = 1, 2, 3, 4, 6, 7
_MEMBERS, _INVALID, _HELLO, _ACK = 8, 9, 10, 11
_MAX_PAYLOAD = 4096
_STATUSES = {"online", "dnd", "idle", "invisible", "offline"}


class Gateway:
    """Every session and connection; a test drops, invalidates or refuses them."""

    def __init__(self, world: World, log: Log, token: str) -> None:
        self.world, self.log, self.token = world, log, token
        self.sessions: list[Session] = []
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.presences: list[Json] = []
        """Every presence that the bot has shown, in identifying and later, oldest first."""
        self.shards = 1
        """How many shards Discord asks for."""
        self.connections: list[str] = []
        self.heartbeats = 0
        self.heartbeat_ms = 41_250
        self.close_on_identify: int | None = None
        self.resume_url: str | None = None
        self.compressing = True
        """Whether the compression that a client asks for is given."""
        self.granted = 0
        """Privileged intents that are switched on for the application."""
        self._open: set[Socket] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        self.connections.append(request.query_string)
        if request.query.get("v") != "10" or request.query.get("encoding", "json") != "json":
            await ws.close(code=4012)
            return ws
        socket = Socket(ws, request.query.get("compress") if self.compressing else None)
        self._open.add(socket)
        try:
            await socket.send({"op": _HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
            await self._listen(socket)
        finally:
            self._open.discard(socket)
            for session in self.sessions:
                if session.socket is socket:
                    session.socket = None
            await self.log.changed()
        return ws

    async def _listen(self, socket: Socket) -> None:
        async for frame in socket.ws:
            if frame.type is not WSMsgType.TEXT or len(frame.data) > _MAX_PAYLOAD:
                self.log.violations.append("gateway: a frame that is not text, or over 4096 bytes")
                await socket.ws.close(code=4002)
                return
            payload = json.loads(frame.data)
            code = await self._take(socket, payload["op"], payload.get("d"))
            await self.log.changed()
            if code is not None:
                await socket.ws.close(code=code)
                return

    async def _take(self, socket: Socket, op: int, data: Any) -> int | None:
        """Act on one payload; return the code to close with, if any."""
        known = any(session.socket is socket for session in self.sessions)
        if op == _HEARTBEAT:
            self.heartbeats += 1
            await socket.send({"op": _ACK})
            return None
        if op == _IDENTIFY:
            return 4005 if known else await self._identify(socket, data)
        if op == _RESUME:
            return 4005 if known else await self._resume(socket, data)
        if op == _PRESENCE and known:
            return self._show(data)
        if op in {_PRESENCE, _VOICE, _MEMBERS}:
            return None if known else 4003
        return 4001

    def _show(self, presence: Json) -> int | None:
        """Record a presence; return the code to close with if it is none."""
        activities = presence.get("activities", [])
        named = all(one.get("type") in range(7) and 0 < len(one.get("name", "")) <= 128 for one in activities)
        if presence.get("status") not in _STATUSES or not named or not isinstance(presence.get("afk"), bool):
            self.log.violations.append(f"gateway: {presence} is no presence")
            return 4002
        self.presences.append(presence)
        return None

    def _refusal(self, data: Json) -> int | None:
        """Return the code with which an identify is refused, if it is."""
        intents, shard = data.get("intents"), data.get("shard")
        if data.get("token") != self.token:
            return 4004
        if self.close_on_identify is not None:
            return self.close_on_identify
        if not isinstance(intents, int) or intents & ~_ALL_INTENTS:
            return 4013
        if intents & _PRIVILEGED & ~self.granted:
            return 4014
        if shard is not None and not (len(shard) == 2 and 0 <= shard[0] < shard[1]):
            return 4010
        return 4011 if (shard[1] if shard else 1) < self.shards else None

    async def _identify(self, socket: Socket, data: Json) -> int | None:
        self.identifies.append({**data, "token": "(not kept)"})
        code, presence = self._refusal(data), data.get("presence")
        if code is None and presence is not None:
            game = presence.get("game")  # the older form, which clients may still identify with
            activities = presence.get("activities") or ([game] if game else [])
            code = self._show(
                {**presence, "activities": activities, "status": presence.get("status") or "online"}
            )
        if code is not None:
            return code
        number, count = data.get("shard") or (0, 1)
        session = Session(f"session-{self.world.new_id()}", data["intents"], socket, (number, count))
        self.sessions.append(session)
        guilds = [one for one in self.world.guilds.values() if one.bot and session.takes(one.id)]
        ready: Json = {
            "v": 10, "user": self.world.bot.payload(), "session_id": session.id, "session_type": "normal",
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "application": {"id": str(self.world.application_id), "flags": 0}, "shard": [number, count],
        }  # fmt: skip
        if self.resume_url is not None:
            ready["resume_gateway_url"] = self.resume_url
        await session.dispatch("READY", ready)
        for guild in guilds:
            if session.intents & GUILDS:
                await session.dispatch("GUILD_CREATE", guild.payload())
        return None

    async def _resume(self, socket: Socket, data: Json) -> int | None:
        self.resumes.append({**data, "token": "(not kept)"})
        if data.get("token") != self.token:
            return 4004
        found = [session for session in self.sessions if session.id == data.get("session_id")]
        if not found:
            await socket.send({"op": _INVALID, "d": False})
            return None
        session = found[0]
        if data.get("seq", 0) > len(session.sent):
            return 4007
        session.socket = socket
        for payload in session.sent[data.get("seq", 0) :]:
            await socket.send(payload)
        await session.dispatch("RESUMED", {})
        return None

    async def announce(self, guild: Guild) -> None:
        """Tell every session that asked for guilds about this one."""
        assert guild.bot is not None, "the bot is not in that server"
        await self.dispatch("GUILD_CREATE", guild.payload() | {"joined_at": now_text()}, GUILDS, guild.id)

    def audience(self, guild_id: int | None, intent: int = 0) -> list[Session]:
        """Return the sessions that get events of a server, or (None) of direct messages, with this intent."""
        return [one for one in self.sessions if one.takes(guild_id) and (not intent or one.intents & intent)]

    async def dispatch(self, event: str, data: Any, intent: int = 0, guild_id: int | None = None) -> None:
        """Send an event to every session whose shard and intents let it through."""
        for session in self.audience(guild_id, intent):
            await session.dispatch(event, data)

    @property
    def connected(self) -> bool:
        """Whether every shard is identified and its connection open."""
        return len({session.shard for session in self.sessions if session.socket}) >= self.shards

    async def drop(self, code: int = 4000) -> None:
        """Close every connection; the sessions stay and can be resumed."""
        for socket in list(self._open):
            await socket.ws.close(code=code)

    async def ask_reconnect(self) -> None:
        """Ask every client to reconnect and resume (opcode 7)."""
        for socket in list(self._open):
            await socket.send({"op": _RECONNECT, "d": None})

    async def invalidate(self) -> None:
        """Forget every session and say so (opcode 9), so that a client must identify again."""
        self.sessions.clear()
        for socket in list(self._open):
            await socket.send({"op": _INVALID, "d": False})

    async def stop(self) -> None:
        """Close whatever is open, without waiting for a client that does not answer."""
        closing = [asyncio.create_task(socket.ws.close(code=1001)) for socket in list(self._open)]
        if closing:
            await asyncio.wait(closing, timeout=1)
