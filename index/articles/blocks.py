"""Blocks: what an article's readable text is made of, and the builder with which readers write it.

The readable text is what a reader sees, without markup. Paragraphs are joined by a blank line; the items of a
list, the rows of a table and the other parts of a paragraph each begin a line.

A block that says little alone (a heading, a question, a sentence that ends in a colon, a table's header) is a
lead: the blocks below it name it in `above`, are found by its words too, and are quoted without it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from index.articles.marks import Mark, clip

__all__ = ["BLANKS", "LEADS", "Block", "BlockKind", "TextBuilder"]

BLANKS = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))
"""What is stripped from texts: Unicode white space, and byte order marks, which some editors add."""


class BlockKind(StrEnum):
    """What a block is to its reader."""

    HEADING = "heading"
    QUESTION = "question"
    """A question that the blocks below answer, or a term that they define."""
    LEAD_IN = "lead-in"
    """A paragraph or item that ends in a colon, before a list, a table or code."""
    HEADER = "header"
    """The names of a table's columns."""
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"
    QUOTATION = "quotation"


LEADS = frozenset({BlockKind.HEADING, BlockKind.QUESTION, BlockKind.LEAD_IN, BlockKind.HEADER})
"""The kinds that never stand alone as a quote."""

_INTRODUCED = frozenset({BlockKind.ITEM, BlockKind.HEADER, BlockKind.ROW, BlockKind.CODE})
_STAYS = {BlockKind.HEADER: frozenset({BlockKind.ROW}), BlockKind.LEAD_IN: _INTRODUCED}
"""What may follow below a lead of a kind; the first other block ends it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an article: its kind, its paragraph's number, from 1, and its span in the article's text.

    `level` is that of a heading (1 to 6), or the depth of a list item (from 1). `above` are the places, in
    the article's blocks, of the leads that it stands below, outermost first.
    """

    kind: BlockKind
    paragraph: int
    start: int
    end: int
    level: int = 0
    above: tuple[int, ...] = ()


@dataclass(slots=True)
class _Lead:
    """A lead that blocks are still added below; `stays` are the kinds that do not end it, None for all."""

    place: int
    level: int
    stays: frozenset[BlockKind] | None
    is_fresh: bool = True


class TextBuilder:
    """Puts an article's readable text and its blocks together, in order."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        """The inline marks of the text so far, in order."""
        self.pages: list[int] = []
        """The offsets into the text at which its pages begin, where the format has pages."""
        self._blocks: list[Block] = []
        self._pieces: list[str] = []  # three for each block: what stands between, its label, its text
        self._length = 0
        self._leads: list[_Lead] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks so far; a lead that nothing stands below is a paragraph of its own."""
        used = {place for block in self._blocks for place in block.above}
        return tuple(
            replace(block, kind=BlockKind.PARAGRAPH, level=0)
            if block.kind in LEADS and place not in used
            else block
            for place, block in enumerate(self._blocks)
        )

    def add(  # noqa: PLR0913 - what a block is made of
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        label: str = "",
        begins: bool = True,
        leads_all: bool = True,
    ) -> None:
        """Add a block, in a paragraph that it begins, or else on a new line of the last one.

        `label` is a bullet, "Q:" or the like, which stands before the block in the text. A question that does
        not lead all (`leads_all`) leads the next block only, and the list, table or code after that. A blank
        text adds nothing.
        """
        text = text.strip("\n") if kind is BlockKind.CODE else text.strip(BLANKS)
        if not text.strip(BLANKS):
            return
        self._introduce(kind, level)
        paragraph = self._blocks[-1].paragraph if self._blocks else 0
        begins = begins or not self._blocks
        self._append("" if not self._blocks else "\n\n" if begins else "\n")
        self._append(label)
        start = self._length
        self._append(text)
        self._end_leads(kind, level)
        above = tuple(lead.place for lead in self._leads)
        self._blocks.append(Block(kind, paragraph + begins, start, self._length, level, above))
        if kind in LEADS:
            stays = _STAYS.get(kind) if leads_all else _INTRODUCED
            is_fresh = kind is not BlockKind.HEADER  # a table without rows leads nothing
            self._leads.append(_Lead(len(self._blocks) - 1, level, stays, is_fresh))

    def begin_page(self, overlap: int = 0) -> None:
        """Have the next block begin a page; or the last `overlap` characters of the text so far."""
        self.pages.append(self._length - overlap)

    @contextmanager
    def marking(self, source: str, marks: Iterable[Mark]) -> Iterator[None]:
        """Mark the blocks that are added inside; they are parts of `source`, whose marks these are."""
        first, end = len(self._blocks), 0
        yield
        source, waiting, current = source.replace("\n", " "), deque(marks), list[Mark]()
        for place in range(first, len(self._blocks)):
            text = self._pieces[3 * place + 2].replace("\n", " ")
            start = source.find(text, end)
            if start < 0:
                break
            end = start + len(text)
            while waiting and waiting[0].start < end:
                current.append(waiting.popleft())
            self.marks += clip(current, start, end, self._blocks[place].start)
            current = [mark for mark in current if mark.end > end]

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _introduce(self, kind: BlockKind, level: int) -> None:
        """Make the last block a lead-in, if it ends in a colon before a list, table or code.

        An item introduces the items nested in it only.
        """
        if not self._blocks or kind not in _INTRODUCED or not self._pieces[-1].endswith(":"):
            return
        last = self._blocks[-1]
        is_parent = last.kind is kind is BlockKind.ITEM and last.level < level
        if is_parent or last.kind is BlockKind.PARAGRAPH:
            self._blocks[-1] = replace(last, kind=BlockKind.LEAD_IN)
            self._leads.append(_Lead(len(self._blocks) - 1, last.level, _STAYS[BlockKind.LEAD_IN]))

    def _end_leads(self, kind: BlockKind, level: int) -> None:
        """Drop the leads that a block of this kind does not stand below."""
        kept = []
        for lead in self._leads:
            of_heading = self._blocks[lead.place].kind is BlockKind.HEADING
            of_item = lead.level > 0 and self._blocks[lead.place].kind is BlockKind.LEAD_IN
            if kind is BlockKind.HEADING:
                stands = of_heading and lead.level < level
            elif kind is BlockKind.QUESTION:
                stands = of_heading
            elif of_item:
                stands = kind is BlockKind.ITEM and level > lead.level
            else:
                stands = lead.is_fresh or lead.stays is None or kind in lead.stays
            if stands:
                lead.is_fresh = False
                kept.append(lead)
        self._leads = kept
