"""Fetching: what comes back, what is asked of servers and how often, and where nobody is let in."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

from index.sources import addresses
from index.sources.fetching import Fetched, Fetcher, FetchError, FetchLimits, Validators
from index.sources.media_types import DOCX, judge_media_type
from index.sources.politeness import forbids_indexing, parse_robots, seconds_of_retry_after
from tests.index.sources.web import Page, Reply, WebServer, bomb, break_off, drip, in_turn, redirect
from tests.strategies import hostile_text

QUICK = FetchLimits(backoff=0.001, seconds=5)
PAGE = "<!doctype html><title>Opening hours</title><p>The library opens at nine."


@pytest.fixture
async def site() -> AsyncIterator[WebServer]:
    async with WebServer({"/": PAGE}) as server:
        yield server


async def fetch(url: str, known: Validators | None = None, **options: Any) -> Fetched:
    """Fetch one page with a new fetcher that may ask 127.0.0.1, and hardly waits."""
    settings: dict[str, Any] = {"allow_private": ["127.0.0.1"], "delay": 0, "limits": QUICK} | options
    async with Fetcher(**settings) as fetcher:
        return await fetcher.fetch(url, known)


async def failure(url: str, **options: Any) -> FetchError:
    """Return why a page is not fetched: in one line that names the address."""
    with pytest.raises(FetchError) as caught:
        await fetch(url, **options)
    assert "\n" not in caught.value.reason
    assert "http" in caught.value.reason
    return caught.value


async def test_a_page_and_what_the_server_says_of_it(
    site: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    headers = {
        "Content-Type": "text/html; charset=ISO-8859-1",
        "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT",
        "ETag": '"café"',
        "Set-Cookie": "visitor=1",
        "X-Robots-Tag": "otherbot: nofollow, footnote: noindex",
    }
    site.pages["/caf%C3%A9?a=1"] = Reply("<p>Caf\xe9".encode("latin-1"), headers=headers)
    async with Fetcher(contact="mailto:editor@example.org", allow_private=["127.0.0.1"], delay=0) as fetcher:
        page = await fetcher.fetch(site.url("/café?a=1#menu"))
        await fetcher.fetch(site.url())
    assert page == Fetched(
        url=site.url("/caf%C3%A9?a=1"),
        moved=False,
        status=200,
        content=b"<p>Caf\xe9",
        media_type="text/html",
        charset="ISO-8859-1",
        validators=Validators("", "Mon, 02 Mar 2026 10:00:00 GMT"),
        noindex=True,
    )
    for request in site.requests:
        assert request.headers["User-Agent"].startswith("Footnote/")
        assert request.headers["User-Agent"].endswith("(+mailto:editor@example.org)")
        assert "Cookie" not in request.headers


async def test_an_unchanged_page_is_not_sent_again(site: WebServer) -> None:
    first = await fetch(site.url())
    again = await fetch(site.url(), first.validators)
    assert (again.status, again.content, again.validators) == (304, b"", first.validators)
    site.pages["/"] = PAGE.replace("nine", "ten")
    changed = await fetch(site.url(), first.validators)
    assert (changed.status, b"ten" in changed.content) == (200, True)
    await fetch(site.url(), Validators("", "Mon, 02 Mar 2026 10:00:00 GMT"))
    assert site.requests[-1].headers["If-Modified-Since"] == "Mon, 02 Mar 2026 10:00:00 GMT"
    site.pages["/never-asked"] = Reply(status=304)
    assert (await failure(site.url("/never-asked"))).status == 304


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [([301], True), ([308, 301], True), ([302], False), ([301, 307], False), ([303], False)],
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
        (redirect("/page"), "in a circle", 1),
        (redirect("", 301), "in a circle", 1),
        (redirect("/a/"), "more than 10 redirects", 11),
        (redirect("ftp://example.org/"), "not a web address", 1),
        (redirect("http://me:secret@127.0.0.1/"), "user name", 1),
        (Reply(status=404), "no such page", 1),
        (Reply(status=410), "was removed", 1),
        (Reply(status=403), "HTTP 403", 1),
        (Reply(status=204), "HTTP 204", 1),
        (Reply(status=300), "HTTP 300", 1),
        (Reply(status=500), "HTTP 500", 3),
        (Reply(status=429), "asked too often", 3),
        (break_off, "the connection broke", 3),
        (drip(b"<p>slow</p>", 0.05), "did not come in time", 3),
        (drip(bytes(100_000), 0), "larger than 1 MB", 1),
        (bomb(64_000_000), "larger than 1 MB", 1),
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "was damaged", 3),
        (Reply(b"?", headers={"Content-Encoding": "br"}), "not valid HTTP", 1),
        (Reply(headers={"X-Long": "x" * 100_000}), "not valid HTTP", 1),
    ],
)  # fmt: skip
async def test_pages_that_cannot_be_had(
    site: WebServer, page: Page, reason: str, requests: int | None
) -> None:
    async def chain(request: web.Request) -> Reply:
        return redirect(request.path + "a/")

    site.pages |= {"/page": page} | {"/" + "a/" * depth: chain for depth in range(1, 20)}
    limits = FetchLimits(size=1_000_000, seconds=0.4, backoff=0.001)
    tracemalloc.start()
    error = await failure(site.url("/page"), limits=limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert reason in error.reason
    assert error.temporary is (requests == 3)
    assert error.gone is (error.status in {404, 410})
    assert len(site.paths) == requests


async def test_a_page_of_exactly_the_limit_is_taken(site: WebServer) -> None:
    site.pages["/"] = bomb(1_000)
    assert (await fetch(site.url(), limits=FetchLimits(size=1_000))).content == bytes(1_000)
    assert "larger than" in (await failure(site.url(), limits=FetchLimits(size=999))).reason


async def test_it_is_tried_again_after_errors_that_pass(site: WebServer) -> None:
    site.pages["/"] = in_turn(Reply(status=503, headers={"Retry-After": "0"}), Reply(status=502), PAGE)
    assert (await fetch(site.url())).status == 200
    assert len(site.paths) == 3


async def test_a_host_that_asks_to_be_left_alone_is(site: WebServer) -> None:
    site.pages["/busy"] = Reply(status=429, headers={"Retry-After": "3600"})
    began = monotonic()
    async with Fetcher(allow_private=["127.0.0.1"], delay=0, limits=FetchLimits(backoff=0.1)) as fetcher:
        for path in ("/busy", *["/"] * 9):
            with pytest.raises(FetchError, match=r"left alone for 3,[56]") as caught:
                await fetcher.fetch(site.url(path))
            assert caught.value.temporary
    assert site.paths == ["/busy"]
    assert monotonic() - began < 0.9  # it is not tried again


async def test_a_closed_port_and_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    rebind(monkeypatch)
    for host, reason in [("127.0.0.1", "cannot be reached"), ("unknown.example", "no address is known")]:
        error = await failure(f"http://{host}:1/")
        assert error.temporary
        assert reason in error.reason


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
        ("", [], ["/"]),
        (drip(b"\n" * 100_000, 0), [], ["/"]),
        (Reply(status=404), [], ["/"]),
        (Reply(status=401), [], ["/"]),
        (redirect("/robots.txt"), [], ["/"]),
        (redirect("http://localhost/robots.txt"), [], ["/"]),
        (redirect("/rules"), ["/a"], ["/"]),
    ],
)  # fmt: skip
async def test_robots_txt(site: WebServer, robots: Page, forbidden: list[str], allowed: list[str]) -> None:
    site.pages.update(dict.fromkeys([*forbidden, *allowed], PAGE))
    site.pages["/robots.txt"] = robots
    site.pages["/rules"] = Reply("User-agent: *\nDisallow: /a", headers={"Content-Type": "text/plain"})
    async with Fetcher(allow_private=["127.0.0.1"], delay=0, limits=QUICK) as fetcher:
        for path in forbidden:
            with pytest.raises(FetchError, match=r"robots\.txt of 127\.0\.0\.1 asks") as caught:
                await fetcher.fetch(site.url(path))
            assert not caught.value.temporary
        for path in allowed:
            await fetcher.fetch(site.url(path))
    assert [path for path in site.paths if path != "/rules"] == allowed
    assert len(site.requests) - len(site.paths) == 1  # robots.txt, once


async def test_sitemaps_are_those_of_robots_txt(site: WebServer) -> None:
    site.pages["/robots.txt"] = ROBOTS
    async with Fetcher(allow_private=["127.0.0.1"], delay=0) as fetcher:
        sitemaps = await fetcher.sitemaps(site.url("/somewhere/deep"))
    assert sitemaps == [site.url("/sitemap.xml"), "https://example.org/other.xml"]


async def test_nothing_is_fetched_while_robots_txt_fails(site: WebServer) -> None:
    site.pages["/robots.txt"] = Reply(status=500)
    async with Fetcher(allow_private=["127.0.0.1"], delay=0, limits=QUICK) as fetcher:
        for _ in range(2):
            with pytest.raises(FetchError, match=r"robots\.txt cannot be.*HTTP 500") as caught:
                await fetcher.fetch(site.url())
            assert caught.value.temporary
    assert site.paths == []
    assert len(site.requests) == 3


async def test_a_redirect_is_judged_by_the_robots_txt_of_its_host(site: WebServer) -> None:
    async with WebServer({"/robots.txt": "User-agent: *\nDisallow: /", "/there": PAGE}) as other:
        site.pages["/here"] = redirect(other.url("/there"))
        assert "robots.txt" in (await failure(site.url("/here"))).reason
        assert other.paths == []


@pytest.mark.parametrize(("robots", "pause"), [("", 0.02), ("User-agent: *\nCrawl-delay: 0.05", 0.05)])
async def test_requests_take_turns_with_a_pause(site: WebServer, robots: str, pause: float) -> None:
    async def slow(_: web.Request) -> str:
        await asyncio.sleep(0.02)
        return PAGE

    site.pages |= {"/robots.txt": robots, "/a": redirect("/slow"), "/slow": slow, "/b": slow, "/c": slow}
    async with Fetcher(allow_private=["127.0.0.1"], delay=0.02) as fetcher:
        await asyncio.gather(*[fetcher.fetch(site.url(path)) for path in ("/a", "/b", "/c")])
    assert len(site.requests) == 5
    for before, after in zip(site.requests[1:], site.requests[2:], strict=False):
        assert after.began >= before.ended + pause


def rebind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rebound.example resolve to 127.0.0.1, and unknown.example to nothing."""
    resolve = socket.getaddrinfo

    def rebound(host: str, *rest: Any, **more: Any) -> Any:
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return resolve("127.0.0.1" if host == "rebound.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)


OTHER_SPELLINGS = ["2130706433", "127.1", "0177.0.0.1", "127.000.000.001"]
PRIVATE = """
    127.0.0.1 localhost LocalHost 0.0.0.0 ①②⑦.0.0.1 0x7f000001 0x7f.1 rebound.example 169.254.169.254 10.0.0.1
    [::1] [::] [::ffff:127.0.0.1] [0:0:0:0:0:ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::]
    [fe80::1] [fd00::1]
    """.split()


@pytest.mark.parametrize("host", PRIVATE + OTHER_SPELLINGS)
async def test_private_hosts_are_not_asked(
    site: WebServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebind(monkeypatch)
    error = await failure(f"http://{host}:{site.port}/", allow_private=["example.org", "127.0.0.2"])
    refused = (
        "not an address that can" if host in OTHER_SPELLINGS else "not on the public internet; if it is yours"
    )
    assert refused in error.reason
    assert not error.temporary
    assert site.requests == []


@pytest.mark.parametrize("host", ["localhost", "rebound.example", "[::ffff:127.0.0.1]", "0x7f.1"])
async def test_a_redirect_to_another_private_host_is_refused(
    site: WebServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebind(monkeypatch)
    site.pages |= {"/go": redirect(site.url("/secret", host)), "/secret": PAGE}
    assert "not on the public internet" in (await failure(site.url("/go"))).reason
    assert site.paths == ["/go"]


async def test_a_private_host_is_allowed_as_it_is_written(
    site: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebind(monkeypatch)
    page = await fetch(site.url("/", "rebound.example"), allow_private=["Rebound.Example"])
    assert page.content.decode() == PAGE
    with pytest.raises(ValueError, match="cannot contain"):
        Fetcher(allow_private=["example.org/path"])


async def test_a_public_address_is_asked(site: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
    assert (await fetch(site.url(), allow_private=[])).content.decode() == PAGE


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """Make a certificate for 127.0.0.1, which the fetcher trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = builder.add_extension(host, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "both.pem").write_bytes(secret + certificate.public_bytes(pem))
    trusting = ssl.create_default_context(cadata=certificate.public_bytes(pem).decode())
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


async def test_https_does_not_lead_to_http(site: WebServer, tls: ssl.SSLContext) -> None:
    async with WebServer({"/": PAGE, "/down": redirect(site.url())}, tls) as secure:
        site.pages["/up"] = redirect(secure.url())
        assert (await fetch(site.url("/up"))).url == secure.url()
        assert "which is not secure" in (await failure(secure.url("/down"))).reason
        assert site.paths == ["/up"]


async def test_connections_that_are_not_secure(site: WebServer, tls: ssl.SSLContext) -> None:
    error = await failure(site.url().replace("http:", "https:"))
    assert (error.temporary, "no secure connection" in error.reason) == (False, True)
    async with WebServer({"/": PAGE}, tls) as secure:
        error = await failure(secure.url(host="localhost"), allow_private=["localhost"])
    assert (error.temporary, "the certificate of localhost is not valid" in error.reason) == (False, True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        (["index, follow"], False),
        (["noindex"], True),
        (["nofollow, NoIndex"], True),
        (["none"], True),
        (["all", "noindex"], True),
        (["Googlebot: noindex"], False),
        (["googlebot: nofollow, noindex"], False),
        (["Footnote: noindex"], True),
        (["googlebot: noindex, footnote: none"], True),
        (["unavailable_after: 25 Jun 2026 15:00:00 PST, noindex"], True),
        (["max-snippet: 20, noindex"], True),
        (["noindexing"], False),
    ],
)
def test_x_robots_tag(headers: list[str], expected: bool) -> None:
    assert forbids_indexing(headers) is expected


def test_retry_after() -> None:
    assert seconds_of_retry_after("120") == 120
    assert seconds_of_retry_after("9" * 400) == 86_400
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    assert 590 < seconds_of_retry_after(later) <= 600
    assert seconds_of_retry_after("Mon, 02 Mar 2020 10:00:00 GMT") == 0
    assert (
        seconds_of_retry_after("soon") == seconds_of_retry_after("-5") == seconds_of_retry_after("nan") == 0
    )


@given(
    hostile_text(
        "Mon, ", "02 Mar 2026 ", "10:00:00", " GMT", "-0000", "noindex,", "Footnote:", "9", surrogates=True
    )
)
def test_any_header_can_be_read(text: str) -> None:
    assert 0 <= seconds_of_retry_after(text) <= 86_400
    forbids_indexing([text])
    judge_media_type(text, text.encode("utf-8", "replace"), text)


@given(
    hostile_text("User-agent: *\n", "user agent x\n", "Disallow: ", "/*a$", "Crawl-delay: 1e9\n", "Sitemap: ")
)
def test_any_robots_txt_can_be_read(text: str) -> None:
    rules = parse_robots(text.encode())
    rules.can_fetch("http://127.0.0.1/a", "Footnote")
    rules.crawl_delay("Footnote")


def test_thousands_of_crawlers_times_thousands_of_rules_take_no_memory() -> None:
    names = [str(n).translate(dict(zip(b"0123456789", "abcdefghij", strict=True))) for n in range(5_000)]
    crawlers = "".join(f"user{' ' * (n % 3)}agent {name}\n" for n, name in enumerate(names))
    rules = "".join(f"disallow: /{n}\n" for n in range(5_000))
    tracemalloc.start()
    parse_robots((crawlers + rules).encode())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "application/epub+zip" if name == "mimetype" else "<a/>")
    return file.getvalue()


HTML, XML, JSON, PDF = "text/html", "application/xml", "application/json", "application/pdf"


@pytest.mark.parametrize(
    ("header", "content", "path", "expected"),
    [
        ("text/html; charset=utf-8", b"<p>Nine", "/", HTML),
        ("TEXT/HTML", b"", "/", HTML),
        ("application/xhtml+xml", b'<?xml version="1.0"?>\n<!DOCTYPE html><html>', "/", HTML),
        ("", b"\xef\xbb\xbf \n<!-- a --><!-- b -->\n<HTML lang=en>", "/", HTML),
        ("", b"<!---->" * 200, "/", "text/plain"),  # at once
        ("application/octet-stream", b"<!doctype html>", "/a.pdf", HTML),
        ("application/pdf", b"<html><p>Not found", "/a.pdf", HTML),
        ("text/html", b"%PDF-1.7\n", "/a", PDF),
        ("", b"%PDF-1.7\n", "/a", PDF),
        ("application/x-pdf", b"junk", "/a", PDF),
        ("application/rss+xml", b"<rss version='2'>", "/", XML),
        ("text/html", b"<?xml version='1.0'?><feed>", "/", XML),
        ("text/plain", b"<urlset xmlns='x'>", "/", XML),
        ("application/x-gzip", b"\x1f\x8b\x08", "/sitemap.xml.gz", "application/gzip"),
        ("application/feed+json", b"{}", "/", JSON),
        ("text/plain", b' {"items": []}', "/", JSON),
        ("text/plain", b"[link](https://example.org)", "/a", "text/plain"),
        ("text/plain; charset=utf-8", b"# Hours", "/docs/README.md", "text/markdown"),
        ("text/markdown", b"<html>", "/a.md", "text/markdown"),
        ("", b"Hours", "/a.md", "text/markdown"),
        ("", b"Hours", "/a", "text/plain"),
        ("text/plain", b"a\0b", "/a", "application/octet-stream"),
        ("text/plain", "Hours".encode("utf-16"), "/a", "text/plain"),
        ("image/png", b"\x89PNG\r\n", "/a.png", "image/png"),
        ("application/zip", zipped("mimetype", "a"), "/a", "application/epub+zip"),
        ("", zipped("META-INF/container.xml", "mimetype"), "/a", "application/epub+zip"),
        ("application/octet-stream", zipped("[Content_Types].xml", "word/document.xml"), "/a", DOCX),
        ("text/plain", zipped("a"), "/a.txt", "application/zip"),
    ],
)  # fmt: skip
def test_media_type_by_header_and_first_bytes(header: str, content: bytes, path: str, expected: str) -> None:
    assert judge_media_type(header, content, path) == expected
