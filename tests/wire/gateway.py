"""The gateway: hello, identify, heartbeats, resume, dispatch, and the ways in which it ends."""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.wire.records import Json, Log
from tests.wire.world import Guild, World, now_text

__all__ = ["DIRECT_MESSAGES", "GUILDS", "GUILD_MESSAGES", "MESSAGE_CONTENT", "Gateway", "Session"]

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
_PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
_ALL_INTENTS = (1 << 26) - 1
_DISPATCH, _HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _RECONNECT = 0, 1, 2, 3, 4, 6, 7
_MEMBERS, _INVALID, _HELLO, _ACK = 8, 9, 10, 11
_MAX_PAYLOAD = 4096


class _Socket:
    """One connection, and how its frames are written: plain text, or one zlib stream."""

    def __init__(self, ws: web.WebSocketResponse, compress: str | None) -> None:
        self.ws = ws
        self._stream = zlib.compressobj() if compress == "zlib-stream" else None

    async def send(self, payload: Json) -> None:
        text = json.dumps(payload)
        if self.ws.closed:
            return
        if self._stream is None:
            await self.ws.send_str(text)
        else:
            packed = self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)
            await self.ws.send_bytes(packed)


@dataclass(slots=True, eq=False)
class Session:
    """One identified client; it outlives its connection until it is invalidated."""

    id: str
    intents: int
    socket: _Socket | None
    sent: list[Json] = field(default_factory=list)

    async def dispatch(self, event: str, data: Any) -> None:
        """Send an event, and keep it so that a resume can have it again."""
        payload = {"op": _DISPATCH, "t": event, "s": len(self.sent) + 1, "d": data}
        self.sent.append(payload)
        if self.socket is not None:
            await self.socket.send(payload)


class Gateway:
    """Every session and connection; a test drops, invalidates or refuses them."""

    def __init__(self, world: World, log: Log, token: str) -> None:
        self.world, self.log, self.token = world, log, token
        self.sessions: list[Session] = []
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.connections: list[str] = []
        self.heartbeats = 0
        self.heartbeat_ms = 41_250
        self.close_on_identify: int | None = None
        self.resume_url: str | None = None
        self.compressing = True
        """Whether the compression that a client asks for is given."""
        self.granted = 0
        """Privileged intents that are switched on for the application."""
        self._open: set[_Socket] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        self.connections.append(request.query_string)
        if request.query.get("v") != "10" or request.query.get("encoding", "json") != "json":
            await ws.close(code=4012)
            return ws
        socket = _Socket(ws, request.query.get("compress") if self.compressing else None)
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

    async def _listen(self, socket: _Socket) -> None:
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

    async def _take(self, socket: _Socket, op: int, data: Any) -> int | None:
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
        if op in {_PRESENCE, _VOICE, _MEMBERS}:
            return None if known else 4003
        return 4001

    async def _identify(self, socket: _Socket, data: Json) -> int | None:
        self.identifies.append({**data, "token": "(not kept)"})
        intents = data.get("intents")
        if data.get("token") != self.token:
            return 4004
        if self.close_on_identify is not None:
            return self.close_on_identify
        if not isinstance(intents, int) or intents & ~_ALL_INTENTS:
            return 4013
        if intents & _PRIVILEGED & ~self.granted:
            return 4014
        session = Session(f"session-{self.world.new_id()}", intents, socket)
        self.sessions.append(session)
        guilds = list(self.world.guilds.values())
        ready: Json = {
            "v": 10, "user": self.world.bot.payload(), "session_id": session.id, "session_type": "normal",
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "application": {"id": str(self.world.application_id), "flags": 0}, "shard": [0, 1],
        }  # fmt: skip
        if self.resume_url is not None:
            ready["resume_gateway_url"] = self.resume_url
        await session.dispatch("READY", ready)
        for guild in guilds:
            await self.announce(guild)
        return None

    async def _resume(self, socket: _Socket, data: Json) -> int | None:
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
        await self.dispatch("GUILD_CREATE", guild.payload() | {"joined_at": now_text()}, GUILDS)

    async def dispatch(self, event: str, data: Any, intent: int = 0) -> None:
        """Send an event to every session whose intents let it through."""
        for session in self.sessions:
            if not intent or session.intents & intent:
                await session.dispatch(event, data)

    @property
    def connected(self) -> bool:
        """Whether a session is identified and its connection open."""
        return any(session.socket is not None for session in self.sessions)

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
