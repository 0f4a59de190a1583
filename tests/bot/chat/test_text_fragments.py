"""Addresses that open a page at a quote."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.text_fragments import text_fragment_url

PAGE = "https://lamps.example/gull"
PART = r"(?:[A-Za-z0-9.]|%[0-9A-F]{2})+"
ADDRESS = re.compile(rf"{PAGE}#:~:text=(?P<first>{PART})(?:,(?P<last>{PART}))?")

LONG = (
    "She wrote “all’s well” in the log every morning, even on the day on which the sea broke the kitchen "
    "window and took the table with it."
)
WORDS = ["The", "lamp,", "was-lit", "1871.", "été", "文字。", "a~b", "\ud800", "\n", "- rope", "  ", "x" * 30]


@pytest.mark.parametrize(
    ("quote", "parts"),
    [
        ("The lamp was lit in 1871.", ["The lamp was lit in 1871."]),
        (LONG, ["She wrote “all’s well”", "the table with it."]),
        ("It was brought by boat from Bergen\nin May.", ["It was brought by", "in May."]),
        ("they say no more.\n\nEbba Lind kept it then.", ["they say no more.", "Lind kept it then."]),
        ("- forty metres of rope", ["forty metres of rope"]),
        ("# Rope\n- rope\n2. oil", ["Rope", "oil"]),
        ("  spaced \t out  ", ["spaced out"]),
        ("灯台は初めて灯された。" * 10, ["灯台は初めて灯された。" * 4] * 2),
        ("x" * 120, ["x" * 120]),
    ],
)
def test_a_short_quote_is_given_whole_and_a_longer_one_by_its_ends(quote: str, parts: list[str]) -> None:
    address = text_fragment_url(PAGE, quote, room=5_000)
    assert address is not None
    match = ADDRESS.fullmatch(address)
    assert match is not None, address
    assert [unquote(part) for part in match.groups() if part] == parts


@pytest.mark.parametrize(
    ("url", "lead"),
    [
        ("https://a.example/x", "https://a.example/x#:~:text="),
        (" https://a.example/x\n", "https://a.example/x#:~:text="),
        ("http://a.example", "http://a.example#:~:text="),
        ("HTTPS://a.example", "HTTPS://a.example#:~:text="),
        ("https://a.example/x#", "https://a.example/x#:~:text="),
        ("https://a.example/x?a=b&c=d#part", "https://a.example/x?a=b&c=d#part:~:text="),
        ("https://a.example/x#:~:text=old,words", "https://a.example/x#:~:text="),
        ("https://a.example/x#part:~:text=old", "https://a.example/x#part:~:text="),
        ("https://müller.example/ä", "https://müller.example/ä#:~:text="),
    ],
)
def test_a_fragment_is_kept_and_a_directive_replaced(url: str, lead: str) -> None:
    assert text_fragment_url(url, "The lamp was lit.") == f"{lead}The%20lamp%20was%20lit."
    plain = lead.removesuffix(":~:text=").removesuffix("#")
    assert text_fragment_url(url, " \n ") == plain
    assert text_fragment_url(url, "x" * 2_000) == plain


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "//a.example/x",
        "ftp://a.example/x",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://[::1",
        "https://a.example/x y",
        "https://a.example/\x00",
        "https://a.example/" + "x" * 1_000,
    ],
)
def test_what_is_no_web_address_or_too_long_is_none(url: str) -> None:
    assert text_fragment_url(url, "The lamp was lit.") is None


@given(
    st.text(max_size=300) | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.integers(0, 700)
)
@example("a-b_c~d*e|f`g<h>i(j)k[l]m,n&o#p%q=r", 700)
def test_an_address_fits_and_has_nothing_that_markdown_reads(quote: str, room: int) -> None:
    address = text_fragment_url(PAGE, quote, room=room)
    if len(PAGE) > room:
        assert address is None
        return
    assert address is not None
    assert len(address) <= room
    assert address == PAGE or ADDRESS.fullmatch(address)
