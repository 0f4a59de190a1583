"""The queue: work in order, the same only once, a bound, and word of how long it takes."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from bot.service.job_queue import Queue, Waiting
from index.errors import BusyError, FootnoteError
from tests.bot.services import BOUND, until

PLACES = 4


@dataclass
class Work:
    """Work that takes as long as it is made to, by a clock that only work moves."""

    now: float = 0.0
    seconds: float = 2.0
    done: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    def clock(self) -> float:
        return self.now

    def __call__(self, name: str, error: Exception | None = None) -> Callable[[], str]:
        def work() -> str:
            self.begun.set()
            assert self.gate.wait(BOUND)
            self.now += self.seconds
            self.done.append(name)
            if error is not None:
                raise error
            return name.upper()

        return work

    async def until_begun(self) -> None:
        """Wait until some work is under way."""

        async def begun() -> bool:
            return self.begun.is_set()

        await until(begun)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def queue(work: Work) -> AsyncIterator[Queue]:
    made = Queue("test-queue", PLACES, work.clock)
    yield made
    work.gate.set()
    await asyncio.wait_for(asyncio.to_thread(made.close), BOUND)


def asking(
    queue: Queue, work: Work, *names: str, waiting: Callable[[Waiting], None] | None = None
) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(queue.do(name, work(name), waiting)) for name in names]


async def test_work_is_done_off_the_loop_in_the_order_in_which_it_came(queue: Queue, work: Work) -> None:
    threads: list[threading.Thread] = []
    work.gate.set()
    await queue.do("where", lambda: threads.append(threading.current_thread()))
    assert await asyncio.gather(*asking(queue, work, *"acb")) == ["A", "C", "B"]
    assert work.done == ["a", "c", "b"]
    assert threads != [threading.main_thread()]
    assert len(queue) == 0


async def test_the_same_work_is_done_once_for_all_who_ask_and_takes_one_place(
    queue: Queue, work: Work
) -> None:
    asked = asking(queue, work, *["a"] * 50, *["b"] * 50)
    await asyncio.sleep(0)
    assert len(queue) == 2
    work.gate.set()
    assert await asyncio.gather(*asked) == ["A"] * 50 + ["B"] * 50
    assert work.done == ["a", "b"]
    assert await queue.do("a", work("a")) == "A"
    assert work.done == ["a", "b", "a"]


async def test_who_gives_up_leaves_the_answer_to_the_others(queue: Queue, work: Work) -> None:
    first, gives_up, waits, gives_up_too, also_waits = asking(queue, work, "a", "b", "b", "a", "b")
    await work.until_begun()
    for task in (gives_up, gives_up_too):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    work.gate.set()
    assert [await first, await waits, await also_waits] == ["A", "B", "B"]
    assert work.done == ["a", "b"]


async def test_work_that_nobody_waits_for_any_more_is_not_begun_and_its_place_is_free(
    queue: Queue, work: Work
) -> None:
    asked = asking(queue, work, "a", "b", "b", "c", "d")
    await work.until_begun()
    for task in asked[1:3]:
        task.cancel()
    await asyncio.wait(asked[1:3])
    more = asking(queue, work, "e")
    work.gate.set()
    assert await asyncio.gather(asked[0], *asked[3:], *more) == ["A", "C", "D", "E"]
    assert work.done == ["a", "c", "d", "e"]


async def test_work_asked_for_again_as_soon_as_it_was_given_up_is_done_once(queue: Queue, work: Work) -> None:
    asked = asking(queue, work, "a", "b")
    await work.until_begun()
    asked[1].cancel()
    again = asking(queue, work, "b")
    await asyncio.wait(asked[1:])
    await asyncio.sleep(0.01)
    again += asking(queue, work, "b")
    await asyncio.sleep(0)
    assert len(queue) == 2
    work.gate.set()
    assert await asyncio.gather(*again) == ["B", "B"]
    assert work.done == ["a", "b"]


async def test_work_under_way_that_was_given_up_keeps_its_place_and_can_be_joined(
    queue: Queue, work: Work
) -> None:
    (asked,) = asking(queue, work, "a")
    await work.until_begun()
    asked.cancel()
    await asyncio.wait([asked])
    assert len(queue) == 1
    again = asking(queue, work, "a")
    await asyncio.sleep(0)
    work.gate.set()
    assert await again[0] == "A"
    assert work.done == ["a"]


async def test_an_error_reaches_all_who_ask_and_is_theirs_to_tell_of(
    queue: Queue, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    failing = work("a", FootnoteError("The index is damaged."))
    asked = [asyncio.create_task(queue.do("a", failing)) for _ in range(3)]
    await asyncio.sleep(0)
    work.gate.set()
    for task in asked:
        with pytest.raises(FootnoteError, match="damaged"):
            await task
    assert work.done == ["a"]
    assert await queue.do("a", work("a")) == "A"
    assert caplog.text == ""


async def test_an_error_that_nobody_waits_for_is_logged(
    queue: Queue, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.create_task(queue.do("a", work("a", FootnoteError("The index is damaged."))))
    await work.until_begun()
    asked.cancel()
    await asyncio.wait([asked])
    with caplog.at_level(logging.ERROR, "bot.service.job_queue"):
        work.gate.set()
        assert await queue.do("b", work("b")) == "B"
    assert "nobody waits" in caplog.text
    assert "The index is damaged." in caplog.text


async def test_who_waits_is_told_the_place_and_about_how_long_it_takes(queue: Queue, work: Work) -> None:
    work.gate.set()
    for name in "xyz":
        await queue.do(name, work(name))
    work.gate.clear()
    heard: list[tuple[str, Waiting]] = []

    def hear(name: str, place: Waiting) -> None:
        heard.append((name, place))

    asked = [
        task for name in "abacb" for task in asking(queue, work, name, waiting=functools.partial(hear, name))
    ]
    await asyncio.sleep(0)
    assert heard == [("b", Waiting(1, 4.0)), ("c", Waiting(2, 6.0)), ("b", Waiting(1, 4.0))]
    work.gate.set()
    await asyncio.gather(*asked)
    assert len(heard) == 3
    assert queue.mean_seconds == 2.0


async def test_the_mean_is_of_recent_work(queue: Queue, work: Work) -> None:
    assert queue.mean_seconds is None
    work.gate.set()
    for number in range(100):
        work.seconds = 50.0 if number < 50 else 0.5
        await queue.do(number, work("a"))
    assert queue.mean_seconds == 0.5


async def test_more_than_has_a_place_is_turned_away_and_told_when_to_come_again(
    queue: Queue, work: Work
) -> None:
    work.gate.set()
    await queue.do("x", work("x"))
    work.gate.clear()
    asked = asking(queue, work, *"abcd")
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match=r"^Too many questions are waiting\. Try again in 8 s\.$") as refused:
        await queue.do("e", work("e"))
    assert refused.value.seconds == 8.0
    joined = asking(queue, work, "d")
    work.gate.set()
    assert await asyncio.gather(*asked, *joined) == ["A", "B", "C", "D", "D"]
    assert await queue.do("e", work("e")) == "E"


async def test_who_is_turned_away_is_never_told_to_come_back_at_once(queue: Queue, work: Work) -> None:
    work.seconds = 0.001
    work.gate.set()
    await queue.do("x", work("x"))
    work.gate.clear()
    asked = asking(queue, work, *"abcd")
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match=r"Try again in 1 s\.") as refused:
        await queue.do("e", work("e"))
    assert refused.value.seconds == 1
    work.gate.set()
    await asyncio.gather(*asked)


async def test_one_whose_callback_fails_hears_of_it_and_leaves_no_work_behind(
    queue: Queue, work: Work
) -> None:
    def fail(place: Waiting) -> None:
        raise ValueError(f"no room for {place.position}")

    asked = asking(queue, work, "a")
    await work.until_begun()
    with pytest.raises(ValueError, match="no room for 1"):
        await queue.do("b", work("b"), fail)
    work.gate.set()
    await asyncio.gather(*asked)
    assert await queue.do("c", work("c")) == "C"
    assert work.done == ["a", "c"]


async def test_submitted_work_comes_after_all_before_it_also_beyond_the_places(
    queue: Queue, work: Work
) -> None:
    asked = asking(queue, work, *"abcd")
    await asyncio.sleep(0)
    submitted = asyncio.wrap_future(queue.submit(work("last")))
    work.gate.set()
    assert await submitted == "LAST"
    await asyncio.gather(*asked)
    assert work.done == [*"abcd", "last"]


async def test_close_finishes_the_work_and_takes_no_more(work: Work) -> None:
    queue = Queue("test-queue", PLACES, work.clock)
    asked = asking(queue, work, *"abc")
    await work.until_begun()
    closing = asyncio.create_task(asyncio.to_thread(queue.close))
    work.gate.set()
    assert await asyncio.gather(*asked) == ["A", "B", "C"]
    await asyncio.wait_for(closing, BOUND)
    with pytest.raises(RuntimeError):
        queue.submit(work("d"))
