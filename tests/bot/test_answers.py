"""What the search found to an answer: verdict, quotes, citations, confidence, and the words in bold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Quote, Verdict, answer
from bot.answering.confidence import Judge, find_judge
from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.hits import Hit
from index.search.parts import Part
from index.search.question import Question
from index.search.search import Search
from index.search.signals import judged
from index.search.wanted import Wanted
from index.settings import IndexSettings
from index.storage.local import open_generation
from tests.bot.made import FIT, JUDGE, Line, found, hit, made_hit, question

SCORES = st.floats(-1, 2)
SHARES = st.floats(0, 1)
TEXTS = [f"Fact {number} of many. It says {word} here." for number, word in enumerate("abcdefghijkl")]


def answered(*hits: Hit, answer_at: float = 0.5, asked: Question | None = None, without: str = "") -> Answer:
    return answer(
        "Q?",
        found(*hits, asked=asked),
        judge=Judge(FIT, answer_at),
        generation="000001-a",
        elapsed_ms=1.26,
        without=[Part(name) for name in without.split()],
    )


def different(score: float, number: int) -> Hit:
    """Make a hit whose words are its own."""
    words = [f"{word}{number}" for word in "the lamp of this rock burned for years".split()]
    return hit(score, [Line(f"{' '.join(words)}.")], article=f"article {number}")


@given(SCORES, SHARES)
def test_verdict_is_answered_from_the_confidence_asked_for_on(score: float, answer_at: float) -> None:
    """And the confidence that is told is the one that was judged, so that a reader can judge again."""
    made = answered(different(score, 1), answer_at=answer_at)
    assert made.confidence == round(FIT.confidence(judged(different(score, 1))), 4)
    assert (made.verdict is Verdict.ANSWERED) == (made.confidence >= answer_at and made.confidence > 0)


@given(SCORES, SCORES, SHARES)
def test_a_surer_hit_never_gets_a_lesser_verdict(a: float, b: float, answer_at: float) -> None:
    rank = [Verdict.NOT_FOUND, Verdict.RELATED, Verdict.ANSWERED]
    less, more = (answered(different(score, 1), answer_at=answer_at) for score in sorted((a, b)))
    assert rank.index(less.verdict) <= rank.index(more.verdict)
    assert less.confidence <= more.confidence


@pytest.mark.parametrize("answer_at", [0.0, 0.5, 1.0])
def test_no_hit_is_never_an_answer(answer_at: float) -> None:
    empty = answered(answer_at=answer_at)
    assert (empty.verdict, empty.confidence) == (Verdict.NOT_FOUND, 0.0)
    assert (empty.quotes, empty.citations, empty.further) == ((), (), ())


def test_the_confidence_is_that_of_the_first_hit_alone() -> None:
    one, other = different(0.6, 1), different(0.5, 2)
    assert answered(one, other).confidence == round(FIT.confidence(judged(one)), 4)
    assert answered(one, other).confidence == answered(one).confidence


@given(st.integers(0, 10))
def test_three_hits_are_cited_in_order_and_the_rest_follows(count: int) -> None:
    hits = [different(0.9 - number / 20, number) for number in range(count)]
    made = answered(*hits)
    assert [one.number for one in made.citations] == list(range(1, min(count, 3) + 1))
    assert [one.citation for one in made.quotes] == [one.number for one in made.citations]
    assert [one.number for one in made.further] == list(range(4, count + 1))
    scores = [one.score for one in (*made.citations, *made.further)]
    assert scores == [round(one.score, 4) for one in hits] == sorted(scores, reverse=True)


def test_passages_that_say_the_same_but_for_a_word_are_cited_once_by_the_better_one() -> None:
    paragraph = "Ebba Lind kept the lamp on Gull Rock for thirty-one {} and never missed a single night."
    hits = [
        hit(0.9, [Line(paragraph.format("years"))], article="first"),
        hit(0.8, [Line(paragraph.format("YEARS"))], article="shouted"),
        hit(0.7, [Line(paragraph.format("winters"))], article="copied"),
        hit(0.6, [Line("The lamp was replaced by an electric one.")], article="other"),
    ]
    made = answered(*hits)
    assert [one.article for one in made.citations] == ["first", "other"]
    assert [one.number for one in made.citations] == [1, 2]
    assert made.further == ()


@given(st.lists(st.sampled_from(TEXTS), max_size=10))
def test_no_passage_is_cited_twice_and_no_other_is_lost(texts: list[str]) -> None:
    made = answered(*[made_hit(0.9 - number / 50, text) for number, text in enumerate(texts)])
    shown = [one.passage for one in (*made.citations, *made.further)]
    assert len(made.citations) <= 3
    assert shown == [text for number, text in enumerate(texts) if text not in texts[:number]]


def test_the_quote_is_the_best_sentence_and_its_citation_says_where() -> None:
    made = answered(made_hit(0.8, "First sentence. Second sentence."))
    (quote,) = made.quotes
    assert (quote.text, quote.start, quote.end) == ("Second sentence.", 16, 32)
    citation = made.citation_of(quote)
    assert (citation.start, citation.end, citation.passage) == (0, 32, "First sentence. Second sentence.")
    assert (citation.article, citation.title, citation.author, citation.publisher) == (
        "one",
        "One",
        "Ann",
        "Press",
    )


def test_a_quote_of_several_sentences_has_one_span_and_the_paragraph_of_its_citation() -> None:
    one = hit(0.8, [Line("Far away.")], [Line("The lamp is old."), Line("It burned oil.", 0.9)])
    (quote,) = answered(one).quotes
    assert quote.text == "The lamp is old. It burned oil."
    assert one.article.text[quote.start : quote.end] == quote.text
    assert (quote.paragraph, answered(one).citations[0].paragraph) == (2, 2)


def test_without_context_a_quote_is_one_sentence() -> None:
    one = hit(0.8, [Line("The lamp is old."), Line("It burned oil.", 0.9)])
    assert [quote.text for quote in answered(one, without="context").quotes] == ["It burned oil."]


def test_quotes_are_there_for_every_verdict() -> None:
    for score, verdict in ((0.9, Verdict.ANSWERED), (0.3, Verdict.RELATED), (0.0, Verdict.NOT_FOUND)):
        made = answered(made_hit(score))
        assert made.verdict is verdict
        assert [quote.text for quote in made.quotes] == ["A second one."]


LIT = Line("It was lit in 1871 by Ebba Lind.", 0.9)
WHEN = question("When was the lamp lit?", Wanted.DATE)


def test_the_words_that_answer_are_pointed_out_at_their_place_in_the_article() -> None:
    one = hit(0.8, [Line("Fog.")], [Line("The lamp stands on Gull Rock."), LIT])
    (quote,) = answered(one, asked=WHEN).quotes
    assert quote.text == "The lamp stands on Gull Rock. It was lit in 1871 by Ebba Lind."
    assert quote.highlight is not None
    start, end = quote.highlight
    assert one.article.text[start:end] == "1871"
    assert quote.highlight_in_text is not None
    assert quote.text[slice(*quote.highlight_in_text)] == "1871"


def test_without_highlight_and_where_nothing_can_be_pointed_out_there_is_none() -> None:
    one = hit(0.8, [LIT])
    assert [quote.highlight for quote in answered(one, asked=WHEN, without="highlight").quotes] == [None]
    (quote,) = answered(made_hit()).quotes
    assert (quote.highlight, quote.highlight_in_text) == (None, None)


def test_json_has_exactly_the_keys_of_the_design_in_their_order() -> None:
    hits = [hit(0.9, [LIT]), *[different(0.8 - number / 10, number) for number in range(4)]]
    fields = json.loads(json.dumps(answered(*hits, asked=WHEN).as_json()))
    names = "question verdict confidence quotes citations generation elapsed_ms"
    assert list(fields) == names.split()
    for quote in fields["quotes"]:
        assert list(quote) == "text citation paragraph start end highlight".split()
    for citation in fields["citations"]:
        assert (
            list(citation)
            == "number article title author publisher url paragraph start end passage score".split()
        )
    assert (fields["verdict"], fields["generation"], fields["elapsed_ms"]) == ("answered", "000001-a", 1.3)
    assert [quote["highlight"] for quote in fields["quotes"]] == [[14, 18], None, None]


def test_an_article_without_a_url_has_null_and_with_one_has_it() -> None:
    linked = hit(0.8, [Line("Another thing.")], url="https://a.example")
    assert [one.url for one in answered(different(0.9, 1), linked).citations] == [None, "https://a.example"]


# ---- real articles, the real encoder


@pytest.fixture(scope="module")
def search(built: Path, encoder: Encoder) -> Iterator[Search]:
    """Open the small index with the real encoder."""
    generation = open_generation(built / ".footnote/index")
    yield Search(generation, encoder)
    generation.close()


def ask(search: Search, text: str) -> Answer:
    """Ask a real index, judged by the fit that is shipped."""
    judge = find_judge(Path("none"), search.encoder.model.fingerprint, None)
    return answer(text, search(text), judge=judge, generation="g")


@pytest.mark.parametrize(
    ("question", "article", "quote", "words"),
    [
        (
            "Who kept the lamp on Gull Rock?",
            "lamp",
            "Ebba Lind kept the lamp on Gull Rock for thirty-one years.",
            "Ebba Lind",
        ),
        (
            "Why does sourdough rise slowly?",
            "bread",
            "Sourdough rises slowly because wild yeast is scarce.",
            None,
        ),
        (
            "When was the turbine at Wexholm painted red?",
            "odd/1",
            "The turbine \x1b]0;owned\x07 at Wexholm was painted red in 1988.",
            "1988",
        ),
    ],
)
def test_a_question_is_answered_with_the_sentence_that_says_so_and_its_words_pointed_out(
    search: Search, question: str, article: str, quote: str, words: str | None
) -> None:
    made = ask(search, question)
    assert made.verdict is Verdict.ANSWERED
    assert (made.citations[0].article, made.quotes[0].text) == (article, quote)
    assert pointed_out(made.quotes[0]) == words


def pointed_out(quote: Quote) -> str | None:
    return None if quote.highlight_in_text is None else quote.text[slice(*quote.highlight_in_text)]


def test_the_long_form_of_an_abbreviation_that_was_asked_about_is_not_pointed_out_as_the_answer(
    tmp_path: Path, encoder: Encoder
) -> None:
    """It is what was asked about, in other words."""
    source = tmp_path / "trust.txt"
    source.write_text(
        "The ferry\n\n"
        "The Kelmarsh Ferry Trust (KFT) was founded in 2017 by a retired midwife, Bettina Strand, and two "
        "brothers who farm oysters. They raised two thirds of the price from small donors.\n",
        "utf-8",
    )
    settings = IndexSettings.load(articles=source, index=tmp_path / "index")
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    (quote, *_) = ask(Search(generation, encoder), "who founded KFT").quotes
    generation.close()
    assert "Kelmarsh Ferry Trust (KFT)" in quote.text
    assert pointed_out(quote) in {None, "Bettina Strand"}


def test_a_pronoun_of_a_real_article_is_quoted_with_what_it_stands_for(search: Search) -> None:
    made = ask(search, "How much oil did the lamp burn a night?")
    assert made.verdict is Verdict.ANSWERED
    assert made.quotes[0].text == (
        "The lighthouse on Gull Rock was lit for the first time in 1871. "
        "Its lamp burned 40 litres of colza oil a night."
    )


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Who is the author of The lamp on Gull Rock?", "Author: Mara Holt"),
        ("Who wrote it?", "Author: Mara Holt"),
        ("Who published Bread without a clock?", "The Oven Letter"),
        ("Where was the article about bread published?", "The Oven Letter"),
        ("When was Bread without a clock published?", "2019-03-02"),
    ],
)
def test_a_question_about_the_heading_is_quoted_from_paragraph_0(
    search: Search, question: str, quote: str
) -> None:
    made = ask(search, question)
    assert (made.quotes[0].paragraph, made.citations[0].paragraph) == (0, 0)
    assert made.quotes[0].text == quote


@pytest.mark.parametrize(
    "question",
    [
        "Which football club won the cup final in Lisbon?",
        "How do I renew a passport?",
        "¿Quién ganó la liga?",
    ],
)
def test_a_question_on_another_subject_is_not_answered(search: Search, question: str) -> None:
    assert ask(search, question).verdict is not Verdict.ANSWERED


def test_a_question_without_any_word_of_the_articles_is_not_found(search: Search) -> None:
    assert ask(search, "Which football club won the cup final in Lisbon?").verdict is Verdict.NOT_FOUND


def test_a_paragraph_that_two_articles_share_but_for_a_word_is_cited_once(
    tmp_path: Path, encoder: Encoder
) -> None:
    shared = (
        "The {} bridge over the Tarn was opened by the mayor of Lower Mardle in 1923. It rests on nine piers "
        "of granite, and trams have crossed it ever since."
    )
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, word in (("a", "stone"), ("b", "old")):
        (folder / f"{name}.txt").write_text(f"Bridge\n\n{shared.format(word)}\n", encoding="utf-8")
    (folder / "c.txt").write_text("Ferry\n\nThe ferry over the Tarn was sold in 1924.\n", encoding="utf-8")
    build_index(IndexSettings.load(articles=folder, index=tmp_path / "index"), encoder=encoder)
    generation = open_generation(tmp_path / "index")
    text = "Who opened the bridge over the Tarn?"
    results = Search(generation, encoder)(text)
    assert [one.article.id for one in results.hits].count("b") == 1
    made = answer(text, results, judge=JUDGE, generation="g")
    cited = [one.article for one in (*made.citations, *made.further)]
    assert sorted(cited) in (["a", "c"], ["b", "c"])
    assert re.search("mayor of Lower Mardle", made.quotes[0].text)
    generation.close()
