"""Faults on Discord's side: planned responses, connection resets, rate limits, an API that hangs."""

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
    """A response in place of the real one, for the next `times` requests that match.

    With `reset` the connection breaks instead; with `acting` the request takes effect all the same.
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
    """The planned faults; each `path` is a pattern of the path below the API's base."""

    def __init__(self) -> None:
        self._running = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Drop every planned fault, and end a pause."""
        self.planned: list[Answer] = []
        self.used = False
        """Whether there have been any, so that the bot is not to blame for a late acknowledgement."""
        self._running.set()

    def answer(self, method: str, path: str, **options: Any) -> None:
        """Plan a response in place of the real one (see `Answer`)."""
        self.used = True
        self.planned.append(Answer(method, path, **options))

    def rate_limit(
        self, method: str, path: str, seconds: float, scope: Scope, times: int = 1, *, via: bool = True
    ) -> None:
        """Have the next requests that match hit a rate limit; without `via`, as servers but Discord do."""
        everywhere = scope == "global"
        body = {"message": "You are rate limited.", "retry_after": seconds, "global": everywhere}
        headers = {"Retry-After": str(math.ceil(seconds)), "X-RateLimit-Scope": scope}
        headers |= {"Via": "1.1 loopback"} if via else {}  # without it, discord.py takes it for a ban
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
        """Let every request hang for so long; then they are answered as usual."""
        self.used = True
        self._running.clear()
        asyncio.get_running_loop().call_later(seconds, self._running.set)

    async def meet(self, method: str, path: str) -> Answer | None:
        """Wait out a pause, then return the response planned for this request, if any."""
        await self._running.wait()
        for answer in self.planned:
            if answer.times > 0 and answer.method == method and re.search(answer.path, path):
                answer.times -= 1
                await asyncio.sleep(answer.delay)
                return answer
        return None
