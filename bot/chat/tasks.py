"""What is under way, so that stopping can finish the answers and give up the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Work"]

_GIVING_UP = 5.0
"""How long work that was given up may take to say so."""

_log = logging.getLogger(__name__)


class Work:
    """The tasks that answer people, those that somebody waits for (a rebuild), and jobs in the background."""

    def __init__(self) -> None:
        self._answers: set[asyncio.Task[Any]] = set()
        self._others: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self.stopping = False
        """Whether new questions are turned away."""

    @contextmanager
    def answer(self) -> Iterator[None]:
        """Count the current task as an answer: stopping waits for it."""
        yield from self._counted(self._answers)

    @contextmanager
    def other(self) -> Iterator[None]:
        """Count the current task as work that stopping cancels once the answers are out."""
        yield from self._counted(self._others)

    @staticmethod
    def _counted(tasks: set[asyncio.Task[Any]]) -> Iterator[None]:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)  # not earlier: an apology may follow the work itself
        yield

    def start(self, job: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Run a job in the background, for nobody in particular: stopping gives it up without a word."""

        async def run() -> None:
            try:
                await job
            except Exception:  # noqa: BLE001 -- nobody need wait for it, so the log is told
                _log.exception("A job in the background failed.")

        task = asyncio.create_task(run())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return task

    async def drain(self, within: float) -> int:
        """Turn new work away, give up the jobs, finish the answers, cancel the rest.

        Returns:
            How many somebody waited for that were given up.
        """
        self.stopping = True
        jobs = list(self._jobs)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        deadline = asyncio.get_running_loop().time() + within
        while self._answers and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._answers, timeout=left)
        late = self._answers | self._others
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_GIVING_UP)
        return len(late)
