"""Sitemaps: a site's pages, or its further sitemaps; and XML that anybody wrote, as a tree.

A sitemap may be packed by gzip: https://www.sitemaps.org/protocol.html.
"""

from __future__ import annotations

import html
import re
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import Any

from index.sources.links import absolute

__all__ = ["LARGEST", "Sitemap", "is_sitemap", "parse_xml", "read_sitemap", "root_name"]

LARGEST = 10_000_000
"""Bytes of one feed or sitemap, unpacked: some 50,000 addresses."""

_MAX_TOKENS = 1_000_000  # tags and references; some 300 MB of memory
_GZIP, _MARGIN = b"\x1f\x8b", 65_536
_ELEMENT = r"<(?:[\w.-]{{1,40}}:)?({})\b"
_ROOT = re.compile(_ELEMENT.format("html|rss|feed|rdf|urlset|sitemapindex").encode(), re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<[bh]r>|&(?:#?\w{1,40};)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap names: pages, or, in an index, further sitemaps."""

    pages: list[str]
    sitemaps: list[str]


def is_sitemap(content: bytes, media_type: str) -> bool:
    """Tell whether bytes are a sitemap: what is packed, or has its root element."""
    is_packed = content.startswith(_GZIP) and media_type != "text/html"
    return is_packed or root_name(content) in {"urlset", "sitemapindex"}


def read_sitemap(content: bytes, url: str, limit: int) -> Sitemap:
    """Return the first `limit` entries of the sitemap at `url`, each once.

    Raises:
        ValueError: it cannot be read, is too large, or is cut off, so that pages would seem to be gone.
    """
    if content.startswith(_GZIP):
        try:
            content = zlib.decompressobj(31).decompress(content, LARGEST + 1)
        except zlib.error as error:
            raise ValueError(f"it cannot be unpacked: {error}") from error
    root = parse_xml(content, "urlset|sitemapindex")
    if not re.search(rb"(?i)</[^<>]{0,40}(?:urlset|sitemapindex)", content[-_MARGIN:]):
        raise ValueError("it is cut off before its end; try again later")

    def addresses(tag: str) -> list[str]:
        links = (element.findtext("{*}loc") or "" for element in root.iter(tag))
        return [*filter(None, dict.fromkeys(absolute(link, url) for link in islice(links, limit)))]

    return Sitemap(addresses("{*}url"), addresses("{*}sitemap"))


def root_name(content: bytes) -> str:
    """Return the name of the first root element of a feed, sitemap or page, in lower case; "" for none."""
    match = _ROOT.search(content[:_MARGIN].replace(b"\0", b""))
    return match[1].decode().lower() if match else ""


def parse_xml(content: bytes, roots: str) -> Any:
    """Return the first element of a name in `roots`, with "|" between them; what is broken is left out.

    What stands before it is not read: neither a document type nor its entities. lxml limits the depth.

    Raises:
        ValueError: it is too large, or there is no such element.
    """
    from lxml import etree  # type: ignore[import-untyped]

    from index.articles.html_tree import decode_html

    if len(content) > LARGEST or content.count(b"<") + content.count(b"&") > _MAX_TOKENS:
        raise ValueError(f"it has more than {LARGEST // 1_000_000} MB or {_MAX_TOKENS:,} tags; split it")
    text = _CONTROLS.sub("", decode_html(content))
    start = re.search(_ELEMENT.format(roots), text, re.IGNORECASE)
    if start is None:
        raise ValueError(f"it has no element <{roots.replace('|', '>, <')}>; check the address")
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(_REFERENCE.sub(_by_number, text[start.start() :]).encode(), parser)


def _by_number(match: re.Match[str]) -> str:
    """Return a reference, a bare "&" or <br> by numbers, as lxml drops good references after an error."""
    text = match[0]
    return text if text.startswith("<!") else "".join(f"&#{ord(each)};" for each in html.unescape(text))
