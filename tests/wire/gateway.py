"""The gateway: identify, heartbeat, resume, events by shard and intent, and the ways a session ends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire.entities import Json
from tests.wire.recording import Log
from tests.wire.world import World

__all__ = ["DIRECT_MESSAGES", "GUILDS", "GUILD_MESSAGES", "MESSAGE_CONTENT", "Gateway", "Session"]

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
_PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
# Opcodes
_DISPATCH, _HEARTBEAT, _IDENTIFY, _PRESENCE, _RESUME, _RECONNECT = 0, 1, 2, 3, 6, 7
_INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 9, 10, 11
# Close codes
_UNKNOWN_OPCODE, _AUTHENTICATION_FAILED = 4001, 4004
_SHARDING_REQUIRED, _INVALID_VERSION, _DISALLOWED_INTENTS = 4011, 4012, 4014


@dataclass(slots=True, eq=False)
class Session:
    """An identified client; it outlives its connection until it is invalidated."""

    id: str
    intents: int
    socket: web.WebSocketResponse | None
    shard: tuple[int, int]
    sent: list[Json] = field(default_factory=list)
    """All events, for a resume."""

    def receives(self, guild_id: int | None) -> bool:
        """Return whether this shard receives the events of a server, or (None) of direct messages."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)

    async def dispatch(self, event: str, data: Any) -> None:
        copy = json.loads(json.dumps(data))
        self.sent.append({"op": _DISPATCH, "t": event, "s": len(self.sent) + 1, "d": copy})
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_json(self.sent[-1])


class Gateway:
    """Every session and connection, with the means to refuse, drop and invalidate them."""

    def __init__(self, world: World, log: Log, token: str) -> None:
        self.world, self.log, self.token = world, log, token
        self.sessions: list[Session] = []
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.presences: list[str] = []
        """The status texts that the bot has set, oldest first; those of an identify are not included."""
        self.connections = 0
        self.shards = 1
        """The number of shards that Discord requires."""
        self.granted = 0
        """The privileged intents that are switched on for the application."""
        self.close_on_identify: int | None = None
        self.invalidate_on_identify = False
        self.resume_url: str | None = None
        self._open: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        self.connections += 1
        if request.query.get("v") != "10":
            await socket.close(code=_INVALID_VERSION)
            return socket
        self._open.add(socket)
        try:
            await socket.send_json({"op": _HELLO, "d": {"heartbeat_interval": 41_250}})
            async for frame in socket:
                payload = json.loads(frame.data)
                code = await self._receive(socket, payload["op"], payload.get("d"))
                await self.log.notify()
                if code is not None:
                    await socket.close(code=code)
        finally:
            self._open.discard(socket)
            for session in self.sessions:
                session.socket = None if session.socket is socket else session.socket
            await self.log.notify()
        return socket

    async def _receive(self, socket: web.WebSocketResponse, op: int, data: Any) -> int | None:
        """Handle one payload; return the code to close with, if any."""
        if op == _IDENTIFY:
            return await self._identify(socket, data)
        if op == _RESUME:
            return await self._resume(socket, data)
        if op == _HEARTBEAT:
            await socket.send_json({"op": _HEARTBEAT_ACK})
        elif op == _PRESENCE:
            activities = data["activities"]
            self.presences += [str(activity.get("state") or activity["name"]) for activity in activities]
        else:
            return _UNKNOWN_OPCODE
        return None

    def _refusal(self, data: Json) -> int | None:
        """Return the close code with which an identify is refused, if it is."""
        reasons = (
            (_AUTHENTICATION_FAILED, data["token"] != self.token),
            (self.close_on_identify, self.close_on_identify is not None),
            (_DISALLOWED_INTENTS, data["intents"] & _PRIVILEGED & ~self.granted),
            (_SHARDING_REQUIRED, data["shard"][1] < self.shards),
        )
        return next((code for code, applies in reasons if applies), None)

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> int | None:
        data.setdefault("shard", [0, 1])
        self.identifies.append({**data, "token": "(not kept)"})
        if (code := self._refusal(data)) is not None:
            return code
        if self.invalidate_on_identify:
            await socket.send_json({"op": _INVALID_SESSION, "d": False})
            return None
        number, count = data["shard"]
        session = Session(f"session-{self.world.new_id()}", data["intents"], socket, (number, count))
        self.sessions.append(session)
        guilds = [guild for guild in self.world.guilds.values() if guild.bot and session.receives(guild.id)]
        ready: Json = {
            "v": 10, "user": self.world.bot.payload(), "session_id": session.id, "session_type": "normal",
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "application": {"id": str(self.world.application_id), "flags": 0}, "shard": [number, count],
        }  # fmt: skip
        if self.resume_url is not None:
            ready["resume_gateway_url"] = self.resume_url
        await session.dispatch("READY", ready)
        for guild in guilds:
            await session.dispatch("GUILD_CREATE", guild.payload())
        return None

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> int | None:
        self.resumes.append({**data, "token": "(not kept)"})
        if data["token"] != self.token:
            return _AUTHENTICATION_FAILED
        session = next((session for session in self.sessions if session.id == data["session_id"]), None)
        if session is None:
            await socket.send_json({"op": _INVALID_SESSION, "d": False})
            return None
        session.socket = socket
        for payload in session.sent[data["seq"] :]:
            await socket.send_json(payload)
        await session.dispatch("RESUMED", {})
        return None

    def audience(self, guild_id: int | None, intent: int) -> list[Session]:
        """Return the sessions that receive events of an intent in a server, or (None) in direct messages."""
        sessions = [session for session in self.sessions if session.receives(guild_id)]
        return [session for session in sessions if session.intents & intent]

    async def dispatch(self, event: str, data: Any, guild_id: int | None = None) -> None:
        """Send an event to the sessions of its shard."""
        for session in self.sessions:
            if session.receives(guild_id):
                await session.dispatch(event, data)

    @property
    def connected(self) -> bool:
        """Whether every shard is identified and its connection open."""
        return len({session.shard for session in self.sessions if session.socket}) >= self.shards

    async def drop(self, code: int = 4000) -> None:
        """Close every connection; the sessions can be resumed."""
        for socket in list(self._open):
            await socket.close(code=code)

    async def request_reconnect(self) -> None:
        """Ask every client to reconnect and resume."""
        await self._send_all({"op": _RECONNECT, "d": None})

    async def invalidate(self) -> None:
        """Invalidate every session, so that clients must identify again."""
        self.sessions.clear()
        await self._send_all({"op": _INVALID_SESSION, "d": False})

    async def _send_all(self, payload: Json) -> None:
        for socket in list(self._open):
            await socket.send_json(payload)

    async def stop(self) -> None:
        """Close every connection, without waiting for a client that does not respond."""
        closing = [asyncio.create_task(socket.close(code=1001)) for socket in list(self._open)]
        if closing:
            await asyncio.wait(closing, timeout=1)
