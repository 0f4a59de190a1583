"""A client without a library: plain requests and frames, for tests of the loopback Discord itself."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp

from tests.wire.gateway import GUILDS
from tests.wire.interactions import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json

__all__ = ["AGENT", "TOKEN", "GatewayClient", "call", "callback", "code_of", "hook", "register", "upload"]

TOKEN = "loopback-token"
AGENT = {"User-Agent": "DiscordBot (https://example.org, 1)", "Authorization": f"Bot {TOKEN}"}


async def call(
    wire: LoopbackDiscord, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Make a request as a bot would, and return status and JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, wire.url + path, json=body, headers=headers or AGENT) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def code_of(wire: LoopbackDiscord, method: str, path: str, body: Any = None) -> tuple[int, int]:
    """Make a request that is refused; return the status and Discord's code."""
    status, error = await call(wire, method, path, body)
    assert status >= 400, error
    return status, error["code"]


async def upload(
    wire: LoopbackDiscord, method: str, path: str, body: Any, *files: tuple[str, str, bytes]
) -> tuple[int, Any]:
    """Send a form with `payload_json` and files (field, file name, bytes)."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for field, filename, data in files:
        form.add_field(field, io.BytesIO(data), filename=filename, content_type="application/octet-stream")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, wire.url + path, data=form, headers=AGENT) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def register(wire: LoopbackDiscord, *commands: Json, guild: int | None = None) -> tuple[int, Any]:
    """Overwrite the commands, of all places or of one server."""
    scope = f"/guilds/{guild}" if guild else ""
    return await call(
        wire, "PUT", f"/applications/{wire.world.application_id}{scope}/commands", list(commands)
    )


async def callback(wire: LoopbackDiscord, used: Interaction, kind: int = 5, **data: Any) -> tuple[int, Any]:
    """Give the initial response."""
    path = f"/interactions/{used.id}/{used.token}/callback?with_response=1"
    return await call(wire, "POST", path, {"type": kind, "data": data})


def hook(wire: LoopbackDiscord, used: Interaction, rest: str = "") -> str:
    """Return the path for what follows an initial response."""
    return f"/webhooks/{wire.world.application_id}/{used.token}{rest}"


class GatewayClient:
    """A bare gateway client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def identify(self, token: str = TOKEN, intents: int = GUILDS, **more: Any) -> None:
        """Wait for hello, and identify."""
        await self.socket.receive_json(timeout=2)
        await self.socket.send_json({"op": 2, "d": {"token": token, "intents": intents, **more}})

    async def close_code(self) -> int:
        """Wait until the connection is closed, and return the code."""
        while not self.socket.closed:
            await self.socket.receive(timeout=2)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def events(self, kind: str, count: int) -> list[Json]:
        """Return the next `count` events of a kind."""
        found: list[Json] = []
        while len(found) < count:
            payload = await self.socket.receive_json(timeout=2)
            found += [payload["d"]] if payload["t"] == kind else []
        return found
