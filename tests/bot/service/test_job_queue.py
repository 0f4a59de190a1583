"""The job queue: one thread, in order, identical jobs once, a bound, and the place in the queue."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from bot.service.job_queue import JobQueue, QueuePosition
from index.errors import BusyError, FootnoteError
from tests.bot.services import BOUND, until

CAPACITY = 4


@dataclass
class Jobs:
    """Makes jobs that wait for the gate, by a clock that only they move."""

    now: float = 0.0
    seconds: float = 2.0
    done: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    def clock(self) -> float:
        return self.now

    def __call__(self, name: str, error: Exception | None = None) -> Callable[[], str]:
        def job() -> str:
            self.begun.set()
            assert self.gate.wait(BOUND)
            self.now += self.seconds
            self.done.append(name)
            if error is not None:
                raise error
            return name.upper()

        return job


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
async def queue(jobs: Jobs) -> AsyncIterator[JobQueue]:
    made = JobQueue("test-queue", CAPACITY, jobs.clock)
    yield made
    jobs.gate.set()
    await asyncio.wait_for(asyncio.to_thread(made.close), BOUND)


def run_each(queue: JobQueue, jobs: Jobs, names: str) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(queue.run(name, jobs(name))) for name in names]


async def test_jobs_run_off_the_loop_in_the_order_in_which_they_came(queue: JobQueue, jobs: Jobs) -> None:
    jobs.gate.set()
    assert await queue.run("thread", threading.current_thread) is not threading.main_thread()
    assert await asyncio.gather(*run_each(queue, jobs, "acb")) == ["A", "C", "B"]
    assert jobs.done == ["a", "c", "b"]
    assert len(queue) == 0


async def test_identical_jobs_in_flight_run_once_and_take_one_place(queue: JobQueue, jobs: Jobs) -> None:
    tasks = run_each(queue, jobs, "a" * 50 + "b" * 50)
    await asyncio.sleep(0)
    assert len(queue) == 2
    jobs.gate.set()
    assert await asyncio.gather(*tasks) == ["A"] * 50 + ["B"] * 50
    assert await queue.run("a", jobs("a")) == "A"
    assert jobs.done == ["a", "b", "a"]


async def test_a_cancelled_caller_leaves_the_result_to_the_others(queue: JobQueue, jobs: Jobs) -> None:
    tasks = run_each(queue, jobs, "abbab")
    await until(jobs.begun.is_set)
    for task in (tasks[1], tasks[3]):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    jobs.gate.set()
    assert [await tasks[at] for at in (0, 2, 4)] == ["A", "B", "B"]
    assert jobs.done == ["a", "b"]


async def test_a_job_without_callers_is_not_begun_and_frees_its_place(queue: JobQueue, jobs: Jobs) -> None:
    tasks = run_each(queue, jobs, "abbcd")
    await until(jobs.begun.is_set)
    for task in tasks[1:3]:
        task.cancel()
    await asyncio.wait(tasks[1:3])
    more = run_each(queue, jobs, "e")
    jobs.gate.set()
    assert await asyncio.gather(tasks[0], *tasks[3:], *more) == ["A", "C", "D", "E"]
    assert jobs.done == ["a", "c", "d", "e"]


async def test_a_job_asked_for_again_right_after_it_was_cancelled_runs_once(
    queue: JobQueue, jobs: Jobs
) -> None:
    tasks = run_each(queue, jobs, "ab")
    await until(jobs.begun.is_set)
    tasks[1].cancel()
    again = run_each(queue, jobs, "b")
    await asyncio.wait(tasks[1:])
    await asyncio.sleep(0.01)
    again += run_each(queue, jobs, "b")
    await asyncio.sleep(0)
    assert len(queue) == 2
    jobs.gate.set()
    assert await asyncio.gather(*again) == ["B", "B"]
    assert jobs.done == ["a", "b"]


async def test_a_running_job_without_callers_can_be_joined(queue: JobQueue, jobs: Jobs) -> None:
    (task,) = run_each(queue, jobs, "a")
    await until(jobs.begun.is_set)
    task.cancel()
    await asyncio.wait([task])
    assert len(queue) == 1
    (again,) = run_each(queue, jobs, "a")
    await asyncio.sleep(0)
    jobs.gate.set()
    assert await again == "A"
    assert jobs.done == ["a"]


async def test_every_caller_gets_the_error_and_it_is_logged_only_if_nobody_awaits_it(
    queue: JobQueue, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    failing = jobs("a", FootnoteError("The index is damaged."))
    tasks = [asyncio.create_task(queue.run("a", failing)) for _ in range(3)]
    await asyncio.sleep(0)
    jobs.gate.set()
    for task in tasks:
        with pytest.raises(FootnoteError, match="damaged"):
            await task
    assert (jobs.done, caplog.text) == (["a"], "")
    jobs.gate.clear()
    jobs.begun.clear()
    task = asyncio.create_task(queue.run("a", failing))
    await until(jobs.begun.is_set)
    task.cancel()
    await asyncio.wait([task])
    with caplog.at_level(logging.ERROR, "bot.service.job_queue"):
        jobs.gate.set()
        assert await queue.run("b", jobs("b")) == "B"
    assert "nobody awaits" in caplog.text
    assert "The index is damaged." in caplog.text


async def test_a_waiting_caller_hears_its_place_and_the_seconds_to_its_result_once(
    queue: JobQueue, jobs: Jobs
) -> None:
    assert queue.mean_seconds is None
    jobs.gate.set()
    for number in range(100):  # the mean is that of recent jobs
        jobs.seconds = 50.0 if number < 50 else 2.0
        await queue.run(number, jobs("a"))
    assert queue.mean_seconds == 2.0
    jobs.gate.clear()
    heard: list[tuple[str, QueuePosition]] = []
    tasks = [
        asyncio.create_task(queue.run(name, jobs(name), lambda place, name=name: heard.append((name, place))))
        for name in "abacb"
    ]
    await asyncio.sleep(0)
    assert heard == [
        ("b", QueuePosition(1, 4.0)),
        ("c", QueuePosition(2, 6.0)),
        ("b", QueuePosition(1, 4.0)),
    ]
    jobs.gate.set()
    await asyncio.gather(*tasks)
    assert len(heard) == 3


@pytest.mark.parametrize(("seconds", "retry"), [(2.0, 8.0), (0.001, 1.0)])
async def test_a_full_queue_refuses_other_jobs_and_says_when_to_try_again(
    queue: JobQueue, jobs: Jobs, seconds: float, retry: float
) -> None:
    jobs.seconds = seconds
    jobs.gate.set()
    await queue.run("x", jobs("x"))
    jobs.gate.clear()
    tasks = run_each(queue, jobs, "abcd")
    await asyncio.sleep(0)
    message = rf"^Too many questions are waiting\. Try again in {retry:.0f} s\.$"
    with pytest.raises(BusyError, match=message) as refused:
        await queue.run("e", jobs("e"))
    assert refused.value.seconds == retry
    joined = run_each(queue, jobs, "d")
    jobs.gate.set()
    assert await asyncio.gather(*tasks, *joined) == ["A", "B", "C", "D", "D"]
    assert await queue.run("e", jobs("e")) == "E"


async def test_a_callback_that_fails_reaches_its_caller_and_leaves_no_job(
    queue: JobQueue, jobs: Jobs
) -> None:
    def fail(place: QueuePosition) -> None:
        raise ValueError(f"no room for {place.position}")

    tasks = run_each(queue, jobs, "a")
    await until(jobs.begun.is_set)
    with pytest.raises(ValueError, match="no room for 1"):
        await queue.run("b", jobs("b"), fail)
    jobs.gate.set()
    await asyncio.gather(*tasks)
    assert await queue.run("c", jobs("c")) == "C"
    assert jobs.done == ["a", "c"]


async def test_submitted_jobs_come_last_whatever_the_capacity_and_close_finishes_all(jobs: Jobs) -> None:
    queue = JobQueue("test-queue", CAPACITY, jobs.clock)
    tasks = run_each(queue, jobs, "abcd")
    await asyncio.sleep(0)
    submitted = queue.submit(jobs("last"))
    closing = asyncio.create_task(asyncio.to_thread(queue.close))
    await asyncio.sleep(0)
    jobs.gate.set()
    assert await asyncio.gather(*tasks) == ["A", "B", "C", "D"]
    await asyncio.wait_for(closing, BOUND)
    assert submitted.result() == "LAST"
    assert jobs.done == [*"abcd", "last"]
    with pytest.raises(RuntimeError):
        queue.submit(jobs("e"))
