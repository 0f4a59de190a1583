"""The loopback Discord as a server: routing, authorization, planned faults, the record of requests."""

from __future__ import annotations

import json
import re
from typing import Any, Self

from aiohttp import web

from tests.wire.api import Call, Handler, RefusedError
from tests.wire.commands import Commands
from tests.wire.entities import Json
from tests.wire.faults import Answer, Faults
from tests.wire.gateway import Gateway
from tests.wire.interactions import Interactions
from tests.wire.messages import Messages
from tests.wire.recording import Log
from tests.wire.world import World

__all__ = ["LoopbackDiscord"]

_BASE = "/api/v10"
_WITHOUT_TOKEN = re.compile(r"^/(gateway$|interactions/|webhooks/)")


class LoopbackDiscord:
    """A Discord on 127.0.0.1; whatever the bot does wrong is in `log.violations`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.world, self.log, self.faults = World(), Log(), Faults()
        self.gateway = Gateway(self.world, self.log, token)
        self.messages = Messages(self.world, self.log, self.gateway)
        self.interactions = Interactions(self.messages, self.faults)
        self.commands = Commands(self.world)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/socket", self.gateway.handle)])
        routes = self._routes() | self.messages.routes() | self.interactions.routes() | self.commands.routes()
        for route, handler in routes.items():
            method, path = route.split()
            app.router.add_route(method, _BASE + path, self._responder(handler))
        app.router.add_route("*", "/{rest:.*}", self._responder(_not_found))
        self._runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url, self.gateway_url = f"http://{host}:{port}{_BASE}", f"ws://{host}:{port}/socket"
        self.gateway.resume_url = self.gateway_url
        return self

    async def __aexit__(self, *_: object) -> None:
        self.faults.clear()
        await self.gateway.stop()
        await self._runner.cleanup()

    def _responder(self, handler: Handler) -> Any:
        """Wrap a handler with what every request has in common."""

        async def respond(request: web.Request) -> web.StreamResponse:
            path, call = request.path.removeprefix(_BASE), Call(dict(request.match_info))
            planned = await self.faults.meet(request.method, path)
            answer = planned or Answer("", "", 500)
            try:
                await call.read(request)
                if planned is None or planned.acting:
                    self._authorize(request, path)
                    response = _answer(await handler(call))
                    answer = planned or response
            except RefusedError as error:
                answer = Answer("", "", error.status, json.dumps(error.body).encode())
                if error.violation:
                    self.log.violations.append(f"{request.method} {path} -> {error.status} {error}")
            finally:
                await self.log.add(request, path, call.body, 0 if answer.reset else answer.status)
            if answer.reset and request.transport is not None:
                request.transport.abort()
            kind = answer.content_type if answer.body else None
            return web.Response(
                status=answer.status, body=answer.body, headers=answer.headers, content_type=kind
            )

        return respond

    def _authorize(self, request: web.Request, path: str) -> None:
        if _WITHOUT_TOKEN.match(path):
            return
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            raise RefusedError(403, 0, "A bot's User-Agent is DiscordBot (url, version)")
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise RefusedError(401, 0, "401: Unauthorized", violation=False)

    def _routes(self) -> dict[str, Handler]:
        return {
            "GET /users/@me": self._bot,
            "GET /oauth2/applications/@me": self._application,
            "GET /gateway": self._gateway,
            "GET /gateway/bot": self._gateway,
        }

    async def _bot(self, _: Call) -> Json:
        return self.world.bot.payload()

    async def _application(self, _: Call) -> Json:
        return self.world.application()

    async def _gateway(self, _: Call) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": self.gateway.shards, "session_start_limit": limit}


def _answer(payload: Any) -> Answer:
    return Answer("", "", 204, b"") if payload is None else Answer("", "", 200, json.dumps(payload).encode())


async def _not_found(_: Call) -> Any:
    raise RefusedError(404, 0, "404: Not Found")
