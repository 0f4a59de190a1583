"""Articles to passages: exact spans of whole sentences that fit the window, with no character lost."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.articles.article import Article
from index.articles.blocks import LEADS, BlockKind
from index.passages.encoder_input import encoder_input, title_prefix
from index.passages.splitting import (
    HEADING,
    CountTokens,
    Passage,
    source_text,
    split_article,
)
from tests.index.passages.articles import any_article, article_of, markdown_article


def count_cheaply(texts: Sequence[str]) -> list[int]:
    """Count tokens as a small tokenizer would: four letters are one, a mark is one."""
    return [len(re.findall(r"\w{1,4}|[^\w\s]", text)) for text in texts]


def count_nothing(texts: Sequence[str]) -> list[int]:
    """Count as an encoder does that knows none of the characters."""
    return [0] * len(texts)


def split(text: str, window: int = 200, count: CountTokens = count_cheaply) -> list[list[str]]:
    """Return the sentences of each passage of a text, after checking them."""
    article = article_of(text)
    passages = split_article(article, count, window, "en")
    check_passages(article, passages)
    return [[text[one.start : one.end] for one in passage.sentences] for passage in passages]


def check_passages(article: Article, passages: Sequence[Passage]) -> None:
    """Assert that spans are exact, in order, within a block each, and cover every character but the leads.

    A paragraph that leads by its last sentence has others that may be quoted.
    """
    for is_heading in (True, False):
        source = article.heading if is_heading else article.text
        own = [passage for passage in passages if passage.is_heading == is_heading]
        sentences = [sentence for passage in own for sentence in passage.sentences]
        pieces = [source[one.start : one.end] for one in sentences]
        assert all(piece and piece == piece.strip() for piece in pieces)
        assert all(a.end <= b.start for a, b in itertools.pairwise(sentences))
        expected = source
        if not is_heading:
            sentences = [one for one in sentences if article.block_at(one.start).kind not in LEADS]
            pieces = [source[one.start : one.end] for one in sentences]
            quoted = [block for block in article.blocks if block.kind not in LEADS]
            expected = "".join(source[block.start : block.end] for block in quoted)
        assert "".join("".join(pieces).split()) == "".join(expected.split())
        for one in sentences if not is_heading else ():
            block = article.block_at(one.start)
            assert block.start <= one.start < one.end <= block.end
            assert one.paragraph == block.paragraph != HEADING
    assert [one.is_heading for one in passages] == sorted((one.is_heading for one in passages), reverse=True)


def check_leads(article: Article, passage: Passage) -> None:
    """Assert that a passage has the leads that each of its sentences stands below, the innermost that fit."""
    (above,) = {article.block_at(one.start).above for one in passage.sentences}
    blocks = [article.blocks[place] for place in above]
    if len(passage.sentences) == 1 and blocks and blocks[-1].kind is BlockKind.HEADER and not passage.leads:
        return  # a row that is too long for the names of its columns
    leads = [(lead.paragraph, lead.start, lead.end) for lead in passage.leads]
    spans = [(block.paragraph, block.start, block.end) for block in blocks]
    assert leads in ([], spans[-len(leads) :], spans[-len(leads) - 1 : -1])


@given(article=any_article(), window=st.integers(16, 80))
@example(article=article_of("a\u2028b. \u2028c\u00a0d.\u3000e", "t", "t"), window=16)
@example(article=article_of("\x00.\x00", "\x00", "\x00"), window=16)
@example(article=article_of("It was J\u2028. Smith came. a. B\u2028.)a", "x", "x B\u2028."), window=16)
def test_passages_of_any_article_are_exact_and_fit(article: Article, window: int) -> None:
    """The last example makes sentencex panic."""
    room = window - count_cheaply([title_prefix(article, window, described=True)])[0]
    passages = split_article(article, count_cheaply, room, "en")
    check_passages(article, passages)
    for passage in passages:
        text = source_text(article, passage)[passage.start : passage.end]
        if not passage.is_heading:
            check_leads(article, passage)
            text = encoder_input(article, passage, window, "en").text
        assert count_cheaply([text])[0] <= window


def test_passage_never_crosses_a_section() -> None:
    """However short the sections are, or alike their headings."""
    sections = [("Oak", "Four euros."), ("Oak", "Five."), ("Elm", "Six euros. Seven with tea.")]
    article = markdown_article("\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections))
    passages = split_article(article, count_cheaply, 200, "en")
    text = article.text
    assert [text[passage.start : passage.end] for passage in passages] == [text for _, text in sections]
    assert [text[passage.leads[0].start : passage.leads[0].end] for passage in passages] == [
        heading for heading, _ in sections
    ]


def test_innermost_leads_are_kept_where_all_do_not_fit() -> None:
    headings = [f"{'#' * level} {'Rivers and weirs ' * (9 - level)}{level}" for level in range(1, 7)]
    article = markdown_article("\n\n".join([*headings, "It rains."]))
    (passage,) = split_article(article, count_cheaply, 100, "en")
    leads = [article.text[lead.start : lead.end][-1] for lead in passage.leads]
    assert leads == list("123456")[-len(leads) :] != []


def test_paragraph_that_ends_in_a_colon_leads_and_its_other_sentences_are_quoted() -> None:
    article = article_of("They are shown once. Dr. Okoye prints them:\n\n- on paper\n- on felt")
    text, passages = article.text, split_article(article, count_cheaply, 200, "en")
    assert [[text[one.start : one.end] for one in passage.sentences] for passage in passages] == [
        ["They are shown once."],
        ["on paper", "on felt"],
    ]
    assert [len(passage.leads) for passage in passages] == [0, 1]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("3. No politics.\n4. No ads. Not even yours.", ["3. No politics.", "4. No ads.", "Not even yours."]),
        ("2.1 No dogs.\n2.2 No kites.", ["2.1 No dogs.", "2.2 No kites."]),
        ("(1) Ask.\n(2) Wait.", ["(1) Ask.", "(2) Wait."]),
        ("a) Ask.\nb) Wait.", ["a) Ask.", "b) Wait."]),
        ("- Ask.\n- Wait.", ["Ask.", "Wait."]),
    ],
)
def test_number_of_an_item_stays_with_its_text(text: str, items: list[str]) -> None:
    for article in (article_of(f"It rains.\n\n{text}"), article_of(text)):
        (passage,) = split_article(article, count_cheaply, 200, "en")
        found = [article.text[one.start : one.end] for one in passage.sentences]
        assert found[-len(items) :] == items


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
