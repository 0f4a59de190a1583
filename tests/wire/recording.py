"""The record of what happened: requests, violations, pings; and waiting for something to happen.

If FOOTNOTE_TEST_RECORD=FILE is set when this module is imported, every request is also appended to that file
as a line of JSON: method, path, body (of a multipart form its `payload_json`), status, test, user agent.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

__all__ = ["Log", "Request"]

_T = TypeVar("_T")
_FILE = os.environ.get("FOOTNOTE_TEST_RECORD")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; status 0 means that the connection was reset instead."""

    method: str
    path: str
    body: Any
    status: int
    at: float
    """Seconds of the monotonic clock."""


class Log:
    """Everything that has happened since the last `clear`."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self.clear()

    def clear(self) -> None:
        self.requests: list[Request] = []
        self.violations: list[str] = []
        """What a well-behaved bot does not do."""
        self.pings: list[int] = []
        """The ids of the users and roles that the bot's messages notified; 0 is everyone."""

    def seen(self, method: str, path: str) -> list[Request]:
        """Return the requests with this method whose path matches the pattern, oldest first."""
        return [
            request for request in self.requests if request.method == method and re.search(path, request.path)
        ]

    async def add(self, request: web.Request, path: str, body: Any, status: int) -> None:
        """Add a request; `path` is its path below the API's base."""
        self.requests.append(Request(request.method, path, body, status, time.monotonic()))
        if _FILE is not None:
            _append(Path(_FILE), request, body, status)
        await self.notify()

    async def notify(self) -> None:
        """Have every `until` look again."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Callable[[], _T], what: str, within: float = 5.0) -> _T:
        """Return the first true value of `look()`.

        Raises:
            AssertionError: there was none within so many seconds.
        """
        try:
            async with asyncio.timeout(within), self._changed:
                while not (value := look()):
                    await self._changed.wait()
                return value
        except TimeoutError:
            latest = [f"{row.method} {row.path} -> {row.status}" for row in self.requests[-8:]]
            raise AssertionError(f"waited {within} s for {what}; the latest requests: {latest}") from None


def _append(file: Path, request: web.Request, body: Any, status: int) -> None:
    body = _with_ids_as_text(body) if isinstance(body, dict | list) else None
    row = {"m": request.method, "p": request.path, "body": body, "status": status}
    row |= {"ua": request.headers.get("User-Agent", ""), "test": os.environ.get("PYTEST_CURRENT_TEST", "")}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def _with_ids_as_text(body: Any, key: str = "") -> Any:
    """Return a body with the two ids as text that discord.py sends as numbers; Discord accepts both."""
    if isinstance(body, dict):
        return {name: _with_ids_as_text(value, f"{key}.{name}") for name, value in body.items()}
    if isinstance(body, list):
        return [_with_ids_as_text(value, key) for value in body]
    return str(body) if key in {".recipient_id", ".attachments.id"} else body
