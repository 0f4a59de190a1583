"""Cutting: within its room, between words, with an ellipsis, and never in an escape or a letter."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.discordapp.escape import (
    ELLIPSIS,
    around,
    blockquote,
    escape,
    fit,
    printable,
    shorten,
    unescape,
    units,
)
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.strategies import LONG, TEXTS, cut_well, spans
from tests.wire.renderer import render

LETTERS = [
    "a", "e\u0301", "\u0e01\u0e31\u0e49", "\u0939\u093f", "👩\u200d👩\u200d👧", "👍🏽", "❤\ufe0f",
    "1\ufe0f\u20e3", "🇩🇪", "🇫🇷", "\u1112\u1161\u11ab", "𝒳", "*",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]  # fmt: skip
"""What is seen as one letter, of one character or several."""

ROOMS = st.integers(0, 300)


def shown_whole(text: str, bold: int = 0) -> int:
    """Return the units that a text takes as a block quote."""
    plain = printable(text.strip())
    return units(escape(plain)) + 2 * plain.count("\n") + 2 + bold


@given(st.data(), TEXTS, ROOMS)
def test_fitted_text_is_a_beginning_of_the_text_in_its_room_with_its_bold_as_far_as_it_is_shown(
    data: st.DataObject, text: str, room: int
) -> None:
    text = printable(text)
    bold = data.draw(spans(text))
    fitted = fit(text, room, bold=bold)
    assert units(fitted) <= room
    plain, parts = read_bold(fitted)
    assert render(plain).constructs == []
    shown, whole = render(plain).text, text.strip()
    if units(escape(whole)) + 4 <= room:
        assert shown == whole
    kept = shown if shown == whole else shown.removesuffix(ELLIPSIS)
    if kept != whole or shown != whole:
        assert shown.endswith(ELLIPSIS) or room <= 4  # that is, no more than the marks of bold
        assert whole.startswith(kept)
        assert cut_well(whole, len(kept))
    before = len(text) - len(text.lstrip())
    words = kept[max(bold[0] - before, 0) : max(bold[1] - before, 0)]
    assert parts == ([words] if words else [])


def test_bold_marks_count_towards_the_room() -> None:
    text = "one two three four"
    assert fit(text, 22, bold=(4, 7)) == "one **two** three four"
    assert fit(text, 21, bold=(4, 7)) == "one **two** three…"
    assert fit(text, 18) == text


def test_bold_stands_where_it_should_behind_the_line_ends_of_other_systems() -> None:
    assert fit("a\r\nb\r\ncd", 99, bold=(6, 8)) == "a\nb\n**cd**"
    assert around(" a\r\nb\r\ncd", 7, 9, 99) == "> a\n> b\n> **cd**"


def test_cut_falls_between_words_however_much_is_lost_but_not_all() -> None:
    assert fit("several whole words, then more", 22) == "several whole words,…"
    assert fit("several   words", 10) == "several…"
    assert fit("a lighthousekeepers' meeting", 19) == "a…"
    assert fit("lighthousekeepers' meeting", 9) == "lighthou…"
    assert fit("On " + "灯" * 900, 500) == "On " + "灯" * 496 + ELLIPSIS


@pytest.mark.parametrize("letter", LETTERS)
def test_no_cut_falls_within_a_letter_of_several_characters(letter: str) -> None:
    some = [count * letter for count in range(7)]
    for room in range(1, 60):
        assert unescape(fit(some[6], room)).removesuffix(ELLIPSIS) in some
        assert unescape(shorten(escape(some[6]), room)).removesuffix(ELLIPSIS) in some
        shown = around(some[6], len(some[6]), len(some[6]), room + 20)
        assert unescape(shown[2:]).strip(ELLIPSIS) in some


def test_letters_of_several_characters_are_cut_off_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    assert fit(family * 3, 10) == family + ELLIPSIS
    assert fit("e\u0301" * 9, 6) == "e\u0301" * 2 + ELLIPSIS
    assert fit("🇩🇪🇫🇷🇪🇸", 8) == "🇩🇪" + ELLIPSIS


@given(st.data(), TEXTS | TEXTS.map(lambda text: 9 * text), st.integers(10, 600))
def test_around_a_part_is_the_text_on_both_sides_cut_at_its_ends_only(
    data: st.DataObject, text: str, room: int
) -> None:
    text = printable(text).strip()
    start, end = data.draw(spans(text))
    block = around(text, start, end, room)
    assert units(block) <= room
    plain, parts = read_bold(block)
    assert render(plain).constructs == []
    (shown,) = render(plain).quotes
    if shown_whole(text, 4) <= room:
        assert shown == text
        assert parts == ([text[start:end]] if start < end else [])
    elif shown_whole("_" + text[start:end]) + 8 <= room:
        assert parts == ([text[start:end]] if start < end else [])
        assert is_around(text, start, end, shown)
    else:
        assert len(parts) <= 1
        assert text[start:end].startswith("".join(parts))


def is_around(text: str, start: int, end: int, shown: str) -> bool:
    """Say whether a part of a text is shown with what is before and after it, cut well at its ends."""
    part, before, after = text[start:end], text[:start], text[end:]
    for at in range(len(shown) - len(part) + 1):
        left, right = shown[:at], shown[at + len(part) :]
        is_before = left == before or is_beginning(before[::-1], left[::-1])
        is_after = right == after or is_beginning(after, right)
        if shown[at : at + len(part)] == part and is_before and is_after:
            return True
    return False


def is_beginning(text: str, shown: str) -> bool:
    """Say whether what is shown is a text's beginning, well cut, with an ellipsis."""
    kept = shown.removesuffix(ELLIPSIS)
    return shown.endswith(ELLIPSIS) and text.startswith(kept) and cut_well(text, len(kept))


WORDS = "The keeper of the lamp on Gull Rock wrote in the log every night. " * 30


@pytest.mark.parametrize("start", [0, 660, len(WORDS) - 67])
@pytest.mark.parametrize("bold", [True, False])
def test_around_takes_the_room_that_there_is(start: int, bold: bool) -> None:
    block = around(WORDS, start, start + 65, 500, bold=bold)
    assert 480 <= units(block) <= 500
    assert (WORDS[start : start + 65] in read_bold(block)[1]) == bold
    assert block.startswith("> …") == (start > 0)
    assert block.lstrip("> …*").split(" ")[0] in WORDS.split()
    assert block.endswith("…") == (start < len(WORDS) - 67)


def test_around_a_part_that_has_no_room_is_its_beginning() -> None:
    assert around("One two three. Four.", 4, 14, 16) == "> …**two**…"
    assert around("One two three. Four.", 4, 14, 16, bold=False) == "> …two three.…"


def test_around_keeps_the_lines_of_a_list_and_text_without_spaces() -> None:
    assert around("Two:\n- a\n- b", 9, 12, 99) == "> Two:\n> \\- a\n> **\\- b**"
    assert around("灯は点いた。夜は長い。", 6, 11, 99) == "> 灯は点いた。**夜は長い。**"


def test_around_shows_the_part_even_where_the_text_ends_with_an_ellipsis_of_its_own() -> None:
    text = "Long ago. " * 90 + "The lamp was lit. And so on…"
    start = text.index("The")
    assert "**The lamp was lit.**" in around(text, start, start + 17, 300)


@given(st.data(), TEXTS | LONG, st.integers(0, 400))
@example(None, "*" * 300, 100)
def test_shortened_text_is_a_beginning_without_a_broken_escape_or_open_bold(
    data: st.DataObject | None, text: str, room: int
) -> None:
    text = printable(text).strip()
    bold = data.draw(spans(text)) if data else (0, 300)
    short = shorten(blockquote(text, 10_000, bold), room)
    assert units(short) <= room
    plain, _ = read_bold(short)
    assert render(plain).constructs == []
    if room > 10:
        shown = unescape(plain.removeprefix("> ").replace("\n> ", "\n"))
        kept = shown.removesuffix(ELLIPSIS)
        assert text.startswith(kept)
        assert shown == text or (shown.endswith(ELLIPSIS) and cut_well(text, len(kept)))


def test_shortened_text_keeps_links_whole_and_closes_what_is_struck_out() -> None:
    link = "[The lamp](https://a.example/b)"
    assert shorten(f"see {link} and more of it", len(link) + 12) == f"see {link}…"
    assert shorten(f"see {link} and more of it", len(link) + 3) == "see…"
    assert shorten("~~one two three~~ four", 15) == "~~one two~~…"
    assert shorten("one **two three**", 12) == "one…"
    assert shorten("a**bcdefghi**", 8) == "a…"
