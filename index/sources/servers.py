"""What web servers say and ask for: media types, robots.txt, X-Robots-Tag, and pauses between requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import monotonic
from typing import TYPE_CHECKING

from yarl import URL

from index.sources.addresses import FetchError
from index.terminal import one_line

if TYPE_CHECKING:
    from protego import Protego

__all__ = ["PRODUCT", "ClosedHostError", "HostPauses", "forbids_indexing", "judge_media_type", "parse_robots"]

PRODUCT = "Footnote"
"""The crawler's name, in robots.txt and the User-Agent header (RFC 9309: the product token)."""

_LONGEST_WAIT, _LONGEST_CRAWL_DELAY, _LONGEST_RETRY_AFTER = 60.0, 30.0, 86_400.0  # seconds
_AGENT_LINE = re.compile(r"\s*user(?:-|\s*)agent[\s:]+(\*|[a-z_-]*)", re.IGNORECASE)
_UNKNOWN = "application/octet-stream"
_SAME = {"": _UNKNOWN, "application/x-pdf": "application/pdf", "text/x-markdown": "text/markdown"}
_SIGNATURES = {
    rb"%PDF-": "application/pdf",
    # After declarations and comments, each of which can be matched in one way only.
    rb"(?:<\?xml[^>]*>\s*|<!--(?:(?!-->).)*-->\s*)*<(?:!doctype html|html|head|body)[\s>]": "text/html",
    rb"<(?:\?xml|rss|feed|urlset|sitemapindex)[\s>]": "application/xml",
}
_SUFFIXES = {".md": "text/markdown", ".markdown": "text/markdown", ".html": "text/html", ".htm": "text/html"}
_ZIPPED = {
    b"word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"META-INF/container.xml": "application/epub+zip",
}


class ClosedHostError(FetchError):
    """The host asked to be left alone for longer than we wait."""


@dataclass(slots=True)
class HostPauses:
    """The pauses between requests to one host: `delay` seconds each, the last one until `free_at`."""

    delay: float
    free_at: float = 0.0

    async def wait(self, url: URL) -> None:
        """Wait until the host may be asked again.

        Raises:
            ClosedHostError: it would take longer than a minute.
        """
        if (seconds := self.free_at - monotonic()) > _LONGEST_WAIT:
            reason = f"{one_line(url)}: the server asks to be left alone for {seconds:,.0f} seconds"
            raise ClosedHostError(reason, temporary=True)
        await asyncio.sleep(max(0.0, seconds))

    def begin(self, retry_after: str = "") -> None:
        """Begin a pause; a Retry-After header may ask for a longer one in seconds, but not by a date."""
        asked = min(float(retry_after), _LONGEST_RETRY_AFTER) if retry_after.isdecimal() else 0.0
        self.free_at = max(self.free_at, monotonic() + max(self.delay, asked))

    def slow_down(self, crawl_delay: float | None) -> None:
        """Pause as long as robots.txt asks, but at most 30 seconds, if that is longer than before."""
        self.delay = max(self.delay, min(crawl_delay or 0.0, _LONGEST_CRAWL_DELAY))


def parse_robots(content: bytes) -> Protego:
    """Return the rules of a robots.txt, with one name for all other crawlers.

    Protego would keep each rule of a group for each of its crawlers, and a hostile file names thousands.
    """
    from protego import Protego

    lines = content.decode("utf-8-sig", "replace").splitlines()
    for number, line in enumerate(lines):
        if match := _AGENT_LINE.match(line):
            agent = match[1].lower()
            lines[number] = f"User-agent: {agent if agent in {'*', PRODUCT.lower()} else 'another'}"
    return Protego.parse("\n".join(lines))


def forbids_indexing(headers: Iterable[str]) -> bool:
    """Return whether X-Robots-Tag headers say `noindex` or `none`, alone or to us."""
    rules = (rule.strip() for header in headers for rule in header.lower().split(","))
    return any(rule.removeprefix(f"{PRODUCT.lower()}:").strip() in {"noindex", "none"} for rule in rules)


def judge_media_type(header: str, content: bytes, path: str) -> str:
    """Return the media type of what was fetched.

    `header` is the Content-Type, or "". First bytes that are the signature of a format decide; the suffix of
    `path` is asked where the header says nothing.
    """
    named = header.partition(";")[0].strip().lower()
    named = _SAME.get(named, named)
    if content.startswith(b"PK\x03\x04"):  # a zip, where the names of the entries are not compressed
        named = next((media_type for name, media_type in _ZIPPED.items() if name in content), named)
    start = content[:1_024].removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, media_type in _SIGNATURES.items():
        if re.match(signature, start, re.IGNORECASE | re.DOTALL):
            return media_type
    is_text = b"\0" not in start or start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if is_text and named in {_UNKNOWN, "text/plain"}:
        return _SUFFIXES.get(PurePosixPath(path).suffix.lower(), "text/plain")
    return _UNKNOWN if named.startswith("text/") and not is_text else named
