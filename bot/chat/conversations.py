"""What was asked and answered lately, for follow-ups: in memory, few and not old; a restart forgets it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.answering.followups import Earlier

__all__ = ["MOST", "OLDEST", "Exchange", "Exchanges"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

MOST = 2000
"""Answers remembered, the latest ones."""

OLDEST = 2 * 3600.0
"""Seconds for which one is remembered."""

_PLACES = 4
"""Of how many places an answer may be the latest: a channel and a person there, in public and in private."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question: of which article (its key), after what, and what the next one may lean on."""

    question: str
    article: str | None
    before: Earlier | None
    after: Earlier


class Exchanges:
    """The latest answers, each by its message, and by where and to whom it was given."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_message: _Recent[int, Exchange] = _Recent(MOST, clock)
        self._latest: _Recent[tuple[int, int | None], Exchange] = _Recent(_PLACES * MOST, clock)
        self._passed_on: _Recent[int, bool] = _Recent(MOST, clock)

    def remember(self, exchange: Exchange, *, message: int, channel: int, user: int) -> None:
        """Keep an exchange under its answer's message, and as the latest of this channel and user."""
        self._by_message.put(message, exchange)
        self._latest.put((channel, user), exchange)
        self._latest.put((channel, None), exchange)

    def of_message(self, message: int) -> Exchange | None:
        """Return what a message of the bot answered, if that is remembered."""
        return self._by_message.get(message)

    def latest(self, channel: int, user: int | None = None) -> Exchange | None:
        """Return the latest exchange in a channel, or there with one user."""
        return self._latest.get((channel, user))

    def begin_passing_on(self, message: int) -> bool:
        """Note that what a message answers is passed on; False where that was noted already."""
        if self._passed_on.get(message):
            return False
        self._passed_on.put(message, True)
        return True

    def not_passed_on(self, message: int) -> None:
        """Note that passing on did not succeed: it may be tried again."""
        self._passed_on.drop(message)

    def __len__(self) -> int:
        """Return how many entries are kept, in all."""
        return len(self._by_message) + len(self._latest) + len(self._passed_on)


class _Recent(Generic[_Key, _Value]):
    """Values by key: those put last, so many at most, and none that is too old."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most, self._clock = most, clock
        self._kept: OrderedDict[_Key, tuple[float, _Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: _Key, value: _Value) -> None:
        """Keep a value in the place of the key's last one."""
        now = self._clock()
        self._kept[key] = (now, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most or now - next(iter(self._kept.values()))[0] > OLDEST:
            self._kept.popitem(last=False)

    def get(self, key: _Key) -> _Value | None:
        """Return the key's value, if it is kept and not too old."""
        at, value = self._kept.get(key, (0.0, None))
        return value if self._clock() - at <= OLDEST else None

    def drop(self, key: _Key) -> None:
        """Keep the key's value no longer."""
        self._kept.pop(key, None)
