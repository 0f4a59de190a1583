"""The service: any text has an answer, the queue is bounded, and closing loses nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.service.job_queue import Waiting
from bot.service.service import Service, ServiceStats
from index.articles.article import Article
from index.errors import BusyError, DamagedIndexError, NoIndexError, NoModelError
from index.storage.local import open_generation
from tests.bot.services import heartbeat, serving, settings_of

FILES = ["passages.sqlite", "dense.faiss", "tokens.i8", "basis.f32", "manifest.json"]

shared_loop = pytest.mark.asyncio(loop_scope="module")

Spans = frozenset[tuple[int, int, int]]
Sources = dict[str, tuple[Article, Spans]]

_OPERATORS = [
    '"',
    " OR ",
    "NEAR(",
    "*",
    ")",
    "AND NOT",
    "^",
    "{a b}:",
    "-",
    "'; DROP TABLE articles; --",
    "%",
]
_ODD = ["\x00", "\ud800", "\u202e", "\u2028", "\u0301", "\U0001f600", "\u05e9\u05dc\u05d5\u05dd", "\ufdfa"]
_PIECES = st.sampled_from([*_OPERATORS, *_ODD, "lamp", "oil", "salt", "who wrote"]) | st.text(max_size=8)
# Surrogates are left out of plain text by default, and arguments that are not UTF-8 hold them.
_ANYTHING = st.text(st.characters(codec=None, categories=None))
_QUESTIONS = st.lists(_PIECES, max_size=12).map("".join) | _ANYTHING


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(built: Path) -> AsyncIterator[Service]:
    """Serve the small index to every test that only asks."""
    async with serving(built) as started:
        yield started


@pytest.fixture(scope="module")
def sources(built: Path) -> Sources:
    """Return each article of the small index with the spans of its sentences."""
    generation = open_generation(built / ".footnote/index")
    found = {}
    for row, name, _ in generation.article_rows():
        sentences = [one for stored in generation.passages_of(row) for one in stored.passage.sentences]
        spans = frozenset((one.paragraph, one.start, one.end) for one in sentences)
        found[name] = (generation.article(row), spans)
    generation.close()
    return found


def assert_sensible(answer: Answer, question: str, sources: Sources) -> None:
    """Hold what is true of every answer: its quotes are runs of whole sentences, to the letter."""
    assert answer.question == question
    assert 0 <= answer.confidence <= 1
    assert answer.quotes or answer.verdict is Verdict.NOT_FOUND
    for quote in answer.quotes:
        citation = answer.citation_of(quote)
        article, sentences = sources[citation.article]
        text = article.heading if quote.paragraph == 0 else article.text
        assert text[quote.start : quote.end] == quote.text
        run = sorted(
            one for one in sentences if one[0] == quote.paragraph and quote.start <= one[1] < quote.end
        )
        assert (run[0][1], run[-1][2]) == (quote.start, quote.end)
        assert text[citation.start : citation.end] == citation.passage
        assert citation.start <= quote.start < quote.end <= citation.end
        assert citation.paragraph == quote.paragraph
        if quote.highlight is not None:
            assert quote.start <= quote.highlight[0] < quote.highlight[1] <= quote.end
    texts = [quote.text for quote in answer.quotes]
    assert len(texts) == len(answer.citations) <= 3
    assert len(set(texts)) == len(texts)


def ask_each(service: Service, *questions: str) -> list[asyncio.Task[Answer]]:
    return [asyncio.create_task(service.ask(question)) for question in questions]


@shared_loop
@given(question=_QUESTIONS)
@example(question="")
@example(question="   \t\n")
@example(question="lamp " * 20_000)
@example(question="x" * 100_000)
@example(question="?!… —“”()")
@example(question="\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467")
@example(question='lamp" OR NEAR( * AND')
@example(question="NEAR/2 lamp^ text:oil {title}: -salt")
@example(question="lamp\x00oil")
@example(question="\ud800lamp\udfff")
@example(question="מי שמר על המנורה?")
async def test_any_text_gets_a_sensible_answer(service: Service, sources: Sources, question: str) -> None:
    assert_sensible(await service.ask(question), question, sources)


@shared_loop
@pytest.mark.parametrize("question", ["", " \n", "?!…", "\U0001f600", "\x00", "\ud800", '"*()'])
async def test_a_question_without_a_letter_or_digit_finds_nothing(service: Service, question: str) -> None:
    answer = await service.ask(question)
    assert (answer.verdict, answer.confidence, answer.quotes) == (Verdict.NOT_FOUND, 0.0, ())


@shared_loop
@pytest.mark.parametrize("noise", ['" OR NEAR( * ', "\x00", "\ud800 ", "'; DROP TABLE articles; -- ", "%_"])
async def test_operators_and_odd_characters_do_not_hide_the_answer(service: Service, noise: str) -> None:
    answer = await service.ask(f"{noise}Who kept the lamp on Gull Rock?")
    assert answer.quotes[0].text == "Ebba Lind kept the lamp on Gull Rock for thirty-one years."


@shared_loop
async def test_the_same_question_gets_the_same_answer_from_the_generation_it_names(
    service: Service, built: Path
) -> None:
    one, two = [await service.ask("Why does sourdough rise slowly?") for _ in range(2)]
    assert {**one.as_json(), "elapsed_ms": 0} == {**two.as_json(), "elapsed_ms": 0}
    assert (built / ".footnote/index" / one.generation).is_dir()
    assert one.elapsed_ms > 0


@shared_loop
async def test_status_is_that_of_the_generation_being_served(service: Service) -> None:
    status = await service.status()
    answer = await service.ask("lamp?")
    assert (status.articles, status.generation) == (3, answer.generation)


@shared_loop
async def test_the_loop_goes_on_while_questions_are_answered(service: Service) -> None:
    async with heartbeat() as pauses:
        answers = await asyncio.gather(*(service.ask(f"who kept the lamp {n} " * 9) for n in range(60)))
    assert len(answers) == 60
    assert max(pauses) < 0.5


@shared_loop
async def test_questions_that_wait_are_answered_each_with_its_own(service: Service, sources: Sources) -> None:
    questions = [f"{word}?" for word in "lamp salt turbine sourdough log blades cellar".split()]
    answers = await asyncio.gather(*map(service.ask, questions))
    for answer, question in zip(answers, questions, strict=True):
        assert_sensible(answer, question, sources)
    assert [answer.citations[0].article for answer in answers[:3]] == ["lamp", "bread", "odd/1"]


async def test_more_questions_than_may_wait_are_turned_away_and_places_come_free(built: Path) -> None:
    async with serving(built, waiting=3) as service:
        asked = ask_each(service, *(f"Who kept the lamp? {number}" for number in range(3)))
        await asyncio.sleep(0)
        assert service.stats.waiting == 3
        with pytest.raises(
            BusyError, match=r"Too many questions are waiting\. Try again in \d+ s"
        ) as refused:
            await service.ask("One too many?")
        assert refused.value.seconds is not None
        assert refused.value.seconds >= 1
        await asyncio.gather(*asked)
        assert service.stats.waiting == 0
        assert (await service.ask("Who kept the lamp?")).verdict is Verdict.ANSWERED


async def test_of_a_thousand_at_once_each_is_answered_once_or_turned_away(
    built: Path, sources: Sources
) -> None:
    questions = [f"Who kept the lamp? {number}" for number in range(1000)]
    async with serving(built, waiting=100) as service:
        ended = await asyncio.gather(*map(service.ask, questions), return_exceptions=True)
        answered = [one for one in ended if isinstance(one, Answer)]
        assert [one.question for one in answered] == questions[:100]
        assert {type(one) for one in ended[100:]} == {BusyError}
        for answer in answered:
            assert_sensible(answer, answer.question, sources)
        assert sum(count for _, count in service.stats.answered) == 100
        assert service.stats.waiting == 0


async def test_a_question_given_up_frees_its_place(built: Path) -> None:
    async with serving(built, waiting=3) as service:
        for _ in range(5):
            asked = ask_each(service, "Who kept the lamp?", "Salt?")
            await asyncio.sleep(0)
            for task in asked:
                task.cancel()
            await asyncio.wait(asked)
        assert (await service.ask("Who kept the lamp?")).verdict is Verdict.ANSWERED


async def test_who_waits_is_told_the_place_on_the_loop_before_anything_else(built: Path) -> None:
    heard: dict[str, Waiting] = {}
    async with serving(built) as service:
        asked = [
            asyncio.create_task(
                service.ask(f"Who kept the lamp? {name}", waiting=functools.partial(heard.__setitem__, name))
            )
            for name in "abc"
        ]
        await asyncio.sleep(0)
        assert {name: place.position for name, place in heard.items()} == {"b": 1, "c": 2}
        assert 0 < heard["b"].seconds < heard["c"].seconds
        await asyncio.gather(*asked)
        assert len(heard) == 2


async def test_the_same_question_in_flight_is_answered_once_for_all_who_ask_it(built: Path) -> None:
    typed = ["Who kept the lamp?", "  Who kept\tthe lamp?\n", "Who kept the lamp?"]
    async with serving(built, waiting=1) as service:
        one, spaced, other = await asyncio.gather(*ask_each(service, *typed))
        assert one is other
        assert spaced == dataclasses.replace(one, question=typed[1])
        assert [one.question, spaced.question] == typed[:2]
        again = await service.ask("Who kept the lamp?")
        assert again is not one
        assert again.quotes == one.quotes
        assert dict(service.stats.answered)[Verdict.ANSWERED] == 4


async def test_one_of_those_who_ask_the_same_may_give_up(built: Path) -> None:
    async with serving(built) as service:
        asked = ask_each(service, "Salt?", *["Who kept the lamp?"] * 4)
        await asyncio.sleep(0)
        asked[1].cancel()
        asked[3].cancel()
        assert (await asked[2]).verdict is Verdict.ANSWERED
        assert await asked[4] is await asked[2]
        assert asked[1].cancelled()


@shared_loop
async def test_the_same_words_of_another_article_or_after_another_question_are_another_question(
    service: Service,
) -> None:
    lamp, bread = Earlier("Who kept the lamp on Gull Rock?"), Earlier("What does salt do to dough?")
    text = "When was it replaced?"
    alone, of_bread, after_lamp, after_bread = await asyncio.gather(
        service.ask(text),
        service.ask(text, article="bread"),
        service.ask(text, earlier=lamp),
        service.ask(text, earlier=bread),
    )
    assert {one.article for one in of_bread.citations} == {"bread"}
    assert (alone.read_as, of_bread.read_as) == ("", "")
    assert "Gull Rock" in after_lamp.read_as
    assert "Gull Rock" not in after_bread.read_as


@shared_loop
async def test_a_follow_up_is_answered_with_the_subject_of_the_question_before(
    service: Service, sources: Sources
) -> None:
    before = await service.ask("Who kept the lamp on Gull Rock?")
    answer = await service.ask("And when was it replaced?", earlier=Earlier.of(before))
    assert_sensible(answer, "And when was it replaced?", sources)
    assert answer.quotes[0].text == "The lamp was replaced by an electric one in 1954."
    assert "lamp" in answer.read_as
    assert "read_as" not in answer.as_json()
    assert answer.elapsed_ms > 0


@shared_loop
@given(question=_QUESTIONS, before=_QUESTIONS, article=st.sampled_from([None, "lamp", "odd/1", "", "\ud800"]))
async def test_any_text_after_any_text_gets_a_sensible_answer(
    service: Service, sources: Sources, question: str, before: str, article: str | None
) -> None:
    answer = await service.ask(question, article=article, earlier=Earlier(before, "lamp"))
    assert_sensible(answer, question, sources)
    assert {one.article for one in answer.citations} <= ({article} if article else set(sources))


@shared_loop
async def test_an_article_that_there_is_not_answers_nothing(service: Service) -> None:
    answer = await service.ask("Who kept the lamp on Gull Rock?", article="none such")
    assert (answer.verdict, answer.quotes, answer.further) == (Verdict.NOT_FOUND, (), ())


async def test_stats_count_the_answers_by_verdict_and_their_time(built: Path) -> None:
    async with serving(built) as service:
        assert service.stats == ServiceStats(0, tuple((verdict, 0) for verdict in Verdict), 0.0)
        for question in ["Who kept the lamp?", "Who kept the lamp on Gull Rock?", "?", ""]:
            await service.ask(question)
        answered = dict(service.stats.answered)
        assert (answered[Verdict.ANSWERED], answered[Verdict.NOT_FOUND]) == (2, 2)
        assert service.stats.mean_seconds > 0


async def test_close_answers_the_questions_under_way_and_then_turns_all_away(built: Path) -> None:
    async with serving(built) as service:
        asked = ask_each(service, *(f"Who kept the lamp? {'?' * number}" for number in range(20)))
        await asyncio.sleep(0)
        await service.close()
        assert {(await task).verdict for task in asked} == {Verdict.ANSWERED}
        with pytest.raises(BusyError, match="stopping"):
            await service.ask("Who kept the lamp?")
        with pytest.raises(BusyError):
            await service.rebuild()
        for look_up in (service.check, service.article, service.vector):
            with pytest.raises(BusyError, match="stopping"):
                await look_up("lamp")
        await service.close()


@pytest.mark.parametrize("file", FILES)
async def test_start_refuses_a_damaged_index_by_the_name_of_the_file(home: Path, file: str) -> None:
    (path,) = (home / ".footnote/index").glob(f"*/{file}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    service = Service(settings_of(home))
    with pytest.raises(DamagedIndexError, match=f"{file} is damaged.*footnote index build"):
        await service.start()
    await service.close()


async def test_start_says_what_to_run_where_there_is_no_index(tmp_path: Path) -> None:
    service = Service(settings_of(tmp_path))
    with pytest.raises(NoIndexError, match="footnote index build"):
        await service.start()
    await service.close()


async def test_start_names_an_encoder_that_has_no_weights(home: Path) -> None:
    (home / "hollow").mkdir()
    service = Service(settings_of(home, model=str(home / "hollow")))
    with pytest.raises(NoModelError, match=r"no \.safetensors weights"):
        await service.start()
    await service.close()
