"""What is under way, so that stopping can finish the answers and give up the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Work"]

_GIVING_UP = 3.0
"""How long work that was given up may take to say so."""


class Work:
    """The tasks that answer people, and those that need not be waited for (a rebuild)."""

    def __init__(self) -> None:
        self._answers: set[asyncio.Task[Any]] = set()
        self._others: set[asyncio.Task[Any]] = set()
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

    async def drain(self, within: float) -> int:
        """Turn new work away, finish the answers, cancel the rest; return how many were given up."""
        self.stopping = True
        deadline = asyncio.get_running_loop().time() + within
        while self._answers and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._answers, timeout=left)
        late = self._answers | self._others
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_GIVING_UP)
        return len(late)
