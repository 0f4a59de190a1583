"""Recent questions and answers, which follow-ups build on. Kept in memory only; a restart forgets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from bot.answering.followups import Earlier

__all__ = ["MAX_AGE", "MAX_ANSWERS", "Conversations", "Exchange"]

MAX_ANSWERS = 2000
"""Answers that are remembered, the most recently used ones."""

MAX_AGE = 2 * 3600.0
"""Seconds for which an answer is remembered."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question as it was asked, of one article's key or of all, and the context of its follow-up."""

    question: str
    article: str | None
    before: Earlier | None
    after: Earlier


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

    def latest(self, channel: int, user: int | None = None, *, private: bool = False) -> Exchange | None:
        """Return the latest exchange in a channel, or of one user there; with `private`, of any kind."""
        return self._latest.get((channel, user, private))
