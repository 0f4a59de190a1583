"""PDF files: made line by line with fpdf2, or part by part in letters that no font has."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from fpdf import FPDF

from index.articles.documents.pdf_layout import records

__all__ = ["Draw", "draw", "objects_of", "parse_here", "pdf_of", "write_pdf"]

Draw = Callable[[FPDF], None]
"""Draws something on the last page."""

_BETWEEN = re.compile(r"\r?\n\s*\n|\r\s*\r")  # paragraphs
_FONT = """<</Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /ToUnicode 6 0 R
/DescendantFonts [<</Type /Font /Subtype /CIDFontType2 /BaseFont /Any /DW 500 /FontDescriptor 7 0 R
/CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> >>] >>"""
_DESCRIPTOR = (
    "<</Type /FontDescriptor /FontName /Any /Flags 4 /Ascent 800 /Descent -200 /FontBBox [0 0 500 800]>>"
)


def parse_here(data: bytes) -> list[dict[str, Any]]:
    """Return what `pdf.run_parser` does, without a child process, which takes half a second."""
    return [json.loads(json.dumps(record)) for record in records(data)]


def pdf_of(*pages: Sequence[Draw], **metadata: object) -> bytes:
    """Return a PDF whose pages, of 612 to 792 points, functions draw on, with title, author and so on."""
    pdf = FPDF(unit="pt", format="letter")
    pdf.set_auto_page_break(False)
    for name, value in metadata.items():
        getattr(pdf, f"set_{name}")(value)
    for page in pages:
        pdf.add_page()
        for draw_on in page:
            draw_on(pdf)
    return bytes(pdf.output())


def draw(x: float, y: float, text: str, font: str = "", size: float = 10, family: str = "Times") -> Draw:
    """Return a function that draws lines below each other, the first `y` points from the top."""

    def drawn(pdf: FPDF) -> None:
        pdf.set_font(family, font, size)
        for number, line in enumerate(text.split("\n")):
            indent = len(line) - len(line.lstrip())
            pdf.text(x + 0.6 * size * indent, y + 1.2 * size * number, line.lstrip())

    return drawn


def write_pdf(title: str, body: str) -> bytes:
    """Return a PDF of one page with a line for each paragraph, in a font of all characters of the text."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in _BETWEEN.split(body)]
    codes = {letter: code for code, letter in enumerate(sorted(set("".join(paragraphs))), 1)}
    meanings = "\n".join(f"<{code:04x}> <{_utf16(letter)}>" for letter, code in codes.items())
    lines = ("".join(f"{codes[letter]:04x}" for letter in paragraph) for paragraph in paragraphs)
    content = "".join(
        f"BT /F 10 Tf 1 0 0 1 72 {72 + 40 * row} Tm <{line}> Tj ET\n"
        for row, line in enumerate(reversed([*lines]))
    )
    page = f"/MediaBox [0 0 612 {144 + 40 * len(paragraphs)}] /Resources <</Font <</F 5 0 R>> >>"
    return objects_of(
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        f"<</Type /Page /Parent 2 0 R {page} /Contents 4 0 R>>",
        content.encode(),
        _FONT,
        f"{len(codes)} beginbfchar\n{meanings}\nendbfchar\n".encode(),
        _DESCRIPTOR,
        info=f"<</Title <feff{_utf16(title)}>>>",
    )


def _utf16(text: str) -> str:
    return text.encode("utf-16-be", "surrogatepass").hex()


def objects_of(*objects: str | bytes, info: str = "<<>>") -> bytes:
    """Return a PDF of objects, numbered from 1, of which the first is the catalog; bytes are streams."""
    file = io.BytesIO()
    file.write(b"%PDF-1.7\n")
    places = []
    for number, item in enumerate((*objects, info), 1):
        places.append(file.tell())
        content = item.encode() if isinstance(item, str) else _stream(item)
        file.write(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    count, start = len(places), file.tell()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer\n<</Size {count + 1} /Root 1 0 R /Info {count} 0 R>>\nstartxref\n{start}\n%%EOF\n"
    file.write(f"xref\n0 {count + 1}\n0000000000 65535 f \n{table}{trailer}".encode())
    return file.getvalue()


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"<</Filter /FlateDecode /Length %d>>\nstream\n%b\nendstream" % (len(packed), packed)
