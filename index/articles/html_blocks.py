"""HTML to blocks: what a browser shows of a fragment or a body, as text and its structure.

Scripts, styles, images, controls and what is hidden are gone, as are the anchors and footnote numbers that
stand in a text but are not part of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from index.articles.blocks import BLANKS, BlockKind, TextBuilder
from index.articles.html_tree import BLOCKS, HEADINGS, WHOLE, empty_hidden, parse_html
from index.articles.marks import Mark, MarkKind, clip
from index.articles.plain_text import add_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["add_html"]

_MAX_ADDRESS = 2_000  # characters
_MAX_LEVEL, _MAX_MARKS = 9, 9  # of list items, and of marks inside of each other

_LISTS = frozenset("menu ol ul".split())
_MARKS: dict[str, MarkKind] = {
    **dict.fromkeys(("em", "i", "cite"), "emphasis"),
    **dict.fromkeys(("strong", "b"), "strong"),
    **dict.fromkeys(("s", "del"), "struck"),
    **dict.fromkeys(("code", "kbd", "samp"), "code"),
    "a": "link",
}
_UNSEEN = dict.fromkeys(map(ord, "\xad\u200b\ufeff"))
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LANGUAGE = re.compile(r"\b(?:lang|language|highlight(?:-source)?)-(?!none|source|text)([a-z][\w+#-]*)")


def add_html(builder: TextBuilder, html: str | HtmlElement, base_url: str = "") -> None:
    """Add the text of a fragment, a body or an element; its relative links are completed with `base_url`.

    What is hidden in an element is emptied.

    Raises:
        RefusedError: the HTML is empty, too large, or nested too deeply.
    """
    from lxml.etree import iterwalk  # type: ignore[import-untyped]

    root = parse_html(html).find("body") if isinstance(html, str) else html
    empty_hidden(root)
    writer = _HtmlWriter(builder, base_url if len(base_url) <= _MAX_ADDRESS else "")
    for event, element in iterwalk(root, events=("start", "end")):
        if event == "start":
            writer.start(element)
            writer.add_text((element.text or "").translate(_RAISED if element.tag == "sup" else {}))
        else:
            writer.end(element)
            if element is not root:
                writer.add_text(element.tail or "")
    writer.flush()


def _language_of(code: HtmlElement) -> str:
    """Return the language that a code sample, or an element close around or in it, names."""
    near = [*code[:1], code, *itertools.islice(code.iterancestors(), 2)]
    language = _LANGUAGE.search(" ".join(element.get("class") or "" for element in near))
    return language[1][:40] if language else ""


class _HtmlWriter:
    """Adds the blocks of one fragment to a builder, as its elements start and end."""

    def __init__(self, builder: TextBuilder, base_url: str) -> None:
        self._builder = builder
        self._base_url = base_url
        self._pieces: list[str] = []  # of the text that is not added yet
        self._length = 0
        self._marks: list[Mark] = []
        self._open: list[Mark | None] = []  # the open marks; None is counted only
        self._whole: HtmlElement | None = None  # the element that becomes one block
        self._code: HtmlElement | None = None
        self._frames: list[str | None] = []  # the bullet or number of each open item, None for a quotation
        self._lists: list[Iterator[str]] = [itertools.repeat("- ")]  # the labels of the items of each
        self._begins = True  # whether the next item or row begins a paragraph

    def add_text(self, text: str) -> None:
        """Add text of the element that is open, with white space collapsed unless it is code."""
        if self._code is not None:
            text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
        else:
            text = re.sub(r"\s+", " ", text.translate(_UNSEEN))
            text = text.lstrip(" ") if self._last_character() in " \n" else text
        self._add_piece(text)

    def _add_piece(self, text: str) -> None:
        self._pieces += [text] if text else []
        self._length += len(text)

    def _last_character(self) -> str:
        return self._pieces[-1][-1] if self._pieces else "\n"

    def _take(self) -> tuple[str, list[Mark]]:
        """Return the text so far and its marks, and begin anew, inside of the marks that are open."""
        text, marks = "".join(self._pieces), list[Mark]()
        closed = self._marks + [replace(mark, end=self._length) for mark in reversed(self._open) if mark]
        closed.reverse()  # of equal marks, the outer one was closed last
        for mark in sorted(closed, key=lambda mark: (mark.start, -mark.end)):
            inside = text[mark.start : mark.end]
            start, end = mark.end - len(inside.lstrip()), mark.start + len(inside.rstrip())
            marks += [replace(mark, start=start, end=end)] if start < end else []
        self._open = [mark and replace(mark, start=0) for mark in self._open]
        self._pieces, self._length, self._marks = [], 0, []
        return text, marks

    def start(self, element: HtmlElement) -> None:
        """Begin an element."""
        tag = element.tag
        if tag in _MARKS:
            address = self._address(element) if tag == "a" else ""
            is_mark = (tag != "a" or address) and len(self._open) < _MAX_MARKS
            self._open.append(Mark(_MARKS[tag], self._length, -1, address) if is_mark else None)
        elif tag != "br" and tag not in BLOCKS:
            return
        elif self._code is not None:
            self._add_piece("\n" if tag == "br" or self._last_character() != "\n" else "")
        elif self._whole is not None:
            self.add_text(" ")
            self._add_piece("| " if tag in {"td", "th"} and element.getprevious() is not None else "")
        elif tag == "br":
            self._add_piece("\n")
        else:
            self.flush()
            self._start_block(element)

    def _start_block(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag == "pre":
            self._code = element
        elif tag == "blockquote":
            self._frames.append(None)
        elif tag in _LISTS:
            self._begins = self._begins or len(self._lists) == 1
            start = element.get("start") or "1"
            numbers = itertools.count(int(start) if re.fullmatch("[0-9]{1,9}", start) else 1)
            self._lists.append(map("{}. ".format, numbers) if tag == "ol" else itertools.repeat("- "))
        elif tag == "li":
            self._frames.append(next(self._lists[-1]))
        elif tag == "table":
            self._begins = True
        elif tag in WHOLE:  # but a row with headings or tables in it only lays out a page
            is_layout = tag == "tr" and next(element.iter("table", *HEADINGS), None) is not None
            self._whole = None if is_layout else element

    def end(self, element: HtmlElement) -> None:
        """End an element, before the text behind it."""
        tag = element.tag
        if tag in _MARKS:
            if (mark := self._open.pop()) is not None:
                self._marks.append(replace(mark, end=self._length))
        elif tag not in BLOCKS:
            return
        elif element is self._code:
            self._code, (text, _) = None, self._take()
            code = Mark("code block", 0, len(text), _language_of(element))
            self._add(BlockKind.CODE, text, [code], begins=self._begins or not self._frames)
        elif element is self._whole:
            self._whole = None
            self._end_whole(element)
        elif self._whole is not None:
            self.add_text(" ")
        elif self._code is None:
            self.flush()
            if tag in {"blockquote", "li"}:
                self._frames.pop()
            elif tag in _LISTS:
                self._lists.pop()

    def _end_whole(self, element: HtmlElement) -> None:
        text, marks = self._take()
        if element.tag == "tr":
            if text.strip("| \n"):
                is_header = self._begins and all(cell.tag == "th" for cell in element)
                self._add(BlockKind.HEADER if is_header else BlockKind.ROW, text, marks, begins=self._begins)
        elif element.tag in HEADINGS:
            self._add(BlockKind.HEADING, text, marks, level=int(element.tag[1]))
        else:
            following = element.itersiblings()
            answer = following if element.tag == "summary" else next(following, ())
            blocks = [part for part in itertools.islice(answer, 3) if part.tag in BLOCKS]
            self._add(BlockKind.QUESTION, text, marks, leads_all=len(blocks) > 1)

    def flush(self) -> None:
        """Add the text so far as a block, if there is any."""
        text, marks = self._take()
        if not text.strip(BLANKS):
            return
        if not self._frames:
            with self._builder.marking(text, marks):
                for paragraph in re.split(r"\n{2,}", text):
                    add_lines(self._builder, paragraph.strip())
            self._begins = True
        elif (label := self._frames[-1]) is None:
            self._add(BlockKind.QUOTATION, text, marks)
        else:
            level = min(len(self._frames) - self._frames.count(None), _MAX_LEVEL)
            number = label.removeprefix("- ")
            self._frames[-1] = ""
            marks = [*clip(marks, 0, len(text), len(number))]
            label = "  " * (level - 1) + label.removesuffix(number)
            text = number + text.replace("\n", " ")
            self._add(BlockKind.ITEM, text, marks, level=level, label=label, begins=self._begins)

    def _add(self, kind: BlockKind, text: str, marks: list[Mark], **how: Any) -> None:
        with self._builder.marking(text, marks):
            self._builder.add(kind, text, **how)
        self._begins = "begins" not in how

    def _address(self, link: HtmlElement) -> str:
        """Return the web address of a link; "" for any other."""
        with suppress(ValueError):  # such as "http://[x"
            address = urljoin(self._base_url, str(link.get("href") or "")[:_MAX_ADDRESS])
            return address if address.lower().startswith(("http://", "https://")) else ""
        return ""
