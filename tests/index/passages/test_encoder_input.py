"""What the encoder reads of a passage: within its window, with exact spans, and a key of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article
from index.build_vectors import draft_article
from index.encoding.encoder import Encoder
from index.passages.encoder_input import encoder_input, searched_text, title_prefix
from index.passages.splitting import Passage, Sentence, source_text
from tests.strategies import hostile_text

LONG_TITLE = "An uncommonly long title of consequence, " * 40


def article_of(text: str, title: str = "T", heading: str = "") -> Article:
    return Article("a", title, "", "", "", "", heading, text)


@pytest.mark.parametrize(
    ("title", "text", "least"),
    [
        (LONG_TITLE, f"It began in May. {'unfathomably ' * 700}. It ended.\n\n" + "Short one. " * 400, 200),
        *(("T", script * 300, 1) for script in ("각난닭", "中文字", "नमस्ते", "ﷺ", "½", "👩‍👩‍👧", "ß-ſ_")),
        ("rain " * 250, "It rains. " * 200, 200),
        *((script * 100, "It rains. " * 200, 200) for script in ("각", "👩‍👩‍👧", "ﷺ")),
    ],
)
def test_input_fits_the_window(encoder: Encoder, title: str, text: str, least: int) -> None:
    """With the real tokens, of which some scripts take many for a character."""
    for shown in (title.strip(), "T"):
        article = article_of(text.strip(), shown, heading=title.strip())
        passages = draft_article(article, encoder, "en").passages
        inputs = [encoder_input(article, passage, encoder.window, "en").text for passage, _ in passages]
        assert least <= max(encoder.count_tokens(inputs)) <= encoder.window


@given(title=hostile_text(), heading=hostile_text(), text=hostile_text("It rains."))
def test_spans_are_the_sentences(encoder: Encoder, title: str, heading: str, text: str) -> None:
    article = article_of(text, title or "T", heading)
    for passage, key in draft_article(article, encoder, "en").passages:
        source, read = source_text(article, passage), encoder_input(article, passage, encoder.window, "en")
        assert read.key == key
        for sentence, (start, end) in zip(passage.sentences, read.sentences.tolist(), strict=True):
            assert read.text[start:end].endswith(source[sentence.start : sentence.end])
            assert passage.is_heading or end - start == sentence.end - sentence.start
        searched = searched_text(article, passage, "en")
        assert (
            searched in read.text if passage.is_heading else searched == source[passage.start : passage.end]
        )


@given(
    texts=st.lists(hostile_text(most=3), min_size=2, max_size=4),
    cuts=st.lists(st.integers(1, 8), min_size=2, max_size=3),
)
def test_keys_are_equal_where_the_input_is(texts: list[str], cuts: list[int]) -> None:
    keys, contents = set(), set()
    for text in filter(None, texts):
        for cut in {min(cut, len(text)) for cut in cuts}:
            spans = [span for span in ((0, cut), (cut, len(text))) if span[0] < span[1]]
            passage = Passage(tuple(Sentence(1, *span) for span in spans))
            keys.add(encoder_input(article_of(text), passage, 254, "en").key)
            contents.add((text, tuple(spans)))
    assert len(keys) == len(contents)


@given(title=hostile_text(), window=st.integers(8, 512))
def test_title_takes_a_third_of_the_window_at_most(title: str, window: int) -> None:
    prefix = title_prefix(article_of("x", title), window)
    assert len(prefix.encode()) <= window // 3 + 2
    assert prefix.endswith(". ")
    assert title.startswith(prefix[:-2])
