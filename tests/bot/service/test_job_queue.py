"""The job queue: one thread, in order, identical jobs once, a bound, and the place in the queue."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator

import pytest

from bot.service.job_queue import JobQueue, QueuePosition
from index.errors import BusyError, FootnoteError
from tests.bot.services import BOUND, until


class GatedQueue(JobQueue):
    """A queue of 4 places; its jobs wait for a gate, and take some seconds by a clock that only they move."""

    def __init__(self) -> None:
        super().__init__("test-queue", 4, lambda: self.now)
        self.now, self.seconds = 0.0, 2.0
        self.done: list[str] = []
        self.heard: list[QueuePosition] = []
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def start(self, names: str, error: Exception | None = None) -> list[asyncio.Task[str]]:
        """Run a job for each letter; it returns the letter in upper case, or raises the error."""
        jobs = ((name, functools.partial(self._work, name, error)) for name in names)
        return [asyncio.create_task(self.run(name, job, self.heard.append)) for name, job in jobs]

    async def start_gated(self, names: str, error: Exception | None = None) -> list[asyncio.Task[str]]:
        """Start jobs that wait until the gate is set, and wait until the first runs."""
        self.gate.clear()
        self.begun.clear()
        tasks = self.start(names, error)
        await until(self.begun.is_set)
        return tasks

    def _work(self, name: str, error: Exception | None) -> str:
        self.begun.set()
        assert self.gate.wait(BOUND)
        self.now += self.seconds
        self.done.append(name)
        if error is not None:
            raise error
        return name.upper()


async def cancel(*tasks: asyncio.Task[str]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def queue() -> AsyncIterator[GatedQueue]:
    made = GatedQueue()
    yield made
    made.gate.set()
    await asyncio.wait_for(asyncio.to_thread(made.close), BOUND)


async def test_jobs_run_off_the_loop_in_order_and_identical_ones_in_flight_once(queue: GatedQueue) -> None:
    assert await queue.run("thread", threading.current_thread) is not threading.main_thread()
    tasks = await queue.start_gated("acb" * 20)
    assert len(queue) == 3
    queue.gate.set()
    assert await asyncio.gather(*tasks) == [*"ACB" * 20]
    assert await asyncio.gather(*queue.start("a")) == ["A"]
    assert (queue.done, len(queue)) == ([*"acba"], 0)


async def test_a_job_without_callers_is_not_begun_and_frees_its_place(queue: GatedQueue) -> None:
    running, second, third, *others = await queue.start_gated("abbcd")
    await cancel(running, second, third)
    assert len(queue) == 3  # the one that runs keeps its place, and can be joined
    others += queue.start("ea")
    queue.gate.set()
    assert await asyncio.gather(*others) == [*"CDEA"]
    assert queue.done == [*"acde"]


async def test_a_job_asked_for_again_while_it_is_cancelled_runs_once(queue: GatedQueue) -> None:
    _, second = await queue.start_gated("ab")
    second.cancel()
    again = queue.start("b")
    await asyncio.wait([second])
    await asyncio.sleep(0.01)
    again += queue.start("b")
    queue.gate.set()
    assert await asyncio.gather(*again) == ["B", "B"]
    assert queue.done == ["a", "b"]


async def test_every_caller_gets_the_error_and_it_is_logged_only_if_nobody_awaits_it(
    queue: GatedQueue, caplog: pytest.LogCaptureFixture
) -> None:
    error = FootnoteError("The index is damaged.")
    assert await asyncio.gather(*queue.start("aaa", error), return_exceptions=True) == [error] * 3
    assert (queue.done, caplog.text) == (["a"], "")
    await cancel(*await queue.start_gated("a", error))
    queue.gate.set()
    assert await asyncio.gather(*queue.start("b")) == ["B"]
    assert "nobody awaits" in caplog.text
    assert "The index is damaged." in caplog.text


async def test_a_waiting_caller_hears_its_place_and_the_seconds_to_its_result_once(queue: GatedQueue) -> None:
    first_mean, queue.seconds = queue.mean_seconds, 50.0
    await asyncio.gather(*queue.start("a"))
    queue.seconds = 2.0
    for _ in range(50):  # the mean is that of recent jobs
        await asyncio.gather(*queue.start("a"))
    assert (first_mean, queue.mean_seconds, queue.heard) == (None, 2.0, [])
    tasks = await queue.start_gated("abacb")
    queue.gate.set()
    await asyncio.gather(*tasks)
    assert queue.heard == [QueuePosition(1, 4.0), QueuePosition(2, 6.0), QueuePosition(1, 4.0)]


@pytest.mark.parametrize(("seconds", "retry"), [(2.0, 8.0), (0.001, 1.0)])
async def test_a_full_queue_refuses_other_jobs_and_says_when_to_try_again(
    queue: GatedQueue, seconds: float, retry: float
) -> None:
    queue.seconds = seconds
    await asyncio.gather(*queue.start("x"))
    tasks = await queue.start_gated("abcd")
    message = rf"^Too many questions are waiting\. Try again in {retry:.0f} s\.$"
    with pytest.raises(BusyError, match=message) as refused:
        await asyncio.gather(*queue.start("e"))
    assert refused.value.seconds == retry
    tasks += queue.start("d")
    queue.gate.set()
    assert await asyncio.gather(*tasks) == [*"ABCDD"]


async def test_submitted_jobs_come_last_whatever_the_capacity_and_close_finishes_all() -> None:
    queue = GatedQueue()
    tasks = await queue.start_gated("abcd")
    queue.submit(lambda: queue.done.append("last"))
    closing = asyncio.create_task(asyncio.to_thread(queue.close))
    await asyncio.sleep(0)
    queue.gate.set()
    assert await asyncio.gather(*tasks) == [*"ABCD"]
    await asyncio.wait_for(closing, BOUND)
    assert queue.done == [*"abcd", "last"]
    with pytest.raises(RuntimeError):
        queue.submit(queue.close)
