"""The sentences that are quoted: one as a rule, more where one does not say it, whole and side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import answer
from bot.answering.quoting import run_to_quote
from index.build import build_index
from index.encoding.encoder import Encoder
from index.passages.splitting import is_list_item
from index.search.hits import Hit
from index.search.question import Question
from index.search.search import Search
from index.search.wanted import Wanted
from index.settings import IndexSettings
from index.storage.local import open_generation
from tests.bot.made import JUDGE, Line, found, hit, question

ROOM, LIST_ROOM = 420, 900
"""Characters of a run of several sentences, and of a list with what leads to it."""

VALUES = [kind for kind in Wanted if kind.is_value]
SHORT = [Wanted.PERSON, Wanted.PLACE, Wanted.NAME, *VALUES]


def quoted(one: Hit, asked: Question | None = None) -> list[str]:
    asked = asked or question(wanted=Wanted.PERSON)
    return [sentence.text for sentence in run_to_quote(found(one, asked=asked), one)]


def row(*lines: Line) -> Hit:
    return hit(0.5, lines)


@pytest.mark.parametrize("wanted", Wanted)
def test_a_sentence_that_meets_the_question_far_better_than_its_neighbours_is_quoted_alone(
    wanted: Wanted,
) -> None:
    one = row(Line("The lamp is old.", 0.1), Line("Ebba Lind lit it.", 0.8), Line("Gulls came.", 0.1))
    assert quoted(one, question(wanted=wanted)) == ["Ebba Lind lit it."]


@pytest.mark.parametrize(
    ("language", "opening"),
    [
        ("en", "It burned oil."),
        ("en", "She burned oil."),
        ("en", "This burned oil."),
        ("en", "“They burned oil.”"),
        ("en", "Their lamp burned oil."),
        ("en", "Both burned oil."),
        ("es", "Ella quemaba aceite."),
        ("es", "Este quemaba aceite."),
        ("es", "¡Su lámpara quemaba aceite!"),
        ("es", "Ambas quemaban aceite."),
    ],
)
def test_a_sentence_that_opens_with_a_pronoun_is_quoted_with_the_one_before_it(
    language: str, opening: str
) -> None:
    one = row(Line("Far."), Line("The lamp is old."), Line(opening, 0.9), Line("Near by.", 0.8))
    asked = question(wanted=Wanted.PERSON, language=language)
    assert quoted(one, asked) == ["The lamp is old.", opening]


@pytest.mark.parametrize(
    ("language", "opening"),
    [("en", "Ella burned oil."), ("es", "She burned oil."), ("xx", "It burned oil."), ("en", "Item one.")],
)
def test_a_word_that_is_a_pronoun_in_another_language_or_only_in_part_leans_on_nothing(
    language: str, opening: str
) -> None:
    one = row(Line("The lamp is old."), Line(opening, 0.9))
    assert quoted(one, question(wanted=Wanted.PERSON, language=language)) == [opening]


def test_a_pronoun_at_the_start_of_a_paragraph_leans_on_nothing_that_is_quoted() -> None:
    one = hit(0.5, [Line("The lamp is old.")], [Line("It burned oil.", 0.9), Line("Gulls came.")])
    assert quoted(one) == ["It burned oil."]


@pytest.mark.parametrize("asking", ["Why does it float?", "¿Por qué flota?", "“Why does it float?”"])
def test_a_question_that_the_article_asks_is_quoted_with_the_sentence_that_answers_it(asking: str) -> None:
    lines = [
        Line("Gulls came.", 0.1),
        Line(asking, 0.9),
        Line("The hull is hollow.", 0.1),
        Line("Fog.", -0.5),
    ]
    assert quoted(row(*lines)) == [asking, "The hull is hollow."]
    in_paragraphs = hit(0.5, lines[:2], lines[2:])
    assert quoted(in_paragraphs) == ["The hull is hollow."]
    assert quoted(row(*lines[:2])) == [asking]
    found_by_its_answer = row(Line(asking, 0.1), Line("The hull is hollow.", 0.9), Line("Fog.", 0.3))
    assert quoted(found_by_its_answer) == [asking, "The hull is hollow."]


def test_a_list_is_quoted_whole_with_the_sentence_that_leads_to_it_and_nothing_after_it() -> None:
    items = [Line("- rope"), Line("* oil"), Line("• a spare wick"), Line("2. matches"), Line("3) tar")]
    one = row(Line("Far."), Line("The keeper needs:", 0.9), *items, Line("The boat comes on Friday."))
    assert quoted(one) == ["The keeper needs:", *[line.text for line in items]]


def test_an_item_is_quoted_with_its_whole_list_where_a_list_is_asked_for_and_alone_where_not() -> None:
    lines = [Line("The keeper needs:"), Line("- rope"), Line("- oil", 0.9), Line("- tar"), Line("Fog.")]
    assert quoted(row(*lines), question(wanted=Wanted.LIST)) == [line.text for line in lines[:4]]
    assert quoted(row(*lines), question(wanted=Wanted.NUMBER)) == ["- oil"]


def test_a_colon_that_no_list_follows_is_a_sentence_like_another() -> None:
    one = row(Line("The keeper said:", 0.9), Line("Nobody came."), Line("- rope"))
    assert quoted(one) == ["The keeper said:"]


def test_of_a_list_longer_than_its_room_whole_items_are_quoted_as_far_as_they_fit() -> None:
    items = [Line(f"- {number} {'rope ' * 18}end") for number in range(30)]
    shown = quoted(row(Line("The keeper needs:", 0.9), *items))
    assert shown == ["The keeper needs:", *[line.text for line in items[: len(shown) - 1]]]
    assert len(" ".join(shown)) <= LIST_ROOM < len(" ".join(shown)) + 1 + len(items[0].text)


def test_an_item_that_has_no_room_with_its_list_is_quoted_without_it() -> None:
    items = [Line(f"- {number} {'rope ' * 18}end") for number in range(30)]
    last = Line("- the best of ropes", 0.9)
    assert quoted(row(Line("The keeper needs:"), *items, last), question(wanted=Wanted.LIST)) == [last.text]


@pytest.mark.parametrize("wanted", VALUES)
def test_the_neighbour_with_the_number_asked_for_is_quoted_too_where_the_best_has_none(
    wanted: Wanted,
) -> None:
    asked = question(wanted=wanted)
    before = row(Line("In 1871.", 0.1, 1.0), Line("The lamp was lit.", 0.9, 0.0), Line("Gulls.", 0.3, 0.0))
    assert quoted(before, asked) == ["In 1871.", "The lamp was lit."]
    after = row(Line("Gulls.", 0.3, 0.0), Line("The lamp was lit.", 0.9, 0.0), Line("In 1871.", 0.1, 1.0))
    assert quoted(after, asked) == ["The lamp was lit.", "In 1871."]


def test_of_two_neighbours_with_a_number_the_nearer_in_meaning_is_quoted() -> None:
    asked = question(wanted=Wanted.DATE)
    one = row(Line("In 1954.", 0.1, 1.0), Line("The lamp was lit.", 0.9, 0.0), Line("In 1871.", 0.3, 1.0))
    assert quoted(one, asked) == ["The lamp was lit.", "In 1871."]


def test_a_sentence_that_has_the_number_itself_needs_no_neighbour_for_it() -> None:
    one = row(Line("In 1954.", 0.1, 1.0), Line("The lamp was lit in 1871.", 0.9, 1.0), Line("Gulls.", 0.1))
    assert quoted(one, question(wanted=Wanted.DATE)) == ["The lamp was lit in 1871."]


def test_two_that_cannot_be_told_apart_are_quoted_together_in_the_order_of_the_text() -> None:
    one = row(Line("Gulls."), Line("Ebba lit it.", 0.70), Line("Mara lit it.", 0.71), Line("Fog."))
    assert quoted(one) == ["Ebba lit it.", "Mara lit it."]


def test_of_two_neighbours_as_good_the_better_one_is_quoted() -> None:
    one = row(Line("Ebba lit it.", 0.67), Line("Mara lit it.", 0.71), Line("Tove lit it.", 0.69))
    assert quoted(one) == ["Mara lit it.", "Tove lit it."]


@pytest.mark.parametrize("wanted", Wanted)
def test_a_reason_takes_a_neighbour_that_a_name_or_number_does_not(wanted: Wanted) -> None:
    one = row(Line("Gulls.", 0.1), Line("Yeast is scarce.", 0.7), Line("Dough rises slowly.", 0.54))
    expected = ["Yeast is scarce."] + (["Dough rises slowly."] if wanted not in SHORT else [])
    assert quoted(one, question(wanted=wanted)) == expected


def test_a_neighbour_is_left_out_where_the_run_would_be_longer_than_its_room() -> None:
    long = "word " * 82 + "end."
    assert quoted(row(Line(long, 0.7), Line("Near.", 0.7))) == [long, "Near."]
    longer = "word " * 84 + "end."
    assert quoted(row(Line(longer, 0.71), Line("Near.", 0.7))) == [longer]
    assert quoted(row(Line(longer), Line("It burned oil.", 0.9))) == ["It burned oil."]


def test_a_single_sentence_is_quoted_whole_however_long_it_is() -> None:
    long = "word " * 500 + "end."
    assert quoted(row(Line("Near."), Line(long, 0.9))) == [long]


@pytest.mark.parametrize("wanted", Wanted)
def test_a_line_of_a_heading_stands_alone_and_one_that_is_not_asked_for_is_never_quoted(
    wanted: Wanted,
) -> None:
    lines = [Line("The lamp:", 0.9, quotable=False), Line("- Mara Holt", 0.7), Line("It, 2019", 0.7)]
    heading = hit(0.5, lines, first=0)
    assert quoted(heading, question(wanted=wanted)) == ["- Mara Holt"]


def test_a_title_that_is_a_question_is_quoted_as_the_title() -> None:
    heading = hit(0.5, [Line("Why does it float?", 0.9), Line("Ute Kern", 0.1)], first=0)
    assert quoted(heading) == ["Why does it float?"]


_TEXTS = st.sampled_from(
    [
        "It was so.",
        "Was it?",
        "The keeper needs:",
        "- rope",
        "2) tar",
        "In 1871.",
        "Este no.",
        "word " * 60 + "end.",
        "x" * 999,
    ]
)
_LINES = st.builds(Line, _TEXTS, st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))
_PARAGRAPHS = st.lists(st.lists(_LINES, min_size=1, max_size=7), min_size=1, max_size=4)


@given(_PARAGRAPHS, st.sampled_from(list(Wanted)), st.sampled_from(["en", "es", "xx"]))
def test_a_run_is_whole_sentences_side_by_side_of_one_paragraph_with_the_best_in_it_and_within_its_room(
    paragraphs: Sequence[Sequence[Line]], wanted: Wanted, language: str
) -> None:
    one = hit(0.5, *paragraphs)
    asked = question(wanted=wanted, language=language)
    run = run_to_quote(found(one, asked=asked), one)
    at = one.sentences.index(run[0])
    assert run == one.sentences[at : at + len(run)]
    assert one.best_sentence in run
    assert {sentence.paragraph for sentence in run} == {one.best_sentence.paragraph}
    is_list = run[0].text.endswith(":") and all(is_list_item(sentence.text) for sentence in run[1:])
    assert len(run) == 1 or run[-1].end - run[0].start <= (LIST_ROOM if is_list else ROOM)
    assert len(run) <= 2 or is_list


STORE = """\
The store on Gull Rock

The store was dug into the rock by two masons. It was lit by a single window of thick glass. \
Gulls nested on its roof every spring.

The keeper ordered these things every autumn:
- forty metres of tarred rope
- two barrels of colza oil
- a spare wick

The boat that brought them came from Hamarvik on the first calm day.

The harbour master complained about the smell of the bait. The cat slept in a coil of cable.
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Search]:
    """Index an article with a pronoun, a list and a plain paragraph, by the real encoder."""
    home = tmp_path_factory.mktemp("store")
    (home / "store.txt").write_text(STORE, encoding="utf-8")
    build_index(IndexSettings.load(articles=home / "store.txt", index=home / "index"), encoder=encoder)
    generation = open_generation(Path(home / "index"))
    yield Search(generation, encoder)
    generation.close()


@pytest.mark.parametrize(
    ("asked", "quote"),
    [
        ("Where did the cat sleep?", "The cat slept in a coil of cable."),
        (
            "Which window lit it?",
            "The store was dug into the rock by two masons. It was lit by a single window of thick glass.",
        ),
        (
            "What things did the keeper order every autumn?",
            "The keeper ordered these things every autumn:\n- forty metres of tarred rope\n"
            "- two barrels of colza oil\n- a spare wick",
        ),
        ("What is the title?", "The store on Gull Rock"),
    ],
)
def test_a_real_article_is_quoted_by_the_same_rules(store: Search, asked: str, quote: str) -> None:
    made = answer(asked, store(asked), judge=JUDGE, generation="g")
    assert made.quotes[0].text == quote
