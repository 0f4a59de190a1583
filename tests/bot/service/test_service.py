"""The service: questions in order and never the loop blocked, a bounded queue, and nothing lost by close."""

from __future__ import annotations

import asyncio
import statistics
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.service.answerer import Answerer
from bot.service.job_queue import QueuePosition
from bot.service.service import Service, ServiceStats
from index.encoding.encoder import Encoder
from index.errors import BusyError
from tests.bot.services import heartbeat, serving

LAMP = "Who kept the lamp on Gull Rock?"

shared_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(built: Path) -> AsyncIterator[Service]:
    """Serve the small index to every test that only reads it."""
    async with serving(built) as started:
        yield started


def ask_each(service: Service, *questions: str, **options: object) -> list[asyncio.Task[Answer]]:
    return [asyncio.create_task(service.ask(question, **options)) for question in questions]  # type: ignore[arg-type]


@shared_loop
async def test_a_hundred_questions_are_answered_in_order_without_blocking_the_loop(service: Service) -> None:
    questions = [f"{LAMP} {'?' * (number % 10)}{'!' * (number // 10)}" for number in range(100)]
    positions: list[QueuePosition] = []
    ended: list[str] = []
    async with heartbeat() as pauses:
        tasks = ask_each(service, *questions, waiting=positions.append)
        for task in tasks:
            task.add_done_callback(lambda done: ended.append(done.result().question))
        await asyncio.sleep(0)
        assert [place.position for place in positions] == list(range(1, 100))
        assert 0 < positions[0].seconds < positions[-1].seconds
        assert await service.article("lamp") is not None  # does not wait for the questions
        assert sum(not task.done() for task in tasks) > 50
        answers = await asyncio.gather(*tasks)
    assert [answer.question for answer in answers] == questions == ended
    assert {answer.verdict for answer in answers} == {Verdict.ANSWERED}
    assert statistics.median(pauses) < 0.05
    assert max(pauses) < 2  # another process may take the core for a while


async def test_cancelled_questions_free_their_place_and_too_many_are_refused(
    built: Path,
) -> None:
    async with serving(built, capacity=3) as service:
        assert service.stats == ServiceStats(0, tuple((verdict, 0) for verdict in Verdict), 0.0)
        for _ in range(5):
            given_up = ask_each(service, "Oil?", "Salt?", LAMP)
            await asyncio.sleep(0)
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
        one, cancelled, other = ask_each(service, LAMP, LAMP, "Tar?")
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        ended = await asyncio.gather(*ask_each(service, "Oil?", "Who?"), return_exceptions=True)
        (refused,) = [error for error in ended if isinstance(error, BaseException)]
        assert isinstance(refused, BusyError)
        assert (refused.seconds or 0) >= 1
        await other
        again = await service.ask(LAMP)
        assert {**again.as_json(), "elapsed_ms": 0} == {**(await one).as_json(), "elapsed_ms": 0}
        assert (sum(count for _, count in service.stats.answered), service.stats.waiting) == (4, 0)
        assert service.stats.mean_seconds > 0


async def test_close_finishes_what_waits_and_refuses_everything_new(built: Path) -> None:
    async with serving(built) as service:
        questions = ask_each(service, *(f"{LAMP} {'?' * number}" for number in range(20)))
        texts = [asyncio.create_task(service.verify(f"Salt goes in last. {n}")) for n in range(20)]
        await asyncio.sleep(0)
        await service.close()
        assert {answer.verdict for answer in await asyncio.gather(*questions)} == {Verdict.ANSWERED}
        assert all(await asyncio.gather(*texts))
        calls = [service.ask(LAMP), service.rebuild(), service.roll_back(), service.catalogue()]
        for call in (*calls, service.verify("x"), service.article("x"), service.vector("x")):
            with pytest.raises(BusyError, match="stopping"):
                await call
        await service.close()


@shared_loop
async def test_the_article_and_the_earlier_question_belong_to_a_question(service: Service) -> None:
    text, earlier = "When was it replaced?", Earlier.of(await service.ask(LAMP))
    (alone,), (of_bread,), (follow_up,) = (
        ask_each(service, text, **options) for options in ({}, {"article": "bread"}, {"earlier": earlier})
    )
    assert {citation.article for citation in (await of_bread).citations} == {"bread"}
    assert ((await alone).read_as, "lamp" in (await follow_up).read_as) == ("", True)
    assert (await follow_up).quotes[0].text == "The lamp was replaced by an electric one in 1954."


@shared_loop
async def test_what_is_looked_up_is_that_of_the_generation_served(service: Service, encoder: Encoder) -> None:
    status, catalogue = await service.status(), await service.catalogue()
    assert (status.articles, status.generation) == (3, (await service.ask(LAMP)).generation)
    assert [(await service.article(entry.id)) is not None for entry in catalogue] == [True] * 3
    assert await service.catalogue() is catalogue
    right, wrong = await service.verify("Salt goes in last. Salt goes in first.")
    assert right.verdict is not wrong.verdict
    basis = np.eye(encoder.dimension, dtype=np.float32)
    assert await service.vector(LAMP) == pytest.approx(encoder.encode_question(LAMP, basis).dense, abs=1e-5)


@shared_loop
async def test_a_question_does_not_wait_for_what_is_looked_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, vector = threading.Event(), Answerer.vector

    def vector_after_the_question(answerer: Answerer, question: str) -> npt.NDArray[np.float32]:
        assert asked.wait(30)
        return vector(answerer, question)

    monkeypatch.setattr(Answerer, "vector", vector_after_the_question)
    looked_up = asyncio.create_task(service.vector(LAMP))
    await asyncio.sleep(0)
    assert (await service.ask(LAMP)).verdict is Verdict.ANSWERED
    asked.set()
    assert len(await looked_up) == 384
