"""A bounded job queue in front of one worker thread.

Identical jobs in flight are run once for all callers, and a caller hears its place in the queue.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from index.errors import BusyError

__all__ = ["JobQueue", "QueuePosition"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)

_RECENT = 32  # jobs whose mean duration estimates the next one's
_FIRST_ESTIMATE = 0.1  # seconds that a job is expected to take before any has run
_SHORTEST_RETRY = 1.0  # seconds after which, at the earliest, a rejected caller is asked to try again


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A job's place in the queue, from 1, and the estimated seconds until its result."""

    position: int
    seconds: float


@dataclass(slots=True, eq=False)
class _Job:
    """A job that waits or runs, and how many callers await it."""

    submitted: Future[Any]
    outcome: asyncio.Future[Any]
    callers: int = 0


class JobQueue:
    """Runs jobs in one thread, one at a time, first in, first out."""

    def __init__(self, name: str, capacity: int, clock: Callable[[], float] = time.perf_counter) -> None:
        """Name the thread, and bound the jobs that wait or run; the clock is in seconds."""
        self._capacity = capacity
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._jobs: dict[Hashable, _Job] = {}
        self._durations: deque[float] = deque(maxlen=_RECENT)

    def __len__(self) -> int:
        """Return how many jobs wait or run."""
        return len(self._jobs)

    @property
    def mean_seconds(self) -> float:
        """The mean duration of recent jobs, 0 before the first."""
        durations = tuple(self._durations)
        return sum(durations) / len(durations) if durations else 0.0

    async def run(
        self, key: Hashable, work: Callable[[], _T], on_wait: Callable[[QueuePosition], None] | None = None
    ) -> _T:
        """Return what `work` returns, or raise what it raises.

        A job with the same key that waits or runs is awaited instead of running again. A job that nobody
        awaits any more is not begun. `on_wait` is called once, at once, if other jobs come first.

        Raises:
            BusyError: the queue is full; it says after how many seconds to try again.
        """
        job = self._jobs.get(key) or self._add(key, work)
        job.callers += 1
        try:
            if on_wait is not None and (ahead := list(self._jobs.values()).index(job)):
                on_wait(QueuePosition(ahead, (ahead + 1) * (self.mean_seconds or _FIRST_ESTIMATE)))
            # Shielded, since others may await the same job.
            outcome: _T = await asyncio.shield(job.outcome)
            return outcome
        finally:
            job.callers -= 1
            if not job.callers and job.submitted.cancel():
                self._forget(key, job)

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Run this after every job so far, whatever the capacity; callable from any thread.

        Raises:
            RuntimeError: the queue was closed.
        """
        return self._thread.submit(work)

    def close(self, *, wait: bool = True) -> None:
        """Take no more jobs, and finish those there are; without `wait`, only the running one."""
        self._thread.shutdown(wait=wait, cancel_futures=not wait)

    def _add(self, key: Hashable, work: Callable[[], _T]) -> _Job:
        if len(self._jobs) >= self._capacity:
            seconds = max(_SHORTEST_RETRY, len(self._jobs) * (self.mean_seconds or _FIRST_ESTIMATE))
            message = f"Too many questions are waiting. Try again in {math.ceil(seconds)} s."
            raise BusyError(message, seconds=seconds)
        submitted = self._thread.submit(self._timed, work)
        job = self._jobs[key] = _Job(submitted, asyncio.wrap_future(submitted))
        job.outcome.add_done_callback(lambda _: self._finish(key, job))
        return job

    def _timed(self, work: Callable[[], _T]) -> _T:
        begun = self._clock()
        try:
            return work()
        finally:
            self._durations.append(self._clock() - begun)

    def _finish(self, key: Hashable, job: _Job) -> None:
        self._forget(key, job)
        error = None if job.outcome.cancelled() else job.outcome.exception()
        if error is not None and not job.callers:
            _LOG.error("A job that nobody awaits any more failed.", exc_info=error)

    def _forget(self, key: Hashable, job: _Job) -> None:
        """Free a job's place; the same key may have been asked for again since it was given up."""
        if self._jobs.get(key) is job:
            del self._jobs[key]
