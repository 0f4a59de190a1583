"""HTML: what blocks and marks its elements become, what of a page is its text, and what it says of itself."""

from __future__ import annotations

import codecs
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article, DraftError, ParsedArticle, RefusedError, assemble
from index.articles.blocks import TextBuilder
from index.articles.folder import SourceFile
from index.articles.html import read_html
from index.articles.html_blocks import add_html
from index.articles.html_tree import decode_html, parse_html
from tests.index.articles.reading import check_blocks, problems, put, shapes
from tests.strategies import hostile_text

PAGES = Path(__file__).parent / "pages"
"""Pages of ten shapes; `data-keep` marks what belongs to the text, `data-drop` what belongs to the site."""


def built(html: str, base_url: str = "") -> TextBuilder:
    builder = TextBuilder()
    add_html(builder, html, base_url)
    check_blocks(builder.text, builder.blocks)
    return builder


def parsed(html: str | bytes, url: str = "", charset: str = "") -> ParsedArticle:
    content = html.encode("utf-8", "surrogatepass") if isinstance(html, str) else html
    (article,) = read_html(SourceFile(Path("page.html"), "page", content=content, url=url, charset=charset))
    return article


def article_of(html: str | bytes, url: str = "", charset: str = "") -> Article:
    return assemble(parsed(html, url, charset))


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("<h2>Oil <b>lamps</b></h2><p>a\n  b<p>c", "heading:Oil lamps paragraph0:a b paragraph0:c"),
        ("<p>Two<br>lines. <br><br>Apart.", "paragraph:Two\nlines. paragraph:Apart."),
        ("a<div>b<span>c</span></div>d", "paragraph:a paragraph:bc paragraph:d"),
        ("<ul><li>a<ul><li>b</ul><li><p>c</p><p>d</p></ul>", "item:a item:b item:c item:d"),
        ("Do this:<ol start=3><li>a<li>b</ol>", "lead-in:Do this: item0:3. a item0:4. b"),
        ("<ul><li><h3>Card</h3><p>Text.</ul>", "heading:Card item0:Text."),
        ("<table><tr><th>A<th>B<tr><td>1<td><p>2</p><p>3</table>", "header:A | B row0:1 | 2 3"),
        ("<table><tr><th>Mass<td>2 kg<tr><th>Age<td>9</table>", "row:Mass | 2 kg row:Age | 9"),
        ("<table><tr><td><h2>Left</h2>a<td>b</table>", "heading:Left paragraph0:a paragraph0:b"),
        ("<pre>a  b\n\n  c<br>d</pre>", "code:a  b\n\n  c\nd"),
        ("<blockquote><p>a<p>b</blockquote>c", "quotation:a quotation:b paragraph:c"),
        ("<dl><dt>a<dd>b</dl>c", "question:a paragraph0:b paragraph:c"),
        ("<dl><dt>a<dd><p>b<p>c</dl>", "question:a paragraph0:b paragraph0:c"),
        ("<details><summary><h3>a</h3></summary>b</details>c", "question:a paragraph0:b paragraph:c"),
        ("<h3><button>Who?</button></h3>Me.", "heading:Who? paragraph0:Me."),
        ("<p>Is it so?<p>It is.", "question:Is it so? paragraph0:It is."),
        ("<h2>Use<a href=#u>#</a><button>Copy</button></h2>a", "heading:Use paragraph0:a"),
        ("10<sup>6</sup> m, said<sup><a href=#n>1</a></sup> he", "paragraph:10⁶ m, said he"),
        ("a<script>x</script><p hidden>x<p style='display: none'>x<select><option>x</select>", "paragraph:a"),
        ("a<!--x--><noscript>x</noscript><svg><text>x</text></svg><ruby>b<rt>x</rt></ruby>", "paragraph:ab"),
        ("shy&shy;phen&nbsp;\u200bx &#xD800;\x00&lt;b&gt;", "paragraph:shyphen x \ufffd<b>"),
    ],
)  # fmt: skip
def test_elements_become_blocks(html: str, blocks: str) -> None:
    """A block is written as its kind, the places of the leads above it, and its text."""
    written = [f"{kind}{''.join(map(str, above))}:{text}" for kind, text, above in shapes(built(html))]
    assert " ".join(written) == blocks


def test_lists_tables_and_code_stand_in_the_text_as_people_write_them() -> None:
    lists = "<ul><li>a<ol><li>b<p>c</p></ol><li>d<pre>e\n  f</pre></ul><ol><li>g</ol>"
    assert built(lists).text == "- a\n  1. b\n  c\n- d\ne\n  f\n\n1. g"
    assert (
        built("x<table><caption>T</caption><tr><td>a<td><tr><td>b<td>c</table>").text
        == "x\n\nT\n\na |\nb | c"
    )


def test_links_emphasis_and_code_become_marks() -> None:
    html = """<p>See <a href="/a b?c"> the <b>plan </b></a>, <i></i><a href="mailto:x@y.z">mail</a>,
    <a href="http://[">x</a> <code>f()</code><br>or <s>not</s>.</p><strong><p>One</p><p>two</p></strong>
    <ol><li><em>item</em></ol><table><tr><td>a<td><a href="//h/x">b</a><tr><td>c<td>d</table>
    <div class="highlight-python"><pre>x = 1</pre></div><pre><code class="language-c++">y</code></pre>"""
    builder = built(html, "https://site.example/docs/")
    assert [(mark.kind, builder.text[mark.start : mark.end], mark.value) for mark in builder.marks] == [
        ("link", "the plan", "https://site.example/a b?c"),
        ("strong", "plan", ""),
        ("code", "f()", ""),
        ("struck", "not", ""),
        ("strong", "One", ""),
        ("strong", "two", ""),
        ("emphasis", "item", ""),
        ("link", "b", "https://h/x"),
        ("code block", "x = 1", "python"),
        ("code block", "y", "c++"),
    ]


TAGS = (
    "a article b blockquote br button code dd details dl dt em footer form h1 h2 li main nav ol p pre q"
    " section sup summary table td th tr ul"
).split()
FORMS = ("<{}>", "</{}>", "<{} href='#x' class='menu share'>")
PIECES = [form.format(tag) for tag in TAGS for form in FORMS]
HOSTILE = hostile_text("&#13;", "<!--", "-->", "<![CDATA[", "<?xml?>", "a:", "Q: x", *PIECES, surrogates=True)


@given(html=HOSTILE)
def test_any_html_gives_sound_blocks_and_marks(html: str) -> None:
    try:
        builder = built(html, "https://site.example/")
    except RefusedError:
        return
    assert "\r" not in builder.text
    assert all(0 <= mark.start < mark.end <= len(builder.text) for mark in builder.marks)
    for outer, inner in itertools.pairwise(builder.marks):
        assert inner.start >= outer.end or outer.start <= inner.start < inner.end <= outer.end


PARTS = (
    "<p>{}</p>", "<p><a href='https://x.example/'>{}</a></p>", "<ul><li>{}<li><a href='/x'>{}</a></ul>",
    "<table><tr><th>{}<th>{}<tr><td>{}<td>{}</table>", "<pre><code>{}\n  {}</code></pre>", "<h2>{}</h2>",
    "<blockquote>{}</blockquote>", "<dl><dt>{}<dd>{}</dl>", "<section>{}</section>", "{}<br>{}<hr>",
)  # fmt: skip


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=12))
def test_a_document_that_is_only_text_loses_nothing(parts: list[str]) -> None:
    html = "".join(parts)
    words = [f"word{number}" for number in range(html.count("{}"))]
    page = parsed("<title>Notes</title><body>" + html.format(*words))
    assert isinstance(page.body, TextBuilder)
    assert re.findall(r"word\d+", page.body.text) == words
    assert page.dropped == ()


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.html")), ids=lambda page: page.stem)
def test_pages_keep_their_text_and_lose_what_surrounds_it(page: Path) -> None:
    html = page.read_text()
    article = article_of(html, "https://site.example/page")
    text = _squeezed(article.text)
    marked = parse_html(html.replace("#</a>", "</a>"))
    lost = [words for each in marked.xpath("//*[@data-keep]") if (words := _own_words(each)) not in text]
    kept = [words for each in marked.xpath("//*[@data-drop]") if (words := _own_words(each)) in text]
    assert (lost, kept) == ([], [])
    assert article.title
    assert all(0 < len(part) <= 100 for part in article.dropped)


def _own_words(element: Any) -> str:
    """Return the words of an element, without those of lists in it."""
    inside = ("" if child.tag == "ul" else child.text_content() for child in element)
    tails = (child.tail or "" for child in element)
    return _squeezed((element.text or "") + "".join(map("".join, zip(inside, tails, strict=True))))


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, re.sub(r"\[1\]", "", text)))


FIRST, LAST = "A lamp burns oil for as long as its wick is wet.", "Trim it daily."
ARTICLE = f"<article><h1>Lamps</h1><p>{FIRST}</p>{{}}<p>{LAST}</p></article>"


@pytest.mark.parametrize(
    ("html", "is_kept"),
    [
        ("<p><a href=/o>Click here to read the original article</a></p>", False),
        ("<p>Click here and there to move the wick.</p>", True),
        ("<p>Click here to read the original article.</p>", False),
        ("<p>Read the full scale before you turn the screw.</p>", True),
        ("<p>Share this page on Facebook</p>", False),
        ("<p><a href=/s>Share on Facebook</a> | <a href=/s>Share via e-mail</a></p>", False),
        ("<p>Share this knowledge with your heirs.</p>", True),
        ("<p>Read more: <a href=/3>the price of oil rises again</a></p>", False),
        ("<p>Read more slowly than you walk.</p>", True),
        ("<div class='social-share'><a href=/f>Facebook</a> <a href=/m>Mastodon</a></div>", False),
        ("<div class='market-share'>In 1880 oil had nine tenths of it.</div>", True),
        ("<aside>Colza is pressed from rape seed.</aside>", True),
        ("<aside><a href=/1>Buy lamps</a></aside>", False),
        ("<pre><span class='comment'># light it</span></pre>", True),
        ("<section id='comments'><p>I like lamps.</p></section>", False),
        ("<blockquote><p>Let it burn.</p><footer>Anton Reuss</footer></blockquote>", True),
        ("<footer>Filed under lamps</footer>", False),
    ],
)  # fmt: skip
def test_offers_are_dropped_by_their_words_and_names(html: str, is_kept: bool) -> None:
    article = article_of(ARTICLE.format(html))
    words = _squeezed(parse_html(html).xpath("string(//*[not(self::button)]/text()[normalize-space()])"))
    assert (words in _squeezed(article.text)) is is_kept
    assert (words in _squeezed("".join(article.dropped))) is not is_kept
    assert article.text.startswith(FIRST)
    assert article.text.endswith(LAST)


BODY = "<h1>Lamps</h1><p>Oil.</p>"
LINKED_DATA = """<script type="application/ld+json">{"@context": "https://schema.org",
    "@type": "NewsArticle", "headline": "Lamps", "datePublished": "2024-06-02",
    "publisher": {"@type": "Organization", "name": "Wick"},
    "author": [{"@type": "Person", "name": "Per Aasen"}, {"@type": "Person", "name": "Liv Moe"}]}</script>"""


def meta(name: str, content: str) -> str:
    return f"<meta {'property' if ':' in name else 'name'}='{name}' content='{content}'>"


def canonical(url: str) -> str:
    return f"<link rel=canonical href='{url}'>"


@pytest.mark.parametrize(
    ("head", "url", "expected"),
    [
        ("<title>Lamps | Wick</title>", "", {"title": "Lamps", "publisher": "Wick", "text": "Oil."}),
        ("<title>Wick &amp; Co: Lamps</title>", "", {"title": "Lamps", "publisher": "Wick & Co"}),
        ("<title>On - oil</title>", "", {"title": "On - oil", "publisher": "", "text": "Lamps\n\nOil."}),
        ("<title>Oil | Wick</title>", "", {"title": "Oil", "publisher": "Wick"}),
        ("", "", {"title": "Lamps", "text": "Oil."}),
        (meta("og:title", "Oil") + meta("og:site_name", "Wick"), "", {"title": "Oil", "publisher": "Wick"}),
        (meta("author", "Ines Varga"), "", {"author": "Ines Varga"}),
        (meta("description", "On lamps."), "", {"description": "On lamps."}),
        (meta("article:published_time", "2024-02-11T08:00:00+01:00"), "", {"published": "2024-02-11"}),
        (LINKED_DATA, "", {"author": "Per Aasen, Liv Moe", "publisher": "Wick", "published": "2024-06-02"}),
        ("<script type='application/ld+json'>{'</script>", "", {"title": "Lamps"}),
        (canonical("https://a.example/l"), "https://a.example/l?x=1", {"url": "https://a.example/l"}),
        (canonical("https://b.example/l"), "https://a.example/l", {"url": "https://a.example/l"}),
        (canonical("/l"), "https://a.example/x", {"url": "https://a.example/x"}),
        (canonical("https://b.example/l"), "", {"url": "https://b.example/l"}),
        (canonical("javascript:x"), "", {"url": ""}),
    ],
)
def test_a_page_says_what_it_is(head: str, url: str, expected: dict[str, str]) -> None:
    article = article_of(f"<html><head>{head}</head><body>{BODY}", url)
    assert {name: getattr(article, name) for name in expected} == expected


def test_date_of_a_byline_counts_and_dates_in_the_text_do_not() -> None:
    byline = "<p>By <a rel=author href=/i>Ines Varga</a>, <time datetime=2024-03-05>Tuesday</time></p>"
    article = article_of(f"<h1>Lamps</h1>{byline}<p>Made since 3 May 1871.</p>")
    assert (article.author, article.published) == ("Ines Varga", "2024-03-05")
    assert article_of("<h1>Lamps</h1><p>Made since 2 January 2023.").published == ""


def test_links_are_completed_by_the_base_of_the_page() -> None:
    page = parsed("<base href='/docs/'><p>See <a href=wick>it</a>.", "https://a.example/x")
    assert isinstance(page.body, TextBuilder)
    assert [mark.value for mark in page.body.marks] == ["https://a.example/docs/wick"]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("Öl – 灯".encode(), "", "Öl – 灯"),
        (codecs.BOM_UTF8 + "Öl".encode(), "latin-1", "Öl"),
        (codecs.BOM_UTF16_LE + "Öl".encode("utf-16-le"), "utf-8", "Öl"),
        ("Öl – “x”".encode("cp1252"), "ISO-8859-1", "Öl – “x”"),
        ("<meta charset=koi8-r>лампа".encode("koi8-r"), "", "<meta charset=koi8-r>лампа"),
        ("<?xml encoding='Shift_JIS'?>灯①".encode("cp932"), "", "<?xml encoding='Shift_JIS'?>灯①"),
        ("<meta charset=gb2312>镕".encode("gbk"), "", "<meta charset=gb2312>镕"),
        (b"<meta charset=utf-16>oil", "", "<meta charset=utf-16>oil"),
        ("Öl und Licht".encode("cp1252"), "utf-8", "Öl und Licht"),
        (b"<meta charset=unicode_escape>\\x41", "punycode", "<meta charset=unicode_escape>\\x41"),
        (b"Oil \xff " + "lamp äöü ".encode() * 60, "utf-8", "Oil \ufffd " + "lamp äöü " * 60),
    ],
)  # fmt: skip
def test_encodings(content: bytes, charset: str, text: str) -> None:
    assert decode_html(content, charset) == text


@given(data=st.binary(max_size=200), charset=st.text(max_size=10) | st.sampled_from(["hex", "utf-7", "idna"]))
def test_any_bytes_decode(data: bytes, charset: str) -> None:
    assert isinstance(decode_html(data, charset), str)


LARGE = "more than 10,000,000 characters of HTML or 300,000 tags; split it"
SCRIPT = "has no text without JavaScript, which is not run; save it in a browser as HTML"


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<div id=root></div><script src=app.js></script>", SCRIPT),
        ("<noscript>Please turn it on.</noscript><script>x</script>", SCRIPT),
        ("<p>You need to enable JavaScript to run this app.", SCRIPT),
        ("<div>" * 100_000 + "x", "the elements are nested more than 256 deep; simplify the HTML"),
        ("<p>x" + "<i>" * 300_000, LARGE),
        ("x " * 6_000_000, LARGE),
        ("<!-- -->", "empty"),
    ],
)  # fmt: skip
def test_pages_without_text_and_without_end_are_refused_in_a_line(html: str, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parsed(html)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<img src='data:image/png;base64," + "A" * 12_000_000 + "'>text", "text"),
        ("<!DOCTYPE html [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><p>one &b;", "]>\n\none &b;"),
        ("<?xml?><head><title/><script src='x'/></head><body><a id='k'/>one<p/>two", "one\n\ntwo"),
        ("<div class=menu>" * 200 + "<a href=/y>y</a>" * 500 + "</div>" * 200 + "<p>" + "x" * 900, "x" * 900),
        ("<h2><a href=/x>a</a></h2>" * 3_000, "\n\n".join("a" * 3_000)),
        ("<script type='application/ld+json'>" + "[" * 90_000 + "</script>text", "text"),
        ("<ul><li>" * 100 + "text", "                - text"),
    ],
)  # fmt: skip
def test_awkward_pages_are_read(html: str, text: str) -> None:
    assert article_of(html).text.strip("-") == text.strip("-")


def test_a_table_of_contents_is_dropped_even_if_it_is_most_of_the_page() -> None:
    links = "".join(f"<li><a href=c{n}.html>{n}. Is chapter {n} about the kiln?</a></li>" for n in range(40))
    page = f"<h1>Kilns</h1><p>A book for potters.</p><div class=toc><ul>{links}</ul></div>"
    assert "chapter" not in article_of(f"<html><body>{page}</body></html>").text


def test_noindex_counts_for_what_was_fetched() -> None:
    html = "<meta name=Robots content='NOINDEX, follow'><p>text"
    assert article_of(html).text == "text"
    with pytest.raises(DraftError, match=r"asks not to be indexed .*; skipped"):
        parsed(html, "https://a.example/")


def test_one_bad_page_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, {"a.html": "<script>x</script>", "b.xhtml": BODY, "c.htm": "<div>" * 999})
    assert problems(tmp_path) == [
        f"a.html: {SCRIPT}",
        "c.htm: the elements are nested more than 256 deep; simplify the HTML",
    ]
