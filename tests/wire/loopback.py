"""The loopback Discord as a test uses it: start, people and places, trouble, and the API's common part."""

from __future__ import annotations

import json
import re
from typing import Any, Self

from aiohttp import web

from tests.wire.channels import Channels
from tests.wire.gateway import Gateway
from tests.wire.interactions import Interactions
from tests.wire.messages import Messages
from tests.wire.people import People
from tests.wire.places import Guild
from tests.wire.records import Log, RefusedError, Request
from tests.wire.trouble import Scope, Trouble
from tests.wire.uploads import BODY, FILES, read_body
from tests.wire.using import Using
from tests.wire.world import World

__all__ = ["LoopbackDiscord"]

_BASE = "/api/v10"
_WITHOUT_AUTH = re.compile(r"^/(gateway$|interactions/|webhooks/\d+/)")
_SOCKET = "/socket"
_MOST_BYTES = 25 * 1024 * 1024


class LoopbackDiscord(People, Using):
    """A Discord of one's own on 127.0.0.1; everything that the client gets wrong is in `log.violations`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.world = World()
        self.log = Log()
        self.trouble = Trouble(self.log)
        self.gateway = Gateway(self.world, self.log, token)
        self.messages = Messages(self.world, self.log, self.gateway)
        self.channels = Channels(self.world, self.messages)
        self.interactions = Interactions(self.world, self.log, self.messages, self.trouble)
        self.url = ""
        self.gateway_url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        api = web.Application(middlewares=[self._answer], client_max_size=_MOST_BYTES)
        api.add_routes([*self.channels.routes(), *self.interactions.routes()])
        api.add_routes([web.get("/gateway", self._where), web.get("/gateway/bot", self._where_bot)])
        app = web.Application(client_max_size=_MOST_BYTES)
        app.add_subapp(_BASE, api)
        app.add_routes([web.get(_SOCKET, self.gateway.handle)])
        self._runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url, self.gateway_url = f"http://{host}:{port}{_BASE}", f"ws://{host}:{port}{_SOCKET}"
        self.gateway.resume_url = self.gateway_url
        return self

    async def __aexit__(self, *_: object) -> None:
        self.interactions.stop()
        self.pause(0)
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    # The HTTP API's common part

    @web.middleware
    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Check, record and answer a request; a handler returns the JSON, None for 204, or raises."""
        path = request.path.removeprefix(_BASE)
        status, body, kind = 500, b"", "application/json"
        headers: dict[str, str] = {}
        try:
            planned = await self.trouble.met(request.method, path)
            if planned is not None:
                status, body, headers, kind = planned
                self.interactions.excuse(path)
            else:
                await self._check(request, path)
                found = await handler(request)
                status, body = (204, b"") if found is None else (200, json.dumps(found).encode())
        except RefusedError as refused:
            status, body = refused.status, json.dumps(refused.body).encode()
            if refused.violation:
                self.log.violations.append(f"{request.method} {path} -> {status} {refused.body}")
        except web.HTTPNotFound:
            status, body = 404, b'{"message": "404: Not Found", "code": 0}'
            self.log.violations.append(f"{request.method} {path}: no such route")
        finally:
            await self._record(request, path, status)
        return web.Response(status=status, body=body, headers=headers, content_type=kind if body else None)

    async def _record(self, request: web.Request, path: str, status: int) -> None:
        body = request.get(BODY)
        if body is None and request.can_read_body and request.content_type != "multipart/form-data":
            text = await request.text()
            try:
                body = json.loads(text) if text else None
            except ValueError:
                body = text
        kept = {key: value for key, value in request.headers.items() if key.lower() != "authorization"}
        self.log.requests.append(Request(request.method, path, body, kept, self.log.now(), status))
        await self.log.changed()

    async def _check(self, request: web.Request, path: str) -> None:
        if not request.headers.get("User-Agent", "").startswith("DiscordBot (") and not path.startswith(
            ("/webhooks/", "/interactions/")
        ):
            raise RefusedError(403, 0, "A bot says who it is in User-Agent: DiscordBot (url, version)")
        if not _WITHOUT_AUTH.match(path) and request.headers.get("Authorization") != f"Bot {self.token}":
            raise RefusedError(401, 0, "401: Unauthorized", violation=False)
        request[BODY], request[FILES] = await read_body(request)

    async def _where(self, _: web.Request) -> Any:
        return {"url": self.gateway_url}

    async def _where_bot(self, _: web.Request) -> Any:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": self.shards, "session_start_limit": limit}

    # Trouble, and shards

    def fault(self, method: str, path: str, **answer: Any) -> None:
        """Plan an answer in place of the real one (see `Fault`), once unless `times` says more."""
        self.trouble.fault(method, path, **answer)

    def rate_limit(
        self, method: str, path: str, *, retry_after: float, scope: Scope = "user", times: int = 1
    ) -> None:
        """Answer the next `times` requests that match with 429 (see `Trouble.rate_limit`)."""
        self.trouble.rate_limit(method, path, retry_after=retry_after, scope=scope, times=times)

    def pause(self, seconds: float) -> None:
        """Let every API request hang for this long while the gateway stays up; 0 ends a pause.

        What could not be acknowledged meanwhile is not held against the bot.
        """
        self.trouble.pause(seconds)
        if seconds:
            self.interactions.excuse()

    @property
    def shards(self) -> int:
        """How many shards Discord asks for."""
        return self.gateway.shards

    @shards.setter
    def shards(self, count: int) -> None:
        self.gateway.shards = count

    def guild_on(self, shard: int, name: str = "server") -> Guild:
        """Make a server whose events go to that shard."""
        found = self.world.new_id()
        while (found >> 22) % self.shards != shard:
            found += 1 << 22
        return self.world.guild(name, on=found)

    async def connected(self, within: float = 5.0) -> None:
        """Wait until the bot is identified on the gateway, with every shard."""
        await self.log.until(lambda: self.gateway.connected, "the bot on the gateway", within)
