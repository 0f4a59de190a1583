"""PDF files: what people see on their pages as blocks, and what is refused, with what to do about it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import example, given
from hypothesis import strategies as st

from index.articles.article import Article
from index.articles.documents import pdf
from index.articles.documents.pdf_layout import records
from index.articles.formats import read_articles
from tests.index.articles.documents.pdfs import Draw, draw, objects_of, parse_here, pdf_of, write_pdf
from tests.index.articles.reading import article_in, check_blocks, problems, put

Read = Callable[[bytes], Article]

X, Y = 72, 120
LAMP = "The lamp of Garrow Point was lit in\n1874. It burned colza oil, which the\nkeeper carried."
BEES = "He kept bees behind the store, and\nsold the honey in the village."
LAMP_TEXT, BEES_TEXT = LAMP.replace("\n", " "), BEES.replace("\n", " ")
LAMP_BLOCK, BEES_BLOCK = f"paragraph: {LAMP_TEXT}", f"paragraph: {BEES_TEXT}"
PARTED = """The light-
house has a North-
West view, a day-to-
day log, plus a short-
and a long-term store."""
JOINED = "The lighthouse has a North-West view, a day-to-day log, plus a short- and a long-term store."


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return a function that reads a PDF, which is parsed in this process."""
    monkeypatch.setattr(pdf, "run_parser", parse_here)

    def read_bytes(data: bytes) -> Article:
        article = article_in(tmp_path, "guide.pdf", data)
        check_blocks(article.text, article.blocks)
        return article

    return read_bytes


def shown(article: Article) -> list[str]:
    """Return each block as its kind, its level, if it has one, and its text."""
    return [f"{one.kind}{one.level or ''}: {article.text[one.start : one.end]}" for one in article.blocks]


@pytest.mark.parametrize(
    ("drawn", "blocks"),
    [
        # A paragraph ends before a space, before an indent, and in a line that ends early.
        ([draw(X, Y, LAMP), draw(X, Y + 60, BEES)], [LAMP_BLOCK, BEES_BLOCK]),
        ([draw(X, Y, LAMP), draw(X + 10, Y + 36, BEES[:34]), draw(X, Y + 48, BEES[35:])],
         [LAMP_BLOCK, BEES_BLOCK]),
        ([draw(X, Y, f"{LAMP}\n{BEES}")], [LAMP_BLOCK, BEES_BLOCK]),
        ([draw(X, Y + 24 * row, line) for row, line in enumerate(LAMP.split("\n") * 3)], [LAMP_BLOCK] * 3),
        # A last line of one word, in type that is set wide apart, goes on with what is above it.
        ([draw(X, Y, "Keep off it till the plug was"), draw(X, Y + 17, "pulled."), draw(X, Y + 44, BEES[:9])],
         ["paragraph: Keep off it till the plug was pulled.", f"paragraph: {BEES[:9]}"]),
        ([draw(X, Y, "Ines Falk\nLamp Street 4\nand so on, to the end of this line")],
         ["paragraph: Ines Falk\nLamp Street 4\nand so on, to the end of this line"]),
        ([draw(X, Y, PARTED)], [f"paragraph: {JOINED}"]),
        # Headings are larger than the text, or bold; what ends in a full stop is text.
        ([draw(X, Y, "Light", "B", 14), draw(X, Y + 30, "Lamps", "B", 12), draw(X, Y + 60, "Oil", "B"),
          draw(X, Y + 80, LAMP), draw(X, Y + 140, "Mind the steps.", "B")],
         ["heading1: Lamps", "heading2: Oil", LAMP_BLOCK, "paragraph: Mind the steps."]),
        # A bullet may stand apart, and what wraps may hang.
        ([draw(X, Y, "Bring:\n\xb7\n\n\xb7 rope"), draw(X + 14, Y + 12, "the best oil\nof all")],
         ["lead-in: Bring:", "item1: the best oil of all", "item1: rope"]),
        ([draw(X, Y, "1. Climb the steps.\n2. Wind the clock."), draw(X, Y + 40, LAMP)],
         ["item1: 1. Climb the steps.", "item1: 2. Wind the clock.", LAMP_BLOCK]),
        # Tables row by row; wide spaces are no cells; a question leads what answers it.
        ([draw(X, Y, "Oil\nColza\nWhale"), draw(X + 90, Y, "Price\n4 crowns\n9 crowns"),
          draw(X, Y + 60, LAMP)],
         ["header: Oil | Price", "row: Colza | 4 crowns", "row: Whale | 9 crowns", LAMP_BLOCK]),
        ([draw(X, Y, "The lamp of\n1874. It burned colza oil,\nkeeper carried."),
          draw(X + 70, Y, "Garrow Point was lit in"), draw(X + 130, Y + 12, "which the")],
         [LAMP_BLOCK]),
        ([draw(X, Y, "Who kept it?"), draw(X, Y + 20, LAMP)], ["question: Who kept it?", LAMP_BLOCK]),
        # What is printed twice, to look bold, is there once.
        ([draw(X, Y, LAMP), draw(X + 0.3, Y, LAMP)], [LAMP_BLOCK]),
    ],
)  # fmt: skip
def test_lines_become_blocks(read: Read, drawn: Sequence[Draw], blocks: list[str]) -> None:
    assert shown(read(pdf_of(drawn))) == blocks


def test_columns_are_read_one_after_the_other(read: Read) -> None:
    """The title stands above both; the first column begins higher, and its end goes on in the second."""
    body = "".join(f"Line {number} of the log of the keeper, \n" for number in range(1, 30)).split("\n")
    drawn = [
        draw(150, 60, "The log of Garrow Point", "B", 20),
        draw(X, 100, "\n".join(body[:16]) + "\nwho had no time to write this down on"),
        draw(320, 112, "Sunday morning. He slept till noon at\n" + "\n".join(body[16:28])),
        draw(200, 700, "A note that stands below both of the columns."),
    ]
    article = read(pdf_of(drawn))
    assert article.title == "The log of Garrow Point"
    numbers = [int(word) for word in article.text.split() if word.isdigit()]
    assert numbers == list(range(1, 29))
    assert "to write this down on Sunday morning. He slept" in article.text
    assert article.text.endswith("\n\nA note that stands below both of the columns.")


@pytest.mark.parametrize("lower", [0, 3, 6, 9])
def test_lines_of_columns_may_stand_at_different_heights(read: Read, lower: int) -> None:
    columns = ["\n".join(f"{name}{row} says the log of the lamp" for row in range(9)) for name in "abc"]
    page = [draw(40 + 190 * at, 120 + at * lower, column) for at, column in enumerate(columns)]
    text = read(pdf_of(page)).text
    assert re.findall(r"[abc]\d", text) == [f"{name}{row}" for name in "abc" for row in range(9)]


def test_what_repeats_is_dropped_and_paragraphs_go_on_over_pages(read: Read) -> None:
    """Page numbers rise with the pages; the numbers of chapters, in larger type, are no such numbers."""
    pages = [
        [
            draw(X, 40, "The keeper's handbook" if number % 2 else "Garrow Point"),
            draw(500, 40, str(number + 4)),
            draw(X, 90, f"Chapter {number}", "B", 14),
            draw(X, 130, f"end of what was said on page {number - 1}. {LAMP}" if number > 1 else LAMP),
            draw(X, 600, f"The store on page {number} has a very long shelf for all the light-"
                 if number == 5 else f"The store on page {number} has a very long shelf for all, to the"),
            draw(X, 660, f"1 A note on page {number}.", size=8),
            draw(X, 770, f"Page {number} of 30"),
        ]
        for number in range(1, 31)
    ]  # fmt: skip
    article = read(pdf_of(*pages, title="Handbook"))
    assert article.dropped == ("The keeper's handbook 5", "Page 1 of 30", "Garrow Point 6")
    assert (len(article.pages), article.pages[0]) == (30, 0)
    assert not any("handbook" in text or "of 30" in text for text in shown(article))
    for number in range(1, 31):
        assert article.page_at(article.text.index(f"1 A note on page {number}.")) == number
        assert article.page_at(article.text.index(f"Chapter {number}")) == number
        assert article.page_at(article.text.index(f"The store on page {number} ")) == number
    assert article.section_at(len(article.text)) == ("Handbook", "Chapter 30")


def test_what_repeats_but_for_a_number_may_be_text(read: Read) -> None:
    pages = [
        [
            draw(X, 30, "Rill Works - Service manual"),
            draw(X, 60, f"Part {number} of the pump", "B", 14),
            draw(X, 90, f"Order spare part {number} by post"),
            draw(X, 120, BEES),
            draw(X, 770, f"Screw {number} is sold in Holm."),
        ]
        for number in range(1, 4)
    ]
    article = read(pdf_of(*pages))
    assert article.dropped == ("Rill Works - Service manual",)
    for number in range(1, 4):
        assert f"Order spare part {number} by post" in article.text
        assert f"Screw {number} is sold in Holm." in article.text


def test_a_paragraph_is_one_block_over_pages(read: Read) -> None:
    first = [draw(X, 560, LAMP), draw(X, 600, "The store has shelves for all the light-")]
    article = read(pdf_of(first, [], [draw(X, 90, "house keepers, and for their bees."), draw(X, 130, BEES)]))
    whole = "paragraph: The store has shelves for all the lighthouse keepers, and for their bees."
    assert shown(article) == [LAMP_BLOCK, whole, BEES_BLOCK]
    places = map(article.text.index, ("The store", "the light", "house keepers", "He kept"))
    assert [article.page_at(place) for place in places] == [1, 1, 3, 3]


def test_a_table_of_contents_is_dropped(read: Read) -> None:
    contents = "\n".join(f"{number}. On the lamp {'. ' * 30}{3 * number}" for number in range(1, 7))
    article = read(pdf_of([draw(X, Y, contents), draw(X, 300, LAMP)]))
    assert (len(article.dropped), article.text) == (6, LAMP_TEXT)


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("Lights of the north", "Lights of the north"),
        ("", "The lamp"),
        ("Microsoft Word - lamp.doc", "The lamp"),
        ("lamp_final.PDF", "The lamp"),
        ("untitled", "The lamp"),
        ("C:\\lamps\\new", "The lamp"),
    ],
)
def test_a_title_is_that_of_the_metadata_if_it_says_something(read: Read, named: str, title: str) -> None:
    page = [draw(X, Y, "The lamp", "B", 18), draw(X, Y + 60, LAMP)]
    written = datetime(2024, 5, 6, tzinfo=UTC)
    article = read(pdf_of(page, title=named, author="Ines Falk", creation_date=written))
    assert (article.title, article.author, article.published) == (title, "Ines Falk", "2024-05-06")
    assert (shown(article)[0] == "heading1: The lamp") is (title != "The lamp")


def test_letters_stay_as_they_are_printed(read: Read) -> None:
    """A ligature is found by its letters; see `fold`."""
    assert read(write_pdf("Ein ﬂacher Titel", "Die ﬂache Ofﬁzin, 𝒜.")).text == "Die ﬂache Ofﬁzin, 𝒜."


def one_page(content: str, resources: str = "", rest: str = "", *more: str | bytes) -> bytes:
    """Return a PDF of one page, of which `rest` are more entries; the objects from 6 on are `more`."""
    font = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"
    page = f"/MediaBox [0 0 612 792] /Resources <</Font <</F 5 0 R>> {resources}>> /Contents 4 0 R {rest}"
    pages = "<</Type /Pages /Kids [3 0 R] /Count 1>>"
    own = ("<</Type /Catalog /Pages 2 0 R>>", pages, f"<</Type /Page /Parent 2 0 R {page}>>")
    return objects_of(*own, content.encode(), font, *more)


TEXT = "BT /F 10 Tf 1 0 0 1 72 500 Tm (The lamp.) Tj ET\n"
STAMP = TEXT.replace("500", "700").replace("lamp", "stamp")
FORM = (
    "<</Type /XObject /Subtype /Form /BBox [0 0 {0} {0}] /Resources <</Font <</F 5 0 R>> >> /Length 48>>\n"
    f"stream\n{TEXT}endstream"
)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        # A page in a picture, below a stamp; a picture with letters in it.
        (
            one_page(f"/P Do {STAMP}", "/XObject <</P 6 0 R>>", "", FORM.format(900)),
            "The stamp.\n\nThe lamp.",
        ),
        (one_page(f"/P Do {STAMP}", "/XObject <</P 6 0 R>>", "", FORM.format(99)), "The stamp."),
    ],
)
def test_a_picture_is_read_if_it_is_the_page(read: Read, data: bytes, text: str) -> None:
    assert read(data).text == text


def test_a_broken_page_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "run_parser", parse_here)
    data = objects_of(
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R 4 0 R] /Count 2>>",
        "<</Type /Page /Contents 5 0 R /Resources <</Font <</F 6 0 R>> >> >>",
        "<</Type /Page /Contents 5 0 R /Resources <</Font <</F 7 0 R>> >> >>",
        TEXT.encode(),
        "<</Type /Font /Subtype /Type0 /DescendantFonts []>>",
        "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    )
    source = read_articles(put(tmp_path, {"a.pdf": data}))
    assert [(article.text, article.page_at(0)) for article in source.articles] == [("The lamp.", 2)]
    assert source.notes == (f"{tmp_path}/a.pdf: cannot be read on page 1",)


def test_a_child_reads_files_and_refuses_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in one line that says what to do; the others are read all the same."""
    locked = FPDF()
    locked.add_page()
    locked.set_encryption("owner", "user")
    whole = pdf_of([draw(X, Y, LAMP)])
    kids = " ".join(f"{number} 0 R" for number in range(3, 2004))
    pages = ["<</Type /Page /Parent 2 0 R>>"] * 2001
    bomb = "<</Length 8 /Filter /ASCIIHexDecode /DecodeParms <</Predictor 12 /Columns 3000000000>> >>"
    files = {
        "bomb.pdf": one_page("", "", "/Contents 6 0 R", f"{bomb}\nstream\n02414141\nendstream"),
        "broken.pdf": whole[: len(whole) // 3],
        "fine.pdf": whole,
        "letter.pdf": b"Dear keeper, this is a letter.",
        "locked.pdf": bytes(locked.output()),
        "long.pdf": objects_of("<</Type /Catalog /Pages 2 0 R>>", f"<</Type /Pages /Kids [{kids}]>>", *pages),
        "scan.pdf": pdf_of([]),
    }
    source = read_articles(put(tmp_path, files))
    assert [problem.removeprefix(f"{tmp_path}/") for problem in source.problems] == [
        "bomb.pdf: takes more than 1 GB of memory to read; split it",
        "broken.pdf: not a PDF, or a broken one; save or print it as PDF again",
        "letter.pdf: not a PDF, or a broken one; save or print it as PDF again",
        "locked.pdf: encrypted; save it without a password",
        "long.pdf: has more than 2,000 pages; split it",
        "scan.pdf: has no text; if it is a scan, run text recognition on it, for example with ocrmypdf",
    ]
    assert [article.text for article in source.articles] == [LAMP_TEXT]
    monkeypatch.setattr(pdf, "_SECONDS", 0.01)
    assert problems(tmp_path / "fine.pdf")[0].endswith("fine.pdf: takes too long to read; split it")


SMALL = one_page(TEXT)
CHANGES = st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.binary(max_size=3)), max_size=9)


@given(CHANGES)
@example([(0, b"")])
def test_any_change_of_a_file_leaves_pages_or_one_error(changes: list[tuple[int, bytes]]) -> None:
    data = SMALL
    for place, new in changes:
        data = data[:place] + new + data[place + len(new) :]
    first, *rest = json.loads(json.dumps(list(records(data))))
    errors = [record for record in (first, *rest) if "error" in record]
    assert errors == ([] if not errors else [(first, *rest)[-1]])
    assert errors or rest


WORDS = [
    "The lamp",
    "burned oil.",
    "light-",
    "house",
    "\xb7 rope",
    "1. tar",
    "a\tb",
    "o\tc",
    "12",
    "xi",
    "Who?",
    ". . . . 5",
]
SPOTS = st.sampled_from([-9.0, 0.0, 40.0, 72.0, 72.1, 84.0, 300.0, 760.0])
LINES = st.builds(
    lambda text, x, width, y, size, looks: (text, x, x + width, y, size, *looks),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    SPOTS,
    st.sampled_from([0.0, 30.0, 400.0]),
    SPOTS,
    st.sampled_from([0.5, 8.0, 10.0, 20.0]),
    st.tuples(st.booleans(), st.booleans()),
)
PAGES = st.lists(st.lists(st.lists(LINES, min_size=1, max_size=9), max_size=3), min_size=1, max_size=4)


@given(PAGES)
def test_any_lines_make_an_article_with_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: list[list[list[tuple[object, ...]]]]
) -> None:
    rows = [
        {"lines": [(*line, page, column) for column, lines in enumerate(columns) for line in lines]}
        for page, columns in enumerate(pages, 1)
    ]
    named = {"Title": "Lamps", "Author": "", "CreationDate": ""}
    monkeypatch.setattr(pdf, "run_parser", lambda _: [named, *rows])
    source = read_articles(put(tmp_path, {"a.pdf": b"-", "b.txt": "Something else."}))
    (article, *_) = source.articles
    check_blocks(article.text, article.blocks)
    if article.id == "a":
        assert len(article.pages) == len(pages)
        assert list(article.pages) == sorted(article.pages)
        assert 0 <= article.pages[0] <= article.pages[-1] <= len(article.text)
    else:
        assert "has no text" in source.problems[0]


def test_the_parser_is_loaded_in_the_child_only() -> None:
    program = (
        "import sys, index.articles.formats; print([m for m in sys.modules if m.startswith('pdfminer')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
