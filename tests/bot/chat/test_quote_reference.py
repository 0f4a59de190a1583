"""References to quotes, packed small enough for a button's id."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.chat.quote_reference import PACKED_LENGTH, PACKED_PATTERN, QuoteReference, quote_references
from index.articles.article import Article
from index.storage.store import article_key

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
"""Any text, lone surrogates too."""

REFERENCES = st.builds(
    QuoteReference.of, ANY_TEXT, ANY_TEXT.filter(bool), st.integers(0, 2**31 - 1), in_heading=st.booleans()
)


def article(identity: str, text: str) -> Article:
    return Article(identity, "Title", "", "", "", "", "Title", text)


@given(REFERENCES)
@example(QuoteReference.of("lone: \ud83d", "\ude00", 0))
def test_a_packed_reference_is_unpacked(reference: QuoteReference) -> None:
    packed = reference.pack()
    assert len(packed) == PACKED_LENGTH
    assert re.fullmatch(PACKED_PATTERN, packed)
    assert QuoteReference.unpack(packed) == reference


@given(st.text("ABCXYZabcxyz019-_", min_size=PACKED_LENGTH, max_size=PACKED_LENGTH))
def test_whatever_matches_the_pattern_is_a_reference_and_packs_the_same(text: str) -> None:
    assert QuoteReference.unpack(text).pack() == text


@pytest.mark.parametrize(
    ("packed", "identity", "text", "start", "in_heading"),
    [
        ("yY6F8kkAAAAAAAAAGRnF", "lamp", "The lamp was lit in 1871.", 0, False),
        ("yY6F8kkAgAAABwAABMmO", "lamp", "lamp", 7, True),
        ("zx1vjZAVAAAwOQAAAoQS", "odd/1 é", "€½", 12345, False),
    ],
)
def test_buttons_of_old_messages_keep_working(
    packed: str, identity: str, text: str, start: int, in_heading: bool
) -> None:
    """Packed by the release before the format was described here."""
    reference = QuoteReference.of(identity, text, start, in_heading=in_heading)
    assert reference.pack() == packed
    assert QuoteReference.unpack(packed) == reference


@given(ANY_TEXT | st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()))
@example("A" * 19)
@example("A" * 21)
@example("A" * 20 + "\n")
@example("é" * 20)
@example("A" * 19 + "+")
@example("A" * 18 + "==")
def test_any_other_text_is_refused(text: str) -> None:
    if not re.fullmatch(PACKED_PATTERN, text):
        with pytest.raises(ValueError, match="not a packed quote reference"):
            QuoteReference.unpack(text)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT.filter(bool), ANY_TEXT)
def test_a_reference_leads_to_the_quote(identity: str, before: str, quote: str, after: str) -> None:
    reference = QuoteReference.unpack(QuoteReference.of(identity, quote, len(before)).pack())
    assert reference.key == article_key(identity)
    assert reference.quote(article(identity, before + quote + after)) == quote
    heading = QuoteReference.unpack(QuoteReference.of(identity, "Title", 0, in_heading=True).pack())
    assert heading.quote(article(identity, before)) == "Title"


@pytest.mark.parametrize("now", ["", "It was lit in 1872.", "New. It was lit in 1871."])
def test_a_quote_that_the_article_no_longer_has_is_none(now: str) -> None:
    assert QuoteReference.of("lamp", "It was lit in 1871.", 0).quote(article("lamp", now)) is None


def test_an_answer_refers_to_its_quotes_then_to_further_passages_each_once() -> None:
    quotes = (Quote("First.", 1, 1, 0, 6), Quote("Title", 2, 0, 0, 5))
    citations = (_citation(1, "a", "First. More."), _citation(2, "b", "Title"))
    further = (
        _citation(3, "a", "First."),
        _citation(4, "c", "A title", paragraph=0),
        _citation(5, "a", "Third."),
    )
    answer = Answer("?", Verdict.ANSWERED, 0.9, quotes, citations, "g", 1.0, further)
    references = quote_references(answer)
    assert [reference.key for reference in references] == [article_key(name) for name in "abca"]
    assert [reference.in_heading for reference in references] == [False, True, True, False]
    assert [reference.end - reference.start for reference in references] == [6, 5, 7, 6]


def _citation(number: int, name: str, passage: str, paragraph: int = 1) -> Citation:
    end = len(passage)
    return Citation(number, name, "", "", "", None, paragraph, 0, end, passage, 0.5)
