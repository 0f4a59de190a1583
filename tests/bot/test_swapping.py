"""Swaps to another generation: nothing is lost by them, they are told of, and so is one that fails."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from bot.errors import NotServedError
from bot.service.service import Service
from index.build import build_index
from index.encoding.encoder import Encoder
from index.storage.verification import index_status
from tests.bot.services import serving, settings_of, until

NEWS = "The fog bell\n\nThe fog bell of Gull Rock was cast in Bergen by Tove Dahl.\n"
WHO = "Who cast the fog bell of Gull Rock?"


def write_news(home: Path, number: int = 0) -> None:
    """Write an article that is another one for each number."""
    (home / "articles/news.txt").write_text(f"{NEWS}\nIt was bell number {number}.\n", encoding="utf-8")


async def build_elsewhere(home: Path, encoder: Encoder) -> str:
    """Build beside the service, as another process does, and return the generation."""
    return (await asyncio.to_thread(build_index, settings_of(home), encoder=encoder)).generation


async def test_swaps_are_told_of_on_the_loop_whoever_built(home: Path, encoder: Encoder) -> None:
    heard: list[tuple[str, threading.Thread]] = []
    async with serving(home, encoder) as service:
        service.on_swap(lambda generation: heard.append((generation, threading.current_thread())))
        await service.rebuild()
        assert heard == []
        write_news(home, 1)
        own = (await service.rebuild()).generation
        assert heard == [(own, threading.main_thread())]
        write_news(home, 2)
        others = await build_elsewhere(home, encoder)

        async def told() -> bool:
            return len(heard) > 1

        await until(told)
        assert heard[1:] == [(others, threading.main_thread())]
        assert (await service.status()).generation == others


async def test_a_callback_that_fails_is_logged_and_the_others_hear_of_the_swap(
    home: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail(generation: str) -> None:
        raise ValueError(f"no room for {generation}")

    write_news(home)
    async with serving(home, encoder) as service:
        for callback in (heard.append, fail, heard.append):
            service.on_swap(callback)
        report = await service.rebuild()
        assert heard == [report.generation] * 2
        assert f"no room for {report.generation}" in caplog.text
        assert (await service.ask(WHO)).generation == report.generation


async def test_the_catalogue_is_that_of_the_generation_being_served(home: Path, encoder: Encoder) -> None:
    async with serving(home, encoder) as service:
        before = await service.catalogue()
        write_news(home)
        assert await service.catalogue() is before
        await service.rebuild()
        assert [line.id for line in await service.catalogue()] == ["bread", "lamp", "news", "odd/1"]
        assert (await service.article("news")) is not None
        assert len(before) == 3


async def test_nothing_that_is_asked_or_looked_up_is_lost_by_swaps(home: Path, encoder: Encoder) -> None:
    async with serving(home, encoder) as service:
        ended = asyncio.Event()
        looking = [asyncio.create_task(look_up(service, number, ended)) for number in range(8)]
        for number in range(3):
            write_news(home, number)
            await service.rebuild()
        ended.set()
        assert all(rounds > 0 for rounds in await asyncio.gather(*looking))


async def look_up(service: Service, number: int, ended: asyncio.Event) -> int:
    """Ask and look up until the end; return how often."""
    rounds = 0
    while not ended.is_set():
        # Long, so that one is under way at a swap.
        lines = (f"It tightens the dough {number} {rounds} {line}." for line in range(100))
        checked = await service.check(f"Salt goes in last. {' '.join(lines)}")
        assert checked[0].article is not None
        assert (await service.article("lamp")) is not None
        assert len(await service.catalogue()) in {3, 4}
        if number == 0:
            assert (await service.ask("Who kept the lamp on Gull Rock?")).verdict is Verdict.ANSWERED
        rounds += 1
    return rounds


async def test_a_generation_that_is_published_and_cannot_be_served_is_told_as_just_that(
    home: Path, encoder: Encoder
) -> None:
    write_news(home)
    async with serving(home, encoder) as service:
        before = (await service.status()).generation
        fit = service.settings.fit_file
        fit.write_text("no fit", encoding="utf-8")
        with pytest.raises(NotServedError) as failed:
            await service.rebuild()
        published = index_status(home / ".footnote/index").generation
        assert published != before
        assert f"{published} is published" in str(failed.value)
        assert f"answers still come from {before}" in str(failed.value)
        assert str(fit) in str(failed.value)
        assert (await service.ask("Who kept the lamp on Gull Rock?")).generation == before
        fit.unlink()

        async def swapped() -> bool:
            return (await service.ask(WHO)).generation == published

        await until(swapped)


async def test_a_rebuild_that_nobody_waits_for_any_more_is_swapped_to_all_the_same(
    home: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    write_news(home)
    heard: list[str] = []
    async with serving(home, encoder) as service:
        service.on_swap(heard.append)
        rebuild = asyncio.create_task(service.rebuild())
        await asyncio.sleep(0)
        rebuild.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rebuild

        async def told() -> bool:
            return bool(heard)

        with caplog.at_level(logging.INFO, "bot.service.live_index"):
            await until(told)
        assert caplog.text.count("now answering") == 1
        assert heard == [index_status(home / ".footnote/index").generation]
