"""What is read from the generation that is served, beside answers: articles, checks, vectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from bot.service.service import Service
from index.encoding.encoder import Encoder
from index.storage.local import open_generation
from tests.bot.services import serving

shared_loop = pytest.mark.asyncio(loop_scope="module")

_ANYTHING = st.text(st.characters(codec=None, categories=None))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(built: Path) -> AsyncIterator[Service]:
    """Serve the small index to every test that only reads it."""
    async with serving(built) as started:
        yield started


@shared_loop
async def test_the_catalogue_has_every_article_and_is_made_once(service: Service) -> None:
    catalogues = await asyncio.gather(*(service.catalogue() for _ in range(5)), service.catalogue())
    assert [line.id for line in catalogues[0]] == ["bread", "lamp", "odd/1"]
    assert all(one is catalogues[0] for one in catalogues)
    assert await service.catalogue() is catalogues[0]


@shared_loop
async def test_an_article_of_the_catalogue_is_that_of_the_index(service: Service, built: Path) -> None:
    generation = open_generation(built / ".footnote/index")
    rows = {name: row for row, name, _ in generation.article_rows()}
    for line in await service.catalogue():
        article = await service.article(line.id)
        assert article == generation.article(rows[line.id])
    generation.close()


@shared_loop
@given(identity=_ANYTHING)
@example(identity="LAMP")
@example(identity="lam%")
@example(identity="lamp' OR '1'='1")
async def test_an_article_that_there_is_not_is_none(service: Service, identity: str) -> None:
    assert await service.article(identity) is None


@shared_loop
@given(question=_ANYTHING)
@example(question="")
@example(question="\ud800")
@example(question="lamp " * 50_000)
async def test_any_text_has_a_unit_vector(service: Service, question: str) -> None:
    vector = await service.vector(question)
    assert vector.dtype == np.float32
    assert vector.ndim == 1
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@shared_loop
async def test_vector_is_the_encoders_own_and_near_for_questions_that_mean_the_same(
    service: Service, encoder: Encoder
) -> None:
    one, same, other = [
        await service.vector(text)
        for text in (
            "Who kept the lamp?",
            "Who was the keeper of the lamp?",
            "How much salt goes into dough?",
        )
    ]
    basis = np.eye(encoder.dimension, dtype=np.float32)
    assert one == pytest.approx(encoder.encode_question("Who kept the lamp?", basis).dense[0], abs=1e-5)
    assert one @ same > 0.7
    assert one @ other < 0.3


@shared_loop
async def test_what_is_looked_up_does_not_wait_for_questions(service: Service) -> None:
    asked = [asyncio.create_task(service.ask(f"Who kept the lamp? {number}")) for number in range(40)]
    await asyncio.sleep(0)
    await service.article("lamp")
    await service.check("Salt goes in last.")
    assert sum(not task.done() for task in asked) > 20
    await asyncio.gather(*asked)


@shared_loop
async def test_check_tells_the_letters_of_an_article_from_others(service: Service) -> None:
    right, wrong = "Salt goes in last.", "Salt goes in first."
    (exact,) = await service.check(right)
    (changed,) = await service.check(wrong)
    assert exact.article is not None
    assert exact.article.id == "bread"
    assert exact.article.text[exact.start : exact.end] == right
    assert exact.verdict is not changed.verdict


@shared_loop
@given(text=_ANYTHING)
@example(text="")
@example(text="\ud800 lamp \udfff")
@example(text='Salt" OR NEAR( * AND goes in last.')
@example(text="lamp " * 50_000)
async def test_any_text_can_be_checked(service: Service, text: str) -> None:
    for one in await service.check(text):
        if one.article is not None:
            source = one.article.text if one.paragraph else one.article.heading
            assert source[one.start : one.end] == one.original


async def test_what_is_being_looked_up_when_the_service_closes_is_found(built: Path) -> None:
    async with serving(built) as service:
        texts = (f"It tightens the dough {number}. " * 10 for number in range(100))
        looked = [asyncio.create_task(service.check(text)) for text in texts]
        found = asyncio.create_task(service.article("lamp"))
        await asyncio.sleep(0)
        await service.close()
        assert all(await asyncio.gather(*looked))
        assert (await found) is not None
