"""What every response has in common: headers that tell the browser what is allowed, and errors.

An error is a page for people, and problem details (RFC 9457) for programs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.chat.messages import DEFAULT, Messages, Notice
from bot.errors import NoCollectionError
from bot.web.pages import ASSISTANT, VISIT, render, web_messages
from index.errors import BusyError, DamagedIndexError, MissingError

__all__ = ["HEADERS", "answer_errors", "is_for_programs", "limit_rate", "slow_down"]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with "no-referrer", our own forms would have no Origin
    "Server": "Footnote",  # without the versions of what it runs on
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every response."""

_KEPT = {"Allow", "Retry-After", "WWW-Authenticate"}
_TITLES = {403: "page_forbidden", 404: "page_not_found", 413: "page_too_large", 429: "slow_down"}


def is_for_programs(request: web.Request) -> bool:
    """Tell whether programs use this address, and not people."""
    return request.path.startswith(("/api/", "/mcp"))


def limit_rate(request: web.Request) -> None:
    """Count a question against the visitor's rate limit; raise HTTPTooManyRequests above it."""
    if seconds := request.app[ASSISTANT].seconds_to_wait(request[VISIT].place):
        raise slow_down(request, seconds)


def slow_down(request: web.Request, seconds: int) -> web.HTTPTooManyRequests:
    """Return the error for somebody who asks too much and may go on in `seconds`; to be raised."""
    text = _messages(request)("slow_down_text", seconds=seconds)
    return web.HTTPTooManyRequests(text=text, headers={"Retry-After": str(seconds)})


def _messages(request: web.Request) -> Messages:
    if VISIT in request and not is_for_programs(request):
        return request[VISIT].messages
    return web_messages(DEFAULT)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page, or with problem details, where a handler fails."""
    messages, headers = _messages(request), dict[str, str]()
    try:
        return await handler(request)
    except (ConnectionError, web.RequestPayloadError):  # the client has left, or does not speak HTTP
        raise
    except web.HTTPException as error:
        if (status := error.status) < 400:
            raise
        key, text = _TITLES.get(status, "page_bad_request"), error.text or ""
        if text == f"{status}: {error.reason}":  # the handler gave no text of its own
            text = HTTPStatus(status).description if is_for_programs(request) else messages(f"{key}_text")
        notice = Notice(messages(key), text)
        headers = {name: value for name, value in error.headers.items() if name in _KEPT}
    except Exception as error:  # noqa: BLE001 - logged, and told to the asker
        notice = request.app[ASSISTANT].apology(messages, error)
        status = 503 if isinstance(error, BusyError | DamagedIndexError | MissingError) else 500
        if isinstance(error, NoCollectionError):
            status, text = 404, messages("page_no_collection_text", name=error.name[:80])
            if is_for_programs(request):
                text = f"There is no collection {error.name[:80]!r}. /api/status lists them."
            notice = Notice(notice.title, text)
        if isinstance(error, BusyError):
            headers["Retry-After"] = str(math.ceil(error.seconds or 1))
    return _error(request, status, notice, headers)


def _error(request: web.Request, status: int, notice: Notice, headers: Mapping[str, str]) -> web.Response:
    if is_for_programs(request):
        detail, title = notice.text or notice.title, HTTPStatus(status).phrase
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        kind = "application/problem+json"
        return web.json_response(body, status=status, content_type=kind, headers=headers)
    if VISIT not in request:  # the visitor was not let in
        return web.Response(text=f"{notice.text}\n", status=status, headers=headers)
    page = render(request, "error.html", status=status, title=notice.title, text=notice.text)
    page.headers.update(headers)
    return page
