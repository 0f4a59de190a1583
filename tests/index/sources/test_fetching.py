"""Fetching: what comes back, what is asked of servers and how often, and where nobody is let in."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given

from index.sources import addresses
from index.sources.archive import SUFFIXES
from index.sources.fetching import Fetched, Fetcher, FetchError, FetchLimits, Validators
from index.sources.servers import HostPauses, forbids_indexing, judge_media_type, parse_robots
from tests.index.sources.web import Page, Reply, WebServer, break_off, drip, redirect
from tests.strategies import hostile_text

QUICK = FetchLimits(backoff=0.001, seconds=5)
GZIP = {"Content-Encoding": "gzip"}
DATE = "Mon, 02 Mar 2026 10:00:00 GMT"
PAGE = "<!doctype html><title>Opening hours</title><p>The library opens at nine."


@pytest.fixture
async def site() -> AsyncIterator[WebServer]:
    async with WebServer({"/": PAGE}) as server:
        yield server


def fetcher(**options: Any) -> Fetcher:
    """Return a fetcher that may ask 127.0.0.1, and hardly waits."""
    settings: dict[str, Any] = {"allow_private": ["127.0.0.1"], "delay": 0, "limits": QUICK}
    return Fetcher(**settings | options)


async def fetch(url: str, known: Validators | None = None, **options: Any) -> Fetched:
    """Fetch one page with a new fetcher."""
    async with fetcher(**options) as new:
        return await new.fetch(url, known)


async def failure(url: str, **options: Any) -> FetchError:
    """Return why a page is not fetched: in one line that names the address."""
    with pytest.raises(FetchError, match=r"\A\w+:[^\n]*\Z") as caught:
        await fetch(url, **options)
    return caught.value


async def test_a_page_and_its_headers(site: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    headers = {"Content-Type": "text/html; charset=ISO-8859-1", "Last-Modified": DATE, "ETag": '"café"'}
    headers |= {"Set-Cookie": "visitor=1", "X-Robots-Tag": "otherbot: nofollow, footnote: noindex"}
    url = site.url("/caf%C3%A9?a=1")
    site.pages["/caf%C3%A9?a=1"] = Reply("<p>Caf\xe9".encode("latin-1"), headers=headers)
    async with fetcher(contact="mailto:editor@example.org") as new:
        page = await new.fetch(site.url("/café?a=1#menu"))
        await new.fetch(site.url())
    expected = "text/html", "ISO-8859-1", Validators("", DATE), True
    assert page == Fetched(url, False, 200, b"<p>Caf\xe9", *expected)
    for request in site.requests:
        assert re.fullmatch(r"Footnote/\S+ \(\+mailto:editor@example\.org\)", request.headers["User-Agent"])
        assert "Cookie" not in request.headers


async def test_an_unchanged_page_is_not_sent_again(site: WebServer) -> None:
    first = await fetch(site.url())
    again = await fetch(site.url(), first.validators)
    assert (again.status, again.content, again.validators) == (304, b"", first.validators)
    site.pages["/"] = PAGE.replace("nine", "ten")
    assert b"ten" in (await fetch(site.url(), first.validators)).content
    await fetch(site.url(), Validators("", DATE))
    assert site.requests[-1].headers["If-Modified-Since"] == DATE
    site.pages["/never-asked"] = Reply(status=304)
    assert (await failure(site.url("/never-asked"))).status == 304


@pytest.mark.parametrize(
    ("statuses", "moved"), [([301], True), ([308, 301], True), ([303], False), ([301, 307], False)]
)
async def test_redirects(site: WebServer, statuses: list[int], moved: bool) -> None:
    for number, status in enumerate(statuses):
        site.pages[f"/{number}"] = redirect(f"{number + 1}#part", status)
    site.pages[f"/{len(statuses)}"] = PAGE
    page = await fetch(site.url("/0"), Validators('"old"'))
    assert (page.url, page.moved) == (site.url(f"/{len(statuses)}"), moved)
    assert bool(page.validators.etag) is moved
    asked = [request.headers.get("If-None-Match") for request in site.requests if request.path[1:].isdigit()]
    assert asked == ['"old"', *[None] * len(statuses)]


@pytest.mark.parametrize(
    ("page", "reason", "requests"),
    [
        (redirect("/page"), "redirects without end", 1),
        (redirect("/a/"), "redirects without end", 11),
        (redirect("ftp://example.org/"), "no http(s) address", 1),
        (Reply(status=410), "HTTP 410 Gone", 1),
        (Reply(status=500), "HTTP 500", 3),
        (break_off, "try again later", 3),
        (drip(b"<p>slow</p>", 0.05), "no whole answer in time", 3),
        (drip(bytes(100_000), 0), "larger than 1 MB", 1),
        (Reply(gzip.compress(bytes(64_000_000), 1), headers=GZIP), "larger than 1 MB", 1),
        (Reply(b"no gzip", headers=GZIP), "try again later", 3),
        (Reply(headers={"X-Long": "x" * 100_000}), "check the address", 1),
    ],
)  # fmt: skip
async def test_pages_that_cannot_be_had(site: WebServer, page: Page, reason: str, requests: int) -> None:
    chain = {"/" + "a/" * depth: redirect("/" + "a/" * (depth + 1)) for depth in range(1, 20)}
    site.pages |= {"/page": page, **chain}
    limits = FetchLimits(size=1_000_000, seconds=0.4, backoff=0.001)
    tracemalloc.start()
    error = await failure(site.url("/page"), limits=limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert reason in error.reason
    assert (error.temporary, error.gone) == (requests == 3, error.status == 410)
    assert len(site.paths) == requests


async def test_it_is_tried_again_after_errors_that_pass(site: WebServer) -> None:
    replies: list[Reply | str] = [Reply(status=503, headers={"Retry-After": "0"}), Reply(status=502), PAGE]

    async def recovering(_: web.Request) -> Reply | str:
        return replies.pop(0)

    site.pages["/"] = recovering
    assert (await fetch(site.url())).status == 200


async def test_a_host_that_asks_to_be_left_alone_is(site: WebServer) -> None:
    site.pages["/busy"] = Reply(status=429, headers={"Retry-After": "3600"})
    began = monotonic()
    async with fetcher(limits=FetchLimits(backoff=0.1)) as new:
        for path in ("/busy", *["/"] * 9):
            with pytest.raises(FetchError, match=r"left alone for 3,[56]"):
                await new.fetch(site.url(path))
    assert site.paths == ["/busy"]
    assert monotonic() - began < 0.9  # it is not tried again


ROBOTS = """
User-agent: *
Disallow: /private/
Disallow: /*.pdf$
Allow: /private/open
Sitemap: /sitemap.xml
Sitemap: https://example.org/other.xml
Sitemap: ftp://example.org/other.xml

User-agent: Otherbot
User-agent: Footnotes
Disallow: /
"""


@pytest.mark.parametrize(
    ("robots", "forbidden", "allowed"),
    [
        (ROBOTS, ["/private/a", "/a.pdf", "/private/?x"], ["/", "/private/open", "/a.pdf?x"]),
        (ROBOTS + "\nuser agent footnote/2.0 # ours\nDisallow: /a", ["/a", "/a.pdf"], ["/", "/private/a"]),
        ("\ufeffUser-Agent:*\r\nDisallow:/", ["/", "/a"], []),
        ("User-agent: *\nDisallow: /a\n" + "#" * 600_000 + "\nDisallow: /b", ["/a"], ["/b"]),
        ("<!doctype html><p>User-agent: *\nDisallow: /", [], ["/"]),
        (drip(b"\n" * 100_000, 0), [], ["/"]),
        (Reply(status=401), [], ["/"]),
        (redirect("/robots.txt"), [], ["/"]),
        (redirect("/rules"), ["/a"], ["/"]),
    ],
)  # fmt: skip
async def test_robots_txt(site: WebServer, robots: Page, forbidden: list[str], allowed: list[str]) -> None:
    site.pages.update(dict.fromkeys([*forbidden, *allowed], PAGE))
    site.pages["/robots.txt"] = robots
    site.pages["/rules"] = Reply("User-agent: *\nDisallow: /a", headers={"Content-Type": "text/plain"})
    async with fetcher() as new:
        for path in forbidden:
            with pytest.raises(FetchError, match=r"forbidden by robots\.txt of 127\.0\.0\.1"):
                await new.fetch(site.url(path))
        for path in allowed:
            await new.fetch(site.url(path))
    assert [path for path in site.paths if path != "/rules"] == allowed
    assert len(site.requests) - len(site.paths) == 1  # robots.txt, once


async def test_sitemaps_are_those_of_robots_txt(site: WebServer) -> None:
    site.pages["/robots.txt"] = ROBOTS
    async with fetcher() as new:
        sitemaps = await new.sitemaps(site.url("/somewhere/deep"))
    assert sitemaps == [site.url("/sitemap.xml"), "https://example.org/other.xml"]


@pytest.mark.parametrize(
    ("robots", "reason", "requests"),
    [("User-agent: *\nDisallow: /", "forbidden by", 1), (Reply(status=500), "cannot be read: .*HTTP 500", 3)],
)
async def test_robots_txt_of_each_host(site: WebServer, robots: Page, reason: str, requests: int) -> None:
    async with WebServer({"/robots.txt": robots, "/there": PAGE}) as other, fetcher() as new:
        site.pages["/here"] = redirect(other.url("/there"))
        for url in (site.url("/here"), other.url("/there")):
            with pytest.raises(FetchError, match=reason):
                await new.fetch(url)
        assert (other.paths, len(other.requests)) == ([], requests)


@pytest.mark.parametrize(("robots", "pause"), [("", 0.02), ("User-agent: *\nCrawl-delay: 0.05", 0.05)])
async def test_requests_take_turns_with_a_pause(site: WebServer, robots: str, pause: float) -> None:
    async def slow(_: web.Request) -> str:
        await asyncio.sleep(0.02)
        return PAGE

    site.pages |= {"/robots.txt": robots, "/a": slow, "/b": slow, "/c": slow}
    async with fetcher(delay=0.02) as new:
        await asyncio.gather(*[new.fetch(site.url(path)) for path in ("/a", "/b", "/c")])
    assert len(site.requests) == 4
    for before, after in zip(site.requests[1:], site.requests[2:], strict=False):
        assert after.began >= before.began + 0.02 + pause


OTHER_SPELLINGS = ["2130706433", "127.1", "0177.0.0.1", "127.000.000.001"]
PRIVATE = "localhost 0.0.0.0 ①②⑦.0.0.2 0x7f.1 rebound.example [::ffff:127.0.0.1] [64:ff9b::7f00:1]".split()


@pytest.fixture
def rebound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rebound.example resolve to 127.0.0.1."""
    resolve = socket.getaddrinfo

    def rebind(host: str, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == "rebound.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)


@pytest.mark.usefixtures("rebound")
@pytest.mark.parametrize("host", PRIVATE + OTHER_SPELLINGS)
async def test_private_hosts_are_not_asked_even_by_a_redirect(site: WebServer, host: str) -> None:
    site.pages |= {"/go": redirect(site.url("/secret", host)), "/secret": PAGE}
    refused = "check the address" if host in OTHER_SPELLINGS else "not on the public internet; if it is yours"
    for url in (site.url("/secret", host), site.url("/go")):
        error = await failure(url)
        assert refused in error.reason
        assert not error.temporary
    assert site.paths == ["/go"]


@pytest.mark.usefixtures("rebound")
async def test_hosts_that_are_allowed_or_public_or_cannot_be_reached(
    site: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await fetch(site.url("/", "rebound.example"), allow_private=["Rebound.Example"])).status == 200
    with pytest.raises(ValueError, match="cannot contain"):
        Fetcher(allow_private=["example.org/path"])
    assert (await failure("http://127.0.0.1:1/")).temporary
    assert "not on the public internet" in (await failure(site.url(), allow_private=["127.0.0.2"])).reason
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
    assert (await fetch(site.url(), allow_private=[])).status == 200


async def test_https_is_verified_and_does_not_lead_to_http(
    site: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "both.pem").write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    async with WebServer({"/": PAGE, "/down": redirect(site.url())}, context) as secure:
        site.pages["/up"] = redirect(secure.url())
        error = await failure(site.url("/up"))
        assert (error.temporary, "certificate verify failed" in error.reason) == (False, True)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        assert (await fetch(site.url("/up"))).url == secure.url()
        assert "which is not secure" in (await failure(secure.url("/down"))).reason


def test_x_robots_tag() -> None:
    forbidding = "noindex|nofollow, NoIndex|googlebot: noindex, footnote: none|max-snippet: 20, noindex"
    allowing = "|index, follow|Googlebot: noindex|noindexing"
    assert all(forbids_indexing([header]) for header in forbidding.split("|"))
    assert not forbids_indexing(allowing.split("|"))
    assert forbids_indexing(["all", "none"])


@given(hostile_text("9", "noindex,", "text/", "User-agent: *\n", "Disallow: ", "/*a$", "Crawl-delay: 1e9\n"))
@example("9" * 400)
def test_any_header_and_any_robots_txt_can_be_read(text: str) -> None:
    pauses = HostPauses(0)
    pauses.begin(text)
    assert pauses.free_at <= monotonic() + 86_400
    forbids_indexing([text])
    judge_media_type(text, text.encode(), text)
    rules = parse_robots(text.encode())
    rules.can_fetch("http://127.0.0.1/a", "Footnote")
    rules.crawl_delay("Footnote")


def test_thousands_of_crawlers_times_thousands_of_rules_take_no_memory() -> None:
    crawlers = "".join(f"user{' ' * (n % 3)}agent {'a' * n}\n" for n in range(1, 1_000))
    rules = "".join(f"disallow: /{n}\n" for n in range(5_000))
    tracemalloc.start()
    parse_robots((crawlers + rules).encode())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


HTML, XML, PDF, UNKNOWN = "text/html", "application/xml", "application/pdf", "application/octet-stream"
ZIP = b"PK\x03\x04\x14\0"
DOCX = next(media_type for media_type, suffix in SUFFIXES.items() if suffix == ".docx")


@pytest.mark.parametrize(
    ("header", "content", "path", "expected"),
    [
        ("TEXT/HTML; charset=utf-8", b"<p>Nine", "/", HTML),
        ("application/xhtml+xml", b'<?xml version="1.0"?>\n<!DOCTYPE html><html>', "/", HTML),
        ("", b"\xef\xbb\xbf \n<!-- a --><!-- b -->\n<HTML lang=en>", "/", HTML),
        ("", b"<!---->" * 200, "/", "text/plain"),  # at once
        ("application/pdf", b"<html><p>Not found", "/a.pdf", HTML),
        ("text/html", b"%PDF-1.7\n", "/a", PDF),
        ("text/html", b"<?xml version='1.0'?><feed>", "/", XML),
        ("text/plain; charset=utf-8", b"# Hours", "/docs/README.md", "text/markdown"),
        ("", b"Hours", "/a", "text/plain"),
        ("text/plain", b"a\0b", "/a", UNKNOWN),
        ("text/plain", "Hours".encode("utf-16"), "/a", "text/plain"),
        ("", ZIP + b"META-INF/container.xml", "/a", "application/epub+zip"),
        ("application/zip", ZIP + b"word/document.xml", "/a", DOCX),
    ],
)  # fmt: skip
def test_media_type_by_header_and_first_bytes(header: str, content: bytes, path: str, expected: str) -> None:
    assert judge_media_type(header, content, path) == expected
