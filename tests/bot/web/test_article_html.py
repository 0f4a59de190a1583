"""Articles and quotes as HTML: no letter is lost, nothing acts, and blocks are what they were."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped]

from bot.web.article_html import article_html, marked_html
from bot.web.pages import web_messages
from index.articles.article import Article, ParsedArticle, assemble
from index.articles.blocks import BlockKind, TextBuilder
from index.articles.markdown import add_markdown
from index.articles.marks import Mark, MarkKind

Span = tuple[int, int]

ENGLISH = web_messages("en")
TEXTS = st.text(st.sampled_from("ab <>&\"'|\n\r\0\u202eעé1.)"), max_size=30)
LINK = '<a href="http://x" rel="noopener nofollow">'
SPANS = st.tuples(st.integers(-9, 60), st.integers(-9, 60))
KINDS: list[MarkKind] = ["link", "emphasis", "strong", "struck", "code", "code block"]
MARKS = st.builds(
    lambda kind, span, value: Mark(kind, min(span), max(span), value),
    st.sampled_from(KINDS),
    SPANS,
    st.sampled_from(["https://a.example/?b=1&c='\"", "javascript:alert(1)", 'py"><script>']),
)
EVERYTHING = """\
# Tea & more

To make tea:

1. Boil the water:
   - gently
   - fully
2. Pour

   ```python
   print("<tea>")
   ```

> Tea is *liquid* wisdom.

| Kind | Minutes |
| --- | --- |
| Green | |
| **Black** | 4 |

## How long

How many minutes?

Four minutes. See <https://tea.example/a?b=1>.
"""


class Reader(HTMLParser):
    """The text of HTML without what it adds, the text of its marks, and whether its elements are nested."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = self.marked = ""
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(str(source))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag not in {"script", "img"}
        assert (given.get("href") or "#").startswith(("#", "http"))
        self.ids += [given["id"] or ""] if tag == "mark" and "id" in given else []
        self.open.append("margin" if given.get("class") == "margin" else tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() in {tag, "margin"}

    def handle_data(self, data: str) -> None:
        if "margin" not in self.open:
            self.text += data
            self.marked += data if "mark" in self.open else ""


@st.composite
def articles(draw: st.DrawFn) -> Article:
    """Make an article of any blocks, below each other in any order, with marks and pages."""
    builder = TextBuilder()
    builder.add(BlockKind.PARAGRAPH, "a")
    for _ in range(draw(st.integers(0, 8))):
        kind, level = draw(st.sampled_from([*BlockKind])), draw(st.integers(1, 12))
        is_level = kind in {BlockKind.ITEM, BlockKind.HEADING}
        label = draw(st.sampled_from(["", "- ", "    - ", "Q: ", "> ", "<b> "]))
        with builder.marking(text := draw(TEXTS), draw(st.lists(MARKS, max_size=3))):
            builder.add(kind, text, level=level if is_level else 0, label=label, begins=draw(st.booleans()))
        if draw(st.booleans()):
            builder.begin_page(draw(st.integers(0, 1)))
    return assemble(ParsedArticle("made", {"title": "Made"}, builder))


def letters(text: str) -> str:
    return "".join(text.replace("\0", "\ufffd").replace("|", "").split())


@given(articles(), SPANS)
def test_an_article_keeps_every_letter_and_marks_the_quote(article: Article, span: Span) -> None:
    shown = Reader(article_html(article, span, ENGLISH))
    assert shown.text == article.text.replace("\0", "\ufffd")
    start, end = max(span[0], 0), max(span[1], 0)
    quoted = "".join(article.text[max(start, one.start) : min(end, one.end)] for one in article.blocks)
    assert letters(shown.marked) == letters(quoted if start < end else "")
    assert shown.ids == (["q"] if shown.marked else [])


@given(TEXTS, st.lists(MARKS, max_size=4), SPANS)
def test_a_quote_keeps_every_letter(text: str, marks: list[Mark], span: Span) -> None:
    shown = Reader(marked_html(text, marks, span))
    assert shown.text == text.replace("\0", "\ufffd")
    start, end = max(span[0], 0), max(span[1], 0)
    assert shown.marked == (text[start:end].replace("\0", "\ufffd") if start < end else "")


@pytest.mark.parametrize(
    ("marks", "highlight", "expected"),
    [
        ([], None, "one &lt;b&gt; two"),
        ([Mark("strong", 0, 7), Mark("emphasis", 4, 7)], None, "<strong>one <em>&lt;b&gt;</em></strong> two"),
        ([Mark("strong", 0, 7)], (4, 11), "<strong>one </strong>[<strong>&lt;b&gt;</strong> two]"),
        ([Mark("strong", 0, 7), Mark("struck", 4, 11)], None, "<strong>one <s>&lt;b&gt;</s></strong> two"),
        ([Mark("link", 8, 11, "http://x")], None, f"one &lt;b&gt; {LINK}two</a>"),
        ([Mark("link", 0, 3, "data:x")], (8, 99), "one &lt;b&gt; [two]"),
    ],
)
def test_marks_become_elements(marks: list[Mark], highlight: Span | None, expected: str) -> None:
    shown = expected.replace("[", '<mark class="mark-answer">').replace("]", "</mark>")
    assert marked_html("one <b> two", marks, highlight) == shown


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("h2/text()", ["Tea & more"]),
        ("h3/text()", ["How long"]),
        ("ul/li/text()", ["1. Boil the water:", "gently", "fully", "2. Pour"]),
        ("ul/li/@aria-level", ["1", "2", "2", "1"]),
        ("pre[@data-language='python'][@tabindex]/code/text()", ['print("<tea>")']),
        ("blockquote/p/em/text()", ["liquid"]),
        ("table/tr[1]/th/text()", ["Kind", "Minutes"]),
        ("table/tr/td//text()", ["Green", " |", "Black", " | ", "4"]),
        ("p[@class='question']/text()", ["How many minutes?"]),
        ("p/a/@href", ["https://tea.example/a?b=1"]),
        ("*[@id='p2']/span/a/@href", ["#p2"]),
        ("table//mark//text()", ["Black", "4"]),
    ],
)
def test_blocks_are_what_they_were(path: str, text: list[str]) -> None:
    builder = TextBuilder()
    add_markdown(builder, EVERYTHING)
    article = assemble(ParsedArticle("tea", {"title": "Tea"}, builder))
    start = article.text.index("Black")
    shown = article_html(article, (start, start + len("Black | 4")), ENGLISH)
    assert html.fragment_fromstring(shown, create_parent="div").xpath(path) == text


def test_pages_are_numbered_where_they_begin() -> None:
    builder = TextBuilder()
    for text, overlaps in (("One.", [4]), ("Two and three.", [14, 6]), ("Still three.", []), ("Four.", [5])):
        builder.add(BlockKind.PARAGRAPH, text)
        for overlap in overlaps:
            builder.begin_page(overlap)
    article = assemble(ParsedArticle("made", {"title": "Made"}, builder))
    shown = html.fragment_fromstring(article_html(article, (0, 0), ENGLISH), create_parent="div")
    assert shown.xpath("p/span/span/text()") == ["page 1", "page 2–3", "page 4"]


def test_a_long_article_takes_less_than_two_seconds() -> None:
    builder, line = TextBuilder(), "A line <b> of an article with a word in it that is marked. " * 3
    for _ in range(5_000_000 // len(line)):
        builder.add(BlockKind.PARAGRAPH, line)
    builder.marks += [Mark("strong", block.start, block.start + 6) for block in builder.blocks]
    article = assemble(ParsedArticle("long", {"title": "Long"}, builder))
    begun = time.thread_time()
    shown = article_html(article, (0, 1000), ENGLISH)
    assert time.thread_time() - begun < 2
    assert shown.count("<strong>") == len(builder.blocks)
