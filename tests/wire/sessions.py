"""One gateway connection and one session: what is sent, and what a resume can have again."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire.records import Json

__all__ = ["DISPATCH", "Session", "Socket"]

DISPATCH = 0


class Socket:
    """One connection, and how its frames are written: plain text, or one zlib stream."""

    def __init__(self, ws: web.WebSocketResponse, compress: str | None) -> None:
        self.ws = ws
        self._stream = zlib.compressobj() if compress == "zlib-stream" else None

    async def send(self, payload: Json) -> None:
        """Write one payload, unless the connection is closed."""
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
    socket: Socket | None
    shard: tuple[int, int] = (0, 1)
    """Which shard of how many."""
    sent: list[Json] = field(default_factory=list)

    def takes(self, guild_id: int | None) -> bool:
        """Say whether this shard gets the events of a server, or (None) of direct messages."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)

    async def dispatch(self, event: str, data: Any) -> None:
        """Send an event as it is now, and keep it so that a resume can have it again."""
        payload = {"op": DISPATCH, "t": event, "s": len(self.sent) + 1, "d": data}
        self.sent.append(json.loads(json.dumps(payload)))
        if self.socket is not None:
            await self.socket.send(payload)
