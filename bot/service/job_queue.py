"""A bounded job queue in front of one worker thread; callers are told their place in it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from index.errors import BusyError

__all__ = ["JobQueue", "QueuePosition"]

_T = TypeVar("_T")

_RECENT = 32  # jobs whose mean duration estimates the next one's
_FIRST_ESTIMATE = 0.1  # seconds that a job is expected to take before any has run
_SHORTEST_RETRY = 1.0  # seconds after which, at the earliest, a rejected caller is asked to try again


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A job's place in the queue, from 1, and the estimated seconds until its result."""

    position: int
    seconds: float


class JobQueue:
    """Runs jobs in one thread, one at a time, first in, first out."""

    def __init__(self, name: str, capacity: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._capacity = capacity
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._awaited = 0
        self._durations: deque[float] = deque(maxlen=_RECENT)

    def __len__(self) -> int:
        """Return how many jobs wait or run for somebody."""
        return self._awaited

    @property
    def mean_seconds(self) -> float:
        """The mean duration of recent jobs, 0 before the first."""
        durations = tuple(self._durations)
        return sum(durations) / len(durations) if durations else 0.0

    async def run(self, work: Callable[[], _T], on_wait: Callable[[QueuePosition], None] | None = None) -> _T:
        """Return what `work` returns, or raise what it raises; if cancelled while it waits, it is not begun.

        `on_wait` is called once, at once, if other jobs come first.

        Raises:
            BusyError: the queue is full; it says after how many seconds to try again.
        """
        ahead, estimate = self._awaited, self.mean_seconds or _FIRST_ESTIMATE
        if ahead >= self._capacity:
            seconds = max(_SHORTEST_RETRY, ahead * estimate)
            message = f"Too many questions are waiting. Try again in {math.ceil(seconds)} s."
            raise BusyError(message, seconds=seconds)
        if on_wait is not None and ahead:
            on_wait(QueuePosition(ahead, (ahead + 1) * estimate))
        self._awaited += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(self._timed, work))
        finally:
            self._awaited -= 1

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Run this after every job so far, whatever the capacity; callable from any thread.

        Raises:
            RuntimeError: the queue was closed.
        """
        return self._thread.submit(work)

    def close(self, *, wait: bool = True) -> None:
        """Take no more jobs, and finish those there are; without `wait`, only the running one."""
        self._thread.shutdown(wait=wait, cancel_futures=not wait)

    def _timed(self, work: Callable[[], _T]) -> _T:
        begun = self._clock()
        try:
            return work()
        finally:
            self._durations.append(self._clock() - begun)
