"""A generation that turns out damaged while it answers: the one before takes its place, as all hear."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from bot.answering.verify import CheckVerdict
from bot.service.answerer import Serving
from bot.service.live_index import Damage
from bot.service.service import Service
from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError, MissingError
from index.storage.manifest import DATABASE, DENSE, TOKENS, read_pointer
from tests.bot.services import serving, settings_of, until
from tests.bot.tampering import damage
from tests.bot.test_swapping import WHO as WHO_CAST
from tests.bot.test_swapping import write_news
from tests.graphs import copy_index_file
from tests.index.forging import publish

WHO = "Who kept the lamp on Gull Rock?"
KEPT = b"Ebba Lind kept the lamp"


def published(home: Path) -> str:
    return read_pointer(home / ".footnote/index").generation


@pytest.fixture
def home(built_twice: Path, tmp_path: Path) -> Path:
    """Start the test in a copy of the two generations."""
    shutil.copytree(built_twice, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    return tmp_path


@pytest.fixture
def second(home: Path) -> Path:
    """Give the folder of the generation that is published."""
    return home / ".footnote/index" / published(home)


@pytest.fixture
def first(home: Path, second: Path) -> str:
    """Give the name of the generation before."""
    (name,) = (one.name for one in second.parent.glob("0*") if one != second)
    return name


def listening(service: Service) -> list[tuple[Damage | None, threading.Thread]]:
    """Collect what is told of damage, and in which thread."""
    heard: list[tuple[Damage | None, threading.Thread]] = []
    service.on_damage(lambda found: heard.append((found, threading.current_thread())))
    return heard


async def test_a_question_that_meets_damage_is_answered_from_the_generation_before(
    home: Path, second: Path, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(home) as service:
        heard = listening(service)
        swaps: list[str] = []
        service.on_swap(swaps.append)
        assert (await service.ask(WHO)).generation == second.name
        damage(second / TOKENS)
        answers = await asyncio.gather(*(service.ask(f"{WHO} {'?' * number}") for number in range(5)))
        assert {(one.generation, one.verdict) for one in answers} == {(first, Verdict.ANSWERED)}
        (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
        for part in (second.name, str(second / TOKENS), first, "Rebuild the index"):
            assert part in told.getMessage()
        found = service.damage
        assert found is not None
        assert (found.generation, found.serving) == (second.name, first)
        assert (service.stats.damages, service.stats.withheld) == (1, 0)
        assert (await service.status()).generation == first
        assert len(await service.catalogue()) == 3
        assert await service.article("news") is None
        await asyncio.sleep(0)
        assert heard == [(found, threading.main_thread())]
        assert swaps == [first]
    with pytest.raises(DamagedIndexError, match=second.name):
        Serving.first(settings_of(home))


@pytest.mark.parametrize("name", [DENSE, DATABASE, TOKENS])
async def test_damage_that_no_question_meets_is_noticed_all_the_same(
    home: Path, second: Path, first: str, name: str
) -> None:
    async with serving(home) as service:
        heard = listening(service)
        damage(second / name)

        async def told() -> bool:
            return bool(heard)

        await until(told)
        assert (await service.status()).generation == first
        ((found, _),) = heard
        assert found is not None
        assert name in found.reason
        assert (await service.ask(WHO)).verdict is Verdict.ANSWERED


async def test_letters_that_change_under_an_open_database_are_not_quoted(
    home: Path, second: Path, first: str
) -> None:
    async with serving(home) as service:
        damage(second / DATABASE, KEPT)
        made = await service.ask(WHO)
        assert made.generation == first or made.verdict is not Verdict.ANSWERED
        (checked,) = await service.check("Ebba Lind kept the lamp on Gull Rock for thirty-one years.")
        assert checked.verdict is not CheckVerdict.CHANGED

        async def quoted() -> bool:
            return (await service.ask(WHO)).verdict is Verdict.ANSWERED

        await until(quoted)
        assert (await service.ask(WHO)).generation == first


async def test_files_that_were_written_to_without_a_change_are_no_damage(home: Path, second: Path) -> None:
    async with serving(home) as service:
        heard = listening(service)
        for name in (DENSE, TOKENS):
            (second / name).touch()
        await asyncio.sleep(2.5)
        assert heard == []
        assert (await service.ask(WHO)).generation == second.name


async def test_what_is_published_next_ends_it_and_is_told_of(
    home: Path, encoder: Encoder, second: Path, first: str
) -> None:
    async with serving(home, encoder) as service:
        heard = listening(service)
        damage(second / TOKENS)
        assert (await service.ask(WHO_CAST)).generation == first
        report = await service.rebuild()
        assert report.generation not in {first, second.name}
        answer = await service.ask(WHO_CAST)
        assert (answer.generation, answer.verdict) == (report.generation, Verdict.ANSWERED)
        assert service.damage is None
        assert [one for one, _ in heard][1:] == [None]
        assert service.stats.damages == 1


async def test_without_a_whole_generation_all_is_refused_until_a_rebuild_mends_it(
    home: Path, encoder: Encoder, second: Path, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(home, encoder) as service:
        heard = listening(service)
        damage(second.parent / first / TOKENS)
        damage(second / TOKENS)
        for _ in range(2):
            with pytest.raises(DamagedIndexError, match=r"nothing is answered. Rebuild the index"):
                await service.ask(WHO)
        with pytest.raises(DamagedIndexError):
            await service.check("Salt goes in last.")
        with pytest.raises(DamagedIndexError):
            await service.article("lamp")
        ((found, _),) = heard
        assert found is not None
        assert (found.generation, found.serving) == (second.name, "")
        assert (await service.status()).generation == second.name
        assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1
        report = await service.rebuild()
        assert (await service.ask(WHO)).generation == report.generation
        assert service.damage is None
        assert [one is None for one, _ in heard] == [False, True]


async def test_a_generation_that_was_put_back_is_opened_anew_once_somebody_goes_back_to_it(
    home: Path, second: Path, first: str
) -> None:
    shutil.rmtree(second.parent / first)
    shutil.copytree(second, home / "copy")
    async with serving(home) as service:
        damage(second / TOKENS)
        with pytest.raises(DamagedIndexError):
            await service.ask(WHO)
        shutil.rmtree(second)
        shutil.copytree(home / "copy", second)
        assert await service.roll_back(second.name) == second.name
        assert (await service.ask(WHO)).generation == second.name
        assert service.damage is None


async def test_damage_of_what_took_the_place_is_met_as_well(home: Path, second: Path, first: str) -> None:
    async with serving(home) as service:
        heard = listening(service)
        damage(second / TOKENS)
        assert (await service.ask(WHO)).generation == first
        damage(second.parent / first / TOKENS)
        with pytest.raises(DamagedIndexError, match=first):
            await service.ask(WHO)
        assert service.stats.damages == 2
        assert len(heard) == 2


async def test_going_back_answers_from_the_generation_before_and_forth_again(
    home: Path, second: Path, first: str
) -> None:
    async with serving(home) as service:
        lines = await service.history()
        assert [(one.generation, str(one.state)) for one in lines] == [
            (second.name, "serving"),
            (first, "kept"),
        ]
        assert (await service.ask(WHO_CAST)).verdict is Verdict.ANSWERED
        assert await service.roll_back() == first
        gone = await service.ask(WHO_CAST)
        assert (gone.generation, gone.verdict is Verdict.ANSWERED) == (first, False)
        assert await service.roll_back(second.name) == second.name
        assert (await service.ask(WHO_CAST)).generation == second.name


async def test_going_back_to_what_is_damaged_or_not_there_is_refused_and_changes_nothing(
    home: Path, second: Path, first: str, encoder: Encoder
) -> None:
    async with serving(home) as service:
        damage(second.parent / first / DENSE)
        with pytest.raises(DamagedIndexError, match=first):
            await service.roll_back(first)
        with pytest.raises(MissingError):
            await service.roll_back()
        with pytest.raises(MissingError, match="no generation"):
            await service.roll_back("../articles")
        assert published(home) == second.name
        assert (await service.ask(WHO)).generation == second.name


async def test_a_damaged_generation_that_was_restored_is_served_once_somebody_goes_back_to_it(
    home: Path, second: Path, first: str
) -> None:
    async with serving(home) as service:
        damage(second / TOKENS)
        assert (await service.ask(WHO)).generation == first
        damage(second / TOKENS)  # a bit that is flipped twice is as it was
        await asyncio.sleep(2.5)
        assert (await service.ask(WHO)).generation == first
        assert await service.roll_back(second.name) == second.name
        assert (await service.ask(WHO)).generation == second.name
        assert service.damage is None


def test_a_swap_keeps_the_encoder_where_it_is_the_same_and_opens_another_where_it_is_not(
    home: Path, encoder: Encoder
) -> None:
    opened = Serving.first(settings_of(home))
    write_news(home, 2)
    build_index(settings_of(home), encoder=encoder)
    same = opened.next()
    assert same.search.encoder is opened.search.encoder
    publish(home / ".footnote/index", producer="another one")
    other = same.next()
    assert other.search.encoder is not opened.search.encoder
    assert other.answer(WHO, None, None).verdict is Verdict.ANSWERED
    for one in (opened, same, other):
        one.close()


async def test_memory_that_runs_out_while_going_back_ends_in_an_error_and_not_in_a_hang(
    home: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError

    async with serving(home) as service:
        monkeypatch.setattr("index.generations.last_good", out_of_memory)
        damage(second / TOKENS)
        for _ in range(2):
            with pytest.raises(DamagedIndexError, match=second.name):
                await service.ask(WHO)
        assert service.damage is not None


async def test_a_generation_that_is_whole_again_serves_after_a_rebuild_that_had_nothing_to_do(
    home: Path, second: Path, first: str
) -> None:
    whole = (second / TOKENS).read_bytes()
    async with serving(home) as service:
        damage(second / TOKENS)
        assert (await service.ask(WHO)).generation == first
        (second / TOKENS).write_bytes(whole)
        assert (await service.rebuild()).generation == second.name
        assert (await service.ask(f"{WHO}?")).generation == second.name
        assert service.damage is None
