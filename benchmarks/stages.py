"""Timers around methods: how long a question is in each, without what it waits for in the others."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Stages"]


class Stages:
    """Named stopwatches. While one runs inside another, the outer one stands still."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Read the time from a clock, in seconds."""
        self._clock = clock
        self.spent: dict[str, float] = {}
        """Milliseconds in each stage since `start`."""
        self._running: list[str] = []
        self._since = 0.0

    def start(self) -> None:
        """Set every watch to zero."""
        self.spent = dict.fromkeys(self.spent, 0.0)

    def watch(self, owner: Any, method: str, stage: str) -> None:
        """Time every call of a method, of one object or of all of a class, as part of a stage."""
        self.spent.setdefault(stage, 0.0)
        setattr(owner, method, self._timed(getattr(owner, method), stage))

    def _timed(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @functools.wraps(call)
        def timed(*args: Any, **options: Any) -> Any:
            self._switch()
            self._running.append(stage)
            try:
                return call(*args, **options)
            finally:
                self._switch()
                self._running.pop()

        return timed

    def _switch(self) -> None:
        now = self._clock()
        if self._running:
            self.spent[self._running[-1]] += 1000 * (now - self._since)
        self._since = now
