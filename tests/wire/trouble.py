"""Trouble on Discord's side: planned answers, rate limits, and an API that hangs for a while."""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any, Literal

from tests.wire.records import Fault, Json, Log

__all__ = ["Answer", "Scope", "Trouble"]

Scope = Literal["user", "shared", "global"]
Answer = tuple[int, bytes, dict[str, str], str]  # status, body, headers, content type

_POLL = 0.02
_WITHOUT_GLOBAL = ("/interactions/", "/webhooks/")  # what the global limit does not bind


class _Limit:
    """A rate limit that is hit by the next `times` requests, and holds after each until its time is over."""

    def __init__(self, method: str, path: str, retry_after: float, scope: Scope, times: int) -> None:
        self.method, self.path, self.retry_after, self.scope, self.times = (
            method,
            path,
            retry_after,
            scope,
            times,
        )
        self._until: dict[str, float] = {}

    def left(self, method: str, path: str, now: float) -> float:
        """Return how long this request is to wait, 0 where it may pass."""
        bound = self.scope == "global" and not path.startswith(_WITHOUT_GLOBAL)
        place = "" if bound else path
        left = self._until.get(place, 0.0) - now
        matches = method == self.method and re.search(self.path, path) is not None
        if left > 0 and (bound or matches):
            return left
        if not matches or self.times <= 0:
            return 0.0
        self.times -= 1
        self._until[place] = now + self.retry_after
        return self.retry_after

    def answer(self, left: float) -> Answer:
        """Return the 429."""
        everywhere = self.scope == "global"
        message = "The resource is" if self.scope == "shared" else "You are"
        body: Json = {
            "message": f"{message} being rate limited.",
            "retry_after": round(left, 3),
            "global": everywhere,
        }
        headers = {
            "Retry-After": str(math.ceil(left)),
            "X-RateLimit-Scope": self.scope,
            "Via": "1.1 loopback",  # without it, clients take a 429 for a ban by the network
        }
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers |= {
                "X-RateLimit-Limit": "5", "X-RateLimit-Bucket": "loopback",
                "X-RateLimit-Remaining": "4" if self.scope == "shared" else "0",
                "X-RateLimit-Reset": f"{time.time() + left:.3f}", "X-RateLimit-Reset-After": f"{left:.3f}",
            }  # fmt: skip
        return 429, json.dumps(body).encode(), headers, "application/json"


class Trouble:
    """What is planned to go wrong, and what it makes of a request."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.limits: list[_Limit] = []
        self.paused_until = 0.0

    def rate_limit(
        self, method: str, path: str, *, retry_after: float, scope: Scope = "user", times: int = 1
    ) -> None:
        """Answer the next `times` requests that match with 429; between, whoever comes too early gets it too.

        `path` is a pattern below the API's base. A global limit then binds all but interaction endpoints.
        """
        self.limits.append(_Limit(method, path, retry_after, scope, times))

    def fault(self, method: str, path: str, **answer: Any) -> None:
        """Plan an answer in place of the real one (see `Fault`), once unless `times` says more."""
        self.log.faults.append(Fault(method, path, **answer))

    def pause(self, seconds: float) -> None:
        """Let every request hang for this long, then be answered; 0 ends a pause."""
        self.paused_until = self.log.now() + seconds

    @property
    def paused(self) -> bool:
        """Whether requests hang."""
        return self.paused_until > self.log.now()

    async def met(self, method: str, path: str) -> Answer | None:
        """Wait out a pause, and return the answer that is planned for this request, if one is."""
        while self.paused:
            await self.log.sleep(_POLL)
        for fault in self.log.faults:
            if fault.takes(method, path):
                if fault.delay:
                    await self.log.sleep(fault.delay)
                return fault.status, fault.body, fault.headers, fault.content_type
        now = self.log.now()
        for limit in self.limits:
            if left := limit.left(method, path, now):
                return limit.answer(left)
        return None
