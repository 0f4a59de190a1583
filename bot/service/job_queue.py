"""A bounded queue before one worker thread.

Work that is asked for twice while it waits is done once, and who waits is told how long.
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

__all__ = ["Queue", "Waiting"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)

_RECENT = 32
"""Pieces of work whose mean time stands for that of the next."""

_FIRST_GUESS = 0.1
"""Seconds that a piece of work is thought to take before any has been done."""

_SOONEST = 1.0
"""Seconds after which, at the soonest, who is turned away is asked to try again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place in the queue: 1 is next. `seconds` is about how long it will be until the answer."""

    position: int
    seconds: float


@dataclass(slots=True, eq=False)
class _Job:
    """A piece of work in the queue or under way; `askers` counts those who wait for it."""

    submitted: Future[Any]
    outcome: asyncio.Future[Any]
    askers: int = 0


class Queue:
    """Work for one thread, a piece at a time, in the order in which it came."""

    def __init__(self, name: str, places: int, clock: Callable[[], float] = time.perf_counter) -> None:
        """Name the thread, and bound the work that waits or is under way; the clock is in seconds."""
        self._places = places
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._jobs: dict[Hashable, _Job] = {}
        self._took: deque[float] = deque(maxlen=_RECENT)

    def __len__(self) -> int:
        """Return how many pieces of work wait or are under way."""
        return len(self._jobs)

    @property
    def mean_seconds(self) -> float | None:
        """How long the recent pieces of work took on average; None before the first."""
        took = tuple(self._took)
        return sum(took) / len(took) if took else None

    async def do(
        self, key: Hashable, work: Callable[[], _T], waiting: Callable[[Waiting], None] | None = None
    ) -> _T:
        """Return what `work` returns, or raise what it raises; work with the same key is the same work.

        Where that waits already, or is under way, it is not done again: all who ask get its one outcome. Work
        that nobody waits for any more is not begun. `waiting` is called once, at once, where there is other
        work to be done before.

        Raises:
            BusyError: every place is taken; it says after how many seconds to try again.
        """
        job = self._jobs.get(key) or self._add(key, work)
        job.askers += 1
        try:
            if waiting is not None and (ahead := self._ahead_of(job)):
                waiting(Waiting(ahead, (ahead + 1) * self._usual))
            # Shielded, since others may wait for the same.
            outcome: _T = await asyncio.shield(job.outcome)
            return outcome
        finally:
            job.askers -= 1
            if not job.askers and job.submitted.cancel():
                self._leave(key, job)

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Have the thread do this after all that it was given before, whatever the places; from any thread.

        Raises:
            RuntimeError: the queue was closed.
        """
        return self._thread.submit(work)

    def close(self, *, wait: bool = True) -> None:
        """Take no more work, and finish what there is; without `wait`, only what is under way."""
        self._thread.shutdown(wait=wait, cancel_futures=not wait)

    @property
    def _usual(self) -> float:
        mean = self.mean_seconds
        return _FIRST_GUESS if mean is None else mean

    def _add(self, key: Hashable, work: Callable[[], _T]) -> _Job:
        if len(self._jobs) >= self._places:
            seconds = max(_SOONEST, len(self._jobs) * self._usual)
            raise BusyError(
                f"Too many questions are waiting. Try again in {math.ceil(seconds)} s.", seconds=seconds
            )
        submitted = self._thread.submit(self._timed, work)
        job = self._jobs[key] = _Job(submitted, asyncio.wrap_future(submitted))
        job.outcome.add_done_callback(lambda _: self._finish(key, job))
        return job

    def _ahead_of(self, job: _Job) -> int:
        # Counted from the end, where work that was just added is.
        behind = next(count for count, other in enumerate(reversed(self._jobs.values())) if other is job)
        return len(self._jobs) - 1 - behind

    def _timed(self, work: Callable[[], _T]) -> _T:
        begun = self._clock()
        try:
            return work()
        finally:
            self._took.append(self._clock() - begun)

    def _finish(self, key: Hashable, job: _Job) -> None:
        self._leave(key, job)
        error = None if job.outcome.cancelled() else job.outcome.exception()
        if error is not None and not job.askers:
            _LOG.error("Work that nobody waits for any more failed.", exc_info=error)

    def _leave(self, key: Hashable, job: _Job) -> None:
        """Free the place of a job; the same may have been asked for anew since it was given up."""
        if self._jobs.get(key) is job:
            del self._jobs[key]
