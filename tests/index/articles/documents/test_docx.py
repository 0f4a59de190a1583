"""Word documents: what becomes of their styles and parts, which are refused, and what hostile ones can do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.articles.article import RefusedError
from index.articles.documents import zip_limits
from index.articles.documents.docx import read_docx
from index.articles.folder import SourceFile
from index.articles.formats import read_articles
from tests.index.articles.documents.zipped import docx_of, write_docx, zip_of
from tests.index.articles.reading import BODY, article_in, check_blocks, problems, put

SAVE = "open it in Word or LibreOffice and save it as .docx"
DAMAGED = f"not a Word document, damaged, or nested too deeply; {SAVE}"
PART, AGAIN = "its part word/document.xml cannot be read: it", "save or download the file again"
TEXT = f"<w:p><w:r><w:t>{BODY}</w:t></w:r></w:p>"
SCHEMAS = "http://schemas.openxmlformats.org"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def styled(style: str, text: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{run(text)}</w:p>'


def style(identity: str, name: str) -> str:
    return f'<w:style w:type="paragraph" w:styleId="{identity}"><w:name w:val="{name}"/></w:style>'


STYLES = f"<w:styles>{style('Titel', 'Title')}{style('Kop', 'heading 1')}{style('TOC1', 'toc 1')}</w:styles>"


def test_styles_lists_tables_and_properties_come_through(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.author = "Ines  Falk"
    document.add_paragraph("The lamp", style="Title")
    document.add_paragraph("A history", style="Subtitle")
    document.add_heading("Keepers", 1)
    paragraph = document.add_paragraph("They wound it ")
    paragraph.add_run("by hand").bold = True
    paragraph.add_run(", slowly").italic = True
    document.add_paragraph("They had:")
    document.add_paragraph("bees", style="List Bullet")
    document.add_paragraph("a boat", style="List Bullet")
    document.add_heading("Prices", 2)
    document.add_paragraph("Ring", style="List Number")
    document.add_paragraph("Wait", style="List Number")
    table = document.add_table(2, 2)
    for row, texts in zip(table.rows, [("Oil", "4 crowns"), ("Wick", "1 crown")], strict=True):
        row.cells[0].text, row.cells[1].text = texts
    document.add_paragraph("It never went out.", style="Quote")
    document.save(file := io.BytesIO())
    article = article_in(tmp_path, "file.docx", file.getvalue())
    assert (article.title, article.author, article.published) == ("The lamp", "Ines Falk", "2013-12-23")
    text = article.text
    assert [(block.kind, block.level, text[block.start : block.end]) for block in article.blocks] == [
        ("paragraph", 0, "A history"), ("heading", 1, "Keepers"),
        ("paragraph", 0, "They wound it by hand, slowly"), ("lead-in", 0, "They had:"),
        ("item", 1, "bees"), ("item", 1, "a boat"), ("heading", 2, "Prices"), ("item", 1, "1. Ring"),
        ("item", 1, "2. Wait"), ("row", 0, "Oil | 4 crowns"), ("row", 0, "Wick | 1 crown"),
        ("quotation", 0, "It never went out."),
    ]  # fmt: skip
    start = text.index("They wound")
    marks = [(mark.kind, mark.start, mark.end) for mark in article.marks_in(start, start + 30)]
    assert marks == [("strong", 14, 21), ("emphasis", 21, 29)]
    assert article.section_at(text.index("Ring")) == ("The lamp", "Keepers", "Prices")


@pytest.mark.parametrize(
    ("property_", "opening", "title", "text"),
    [
        ("", styled("Titel", "The lamp"), "The lamp", ""),
        ("", styled("Kop", "The lamp"), "The lamp", ""),
        ("", styled("", "Garrow") + styled("Titel", "The lamp"), "The lamp", "Garrow\n\n"),
        ("", styled("", "Garrow") + styled("Kop", "The lamp"), "file", "Garrow\n\nThe lamp\n\n"),
        ("The lamp", styled("Kop", "The  lamp"), "The lamp", ""),
        ("Garrow  Point", styled("Kop", "The lamp"), "Garrow Point", "The lamp\n\n"),
        ("", styled("Titel", "The lamp") + styled("Kop", "Oil"), "The lamp", "Oil\n\n"),
        ("", styled("Titel", "  "), "file", ""),
    ],
)
def test_title_is_a_property_or_opens_the_text_and_is_not_repeated_there(
    tmp_path: Path, property_: str, opening: str, title: str, text: str
) -> None:
    core = f"<core><title>{property_}</title><modified>2020-05-01T10:00:00Z</modified></core>"
    data = docx_of(opening + TEXT, {"word/styles.xml": STYLES, "docProps/core.xml": core})
    article = article_in(tmp_path, "file.docx", data)
    assert (article.title, article.text, article.published) == (title, text + BODY, "2020-05-01")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (run("Seen. ") + run("Hidden.", "<w:vanish/>"), "Seen."),
        (run("Seen.", '<w:vanish w:val="0"/>'), "Seen."),
        (f"<w:del>{run('Old')}</w:del><w:ins>{run('New')}</w:ins>", "New"),
        (f'{run("Seen.")}<w:r><w:commentReference w:id="1"/></w:r>', "Seen."),
        (f'{run("Figure ")}<w:fldSimple w:instr="SEQ">{run("7")}</w:fldSimple>', "Figure 7"),
        (f"<w:r><w:instrText>PAGE</w:instrText></w:r>{run('12')}", "12"),
        (f'<w:hyperlink w:anchor="x">{run("there")}</w:hyperlink>', "there"),
        (f"{run('One')}<w:r><w:br/></w:r>{run('two')}", "One\ntwo"),
        (f"{run('One')}</w:p>{styled('TOC1', 'Oil 3')}<w:p>", "One"),
    ],
)
def test_text_is_what_a_reader_of_the_document_sees(tmp_path: Path, body: str, text: str) -> None:
    data = docx_of(f"<w:p>{body}</w:p>", {"word/styles.xml": STYLES, "word/comments.xml": "broken"})
    article = article_in(tmp_path, "a.docx", data)
    assert (article.text, article.dropped) == (text, ("Oil 3",) if "TOC1" in body else ())


def test_notes_stand_at_the_end_once_and_their_numbers_are_gone(tmp_path: Path) -> None:
    reference = '<w:r><w:footnoteReference w:id="1"/></w:r>'
    notes = f'<w:footnotes><w:footnote w:id="1"><w:p>{run("Of rape.")}</w:p></w:footnote></w:footnotes>'
    body = f"<w:p>{run('It burned oil')}{reference}{run('.')}{reference * 3}</w:p>"
    article = article_in(tmp_path, "a.docx", docx_of(body, {"word/footnotes.xml": notes}))
    assert article.text == "It burned oil.\n\n1. Of rape."


@pytest.mark.parametrize(("length", "marks"), [(400, 2), (600, 0)])
def test_long_address_is_not_repeated_at_every_link(tmp_path: Path, length: int, marks: int) -> None:
    address = "https://light.example/".ljust(length, "x")
    relation = f'<Relationship Id="r" Type="t" Target="{address}"/>'
    relations = f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships">{relation}</Relationships>'
    start = f'<w:hyperlink xmlns:r="{SCHEMAS}/officeDocument/2006/relationships" r:id="r">'
    link = f"<w:p>{start}{run('x')}</w:hyperlink></w:p>"
    article = article_in(tmp_path, "a.docx", docx_of(link * 2, {"word/_rels/document.xml.rels": relations}))
    assert [mark.value for mark in article.marks_in(0, 4)] == [address] * marks


def test_pictures_are_not_unpacked(tmp_path: Path) -> None:
    picture = {"word/media/image1.png": "\x00" * 40_000_000}
    assert article_in(tmp_path, "a.docx", docx_of(TEXT, picture)).text == BODY


def document(content: str | bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return zip_of({"word/document.xml": content}, method)


def encrypted(data: bytes) -> bytes:
    flags = data.index(b"PK\x01\x02") + 8
    return data[:flags] + b"\x01" + data[flags + 1 :]


LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
BOMB = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY aa "&a;&a;">]><w>&aa;</w>'
LINKS = '<w:hyperlink w:anchor="x">' * 240


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (LOCKED, "protected by a password; save it without one"),
        (LOCKED[:-2], f"of an old version of Word; {SAVE}"),
        (rb"{\rtf1 The lamp}", f"RTF; {SAVE}"),
        (document(TEXT)[:-30], "damaged, or another kind of file; save or download it again"),
        (zip_of({"content.xml": "<x/>"}), DAMAGED),
        (docx_of(LINKS + TEXT + "</w:hyperlink>" * 240), DAMAGED),
        (docx_of(""), "has no text"),
        (docx_of(LINKS), f"{PART} is not XML (*"),
        (document("<a>" * 300), f"{PART} is not XML (Excessive depth*"),
        (document(BOMB), f"{PART} declares XML entities, which may hide a bomb; {AGAIN}"),
        (document("<w>" + " " * 2_000_000), f"{PART} unpacks to more than 200 times its size; {AGAIN}"),
        (document(bytes(33_000_000)), f"{PART}, or what was read before, is too large when unpacked; *"),
        (document("x", zipfile.ZIP_LZMA), f"{PART} is compressed in an unknown way; {AGAIN}"),
        (encrypted(document(BODY)), f"{PART} is encrypted; {AGAIN}"),
        (document(BODY).replace(b"document.xml", b"document.xmk", 1), f"{PART} is damaged (*"),
        (b"PK\x01\x02" * 10_001, "has more than 10,000 parts; split it"),
        (docx_of("<w:r/>" * 600_000), "has more than 500,000 elements; split it"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, problem: str
) -> None:
    if "elements" in problem:  # what is made quickly packs too well
        monkeypatch.setattr(zip_limits, "_MAX_RATIO", 10_000)
    put(tmp_path, {"a.docx": data, "b.txt": BODY})
    (found,) = problems(tmp_path)
    start, star, _ = f"a.docx: {problem}".partition("*")
    assert found.startswith(start) if star else found == start
    assert "\n" not in found
    assert [article.id for article in read_articles(tmp_path).articles] == ["b"]


def test_what_all_parts_unpack_to_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_limits, "_MAX_TOTAL", 1_000)
    put(tmp_path, {"a.docx": docx_of(TEXT, {"word/styles.xml": f"<w:styles>{' ' * 900}</w:styles>"})})
    assert "or what was read before, is too large when unpacked" in problems(tmp_path)[0]


TAGS = "p r t tbl tr tc sdt sdtContent hyperlink del ins pict tab br pPr rPr numPr fldChar sym".split()
LEAVES = ['<w:footnoteReference w:id="1"/>', "text", '<w:pStyle w:val="Titel"/>', '<w:gridSpan w:val="x"/>']
NESTED = st.recursive(
    st.sampled_from(LEAVES),
    lambda inside: st.tuples(st.sampled_from(TAGS), st.lists(inside, max_size=4)).map(
        lambda pair: f"<w:{pair[0]}>{''.join(pair[1])}</w:{pair[0]}>"
    ),
)
VALID = write_docx("The lamp", BODY)


@settings(max_examples=40)
@given(st.lists(NESTED, max_size=6).map("".join), st.integers(0, len(VALID)), st.binary(max_size=9))
def test_any_document_gives_an_article_or_a_refusal(body: str, at: int, junk: bytes) -> None:
    for data in (docx_of(body), VALID[:at] + junk + VALID[at + len(junk) :]):
        try:
            (parsed,) = read_docx(SourceFile(Path("a.docx"), "a", content=data))
        except RefusedError:
            continue
        assert not isinstance(parsed.body, str)
        check_blocks(parsed.body.text, parsed.body.blocks)
