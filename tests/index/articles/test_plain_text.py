"""The forms that people give to plain text, as blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.blocks import TextBuilder
from index.articles.plain_text import add_plain_text
from tests.index.articles.reading import Shape, check_blocks, shapes
from tests.strategies import hostile_text


def read(text: str) -> list[Shape]:
    """Read plain text; return its blocks."""
    builder = TextBuilder()
    add_plain_text(builder, text)
    return shapes(builder)


QUESTIONS = {
    "Q: Who keeps it?\nA: Ann does.\nQ: Since when?\nA: Since May.": [
        ("question", "Who keeps it?", ()), ("paragraph", "Ann does.", (0,)),
        ("question", "Since when?", ()), ("paragraph", "Since May.", (2,)),
    ],
    "Q1. Who keeps it?\n\nA1. Ann does.\nShe likes it.\n\nMore of it.": [
        ("question", "Who keeps it?", ()), ("paragraph", "Ann does.\nShe likes it.", (0,)),
        ("paragraph", "More of it.", (0,)),
    ],
    "Question 2) It leaks.\n\nAnswer: Tighten it.": [
        ("question", "It leaks.", ()), ("paragraph", "Tighten it.", (0,)),
    ],
    "Who keeps it?\n\nAnn does.\n\nThe shed is red.": [
        ("question", "Who keeps it?", ()), ("paragraph", "Ann does.", (0,)),
        ("paragraph", "The shed is red.", ()),
    ],
    "What do I bring?\n\n- boots\n- a hat\n\nThe shed is red.": [
        ("question", "What do I bring?", ()), ("item", "boots", (0,)), ("item", "a hat", (0,)),
        ("paragraph", "The shed is red.", ()),
    ],
    "It leaks. Who keeps it?\n\nAnn.": [
        ("paragraph", "It leaks. Who keeps it?", ()), ("paragraph", "Ann.", ()),
    ],
    "ANN: Where is it?\n\nBEN: In the shed.\n\nANN: Thanks.": [
        ("question", "Where is it?", ()), ("paragraph", "BEN: In the shed.", (0,)),
        ("paragraph", "ANN: Thanks.", ()),
    ],
}  # fmt: skip
LISTS = {
    "You need:\n- flour\n- water\n  that is cold\n  - or ice": [
        ("lead-in", "You need:", ()), ("item", "flour", (0,)), ("item", "water\n  that is cold", (0,)),
        ("item", "or ice", (0,)),
    ],
    "You need:\n\n1. flour\n2. water\n\nMix them.": [
        ("lead-in", "You need:", ()), ("item", "1. flour", (0,)), ("item", "2. water", (0,)),
        ("paragraph", "Mix them.", ()),
    ],
    "Bring:\n- flour": [("lead-in", "Bring:", ()), ("item", "flour", (0,))],
    "• one\n• two": [("item", "one", ()), ("item", "two", ())],
    "a) one\nb) two": [("item", "a) one", ()), ("item", "b) two", ())],
    "(1) one\n(2) two": [("item", "(1) one", ()), ("item", "(2) two", ())],
    "2.1 Dogs are led.\n\n2.2 Cats are not.\n2.2.1 But Tom is.": [
        ("item", "2.1 Dogs are led.", ()), ("item", "2.2 Cats are not.", ()),
        ("item", "2.2.1 But Tom is.", ()),
    ],
    "Price: 4 euros\nColour: red": [("item", "Price: 4 euros", ()), ("item", "Colour: red", ())],
    "ANN: Where is it?\nBEN: Here.": [("item", "ANN: Where is it?", ()), ("item", "BEN: Here.", ())],
    "He left\n- it was late.": [("paragraph", "He left\n- it was late.", ())],
    "Open: daily\nand on Sundays": [("paragraph", "Open: daily\nand on Sundays", ())],
}  # fmt: skip
PAGES = {
    "Opening hours\n\nWe open at nine.\n\nPrices\n\nA loaf is 4 euros.": [
        ("heading", "Opening hours", ()), ("paragraph", "We open at nine.", (0,)),
        ("heading", "Prices", ()), ("paragraph", "A loaf is 4 euros.", (2,)),
    ],
    "Opening hours\n\nPrices\n\nA loaf.": [
        ("paragraph", "Opening hours", ()), ("heading", "Prices", ()), ("paragraph", "A loaf.", (1,)),
    ],
    "Fares\n\nFour euros.\n\nAnn Lee\n\nBo Ray": [
        ("heading", "Fares", ()), ("paragraph", "Four euros.", (0,)), ("paragraph", "Ann Lee", (0,)),
        ("paragraph", "Bo Ray", (0,)),
    ],
    "We open at nine\nor at ten\n\nA loaf.": [
        ("paragraph", "We open at nine\nor at ten", ()), ("paragraph", "A loaf.", ()),
    ],
    "- - -\n\n* * *": [("item", "- -", ()), ("item", "* *", ())],
    "Ann wrote:\n> It leaks.\n> Badly.\nI mended it.": [
        ("paragraph", "Ann wrote:", ()), ("quotation", "It leaks.\nBadly.", ()),
        ("paragraph", "I mended it.", ()),
    ],
    "A book is wrapped\nat some width.\n \t\n\n  It goes on so.": [
        ("paragraph", "A book is wrapped\nat some width.", ()), ("paragraph", "It goes on so.", ()),
    ],
    " \n\t\n": [],
}  # fmt: skip


@pytest.mark.parametrize(("text", "blocks"), (QUESTIONS | LISTS | PAGES).items())
def test_plain_text_as_blocks(text: str, blocks: list[Shape]) -> None:
    assert read(text) == blocks


def test_depth_of_items_is_told_by_their_indent() -> None:
    builder = TextBuilder()
    add_plain_text(builder, "- a\n  - b\n    - c\n\t- d\n- e")
    assert [block.level for block in builder.blocks] == [1, 2, 3, 3, 1]


@given(st.text(max_size=200) | hostile_text("Q: ", "A: ", "> ", "- ", "1. ", "4.1 ", "ANN: ", "?\n\n", ":\n"))
def test_any_text_comes_through_as_blocks(text: str) -> None:
    """Only white space and the marks of quoted lines are dropped."""
    builder = TextBuilder()
    add_plain_text(builder, text)
    check_blocks(builder.text, builder.blocks)
    kept, given_ = (
        "".join(each.replace("\ufeff", "").replace(">", "").split()) for each in (builder.text, text)
    )
    assert kept == given_
