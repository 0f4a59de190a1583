"""Other people's text on a terminal: it controls nothing, and keeps its length or its line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.terminal import one_line, printable

TEXTS = st.text(st.characters(categories=["L", "Cc", "Cf", "Cs", "Zl", "Zp"]))


@given(TEXTS)
def test_printable_text_controls_nothing_and_keeps_its_length(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u2028", "\u202e", "\u2066"} & set(shown)
    shown.encode()
    assert all(new in {old, "\ufffd", " "} for old, new in zip(text, shown, strict=True))


@given(TEXTS)
def test_one_line_is_a_line_of_bounded_length(name: str) -> None:
    assert len(one_line(name, 20)) <= 21
    assert not {"\n", "\t", "\x1b", "\u2028"} & set(one_line(name))
