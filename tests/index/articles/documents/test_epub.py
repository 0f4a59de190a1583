"""EPUB books: the order and the text of their chapters, what is left out, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.articles.article import RefusedError
from index.articles.documents.epub import read_epub
from index.articles.folder import SourceFile
from index.articles.formats import read_articles
from tests.index.articles.documents.zipped import epub_of, write_epub, zip_of
from tests.index.articles.reading import BODY, article_in, check_blocks, problems, put

TEXT = f"<p>{BODY}</p>"
METADATA = """<dc:title xmlns:dc="d">The
 lamp</dc:title><title>Other</title><creator>Ines Falk</creator><creator>Tobias Renn</creator>
<publisher>Quay</publisher><date>1999-05-01T00:00:00+00:00</date><date>2001</date>"""
NAV = '<nav epub:type="toc"><ol><li><a href="b.xhtml#start">On <b>oil</b></a></li></ol></nav>'
NCX = '<ncx><navPoint><navLabel><text>On oil</text></navLabel><content src="b.xhtml"/></navPoint></ncx>'
NCX_ITEM = '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'


def test_metadata_order_headings_and_marks_come_through(tmp_path: Path) -> None:
    chapters = {
        "z.xhtml": "<h1>Keepers</h1><p>He kept <em>bees</em>.</p><h2>Oil</h2><ul><li>rape</li></ul>",
        "a.xhtml": '<h1>Prices</h1><p>See <a href="https://light.example/">the list</a> or '
        '<a href="z.xhtml">above</a>.</p>',
    }
    article = article_in(tmp_path, "book.epub", epub_of(chapters, {"metadata": METADATA}))
    assert article.heading == "The lamp\nInes Falk, Tobias Renn\nQuay\n1999-05-01"
    text = article.text
    assert text == "Keepers\n\nHe kept bees.\n\nOil\n\n- rape\n\nPrices\n\nSee the list or above."
    assert article.section_at(text.index("rape")) == ("The lamp", "Keepers", "Oil")
    assert article.section_at(text.index("See")) == ("The lamp", "Prices")
    marks = [(mark.kind, text[mark.start : mark.end]) for mark in article.marks_in(0, len(text))]
    assert marks == [("emphasis", "bees"), ("link", "the list")]


@pytest.mark.parametrize(
    ("href", "spine", "text"),
    [
        ("n.xhtml", '<itemref idref="n"/>', "A\n\nB\n\nN"),
        ("n.xhtml", '<itemref idref="a"/>', "A\n\nB"),
        ("../text/n%20n", '<itemref idref="n" linear="no"/><itemref idref="m"/>', "A\n\nB\n\nM\n\nN"),
    ],
)
def test_order_is_that_of_the_spine_and_what_is_not_linear_comes_last(
    tmp_path: Path, href: str, spine: str, text: str
) -> None:
    package = {"manifest": f'<item id="n" href="{href}"/><item id="m" href="m.xhtml"/>', "spine": spine}
    parts = {"OEBPS/n.xhtml": "<p>N</p>", "OEBPS/m.xhtml": "<p>M</p>", "text/n n": "<p>N</p>"}
    data = epub_of({"a.xhtml": "<p>A</p>", "b.xhtml": "<p>B</p>"}, package, parts)
    assert article_in(tmp_path, "book.epub", data).text == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>Caf&eacute;&nbsp;Lark<br/>serves <a id='x'/>tea &#169;.</p>", "Café Lark\nserves tea ©."),
        ("<p>Seen<a epub:type='noteref' href='n.xhtml#1'>1</a>.</p>", "Seen."),
        ("<p>Seen<sup><a href='n.xhtml#1'>1</a></sup>.</p>", "Seen."),
        ("<p>Seen <span epub:type='pagebreak'>12</span>here.</p>", "Seen here."),
        ("<p>H<sub>2</sub>O and <svg><title>Icon</title></svg>m</p><script>x</script>", "H2O and m"),
        ("<p>One<p>two</div>", "One\n\ntwo"),
    ],
)
def test_text_of_a_chapter(tmp_path: Path, body: str, text: str) -> None:
    assert article_in(tmp_path, "a.epub", epub_of({"a.xhtml": body})).text == text


@pytest.mark.parametrize(
    ("body", "package"),
    [
        ("<p>On oil</p>", {"manifest": '<item id="n" properties="nav" href="x.xhtml"/>'}),
        (NAV, {}),
        ("<p>On oil</p>", {"guide": '<reference type="cover" href="x.xhtml"/>'}),
        ("<p>On oil</p>", {"guide": '<reference type="toc" href="x.xhtml#top"/>'}),
        ('<body epub:type="cover"><p>On oil</p></body>', {}),
        ('<section epub:type="frontmatter loi"><p>On oil</p></section>', {}),
    ],
)
def test_cover_and_tables_of_contents_are_dropped(tmp_path: Path, body: str, package: dict[str, str]) -> None:
    article = article_in(tmp_path, "a.epub", epub_of({"x.xhtml": body, "b.xhtml": TEXT}, package))
    assert (article.text, article.dropped) == (BODY, ("On oil",))


@pytest.mark.parametrize(
    ("package", "parts"),
    [
        ({"manifest": '<item id="n" properties="nav" href="nav.xhtml"/>'}, {"OEBPS/nav.xhtml": NAV}),
        ({"manifest": NCX_ITEM}, {"OEBPS/toc.ncx": NCX}),
    ],
)
def test_chapter_without_heading_has_that_of_the_contents(
    tmp_path: Path, package: dict[str, str], parts: dict[str, str]
) -> None:
    chapters = {"a.xhtml": "<h1>Keepers</h1><p>Renn.</p>", "b.xhtml": TEXT, "c.xhtml": "<p>It goes on.</p>"}
    article = article_in(tmp_path, "a.epub", epub_of(chapters, package, parts))
    assert article.text == f"Keepers\n\nRenn.\n\nOn oil\n\n{BODY}\n\nIt goes on."
    assert article.section_at(len(article.text) - 1) == ("a", "On oil")


def test_chapter_that_cannot_be_read_is_noted_and_the_others_are_read(tmp_path: Path) -> None:
    chapters = {"a.xhtml": "<div>" * 3_000 + TEXT, "b.xhtml": TEXT, "c.xhtml": " ", "d.xhtml": TEXT}
    data = epub_of(chapters, {"spine": '<itemref idref="gone"/>'}, {"OEBPS/c.xhtml": ""})
    crc = data.rindex(b"OEBPS/d.xhtml") - 30  # in the directory
    put(tmp_path, {"a.epub": data[:crc] + bytes([data[crc] ^ 1]) + data[crc + 1 :], "b.txt": BODY})
    source = read_articles(tmp_path)
    assert [article.text for article in source.articles] == [BODY, BODY]
    deep, *others = [note.removeprefix(f"{tmp_path}/a.epub: chapter ") for note in source.notes]
    assert deep.startswith("OEBPS/a.xhtml cannot be read: ")
    assert others == [
        "OEBPS/c.xhtml cannot be read: empty; passed over",
        "OEBPS/d.xhtml cannot be read: it is damaged (Bad CRC-32 for file 'OEBPS/d.xhtml'); passed over",
        "gone cannot be read: it is missing; passed over",
    ]


def test_many_chapters_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    spine = "".join(f'<itemref idref="{number}"/>' for number in range(1_000))
    put(tmp_path, {"a.epub": epub_of({"a.xhtml": TEXT}, {"spine": spine})})
    notes = read_articles(tmp_path).notes
    assert len(notes) == 6
    assert notes[-1].endswith("a.epub: 995 more chapters cannot be read; passed over")


def encrypted_by(algorithm: str) -> bytes:
    entry = f'<EncryptedData><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData>'
    return epub_of({"a": TEXT}, parts={"META-INF/encryption.xml": f"<encryption>{entry}</encryption>"})


def test_hidden_fonts_do_no_harm(tmp_path: Path) -> None:
    data = encrypted_by("http://www.idpf.org/2008/embedding")
    assert article_in(tmp_path, "a.epub", data).text == BODY


BOMB = '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY aa "&a;&a;">]><package>&aa;</package>'


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"<html>", "damaged, or another kind of file; save or download it again"),
        (zip_of({"a": "b"}), "its part META-INF/container.xml cannot be read: it is missing; *"),
        (epub_of({}, parts={"META-INF/container.xml": "<c/>"}), "names no package document; *"),
        (epub_of({}), "lists no chapters; download it again"),
        (epub_of({"a": ""}), "has no text"),
        (epub_of({}, {"spine": '<itemref idref="x"/>'}), "chapter x cannot be read: it is missing; *"),
        (
            epub_of({}, parts={"OEBPS/book.opf": BOMB}),
            "its part OEBPS/book.opf cannot be read: it declares *",
        ),
        (encrypted_by("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), "protected by DRM, so its text *"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, problem: str) -> None:
    put(tmp_path, {"a.epub": data})
    (found,) = problems(tmp_path)
    start, star, _ = f"a.epub: {problem}".partition("*")
    assert found.startswith(start) if star else found == start


VALID = write_epub("The lamp", BODY)
MARKUP = st.sampled_from(
    "<nav> </nav> <sup> <a_href='#1'> </a> <p> <h1> <body> </body> <pre> <table> <tr> <td> <svg> &#13; &aa; x"
    " <![CDATA[ ]]> <?xml <!-- <span_epub:type='noteref'> <html> <frameset> \x00 \ufeff".split()
)


@settings(max_examples=60)
@given(st.lists(MARKUP, max_size=12).map(" ".join), st.integers(0, len(VALID)), st.binary(max_size=9))
def test_any_book_gives_an_article_or_a_refusal(page: str, at: int, junk: bytes) -> None:
    page = page.replace("_", " ")
    for data in (epub_of({"a": page}, parts={"OEBPS/a": page}), VALID[:at] + junk + VALID[at + len(junk) :]):
        try:
            (parsed,) = read_epub(SourceFile(Path("a.epub"), "a", content=data))
        except RefusedError:
            continue
        assert not isinstance(parsed.body, str)
        check_blocks(parsed.body.text, parsed.body.blocks)
