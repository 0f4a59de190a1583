"""Trouble on Discord's side: planned answers, connections that break, rate limits, an API that hangs."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Answer", "Faults", "Scope"]

Scope = Literal["user", "shared", "global"]


@dataclass(slots=True)
class Answer:
    """An answer in place of the real one, for the next `times` requests that match.

    With `reset` the connection breaks instead; with `acting` the request has taken effect all the same.
    """

    method: str
    path: str
    status: int = 503
    body: bytes = b'{"message": "planned", "code": 0}'
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    delay: float = 0.0
    reset: bool = False
    acting: bool = False


class Faults:
    """What is planned to go wrong; `path` is a pattern of the path below the API's base."""

    def __init__(self) -> None:
        self.planned: list[Answer] = []
        self._open = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Plan nothing any more, and end a pause."""
        self.planned = []
        self._open.set()

    def answer(self, method: str, path: str, **more: Any) -> None:
        """Plan an answer in place of the real one (see `Answer`)."""
        self.planned.append(Answer(method, path, **more))

    def rate_limit(self, method: str, path: str, seconds: float, scope: Scope, times: int = 1) -> None:
        """Have the next requests that match hit a rate limit."""
        everywhere = scope == "global"
        body = {"message": "You are rate limited.", "retry_after": seconds, "global": everywhere}
        headers = {
            "Retry-After": str(math.ceil(seconds)), "X-RateLimit-Scope": scope,
            "Via": "1.1 loopback",  # without it, clients take a 429 for a ban by the network in front
        }  # fmt: skip
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers |= {
                "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0" if scope == "user" else "4",
                "X-RateLimit-Reset": f"{time.time() + seconds:.3f}", "X-RateLimit-Bucket": "loopback",
                "X-RateLimit-Reset-After": f"{seconds:.3f}",
            }  # fmt: skip
        self.answer(method, path, status=429, body=json.dumps(body).encode(), headers=headers, times=times)

    def pause(self, seconds: float) -> None:
        """Let every request hang for this long, and then be answered as usual."""
        self._open.clear()
        asyncio.get_running_loop().call_later(seconds, self._open.set)

    @property
    def paused(self) -> bool:
        """Whether requests hang."""
        return not self._open.is_set()

    async def meet(self, method: str, path: str) -> Answer | None:
        """Wait out a pause, and return the answer that is planned for this request, if one is."""
        await self._open.wait()
        for planned in self.planned:
            if planned.times > 0 and planned.method == method and re.search(planned.path, path):
                planned.times -= 1
                await asyncio.sleep(planned.delay)
                return planned
        return None
