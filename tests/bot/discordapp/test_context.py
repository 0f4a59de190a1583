"""A quote in its place: inside its paragraph in bold, between the paragraphs beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.quote_reference import Span
from bot.chat.words import Words, languages, words_in
from bot.discordapp.escape import ELLIPSIS, escape, printable, units
from bot.discordapp.render import Source, context_embed, source_embed
from index.articles.article import Article
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import sample_article
from tests.bot.discordapp.strategies import LANGUAGES, articles, cut_well, spans
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")
NIGHT = "The keeper wrote in the log. "


def source_of(article: Article, quote: str, *, in_heading: bool = False) -> Source:
    text = article.heading if in_heading else article.text
    return Source(article, Span.of(article.id, quote, text.index(quote), in_heading=in_heading))


def shown(source: Source, words: Words = ENGLISH) -> tuple[list[str], list[str]]:
    """Return the paragraphs that are shown, and what is bold in them."""
    embed = context_embed(source, words)
    check_message({"embeds": [embed.to_dict()]})
    plain, bold = read_bold(embed.description or "")
    read = render(plain)
    assert read.constructs == []
    return read.quotes, bold


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """Draw a quote in one paragraph of any article, or in its heading."""
    article = draw(articles())
    one = draw(st.sampled_from([None, *article.paragraphs]))
    base, text = (one.start, article.text[one.start : one.end]) if one else (0, article.heading)
    start, end = draw(spans(text).filter(lambda span: bool(text[slice(*span)].strip())))
    return Source(article, Span.of(article.id, text[start:end], base + start, in_heading=one is None))


@given(sources(), LANGUAGES)
def test_context_is_within_every_limit_and_shows_the_quote_in_bold_between_its_neighbours(
    source: Source, words: Words
) -> None:
    (field,) = context_embed(source, words).fields
    assert render(str(field.value)).constructs == []
    quotes, bold = shown(source, words)
    quote = source.span.quote(source.article)
    assert quote
    if units(escape(printable(quote))) + 2 * quote.count("\n") < 2000:
        assert bold == [printable(quote)]
    paragraphs = [source.article.heading, *source.article.text.split("\n\n")]
    at = source.paragraph
    numbers = [one for one in (at - 1, at, at + 1) if (0 < one < len(paragraphs)) or one == at]
    for text, number in zip(quotes, numbers, strict=True):
        whole = printable(paragraphs[number].strip())
        assert is_part(whole, text, cut_before=number < at, cut_after=number > at)


def is_part(text: str, part: str, *, cut_before: bool, cut_after: bool) -> bool:
    """Say whether a part of a text is shown, cut with an ellipsis at the sides where it may be."""
    if part == text:
        return True
    if cut_before:
        kept = part.removeprefix(ELLIPSIS)
        return part != kept and text.endswith(kept) and cut_well(text[::-1], len(kept))
    if cut_after:
        kept = part.removesuffix(ELLIPSIS)
        return part != kept and text.startswith(kept) and cut_well(text, len(kept))
    kept = part.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS)
    return kept != part and kept in text


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("First.", ["First. Yes.", "Second. Two. Three."]),
        ("Two.", ["First. Yes.", "Second. Two. Three.", "- a\n- b\n- c"]),
        ("Second. Two.", ["First. Yes.", "Second. Two. Three.", "- a\n- b\n- c"]),
        ("Second. Two. Three.", ["First. Yes.", "Second. Two. Three.", "- a\n- b\n- c"]),
        ("- b\n- c", ["Second. Two. Three.", "- a\n- b\n- c", "Last."]),
        ("Last.", ["- a\n- b\n- c", "Last."]),
    ],
)
def test_context_has_the_paragraphs_beside_the_quotes_own(quote: str, expected: list[str]) -> None:
    article = sample_article("lamp", "First. Yes.", "Second. Two. Three.", "- a\n- b\n- c", "Last.")
    assert shown(source_of(article, quote)) == (expected, [quote])


def test_context_of_an_only_paragraph_is_that_paragraph() -> None:
    assert shown(source_of(sample_article("lamp", "One. Two."), "Two.")) == (["One. Two."], ["Two."])


def test_context_of_a_passage_over_several_paragraphs_has_each_paragraph_once() -> None:
    article = sample_article("lamp", "Before.", "One. Two.", "Three. Four.", "After.")
    source = source_of(article, "Two.\n\nThree.")
    quotes, bold = shown(source)
    assert source.paragraph == 2
    assert quotes == ["Before.", "One. Two.\n\nThree. Four.", "After."]
    assert bold == ["Two.\n\nThree."]


def test_context_in_the_heading_is_the_heading_and_what_follows_it() -> None:
    article = sample_article("lamp", "First.", "Second.", title="The lamp\nBy Ann Holt")
    assert shown(source_of(article, "By Ann Holt", in_heading=True)) == (
        ["The lamp\nBy Ann Holt", "First."],
        ["By Ann Holt"],
    )


@pytest.mark.parametrize("place", [0, 100, 199])
def test_a_quote_in_a_long_paragraph_is_shown_with_the_text_on_both_sides(place: int) -> None:
    quote = "It was lit at dusk!"
    paragraph = (NIGHT * place + quote + " " + NIGHT * (199 - place)).strip()
    article = sample_article("lamp", NIGHT * 100, paragraph, NIGHT * 100)
    (before, within, after), bold = shown(source_of(article, quote))
    assert bold == [quote]
    left, right = within.split(quote)
    assert left.startswith(ELLIPSIS) == (place > 0)
    assert right.endswith(ELLIPSIS) == (place < 199)
    assert paragraph.startswith(left) or left[1:] + quote in paragraph
    assert units(within) > 2300
    assert (before[0], after[-1]) == (ELLIPSIS, ELLIPSIS)
    assert before.endswith("in the log.")
    assert after.startswith("The keeper")


def test_a_quote_that_has_no_room_itself_is_cut_between_words() -> None:
    paragraph = f"First. {'word ' * 900}last."
    (within,), (bold,) = shown(source_of(sample_article("lamp", paragraph), paragraph[7:]))
    assert within == f"{ELLIPSIS}{bold}{ELLIPSIS}"
    assert bold.endswith("word")
    assert units(within) > 2300


@pytest.mark.parametrize("language", languages())
def test_context_says_in_any_language_where_the_quote_stands(language: str) -> None:
    words = words_in(language)
    embed = context_embed(source_of(sample_article(), "Three."), words)
    (field,) = embed.fields
    assert (embed.title, field.name) == (words("context_title"), words("cited"))
    cited = render(str(field.value))
    assert cited.text.splitlines() == [
        "Councils and skills",
        "A. Writer, The Paper",
        words("paragraph", number=3),
    ]
    assert cited.links == [("Councils and skills", "https://example.org/councils#:~:text=Two.-,Three.")]


def test_a_further_source_from_the_heading_is_shown_too() -> None:
    article = sample_article("lamp", "First.", title="The lamp\nBy Ann Holt")
    embed = source_embed(source_of(article, "By Ann Holt", in_heading=True), ENGLISH, 2, 2)
    assert embed.description == "> By Ann Holt"
    assert str(embed.fields[0].value).endswith("heading")


@given(articles(), st.data(), LANGUAGES, st.integers(2, 8))
def test_a_further_source_is_shown_to_the_letter_with_its_number(
    article: Article, data: st.DataObject, words: Words, number: int
) -> None:
    start, end = data.draw(spans(article.text).filter(lambda span: bool(article.text[slice(*span)].strip())))
    source = Source(article, Span.of(article.id, article.text[start:end], start))
    embed = source_embed(source, words, number, 9)
    assert embed.title == words("source_title", number=number, count=9)
    assert embed.fields[0].name == words("citation", number=number)
    read = render(embed.description or "")
    assert read.constructs == []
    (text,) = read.quotes
    assert is_part(printable(article.text[start:end].strip()), text, cut_before=False, cut_after=True)
