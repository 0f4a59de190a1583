"""The services of several collections: one encoder, answers of their own, rebuilds that touch no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from bot.service.services import Services
from bot.settings import BotSettings
from index.errors import NoIndexError, SettingsError
from tests.bot.conftest import BELL, QUESTION, Footnote
from tests.bot.services import BOUND


@pytest.fixture
async def services(home_with_harbour: Path) -> AsyncIterator[Services]:
    """Serve both collections."""
    started = Services(BotSettings.load())
    await started.start()
    yield started
    await asyncio.wait_for(started.close(), BOUND)


async def test_collections_share_encoder_and_reader_and_answer_at_once_as_one_by_one(
    services: Services,
) -> None:
    assert list(services) == ["", "harbour"]
    default, harbour = (service._live.answerer for service in services.values())
    assert harbour.search.encoder is default.search.encoder
    assert len(harbour.readers) == 1
    assert harbour.readers[0] is default.readers[0]
    questions = [
        QUESTION,
        "Who kept the lamp?",
        "How much did the lamp burn a night?",
        "And the electric one?",
    ]
    expected = {name: [await service.ask(one) for one in questions] for name, service in services.items()}
    assert [answers[0].quotes[0].text[-5:] for answers in expected.values()] == ["1871.", "1894."]
    rounds = [(name, number % len(questions)) for number in range(12) for name in services]
    answers = await asyncio.gather(*(services[name].ask(questions[row]) for name, row in rounds))
    for (name, row), answer in zip(rounds, answers, strict=True):
        assert (answer.verdict, answer.quotes) == (expected[name][row].verdict, expected[name][row].quotes)
        assert answer.confidence == pytest.approx(expected[name][row].confidence, abs=1e-5)


async def test_a_rebuild_in_a_child_process_is_of_its_collection_whatever_the_environment_says(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("harbour/bell.txt").write_text(BELL, encoding="utf-8")
    Path(".env").write_text("FOOTNOTE_COLLECTION=attic\nFOOTNOTE_INDEX=attic\nFOOTNOTE_LANGUAGE=de\n")
    monkeypatch.setenv("FOOTNOTE_COLLECTIONS", "attic.toml")
    before = await services.default.status()
    report = await asyncio.wait_for(services["harbour"].rebuild(), 3 * BOUND)
    assert (report.articles, report.changes.added) == (4, ("bell",))
    answer = await services["harbour"].ask("Who cast the fog bell of Skerry Point?")
    assert (answer.verdict, "Nils Aker" in answer.quotes[0].text) == (Verdict.ANSWERED, True)
    assert await services.default.status() == before
    assert not Path("attic").exists()


async def test_what_is_listed_for_the_default_holds_for_no_other_and_each_needs_an_index_of_its_own(
    home_with_harbour: Path,
) -> None:
    listed = Path("collections.toml")
    listed.write_text(
        '[de]\narticles = "de"\nlanguage = "de"\nbase_url = "https://de.example/"\n[en]\narticles = "en"\n'
    )
    services = Services(BotSettings.load(collection="de"))
    shown = {name: (one.settings.language, one.settings.base_url) for name, one in services.items()}
    assert shown == {"de": ("de", "https://de.example/"), "en": ("en", "")}
    listed.write_text('[en]\narticles = "en"\n')
    with pytest.raises(NoIndexError, match=r"collection en: .*`footnote --collection en index build`"):
        await (services := Services(BotSettings.load())).start()
    await services.close()
    listed.write_text('[en]\narticles = "en"\nindex = ".footnote/other"\n')
    with pytest.raises(SettingsError, match=r"index of \[en\] is in the folder of another, .*\.footnote"):
        Services(BotSettings.load())
    listed.write_text(
        '[a]\narticles = "a"\nindex = "x/1"\n[b]\narticles = "b"\nindex = "x/../x/2"\n', encoding="utf-8"
    )
    with pytest.raises(SettingsError, match=r"index of \[b\] is in the folder of another"):
        Services(BotSettings.load())


def test_every_command_uses_the_collection_that_the_program_was_given(
    home_with_harbour: Path, footnote: Footnote
) -> None:
    here = ("--collection", "harbour")
    assert "1894" in footnote(*here, "ask", QUESTION).out
    assert "1871" in footnote("ask", QUESTION).out
    assert "1894" in footnote("--collection", "attic", "ask", "--collection", "harbour", QUESTION).out
    Path("harbour/bell.txt").write_text(BELL, encoding="utf-8")
    assert "4 articles in " in footnote(*here, "index", "build").out
    assert footnote(*here, "index", "show").out.count("Skerry Point") > 1
    footnote(*here, "sources", "add", "https://docs.example/guide")
    assert "docs.example" in Path("harbour.sources.toml").read_text(encoding="utf-8")
    assert "docs.example" in footnote(*here, "sources", "list").out
    assert "docs.example" not in footnote("sources", "list").out
    gold = '{"id": "q", "question": "Who cast the fog bell?", "answers": ["Nils Aker"], "answerable": true}\n'
    Path("harbour/questions.jsonl").write_text(gold, encoding="utf-8")
    assert footnote(*here, "eval", "harbour").status == 0
    unknown = footnote("--collection", "attic", "ask", QUESTION)
    assert (unknown.status, "lists harbour" in unknown.err) == (2, True)
    found = footnote("doctor").out
    assert "collections harbour" in " ".join(found.split())
