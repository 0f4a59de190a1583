"""The service: any text is answered, the loop is never blocked, the queue is bounded, close loses nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.service.job_queue import QueuePosition
from bot.service.service import Service, ServiceStats
from index.encoding.encoder import Encoder
from index.errors import BusyError, DamagedIndexError, FootnoteError, NoIndexError, NoModelError
from tests.bot.services import damage, heartbeat, serving, settings_of

LAMP = "Who kept the lamp on Gull Rock?"

shared_loop = pytest.mark.asyncio(loop_scope="module")
any_text = st.text(st.characters(codec=None, categories=None))  # lone surrogates too


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(built: Path) -> AsyncIterator[Service]:
    """Serve the small index to every test that only reads it."""
    async with serving(built) as started:
        yield started


def ask_each(service: Service, *questions: str) -> list[asyncio.Task[Answer]]:
    return [asyncio.create_task(service.ask(question)) for question in questions]


@shared_loop
async def test_a_hundred_questions_are_answered_in_order_without_blocking_the_loop(service: Service) -> None:
    questions = [f"{LAMP} {'?' * (number % 10)}{'!' * (number // 10)}" for number in range(100)]
    ended: list[str] = []
    async with heartbeat() as pauses:
        tasks = ask_each(service, *questions)
        for task in tasks:
            task.add_done_callback(lambda done: ended.append(done.result().question))
        await asyncio.sleep(0)
        assert await service.article("lamp") is not None  # does not wait for the questions
        assert sum(not task.done() for task in tasks) > 50
        answers = await asyncio.gather(*tasks)
    assert [answer.question for answer in answers] == questions == ended
    assert {answer.verdict for answer in answers} == {Verdict.ANSWERED}
    assert max(pauses) < 0.5


async def test_a_full_queue_refuses_questions_and_says_when_to_ask_again(built: Path) -> None:
    async with serving(built, capacity=100) as service:
        tasks = ask_each(service, *(f"{LAMP} {number}" for number in range(1000)))
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        refused = ended[100:]
        assert {type(one) for one in ended[:100]} == {Answer}
        assert all(isinstance(one, BusyError) and one.seconds and one.seconds >= 1 for one in refused)
        assert "Too many questions are waiting. Try again in" in str(refused[0])
        assert sum(count for _, count in service.stats.answered) == 100
        assert (service.stats.waiting, service.stats.mean_seconds > 0) == (0, True)
        assert (await service.ask(LAMP)).verdict is Verdict.ANSWERED


async def test_an_identical_question_in_flight_is_answered_once_and_cancelled_ones_free_their_place(
    built: Path,
) -> None:
    spaced = "  Who kept\tthe lamp on Gull Rock?\n"
    async with serving(built, capacity=3) as service:
        for _ in range(5):
            given_up = ask_each(service, "Oil?", "Salt?", LAMP)
            await asyncio.sleep(0)
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
        one, other, cancelled, same = ask_each(service, LAMP, spaced, LAMP, LAMP)
        await asyncio.sleep(0)
        assert service.stats.waiting <= 2  # a question that was under way may still be
        cancelled.cancel()
        assert await one is await same
        assert await other == dataclasses.replace(await one, question=spaced)
        again = await service.ask(LAMP)
        assert again is not await one
        assert {**again.as_json(), "elapsed_ms": 0} == {**(await one).as_json(), "elapsed_ms": 0}


async def test_waiting_callers_hear_their_place_at_once_on_the_loop(built: Path) -> None:
    heard: list[QueuePosition] = []
    async with serving(built) as service:
        tasks = [asyncio.create_task(service.ask(f"{LAMP} {name}", waiting=heard.append)) for name in "abc"]
        await asyncio.sleep(0)
        assert [place.position for place in heard] == [1, 2]
        assert 0 < heard[0].seconds < heard[1].seconds
        await asyncio.gather(*tasks)
        assert len(heard) == 2


async def test_close_finishes_what_waits_and_refuses_everything_new(built: Path) -> None:
    async with serving(built) as service:
        assert service.stats == ServiceStats(0, tuple((verdict, 0) for verdict in Verdict), 0.0)
        tasks = ask_each(service, *(f"{LAMP} {'?' * number}" for number in range(20)))
        checks = [asyncio.create_task(service.verify(f"Salt goes in last. {n}")) for n in range(20)]
        await asyncio.sleep(0)
        await service.close()
        assert {(await task).verdict for task in tasks} == {Verdict.ANSWERED}
        assert all(await asyncio.gather(*checks))
        assert dict(service.stats.answered)[Verdict.ANSWERED] == 20
        refused = [service.ask(LAMP), service.rebuild(), service.roll_back(), service.catalogue()]
        for call in (*refused, service.verify("x"), service.article("x"), service.vector("x")):
            with pytest.raises(BusyError, match="stopping"):
                await call
        await service.close()


@shared_loop
async def test_the_article_and_the_earlier_question_belong_to_the_question(service: Service) -> None:
    text = "When was it replaced?"
    alone, of_bread, after_lamp, nowhere = await asyncio.gather(
        service.ask(text),
        service.ask(text, article="bread"),
        service.ask(text, earlier=Earlier.of(await service.ask(LAMP))),
        service.ask(LAMP, article="none such"),
    )
    assert {citation.article for citation in of_bread.citations} == {"bread"}
    assert (alone.read_as, of_bread.read_as) == ("", "")
    assert "lamp" in after_lamp.read_as
    assert after_lamp.quotes[0].text == "The lamp was replaced by an electric one in 1954."
    assert (nowhere.verdict, nowhere.quotes, nowhere.further) == (Verdict.NOT_FOUND, (), ())


@shared_loop
@given(text=any_text)
@example(text="")
@example(text="LAMP")
@example(text="lamp' OR '1'='1")
@example(text="\ud800 lamp \udfff")
@example(text="lamp " * 50_000)
async def test_any_text_can_be_looked_up(service: Service, text: str) -> None:
    assert await service.article(text) is None
    vector = await service.vector(text)
    assert (vector.dtype, vector.ndim) == (np.float32, 1)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@shared_loop
async def test_what_is_looked_up_is_that_of_the_generation_served(service: Service, encoder: Encoder) -> None:
    status, catalogue = await service.status(), await service.catalogue()
    assert (status.articles, status.generation) == (3, (await service.ask(LAMP)).generation)
    assert [(await service.article(entry.id)) is not None for entry in catalogue] == [True] * 3
    assert await service.catalogue() is catalogue
    (right,), (wrong,) = (
        await service.verify("Salt goes in last."),
        await service.verify("Salt goes in first."),
    )
    assert right.verdict is not wrong.verdict
    basis = np.eye(encoder.dimension, dtype=np.float32)
    expected = encoder.encode_question(LAMP, basis).dense[0]
    assert await service.vector(LAMP) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("spoil", "model", "error", "message"),
    [
        (
            lambda home: damage(*home.glob(".footnote/index/*/tokens.i8")),
            None,
            DamagedIndexError,
            "tokens.i8 is damaged.*footnote index build",
        ),
        (lambda home: (home / ".footnote").rename(home / "away"), None, NoIndexError, "footnote index build"),
        (lambda home: (home / "hollow").mkdir(), "hollow", NoModelError, r"no \.safetensors weights"),
    ],
    ids=["damaged", "no index", "no weights"],
)
async def test_start_says_what_is_wrong_and_what_to_run(
    home: Path, spoil: object, model: str | None, error: type[FootnoteError], message: str
) -> None:
    assert callable(spoil)
    spoil(home)
    service = Service(settings_of(home, model=model and str(home / model)))
    with pytest.raises(error, match=message):
        await service.start()
    await service.close()
