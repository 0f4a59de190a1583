"""The sentences that are quoted: one as a rule, more where one depends on another, whole and side by side."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.quoting import make_answer, sentences_to_quote
from index.articles.blocks import LEADS, BlockKind
from index.reading.reader import Reading, with_reading
from tests.bot.answering.hits import FIT, READ_FIT, found, make_hit

LONG = "word " * 82 + "end."  # 414 characters: with a short neighbour just within 420
LONGER = "word " * 84 + "end."
ITEMS = [f"{number} {'rope ' * 18}end" for number in range(10, 40)]
HEADING, QUESTION, PARAGRAPH = BlockKind.HEADING, BlockKind.QUESTION, BlockKind.PARAGRAPH
LEAD_IN, ITEM, CODE = BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.CODE
HEADER, ROW = BlockKind.HEADER, BlockKind.ROW

Written = str | tuple[BlockKind, str]
"""A paragraph of `make_hit`."""


@pytest.mark.parametrize(
    ("paragraphs", "quoted"),
    [
        # One that is far better than its neighbours, at an edge or between them, however long it is.
        (["0.1 The lamp is old. | 0.8 Ebba lit it. | 0.1 Gulls came."], ["Ebba lit it."]),
        (["0.8 Ebba lit it. | 0.1 Gulls came."], ["Ebba lit it."]),
        ([f"0.1 Near. | 0.9 {LONGER * 5}"], [LONGER * 5]),
        # Neighbours that match nearly as well, in order, the next one sooner; of two, the better one.
        (["0 Fog. | 0.70 Ebba lit it. | 0.71 Mara lit it. | 0 Gulls."], ["Ebba lit it.", "Mara lit it."]),
        (["0.67 Ebba lit it. | 0.71 Mara lit it. | 0.69 Tove did."], ["Mara lit it.", "Tove did."]),
        (["0.71 Mara lit it. | 0.52 Tove did."], ["Mara lit it.", "Tove did."]),
        (["0.71 Mara lit it. | 0.50 Tove did."], ["Mara lit it."]),
        (["0.60 Ebba lit it. | 0.71 Mara lit it. | 0 Fog."], ["Ebba lit it.", "Mara lit it."]),
        (["0.58 Ebba lit it. | 0.71 Mara lit it. | 0 Fog."], ["Mara lit it."]),
        (["0.9 Mara lit it.", "0.9 Tove did."], ["Mara lit it."]),
        # What a pronoun refers to.
        (
            ["0 Far. | 0 The lamp is old. | 0.9 It burned oil. | 0.8 Near."],
            ["The lamp is old.", "It burned oil."],
        ),
        (
            ["0 The lamp is old. | 0.9 “Their lamp burned oil.”"],
            ["The lamp is old.", "“Their lamp burned oil.”"],
        ),
        (["0 The lamp is old. | 0.9 Item one."], ["Item one."]),
        (["0 The lamp is old.", "0.9 It burned oil. | 0 Gulls came."], ["It burned oil."]),
        # A question that the article asks and answers, whichever of the two was found.
        (["0 Gulls. | 0.9 Why so? | 0.1 It is hollow. | 0 Fog."], ["Why so?", "It is hollow."]),
        (
            ["0.1 ¿Por qué flota? | 0.9 The hull is hollow. | 0.3 Fog."],
            ["¿Por qué flota?", "The hull is hollow."],
        ),
        ([(QUESTION, "0.9 Why so?"), "0.1 The hull is hollow."], ["The hull is hollow."]),
        (["0.9 The keeper said: | 0 Nobody came."], ["The keeper said:"]),
        # At most 420 characters, unless it is one sentence.
        ([f"0.7 {LONG} | 0.7 Near."], [LONG, "Near."]),
        ([f"0.71 {LONGER} | 0.7 Near."], [LONGER]),
        ([f"0 {LONGER} | 0.9 It burned oil."], ["It burned oil."]),
    ],
)
def test_quote_is_the_shortest_run_of_sentences_that_answers(
    paragraphs: list[Written], quoted: list[str]
) -> None:
    run = sentences_to_quote(make_hit(*paragraphs), "en")
    assert [sentence.text for sentence in run] == quoted


LIST = [(ITEM, "0 rope"), (ITEM, "0.3 oil"), (ITEM, "0 wicks")]
TABLE = [(HEADER, "0.9 Plan / Price"), (ROW, "0 Sapling / 4 euros"), (ROW, "0.3 Oak / 9 euros")]


@pytest.mark.parametrize(
    ("blocks", "quoted"),
    [
        # A heading or a question that matches best: the paragraph below it, up to 420 characters.
        ([(HEADING, "0.9 Oil"), "0 Fog. | 0.1 Gulls."], "Fog. Gulls."),
        ([(QUESTION, "0.9 Which oil?"), "0.1 Colza. | 0 Fog. | 0 Gulls."], "Colza. Fog. Gulls."),
        ([(HEADING, "0.2 Lamps"), (QUESTION, "0.9 Which oil?"), "0.3 Colza."], "Colza."),
        ([(HEADING, "0.9 Oil"), f"0.1 {LONG} | 0 Fog."], f"{LONG} Fog."),
        ([(HEADING, "0.9 Oil"), f"0.1 {LONGER} | 0 Fog."], LONGER),
        ([(HEADING, "0.9 Oil"), f"0.1 {LONG} | 0 Gulls came."], LONG),
        ([(HEADING, "0.9 Oil"), "0 Fog.", "0.1 Colza."], "Colza."),
        # A sentence that matches better by its own words: the sentence alone.
        ([(HEADING, "0.4 Oil"), "0 Fog came. | 0.9 Colza burned. | -0.5 Gulls."], "Colza burned."),
        # A list or code below a lead that matches best: whole, with the lead-in, up to 900 characters.
        ([(HEADING, "0.9 Oil"), *LIST], "rope\n- oil\n- wicks"),
        ([(LEAD_IN, "0.9 The keeper needs:"), *LIST], "The keeper needs:\n- rope\n- oil\n- wicks"),
        ([(HEADING, "0.9 Oil"), (LEAD_IN, "0.2 Take:"), *LIST], "Take:\n- rope\n- oil\n- wicks"),
        (
            [(LEAD_IN, "0.9 The keeper needs:"), *((ITEM, f"0 {item}") for item in ITEMS)],
            "The keeper needs:\n- " + "\n- ".join(ITEMS[:8]),
        ),
        ([(LEAD_IN, "0.9 Run this:"), (CODE, "0.3 light --oil")], "Run this:\n\nlight --oil"),
        # One item, row or code part that matches better than what stands above.
        ([(LEAD_IN, "0.2 The keeper needs:"), *LIST], "oil"),
        ([(HEADING, "0.2 Oil"), *LIST], "oil"),
        ([(CODE, "0 light | 0.9 oil")], "oil"),
        (TABLE, "Oak / 9 euros"),
    ],
)  # fmt: skip
def test_a_lead_is_answered_by_what_stands_below_it(blocks: list[Written], quoted: str) -> None:
    hit = make_hit(*blocks)
    run = sentences_to_quote(hit, "en")
    assert hit.article.text[run[0].start : run[-1].end] == quoted


ROPES = [(ITEM, f"0 {item}") for item in ITEMS]
ROWS = [(ROW, f"0 {row}") for row in ITEMS[:12]]


@pytest.mark.parametrize(
    ("blocks", "quoted", "header", "left_out"),
    [
        # A list is cut between items, and what is left out is counted; so are rows, whose header is named.
        ([(HEADING, "0.9 Oil"), *LIST], "rope\n- oil\n- wicks", "", 0),
        ([(HEADING, "0.9 Ropes"), *ROPES], "\n- ".join(ITEMS[:9]), "", 21),
        ([(HEADING, "0.9 Prices"), *TABLE], "Sapling / 4 euros\nOak / 9 euros", "Plan / Price", 0),
        ([(HEADING, "0.9 Ropes"), TABLE[0], *ROWS], "\n".join(ITEMS[:9]), "Plan / Price", 3),
        ([(HEADING, "0.9 Oil"), (ITEM, "0.2 Fog. | 0 Tar."), (ITEM, "0 Oil."), (ITEM, f"0 {LONGER * 3}")],
         "Fog. Tar.\n- Oil.", "", 1),
        # The best sentence or item is never cut off; where it stands far below, the lead-in is.
        ([(LEAD_IN, "0.9 It takes:"), *ROPES[:25], (ITEM, "0.1 oil"), *ROPES[25:]],
         "\n- ".join([*ITEMS[21:25], "oil", *ITEMS[25:]]), "", 21),
        ([(HEADING, "0.9 Oil"), f"0 {LONG} | 0 Fog came. | 0.2 Colza burned. | 0 {LONG}"],
         "Fog came. Colza burned.", "", 0),
        ([(HEADING, "0.9 Oil"), f"0 Fog. | 0.3 {LONGER} | 0 Gulls."], LONGER, "", 0),
        ([(HEADING, "0.9 Oil"), (ITEM, "0 rope"), (ITEM, f"0.3 {LONG} | 0 Fog. | 0 {LONG} | 0 {LONG}")],
         f"rope\n- {LONG} Fog. {LONG}", "", 0),
        # One item or row that matches better is no list that was cut.
        ([(HEADING, "0.2 Oil"), *LIST], "oil", "", 0),
        (TABLE, "Oak / 9 euros", "Plan / Price", 0),
    ],
)  # fmt: skip
def test_what_is_too_long_is_cut_around_the_best_and_the_rest_is_counted(
    blocks: list[Written], quoted: str, header: str, left_out: int
) -> None:
    (quote,) = make_answer("Who?", found(make_hit(*blocks)), FIT, "1").quotes
    assert (quote.text, quote.header, quote.more_items) == (quoted, header, left_out)


def test_a_list_is_quoted_from_its_beginning_whichever_passage_of_it_was_found() -> None:
    hit = make_hit((LEAD_IN, "0.9 Rules:"), *((ITEM, f"0 {rule} rules") for rule in ITEMS[:8]))
    later = dataclasses.replace(hit, start=hit.sentences[6].start, sentences=hit.sentences[6:])
    answer = make_answer("Who?", found(later), FIT, "1")
    assert answer.quotes[0].text == hit.article.text
    assert (answer.citations[0].start, answer.citations[0].end) == (0, len(hit.article.text))


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("https://a.example/guide.pdf", "https://a.example/guide.pdf#page=3"),
        ("HTTP://a.example/guide.pdf?v=2#cover", "HTTP://a.example/guide.pdf?v=2#page=3"),
        ("ftp://a.example/guide.pdf", "ftp://a.example/guide.pdf"),
        ("", None),
    ],
)
def test_a_citation_has_the_page_of_its_best_sentence_and_opens_there(url: str, opened: str | None) -> None:
    hit = make_hit("0 Fog came.", "0.9 Oil burned.")
    at = hit.best_sentence.start
    article = dataclasses.replace(hit.article, url=url, pages=(0, 4, at, at + 1))
    (citation,) = make_answer("Who?", found(dataclasses.replace(hit, article=article)), FIT, "1").citations
    assert (citation.page, citation.url) == (3, opened)
    assert list(dataclasses.asdict(citation))[5:8] == ["url", "page", "paragraph"]


def test_a_heading_is_on_no_page() -> None:
    hit = make_hit("0.9 Codes, 2019", first=0)
    article = dataclasses.replace(hit.article, pages=(0,))
    (citation,) = make_answer("Who?", found(dataclasses.replace(hit, article=article)), FIT, "1").citations
    assert (citation.page, citation.url) == (None, "https://one.example")


def test_pronouns_are_those_of_the_language() -> None:
    openings = {"en": "This burned.", "es": "¡Su lámpara quemaba aceite!", "xx": "Huhu."}
    for language, own in openings.items():
        for opening in openings.values():
            run = sentences_to_quote(make_hit(f"0 The lamp is old. | 0.9 {opening}"), language)
            assert len(run) == (2 if opening == own and language != "xx" else 1)


def test_a_line_of_a_heading_is_quoted_alone() -> None:
    hit = make_hit("0.9 Why does it float? | 0.9 It, 2019 | 0.8 - Mara Holt", first=0)
    assert [sentence.text for sentence in sentences_to_quote(hit, "en")] == ["Why does it float?"]


_TEXTS = ["It was so.", "Was it?", "The keeper needs:", "- rope", "2) tar", "In 1871.", LONG, "x" * 999]
_SENTENCES = st.tuples(st.floats(0, 1), st.sampled_from(_TEXTS)).map(lambda row: f"{row[0]:.3f} {row[1]}")
_PARAGRAPHS = st.lists(st.lists(_SENTENCES, min_size=1, max_size=7).map(" | ".join), min_size=1, max_size=4)


@given(_PARAGRAPHS, st.sampled_from(["en", "es", "xx"]), st.sampled_from([0, 1]))
def test_a_run_is_whole_sentences_side_by_side_with_the_best_among_them(
    paragraphs: list[str], language: str, first: int
) -> None:
    hit = make_hit(*paragraphs, first=first)
    run = sentences_to_quote(hit, language)
    at = hit.sentences.index(run[0])
    assert run == hit.sentences[at : at + len(run)]
    assert hit.best_sentence in run
    assert {sentence.paragraph for sentence in run} == {hit.best_sentence.paragraph}
    assert len(run) == 1 or run[-1].end - run[0].start <= 420
    assert len(run) <= 2


_LEADS = st.sampled_from([HEADING, QUESTION, PARAGRAPH, HEADER, ITEM, ROW, CODE])
_BLOCKS = st.lists(
    st.tuples(_LEADS, st.lists(_SENTENCES, min_size=1, max_size=3).map(" | ".join)), max_size=6
)


@given(_BLOCKS, st.tuples(st.sampled_from([PARAGRAPH, ITEM, ROW, CODE]), _SENTENCES))
@example([(LEAD_IN, "0.9 The keeper needs:"), (ITEM, "0 rope")], (ITEM, "0.1 oil"))
def test_a_quote_is_a_slice_of_the_text_that_says_more_than_a_lead(
    blocks: list[Written], last: Written
) -> None:
    hit = make_hit(*blocks, last)
    answer = make_answer("Who?", found(hit), FIT, "1")
    (quote,), (citation,) = answer.quotes, answer.citations
    article = hit.article
    assert quote.text == article.text[quote.start : quote.end]
    assert citation.passage == article.text[citation.start : citation.end]
    assert citation.start <= quote.start < quote.end <= citation.end
    assert article.block_at(quote.end - 1).kind not in LEADS
    assert len(quote.text) <= 900 or quote.text in {sentence.text for sentence in hit.sentences}
    headings = [lead.text for lead in hit.leads if article.block_at(lead.start).kind is HEADING]
    assert citation.section == ("One", *headings)


LAMPS = "0.2 The lamp is old. | 0.1 It burned oil. | 0.1 It was sold."


@pytest.mark.parametrize(
    ("answers", "quote"),
    [
        ([0.01, 0.8, 0.01], "It burned oil."),
        ([0.04, 0.5, 0.3], "It burned oil. It was sold."),
        ([0.3, 0.5, 0.04], "The lamp is old. It burned oil."),
        ([0.2, 0.5, 0.2], "The lamp is old. It burned oil. It was sold."),
        ([0.6, 0.05, 0.2], "The lamp is old."),
    ],
)
def test_what_a_reader_holds_likeliest_is_quoted_with_neighbours_that_are_likely_too(
    answers: list[float], quote: str
) -> None:
    lamps = LAMPS.replace("It", "Rust")  # a pronoun alone would bring the sentence before it
    read = with_reading(found(make_hit(lamps)), Reading("trained", [answers], 0.1))
    answer = make_answer("What did it burn?", read, READ_FIT, "000001-a")
    assert answer.quotes[0].text == quote.replace("It", "Rust")


@pytest.mark.parametrize(
    ("answer", "highlight"), [((29, 32), (29, 32)), (None, None), ((0, 8), None), ((20, 40), None)]
)
def test_the_words_that_answer_are_marked_where_the_reader_knows_them(
    answer: tuple[int, int] | None, highlight: tuple[int, int] | None
) -> None:
    lamps = LAMPS.replace("It", "Rust")
    read = with_reading(found(make_hit(lamps)), Reading("trained", [[0.0, 0.9, 0.0]], 0.1, answer))
    quote = make_answer("What did it burn?", read, READ_FIT, "000001-a").quotes[0]
    assert (quote.text, quote.highlight) == ("Rust burned oil.", highlight)
    strong = [(mark.start, mark.end) for mark in quote.shown_marks if mark.kind == "strong"]
    assert strong == ([(12, 15)] if highlight else [])
