"""The lines of a PDF's pages to blocks: headings, paragraphs, lists and tables.

Headings are larger than the text, or bold. Paragraphs begin below a space, at an indent, or after a line that
ends early; one that goes on in the next column or on the next page is one block.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from index.articles.blocks import BlockKind, TextBuilder
from index.articles.plain_text import add_lines

__all__ = ["Line", "PdfWriter"]

_LARGER = 1.08  # times the size of the text, from which a line is a heading
_LEADING = 1.2  # from line to line, in font sizes, where the text does not tell
_WIDEST = 2.5  # leading, of lines that are spaced double
_LOOSE = 1.25  # times the usual leading, from which a line begins a paragraph
_INDENT = 0.7  # in font sizes
_RAGGED = 0.1  # share of a line that may be blank at its end
_LONGEST_HEADING = 150  # characters

_BULLET = re.compile(r"[•◦▪‣●○■□❑➢►✓·*–—\uf0b7\uf0a7\uf0d8\ufffd-](?:\s+|$)")
_NUMBER = re.compile(r"(?:\(?(?:\d{1,3}|[a-z]|[ivx]{2,4})[.)]|\[\d{1,3}\])(?:\s|$)")
_SENTENCE_END = re.compile(r"[.!?:…。！？؟][\"'”’»)\]]*$")
_HYPHEN = re.compile(r"[^\W\d_][-‐\xad]$")
_COMPOUND = re.compile(r"\w[-‐/]\w+[-‐]$")


class Line(NamedTuple):
    """A line: its text, with tabs between a table's cells; its ends and baseline, in points; and so on."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    is_bold: bool
    is_marginal: bool  # whether it is so near the top or foot of the page as running heads are
    page: int = 0
    column: int = 0

    @property
    def is_item(self) -> bool:
        """Whether it begins with a bullet or a number."""
        return bool(_BULLET.match(self.text) or _NUMBER.match(self.text))


class PdfWriter:
    """Puts lines, in reading order, together to paragraphs, and writes these as blocks."""

    def __init__(self, lines: Sequence[Line]) -> None:
        styles: Counter[tuple[float, bool]] = Counter()
        ends: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for line in lines:
            styles[line.size, line.is_bold] += len(line.text)
            ends[line.page, line.column].append(line.x1)
        self._edges = {place: max(x1s) for place, x1s in ends.items() if len(x1s) > 1}
        self._size, self._is_bold = styles.most_common(1)[0][0]
        self._lines = lines
        self._leading = self._usual_leading()
        self._builder = TextBuilder()

    def write(self, title: str, pages: int) -> tuple[str, TextBuilder]:
        """Return the title, or else the first page's largest heading, and the blocks of so many pages."""
        parts = [(self._kind(lines), lines[0], *self._flow(lines)) for lines in self._paragraphs()]
        first = {text: top.size for kind, top, text, _ in parts if (kind, top.page) == (BlockKind.HEADING, 1)}
        title = title or max(first, key=first.__getitem__, default="")
        parts = [part for part in parts if part[2] not in first or part[2].lower() != title.lower()]
        sizes = sorted({top.size for kind, top, *_ in parts if kind is BlockKind.HEADING}, reverse=True)
        levels = {size: min(level, 6) for level, size in enumerate(sizes, 1)}
        for kind, group in itertools.groupby(parts, key=lambda part: part[0]):
            for number, (_, top, text, breaks) in enumerate(group):
                self._begin_pages(top.page)
                level = levels[top.size] if kind is BlockKind.HEADING else int(kind is BlockKind.ITEM)
                self._add(kind, text, level, is_first=number == 0)
                for page, overlap in breaks:
                    self._begin_pages(page, overlap)
        self._begin_pages(pages)
        return title, self._builder

    def _add(self, kind: BlockKind, text: str, level: int, *, is_first: bool) -> None:
        if kind is BlockKind.PARAGRAPH:
            add_lines(self._builder, text)
            return
        if kind is BlockKind.ROW and is_first and not re.search(r"\d", text):
            kind = BlockKind.HEADER
        bullet = _BULLET.match(text) if kind is BlockKind.ITEM else None
        text, label = (text[bullet.end() :], "- ") if bullet else (text.replace("\t", " | "), "")
        begins = is_first or kind is BlockKind.HEADING
        self._builder.add(kind, text, level=level, label=label, begins=begins)

    def _begin_pages(self, page: int, overlap: int = 0) -> None:
        """Have pages begin up to this one, before the last `overlap` characters of the text."""
        while len(self._builder.pages) < page:
            self._builder.begin_page(overlap)

    def _usual_leading(self) -> float:
        """Return how far lines are apart, in font sizes, as told by those that go on with a sentence."""
        leadings = Counter(
            round((above.y - line.y) / line.size, 1)
            for above, line in itertools.pairwise(self._lines)
            if above.size == line.size == self._size and 0 < above.y - line.y <= _WIDEST * line.size
            if self._wraps(above, line) and not (_SENTENCE_END.search(above.text) or line.text[0].isupper())
        )
        return leadings.most_common(1)[0][0] if leadings else _LEADING

    def _wraps(self, above: Line, line: Line) -> bool:
        """Tell whether a line has no room for the first word of the next."""
        edge = self._edges.get((above.page, above.column), above.x1)
        word = (line.x1 - line.x0) * len(line.text.split(maxsplit=1)[0]) / len(line.text)
        return above.x1 + word > edge - max(above.size, _RAGGED * (edge - above.x0))

    def _paragraphs(self) -> Iterator[list[Line]]:
        paragraph: list[Line] = []
        for line in self._lines:
            if paragraph and self._begins(line, paragraph):
                yield paragraph
                paragraph = []
            paragraph.append(line)
        yield paragraph

    def _begins(self, line: Line, paragraph: Sequence[Line]) -> bool:
        """Tell whether a line begins a paragraph, and does not go on with the one before."""
        above = paragraph[-1]
        if "\t" in above.text + line.text or (above.size, above.is_bold) != (line.size, line.is_bold):
            return True
        ends, wraps = bool(_SENTENCE_END.search(above.text)), self._wraps(above, line)
        if (above.page, above.column) != (line.page, line.column):
            return ends or line.is_item or self._is_large(line) or not (wraps or line.text[0].islower())
        if above.y - line.y > line.size * self._leading * _LOOSE or _BULLET.match(line.text):
            return True
        shift = (line.x0 - above.x0) / line.size
        is_out = shift < -_INDENT and len(paragraph) > 1
        if _NUMBER.match(line.text) and (ends or not wraps or is_out):
            return True
        if not ends:
            return not wraps and abs(shift) > _INDENT and not self._is_large(line)
        return not wraps or is_out or (shift > _INDENT and not (len(paragraph) == 1 and above.is_item))

    def _is_large(self, line: Line) -> bool:
        return line.size > _LARGER * self._size or (line.is_bold and not self._is_bold)

    def _kind(self, paragraph: Sequence[Line]) -> BlockKind:
        first, text = paragraph[0], "".join(line.text for line in paragraph)
        if "\t" in first.text:
            return BlockKind.ROW
        is_short = len(text) <= _LONGEST_HEADING and text[-1] not in ".,;"
        if self._is_large(first) and is_short and not _BULLET.match(text) and any(map(str.isalnum, text)):
            return BlockKind.HEADING
        return BlockKind.ITEM if first.is_item else BlockKind.PARAGRAPH

    def _flow(self, paragraph: Sequence[Line]) -> tuple[str, list[tuple[int, int]]]:
        """Return a paragraph's text, and the pages that begin in it, each with the length of the rest."""
        line_end = "\n" if self._kind(paragraph) is BlockKind.PARAGRAPH else " "
        pieces = [paragraph[0].text]
        begins: list[tuple[int, int]] = []  # pages, and the pieces before
        for above, line in itertools.pairwise(paragraph):
            # A hyphen is part of the word in "North-West" and "end-of-file", and ends "short- and long-term".
            if not _HYPHEN.search(above.text[-2:]) or re.match(r"(?:and|or|und|oder)\b", line.text):
                pieces.append(" " if self._wraps(above, line) else line_end)
            elif above.text[-1] == "\xad" or (line.text[0].islower() and not _COMPOUND.search(above.text)):
                pieces[-1] = above.text[:-1]
            if line.page > above.page:
                begins.append((line.page, len(pieces)))
            pieces.append(line.text)
        lengths = [0, *itertools.accumulate(map(len, pieces))]
        return "".join(pieces), [(page, lengths[-1] - lengths[count]) for page, count in begins]
