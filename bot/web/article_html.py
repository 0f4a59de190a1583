"""Articles and quotes as HTML: every letter as it is indexed, escaped, with its marks.

The text of an article's HTML is the article's, to the letter. What is added to it, the numbers of paragraphs
and pages, is in elements of the class `margin`.
"""

from __future__ import annotations

import itertools
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from index.articles.blocks import Block, BlockKind
from index.articles.marks import Mark, clip

if TYPE_CHECKING:
    from bot.chat.messages import Messages
    from index.articles.article import Article

__all__ = ["article_html", "heading_html", "marked_html"]

_Span = tuple[int, int]
_ANSWER = '<mark class="mark-answer">'
_FIRST_MARK, _NEXT_MARK = '<mark class="mark-quote" id="q">', '<mark class="mark-quote">'
_TAG_OF = {BlockKind.CODE: "pre", BlockKind.HEADER: "tr", BlockKind.ROW: "tr"}
_GROUPS, _IS_LIST = {"li": "ul", "tr": "table"}, ' role="list"'  # for browsers that need it, without bullets
_TAGS = {"emphasis": "em", "strong": "strong", "struck": "s", "code": "code", "code block": "code"}
_CELL_END = re.compile(r"(?:^| )\|(?: (?=[^|])|(?= )|$)")
_DEEPEST = 6  # level of an item that is indented further than the one above


def marked_html(
    text: str, marks: Iterable[Mark], highlight: _Span | None = None, tag: str = _ANSWER
) -> Markup:
    """Return a text as HTML whose text is the same, letter for letter, with its inline marks.

    `highlight` is a span of the text that becomes one element, of the start tag of a `<mark>`; the marks that
    cross its ends are split there.
    """
    marks = list(marks)
    start, end = (min(max(place, 0), len(text)) for place in highlight or (0, 0))
    parts = [(0, start), (start, end), (end, len(text))] if start < end else [(0, len(text))]
    html = ["".join(_inline(text, *part, marks)) for part in parts]
    html[1:2] = [f"{tag}{inside}</mark>" for inside in html[1:2]]
    return Markup("".join(html))  # noqa: S704 - all is escaped


def _inline(text: str, start: int, end: int, marks: list[Mark]) -> Iterator[str]:
    """Yield the HTML of a span; a mark that crosses the end of the one around it ends there too."""
    opened: list[tuple[int, str]] = []  # where each open element ends, and its tag
    inside = sorted(clip(marks, start, end, start), key=lambda mark: (mark.start, -mark.end)) if marks else ()
    for mark in (*inside, Mark("code", end, end)):  # the last one closes all
        while opened and opened[-1][0] <= mark.start:
            until, name = opened.pop()
            yield f"{_escaped(text[start:until])}</{name}>"
            start = until
        yield _escaped(text[start : mark.start])
        start = mark.start
        if start < end and (tag := _tag(mark)):
            opened.append((min(mark.end, opened[-1][0]) if opened else mark.end, tag.partition(" ")[0]))
            yield f"<{tag}>"


def _tag(mark: Mark) -> str:
    """Return the tag of a mark with its attributes; "" for a link that is not to the web."""
    if mark.kind != "link":
        return _TAGS[mark.kind]
    is_web = mark.value.lower().startswith(("http://", "https://"))
    return f'a href="{escape(mark.value)}" rel="noopener nofollow"' if is_web else ""


def _escaped(text: str) -> str:
    """Return a text escaped; a carriage return and a null, which a browser would not keep, stay visible."""
    return str(escape(text)).replace("\r", "&#13;").replace("\0", "\ufffd")


def heading_html(article: Article, highlight: _Span) -> tuple[Markup, Markup]:
    """Return the title, and what else is in the heading; `highlight` is a span of the heading, or empty."""
    heading, (start, end) = article.heading, highlight
    at = len(article.title) if heading.startswith(article.title) else 0
    title = marked_html(heading[:at], (), highlight, _FIRST_MARK) if at else escape(article.title)
    rest = (start - at, end - at)
    return title, marked_html(heading[at:], (), rest, _FIRST_MARK if start >= at else _NEXT_MARK)


def article_html(article: Article, highlight: _Span, messages: Messages) -> Markup:
    """Return an article's blocks; `highlight` is a span of its text, or empty, that begins at the id "q"."""
    return Markup("".join(_ArticleWriter(article, highlight, messages).pieces()))  # noqa: S704 - all is escaped


class _ArticleWriter:
    """Writes the blocks of one article, and the list, table or quotation around each run of them."""

    def __init__(self, article: Article, highlight: _Span, messages: Messages) -> None:
        self._article, self._highlight, self._messages = article, highlight, messages
        self._marks = [*itertools.starmap(Mark, json.loads(article.marks))]
        self._mark_starts = [mark.start for mark in self._marks]
        self._mark_tag = _FIRST_MARK
        self._page = 0

    def pieces(self) -> Iterator[str]:
        """Yield the HTML in order."""
        around, end, paragraph, table = ("", 0), 0, 0, 0
        for place, block in enumerate(self._article.blocks):
            between, begins = self._article.text[end : block.start], block.paragraph != paragraph
            label, tag = between.lstrip("\n"), self._tag(block)
            table = place if begins or block.kind is BlockKind.HEADER else table
            group = "blockquote" if block.kind is BlockKind.QUOTATION and tag == "p" else _GROUPS.get(tag, "")
            before, around = around, (group, table if group == "table" else 0)
            yield f"</{before[0]}>" if before[0] and before != around else ""
            yield between.removesuffix(label)
            yield f"<{group}{_IS_LIST if group == 'ul' else ''}>" if group and before != around else ""
            yield from self._block(block, tag, label, begins)
            end, paragraph = block.end, block.paragraph
        yield f"</{around[0]}>" if around[0] else ""

    def _tag(self, block: Block) -> str:
        if block.kind is BlockKind.HEADING:
            above = [self._article.blocks[place].kind for place in block.above]
            return f"h{min(2 + above.count(BlockKind.HEADING), 6)}"
        return "li" if block.level else _TAG_OF.get(block.kind, "p")

    def _block(self, block: Block, tag: str, label: str, begins: bool) -> Iterator[str]:
        low, high = (bisect_left(self._mark_starts, place) for place in (block.start, block.end))
        marks, more = self._marks[low:high], f' id="p{block.paragraph}"' if begins else ""
        lead = self._margin(block, begins)
        lead += f'<span class="label">{_escaped(label)}</span>' if label else ""
        if tag == "li":
            more += f' aria-level="{min(block.level, _DEEPEST)}"'
        elif tag == "pre":
            language = next((mark.value for mark in marks if mark.kind == "code block"), "")
            more += f' tabindex="0" data-language="{escape(language)}"'
        elif block.kind is BlockKind.QUESTION:
            more += ' class="question"'
        yield f'<{tag} dir="auto"{more}>'
        if tag == "tr":
            yield from self._cells(block, lead, marks)
        else:
            yield from (lead, self._text(block.start, block.end, marks))
        yield f"</{tag}>"

    def _cells(self, block: Block, lead: str, marks: list[Mark]) -> Iterator[str]:
        tag, start = "th" if block.kind is BlockKind.HEADER else "td", block.start
        for match in (*_CELL_END.finditer(self._article.text[start : block.end]), None):
            end, sign = (block.start + match.start(), match[0]) if match else (block.end, "")
            line = f'<span class="cell-end" aria-hidden="true">{sign}</span>' if sign else ""
            yield f"<{tag}>{lead}{self._text(start, end, marks)}{line}</{tag}>"
            lead, start = "", end + len(sign)

    def _text(self, start: int, end: int, marks: list[Mark]) -> str:
        first, last = (place - start for place in self._highlight)
        text, tag = self._article.text[start:end], self._mark_tag
        self._mark_tag = _NEXT_MARK if max(first, 0) < min(last, len(text)) else tag
        return marked_html(text, clip(marks, start, end), (first, last), tag)

    def _margin(self, block: Block, begins: bool) -> str:
        """Return the numbers beside a block: of the pages that begin in it, and of its paragraph."""
        number, pieces = block.paragraph, list[str]()
        first, last = self._article.page_at(block.start), self._article.page_at(block.end - 1)
        if last and last > self._page:
            self._page, pages = last, f"{first}" if first == last else f"{first}–{last}"
            pieces.append(f'<span class="page">{escape(self._messages("read_page", page=pages))}</span>')
        if begins:
            name = f'aria-label="{escape(self._messages("paragraph", number=number))}"'
            pieces.append(f'<a class="number" href="#p{number}" {name}>{number}</a>')
        return f'<span class="margin">{" ".join(pieces)}</span>' if pieces else ""
