"""What the bot remembers of who asks: recent exchanges, which follow-ups build on, and rates of questions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import TTLCache

if TYPE_CHECKING:
    from bot.answering.followups import Earlier

__all__ = ["MAX_AGE", "MAX_ANSWERS", "Conversations", "Exchange", "RateLimiter"]

MAX_ANSWERS = 2000
"""Answers that are remembered, the most recently used ones."""

MAX_AGE = 2 * 3600.0
"""Seconds for which an answer is remembered."""

_MINUTE = 60.0
_SERVER_SHARE = 10  # users at their limit whom a server holds before it is limited itself


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question as it was asked and of which collection, its context, and that of its follow-up."""

    question: str
    before: Earlier | None
    after: Earlier
    collection: str = ""


class Conversations:
    """Recent exchanges by the message that holds the answer, and the latest ones by channel and person."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_message: TTLCache[int, Exchange] = TTLCache(MAX_ANSWERS, MAX_AGE, clock)
        self._latest: TTLCache[tuple[int, int | None, bool], Exchange] = TTLCache(
            3 * MAX_ANSWERS, MAX_AGE, clock
        )
        self.passed_on: TTLCache[int, bool] = TTLCache(MAX_ANSWERS, MAX_AGE, clock)
        """Messages whose question was passed on to helpers, so that it happens once."""

    def remember(self, exchange: Exchange, *, message: int, channel: int, user: int, private: bool) -> None:
        """Keep an exchange. A public question never builds on a `private` one, which only the asker saw."""
        self._by_message[message] = exchange
        self._latest[channel, user, True] = exchange
        if not private:
            self._latest[channel, user, False] = self._latest[channel, None, False] = exchange

    def of_message(self, message: int) -> Exchange | None:
        """Return the exchange whose answer this message holds."""
        return self._by_message.get(message)

    def latest(
        self, channel: int, user: int | None = None, *, private: bool = False, collection: str = ""
    ) -> Exchange | None:
        """Return the latest exchange in a channel, or of one user there; with `private`, of any kind.

        None where another collection was asked in it.
        """
        exchange = self._latest.get((channel, user, private))
        return exchange if exchange and exchange.collection == collection else None


class RateLimiter:
    """Token buckets of a minute's questions, one a user and, ten times as large, one a server.

    A bucket is kept as the time at which it is full again (generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the questions a minute of one user, 0 for no limit, and a clock in seconds."""
        self._per_minute, self._clock = per_minute, clock
        self._full_at: TTLCache[tuple[int, int], float] = TTLCache(1 << 16, _MINUTE, clock)

    def take(self, user: int, server: int | None) -> float:
        """Count a question and return 0.0; above the limit, return the seconds to wait, and count nothing."""
        if not self._per_minute:
            return 0.0
        now, taken = self._clock(), {}
        for share, holder in ((1, user), (_SERVER_SHARE, server)):
            if holder is not None:
                full_at = max(self._full_at.get((share, holder), now), now)
                taken[share, holder] = full_at + _MINUTE / (share * self._per_minute)
        wait = max(taken.values()) - now - _MINUTE
        if wait > 1e-6:
            return wait
        self._full_at.update(taken)
        return 0.0
