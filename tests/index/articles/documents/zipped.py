"""Word and EPUB files, made part by part."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from html import escape

__all__ = ["docx_of", "epub_of", "write_docx", "write_epub", "zip_of"]

Parts = Mapping[str, str | bytes]
"""The contents of an archive's entries by their names."""

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
_PAGE = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>{}</html>'
_BETWEEN = re.compile(r"\r?\n\s*\n|\r\s*\r")  # paragraphs


def zip_of(parts: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def docx_of(body: str, parts: Mapping[str, str] | None = None) -> bytes:
    """Return a Word document of the XML of its body and of other parts; `w:` is declared in all of them."""
    parts = {"word/document.xml": f"<w:document><w:body>{body}</w:body></w:document>", **(parts or {})}
    return zip_of(
        {name: re.sub(r"^<[\w:]+", rf'\g<0> xmlns:w="{_WORD}"', part) for name, part in parts.items()}
    )


def epub_of(
    chapters: Mapping[str, str], package: Mapping[str, str] | None = None, parts: Parts | None = None
) -> bytes:
    """Return a book whose spine are these chapters, the bodies of pages by the names of their files.

    `package` adds to the elements `metadata`, `manifest`, `spine` and `guide` of the package document.
    """
    elements = {
        "metadata": "",
        "manifest": "".join(f'<item id="{name}" href="{name}"/>' for name in chapters),
        "spine": "".join(f'<itemref idref="{name}"/>' for name in chapters),
        "guide": "",
    }
    opf = "".join(f"<{name}>{own}{(package or {}).get(name, '')}</{name}>" for name, own in elements.items())
    pages = {
        f"OEBPS/{name}": _PAGE.format(body if body.startswith("<body") else f"<body>{body}</body>")
        for name, body in chapters.items()
    }
    container = {"META-INF/container.xml": _CONTAINER, "OEBPS/book.opf": f"<package>{opf}</package>"}
    return zip_of({**container, **pages, **(parts or {})})


def write_docx(title: str, body: str) -> bytes:
    """Return a Word document with a title and paragraphs."""
    heading = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>{escape(title)}</w:t></w:r></w:p>'
    texts = (f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in _BETWEEN.split(body))
    return docx_of(heading + "".join(texts))


def write_epub(title: str, body: str) -> bytes:
    """Return a book with a title and one chapter."""
    page = "".join(f"<p>{escape(text)}</p>" for text in _BETWEEN.split(body))
    return epub_of({"one.xhtml": page}, {"metadata": f"<title>{escape(title)}</title>"})
