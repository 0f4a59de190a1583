"""The reader of Word documents (.docx), by mammoth, which makes HTML of them.

Mammoth reads XML without limits, and repeats what a document refers to, so a small file could take any amount
of time and memory. It gets a new archive instead: the parts that hold text, parsed within limits, without
layout, pictures and fields. So it need not run in a child process, which takes longer than most documents do.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from index.articles.article import ParsedArticle, RefusedError
from index.articles.blocks import TextBuilder
from index.articles.documents.zip_limits import LimitedZip
from index.articles.folder import SourceFile
from index.articles.html_blocks import add_html
from index.articles.html_tree import parse_html

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

__all__ = ["read_docx"]

_OLE, _RTF = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf"
_LOCKED = "EncryptedPackage".encode("utf-16-le")  # the stream of a document with a password
_SAVE = "open it in Word or LibreOffice and save it as .docx"
_PARTS = re.compile(r"word/(?!comments)[^/]+\.xml|(?:word/)?_rels/[^/]+\.rels|\[Content_Types\]\.xml")
_MAX_ELEMENTS = 500_000  # without layout, some 2,000 pages; mammoth takes 1 KB of memory for each
_MAX_ATTRIBUTE = 500  # characters; the name of a style and the address of a link are repeated at every use

_LAYOUT = (
    "bookmarkEnd bookmarkStart color drawing imagedata ind jc lang lastRenderedPageBreak proofErr rFonts"
    " sectPr spacing sz szCs tabs tblBorders tcBorders tcW Choice fldChar instrText"
).split()
"""Elements that hold no text, or a text that another element holds too."""
_WRAPPERS = ("fldSimple", "bdo", "dir")  # mammoth leaves out what is inside
_HIDDEN = "//*[local-name()='r'][*/*[local-name()='vanish'][not(@*[.='0' or .='false'])]]"
_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name^='toc '] => p.contents:fresh
p[style-name='TOC Heading'] => p.contents:fresh
p[style-name='table of figures'] => p.contents:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
"""


def read_docx(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a document; without a title in its properties, the title or heading that opens it is the title."""
    data = file.read()
    if not data:
        raise RefusedError("empty")
    if data.startswith(_OLE) and _LOCKED in data:
        raise RefusedError("protected by a password; save it without one")
    if data.startswith((_OLE, _RTF)):
        raise RefusedError(f"{'RTF' if data.startswith(_RTF) else 'of an old version of Word'}; {_SAVE}")
    parts = LimitedZip(data)
    fields = _properties(parts)
    body = parse_html(_to_html(parts) or "<p></p>").find("body")
    contents = body.find_class("contents")
    dropped = tuple(line.text_content() for line in contents)
    for line in contents:
        line.drop_tree()
    opening = next((element for element in body if element.text_content().strip()), None)
    for heading in body.find_class("title")[:1] or body.xpath("h1"):
        title = " ".join(heading.text_content().split())
        if fields["title"] in {"", title} and (heading.get("class") or heading is opening):
            fields["title"] = title
            heading.drop_tree()
    builder = TextBuilder()
    add_html(builder, body)
    yield ParsedArticle(file.id, fields, builder, dropped=dropped)


def _properties(parts: LimitedZip) -> dict[str, str]:
    """Return the fields in the document's core properties; they may be missing."""
    texts: dict[str, str] = {}
    with suppress(RefusedError):
        core = parts.xml("docProps/core.xml")
        texts = {element.tag.rpartition("}")[2]: " ".join((element.text or "").split()) for element in core}
    day = (texts.get("created") or texts.get("modified") or "")[:10]
    return {"title": texts.get("title", ""), "author": texts.get("creator", ""), "published": day}


def _to_html(parts: LimitedZip) -> str:
    import mammoth  # type: ignore[import-untyped]
    from lxml import etree  # type: ignore[import-untyped]

    copy, elements = io.BytesIO(), 0
    with zipfile.ZipFile(copy, "w") as archive:
        for name in filter(_PARTS.fullmatch, sorted(parts.names)):
            root = parts.xml(name)
            _strip(root)
            elements += int(root.xpath("count(//*)"))
            if elements > _MAX_ELEMENTS:
                raise RefusedError(f"has more than {_MAX_ELEMENTS:,} elements; split it")
            archive.writestr(name, etree.tostring(root))
    try:
        result = mammoth.convert_to_html(
            copy, style_map=_STYLES, include_embedded_style_map=False, convert_image=lambda _: []
        )
    except Exception as error:  # it checks little, and fails in any way on what is damaged
        raise RefusedError(f"not a Word document, damaged, or nested too deeply; {_SAVE}") from error
    return str(result.value)


def _strip(root: _Element) -> None:
    """Take out of a part what is not text, and what would make a long text of a short document."""
    from lxml import etree

    etree.strip_elements(root, *(f"{{*}}{name}" for name in _LAYOUT), with_tail=False)
    etree.strip_tags(root, *(f"{{*}}{name}" for name in _WRAPPERS))
    for value in root.xpath(f"//@*[string-length() > {_MAX_ATTRIBUTE}]"):
        value.getparent().set(value.attrname, "")
    notes: set[tuple[str, ...]] = set()
    for reference in list(root.iter("{*}footnoteReference", "{*}endnoteReference")):
        note = (reference.tag, *reference.values())
        if note in notes:
            reference.getparent().remove(reference)
        notes.add(note)
    for run in root.xpath(_HIDDEN):
        run.getparent().remove(run)
