"""The reader of EPUB books: one book is one article, whose chapters are read in the order of its spine.

What the spine marks as not linear (notes, answers to exercises) comes after the rest: people ask about
it too. A chapter that cannot be read is noted, and the others are read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from index.articles.article import ParsedArticle, RefusedError
from index.articles.blocks import BlockKind, TextBuilder
from index.articles.documents.zip_limits import LimitedZip
from index.articles.folder import SourceFile
from index.articles.html_blocks import add_html
from index.articles.html_tree import parse_html
from index.terminal import one_line

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["read_epub"]

_MAX_NOTES = 5  # of one book's chapters that cannot be read
_MAX_LABEL = 300  # characters of a chapter's title in the table of contents
_FONT_ENCRYPTION = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_NCX = "application/x-dtbncx+xml"  # the table of contents of EPUB 2
_GUIDES = frozenset({"cover", "toc"})
_APPARATUS = frozenset("cover toc landmarks loi lot page-list".split())
_MARKERS = (
    ".//*[@*[name()='epub:type'][contains(., 'noteref') or contains(., 'pagebreak')]]"
    " | .//nav[not(ancestor::nav)] | .//sup[a[contains(@href, '#')]] | .//a[sup][contains(@href, '#')]"
)
"""Navigation, the numbers of notes, and those of printed pages."""


def read_epub(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a book."""
    data = file.read()
    if not data:
        raise RefusedError("empty")
    book = _Book(LimitedZip(data))
    builder = TextBuilder()
    dropped: list[str] = []
    failed: list[str] = []
    paths = book.chapters()
    for path in paths:
        try:
            dropped += book.add_chapter(builder, path)
        except RefusedError as error:
            failed.append(f"chapter {one_line(path)} cannot be read: {error}")
    if len(failed) == len(paths):
        raise RefusedError(f"{failed[0] if failed else 'lists no chapters'}; download it again")
    if len(failed) > _MAX_NOTES:
        failed[_MAX_NOTES:] = [f"{len(failed) - _MAX_NOTES:,} more chapters cannot be read"]
    file.notes.extend(f"{one_line(file.url or file.path)}: {reason}; passed over" for reason in failed)
    yield ParsedArticle(file.id, book.fields(), builder, dropped=tuple(dropped))


class _Book:
    """An EPUB's package document, and the files that it names."""

    def __init__(self, parts: LimitedZip) -> None:
        self._parts = parts
        _refuse_protected(parts)
        container = parts.xml("META-INF/container.xml")
        paths = container.xpath("//*[local-name()='rootfile']/@full-path")
        if not paths:
            raise RefusedError("names no package document; download it again")
        self._package = parts.xml(paths[0])
        self._items = {
            item.get("id", ""): (_resolve(paths[0], item.get("href", "")), item)
            for item in self._package.xpath("*[local-name()='manifest']/*[local-name()='item']")
        }
        guides = self._package.xpath("*[local-name()='guide']/*[local-name()='reference']")
        self._apparatus = {
            _resolve(paths[0], guide.get("href", "")) for guide in guides if guide.get("type") in _GUIDES
        }
        navigation = [
            path for path, item in self._items.values() if "nav" in item.get("properties", "").split()
        ]
        self._apparatus.update(navigation)
        self._labels = self._read_labels(navigation)

    def fields(self) -> dict[str, object]:
        """Return the article's fields."""

        def values(name: str) -> list[str]:
            elements = self._package.xpath(f"*[local-name()='metadata']/*[local-name()='{name}']")
            return [each.xpath("normalize-space()") for each in elements]

        return {
            "title": "".join(values("title")[:1]),
            "author": values("creator"),
            "publisher": values("publisher"),
            "published": "".join(values("date")[:1])[:10],
        }

    def chapters(self) -> list[str]:
        """Return the paths of the chapters in the order in which they are read, each once."""
        refs = self._package.xpath("*[local-name()='spine']/*[local-name()='itemref']")
        refs.sort(key=lambda ref: ref.get("linear") == "no")
        items = [self._items.get(ref.get("idref", ""), (ref.get("idref", ""), ref)) for ref in refs]
        return [*dict.fromkeys(path for path, item in items if "image/" not in item.get("media-type", ""))]

    def add_chapter(self, builder: TextBuilder, path: str) -> list[str]:
        """Add a chapter's text; return what is no part of it: all of a cover or a table of contents.

        Raises:
            RefusedError: the chapter cannot be read.
        """
        body = self._body(path)
        sole = body if len(body) == 1 else ()
        types = {kind for element in (body, *sole) for kind in (element.get("epub:type") or "").split()}
        if path in self._apparatus or types & _APPARATUS:
            return [_squeezed(body)] if _squeezed(body) else []
        dropped = []
        for marker in body.xpath(_MARKERS):
            if marker.tag == "nav":
                dropped.append(_squeezed(marker))
            marker.drop_tree()
        # Without a heading, the text would stand below that of the chapter before.
        if path in self._labels and _squeezed(body) and not body.xpath(".//h1|.//h2|.//h3|.//h4|.//h5|.//h6"):
            builder.add(BlockKind.HEADING, self._labels[path], level=1)
        add_html(builder, body)
        return dropped

    def _body(self, path: str) -> HtmlElement:
        text = SourceFile(Path(path), path, content=self._parts.read(path)).text()
        body = parse_html(text if text.startswith("<?xml") else f"<?xml?>{text}").find("body")
        if body is None:
            raise RefusedError("it has no body")
        return body

    def _read_labels(self, navigation: list[str]) -> dict[str, str]:
        """Return the titles that the table of contents has for the chapters; it may be missing or broken."""
        labels: dict[str, str] = {}
        with suppress(RefusedError):
            for path in navigation:
                for link in self._body(path).xpath(".//nav[@*[name()='epub:type']='toc']//a[@href]"):
                    labels.setdefault(_resolve(path, link.get("href")), _squeezed(link)[:_MAX_LABEL])
            for path, item in self._items.values():
                points = self._parts.xml(path).iter("{*}navPoint") if item.get("media-type") == _NCX else ()
                for point in points:
                    address = point.xpath("string(*[local-name()='content']/@src)")
                    label = point.xpath("normalize-space(*[local-name()='navLabel'])")
                    labels.setdefault(_resolve(path, address), label[:_MAX_LABEL])
        return labels


def _resolve(base: str, address: str) -> str:
    """Return the name of the entry at an address in the entry `base`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(address.partition("#")[0])))


def _refuse_protected(parts: LimitedZip) -> None:
    """Refuse a book whose text is encrypted; fonts often are, which does no harm."""
    if "META-INF/encryption.xml" not in parts.names:
        return
    for entry in parts.xml("META-INF/encryption.xml").xpath("//*[local-name()='EncryptedData']"):
        if entry.xpath("string(*[local-name()='EncryptionMethod']/@Algorithm)") not in _FONT_ENCRYPTION:
            raise RefusedError("protected by DRM, so its text cannot be read; use an edition without it")


def _squeezed(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())
