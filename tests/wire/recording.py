"""What the loopback Discord notes: every request, what was refused, whom the bot's messages ping.

With FOOTNOTE_TEST_RECORD=FILE in the environment when this is imported, each request is also appended to that
file as a line of JSON: method, path, body (of a form its `payload_json`), status, test, user agent.
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
    """One HTTP request; the status is 0 where the connection was broken instead."""

    method: str
    path: str
    body: Any
    status: int
    at: float
    """Seconds of the monotonic clock."""

    def append_to_file(self, whole_path: str, agent: str) -> None:
        """Append the request to the file of recorded requests, where there is one."""
        if _FILE is None:
            return
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        about = {"m": self.method, "p": whole_path, "status": self.status, "test": test, "ua": agent}
        body = self.body if isinstance(self.body, dict | list) else None
        with Path(_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(about | {"body": _as_text(body)}) + "\n")


def _as_text(body: Any, key: str = "") -> Any:
    """Return a body with two ids as text that discord.py sends as numbers; Discord takes both."""
    if isinstance(body, dict):
        return {name: _as_text(value, f"{key}.{name}") for name, value in body.items()}
    if isinstance(body, list):
        return [_as_text(value, key) for value in body]
    return str(body) if key in {".recipient_id", ".attachments.id"} else body


class Log:
    """Everything that happened, and a way to wait, within a bound, for something to happen."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self.clear()

    def clear(self) -> None:
        """Forget what happened."""
        self.requests: list[Request] = []
        self.violations: list[str] = []
        """What a well-behaved bot does not do."""
        self.pings: list[int] = []
        """Whom the bot's messages notify, by id; 0 is everyone."""

    def seen(self, method: str, path: str) -> list[Request]:
        """Return the requests with this method whose path matches the pattern, oldest first."""
        return [one for one in self.requests if one.method == method and re.search(path, one.path)]

    def add(self, method: str, path: str, body: Any, status: int) -> Request:
        """Note a request."""
        self.requests.append(Request(method, path, body, status, time.monotonic()))
        return self.requests[-1]

    async def changed(self) -> None:
        """Wake those who wait."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Callable[[], _T], what: str, within: float = 5.0) -> _T:
        """Return the first true value of `look()`; fail after `within` seconds, saying what was awaited."""
        try:
            async with asyncio.timeout(within), self._changed:
                while not (found := look()):
                    await self._changed.wait()
                return found
        except TimeoutError:
            last = [f"{one.method} {one.path} -> {one.status}" for one in self.requests[-8:]]
            raise AssertionError(f"waited {within} s for {what}; the last requests: {last}") from None
