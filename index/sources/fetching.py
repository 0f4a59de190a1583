"""Fetching pages over HTTP, politely and safely: in turns, as robots.txt allows, within limits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from http.client import responses
from importlib.metadata import version
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import ClientResponse
from stamina import AsyncRetryingCaller
from stamina.instrumentation import set_on_retry_hooks
from yarl import URL

from index.sources import servers
from index.sources.addresses import FetchError, RefusedAddressError, parse_address, public_socket
from index.sources.links import absolute
from index.sources.servers import PRODUCT, ClosedHostError, HostPauses
from index.terminal import one_line

if TYPE_CHECKING:
    from protego import Protego

__all__ = ["FetchError", "FetchLimits", "Fetched", "Fetcher", "Validators"]

_ROBOTS_SIZE = 512_000  # bytes of a robots.txt that are read (RFC 9309: at least 500 KiB)
_REDIRECTS = {301, 302, 303, 307, 308}
_FINAL = (aiohttp.ClientSSLError, aiohttp.ClientResponseError, ValueError)  # errors that stay if tried again


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The bounds of a fetch."""

    size: int = 64_000_000  # bytes of a page, without compression
    seconds: float = 60.0  # of a try
    redirects: int = 10
    tries: int = 3
    backoff: float = 1.0  # seconds of the pause after the first try


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server names the state of a page by, to be asked later whether it changed."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it was fetched from `url`; `moved` says that redirects led there, all of them permanent.

    `status` is 200, or 304 without content for an unchanged page. `charset` is what the header named.
    `validators` are empty after a redirect that is not permanent, as it may lead to another page next time.
    `noindex` says that the server asks crawlers not to index the page.
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

    It fetches one page at a time, with a pause of `delay` seconds between two requests to a host. `contact`
    tells the owners of servers whom to write to. Of hosts that are not on the public internet only those in
    `allow_private` are asked, each named as URLs name it.

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
        hosts = (URL.build(scheme="http", host=name.strip("[]")) for name in allow_private)
        self._private_hosts = {host.raw_host for host in hosts}
        self._limits = limits = limits or FetchLimits()
        self._retrying = AsyncRetryingCaller(
            limits.tries, timeout=None, wait_initial=limits.backoff, wait_jitter=limits.backoff
        )
        self._pauses: defaultdict[str | None, HostPauses] = defaultdict(lambda: HostPauses(delay))
        self._robots: dict[URL, Protego | FetchError] = {}
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        set_on_retry_hooks([])  # a page that cannot be fetched is reported; the tries before need no log
        self._public, self._private = (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=socket_factory),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._limits.seconds, sock_connect=15),
            )
            for socket_factory in (public_socket, None)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._public.close()
        await self._private.close()

    async def fetch(self, url: str, known: Validators | None = None) -> Fetched:
        """Fetch the page at `url`, unless it has not changed since the server gave the `known` validators.

        Raises:
            FetchError: it cannot be fetched, or must not be.
        """
        async with self._lock:
            return await self._follow(parse_address(url), known or Validators())

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's host names.

        Raises:
            FetchError: the robots.txt cannot be fetched now.
        """
        async with self._lock:
            rules = await self._rules_for(parse_address(url))
        return [*filter(None, dict.fromkeys(absolute(each, url) for each in rules.sitemaps))]

    async def _follow(self, start: URL, known: Validators, *, is_robots: bool = False) -> Fetched:
        """Fetch the page that redirects lead to."""
        url, seen, statuses = start, {start}, set[int]()
        while True:
            if not is_robots and not (await self._rules_for(url)).can_fetch(str(url), PRODUCT):
                raise FetchError(f"{one_line(url)}: forbidden by robots.txt of {url.raw_host}; exclude it")
            response, content = await self._retrying(_may_retry, self._request, url, known, is_robots)
            if response.status not in _REDIRECTS:
                return _fetched(response, content, statuses)
            statuses.add(response.status)
            url, known = parse_address(response.headers.get("Location", ""), base=url), Validators()
            if response.url.scheme == "https" and url.scheme == "http":  # anybody on the way could answer
                raise FetchError(f"{one_line(start)}: redirects to {one_line(url)}, which is not secure")
            if url in seen or len(seen) > self._limits.redirects:
                raise FetchError(f"{one_line(start)}: redirects without end; perhaps the site needs cookies")
            seen.add(url)

    async def _rules_for(self, url: URL) -> Protego:
        """Return the robots.txt of the URL's host, which is read once (RFC 9309)."""
        origin = url.origin()
        if origin not in self._robots:
            try:
                page = await self._follow(origin / "robots.txt", Validators(), is_robots=True)
                self._robots[origin] = servers.parse_robots(page.content)
            except FetchError as error:
                self._robots[origin] = error if error.temporary else servers.parse_robots(b"")
        rules = self._robots[origin]
        if isinstance(rules, FetchError):
            raise FetchError(f"{one_line(url)}: robots.txt cannot be read: {rules.reason}", temporary=True)
        self._pauses[url.raw_host].slow_down(rules.crawl_delay(PRODUCT))
        return rules

    async def _request(self, url: URL, known: Validators, is_robots: bool) -> tuple[ClientResponse, bytes]:
        """Ask once, and return a page, a redirect, or "not modified"; raises `FetchError` for all else."""
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        session = self._private if url.raw_host in self._private_hosts else self._public
        pauses = self._pauses[url.raw_host]
        await pauses.wait(url)
        try:
            async with session.get(url, headers=headers, allow_redirects=False) as response:
                status = response.status
                if status == 200:
                    return response, await self._read(response, is_robots=is_robots)
                if status in _REDIRECTS or (status == 304 and headers):
                    return response, b""
                pauses.begin(response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(url, error) from error
        finally:
            pauses.begin()
        reason = f"the server gives no page, but HTTP {status} {responses.get(status, '')}".rstrip()
        temporary = status in {408, 425, 429} or status >= 500
        raise FetchError(f"{one_line(url)}: {reason}", status=status, temporary=temporary)

    async def _read(self, response: ClientResponse, *, is_robots: bool) -> bytes:
        """Return a body within the limit; of a robots.txt only the start."""
        limit = _ROBOTS_SIZE if is_robots else self._limits.size
        body = bytearray()
        # aiohttp decompresses some 256 KiB at a time, so a bomb is noticed early.
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                if is_robots:
                    break
                raise FetchError(f"{one_line(response.url)}: larger than {limit / 1e6:g} MB, the limit")
        return bytes(body[:limit])


def _fetched(response: ClientResponse, content: bytes, redirects: set[int]) -> Fetched:
    is_permanent, headers = redirects <= {301, 308}, response.headers
    values = (headers.get(name, "") if is_permanent else "" for name in ("ETag", "Last-Modified"))
    return Fetched(
        url=str(response.url),
        moved=bool(redirects) and is_permanent,
        status=response.status,
        content=content,
        media_type=servers.judge_media_type(headers.get("Content-Type", ""), content, response.url.path),
        charset=response.charset or "",
        validators=Validators(*(text if text.isascii() and text.isprintable() else "" for text in values)),
        noindex=servers.forbids_indexing(headers.getall("X-Robots-Tag", ())),
    )


def _may_retry(error: Exception) -> bool:
    return isinstance(error, FetchError) and error.temporary and not isinstance(error, ClosedHostError)


def _explained(url: URL, error: Exception) -> FetchError:
    """Return the error for people, and whether it may pass."""
    if isinstance(getattr(error, "os_error", None), RefusedAddressError):
        return FetchError(f"{one_line(url)}: not on the public internet; if it is yours, use --allow-private")
    temporary, cause = not isinstance(error, _FINAL), one_line(error) or "no whole answer in time"
    advice = "try again later" if temporary else "check the address and its server"
    return FetchError(f"{one_line(url)}: not fetched ({cause}); {advice}", temporary=temporary)
