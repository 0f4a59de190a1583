"""What a crawler owes to a web server: turns with pauses, robots.txt, Retry-After, X-Robots-Tag."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING

from yarl import URL

from index.sources.addresses import FetchError
from index.terminal import one_line

if TYPE_CHECKING:
    from protego import Protego

__all__ = [
    "PRODUCT",
    "ClosedHostError",
    "HostQueue",
    "forbids_indexing",
    "parse_robots",
    "seconds_of_retry_after",
]

PRODUCT = "Footnote"
"""The crawler's name, in robots.txt and the User-Agent header (RFC 9309: the product token)."""

_LONGEST_CRAWL_DELAY = 30.0
_LONGEST_RETRY_AFTER = 86_400.0

_BLANK = r"[^\S\n]"
_AGENT_LINE = re.compile(
    rf"^{_BLANK}*user(?:-|{_BLANK}+)?agent(?:{_BLANK}*:|{_BLANK}){_BLANK}*(\*|[a-z_-]*).*",
    re.IGNORECASE | re.MULTILINE,
)
# The rules of X-Robots-Tag that have a value; any other name before a colon is a crawler's.
_RULES_WITH_VALUE = {"max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"}


class ClosedHostError(FetchError):
    """The host asked to be left alone for longer than we wait."""


class HostQueue:
    """The requests to one host: one at a time, with a pause of `delay` seconds between two."""

    def __init__(self, delay: float, longest_wait: float) -> None:
        self._delay = delay
        self._longest_wait = longest_wait
        self._free_at = 0.0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, url: URL) -> AsyncIterator[None]:
        """Hold the host for a request, once it is free.

        Raises:
            ClosedHostError: it would take longer than the longest wait.
        """
        async with self._lock:
            if (wait := self._free_at - monotonic()) > self._longest_wait:
                reason = f"{one_line(url)}: the server asks to be left alone for {wait:,.0f} seconds"
                raise ClosedHostError(reason, temporary=True)
            await asyncio.sleep(max(0.0, wait))
            try:
                yield
            finally:
                self.leave_alone(self._delay)

    def leave_alone(self, seconds: float) -> None:
        """Begin no request for so many seconds from now."""
        self._free_at = max(self._free_at, monotonic() + seconds)

    def slow_down(self, crawl_delay: float | None) -> None:
        """Pause as long as robots.txt asks, but at most 30 seconds, if that is longer than before."""
        self._delay = max(self._delay, min(crawl_delay or 0.0, _LONGEST_CRAWL_DELAY))


def parse_robots(content: bytes) -> Protego:
    """Return the rules of a robots.txt, of which only those for us and for all crawlers are kept.

    A hostile one lists thousands of crawlers over thousands of rules, and each crawler would get each rule.
    """
    from protego import Protego

    text = "\n".join(content.decode("utf-8-sig", "replace").splitlines())
    return Protego.parse(_AGENT_LINE.sub(_for_us_or_another, text))


def _for_us_or_another(line: re.Match[str]) -> str:
    agent = line[1].lower()
    return f"User-agent: {agent if agent in {'*', PRODUCT.lower()} else 'another'}"


def seconds_of_retry_after(value: str) -> float:
    """Return how long a Retry-After header asks to wait, at most a day; 0 for one that cannot be read."""
    try:
        if value.strip().isdecimal():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(0.0, seconds), _LONGEST_RETRY_AFTER)


def forbids_indexing(headers: Iterable[str]) -> bool:
    """Return whether X-Robots-Tag headers say `noindex` or `none`, to us or to all crawlers."""
    for header in headers:
        agent = "*"
        for part in header.lower().split(","):
            name, colon, rule = part.partition(":")
            if not colon:
                rule = name
            elif name.strip() not in _RULES_WITH_VALUE:
                agent = name.strip()
            if agent in {"*", PRODUCT.lower()} and rule.strip() in {"noindex", "none"}:
                return True
    return False
