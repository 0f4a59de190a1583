"""The builder of blocks: how text is joined, what leads what, and where a lead ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.blocks import BlockKind, TextBuilder
from tests.index.articles.reading import check_blocks, shapes
from tests.strategies import hostile_text

KINDS: dict[str, BlockKind] = {
    kind.name[0]: kind for kind in BlockKind if kind not in {BlockKind.HEADER, BlockKind.QUOTATION}
}
KINDS |= {"T": BlockKind.HEADER, ">": BlockKind.QUOTATION, "C": BlockKind.CODE, "F": BlockKind.QUESTION}
"""The kinds by their letters; F is a question that does not lead all, T a table's header."""


def built(blocks: str) -> TextBuilder:
    """Build blocks as `H1 P I`; each has its place as its text, and "P:" ends in a colon."""
    builder = TextBuilder()
    for place, block in enumerate(blocks.split()):
        level = int(block[1:].rstrip(":") or 0)
        text = f"{place}{':' if block.endswith(':') else ''}"
        builder.add(KINDS[block[0]], text, level=level, leads_all=block[0] != "F")
    return builder


@pytest.mark.parametrize(
    ("blocks", "above"),
    [
        # a heading leads to the next of its level or above
        ("P H1 P P", [(), (), (1,), (1,)]),
        ("H1 P H2 P H3 P H2 P H1 P", [(), (0,), (0,), (0, 2), (0, 2), (0, 2, 4), (0,), (0, 6), (), (8,)]),
        ("H3 P H1 P", [(), (0,), (), (2,)]),
        # a question leads to the next question or heading, or only the block after it
        ("Q P I Q P H1 P", [(), (0,), (0,), (), (3,), (), (5,)]),
        ("H1 F P P F I I P", [(), (0,), (0, 1), (0,), (0,), (0, 4), (0, 4), (0,)]),
        ("F P I I P", [(), (0,), (0,), (0,), ()]),
        # a paragraph with a colon leads the list, table or code after it
        ("P: I I P", [(), (0,), (0,), ()]),
        ("P: C P", [(), (0,), ()]),
        ("P: T R R I P", [(), (0,), (0, 1), (0, 1), (0,), ()]),
        ("H2 P: I P: I", [(), (0,), (0, 1), (0,), (0, 3)]),
        ("Q P: I P", [(), (0,), (0, 1), (0,)]),
        ("P: P I", [(), (), ()]),
        ("P I", [(), ()]),
        # an item with a colon leads the items nested in it
        ("P: I1 I1: I2 I2 I1 P", [(), (0,), (0,), (0, 2), (0, 2), (0,), ()]),
        ("I1: I2: I3 I2 I1", [(), (0,), (0, 1), (0,), ()]),
        ("I1: I1", [(), ()]),
        ("I1: P", [(), ()]),
        # a table's header leads its rows
        ("T R R P R", [(), (0,), (0,), (), ()]),
        ("T R T R", [(), (0,), (), (2,)]),
        ("> P C", [(), (), ()]),
    ],
)
def test_leads_of_each_block(blocks: str, above: list[tuple[int, ...]]) -> None:
    assert [block.above for block in built(blocks).blocks] == above


@pytest.mark.parametrize("blocks", ["H1", "Q", "P:", "T", "H1 H1", "P H2"])
def test_lead_without_anything_below_is_a_paragraph(blocks: str) -> None:
    assert {(block.kind, block.level) for block in built(blocks).blocks} == {(BlockKind.PARAGRAPH, 0)}


def test_text_is_joined_by_blank_lines_and_labels_stand_before_their_blocks() -> None:
    builder = TextBuilder()
    builder.add(BlockKind.HEADING, "\ufeff Fares \n", level=1)
    builder.add(BlockKind.QUESTION, "How much?", label="Q: ")
    builder.add(BlockKind.PARAGRAPH, "Four euros.", label="A: ", begins=False)
    builder.add(BlockKind.PARAGRAPH, " \u3000\n")
    builder.add(BlockKind.CODE, "\n  pay\n\n  go\n")
    assert builder.text == "Fares\n\nQ: How much?\nA: Four euros.\n\n  pay\n\n  go"
    assert shapes(builder) == [
        ("heading", "Fares", ()),
        ("question", "How much?", (0,)),
        ("paragraph", "Four euros.", (0, 1)),
        ("code", "  pay\n\n  go", (0, 1)),
    ]
    assert [block.paragraph for block in builder.blocks] == [1, 2, 2, 3]


@given(
    st.lists(
        st.tuples(st.sampled_from(BlockKind), hostile_text(most=4), st.booleans(), st.integers(1, 6)),
        max_size=12,
    )
)
def test_any_blocks_stand_in_order_and_apart(rows: list[tuple[BlockKind, str, bool, int]]) -> None:
    builder = TextBuilder()
    for kind, text, begins, level in rows:
        builder.add(kind, text, level=level, begins=begins, leads_all=begins)
    check_blocks(builder.text, builder.blocks)
