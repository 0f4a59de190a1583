"""HTML to blocks: what a browser shows of a fragment or a body, as text and its structure.

Headings, paragraphs, lists, tables, code, quotations, definition lists and details become blocks; links,
emphasis and code in a line become marks. Scripts, styles, images, controls and what is hidden are gone, as
are the anchors and footnote numbers that stand in a text but are not part of it.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from index.articles.blocks import BLANKS, BlockKind, TextBuilder
from index.articles.html_tree import BLOCKS, HEADINGS, WHOLE, is_hidden, parse_html
from index.articles.marks import Mark, MarkKind, clip
from index.articles.plain_text import add_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["add_html"]

_MAX_ADDRESS = 2_000  # characters
_MAX_HEADING = 300  # characters; what is longer is a heading that was not closed
_MAX_LEVEL, _MAX_MARKS = 9, 9  # of list items, and of marks inside of each other

_LISTS = frozenset("dir menu ol ul".split())
_MARKS: dict[str, MarkKind] = {
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), "emphasis"),
    **dict.fromkeys(("strong", "b"), "strong"),
    **dict.fromkeys(("s", "del", "strike"), "struck"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
    "a": "link",
}  # fmt: skip
_UNSEEN = dict.fromkeys(map(ord, "\xad\u200b\ufeff"))
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_POWER = re.compile(r"\s*[+−-]?[0-9]{1,3}\s*")
_WEB = re.compile("https?://", re.IGNORECASE)
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:(?:language|lang|highlight-source|highlight)-|(?:sourceCode|brush:)\s*)([a-z][\w+#-]*)",
    re.IGNORECASE,
)
_NO_LANGUAGE = frozenset("default none notranslate plaintext text".split())


def add_html(builder: TextBuilder, html: str | HtmlElement, base_url: str = "") -> None:
    """Add the text of a fragment, a body or an element; its relative links are completed with `base_url`.

    Raises:
        RefusedError: the HTML is empty, too large, or nested too deeply.
    """
    from lxml.etree import iterwalk  # type: ignore[import-untyped]

    root = parse_html(html).find("body") if isinstance(html, str) else html
    writer = _HtmlWriter(builder, base_url if len(base_url) <= _MAX_ADDRESS else "", _laid_out(root))
    walk = iterwalk(root, events=("start", "end", "comment", "pi"))
    skipped = None
    for event, element in walk:
        if event == "start" and element is not root and is_hidden(element):
            skipped = element
            walk.skip_subtree()
        elif event == "start":
            writer.start(element)
            is_power = element.tag == "sup" and _POWER.fullmatch(element.text or "")
            writer.add_text((element.text or "").translate(_RAISED if is_power else {}))
        else:
            if event == "end" and element is not skipped:
                writer.end(element)
            if element is not root:
                writer.add_text(element.tail or "")
    writer.flush()


def _laid_out(root: HtmlElement) -> set[HtmlElement]:
    """Return the items and tables that only lay out a page: they hold headings or tables, or have one row."""
    laid_out: set[HtmlElement] = set()
    for element in itertools.chain(root.iter(*HEADINGS, "article"), root.iter("table")):
        for ancestor in element.iterancestors(*(["table"] if element.tag == "table" else ["table", "li"])):
            if ancestor in laid_out:
                break
            laid_out.add(ancestor)
    for table in root.iter("table"):
        is_row = table not in laid_out and len([*itertools.islice(table.iter("tr"), 2)]) < 2
        if table.get("role") in {"none", "presentation"} or (is_row and table.find(".//th") is None):
            laid_out.add(table)
    return laid_out


def _language_of(code: HtmlElement) -> str:
    """Return the language that a code sample, or an element close around or in it, names."""
    near = [*code[:1], code, *itertools.islice(code.iterancestors(), 2)]
    names = [element.get("data-lang") or element.get("data-language") or "" for element in near]
    names += [match[1] for element in near for match in _LANGUAGE.finditer(element.get("class") or "")]
    return next((name[:40] for name in names if name and name.lower() not in _NO_LANGUAGE), "")


class _InlineText:
    """Text as a browser shows it, with white space collapsed, and its marks."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._marks: list[Mark] = []
        self._open: list[int | None] = []  # the places of the open marks; None is counted only

    @property
    def end(self) -> str:
        """The last character; a line feed where there is none."""
        return self._pieces[-1][-1:] if self._pieces else "\n"

    def add(self, text: str, *, collapse: bool = False) -> None:
        """Add text, with a space for each run of white space if it is to `collapse`."""
        if collapse:
            text = re.sub(r"\s+", " ", text.translate(_UNSEEN))
            text = text.lstrip(" ") if self.end in " \n" else text
        elif text == "\n" and self.end == " ":
            self._pieces[-1] = self._pieces[-1][:-1]
            self._length -= 1
        self._pieces += [text] if text else []
        self._length += len(text)

    def open_mark(self, kind: MarkKind | None, value: str) -> None:
        """Begin a mark here; one of no kind is only counted."""
        is_mark = kind is not None and len(self._open) < _MAX_MARKS
        self._open.append(len(self._marks) if is_mark else None)
        self._marks += [Mark(kind, self._length, -1, value)] if kind and is_mark else []

    def close_mark(self) -> None:
        """End the mark that was begun last."""
        if (place := self._open.pop()) is not None:
            self._marks[place] = replace(self._marks[place], end=self._length)

    def take(self) -> tuple[str, list[Mark]]:
        """Return the text so far and its marks, and begin anew, inside of the marks that are open."""
        text, marks = "".join(self._pieces), list[Mark]()
        for mark in self._marks:
            inside = text[mark.start : mark.end if mark.end >= 0 else None]
            start = mark.start + len(inside) - len(inside.lstrip())
            if inside.strip():
                marks.append(replace(mark, start=start, end=start + len(inside.strip())))
        opened = [self._marks[place] for place in self._open if place is not None]
        places = iter(range(len(opened)))
        self._open = [None if place is None else next(places) for place in self._open]
        self._pieces, self._length, self._marks = [], 0, [replace(mark, start=0) for mark in opened]
        return text, marks


class _HtmlWriter:
    """Adds the blocks of one fragment to a builder, as its elements start and end."""

    def __init__(self, builder: TextBuilder, base_url: str, laid_out: set[HtmlElement]) -> None:
        self._builder = builder
        self._base_url = base_url
        self._laid_out = laid_out
        self._text = _InlineText()
        self._whole: HtmlElement | None = None  # the element that becomes one block
        self._code: HtmlElement | None = None
        self._frames: list[str | None] = []  # the bullet or number of each open item, None for a quotation
        self._lists: list[int | None] = []  # the number of the last item, None for bullets
        self._level = 0
        self._begins = True  # whether the next item or row begins a paragraph

    def add_text(self, text: str) -> None:
        """Add text of the element that is open."""
        if self._code is not None:
            text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
        self._text.add(text, collapse=self._code is None)

    def start(self, element: HtmlElement) -> None:
        """Begin an element."""
        tag = element.tag
        if tag in _MARKS:
            address = self._address(element) if tag == "a" else ""
            self._text.open_mark(_MARKS[tag] if tag != "a" or address else None, address)
        elif tag == "q":
            self.add_text("“")
        elif tag != "br" and tag not in BLOCKS:
            return
        elif self._code is not None:
            self._text.add("\n" if tag == "br" or self._text.end != "\n" else "")
        elif self._whole is not None:
            self.add_text(" ")
            self._text.add("| " if tag in {"td", "th"} and element.getprevious() is not None else "")
        elif tag == "br":
            self._text.add("\n")
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
            self._begins = self._begins or not self._lists
            start = re.fullmatch("[0-9]{1,9}", element.get("start") or "1")
            self._lists.append(int(start[0] if start else 1) - 1 if tag == "ol" else None)
        elif tag == "li" and element not in self._laid_out:
            self._level += 1
            last = self._lists[-1] if self._lists else None
            if last is not None:
                self._lists[-1] = last = last + 1
            self._frames.append("- " if last is None else f"{last}. ")
        elif tag == "table":
            self._begins = True
        elif tag in WHOLE:
            tables = itertools.islice(element.iterancestors("table"), 1 if tag == "tr" else 0)
            self._whole = element if self._laid_out.isdisjoint(tables) else None

    def end(self, element: HtmlElement) -> None:
        """End an element, before the text behind it."""
        tag = element.tag
        if tag in _MARKS:
            self._text.close_mark()
        elif tag == "q":
            self.add_text("”")
        elif tag not in BLOCKS:
            return
        elif element is self._code:
            self._code, (text, _) = None, self._text.take()
            mark = Mark("code block", 0, len(text), _language_of(element))
            self._add(BlockKind.CODE, text, [mark], begins=self._begins or not self._level)
        elif element is self._whole:
            self._whole = None
            self._end_whole(element)
        elif self._whole is not None:
            self.add_text(" ")
        elif self._code is None:
            self.flush()
            if tag == "blockquote" or (tag == "li" and element not in self._laid_out):
                self._level -= self._frames.pop() is not None
            elif tag in _LISTS:
                self._lists.pop()

    def _end_whole(self, element: HtmlElement) -> None:
        text, marks = self._text.take()
        if element.tag == "tr":
            if text.strip("| \n"):
                strong = {"", *(text[mark.start : mark.end] for mark in marks if mark.kind == "strong")}
                is_bold = strong.issuperset(map(str.strip, text.split("|")))
                is_names = self._begins and (is_bold or all(cell.tag == "th" for cell in element))
                is_header = is_names or element.getparent().tag == "thead"
                self._add(BlockKind.HEADER if is_header else BlockKind.ROW, text, marks, begins=self._begins)
        elif len(text) > _MAX_HEADING:
            self._add_lines(text, marks)
        elif element.tag in HEADINGS:
            self._add(BlockKind.HEADING, text, marks, level=int(element.tag[1]))
        else:
            following = element.itersiblings()
            answer = following if element.tag == "summary" else next(following, ())
            blocks = [part for part in itertools.islice(answer, 3) if part.tag in BLOCKS]
            self._add(BlockKind.QUESTION, text, marks, leads_all=len(blocks) > 1)

    def flush(self) -> None:
        """Add the text so far as a block, if there is any."""
        text, marks = self._text.take()
        if not text.strip(BLANKS):
            return
        if not self._frames:
            self._add_lines(text, marks)
        elif (label := self._frames[-1]) is None:
            self._add(BlockKind.QUOTATION, text, marks)
        else:
            level, number = min(self._level, _MAX_LEVEL), label if label != "- " else ""
            self._frames[-1] = ""
            marks = [*clip(marks, 0, len(text), len(number))]
            label = "  " * (level - 1) + label.removesuffix(number)
            text = number + text.replace("\n", " ")
            self._add(BlockKind.ITEM, text, marks, level=level, label=label, begins=self._begins)

    def _add(self, kind: BlockKind, text: str, marks: list[Mark], **how: Any) -> None:
        with self._builder.marking(text, marks):
            self._builder.add(kind, text, **how)
        self._begins = self._begins and "begins" not in how

    def _add_lines(self, text: str, marks: list[Mark]) -> None:
        with self._builder.marking(text, marks):
            for paragraph in re.split(r"\n{2,}", text):
                add_lines(self._builder, paragraph.strip())

    def _address(self, link: HtmlElement) -> str:
        """Return the web address of a link; "" for any other."""
        target = str(link.get("href") or "")
        with suppress(ValueError):  # such as "http://[x"
            address = urljoin(self._base_url, target) if len(target) <= _MAX_ADDRESS else ""
            return address if _WEB.match(address) else ""
        return ""
