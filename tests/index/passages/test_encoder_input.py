"""What the encoder reads of a passage: within its window, with exact spans, and a key of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article
from index.build_vectors import draft_article
from index.encoding.encoder import Encoder
from index.passages.encoded_text import plain
from index.passages.encoder_input import encoder_input, searched_text, title_prefix
from index.passages.splitting import Passage, Sentence, source_text
from tests.index.passages.articles import any_article, article_of, markdown_article
from tests.strategies import hostile_text

LONG_TITLE = "An uncommonly long title of consequence, " * 40
HEADINGS = "".join(f"{'#' * level} {'Rivers and weirs ' * 20}\n\n" for level in range(1, 7))
WIDE_TABLE = "".join(f"| Column number {number} " for number in range(30)) + "|\n" + "|---" * 30 + "|\n"


def inputs_of(article: Article, encoder: Encoder) -> list[str]:
    passages = draft_article(article, encoder, "en").passages
    return [encoder_input(article, passage, encoder.window, "en").text for passage, _ in passages]


@pytest.mark.parametrize(
    ("title", "text", "least"),
    [
        (LONG_TITLE, f"It began in May. {'unfathomably ' * 700}. It ended.\n\n" + "Short one. " * 400, 200),
        *(("T", script * 300, 1) for script in ("각난닭", "中文字", "नमस्ते", "ﷺ", "½", "ﬃ", "👩‍👩‍👧", "ß-ſ_")),
        ("rain " * 250, "It rains. " * 200, 200),
        *((script * 100, "It rains. " * 200, 200) for script in ("각", "👩‍👩‍👧", "ﷺ")),
    ],
)
def test_input_fits_the_window(encoder: Encoder, title: str, text: str, least: int) -> None:
    """With the real tokens, of which some scripts take many for a character."""
    for shown in (title.strip(), "T"):
        article = article_of(text.strip(), shown, heading=title.strip())
        assert least <= max(encoder.count_tokens(inputs_of(article, encoder))) <= encoder.window


@pytest.mark.parametrize(
    ("text", "least"),
    [
        (HEADINGS + "It rains. " * 300, 200),
        (f"## {'Rivers and weirs ' * 15}\n\n{'rain ' * 240}.", 200),
        ("".join(f"- item {number}\n" for number in range(300)), 200),
        ("| Plan | Price a month |\n|---|---|\n" + "| Oak | 4 |\n" * 300, 200),
        (WIDE_TABLE + ("| " + "| ".join(["4 "] * 30) + "|\n") * 9, 60),
        (WIDE_TABLE + ("| " + "| ".join(["four euros a month "] * 30) + "|\n") * 9, 100),
    ],
    ids=["headings", "heading", "list", "table", "wide table", "wide and long table"],
)  # fmt: skip
def test_leads_bullets_and_columns_count(encoder: Encoder, text: str, least: int) -> None:
    for title in ("T", LONG_TITLE):
        counts = encoder.count_tokens(inputs_of(markdown_article(text, title), encoder))
        assert least <= max(counts) <= encoder.window


@given(article=any_article())
def test_any_passage_fits_and_has_its_sentences_where_it_says(encoder: Encoder, article: Article) -> None:
    for passage, key in draft_article(article, encoder, "en").passages:
        source, read = source_text(article, passage), encoder_input(article, passage, encoder.window, "en")
        assert read.key == key
        assert encoder.count_tokens([read.text]) <= [encoder.window]
        for part, (start, end) in zip(passage.parts, read.sentences.tolist(), strict=True):
            encoded, text = read.text[start:end], source[part.start : part.end]
            if passage.is_heading:
                assert encoded.endswith(text)
            else:
                cells = f" {text} ".split(" | ")
                assert encoded.endswith(plain(text)) or all(plain(cell.strip()) in encoded for cell in cells)
        searched = searched_text(article, passage, "en")
        leads = [source[lead.start : lead.end] for lead in passage.leads]
        text = source[passage.start : passage.end]
        assert searched in read.text if passage.is_heading else searched == "\n".join([*leads, text])


def test_description_is_encoded_once_and_counts_as_the_first_part(encoder: Encoder) -> None:
    text = "## Keys\n\nAsk her.\n\n## Costs\n\nTwo euros."
    article = markdown_article(text, description="Berths " * 50)
    first, *others = (passage for passage, _ in draft_article(article, encoder, "en").passages)
    read = encoder_input(article, first, encoder.window, "en")
    (start, end), *_ = read.sentences.tolist()
    assert read.text.startswith("T. Berths Berths ")
    assert (read.text[:start], read.text[end - 4 : end], read.text.count("Berths") < 20) == (
        "T. ",
        "Keys",
        True,
    )
    assert not any("Berths" in encoder_input(article, one, encoder.window, "en").text for one in others)


TABLE = (
    "## Plans\n\n| Plan | Price |  |\n|---|---|---|\n| Oak | 4 euros | yearly |\n| Elm |\n\nAsk us for more."
)


def test_row_is_encoded_with_the_names_of_its_columns(encoder: Encoder) -> None:
    article = markdown_article(TABLE)
    assert article.text.split("\n")[3] == "Oak | 4 euros | yearly", "quoted as it stands"
    rows, after = inputs_of(article, encoder)
    assert rows.startswith("T. Plans. Plan | Price")
    assert "Plan: Oak · Price: 4 euros · yearly\nPlan: Elm" in rows
    assert after == "T. Plans. Ask us for more."
    without_rows = markdown_article(TABLE.replace("| Oak | 4 euros | yearly |\n| Elm |\n", ""))
    assert inputs_of(without_rows, encoder) == ["T. Plans. Plan | Price |\n\nAsk us for more."]


@pytest.mark.parametrize(
    ("written", "encoded"),
    [
        ("The ﬁrst ﬂoor of the oﬃce.", "The first floor of the office."),
        ("A co\u00adop\u00ader\u00ada\u00adtive.", "A cooperative."),
        ("Zero\u200bwidth\ufeff\u2060.", "Zerowidth."),
        ("Ｅ１０４２！", "E1042!"),
        ("Two halves: ½ ² ™", "Two halves: ½ ² ™"),
    ],
)
def test_text_is_encoded_as_it_looks(encoder: Encoder, written: str, encoded: str) -> None:
    assert inputs_of(article_of(written), encoder) == [f"T. {encoded}"]
    assert inputs_of(markdown_article(f"## {written}\n\nIt rains."), encoder)[0].startswith(f"T. {encoded}")


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
            read = encoder_input(Article("a", "T", "", "", "", "", "", text), passage, 254, "en")
            keys.add(read.key)
            contents.add((read.text, read.sentences.tobytes()))
    assert len(keys) == len(contents)


@given(title=hostile_text(), window=st.integers(8, 512))
def test_title_takes_a_third_of_the_window_at_most(title: str, window: int) -> None:
    prefix = title_prefix(Article("a", title, "", "", "", "", "", "x"), window)
    assert len(prefix.encode()) <= window // 3 + 2
    assert prefix.endswith(". ")
    assert title.startswith(prefix[:-2])
