"""What the loopback Discord remembers of the wire: requests, refusals, planned faults, pings."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["Fault", "Json", "Log", "Ping", "RefusedError", "Request"]

Json = dict[str, Any]
_T = TypeVar("_T")


class RefusedError(Exception):
    """A request that Discord answers with an error; `code` is Discord's JSON error code.

    `violation` is False where a well-behaved client can meet the refusal (a deleted message, say).
    """

    def __init__(
        self, status: int, code: int, message: str, errors: Json | None = None, *, violation: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.violation = violation
        self.body: Json = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came, and the status it got."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    at: float
    status: int = 0


@dataclass(frozen=True, slots=True)
class Ping:
    """A notification that a message of the bot would have given somebody."""

    message_id: str
    whom: str


@dataclass(slots=True)
class Fault:
    """An answer planned in place of the real one, for the next `times` requests that match."""

    method: str
    path: str
    status: int = 503
    body: bytes = b'{"message": "planned fault", "code": 0}'
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    delay: float = 0.0

    def takes(self, method: str, path: str) -> bool:
        """Say whether this request meets the fault, and use it up by one."""
        if self.times <= 0 or method != self.method or not re.search(self.path, path):
            return False
        self.times -= 1
        return True


class Log:
    """Everything that happened, and a way to wait, with a bound, for something to happen."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.pings: list[Ping] = []
        self.faults: list[Fault] = []
        self._changed = asyncio.Condition()

    def seen(self, method: str, path: str) -> list[Request]:
        """Return the requests with this method whose path matches the pattern, oldest first."""
        return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    @staticmethod
    def now() -> float:
        """Return the time by which requests are stamped."""
        return time.monotonic()

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Wait; planned delays are waited here."""
        await asyncio.sleep(seconds)

    async def changed(self) -> None:
        """Wake those who wait."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Callable[[], _T], what: str, within: float = 3.0) -> _T:
        """Return the first true value of `look()`; fail after `within` seconds, saying what was awaited."""
        try:
            async with asyncio.timeout(within):
                async with self._changed:
                    while not (found := look()):
                        await self._changed.wait()
                    return found
        except TimeoutError:
            tail = [f"{r.method} {r.path} -> {r.status}" for r in self.requests[-8:]]
            raise AssertionError(f"waited {within} s for {what}; last requests: {tail}") from None
