"""Hits to an answer: the verdict, quotes that are slices, distinct citations, and the JSON of an answer."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.answering.quoting import make_answer
from bot.service.answerer import Answerer
from index.articles.blocks import LEADS
from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.hits import Hit
from tests.bot.answering.hits import FIT, found, make_hit
from tests.bot.conftest import settings_for
from tests.graphs import lend_graph
from tests.strategies import hostile_text


def answered(*hits: Hit, answer_at: float = 0.5) -> Answer:
    return make_answer("Q?", found(*hits), dataclasses.replace(FIT, answer_at=answer_at), "000001-a")


def different(number: int, score: float = 0.5) -> Hit:
    """Make a hit whose words are its own."""
    words = " ".join(f"{word}{number}" for word in "the lamp of this rock burned for years".split())
    return make_hit(f"0 {words}.", score=score, article=f"article{number}")


@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(0, 1))
def test_the_verdict_follows_the_confidence_of_the_first_hit(
    one: float, other: float, answer_at: float
) -> None:
    hits = [different(1, score) for score in sorted((one, other))]
    less, more = (answered(hit, different(2), answer_at=answer_at) for hit in hits)
    rank = [Verdict.NOT_FOUND, Verdict.RELATED, Verdict.ANSWERED]
    assert less.confidence <= more.confidence
    assert rank.index(less.verdict) <= rank.index(more.verdict)
    for answer in (less, more, answered(answer_at=answer_at)):
        # By the confidence that is shown, so that other programs can judge what was found again.
        assert (answer.verdict is Verdict.ANSWERED) == (
            answer.confidence >= answer_at and answer.verdict is not Verdict.NOT_FOUND
        )
        assert len(answer.quotes) == len(answer.citations)  # for every verdict
    assert (answer.verdict, answer.confidence, answer.quotes) == (Verdict.NOT_FOUND, 0.0, ())


@given(st.lists(st.integers(0, 12), max_size=10))
def test_up_to_three_distinct_passages_are_cited_best_first_and_the_others_follow(numbers: list[int]) -> None:
    hits = [different(number, 0.9 - place / 20) for place, number in enumerate(numbers)]
    distinct = [hit for place, hit in enumerate(hits) if numbers[place] not in numbers[:place]]
    answer = answered(*hits)
    shown = (*answer.citations, *answer.further)
    assert [(one.passage, one.score) for one in shown] == [
        (hit.text, round(hit.score, 4)) for hit in distinct
    ]
    assert [one.number for one in shown] == list(range(1, len(distinct) + 1))
    assert len(answer.citations) == min(3, len(distinct))
    assert [answer.citation_of(quote) for quote in answer.quotes] == list(answer.citations)


def test_passages_that_say_the_same_but_for_a_word_or_have_the_same_quote_are_cited_once() -> None:
    text = "0 Ebba Lind kept the lamp on Gull Rock for thirty-one {} and never missed a single night."
    words = {"first": "years", "shouted": "YEARS", "copied": "winters"}
    hits = [make_hit(text.format(word), article=name) for name, word in words.items()]
    hits.append(
        make_hit(
            f"{text.format('years')} | -1 Gulls of every kind that live on these cliffs came to look at it.",
            article="same quote",
        )
    )
    answer = answered(*hits, different(1))
    assert [one.article for one in (*answer.citations, *answer.further)] == ["first", "article1"]


# ---- real articles, the real encoder


LAMP = "Ebba Lind kept the lamp on Gull Rock for thirty-one years."
LIT = "The lighthouse on Gull Rock was lit for the first time in 1871. Its lamp"
OVEN, BREAD = "The Oven Letter", "Sourdough rises slowly because wild yeast is scarce."


@pytest.mark.parametrize(
    ("question", "verdict", "article", "paragraph", "quote"),
    [
        ("Who kept the lamp on Gull Rock?", "answered", "lamp", 2, LAMP),
        ('lamp" OR NEAR( * Who kept the lamp on Gull Rock?', None, "lamp", 2, LAMP),
        ("'; DROP TABLE articles; -- Who kept the lamp\x00 on Gull Rock?", None, "lamp", 2, LAMP),
        ("Why does sourdough rise slowly?", "answered", "bread", 1, BREAD),
        ("How much oil did the lamp burn a night?", "answered", "lamp", 1, LIT),
        ("Who is the author of The lamp on Gull Rock?", None, "lamp", 0, "Author: Mara Holt"),
        ("Who published Bread without a clock?", None, "bread", 0, OVEN),
        ("When was Bread without a clock published?", None, "bread", 0, "2019-03-02"),
        ("Which football club won the cup final in Lisbon?", "not_found", None, None, ""),
    ],
)
def test_a_question_is_answered_with_the_sentence_that_says_so(
    answerer: Answerer, question: str, verdict: str | None, article: str | None, paragraph: int, quote: str
) -> None:
    answer = answerer.answer(question)
    assert verdict in {answer.verdict, None}
    if article:
        first = answer.quotes[0]
        assert (answer.citation_of(first).article, first.paragraph) == (article, paragraph)
        assert first.text.startswith(quote)


HANDBOOK = """# Harbour handbook

The harbour has a café.

### How do I get a berth key?

Ask the harbour master. She wants a deposit of twenty euros.

## Things to leave at home

You may not bring:

- glass bottles
- open fires

## Charges

| Boat | Fee a night |
|------|-------------|
| Dinghy | 8 euros |
| Yacht | 31 euros |

## Error E1042

The fuel pump lost its connection. Press the green button twice.

## Restarting the pump

```
pump --restart
pump --log all
```
"""

MOORING = """Mooring questions

Q: When does the lock open?
A: At six in the morning.

Q: Is there a laundry?
A: Yes, behind the café.

What is the speed limit?

Three knots inside the breakwater.
"""


@pytest.fixture(scope="module")
def harbour(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, graph_folder: Path
) -> Iterator[Answerer]:
    """Answer from a handbook and a list of questions."""
    home = tmp_path_factory.mktemp("harbour")
    (home / "articles").mkdir()
    (home / "articles/handbook.md").write_text(HANDBOOK, encoding="utf-8")
    (home / "articles/mooring.txt").write_text(MOORING, encoding="utf-8")
    settings = settings_for(home)
    lend_graph(graph_folder, settings.index)
    build_index(settings, encoder=encoder)
    opened = Answerer.open(settings)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "heading", "quote"),
    [
        (
            "How do I get a berth key?",
            "How do I get a berth key?",
            "Ask the harbour master. She wants a deposit of twenty euros.",
        ),
        (
            "What may I not bring?",
            "Things to leave at home",
            "You may not bring:\n\n- glass bottles\n- open fires",
        ),
        ("How much is a night for a yacht?", "Charges", "Yacht | 31 euros"),
        (
            "What does error E1042 mean?",
            "Error E1042",
            "Error E1042\n\nThe fuel pump lost its connection. Press the green button twice.",
        ),
        ("How do I restart the pump?", "Restarting the pump", "pump --restart\npump --log all"),
        ("When does the lock open?", None, "At six in the morning."),
        ("Is there a laundry?", None, "Yes, behind the café."),
        ("What is the speed limit?", None, "Three knots inside the breakwater."),
    ],
)
def test_a_question_is_answered_by_what_stands_below_a_heading_question_or_lead_in(
    harbour: Answerer, question: str, heading: str | None, quote: str
) -> None:
    answer = harbour.answer(question)
    assert (answer.verdict, answer.quotes[0].text) == (Verdict.ANSWERED, quote)
    title = "Harbour handbook" if heading else "Mooring questions"
    assert answer.citations[0].section == tuple(filter(None, (title, heading)))


_LINES = [line.strip("#-| ") for line in (HANDBOOK + MOORING).splitlines() if line.strip("#-| ")]


@given(st.lists(st.sampled_from([*_LINES, "who wrote it"]), min_size=1, max_size=2).map(" ".join))
def test_a_quote_s_paragraph_is_the_one_that_index_show_numbers(harbour: Answerer, question: str) -> None:
    """Where a quote begins with a lead above its paragraph, it is that of the best sentence, below."""
    answer = harbour.answer(question)
    for quote in answer.quotes:
        citation = answer.citation_of(quote)
        article = harbour.article(citation.article)
        assert article is not None
        assert citation.paragraph == quote.paragraph
        if quote.paragraph:
            numbered = {one.number: one for one in article.paragraphs}
            shown = numbered[quote.paragraph]
            assert shown.start < quote.end <= shown.end
            above = article.block_at(quote.start)
            is_led = above.kind in LEADS and above.paragraph < quote.paragraph
            assert quote.start >= shown.start or (is_led and quote.start == above.start)


_QUESTIONS = hostile_text("lamp", "oil ", "who wrote ", surrogates=True)


@given(question=_QUESTIONS, article=st.sampled_from([None, "lamp", "odd/1", "", "\ud800"]), before=_QUESTIONS)
@example(question="lamp " * 20_000, article=None, before="")
@example(question="x" * 100_000, article=None, before="lamp")
@example(question="NEAR/2 lamp^ text:oil {title}: -salt", article=None, before="")
def test_quotes_are_runs_of_whole_sentences_of_the_articles(
    answerer: Answerer, question: str, article: str | None, before: str
) -> None:
    answer = answerer.answer(question, article, Earlier(before, "lamp") if before else None)
    assert (answer.question, 0 <= answer.confidence <= 1) == (question, True)
    assert answer.quotes or answer.verdict is Verdict.NOT_FOUND
    assert len({quote.text for quote in answer.quotes}) == len(answer.citations) == len(answer.quotes) <= 3
    for quote in answer.quotes:
        citation = answer.citation_of(quote)
        source = answerer.article(citation.article)
        assert source is not None
        assert article in {citation.article, None}
        text = source.text if quote.paragraph else source.heading
        assert text[quote.start : quote.end] == quote.text
        assert text[citation.start : citation.end] == citation.passage
        assert citation.start <= quote.start < quote.end <= citation.end
        assert citation.paragraph == quote.paragraph
        if quote.highlight:
            assert quote.start <= quote.highlight[0] < quote.highlight[1] <= quote.end
            assert quote == answer.quotes[0]
        passages = answerer.store.passages_of(answerer.store.article_row(citation.article) or 0)
        sentences = [one for stored in passages for one in stored.passage.sentences]
        assert quote.start in {one.start for one in sentences if one.paragraph == quote.paragraph}
        assert quote.end in {one.end for one in sentences if one.paragraph == quote.paragraph}


@pytest.mark.parametrize("question", ["", " \n", "?!…", "\U0001f600", "\x00", "\ud800", '"*()'])
def test_a_question_without_a_letter_or_digit_finds_nothing(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question)
    assert (answer.verdict, answer.confidence, answer.quotes) == (Verdict.NOT_FOUND, 0.0, ())


def shape(value: object) -> object:
    """Return JSON with the name of each value's type in place of the value."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_the_json_has_exactly_the_keys_and_types_of_the_design(answerer: Answerer) -> None:
    fields = json.loads(
        json.dumps(answerer.answer("Why does sourdough rise slowly?").as_json(), allow_nan=False)
    )
    span = {"paragraph": "int", "start": "int", "end": "int"}
    names = dict.fromkeys(["article", "title", "author", "publisher", "passage"], "str")
    quote = {"text": "str", "citation": "int", **span, "highlight": "NoneType"}
    missing = {"url": "NoneType", "page": "NoneType"}
    citation = {"number": "int", **names, **missing, **span, "score": "float", "section": ["str"]}
    assert shape(fields) == {
        "question": "str",
        "verdict": "str",
        "confidence": "float",
        "quotes": [quote] * 3,
        "citations": [{**citation, "url": "str"}, citation, citation],
        "generation": "str",
        "elapsed_ms": "float",
    }
    assert (fields["verdict"], fields["generation"]) == ("answered", answerer.generation)
    assert (fields["citations"][0]["url"], fields["elapsed_ms"] > 0) == ("https://oven.example/clock", True)
