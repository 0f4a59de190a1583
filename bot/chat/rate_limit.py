"""How often a user and a server may ask: a token bucket for each, as large as a minute's questions."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Cooldowns"]

_MINUTE = 60.0
_KEPT = 4096
"""Buckets kept of each kind; beyond, those that were soonest full again are forgotten."""

_WHOLE = 1 - 1e-6
"""What counts as one token: after the seconds that were told, rounding may leave just less than 1."""


class Cooldowns:
    """Says whether a question may be asked now, by its user and by the server that it is asked in."""

    def __init__(self, user_rate: int, server_rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the questions a minute of a user and of a server, 0 for no limit, and a clock in seconds."""
        self._users = _Buckets(user_rate)
        self._servers = _Buckets(server_rate)
        self._clock = clock

    def take(self, user: int, server: int | None) -> float:
        """Return 0.0 and count the question where it may be asked, else the seconds until it may.

        A question that may not be asked is not counted. `server` is None in a direct message.
        """
        now = self._clock()
        wait = self._users.wait(user, now)
        if server is not None:
            wait = max(wait, self._servers.wait(server, now))
        if wait == 0:
            self._users.take(user, now)
            if server is not None:
                self._servers.take(server, now)
        return wait

    def __len__(self) -> int:
        """Return how many users and servers are being counted."""
        return len(self._users) + len(self._servers)


@dataclass(frozen=True, slots=True)
class _Bucket:
    """The tokens that were left at a time on the clock."""

    tokens: float
    at: float


class _Buckets:
    """One token bucket an id; an id without one has a full one.

    A bucket that is full again need not be kept. Where too many are not full, the fullest are forgotten: so
    whoever comes with many new ids makes room by these, not by the bucket of somebody who asked too much.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._second = rate / _MINUTE
        self._kept: dict[int, _Bucket] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def wait(self, key: int, now: float) -> float:
        """Return the seconds until there is a token."""
        left = self._left(key, now)
        return 0.0 if not self._rate or left >= _WHOLE else (1 - left) / self._second

    def take(self, key: int, now: float) -> None:
        """Take a token that is there."""
        if not self._rate:
            return
        self._kept[key] = _Bucket(self._left(key, now) - 1, now)
        if len(self._kept) > _KEPT:
            self._forget(now)

    def _left(self, key: int, now: float) -> float:
        kept = self._kept.get(key)
        if kept is None:
            return float(self._rate)
        return min(self._rate, kept.tokens + (now - kept.at) * self._second)

    def _forget(self, now: float) -> None:
        """Keep the emptiest half at most, so that this is seldom done."""
        left = {key: self._left(key, now) for key in self._kept}
        emptiest = heapq.nsmallest(_KEPT // 2, left, key=left.__getitem__)
        self._kept = {key: self._kept[key] for key in emptiest if left[key] < self._rate}
