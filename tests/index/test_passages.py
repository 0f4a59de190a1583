"""Articles to passages: exact spans of whole sentences that fit the window."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.articles.article import Article
from index.articles.formats import read_articles
from index.encoding.encoder import Encoder
from index.passages.drafts import passage_text, split
from index.passages.splitting import HEADING, Passage, split_article, split_sentences
from tests.index.shelf import put


def count_cheaply(texts: Sequence[str]) -> list[int]:
    """Count tokens as a small tokenizer would: four letters are one, a mark is one."""
    return [len(re.findall(r"\w{1,4}|[^\w\s]", text)) for text in texts]


def article_of(text: str, heading: str = "") -> Article:
    return Article("a", "a", "", "", "", "", heading, text)


def sentences_of(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


def texts_of(article: Article, passages: Sequence[Passage]) -> list[str]:
    return [(article.heading if one.is_heading else article.text)[one.start : one.end] for one in passages]


AWKWARD = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Mr. ", "e.g. ", "£3.5bn", ". ", "! ", "?", "…", "。", "؟ ", "one two ", "\n", "\n\n", "\n- ",
                "\n1. ", "# ", "\u2028", "\u2029", "\u0085", "\u00a0", "\u202f", "\u3000", "\u1680", "\x1c",
                "\x0b", "\x00", "\t", "\r", "\ufeff", "\u200b",
                "e\u0301", "👨‍👦", "🇨🇭", "שלום. ", "مرحبا ",
                "“", "”", "x" * 70, "中文。", "\u202e", "\U0001f9d1\u200d", "'", '"', ")", " ",
            ]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    ),
    max_size=40,
).map("".join)  # fmt: skip


def check_article(article: Article, passages: Sequence[Passage]) -> None:
    """Assert what every split keeps: exact, ordered, whole, with each character once."""
    for is_heading, source in ((True, article.heading), (False, article.text)):
        spans = [
            (one.start, one.end)
            for passage in passages
            if passage.is_heading == is_heading
            for one in passage.sentences
        ]
        pieces = [source[start:end] for start, end in spans]
        assert all(piece and piece == piece.strip() for piece in pieces)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
        assert "".join("".join(pieces).split()) == "".join(source.split())


@given(body=AWKWARD, title=AWKWARD, window=st.integers(8, 60))
@example(body="a\u2028b. \u2028c\u00a0d.\u3000e", title="t", window=8)
@example(body="\x00.\x00", title="\x00", window=8)
def test_passages_are_exact_whole_and_within_the_window(
    tmp_path: Path, body: str, title: str, window: int
) -> None:
    """Of any text at all: every span is its piece, no character is lost, no passage is too long."""
    row = {"id": "a", "text": body or ".", "title": title}
    if not row["text"].replace("\ufeff", "").strip():
        return
    (article,) = read_articles(put(tmp_path, {"a.jsonl": json.dumps(row)}) / "a.jsonl").articles
    passages = split_article(article, count_cheaply, window, "en")
    check_article(article, passages)
    assert max(count_cheaply(texts_of(article, passages))) <= window
    places = {one.number: (one.start, one.end) for one in article.paragraphs}
    places[HEADING] = (0, len(article.heading))
    for passage in passages:
        assert passage.is_heading == all(one.paragraph == HEADING for one in passage.sentences)
        for one in passage.sentences:
            start, end = places[one.paragraph]
            assert start <= one.start < one.end <= end


@given(text=AWKWARD, language=st.sampled_from(["en", "es", "de", "zh", "ar", "hi", "xx", "abc"]))
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
    ],
)
def test_sentence_ends_where_a_reader_would_end_it(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


def test_hard_wrapped_lines_stay_one_sentence() -> None:
    wrapped = (
        "The keeper wound the clockwork by hand\nevery four hours, and slept in\nbetween on a narrow bench."
    )
    assert sentences_of(wrapped + "\nHe kept bees.") == [wrapped, "He kept bees."]


def test_list_items_are_sentences_without_a_full_stop() -> None:
    text = "Bring these:\n- a spade\n- two pairs of gloves\n  that fit\n3) a rope\n• water"
    assert sentences_of(text) == [
        "Bring these:", "- a spade", "- two pairs of gloves\n  that fit", "3) a rope", "• water",
    ]  # fmt: skip


@pytest.mark.parametrize("heading", ["## What it costs", "What it costs"])
def test_heading_without_full_stop_is_a_sentence_of_its_own(heading: str) -> None:
    body = "The extension cost 48 million crowns, which the region paid."
    assert sentences_of(f"{heading}\n{body}") == [heading, body]


def test_paragraphs_of_an_article_bound_its_sentences() -> None:
    """A heading without a full stop before a blank line never runs into the next paragraph."""
    article = article_of("What it costs\n\nIt costs nothing at all")
    passages = split_article(article, count_cheaply, 100, "en")
    assert [one.paragraph for passage in passages for one in passage.sentences] == [1, 2]
    check_article(article, passages)


def test_overlong_sentence_is_cut_at_white_space_and_every_word_is_kept() -> None:
    words = " ".join(f"word{number}" for number in range(300))
    article = article_of(f"Before it. {words}. After it.")
    passages = split_article(article, count_cheaply, 40, "en")
    check_article(article, passages)
    assert max(count_cheaply(texts_of(article, passages))) <= 40
    parts = [article.text[one.start : one.end] for passage in passages for one in passage.sentences]
    assert all(re.fullmatch(r"(Before|it\.|After|word\d+\.?|\s)+", part) for part in parts)
    assert "After it." in parts


def test_overlong_word_is_cut() -> None:
    article = article_of("x" * 5000)
    passages = split_article(article, count_cheaply, 40, "en")
    check_article(article, passages)
    assert max(count_cheaply(texts_of(article, passages))) <= 40


def test_very_short_neighbours_are_joined() -> None:
    article = article_of("Open daily.\n\nFree entry.\n\n" + "A longer paragraph of many words. " * 6)
    passages = split_article(article, count_cheaply, 200, "en")
    assert len(passages) == 1
    assert {one.paragraph for one in passages[0].sentences} == {1, 2, 3}


def test_short_end_is_joined_to_what_stands_before_it() -> None:
    article = article_of("A longer paragraph of many words. " * 6 + "\n\nThe end.")
    assert len(split_article(article, count_cheaply, 200, "en")) == 1


def test_paragraphs_that_say_enough_are_passages_of_their_own() -> None:
    article = article_of("\n\n".join(["A longer paragraph of many words, again and again. " * 3] * 3).strip())
    assert len(split_article(article, count_cheaply, 200, "en")) == 3


def test_heading_is_paragraph_zero_and_never_in_a_passage_with_text() -> None:
    article = article_of("Short.", heading="The title\n \nAuthor: Ann")
    heading, body = split_article(article, count_cheaply, 200, "en")
    assert heading.is_heading
    assert not body.is_heading
    assert [article.heading[one.start : one.end] for one in heading.sentences] == ["The title", "Author: Ann"]


def test_sentence_longer_than_the_window_is_read_to_its_last_word(encoder: Encoder) -> None:
    """With the real tokens and a long title, what is encoded for a passage is within the window."""
    title = "An uncommonly long title of consequence, " * 40
    long = "unfathomably " * 700
    text = f"It began in May. {long}. It ended in June.\n\n" + "Short one. " * 400
    article = Article("a", title.strip(), "", "", "", "", title.strip(), text.strip())
    passages = split(article, encoder, "en")
    check_article(article, passages)
    counts = encoder.count_tokens(texts_of(article, passages))
    encoded = [passage_text(article, passage, encoder, "en")[0] for passage in passages]
    assert max(encoder.count_tokens(encoded)) <= encoder.window == 254
    assert max(counts) > 200, "passages are filled, not cut small"


@pytest.mark.parametrize("script", ["각난닭", "中文字", "नमस्ते", "ﷺ", "½", "👩‍👩‍👧", "ß-ſ_"])
def test_scripts_of_many_tokens_a_character_stay_within_the_window(encoder: Encoder, script: str) -> None:
    article = article_of(script * 500, heading=script * 100)
    passages = split(article, encoder, "en")
    check_article(article, passages)
    assert max(encoder.count_tokens(texts_of(article, passages))) <= encoder.window


@pytest.mark.parametrize(
    "text", ["It was J\u2028. Smith came.", "a. B\u2028.)a", "x B\u2028. Then it rained."]
)
def test_odd_white_space_after_an_initial_does_not_end_the_program(text: str) -> None:
    """The splitter (sentencex 1.0.32) panics on these when they are not made plain first."""
    assert "".join(text[start:end] for start, end in split_sentences(text, "en")).split()
