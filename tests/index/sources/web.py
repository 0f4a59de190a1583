"""A web server on 127.0.0.1 whose pages are a dict, with the awkward pages that real servers send."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from ssl import SSLContext
from time import monotonic
from typing import NamedTuple, Self

from aiohttp import web

__all__ = ["Page", "Reply", "Request", "WebServer", "break_off", "drip", "redirect"]

_MEDIA_TYPES = {".json": "application/json", ".md": "text/markdown", ".txt": "text/plain", ".xml": "text/xml"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, sent as it is."""

    body: str | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Page = str | bytes | Reply | Callable[[web.Request], Awaitable["web.StreamResponse | str | bytes | Reply"]]
"""What is sent for a path: text or bytes, with an ETag and a media type by the suffix; a reply; a handler."""


class Request(NamedTuple):
    """A request that came: its path with the query, its headers, and when it began."""

    path: str
    headers: Mapping[str, str]
    began: float


class WebServer:
    """Serves `pages`, which may be changed, and records the `requests`; other paths are 404."""

    def __init__(self, pages: Mapping[str, Page] | None = None, tls: SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = dict(pages or {})
        self.requests: list[Request] = []
        self._tls = tls

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return the address of a page."""
        return f"http{'s' * bool(self._tls)}://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """The paths asked for, but for robots.txt."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(Request(request.path_qs, dict(request.headers), monotonic()))
        page = self.pages.get(request.path_qs, Reply("There is no such page.", 404))
        return _response(await page(request) if callable(page) else page, request)


def _response(page: web.StreamResponse | str | bytes | Reply, request: web.Request) -> web.StreamResponse:
    if isinstance(page, web.StreamResponse):
        return page
    if isinstance(page, Reply):
        body = page.body.encode() if isinstance(page.body, str) else page.body
        return web.Response(body=body, status=page.status, headers=page.headers)
    body = page.encode() if isinstance(page, str) else page
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    media_type = _MEDIA_TYPES.get(PurePosixPath(request.path).suffix, "text/html")
    media_type += "; charset=utf-8" * isinstance(page, str)
    return web.Response(body=body, headers={"ETag": etag, "Content-Type": media_type})


def redirect(to: str, status: int = 302) -> Reply:
    """Return a redirect."""
    return Reply(status=status, headers={"Location": to})


def drip(chunk: bytes, seconds: float) -> Page:
    """Return a page without end that sends a chunk at a time."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while request.transport and not request.transport.is_closing():
            await response.write(chunk)
            await asyncio.sleep(seconds)
        return response

    return answer


async def break_off(request: web.Request) -> web.StreamResponse:
    """Send less than was announced, and close the connection: a page."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"<p>The first half")
    assert request.transport
    request.transport.close()
    return response
