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

    def append_to_file(self, full_path: str, agent: str) -> None:
        """Append the request to the file of recorded requests, if there is one."""
        if _FILE is None:
            return
        body = _with_ids_as_text(self.body) if isinstance(self.body, dict | list) else None
        row = {"m": self.method, "p": full_path, "body": body, "status": self.status, "ua": agent}
        row["test"] = os.environ.get("PYTEST_CURRENT_TEST", "")
        with Path(_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _with_ids_as_text(body: Any, key: str = "") -> Any:
    """Return a body with the two ids as text that discord.py sends as numbers; Discord accepts both."""
    if isinstance(body, dict):
        return {name: _with_ids_as_text(value, f"{key}.{name}") for name, value in body.items()}
    if isinstance(body, list):
        return [_with_ids_as_text(value, key) for value in body]
    return str(body) if key in {".recipient_id", ".attachments.id"} else body


class Log:
    """Everything that has happened since the last `clear`."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self.clear()

    def clear(self) -> None:
        """Start over."""
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

    def add(self, method: str, path: str, body: Any, status: int) -> Request:
        """Add a request."""
        self.requests.append(Request(method, path, body, status, time.monotonic()))
        return self.requests[-1]

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
