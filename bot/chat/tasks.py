"""Running asyncio tasks: answers that a shutdown waits for, work that it cancels, acknowledgements, signals.

Discord gives up on a command that is not acknowledged within three seconds, and then allows 15 minutes for
the answer. In a burst of questions, acknowledgements therefore go out before answers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

__all__ = ["Tasks", "stopping_on_signal"]

_CANCEL_PATIENCE = 5.0  # seconds that a cancelled task has to tell its user
_LONGEST_DEFERRAL = 2.0  # seconds, so that a steady stream of acknowledgements cannot block the answers
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


class Tasks:
    """The tasks of one bot, in three groups: answers, cancellable work such as rebuilds, background jobs."""

    def __init__(self) -> None:
        self.stopping = False
        """Whether new questions are refused."""
        self._answers: set[asyncio.Task[Any]] = set()
        self._cancellable: set[asyncio.Task[Any]] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self._acknowledging = 0
        self._acknowledged = asyncio.Event()
        self._acknowledged.set()

    @contextmanager
    def track(self, *, cancellable: bool = False) -> Iterator[None]:
        """Track the current task, so that `drain` waits for it, or cancels it if it is `cancellable`."""
        tasks = self._cancellable if cancellable else self._answers
        if (task := asyncio.current_task()) is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)  # not when the block ends: an apology may follow it
        yield

    def start(self, job: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Run a background job. Its failure is logged; `drain` cancels it."""

        async def run() -> None:
            try:
                await job
            except Exception:  # noqa: BLE001 - nobody awaits it
                _log.exception("A background job failed.")

        task = asyncio.create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    @contextmanager
    def acknowledging(self) -> Iterator[None]:
        """Mark an acknowledgement as being sent."""
        self._acknowledging += 1
        self._acknowledged.clear()
        try:
            yield
        finally:
            self._acknowledging -= 1
            if not self._acknowledging:
                self._acknowledged.set()

    async def acknowledged(self) -> None:
        """Wait until no acknowledgement is being sent, two seconds at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._acknowledged.wait(), _LONGEST_DEFERRAL)

    async def drain(self, seconds: float) -> int:
        """Refuse new work, cancel background jobs, finish answers within `seconds`, cancel the rest.

        Returns:
            How many tasks that somebody waited for were cancelled.
        """
        self.stopping = True
        jobs = list(self._background)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._answers:
                    await asyncio.wait(self._answers)
        late = self._answers | self._cancellable
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCEL_PATIENCE)
        return len(late)


@contextmanager
def stopping_on_signal(stop: asyncio.Event) -> Iterator[None]:
    """Set the event at the first signal; end the process at the second, even if the loop hangs."""
    loop = asyncio.get_running_loop()

    def first(_: int, __: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, _leave)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, first) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _: object) -> NoReturn:
    """End at once, with the exit status of a process that the signal ended."""
    with suppress(Exception):  # nothing may keep the process from ending
        _log.warning("Second signal: stopping at once.")
        logging.shutdown()
    os._exit(128 + number)
