"""Feeds: the entries of RSS, Atom and JSON Feed, and an entry with its full text as an HTML page.

Most elements are told by their names alone, as many feeds forget a namespace or mistake it.
"""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

from index.sources.links import absolute
from index.sources.sitemaps import LARGEST, parse_xml, root_name

__all__ = ["FeedEntry", "entry_page", "is_feed", "read_feed"]

_MAX_VALUE = 2_000  # characters of a title, a name or a date
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
_FULL_TEXT = ("{*}encoded", "content:encoded", "{http://www.w3.org/2005/Atom}content", "{*}body")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry: its page, plain title and author, its day as an ISO date, and its full text; "" for none."""

    url: str
    title: str = ""
    author: str = ""
    published: str = ""
    html: str = ""


def is_feed(content: bytes, media_type: str) -> bool:
    """Tell whether bytes are a feed: by their root element, their JSON, or the media type."""
    if _JSON.match(content):
        return b"jsonfeed.org/version/" in content[:_MAX_VALUE]
    root = root_name(content)
    return root in {"rss", "feed", "rdf"} or (media_type.endswith(("rss+xml", "atom+xml")) and root != "html")


def read_feed(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    """Return those of the first `limit` entries of the feed at `url` that have a web address, each once.

    Raises:
        ValueError: it is no feed, or cannot be read; with the reason.
    """
    entries = (_json_entries if _JSON.match(content) else _xml_entries)(content, url, limit)
    by_url = {entry.url: entry for entry in reversed(entries) if entry.url}
    if entries and not by_url:
        raise ValueError("none of its entries has a web address")
    return [*reversed(by_url.values())]


def _json_entries(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    try:
        items = json.loads(content[:LARGEST])["items"][:limit]
        return [_json_entry(item, url) for item in items if isinstance(item, dict)]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ValueError('it is too large, or no JSON Feed with a list "items"; check the address') from error


def _json_entry(item: Mapping[str, Any], base: str) -> FeedEntry:
    authors = item.get("authors") or [item.get("author") or {}]
    return FeedEntry(
        absolute(item.get("url") or "", base) or absolute(item.get("id") or "", ""),
        _plain(item.get("title") or ""),
        _plain(", ".join(author.get("name") or "" for author in authors)),
        _day(item.get("date_published") or item.get("date_modified") or ""),
        item.get("content_html") or _paragraphs(item.get("content_text") or ""),
    )


def _xml_entries(content: bytes, url: str, limit: int) -> list[FeedEntry]:
    root = parse_xml(content, "rss|feed|rdf")
    base = absolute(root.base or "", url) or url  # by xml:base
    entries = (entry for parent in (root, *root) for entry in parent.iterchildren("{*}item", "{*}entry"))
    author = _author(root)
    return [_xml_entry(entry, base, author) for entry in itertools.islice(entries, limit)]


def _xml_entry(entry: Any, base: str, author: str) -> FeedEntry:
    def first(*tags: str) -> str:
        return next(filter(None, map(_markup, entry.iterchildren(*tags))), "")

    links = (link for link in entry.iterchildren("{*}link") if link.get("rel", "alternate") == "alternate")
    addresses = (absolute(link.get("href") or link.text or "", base) for link in links)
    return FeedEntry(
        next(filter(None, addresses), "") or absolute(_plain(first("{*}id", "{*}guid")), ""),
        _plain(first("{*}title")),
        _author(entry) or author,
        _day(_plain(first("{*}published", "{*}pubDate", "{*}date") or first("{*}updated"))),
        first(*_FULL_TEXT),
    )


def _author(element: Any) -> str:
    people = element.iterchildren("{*}author", "{*}creator", "dc:creator")
    names = (_plain(person.findtext("{*}name") or person.text or "") for person in people)
    return _plain(", ".join(re.sub(r"^\S+@\S+ \((.+)\)$", r"\1", name) for name in names))


def _markup(element: Any) -> str:
    """Return what an element holds as HTML, whether it is plain text, escaped HTML or XHTML."""
    from lxml import html as lxml_html  # type: ignore[import-untyped]

    if len(element):
        lxml_html.xhtml_to_html(element)
        element.tag = "div"
        return str(lxml_html.tostring(element, encoding="unicode", with_tail=False))
    text = (element.text or "").strip()
    return _paragraphs(text) if "Atom" in element.tag and element.get("type", "text") == "text" else text


def _paragraphs(text: str) -> str:
    """Return plain text as HTML; blank lines part its paragraphs."""
    return "<p>" + html.escape(text).replace("\n\n", "<p>").replace("\n", "<br>") if text else ""


def _plain(markup: str) -> str:
    text = re.sub(r"</?[a-z][^<>]*>", "", markup[:_MAX_VALUE], flags=re.IGNORECASE)
    return " ".join(html.unescape(text).split())


def _day(text: str) -> str:
    """Return the day of a date by ISO 8601 or RFC 5322, where its author was; "" for none."""
    try:
        if text[:4].isdigit():
            return date.fromisoformat(text[:10]).isoformat()
        return parsedate_to_datetime(text[:_MAX_VALUE]).date().isoformat()
    except (ValueError, OverflowError):
        return ""


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
