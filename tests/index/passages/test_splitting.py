"""Articles to passages: exact spans of whole sentences that fit the window, with no character lost."""

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
from index.errors import ArticleError
from index.passages.splitting import (
    HEADING,
    CountTokens,
    Passage,
    is_list_item,
    source_text,
    split_article,
    split_sentences,
)
from tests.index.shelf import put
from tests.strategies import hostile_text


def count_cheaply(texts: Sequence[str]) -> list[int]:
    """Count tokens as a small tokenizer would: four letters are one, a mark is one."""
    return [len(re.findall(r"\w{1,4}|[^\w\s]", text)) for text in texts]


def count_nothing(texts: Sequence[str]) -> list[int]:
    """Count as an encoder does that knows none of the characters."""
    return [0] * len(texts)


def article_of(text: str, heading: str = "") -> Article:
    return Article("a", "a", "", "", "", "", heading, text)


def split(text: str, window: int = 200, count: CountTokens = count_cheaply) -> list[list[str]]:
    """Return the sentences of each passage of a text, after checking them."""
    article = article_of(text)
    passages = split_article(article, count, window, "en")
    check_passages(article, passages)
    return [[text[one.start : one.end] for one in passage.sentences] for passage in passages]


def sentences_of(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


def check_passages(article: Article, passages: Sequence[Passage]) -> None:
    """Assert that spans are exact, in order, within their paragraphs, and cover every character once."""
    places = {one.number: (one.start, one.end) for one in article.paragraphs}
    places[HEADING] = (0, len(article.heading))
    for is_heading, source in ((True, article.heading), (False, article.text)):
        own = [passage for passage in passages if passage.is_heading == is_heading]
        sentences = [sentence for passage in own for sentence in passage.sentences]
        pieces = [source[one.start : one.end] for one in sentences]
        assert all(piece and piece == piece.strip() for piece in pieces)
        assert all(a.end <= b.start for a, b in itertools.pairwise(sentences))
        assert "".join("".join(pieces).split()) == "".join(source.split())
        for one in sentences:
            assert (one.paragraph == HEADING) == is_heading
            assert places[one.paragraph][0] <= one.start < one.end <= places[one.paragraph][1]
    assert [one.is_heading for one in passages] == sorted((one.is_heading for one in passages), reverse=True)


@given(body=hostile_text(), title=hostile_text(), window=st.integers(8, 60))
@example(body="a\u2028b. \u2028c\u00a0d.\u3000e", title="t", window=8)
@example(body="\x00.\x00", title="\x00", window=8)
@example(body="It was J\u2028. Smith came. a. B\u2028.)a", title="x B\u2028.", window=8)  # sentencex panics
def test_passages_of_any_article_are_exact(tmp_path: Path, body: str, title: str, window: int) -> None:
    file = put(tmp_path, {"a.jsonl": json.dumps({"id": "a", "text": body, "title": title})}) / "a.jsonl"
    try:
        (article,) = read_articles(file).articles
    except ArticleError:
        return  # only blanks
    passages = split_article(article, count_cheaply, window, "en")
    check_passages(article, passages)
    texts = [source_text(article, one)[one.start : one.end] for one in passages]
    assert max(count_cheaply(texts)) <= window


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
    ("paragraphs", "passages"),
    [
        (["Open daily.", "Free entry.", "A longer paragraph of many words. " * 6], 1),
        (["A longer paragraph of many words. " * 6, "The end."], 1),
        (["A longer paragraph of many words, again and again. " * 3] * 3, 3),
        (["What it costs", "It costs nothing at all"], 1),
    ],
)
def test_short_neighbours_share_a_passage(paragraphs: list[str], passages: int) -> None:
    found = split("\n\n".join(one.strip() for one in paragraphs))
    assert len(found) == passages
    assert not any("\n\n" in sentence for passage in found for sentence in passage)


def test_overlong_sentence_is_cut_at_white_space() -> None:
    words = " ".join(f"word{number}" for number in range(300))
    parts = [part for passage in split(f"Before it. {words}. After it.", 40) for part in passage]
    assert all(re.fullmatch(r"(Before|it\.|After|word\d+\.?|\s)+", part) for part in parts)
    assert "After it." in parts


@pytest.mark.parametrize("text", ["x" * 400_000, "a " * 200_000, "\u0301" * 400_000, "海" * 400_000])
def test_one_endless_line_is_cut_into_bounded_passages(text: str) -> None:
    assert max(sum(map(len, passage)) for passage in split(text, count=count_nothing)) <= 16 * 200


def test_passage_has_a_bounded_number_of_sentences_whatever_the_encoder_drops() -> None:
    passages = split("\n\n".join(["\u200b."] * 20_000), count=count_nothing)
    assert max(map(len, passages)) <= 200


@pytest.mark.parametrize(
    "piece", ["The lamp burned oil. “It is out,” she said. Dr. A. Holt came! ", "「海」。a `b “c. "]
)
def test_sentences_of_a_long_paragraph_are_those_of_its_parts(piece: str) -> None:
    """It is split a stretch at a time, since the splitter's time grows with the square of its text."""
    times = 20_000 // len(piece)
    assert set(sentences_of(piece * times)) <= set(sentences_of(piece * 3))
