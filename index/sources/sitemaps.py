"""Sitemaps: a site's pages, or its further sitemaps; as XML or as a text of addresses, packed or not.

The format is that of https://www.sitemaps.org/protocol.html.
"""

from __future__ import annotations

import gzip
import io
import itertools
import re
import zlib
from dataclasses import dataclass

from index.sources.links import absolute
from index.sources.markup import LARGEST, first_element, parse_xml

__all__ = ["Sitemap", "SitemapEntry", "is_sitemap", "read_sitemap"]

_FIRST_BYTES, _LAST_BYTES = 65_536, 4_096
_ROOTS = ("urlset", "sitemapindex")
_END = re.compile(rb"</[^<>]{0,40}(?:urlset|sitemapindex)|<[^<>]*/>\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A page: its address, and when it was modified, as it stands in the sitemap, or ""."""

    url: str
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap names: pages, or, in an index, further sitemaps."""

    pages: list[SitemapEntry]
    sitemaps: list[str]


def is_sitemap(content: bytes, media_type: str) -> bool:
    """Tell whether bytes are a sitemap: by their first element, or since they are a text of addresses."""
    try:
        start = _unpacked(content, _FIRST_BYTES)
    except ValueError:
        return False
    return first_element(start) in _ROOTS or (media_type != "text/html" and _is_list(start))


def read_sitemap(content: bytes, url: str, limit: int) -> Sitemap:
    """Return the first `limit` entries of the sitemap at `url`, each once.

    Raises:
        ValueError: it cannot be read, is too large, or is cut off, so that pages would seem to be gone.
    """
    content = _unpacked(content, LARGEST + 1)
    if _is_list(content) and len(content) <= LARGEST:
        lines = dict.fromkeys(content.decode("utf-8-sig", "replace").split())
        found = filter(None, (absolute(line, url) for line in lines))
        return Sitemap([SitemapEntry(page) for page in itertools.islice(found, limit)], [])
    if first_element(content) in {"rss", "feed"}:
        raise ValueError("it is a feed, not a sitemap; follow it as a feed")
    root = parse_xml(content, "|".join(_ROOTS))
    if not _END.search(content.replace(b"\0", b"")[-_LAST_BYTES:]):
        raise ValueError("it is cut off before its end; try again later")
    pages, sitemaps = dict[str, str](), dict[str, None]()
    for element in root.iter("{*}url", "{*}sitemap"):
        if len(pages) + len(sitemaps) >= limit:
            break
        address = absolute(element.findtext("{*}loc") or "", url)
        if address and element.tag.endswith("sitemap"):
            sitemaps[address] = None
        elif address:
            pages.setdefault(address, (element.findtext("{*}lastmod") or "").strip())
    return Sitemap([SitemapEntry(*page) for page in pages.items()], [*sitemaps])


def _is_list(content: bytes) -> bool:
    lines = content[:_FIRST_BYTES].removeprefix(b"\xef\xbb\xbf").split()[:20]
    return bool(lines) and all(line.lower().startswith((b"http://", b"https://")) for line in lines)


def _unpacked(content: bytes, most: int) -> bytes:
    """Return the first bytes of what may be packed by gzip."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(content)).read(most)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
