"""Fetching pages over HTTP, politely and safely: in turns, as robots.txt allows, within limits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Self

import aiohttp
from stamina import AsyncRetryingCaller
from stamina.instrumentation import set_on_retry_hooks
from yarl import URL

from index.sources import politeness
from index.sources.addresses import FetchError, RefusedAddressError, parse_address, public_socket
from index.sources.media_types import judge_media_type
from index.sources.politeness import PRODUCT, ClosedHostError, HostQueue
from index.terminal import one_line

if TYPE_CHECKING:
    from protego import Protego

__all__ = ["FetchError", "FetchLimits", "Fetched", "Fetcher", "Validators"]

_ROBOTS_SIZE = 512_000  # bytes of a robots.txt that are read (RFC 9309: at least 500 KiB)
_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_STATUSES = {404: "there is no such page", 410: "the page was removed", 429: "the server is asked too often"}
# What went wrong, whether it may pass, and how to say it; the first that fits.
_FAILURES: tuple[tuple[type[Exception], bool, str], ...] = (
    (aiohttp.ClientConnectorCertificateError, False, "the certificate of {host} is not valid"),
    (aiohttp.ClientSSLError, False, "no secure connection to {host} can be made"),
    (aiohttp.ClientResponseError, False, "the answer is not valid HTTP"),
    (ValueError, False, "not an address that can be connected to; correct it"),
    (TimeoutError, True, "the whole answer did not come in time"),
    (aiohttp.ClientConnectorDNSError, True, "no address is known for {host}"),
    (aiohttp.ClientConnectorError, True, "{host} cannot be reached"),
    (Exception, True, "the connection broke, or what came through it was damaged"),
)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The bounds of a fetch: bytes of a page without compression, seconds of a try, redirects, and tries.

    `wait` is the longest that a host may have us wait for our turn, `backoff` the pause after a first try,
    both in seconds.
    """

    size: int = 64_000_000
    seconds: float = 60.0
    redirects: int = 10
    tries: int = 3
    backoff: float = 1.0
    wait: float = 60.0


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server names the state of a page by, to be asked later whether it changed."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it was fetched from `url`; `moved` says that redirects led there, all of them permanent.

    `status` is 200, or 304 for a page that has not changed, without content. `charset` is what the header
    named, known to Python or not, or "". `validators` are empty after a redirect that is not permanent, as
    it may lead to another page next time. `noindex` says that the server asks crawlers not to index the page.
    """

    url: str
    moved: bool
    status: int
    content: bytes
    media_type: str
    charset: str
    validators: Validators
    noindex: bool


class Fetcher:
    """An async context manager that fetches pages; one for each refresh, so that robots.txt is read anew.

    `contact` tells the owners of servers whom to write to. Of hosts that are not on the public internet only
    those in `allow_private` are asked, each named as URLs name it. `delay` is the pause in seconds between
    two requests to a host.

    Raises:
        ValueError: a name in `allow_private` is not that of a host.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        allow_private: Collection[str] = (),
        delay: float = 1.0,
        limits: FetchLimits | None = None,
    ) -> None:
        agent = f"{PRODUCT}/{version('footnote')}" + (f" (+{one_line(contact)})" if contact else "")
        accepted = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        self._headers = {"User-Agent": agent, "Accept": accepted, "Accept-Encoding": "gzip, deflate"}
        self._private = {URL.build(scheme="http", host=name.strip("[]")).raw_host for name in allow_private}
        self._limits = limits = limits or FetchLimits()
        backoff = limits.backoff
        self._retrying = AsyncRetryingCaller(
            limits.tries, timeout=None, wait_initial=backoff, wait_max=20 * backoff, wait_jitter=backoff
        )
        self._queues: defaultdict[str | None, HostQueue] = defaultdict(lambda: HostQueue(delay, limits.wait))
        self._robots: dict[URL, Protego | str] = {}
        self._robots_locks: defaultdict[URL, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        set_on_retry_hooks([])  # a page that cannot be fetched is reported; the tries before need no log
        self._public_session = self._session(aiohttp.TCPConnector(socket_factory=public_socket))
        self._private_session = self._session(aiohttp.TCPConnector())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._public_session.close()
        await self._private_session.close()

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._limits.seconds, sock_connect=15),
            trust_env=False,
        )

    async def fetch(self, url: str, known: Validators | None = None) -> Fetched:
        """Fetch the page at `url`, unless it has not changed since the server gave the `known` validators.

        Raises:
            FetchError: it cannot be fetched, or must not be.
        """
        response, content, redirects = await self._follow(parse_address(url), known or Validators())
        is_permanent = redirects <= _PERMANENT
        etag, modified = (response.headers.get(name, "") for name in ("ETag", "Last-Modified"))
        return Fetched(
            url=str(response.url),
            moved=bool(redirects) and is_permanent,
            status=response.status,
            content=content,
            media_type=judge_media_type(response.headers.get("Content-Type", ""), content, response.url.path),
            charset=response.charset or "",
            validators=Validators(_sendable(etag), _sendable(modified)) if is_permanent else Validators(),
            noindex=politeness.forbids_indexing(response.headers.getall("X-Robots-Tag", ())),
        )

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's host names.

        Raises:
            FetchError: the robots.txt cannot be fetched now.
        """
        page = parse_address(url)
        rules, sitemaps = await self._rules_for(page), []
        for text in rules.sitemaps:
            with suppress(FetchError):
                sitemaps.append(str(parse_address(text, base=page)))
        return list(dict.fromkeys(sitemaps))

    async def _follow(
        self, start: URL, known: Validators, *, is_robots: bool = False
    ) -> tuple[aiohttp.ClientResponse, bytes, set[int]]:
        """Return the answer that redirects lead to, with the statuses of the redirects."""
        url, seen, redirects = start, {start}, set[int]()
        while True:
            if not is_robots and not (await self._rules_for(url)).can_fetch(str(url), PRODUCT):
                raise FetchError(
                    f"{one_line(url)}: robots.txt of {url.raw_host} asks crawlers not to fetch it"
                )
            response, content = await self._retrying(_may_retry, self._request, url, known, is_robots)
            if response.status not in _REDIRECTS:
                return response, content, redirects
            redirects.add(response.status)
            url, known = parse_address(response.headers.get("Location", ""), base=url), Validators()
            if response.url.scheme == "https" and url.scheme == "http":  # anybody on the way could answer
                raise FetchError(f"{one_line(start)}: redirects to {one_line(url)}, which is not secure")
            if url in seen:
                raise FetchError(f"{one_line(start)}: redirects in a circle; perhaps the site needs cookies")
            if len(seen) > self._limits.redirects:
                raise FetchError(f"{one_line(start)}: more than {self._limits.redirects} redirects")
            seen.add(url)

    async def _rules_for(self, url: URL) -> Protego:
        """Return the robots.txt of the URL's host, which is read once."""
        origin = url.origin()
        async with self._robots_locks[origin]:
            if origin not in self._robots:
                self._robots[origin] = await self._read_robots(origin / "robots.txt")
        rules = self._robots[origin]
        if isinstance(rules, str):
            raise FetchError(
                f"{one_line(url)}: not fetched, as robots.txt cannot be ({rules})", temporary=True
            )
        self._queues[url.raw_host].slow_down(rules.crawl_delay(PRODUCT))
        return rules

    async def _read_robots(self, url: URL) -> Protego | str:
        """Return the rules, none if there is no robots.txt; or why nothing can be fetched now (RFC 9309)."""
        try:
            _, content, _ = await self._follow(url, Validators(), is_robots=True)
        except FetchError as error:
            return error.reason if error.temporary else politeness.parse_robots(b"")
        return await asyncio.to_thread(politeness.parse_robots, content)

    async def _request(
        self, url: URL, known: Validators, is_robots: bool
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Ask once, in the host's turn, and return a page, a redirect, or "not modified".

        Raises:
            FetchError: there is no answer, or another one.
        """
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        session = self._private_session if url.raw_host in self._private else self._public_session
        queue = self._queues[url.raw_host]
        try:
            async with queue.turn(url), session.get(url, headers=headers, allow_redirects=False) as response:
                status = response.status
                if status == 200:
                    return response, await self._body(response, is_robots=is_robots)
                if status in _REDIRECTS or (status == 304 and headers):
                    return response, b""
                if status in {429, 503}:
                    seconds = politeness.seconds_of_retry_after(response.headers.get("Retry-After", ""))
                    queue.leave_alone(seconds)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(url, error) from error
        reason = f"{_STATUSES.get(status, 'the server did not give the page')} (HTTP {status})"
        temporary = status in {408, 425, 429} or status >= 500
        raise FetchError(f"{one_line(url)}: {reason}", status=status, temporary=temporary)

    async def _body(self, response: aiohttp.ClientResponse, *, is_robots: bool) -> bytes:
        """Read a body, of a robots.txt only the start.

        Raises:
            FetchError: it is too large.
        """
        limit = _ROBOTS_SIZE if is_robots else self._limits.size
        body = bytearray()
        # aiohttp decompresses some 256 KiB at a time, so a bomb is noticed early.
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                if not is_robots:
                    raise FetchError(
                        f"{one_line(response.url)}: larger than {limit / 1_000_000:g} MB, the limit"
                    )
                break
        return bytes(body[:limit])


def _may_retry(error: Exception) -> bool:
    return isinstance(error, FetchError) and error.temporary and not isinstance(error, ClosedHostError)


def _explained(url: URL, error: Exception) -> FetchError:
    """Return the error for people, and whether it may pass."""
    if isinstance(getattr(error, "os_error", None), RefusedAddressError):
        reason = f"{url.raw_host} is not on the public internet; if it is yours, name it with --allow-private"
        return FetchError(f"{one_line(url)}: {reason}")
    temporary, reason = next((passes, text) for kind, passes, text in _FAILURES if isinstance(error, kind))
    return FetchError(f"{one_line(url)}: {reason.format(host=url.raw_host)}", temporary=temporary)


def _sendable(header: str) -> str:
    """Return a header that can be sent back as it came, else ""."""
    return header if header.isascii() and header.isprintable() else ""
