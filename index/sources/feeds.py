"""Feeds: the entries of RSS, Atom and JSON Feed, and an entry with its full text as an HTML page.

feedparser reads RSS and Atom. Parts of it take time that grows with the square of their input, so it is given
repaired XML, with only what is read of the entries asked for. Its sanitizer is off: it drops elements that
an article needs, and the reader of HTML cleans the text.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate
from typing import Any

from index.sources.links import absolute
from index.sources.markup import LARGEST, first_element, parse_xml

__all__ = ["FeedEntry", "entry_page", "is_feed", "read_feed"]

_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_FIRST_BYTES = 65_536
_MAX_ELEMENTS, _MAX_ATTRIBUTES = 150_000, 100  # of the entries that are read, and of one of their elements
_MAX_VALUE = 2_000  # characters of a title, a name, an address or a date
_TEXTS = frozenset({"channel", "item", "entry", "body", "content", "encoded"})
_VALUES = frozenset(
    "author created creator date guid id issued link modified name published pubdate title updated".split()
)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_TAG = re.compile(r"<(script|style)\b.*?</\1>|</?[a-z][^<>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry: its page, plain title and author, and its day as an ISO date; "" for what it lacks.

    `html` is its full text, "" where the feed has a summary only.
    """

    url: str
    title: str = ""
    author: str = ""
    published: str = ""
    html: str = ""


def is_feed(content: bytes, media_type: str) -> bool:
    """Tell whether bytes are a feed: by their first element, their JSON, or the media type."""
    start, root = content[:_FIRST_BYTES], first_element(content)
    if _is_json(content):
        return b"jsonfeed.org/version/" in start
    if root == "rdf":
        return b"purl.org/rss/" in start or b"netscape.com/rdf/" in start
    return root in {"rss", "feed"} or (media_type in _TYPES and root != "html")


def _is_json(content: bytes) -> bool:
    return content[:_FIRST_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_feed(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    """Return those of the first `limit` entries of the feed at `url` that have a web address, each once.

    Raises:
        ValueError: it is no feed, or cannot be read; with the reason.
    """
    found = (_read_json if _is_json(content) else _read_xml)(content, url, limit)
    entries = {entry.url: entry for entry in reversed(found) if entry.url}
    if found and not entries:
        raise ValueError("none of its entries has a web address")
    return [*reversed(entries.values())]


def _read_json(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST // 1_000_000} MB, the limit of a feed")
    try:
        feed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not valid JSON; check the address") from error
    items = feed.get("items")
    if not isinstance(items, list):
        raise ValueError('it has no list "items", so it is no JSON Feed')
    return [_json_entry(item, feed, url) for item in items[:limit] if isinstance(item, dict)]


def _json_entry(item: Mapping[str, object], feed: Mapping[str, object], base: str) -> FeedEntry:
    def text(*names: str) -> str:
        return next((value for name in names if isinstance(value := item.get(name), str) and value), "")

    return FeedEntry(
        absolute(text("url"), base) or absolute(text("id"), "") or absolute(text("external_url"), base),
        _line(text("title")),
        _json_authors(item) or _json_authors(feed),
        _day(text("date_published", "date_modified")),
        _unicode(text("content_html")) or _paragraphs(_unicode(text("content_text"))),
    )


def _json_authors(part: Mapping[str, object]) -> str:
    authors = part.get("authors") or [part.get("author")]
    listed = authors if isinstance(authors, list) else []
    return _line(", ".join(str(author.get("name") or "") for author in listed if isinstance(author, dict)))


def _read_xml(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    import feedparser  # type: ignore[import-untyped]

    xml = io.BytesIO(_reduced(content, limit))
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    options = {"response_headers": headers, "sanitize_html": False, "resolve_relative_uris": False}
    try:
        parsed = feedparser.parse(xml, **options)
        return [_xml_entry(entry, parsed.feed, url) for entry in parsed.entries]
    except Exception as error:  # its many handlers fail in many ways
        raise ValueError(f"feedparser cannot read it: {error!r:.200}") from error


def _reduced(content: bytes, limit: int) -> bytes:
    """Return a feed as well-formed XML, with its first entries and what is read of them."""
    from lxml import etree  # type: ignore[import-untyped]

    root = parse_xml(content, "rss|feed|rdf")
    entries = [*root.iter("{*}item", "{*}entry")]
    for entry in entries[limit:]:
        entry.getparent().remove(entry)
    for parent in (root, *root.iter("{*}channel"), *entries[:limit]):
        for child in [*parent]:
            name = re.split("[}:]", child.tag)[-1].lower()
            if name not in _TEXTS | _VALUES:
                parent.remove(child)
            for element in child.iter() if name in _VALUES else ():
                element.text = (element.text or "")[:_MAX_VALUE]
    for element in root.xpath(f"//*[count(@*) > {_MAX_ATTRIBUTES}]"):
        element.attrib.clear()
    if root.xpath("count(//*)") > _MAX_ELEMENTS:
        raise ValueError(f"it has more than {_MAX_ELEMENTS:,} elements, the limit of a feed")
    reduced: bytes = etree.tostring(root, encoding="utf-8", with_tail=False)
    return reduced


def _xml_entry(entry: Any, feed: Any, base: str) -> FeedEntry:
    title, texts = entry.get("title_detail") or {}, entry.get("content") or [{}]
    authors = entry.get("authors") or feed.get("authors") or ()
    day = next((name for name in ("published", "updated", "created") if name in entry), "published")
    full = max(texts, key=lambda text: text.get("type") in _HTML_TYPES)
    is_html, value = full.get("type") in _HTML_TYPES, (full.get("value") or "").strip()
    return FeedEntry(
        absolute(entry.get("link") or "", base) or absolute(entry.get("id") or "", ""),
        _line((_plain if title.get("type") in _HTML_TYPES else str)(title.get("value") or "")),
        _line(", ".join(author.get("name") or author.get("email") or "" for author in authors)),
        _day(entry.get(day) or "", entry.get(f"{day}_parsed")),
        value if is_html else _paragraphs(value),
    )


def _plain(title: str) -> str:
    return html.unescape(_TAG.sub("", title[:_MAX_VALUE]))


def _line(text: str) -> str:
    return " ".join(_unicode(text).split())[:_MAX_VALUE]


def _unicode(text: str) -> str:
    """Return text without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _day(text: str, parsed: Any = None) -> str:
    """Return the day of a date, where its author was; `parsed` is what feedparser made of it; "" for none."""
    iso = re.match(r"\s*(\d{4})-(\d\d)-(\d\d)", text)
    parts = [*map(int, iso.groups())] if iso else parsedate(text[:_MAX_VALUE]) or parsed
    try:
        return date(*parts[:3]).isoformat() if parts else ""
    except ValueError:
        return ""


def _paragraphs(text: str) -> str:
    """Return plain text as HTML; blank lines part its paragraphs."""
    parts = filter(None, map(str.strip, re.split(r"\n\s*\n", text)))
    return "".join("<p>" + html.escape(part).replace("\n", "<br>") + "</p>" for part in parts)


def entry_page(entry: FeedEntry) -> bytes:
    """Return an entry as an HTML document in UTF-8: its title, author, day and address, and its full text."""
    url, title, author, day = map(html.escape, (entry.url, entry.title, entry.author, entry.published))
    page = f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title>
<meta property="og:title" content="{title}"><meta name="author" content="{author}">
<meta property="article:published_time" content="{day}"><link rel="canonical" href="{url}"></head>
<body><article><h1>{title}</h1>
{entry.html}
</article></body></html>
"""
    return page.encode("utf-8", "replace")
