"""What feeds, sitemaps and pages lead to: every dialect, broken ones, hostile ones, and any bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.articles.article import assemble
from index.articles.folder import SourceFile
from index.articles.formats import READERS
from index.sources.feeds import FeedEntry, entry_page, is_feed, read_feed
from index.sources.links import is_below, is_page, links_in, links_in_llms_txt, matches, normalized
from index.sources.sitemaps import is_sitemap, read_sitemap
from tests.strategies import hostile_text

FEED, PAGE = "https://tea.example/feed.xml", "https://tea.example/a/b"

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>The kettle</title><link>https://tea.example/</link>
<item><title>Scones &amp;amp; &lt;b&gt;jam&lt;/b&gt;</title><link>/scones?a=1&amp;b=2</link>
<dc:creator>Ann Lee</dc:creator>
<pubDate>Tue, 09 Mar 2021 23:30:00 -0500</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>Warm &amp; <a href="/oven">soft</a>.</p>
<details><summary>How</summary>Bake.</details>]]></content:encoded></item>
<item><title>1 &lt; 2</title><guid isPermaLink="true">https://tea.example/two</guid></item>
<item><title>No address</title></item></channel></rss>"""
SCONES = FeedEntry(
    "https://tea.example/scones?a=1&b=2", "Scones & jam", "Ann Lee", "2021-03-09",
    '<p>Warm &amp; <a href="/oven">soft</a>.</p>\n<details><summary>How</summary>Bake.</details>',
)  # fmt: skip
TWO = FeedEntry("https://tea.example/two", "1 < 2")

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://tea.example/blog/"><title>T</title>
<author><name>The staff</name></author>
<entry><title type="html">Tea &amp;amp; &lt;i&gt;milk&lt;/i&gt;</title>
<link rel="edit" href="/edit"/><link href="milk"/>
<id>tag:1</id><updated>2024-02-03T01:00:00Z</updated>{}</entry></feed>"""
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
XHTML_DIV = f'<div xmlns="http://www.w3.org/2005/Atom" type="xhtml"><div {XHTML}><p>A.</p></div></div>'

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="/"><title>T</title></channel>
<item rdf:about="/two"><title>1 &lt; 2</title><link>https://tea.example/two</link>
<dc:date>2020-01-02</dc:date></item></rdf:RDF>"""

JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "T",
    "items": [
        {
            "id": "1", "url": "/one", "authors": [{"name": "The staff"}],
            "title": "One \ud800", "content_html": "<p>Hot.</p>",
            "date_published": "2024-05-06T00:00:00+02:00",
        },
        {"id": "https://tea.example/two", "content_text": "a < b\n\nc", "author": {"name": "Bo"}},
        "no item",
        {"id": "3"},
    ],
}  # fmt: skip


def atom(content: str) -> bytes:
    return ATOM.format(content).encode()


def milk(html: str) -> FeedEntry:
    return FeedEntry("https://tea.example/blog/milk", "Tea & milk", "The staff", "2024-02-03", html)


@pytest.mark.parametrize(
    ("content", "entries"),
    [
        (RSS.encode(), [SCONES, TWO]),
        (RSS.encode("utf-16"), [SCONES, TWO]),
        (RSS.replace("utf-8", "windows-1252").replace("T</", "“é”</").encode("cp1252"), [SCONES, TWO]),
        (RDF.encode(), [FeedEntry("https://tea.example/two", "1 < 2", "", "2020-01-02")]),
        (atom('<content type="html">&lt;p&gt;A &amp;lt; B&lt;/p&gt;</content>'), [milk("<p>A &lt; B</p>")]),
        (atom('<content type="text">A &lt; B\n\nC</content>'), [milk("<p>A &lt; B<p>C")]),
        (atom(f'<content type="xhtml"><div {XHTML}><p>A.</p></div></content>'), [milk(XHTML_DIV)]),
        (atom("<summary>Short.</summary>"), [milk("")]),
        (
            json.dumps(JSON_FEED).encode(),
            [
                FeedEntry("https://tea.example/one", "One \ud800", "The staff", "2024-05-06", "<p>Hot.</p>"),
                FeedEntry("https://tea.example/two", "", "Bo", "", "<p>a &lt; b<p>c"),
            ],
        ),
    ],
)  # fmt: skip
def test_entries_of_each_kind_of_feed(content: bytes, entries: list[FeedEntry]) -> None:
    assert is_feed(content, "text/plain")
    assert not is_sitemap(content, "application/xml")
    assert read_feed(content, FEED, 10) == entries
    assert read_feed(content, FEED, 1) == entries[:1]


@pytest.mark.parametrize(
    "broken",
    [
        RSS.replace("Scones &amp;amp; ", "Scones & "),
        RSS.replace("Scones &amp;amp; ", "Scones&nbsp;&amp;#x26; "),
        RSS.replace("The kettle", "AT&T &unknown; \x0b <br>"),
        RSS.replace(' xmlns:content="http://purl.org/rss/1.0/modules/content/"', ""),
        RSS.replace(' xmlns:dc="http://purl.org/dc/elements/1.1/"', ""),
        RSS[: RSS.index("<item><title>No address")],
        "\n\nWarning: a line of a script\n" + RSS,
        RSS.replace("<channel>", "<channel><title x:y='1'/><q:title/><x:/><!-- <item> --><?php ?>"),
    ],
)
def test_what_can_be_read_of_a_broken_feed_is_read(broken: str) -> None:
    assert read_feed(broken.encode(), FEED, 10) == [SCONES, TWO]


def outcome(read: Callable[[bytes, str, int], object], content: bytes) -> object:
    """Return what was read, or the reason why nothing was."""
    try:
        return read(content, FEED, 10)
    except ValueError as error:
        return str(error)


BODY = RSS.partition("?>")[2]
BOMB = "<!ENTITY a0 'aaaaaaaaaa'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 20}'>" for n in range(12))
HOSTILE = [
    f"<!DOCTYPE r [{BOMB}]>" + BODY.replace("The kettle", "&a12;").replace("Scones", "&a12;"),
    "<!DOCTYPE r [<!ENTITY a12 SYSTEM 'file:///etc/passwd'>]>" + BODY.replace("Scones", "&a12;"),
    "\n" * 300_000 + BODY,
    "<!ENTITY \n" * 50_000 + BODY,
    RSS.replace("Ann Lee", "a" * 500_000),
    RSS.replace("Tue,", "1" * 500_000),
    RSS.replace("Scones", "&lt;a " * 50_000),
    ATOM.format(
        "<content type='xhtml' " + " ".join(f"xmlns:a{n}='{n}'" for n in range(20_000)) + "><a/></content>"
    ),
    ATOM.format("<content type='xhtml'>" + "<div>" * 100_000),
    ATOM.format("<content type='html' " + " ".join(f"a{n}=''" for n in range(50_000)) + ">x</content>"),
    ATOM.format("<content type='xhtml'>" + "<p>x</p>" * 400_000 + "</content>"),
    RSS.replace("<item>", "<item>" + "&" * 500_000, 1),
    '{"items":' + "[" * 100_000,
    '{"items":' + "1" * 100_000 + "}",
    "<rss>" + " " * 11_000_000,
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_feed_is_read_or_refused_soon(content: str) -> None:
    """The test would take minutes if the time grew with the square of what is sent."""
    found = outcome(read_feed, content.encode())
    assert len(repr(found)) < (300 if isinstance(found, str) else 5_000_000)
    assert "root:" not in repr(found)


def test_a_feed_of_thousands_is_read_up_to_the_limit() -> None:
    items = "".join(f"<item><title>{n}</title><link>/{n}</link></item>" for n in range(50_000))
    entries = read_feed(f"<rss><channel>{items}</channel></rss>".encode(), FEED, 20)
    assert [entry.title for entry in entries] == [str(n) for n in range(20)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no element"),
        (b"<html><p>Hello", "no element <rss>"),
        (b"{}", "no JSON Feed"),
        (b"{,}", "no JSON Feed"),
        (b"<rss><channel><item><title>x</title></item></channel></rss>", "none of its entries"),
    ],
)
def test_no_feed_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_feed(content, FEED, 10)


def test_the_page_of_an_entry_is_read_as_an_article() -> None:
    """Its links are completed, and a title adds no markup."""
    entry = FeedEntry(PAGE, 'Tea & "cakes" <b>', "Ann Lee", "2021-03-09", SCONES.html)
    file = SourceFile(Path("b.html"), "b", content=entry_page(entry), url=PAGE, charset="utf-8")
    (parsed,) = READERS[".html"](file)
    article = assemble(parsed)  # type: ignore[arg-type]
    assert (article.title, article.author) == (entry.title, "Ann Lee")
    assert (article.published, article.url) == ("2021-03-09", PAGE)
    assert article.text.startswith("Warm & soft.")
    assert "Bake." in article.text
    assert [mark.value for mark in article.marks_in(0, len(article.text))] == ["https://tea.example/oven"]


def sitemap(*locations: str, kind: str = "url", root: str = "urlset") -> bytes:
    entries = (f"<{kind}><loc>{each}</loc><lastmod> 2024-01-02 </lastmod></{kind}>" for each in locations)
    start = f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return f"{start}{''.join(entries)}</{root}>".encode()


ONE, BOTH = "https://tea.example/1", ["https://tea.example/1", "https://tea.example/2?a=1&b=2"]


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (sitemap(ONE, "/2?a=1&amp;b=2", ONE, "ftp://tea.example/", "javascript:x"), BOTH),
        (sitemap(ONE, "/2?a=1&b=2"), BOTH),
        (gzip.compress(sitemap(*BOTH), mtime=0), BOTH),
        (sitemap(*BOTH).replace(b"<url>", b"<url><i:image xmlns:i='i'><i:loc>/i</i:loc></i:image>"), BOTH),
        (sitemap(f"<![CDATA[{ONE}]]>") + b"<!-- made in 2 s -->", BOTH[:1]),
        (sitemap(), []),
    ],
)
def test_pages_of_a_sitemap(content: bytes, pages: list[str]) -> None:
    assert is_sitemap(content, "text/plain")
    assert not is_feed(content, "application/xml")
    found = read_sitemap(content, FEED, 10)
    assert (found.pages, found.sitemaps) == (pages, [])
    assert read_sitemap(content, FEED, 1).pages == pages[:1]


def test_a_sitemap_index_names_sitemaps() -> None:
    index = read_sitemap(sitemap(ONE, "/2?a=1&amp;b=2", kind="sitemap", root="sitemapindex"), FEED, 10)
    assert (index.pages, index.sitemaps) == ([], BOTH)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><body>Not found", "no element <urlset>"),
        (RSS.encode(), "no element <urlset>"),
        (sitemap(ONE, *BOTH)[:-40], "cut off"),
        (gzip.compress(sitemap(ONE), mtime=0)[:-20], "cut off"),
        (b"\x1f\x8bpacked", "cannot be unpacked"),
        (gzip.compress(b"<urlset>" + b" " * 20_000_000, mtime=0), "more than 10 MB"),
        (b"<urlset>" + b"<a/>" * 1_500_000, "more than"),
    ],
)
def test_a_bad_sitemap_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    """Of one that is cut off, nothing is taken: the pages in the rest would seem to be gone."""
    with pytest.raises(ValueError, match=reason):
        read_sitemap(content, FEED, 10)


LINKS = """<!doctype html><title>T</title>{}<body><a href="c">1</a><a href=/d#part>2</a><a href="c#top">3</a>
<a rel="nofollow ugc" href="/paid">4</a><a href="mailto:a@b.example">5</a><a href="javascript:x()">6</a>
<a name=x>7</a>
<a href="//other.example/é?q=a b">8</a><a href="http://[">9</a><a href="{}">10</a><a href=" ">11</a>"""
FOLLOWED = ["https://tea.example/a/c", "https://tea.example/d", "https://other.example/%C3%A9?q=a+b"]


@pytest.mark.parametrize(
    ("head", "links"),
    [
        ("", FOLLOWED),
        ("<base href='/base/'>", ["https://tea.example/base/c", *FOLLOWED[1:]]),
        ('<meta name="robots" content="noindex, NOFOLLOW">', []),
        ('<meta name="Robots" content="none">', []),
        ('<meta name="description" content="none">', FOLLOWED),
    ],
)
def test_links_of_a_page(head: str, links: list[str]) -> None:
    assert links_in(LINKS.format(head, "x" * 3_000).encode(), PAGE) == links
    assert links_in(LINKS.format(head, "").encode("latin-1"), PAGE, "iso-8859-1") == links
    assert links_in(b"<div>" * 100_000 + b"<a href=x>", PAGE) == []


def test_links_of_an_llms_txt() -> None:
    text = "# Tea\n- [Brew](/brew.md): how\n- [Wiki](<https://w.example/Tea_(drink)#x>)\n[mail](mailto:a)"
    assert links_in_llms_txt(text, PAGE) == ["https://tea.example/brew.md", "https://w.example/Tea_(drink)"]


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("HTTPS://Tea.Example:443", "https://tea.example/"),
        ("http://tea.example:443/a/../b/./c", "http://tea.example:443/b/c"),
        (" https://tea.example/%7ea%2fb%c3%a9?#x", "https://tea.example/~a%2Fb%C3%A9"),
        (
            "https://tea.example/?utm_source=x&b=2&fbclid=1&a=%20+&UTM_Medium",
            "https://tea.example/?b=2&a=%20+",
        ),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("mailto:ann@tea.example", "mailto:ann@tea.example"),
        ("http://[", "http://["),
    ],
)
def test_normalized(url: str, spelling: str) -> None:
    assert normalized(url) == spelling


BELOW = "//tea.example/guide/ //tea.example/guide/a/b?c //TEA.example:443/guide/../guide/x"
NOT_BELOW = """
    //tea.example/guidebook //tea.example/guide/../x //tea.example/guide/%2e%2e/x //tea.example:444/guide/
    //tea.example@evil.example/guide/ //evil.example\\@tea.example/guide/ //tea.example.evil.example/guide/
    """


def test_is_below() -> None:
    for root in (
        "https://tea.example/guide/",
        "https://tea.example/guide/start",
        "http://tea.example/guide/",
    ):
        assert [url for url in BELOW.split() if not is_below(f"https:{url}", root)] == []
        assert [url for url in NOT_BELOW.split() if is_below(f"https:{url}", root)] == []
    assert not is_below("http://tea.example/guide/", "https://tea.example/guide/")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("/guide/**", "/guide/ /guide/a /guide/a/b.html"),
        ("/guide/?", "/guide/a"),
        ("/*/b.html", "/guide/a/b.html"),
        ("*.html", "/guide/a/b.html /b.html"),
        ("/é", "/%C3%A9"),
        ("/*a*a*a*a*a*a*a*b*x", ""),
    ],
)
def test_patterns_include_and_exclude(pattern: str, matched: str) -> None:
    paths = ["/guide/", "/guide/a", "/guide/a/b.html", "/b.html", "/%C3%A9", "/" + "a" * 1_900]
    urls = [f"https://tea.example{path}" for path in paths]
    assert [urlsplit(url).path for url in urls if matches(url, [pattern], [])] == matched.split()
    assert [urlsplit(url).path for url in urls if not matches(url, [], [pattern])] == matched.split()
    assert all(matches(url, [], []) for url in urls)


def test_is_page() -> None:
    assert all(map(is_page, "https://t.example https://t.example/v1.2 /a.pdf?x=.png /a.md#x.css /".split()))
    assert not any(map(is_page, "/a.PNG /a.tar.gz?x /feed.xml /a.woff2#x /a.css".split()))


PIECES = """
    <rss> <channel> <item> </item> <title> </title> <link>/a</link> <c:encoded> <entry> <author> <pubDate>
    <feed~xmlns="http://www.w3.org/2005/Atom"> <link~href="/b"/> <content~type="xhtml"~x:y=""> <urlset>
    </urlset> <url><loc>/c</loc></url> <updated>9999-99-99 <![CDATA[ ]]> <!-- <!DOCTYPE~a~[ &a; &#0; & <
    <a~href=' <x:y~z:w='1'> {"items":[ {"url":"/d", "title":"\\ud800"}]} http://[ https://a/
    """.split()
PIECE = st.sampled_from([b"\x1f\x8b", b"\xff\xfe", *(p.replace("~", " ").encode() for p in PIECES)])
CONTENT = st.lists(PIECE | st.binary(max_size=8), max_size=12).map(b"".join)


@given(CONTENT, st.sampled_from(["", "big5", "x"]))
@example(b"<rss", "")
@example(b"<rss><image><item><image>", "")
def test_any_bytes_give_entries_or_a_reason(content: bytes, charset: str) -> None:
    is_feed(content, charset)
    is_sitemap(content, charset)
    links_in(content, PAGE, charset)
    assert outcome(read_sitemap, content)
    found = outcome(read_feed, content)
    for entry in found if isinstance(found, list) else ():
        assert entry_page(entry).decode()


SCHEMES = st.sampled_from(["http", "https", "HTTP", "ftp"])
HOSTS = hostile_text("tea.example", ":443", "@", "[::1]", ".", "xn--", most=3) | st.just("tea.example")
PATHS = hostile_text("a/", "%2f", "%2e%2e/", "../", "?utm_a=1", "&", "#", "%C3", most=5)
URLS = st.builds("{}://{}/{}".format, SCHEMES, HOSTS, PATHS)


@given(URLS)
def test_normalizing_twice_changes_nothing(url: str) -> None:
    once = normalized(url)
    assert normalized(once) == once


@given(URLS)
def test_nothing_of_another_host_is_below(url: str) -> None:
    matches(url, ["*"], ["/a/**"])
    is_page(url)
    if is_below(url, "https://tea.example/a/"):
        assert urlsplit(normalized(url)).hostname == "tea.example"
        assert normalized(url).startswith("https://")
