"""Escaping: what Discord shows is the text, and nothing in it acts."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discordapp import escape as escape_module
from bot.discordapp.escape import blockquote, escape, fit, printable, unblockquote, unescape, units
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.strategies import SAMPLES, TEXTS, spans
from tests.wire.renderer import render


@given(TEXTS)
def test_undoing_the_escape_gives_back_the_text(text: str) -> None:
    assert unescape(escape(text)) == text


@given(TEXTS)
def test_discord_shows_the_text_and_acts_on_none_of_it(text: str) -> None:
    plain = printable(text)
    shown = render(escape(plain))
    assert shown.text == plain
    assert shown.constructs == []
    assert (shown.links, shown.quotes) == ([], [])


@given(TEXTS)
def test_block_quote_is_read_as_one_quote_of_the_whole_text(text: str) -> None:
    plain = printable(text.strip())
    block = blockquote(text, 100_000)
    shown = render(block)
    assert shown.quotes == [plain]
    assert shown.constructs == []
    assert unblockquote(block) == plain


@given(st.data(), TEXTS.map(printable))
def test_bold_is_all_that_acts_and_takes_no_letter_from_the_quote(data: st.DataObject, text: str) -> None:
    bold = data.draw(spans(text))
    block = blockquote(text, 100_000, bold)
    plain, parts = read_bold(block)
    shown = render(plain)
    assert shown.quotes == [text.strip()]
    assert (shown.constructs, shown.links) == ([], [])
    assert unblockquote(block) == unblockquote(plain) == text.strip()
    assert parts == ([words] if (words := part_shown(text, bold)) else [])


def part_shown(text: str, span: tuple[int, int]) -> str:
    """Return a part of a text without the white space around the whole of it."""
    before = len(text) - len(text.lstrip())
    return text[max(span[0], before) : min(span[1], len(text.rstrip()))]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("around", ["{}", "{}a", "a {} b", "a\n{} b", "  {}b"])
def test_each_construct_is_shown_as_letters_wherever_it_stands(sample: str, around: str) -> None:
    text = around.format(sample)
    shown = render(escape(text))
    assert shown.text == text
    assert (shown.constructs, shown.links, shown.quotes) == ([], [], [])


@given(TEXTS)
def test_nothing_is_made_of_a_text_and_what_is_put_beside_it(text: str) -> None:
    plain = printable(text).strip()
    shown = render(f'"{escape(plain)}": yes: {escape(plain)}:')
    assert shown.text == f'"{plain}": yes: {plain}:'
    assert (shown.constructs, shown.links) == ([], [])


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_characters_at_all_can_be_sent(text: str) -> None:
    fit(text, 40).encode("utf-8")


def test_what_discord_does_not_take_is_shown_as_missing() -> None:
    assert fit("a\ud800b\x00c\r\nd\re", 99) == "a\ufffdb\ufffdc\nd\ne"


@pytest.mark.parametrize(("text", "length"), [("a", 1), ("é", 1), ("𝒳", 2), ("👩‍👧", 5)])
def test_lengths_are_counted_in_utf_16(text: str, length: int) -> None:
    assert units(text) == length


def test_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(escape_module).failed == 0
