"""Hits to an answer: verdict, quotes, citations, confidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Answer, Verdict, answer, confidence
from index import Article, Encoder, Hit, HitSentence, Search, open_generation

TEXT = "First sentence. Second sentence."
ARTICLE = Article("one", "One", "Ann", "Press", "", "", "One", TEXT)
SHARES = st.floats(0, 1)


def hit(cosine: float, coverage: float = 1.0, article: Article = ARTICLE) -> Hit:
    """Make a hit whose second sentence is the best one, with these signals."""
    best = HitSentence(1, 16, 32, TEXT[16:32], cosine, coverage)
    worse = HitSentence(1, 0, 15, TEXT[:15], -1.0, 0.0)
    return Hit(article, 0, 32, TEXT, cosine, 1.0, (worse, best))


def answered(*hits: Hit, answer_at: float = 0.5) -> Answer:
    return answer("Q?", hits, answer_at=answer_at, generation="000001-a", elapsed_ms=1.26)


@pytest.fixture(scope="module")
def search(built: Path, encoder: Encoder) -> Iterator[Search]:
    """Open the small index with the real encoder."""
    generation = open_generation(built / ".footnote/index")
    yield Search(generation, encoder)
    generation.close()


@given(st.floats(-1, 1), SHARES)
def test_confidence_stays_between_0_and_1(cosine: float, coverage: float) -> None:
    assert 0 <= confidence(hit(cosine, coverage)) <= 1


@given(SHARES, SHARES, SHARES, SHARES)
def test_confidence_never_falls_when_a_signal_rises(a: float, b: float, c: float, d: float) -> None:
    low, high = sorted((a, b))
    less, more = sorted((c, d))
    assert confidence(hit(low, less)) <= confidence(hit(high, less))
    assert confidence(hit(low, less)) <= confidence(hit(low, more))


def test_confidence_tells_a_close_sentence_from_a_far_one() -> None:
    assert confidence(hit(0.9)) > 0.9
    assert confidence(hit(0.1, 0.1)) < 0.1


@given(SHARES, SHARES, SHARES)
def test_verdict_is_answered_from_the_confidence_asked_for_on(
    cosine: float, coverage: float, answer_at: float
) -> None:
    one = hit(cosine, coverage)
    verdict = answered(one, answer_at=answer_at).verdict
    assert (verdict is Verdict.ANSWERED) == (confidence(one) >= answer_at)


@given(SHARES, SHARES, SHARES, SHARES)
def test_a_surer_hit_never_gets_a_lesser_verdict(a: float, b: float, c: float, d: float) -> None:
    rank = [Verdict.NOT_FOUND, Verdict.RELATED, Verdict.ANSWERED]
    less, more = sorted((hit(a, b), hit(c, d)), key=confidence)
    assert rank.index(answered(less).verdict) <= rank.index(answered(more).verdict)


@pytest.mark.parametrize("answer_at", [0.0, 0.5, 1.0])
def test_no_hit_is_never_an_answer(answer_at: float) -> None:
    empty = answered(answer_at=answer_at)
    assert (empty.verdict, empty.confidence) == (Verdict.NOT_FOUND, 0.0)
    assert (empty.quotes, empty.citations, empty.further) == ((), (), ())


def test_a_confidence_below_related_still_answers_when_less_is_asked_for() -> None:
    weak = hit(0.2, 0.0)
    assert answered(weak).verdict is Verdict.NOT_FOUND
    assert answered(weak, answer_at=0.001).verdict is Verdict.ANSWERED


@given(st.integers(0, 10))
def test_three_hits_are_cited_in_order_and_the_rest_follows(count: int) -> None:
    hits = [hit(0.9 - number / 20) for number in range(count)]
    made = answered(*hits)
    assert [one.number for one in made.citations] == list(range(1, min(count, 3) + 1))
    assert [one.citation for one in made.quotes] == [one.number for one in made.citations]
    assert [one.number for one in made.further] == list(range(4, count + 1))
    scores = [one.score for one in (*made.citations, *made.further)]
    assert scores == [round(one.score, 4) for one in hits] == sorted(scores, reverse=True)


def test_the_quote_is_the_best_sentence_and_its_citation_says_where() -> None:
    made = answered(hit(0.8))
    (quote,) = made.quotes
    assert (quote.text, quote.start, quote.end) == ("Second sentence.", 16, 32)
    citation = made.citation_of(quote)
    assert (citation.start, citation.end, citation.passage) == (0, 32, TEXT)
    assert (citation.article, citation.title, citation.author, citation.publisher) == (
        "one",
        "One",
        "Ann",
        "Press",
    )


def test_quotes_are_there_for_every_verdict() -> None:
    for cosine, verdict in ((0.9, Verdict.ANSWERED), (0.3, Verdict.RELATED), (0.0, Verdict.NOT_FOUND)):
        made = answered(hit(cosine))
        assert made.verdict is verdict
        assert [quote.text for quote in made.quotes] == ["Second sentence."]


def test_json_has_exactly_the_keys_of_the_design_in_their_order() -> None:
    fields = json.loads(json.dumps(answered(hit(0.8), hit(0.7), hit(0.6), hit(0.5)).as_json()))
    names = "question verdict confidence quotes citations generation elapsed_ms"
    assert list(fields) == names.split()
    assert list(fields["quotes"][0]) == "text citation paragraph start end highlight".split()
    assert (
        list(fields["citations"][0])
        == "number article title author publisher url paragraph start end passage score".split()
    )
    assert (fields["verdict"], fields["generation"], fields["elapsed_ms"]) == ("answered", "000001-a", 1.3)
    assert fields["quotes"][0]["highlight"] is None


def test_an_article_without_a_url_has_null_and_with_one_has_it() -> None:
    linked = Article("two", "Two", "", "", "https://a.example", "", "Two", TEXT)
    made = answered(hit(0.9), hit(0.8, article=linked))
    assert [one.url for one in made.citations] == [None, "https://a.example"]


@pytest.mark.parametrize(
    ("question", "article", "quote"),
    [
        (
            "Who kept the lamp on Gull Rock?",
            "lamp",
            "Ebba Lind kept the lamp on Gull Rock for thirty-one years.",
        ),
        ("Why does sourdough rise slowly?", "bread", "Sourdough rises slowly because wild yeast is scarce."),
        (
            "How much oil did the lamp burn a night?",
            "lamp",
            "Its lamp burned 40 litres of colza oil a night.",
        ),
    ],
)
def test_a_question_is_answered_with_the_sentence_that_says_so(
    search: Search, question: str, article: str, quote: str
) -> None:
    made = answer(question, search(question), answer_at=0.5, generation="g", elapsed_ms=0)
    assert made.verdict is Verdict.ANSWERED
    assert (made.citations[0].article, made.quotes[0].text) == (article, quote)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Who is the author of The lamp on Gull Rock?", "Author: Mara Holt"),
        ("Who wrote it?", "Author: Mara Holt"),
        ("Who published Bread without a clock?", "The Oven Letter"),
        ("Where was the article about bread published?", "The Oven Letter"),
    ],
)
def test_a_question_about_the_heading_is_quoted_from_paragraph_0(
    search: Search, question: str, quote: str
) -> None:
    made = answer(question, search(question), answer_at=0.5, generation="g", elapsed_ms=0)
    assert (made.quotes[0].paragraph, made.citations[0].paragraph) == (0, 0)
    assert made.quotes[0].text == quote


def test_a_question_on_another_subject_is_not_found(search: Search) -> None:
    question = "Which football club won the cup final in Lisbon?"
    made = answer(question, search(question), answer_at=0.5, generation="g", elapsed_ms=0)
    assert made.verdict is Verdict.NOT_FOUND
