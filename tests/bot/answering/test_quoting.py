"""The sentences that are quoted: one as a rule, more where one depends on another, whole and side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.quoting import sentences_to_quote
from index.passages.splitting import is_list_item
from tests.bot.answering.hits import make_hit

LONG = "word " * 82 + "end."  # 414 characters: with a short neighbour just within 420
LONGER = "word " * 84 + "end."
ITEMS = [f"- {number} {'rope ' * 18}end" for number in range(30)]


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
        (["0 Gulls. | 0.9 Why so?", "0.1 The hull is hollow. | -0.5 Fog."], ["The hull is hollow."]),
        (["0 Gulls. | 0.9 Why so?"], ["Why so?"]),
        # A list with what introduces it, up to its end or 900 characters; an item alone.
        (
            ["0.9 The keeper needs: | 0 - rope | 0 • oil | 0 2. wicks | 0 3) tar | 0 Fog."],
            ["The keeper needs:", "- rope", "• oil", "2. wicks", "3) tar"],
        ),
        (["0.9 The keeper needs: | 0 " + " | 0 ".join(ITEMS)], ["The keeper needs:", *ITEMS[:9]]),
        (["0 The keeper needs: | 0 - rope | 0.9 - oil | 0 - tar"], ["- oil"]),
        (["0.9 The keeper said: | 0 Nobody came. | 0 - rope"], ["The keeper said:"]),
        # At most 420 characters, unless it is one sentence.
        ([f"0.7 {LONG} | 0.7 Near."], [LONG, "Near."]),
        ([f"0.71 {LONGER} | 0.7 Near."], [LONGER]),
        ([f"0 {LONGER} | 0.9 It burned oil."], ["It burned oil."]),
    ],
)
def test_quote_is_the_shortest_run_of_sentences_that_answers(
    paragraphs: list[str], quoted: list[str]
) -> None:
    run = sentences_to_quote(make_hit(*paragraphs), "en")
    assert [sentence.text for sentence in run] == quoted


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
    is_list = run[0].text.endswith(":") and all(is_list_item(sentence.text) for sentence in run[1:])
    assert len(run) == 1 or run[-1].end - run[0].start <= (900 if is_list else 420)
    assert len(run) <= 2 or is_list
