"""Places of quotes, packed small enough for a button's id."""

from __future__ import annotations

import base64
import dataclasses
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Verdict
from bot.chat.quote_reference import PACKED, PLACE, Span, spans_of
from bot.chat.words import languages, words_in
from bot.discordapp.buttons import BUTTONS, NextButton, answer_buttons, source_buttons
from bot.discordapp.talk import Where
from bot.records.settings import ChannelSettings
from bot.service.catalogue import article_key
from index.articles.article import Article
from tests.bot.discordapp.fake_service import QUOTE, sample_answer, sample_article

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
"""Any text, half a surrogate pair too."""

SPANS = st.builds(
    Span.of, ANY_TEXT, ANY_TEXT.filter(bool), st.integers(0, 2**31 - 1), in_heading=st.booleans()
)


def _article(identity: str, text: str) -> Article:
    return Article(identity, "Title", "", "", "", "", "Title", text)


@given(SPANS)
@example(Span.of("half a pair: \ud83d", "\ude00", 0))
def test_a_packed_place_is_read_back(span: Span) -> None:
    packed = span.pack()
    assert len(packed) == PACKED
    assert re.fullmatch(PLACE, packed)
    assert Span.unpack(packed) == span


@given(st.text("ABCXYZabcxyz019-_", min_size=PACKED, max_size=PACKED))
def test_whatever_looks_like_a_place_is_one_and_is_packed_the_same(text: str) -> None:
    assert Span.unpack(text).pack() == text


@given(
    ANY_TEXT
    | st.text("AZaz09-_+/= ", min_size=PACKED - 1, max_size=PACKED + 1)
    | st.binary(max_size=40).map(lambda some: base64.b64encode(some).decode())
)
def test_any_other_text_is_refused(text: str) -> None:
    if re.fullmatch("[A-Za-z0-9_-]{20}", text):
        Span.unpack(text)
        return
    with pytest.raises(ValueError, match="is no place"):
        Span.unpack(text)


@pytest.mark.parametrize(
    "text", ["", "A" * 19, "A" * 21, "A" * 20 + "\n", "é" * 20, "A" * 19 + "+", "A" * 18 + "=="]
)
def test_what_is_nearly_a_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no place"):
        Span.unpack(text)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT.filter(bool), ANY_TEXT)
def test_a_place_leads_to_the_quote_as_long_as_it_stands_there(
    identity: str, before: str, quote: str, after: str
) -> None:
    span = Span.unpack(Span.of(identity, quote, len(before)).pack())
    assert span.key == article_key(identity)
    assert span.quote(_article(identity, before + quote + after)) == quote


def test_a_place_in_a_heading_is_of_the_heading() -> None:
    article = _article("a", "Another text than the heading")
    span = Span.unpack(Span.of("a", "Title", 0, in_heading=True).pack())
    assert span.in_heading
    assert span.quote(article) == "Title"


@pytest.mark.parametrize("now", ["", "The academy opened in 2020, with a budget of £3.5bn.", f"New. {QUOTE}"])
def test_a_quote_that_stands_there_no_longer_is_told(now: str) -> None:
    assert Span.of("councils", QUOTE, 0).quote(_article("councils", now)) is None


def test_an_answers_places_are_its_quotes_then_the_passages_that_come_next() -> None:
    answer = sample_answer(texts=("First.", "Second."), articles=("a", "b"), further=("Third.", "Fourth."))
    spans = spans_of(answer)
    assert [one.key for one in spans] == [article_key(one) for one in "abab"]
    assert [one.end - one.start for one in spans] == [6, 7, 6, 7]


def test_what_stands_in_a_heading_is_placed_there() -> None:
    answer = sample_answer(texts=("Title",), further=("A title", "Text."))
    quote = dataclasses.replace(answer.quotes[0], paragraph=0)
    further = (dataclasses.replace(answer.further[0], paragraph=0), answer.further[1])
    places = spans_of(dataclasses.replace(answer, quotes=(quote,), further=further))
    assert [one.in_heading for one in places] == [True, True, False]


def test_the_same_place_is_named_once() -> None:
    answer = sample_answer(texts=("First.",), further=("First.", "Second."))
    assert len(spans_of(answer)) == 2


@given(
    st.lists(ANY_TEXT.filter(bool), min_size=1, max_size=5),
    st.lists(ANY_TEXT.filter(bool), min_size=1, max_size=4, unique=True),
    st.lists(ANY_TEXT.filter(bool), max_size=10),
    st.sampled_from(list(Verdict)),
    st.sampled_from(languages()),
)
def test_every_buttons_id_has_room_for_any_article_and_is_known_by_one_kind(
    ids: list[str], texts: list[str], further: list[str], verdict: Verdict, language: str
) -> None:
    answer = sample_answer(verdict=verdict, texts=tuple(texts), articles=tuple(ids), further=tuple(further))
    words = words_in(language)
    where = Where(1, 2, 3, ChannelSettings(helper_role=4), words)
    views = [answer_buttons(answer, where, recording=True)]
    views += [source_buttons(98, spans_of(answer)[:5], words, stands=True)]
    for view in views:
        rows = view.to_components()
        buttons = [button for row in rows for button in row["components"]]
        assert all(len(row["components"]) <= 5 for row in rows)
        for button in buttons:
            assert len(button["custom_id"]) <= 100
            assert len(button["label"]) <= 80
            known = [one for one in BUTTONS if _pattern(one).fullmatch(button["custom_id"])]
            assert len(known) == 1
        assert len({button["custom_id"] for button in buttons}) == len(buttons)


def _pattern(kind: type) -> re.Pattern[str]:
    found = kind.__discord_ui_compiled_template__  # type: ignore[attr-defined]
    assert isinstance(found, re.Pattern)
    return found


def test_the_next_sources_that_have_room_are_named() -> None:
    answer = sample_answer(texts=("1.",), further=tuple(f"{number}." for number in range(2, 12)))
    button = NextButton.of(2, spans_of(answer)[1:], words_in("en"))
    assert len(button.custom_id) <= 100
    assert button.custom_id.count(spans_of(answer)[1].pack()) == 1
    assert spans_of(answer)[4].pack() in button.custom_id
    assert spans_of(answer)[5].pack() not in button.custom_id


def test_the_sample_article_has_the_sample_quote_in_its_fourth_paragraph() -> None:
    article = sample_article()
    span = Span.of(article.id, QUOTE, article.text.index(QUOTE))
    assert span.quote(article) == QUOTE
    assert article.paragraphs[3].start == span.start
