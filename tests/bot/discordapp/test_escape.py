"""Escaping: what Discord shows is the text, and nothing in it acts."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discordapp import escape as escape_module
from bot.discordapp.escape import ELLIPSIS, blockquote, escape, fit, printable, unblockquote, unescape, units
from tests.bot.discordapp.bold import read_bold
from tests.wire.renderer import render

SAMPLES = [
    "# ", "## ", "-# ", "- ", "* ", "+ ", "1. ", "12) ", "> ", ">>> ", "**", "__", "~~", "||", "`", "```",
    "\\", "\n", "https://a.example/b", "HTTP://x", "steam://run", "discord://x", "<https://a.example>",
    "[a](https://b.example)",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "<t:1:R>", "<:a:1>", "<a:b:1>", "</ask:1>", "<id:home>",
    "<a@b.example>", ":cat:",
    "@everyone", "@here", "¯\\_(ツ)_/¯", "👩‍👩‍👧", "e\u0301", "𝒳", "«Ünï»", " ",
    "word", "3.5", "[", "]", "(", ")", ":", "@",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=8), max_size=30).map("".join)


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


@given(TEXTS, st.integers(0, 300))
def test_fitted_text_is_never_over_its_room_and_cut_only_with_an_ellipsis(text: str, room: int) -> None:
    fitted = fit(text, room)
    plain = printable(text.strip())
    assert units(fitted) <= room
    if fitted != escape(plain):
        assert fitted.endswith(ELLIPSIS) or room == 0
        shown = render(fitted)
        assert plain.startswith(shown.text.removesuffix(ELLIPSIS))  # so no escape is cut in two
        assert shown.constructs == []


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


@given(st.data(), TEXTS.map(printable), st.integers(0, 300))
def test_cut_text_has_its_bold_as_far_as_it_is_shown_within_its_room(
    data: st.DataObject, text: str, room: int
) -> None:
    bold = data.draw(spans(text))
    fitted = fit(text, room, bold=bold)
    assert units(fitted) <= room
    plain, parts = read_bold(fitted)
    assert render(plain).constructs == []
    shown = unescape(plain)
    assert shown == text.strip() or shown.endswith(ELLIPSIS) or not shown
    kept = shown if shown == text.strip() else shown.removesuffix(ELLIPSIS)
    assert text.strip().startswith(kept)
    before = len(text) - len(text.lstrip())
    words = kept[max(bold[0] - before, 0) : max(bold[1] - before, 0)]
    assert parts == ([words] if words else [])


def spans(text: str) -> st.SearchStrategy[tuple[int, int]]:
    """Draw a part of a text, which may be empty or white space at its ends."""
    ends = st.integers(0, len(text))
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))


def part_shown(text: str, span: tuple[int, int]) -> str:
    """Return a part of a text without the white space around the whole of it."""
    before = len(text) - len(text.lstrip())
    return text[max(span[0], before) : min(span[1], len(text.rstrip()))]


def test_bold_marks_count_towards_the_room() -> None:
    text = "one two three four"
    assert fit(text, 22, bold=(4, 7)) == "one **two** three four"
    assert fit(text, 21, bold=(4, 7)) == "one **two** three…"
    assert fit(text, 18) == text


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("around", ["{}", "{}a", "a {} b", "a\n{} b", "  {}b"])
def test_each_construct_is_shown_as_letters_wherever_it_stands(sample: str, around: str) -> None:
    text = around.format(sample)
    shown = render(escape(text))
    assert shown.text == text
    assert (shown.constructs, shown.links, shown.quotes) == ([], [], [])


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_characters_at_all_can_be_sent(text: str) -> None:
    fit(text, 40).encode("utf-8")


def test_what_discord_does_not_take_is_shown_as_missing() -> None:
    assert fit("a\ud800b\x00c\r\nd\re", 99) == "a\ufffdb\ufffdc\nd\ne"


def test_cut_falls_between_words() -> None:
    assert fit("several whole words, then more", 22) == "several whole words,…"


def test_cut_keeps_letters_of_several_characters_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    assert fit(family * 3, 10) == family + ELLIPSIS
    assert fit("e\u0301" * 9, 6) == "e\u0301" * 2 + ELLIPSIS


@pytest.mark.parametrize(("text", "length"), [("a", 1), ("é", 1), ("𝒳", 2), ("👩‍👧", 5)])
def test_lengths_are_counted_in_utf_16(text: str, length: int) -> None:
    assert units(text) == length


def test_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(escape_module).failed == 0
