"""XML that anybody wrote, as a tree.

Feeds and sitemaps often have an entity or a <br> of HTML, a bare "&" or a control character. These are
repaired in the text, since a parser that recovers from them loses more: it drops good references after them.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any

__all__ = ["LARGEST", "first_element", "parse_xml"]

LARGEST = 10_000_000
"""Bytes of one feed or sitemap, unpacked: some 50,000 addresses."""

_MAX_TAGS = 1_000_000
_FIRST_BYTES = 65_536
_NO_ELEMENT = re.compile(rb"\0|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_ELEMENT = re.compile(rb"<(?:[\w.-]{1,40}:)?([A-Za-z]\w{0,40})")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TOKEN = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<(?:br|hr|img)\b[^<>]*>|&#?\w{1,40};|(?:&(?!#?\w{1,40};))+",
    re.DOTALL | re.IGNORECASE,
)


def first_element(content: bytes) -> str:
    """Return the name of the first element, in lower case and without a prefix; "" if there is none."""
    match = _ELEMENT.search(_NO_ELEMENT.sub(b"", content[:_FIRST_BYTES]))
    return match[1].decode().lower() if match else ""


def parse_xml(content: bytes, roots: str) -> Any:
    """Return the first element of a name in `roots`, with "|" between them; what is broken is left out.

    What stands before it is not read: neither a document type nor its entities. lxml limits the depth.

    Raises:
        ValueError: it is too large, or there is no such element.
    """
    from lxml import etree  # type: ignore[import-untyped]

    from index.articles.html_tree import decode_html

    if len(content) > LARGEST or content.count(b"<") > _MAX_TAGS:
        raise ValueError(
            f"it has more than {LARGEST // 1_000_000} MB or {_MAX_TAGS:,} tags, the limit; split it"
        )
    text = _CONTROLS.sub("", decode_html(content))
    start = re.search(rf"<(?:[\w.-]{{1,40}}:)?(?:{roots})\b", text, re.IGNORECASE)
    if start is None:
        raise ValueError(f"it has no element <{roots.replace('|', '>, <')}>; check the address")
    options = {"remove_comments": True, "remove_pis": True, "strip_cdata": False}
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, **options)
    return etree.fromstring(_TOKEN.sub(_repair, text[start.start() :]).encode(), parser)


def _repair(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith("<"):
        return token if token.startswith("<!") else f"{token.rstrip('/>')}/>"
    return "&#38;" * len(token) if token.endswith("&") else _by_number(token)


@lru_cache
def _by_number(reference: str) -> str:
    """Return a reference by number, which is read even after an error; what is none, as text."""
    return "".join(f"&#{ord(each)};" if each in "&<>\"'" else each for each in html.unescape(reference))
