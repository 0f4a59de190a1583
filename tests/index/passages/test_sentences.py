"""Paragraphs to sentences: they end where a reader would end them, and no character is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages.sentences import is_list_item, split_sentences
from tests.strategies import hostile_text


def sentences_of(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


@given(text=hostile_text(), language=st.sampled_from(["en", "es", "de", "zh", "ar", "hi", "xx", "abc"]))
def test_sentences_of_any_text_in_any_language_lose_nothing(text: str, language: str) -> None:
    pieces = sentences_of(text, language)
    assert all(piece and piece == piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "sentences",
    [
        ["Mr. Werran spoke first.", "Dr. Okoye answered him."],
        ["It cost £3.5bn in 2019.", "That was 4.2% more."],
        ["Bring a tool, e.g. a spade, and gloves.", "Leave the rest, i.e. the cart, at home."],
        ["“We will not wait,” she said.", "“Not a day.”", "Nobody replied."],
        ["Is it open?", "Yes!", "Come in."],
        ["The U.S. office closed at 5 p.m. on Friday.", "It reopened on Monday."],
        ["See www.trams.example/nine.html for times.", "They change in May."],
        ["Version 2.0.1 fixed it.", "J. R. Moor wrote the fix."],
        ["The keeper wound the clockwork by hand\nevery four hours, and slept\nin between.", "He kept bees."],
    ],
)
def test_sentence_ends_where_a_reader_would_end_it(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "lines",
    [
        ["Bring these:", "- a spade", "- two pairs of gloves\n  that fit", "3) a rope", "• water"],
        ["## What it costs", "The extension cost 48 million crowns, which the region paid."],
        ["What it costs", "The extension cost 48 million crowns, which the region paid."],
    ],
)
def test_list_items_and_headings_are_sentences_without_a_full_stop(lines: list[str]) -> None:
    assert sentences_of("\n".join(lines)) == lines
    assert [is_list_item(line) for line in lines] == [bool(re.match(r"[-•\d]", line)) for line in lines]


@pytest.mark.parametrize(
    "piece", ["The lamp burned oil. “It is out,” she said. Dr. A. Holt came! ", "「海」。a `b “c. "]
)
def test_sentences_of_a_long_paragraph_are_those_of_its_parts(piece: str) -> None:
    """It is split a stretch at a time, since the splitter's time grows with the square of its text."""
    times = 20_000 // len(piece)
    assert set(sentences_of(piece * times)) <= set(sentences_of(piece * 3))
