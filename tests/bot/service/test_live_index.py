"""The live index: swaps to published generations, falls back from damaged ones, and rolls back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bot.answering.answer import Answer, Verdict
from bot.errors import NotServedError
from bot.service.answerer import Answerer
from bot.service.live_index import Damage
from bot.service.service import Service
from index.encoding.encoder import Encoder
from index.errors import BusyError, DamagedIndexError, MissingError
from index.files import Checksum, locked
from index.storage.inspection import verify
from index.storage.manifest import generation_name, point_at, read_manifest, read_pointer
from tests.bot.conftest import finish, start
from tests.bot.services import BOUND, damage, serving, settings_of, until
from tests.graphs import copy_index_file

LAMP, BELL = "Who kept the lamp on Gull Rock?", "Who cast the fog bell of Gull Rock?"
DATABASE, TOKENS = "passages.sqlite", "tokens.u4"


@pytest.fixture
def home(built_twice: Path, tmp_path: Path) -> Path:
    """Start the test in a copy of two generations, of which only the second has an answer to BELL."""
    shutil.copytree(built_twice, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    return tmp_path


@pytest.fixture
def second(home: Path) -> Path:
    """Return the folder of the published generation."""
    return home / ".footnote/index" / read_pointer(home / ".footnote/index")


@pytest.fixture
def first(second: Path) -> Path:
    """Return the folder of the generation before."""
    (home,) = (home for home in second.parent.glob("0*") if home != second)
    return home


def write_bell(home: Path, number: int) -> None:
    """Change the answer to BELL; the next build then makes a generation."""
    text = f"The fog bell\n\nThe fog bell of Gull Rock was cast by Tove Dahl the {number}th.\n"
    (home / "articles/news.txt").write_text(text, encoding="utf-8")


class Listener:
    """Collects what the callbacks of a service are called with, and on which threads."""

    def __init__(self, service: Service) -> None:
        self.swaps: list[str] = []
        self.damages: list[Damage | None] = []
        self.threads: set[threading.Thread] = set()
        service.on_swap(self._fail)
        service.on_swap(self.swaps.append)
        service.on_damage(self.damages.append)

    def _fail(self, generation: str) -> None:
        self.threads.add(threading.current_thread())
        raise ValueError(f"no room for {generation}")


def open_files(folder: Path) -> list[str]:
    """Return the files of a folder, removed ones too, that this process has open (on Linux)."""
    files = []
    for link in Path("/proc/self/fd").glob("*"):
        with suppress(FileNotFoundError):  # what lists the links itself
            files.append(str(link.readlink()))
    return [file for file in files if file.startswith(f"{folder.resolve()}/")]


async def test_a_generation_of_another_process_is_swapped_in_and_no_question_is_lost(
    home: Path, second: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_bell(home, 30)
    answers: list[Answer] = []
    async with serving(home) as service:
        listener, catalogue = Listener(service), await service.catalogue()
        build = asyncio.create_task(asyncio.to_thread(finish, start("index", "build")))
        async with asyncio.timeout(BOUND):
            while not listener.swaps:
                answers.append(await service.ask(BELL))
                await asyncio.sleep(0.01)
        assert (await build).status == 0
        published = read_pointer(second.parent)
        answers.append(await service.ask(BELL))
        assert listener.swaps == [published] == [(await service.status()).generation]
        assert await service.catalogue() is not catalogue
    expected = {second.name: "in Bergen by Tove Dahl.", published: "by Tove Dahl the 30th."}
    assert {answer.generation for answer in answers} == set(expected)
    assert all(answer.quotes[0].text.endswith(expected[answer.generation]) for answer in answers)
    assert listener.threads == {threading.main_thread()}
    assert f"no room for {published}" in caplog.text


async def test_replaced_generations_are_closed_once_unused_even_where_they_are_pruned(
    home: Path, encoder: Encoder, second: Path
) -> None:
    async def look_up_until_the_end() -> int:
        rounds = 0
        while not ended.is_set():
            lines = (f"It tightens the dough {rounds} {line}." for line in range(50))  # takes a while
            assert (await service.verify(f"Salt goes in last. {' '.join(lines)}"))[0].article is not None
            assert len(await service.catalogue()) == 4
            assert (await service.ask(LAMP)).verdict is Verdict.ANSWERED
            rounds += 1
        return rounds

    async with serving(home, encoder) as service:
        ended = asyncio.Event()
        tasks = [asyncio.create_task(look_up_until_the_end()) for _ in range(4)]
        for number in range(5):  # more than are kept
            write_bell(home, number)
            await service.rebuild()
        ended.set()
        assert min(await asyncio.gather(*tasks)) > 0
        assert not second.exists()
        serves = (await service.status()).generation
        await until(lambda: all(f"/{serves}/" in file for file in open_files(second.parent)))
    assert open_files(second.parent) == []
    assert verify(second.parent) == []


async def test_a_published_generation_that_cannot_be_used_is_reported_and_swapped_in_once_mended(
    home: Path, encoder: Encoder, second: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_bell(home, 40)
    async with serving(home, encoder) as service:
        fit, listener = home / ".footnote/fit.json", Listener(service)
        fit.write_text("no fit", encoding="utf-8")
        with pytest.raises(NotServedError, match=rf"published but.*still come from {second.name}.*fit\.json"):
            await service.rebuild()
        published = read_pointer(second.parent)
        damage(second.parent / published / DATABASE)
        fit.unlink()
        # A poll that had opened the file just before the damage may meet it in another way first.
        damaged = f"{DATABASE} is damaged (its checksum differs)"
        await until(lambda: damaged in caplog.text)
        await asyncio.sleep(0.2)
        assert caplog.text.count(damaged) == 1  # not at each poll
        assert ((await service.ask(BELL)).generation, listener.swaps) == (second.name, [])
        damage(second.parent / published / DATABASE)
        await until(lambda: listener.swaps == [published])
        assert (await service.ask(BELL)).generation == published


async def test_large_files_are_verified_before_anything_is_answered(home: Path, second: Path) -> None:
    manifest = read_manifest(second)
    manifest.files["large"] = Checksum("0" * 32, 70_000_000)  # so large that it is compared in the background
    third = second.parent / generation_name(3, manifest.to_bytes())
    async with serving(home) as service:
        shutil.copytree(second, third)
        (third / "manifest.json").write_bytes(manifest.to_bytes())
        (third / "large").touch()
        os.truncate(third / "large", 70_000_000)
        point_at(second.parent, third.name)
        await asyncio.sleep(0.3)
        assert (await service.ask(BELL)).generation == second.name
    assert open_files(third) == []
    with pytest.raises(DamagedIndexError, match="large is damaged"):
        await Service(settings_of(home)).start()


def cut_off(file: Path) -> None:
    os.truncate(file, 0)


def damage_words(folder: Path) -> None:
    damage(*folder.glob("*.fast"))  # Tantivy panics


def renumber(file: Path) -> None:
    """Replace a database in place by one in order, whose articles have other rows."""
    copy = shutil.copyfile(file, file.with_name("copy"))
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE articles SET id = id + 100")
    with file.open("r+b") as opened:
        opened.write(copy.read_bytes())


@pytest.mark.parametrize(
    ("name", "spoil"), [(DATABASE, damage), (TOKENS, cut_off), (DATABASE, renumber), ("words", damage_words)]
)
async def test_questions_that_meet_damage_are_answered_from_the_last_good_generation(
    home: Path, first: Path, second: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    async with serving(home) as service:
        listener = Listener(service)
        spoil(second / name)
        answers = await asyncio.gather(*(service.ask(f"{LAMP} {'?' * number}") for number in range(5)))
        assert {(answer.generation, answer.verdict) for answer in answers} == {(first.name, Verdict.ANSWERED)}
        reported = service.damage
        assert reported is not None
        assert (reported.generation, reported.serving) == (second.name, first.name)
        for part in (second.name, str(second / name), first.name, "Rebuild the index."):
            assert part in str(reported)
        assert (service.stats.damages, (await service.status()).generation) == (1, first.name)
        assert (len(await service.catalogue()), await service.article("news")) == (3, None)
        await asyncio.sleep(0.2)  # polls do not swap back
        assert (listener.damages, listener.swaps) == ([reported], [first.name])
    with pytest.raises(DamagedIndexError, match=second.name):  # a new process does not serve it
        Answerer.open(settings_of(home))


async def test_an_error_that_is_no_damage_reaches_the_caller_alone(home: Path, second: Path) -> None:
    async with serving(home) as service:
        with pytest.raises(TypeError):
            await service.verify(None)  # type: ignore[arg-type] # stands for a bug
        assert (service.damage, (await service.ask(LAMP)).generation) == (None, second.name)


async def test_without_a_whole_generation_everything_is_refused_until_a_rebuild(
    home: Path, encoder: Encoder, first: Path, second: Path
) -> None:
    async with serving(home, encoder) as service:
        listener = Listener(service)
        cut_off(second / TOKENS)
        assert (await service.ask(LAMP)).generation == first.name
        cut_off(first / TOKENS)  # what took its place is damaged too
        for call in (service.ask(LAMP), service.ask(LAMP), service.verify("x y."), service.article("lamp")):
            with pytest.raises(DamagedIndexError, match=r"nothing can be answered. Rebuild the index"):
                await call
        assert [damage and damage.serving for damage in listener.damages] == [first.name, ""]
        report = await service.rebuild()
        assert (await service.ask(BELL)).generation == report.generation
        assert (service.damage, listener.damages[2:], service.stats.damages) == (None, [None], 2)
        assert listener.swaps == [first.name, report.generation]


@pytest.mark.parametrize("by_rollback", [True, False])
async def test_a_restored_generation_serves_again_after_a_rollback_or_a_rebuild(
    home: Path, encoder: Encoder, first: Path, second: Path, by_rollback: bool
) -> None:
    whole = (second / TOKENS).read_bytes()
    shutil.rmtree(first)
    async with serving(home, encoder) as service:
        cut_off(second / TOKENS)
        for _ in range(2):
            with pytest.raises(DamagedIndexError):
                await service.ask(LAMP)
            (second / TOKENS).write_bytes(whole)
            await asyncio.sleep(0.2)  # polls alone do not trust it again
        name = await service.roll_back(second.name) if by_rollback else (await service.rebuild()).generation
        assert name == (await service.ask(LAMP)).generation == second.name
        assert service.damage is None


async def test_rollback_serves_the_generation_before_and_back_again(
    home: Path, first: Path, second: Path
) -> None:
    async with serving(home) as service:
        history = [(row.generation, str(row.state)) for row in await service.history()]
        assert history == [(second.name, "serving"), (first.name, "kept")]
        assert await service.roll_back() == first.name == (await service.ask(BELL)).generation
        assert await service.roll_back(second.name) == second.name == (await service.ask(BELL)).generation
        with locked(second.parent), pytest.raises(BusyError, match="another build"):
            await service.roll_back()
        damage(first / TOKENS)
        for name in (first.name, None, "../articles"):
            with pytest.raises((DamagedIndexError, MissingError)):
                await service.roll_back(name)
        assert read_pointer(second.parent) == second.name == (await service.ask(LAMP)).generation
