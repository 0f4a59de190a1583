"""Articles that are made to cost much: passages and sentences stay within bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article
from index.passages.splitting import split_article, split_sentences

WINDOW = 200


def article(text: str, title: str = "T") -> Article:
    return Article("a", title, "", "", "", "", "", text)


def test_sentences_are_told_apart_a_stretch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The segmenter takes time with the square of its text: a paragraph of megabytes would take days."""
    lengths: list[int] = []
    real: Callable[[str, str], Sequence[str]] = sentencex.segment

    def counted(language: str, text: str) -> Sequence[str]:
        lengths.append(len(text))
        return real(language, text)

    monkeypatch.setattr(sentencex, "segment", counted)
    text = "「海」。a `b “c. " * 2_000
    spans = split_sentences(text, "en")
    assert max(lengths) <= 8_000
    assert sum(lengths) <= 2 * len(text)
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")


@given(
    st.lists(
        st.sampled_from(
            ["The lamp burned oil. ", "“It is out,” she said. ", "Dr. A. Holt came! ", "No? ", "\n"]
        ),
        max_size=8,
    )
)
def test_a_long_paragraph_has_the_sentences_that_it_has_in_parts(pieces: list[str]) -> None:
    part = "".join(pieces) + "The end came. "
    spans = split_sentences(part, "en")
    times = 40_000 // len(part)
    long = split_sentences(part * times, "en")
    wanted = [part[a:b] for a, b in spans]
    assert sorted({(part * times)[a:b] for a, b in long} - set(wanted)) == sorted(
        {(part * 3)[a:b] for a, b in split_sentences(part * 3, "en")} - set(wanted)
    )


def no_tokens(texts: Sequence[str]) -> list[int]:
    """Count as an encoder does that drops all it is given."""
    return [0] * len(texts)


def test_a_passage_has_a_bounded_number_of_sentences_and_characters_whatever_the_encoder_drops() -> None:
    """A million paragraphs without a token would be one passage, put together in days."""
    passages = split_article(article("\n\n".join(["\u200b."] * 60_000)), no_tokens, WINDOW, "en")
    assert max(len(one.sentences) for one in passages) <= WINDOW
    assert sum(len(one.sentences) for one in passages) == 60_000


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a " * 500_000, "\u0301" * 1_000_000, "海" * 1_000_000])
def test_one_line_of_a_million_characters_is_cut_into_passages(text: str) -> None:
    passages = split_article(article(text), no_tokens, WINDOW, "en")
    assert max(one.end - one.start for one in passages) <= 16 * WINDOW
    whole = "".join(text[s.start : s.end] for one in passages for s in one.sentences)
    assert whole.replace(" ", "") == text.replace(" ", "")
