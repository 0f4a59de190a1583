"""The service while the index changes: rebuilt by it, by another process, or badly."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from bot.service.service import Service
from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import ArticleError, BusyError, ShrunkError
from index.storage.manifest import KEPT, LOCK
from index.storage.verification import index_status, verify
from tests.bot.conftest import finish, start
from tests.bot.services import (
    BOUND,
    Stages,
    add_many_articles,
    another_build,
    heartbeat,
    serving,
    settings_of,
    until,
)
from tests.graphs import copy_index_file

NEWS = "The fog bell\n\nThe fog bell of Gull Rock was cast in Bergen by Tove Dahl.\n"
WHO = "Who cast the fog bell of Gull Rock?"


def add_news(home: Path) -> None:
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")


def files(home: Path) -> dict[str, bytes]:
    """Return the files of the index with their content, but the lock and what a cut-off build keeps."""
    folder = home / ".footnote/index"
    found = (path for path in folder.rglob("*") if path.is_file() and path.name not in {LOCK, KEPT})
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


async def generation_of(service: Service) -> str:
    return (await service.ask(WHO)).generation


async def test_questions_are_answered_while_a_rebuild_runs_and_the_loop_goes_on(home: Path) -> None:
    add_news(home)
    add_many_articles(home)
    async with serving(home) as service, heartbeat() as pauses:
        stages = Stages()
        before = (await service.status()).generation
        rebuild = asyncio.create_task(service.rebuild(stages))
        await stages.wait_for_encoding()
        with pytest.raises(BusyError, match="already running"):
            await service.rebuild()
        answer = await service.ask("Who kept the lamp on Gull Rock?")
        assert not rebuild.done()
        assert (answer.verdict, answer.generation) == (Verdict.ANSWERED, before)
        report = await rebuild
        after = await service.ask(WHO)
        assert after.generation == report.generation == (await service.status()).generation != before
        assert after.quotes[0].text == "The fog bell of Gull Rock was cast in Bergen by Tove Dahl."
        assert (report.reused, report.encoded) == (3, 25)
    assert max(pauses) < 0.5
    assert stages.threads == {threading.main_thread()}
    assert all(0 <= step.done <= step.total for step in stages.heard)
    assert stages.heard[-1].stage == "writing"
    assert stages.heard[-1].done == stages.heard[-1].total


async def test_a_rebuild_with_nothing_new_says_so_and_keeps_the_generation(home: Path) -> None:
    before = files(home)
    async with serving(home) as service:
        report = await service.rebuild()
        assert "Nothing has changed" in report.summary()
        assert await generation_of(service) == report.generation
    assert files(home) == before


async def test_two_rebuilds_never_overlap_nor_when_nobody_waits_for_the_first(
    home: Path, encoder: Encoder
) -> None:
    add_many_articles(home, 8)
    async with serving(home, encoder) as service:
        first = asyncio.create_task(service.rebuild())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(BusyError, match="already running"):
            await service.rebuild()

        async def free() -> bool:
            try:
                return "Nothing has changed" in (await service.rebuild()).summary()
            except BusyError:
                return False

        await until(free)


async def test_a_rebuild_is_refused_while_another_build_holds_the_lock(home: Path, encoder: Encoder) -> None:
    add_news(home)
    async with serving(home) as service:
        before = await generation_of(service)
        with another_build(home, encoder):
            with pytest.raises(BusyError, match=r"another build is at work.*process \d+, since 20"):
                await service.rebuild()
            assert await generation_of(service) == before
        report = await service.rebuild()
        assert await generation_of(service) == report.generation != before


async def test_a_failed_rebuild_says_why_and_changes_nothing(home: Path) -> None:
    (home / "articles/bad.txt").write_bytes(b"A title\n\nGood line.\nBad \xff byte.\n")
    add_news(home)
    before = files(home)
    async with serving(home) as service:
        serves = await generation_of(service)
        with pytest.raises(ArticleError, match=r"bad\.txt, line 4: not UTF-8 \(byte 0xff\)"):
            await service.rebuild()
        assert await generation_of(service) == serves
        assert files(home) == before


async def test_close_gives_up_a_rebuild_and_leaves_only_what_it_encoded(home: Path) -> None:
    add_many_articles(home)
    before = files(home)
    async with serving(home) as service:
        stages = Stages()
        rebuild = asyncio.create_task(service.rebuild(stages))
        await stages.wait_for_encoding()
        asked = asyncio.create_task(service.ask("Who kept the lamp on Gull Rock?"))
        await asyncio.sleep(0)
        await asyncio.wait_for(service.close(), BOUND)
        assert (await asked).verdict is Verdict.ANSWERED
        with pytest.raises(BusyError, match="given up"):
            await rebuild
    left = files(home)
    left.pop("kept.vectors", None)
    assert left == before
    assert verify(home / ".footnote/index") == []


async def test_a_rebuild_by_another_process_is_noticed_without_a_lost_question(home: Path) -> None:
    add_news(home)
    async with serving(home) as service:
        before = await generation_of(service)
        build = asyncio.create_task(asyncio.to_thread(finish, start("index", "build")))
        served: list[str] = []

        async def swapped() -> bool:
            served.append(await generation_of(service))
            return served[-1] != before

        await until(swapped)
        assert (await build).status == 0
        assert served[:-1] == [before] * (len(served) - 1)
        assert served[-1] == index_status(home / ".footnote/index").generation
        assert (await service.ask(WHO)).citations[0].article == "news"


async def test_a_damaged_new_generation_is_not_swapped_to_until_it_is_mended(
    home: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    new, file = next_generation(home, encoder, tmp_path_factory.mktemp("aside"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    async with serving(home) as service:
        before = await generation_of(service)
        publish(new, file.parent, home)
        with caplog.at_level(logging.WARNING, "bot.service"):
            await until(lambda: warned(caplog))
        assert f"still answering from {before}" in caplog.text
        assert await generation_of(service) == before
        (home / ".footnote/index" / file.parent.name / file.name).write_bytes(whole)

        async def swapped() -> bool:
            return await generation_of(service) == file.parent.name

        await until(swapped)


async def warned(caplog: pytest.LogCaptureFixture) -> bool:
    return "is damaged" in caplog.text


def next_generation(home: Path, encoder: Encoder, aside: Path) -> tuple[Path, Path]:
    """Build the next generation in a copy; return that copy's index and the new generation's database."""
    shutil.copytree(home, aside, dirs_exist_ok=True, copy_function=copy_index_file)
    add_news(aside)
    report = build_index(settings_of(aside), encoder=encoder)
    index = aside / ".footnote/index"
    return index, index / report.generation / "passages.sqlite"


def publish(new: Path, generation: Path, home: Path) -> None:
    """Put a generation and its pointer into the index folder, as a build of another process does."""
    folder = home / ".footnote/index"
    shutil.copytree(generation, folder / generation.name)
    shutil.copy(new / "CURRENT", folder / "CURRENT.new")
    (folder / "CURRENT.new").replace(folder / "CURRENT")


async def test_far_fewer_articles_are_refused_until_that_is_forced(home: Path) -> None:
    for name in ("lamp.txt", "odd.jsonl"):
        (home / "articles" / name).unlink()
    async with serving(home) as service:
        before = await generation_of(service)
        with pytest.raises(ShrunkError, match="FOOTNOTE_SHRINK"):
            await service.rebuild()
        assert await generation_of(service) == before
        report = await service.rebuild(force=True)
        assert report.generation != before
        assert await generation_of(service) == report.generation
