"""A shutdown finishes answers, cancels the rest, and tells how much it cancelled."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.tasks import Tasks


async def work(tasks: Tasks, seconds: float, done: list[str], *, cancellable: bool = False) -> None:
    with tasks.track(cancellable=cancellable):
        try:
            await asyncio.sleep(seconds)
            done.append("done")
        except asyncio.CancelledError:
            done.append("told")
            raise


@pytest.mark.parametrize(
    ("seconds", "cancellable", "outcome"), [(0.01, False, "done"), (9, False, "told"), (0.01, True, "told")]
)
async def test_draining_finishes_answers_in_time_and_cancels_the_rest(
    seconds: float, cancellable: bool, outcome: str
) -> None:
    tasks, done = Tasks(), list[str]()
    running = asyncio.create_task(work(tasks, seconds, done, cancellable=cancellable))
    await asyncio.sleep(0)
    assert await tasks.drain(0.2 if not cancellable else 0) == (outcome == "told")
    assert done == [outcome]
    assert tasks.stopping
    await asyncio.wait({running})


async def test_background_jobs_are_cancelled_without_being_counted() -> None:
    tasks = Tasks()
    job = tasks.start(asyncio.sleep(9))
    await asyncio.sleep(0)
    assert await tasks.drain(1) == 0
    assert job.cancelled()


async def test_a_failing_background_job_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("boom")

    await Tasks().start(fail())
    assert "boom" in caplog.text


async def test_answers_wait_for_acknowledgements() -> None:
    tasks, order = Tasks(), list[str]()

    async def acknowledge() -> None:
        with tasks.acknowledging():
            await asyncio.sleep(0.01)
            order.append("acknowledged")

    async def answer() -> None:
        await tasks.acknowledged()
        order.append("answered")

    acknowledgements = [asyncio.create_task(acknowledge()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.gather(answer(), *acknowledgements)
    assert order == ["acknowledged", "acknowledged", "answered"]
