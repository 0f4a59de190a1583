"""Who is let in, and how: tokens, proxies, names, forms of other sites, sessions, and headers."""

from __future__ import annotations

import gzip
import logging
import time
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.settings import BotSettings
from bot.web.security import check
from index.errors import SettingsError
from tests.bot.web.conftest import ADMIN_TOKEN, Site

TOKEN = "an-access-token-of-the-tests"
SECRET = SecretStr(TOKEN)
ARTICLES = "https://articles.example"
EVERYWHERE = ".".join("0000")


def basic(password: str, name: str = "anybody") -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(name, password)}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_beyond_this_machine_it_refuses_to_start_without_a_token_or_a_proxy() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        check(BotSettings.load(), host)
    for options in ({"web_token": TOKEN}, {"web_user_header": "X-Forwarded-User"}):
        check(BotSettings.load(**options), EVERYWHERE)
    for host, options in ((EVERYWHERE, {}), ("", {}), ("localhost.example", {"web_token": " " * 8})):
        with pytest.raises(SettingsError, match=r"FOOTNOTE_WEB_TOKEN.*FOOTNOTE_WEB_USER_HEADER"):
            check(BotSettings.load(**options), host)


async def test_with_a_token_strangers_see_only_health_checks(site: Site) -> None:
    async with site.again(web_token=SECRET) as guarded:
        for path in ("/healthz", "/readyz"):
            assert (await guarded.get(path))[0] == 200
        for path in ("/", "/articles", "/metrics", "/static/footnote.css", "/nowhere"):
            status, text, headers = await guarded.get(path)
            assert (status, text.count("\n")) == (401, 1), "one line, and nothing of what is inside"
            assert headers["WWW-Authenticate"].startswith("Basic realm=")
        status, _, headers = await guarded.get("/api/status")
        assert (status, headers["WWW-Authenticate"][:6]) == (401, "Bearer")
        assert headers["Content-Type"].startswith("application/problem+json")
        for given in (basic(TOKEN), basic(TOKEN, ""), bearer(TOKEN), bearer(ADMIN_TOKEN)):
            assert (await guarded.get("/verify", headers=given))[0] == 200, given


async def test_wrong_tokens_are_refused_and_logged_without_the_token(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    odd = ({"Authorization": text} for text in ("Basic %%%", "Basic 4pyT", "Digest x", "Bearer"))
    wrong = [basic(f"{TOKEN}x"), basic(""), basic(ADMIN_TOKEN), bearer(TOKEN[:-1]), bearer("é"), *odd]
    async with site.again(web_token=SECRET) as guarded:
        for given in wrong:
            assert (await guarded.get("/verify", headers=given))[0] == 401, given
    assert (await site.get("/verify", headers=bearer("not-the-admins")))[0] == 401
    assert (await site.get("/a%0aforged%1b[31m", headers=bearer("not-the-admins")))[0] == 401
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    line = "A sign-in from 127.0.0.1 at /verify failed: the token is wrong."
    assert lines[:-1] == [line] * (len(wrong) + 1)
    assert not any(character in lines[-1] for character in "\n\x1b")


async def test_compressed_bodies_are_refused_before_they_are_unpacked(site: Site) -> None:
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    async with site.again(web_token=SECRET) as guarded:
        for path in ("/verify", "/api/ask"):
            begun = time.perf_counter()
            status, _, _ = await guarded.post(path, data=bomb, headers={"Content-Encoding": "gzip"})
            assert (status, time.perf_counter() - begun < 1) == (415, True)


async def test_guessing_is_slowed_down_for_the_address_that_guesses_only(site: Site) -> None:
    here, there = ({"X-Forwarded-For": f"203.0.113.9, {address}"} for address in ("::1", "198.51.100.7"))
    async with site.again(web_token=SECRET) as guarded:
        seen = [(await guarded.get("/verify", headers={**basic(str(n)), **here}))[0] for n in range(12)]
        assert seen == [401] * 10 + [429] * 2
        status, _, headers = await guarded.get("/verify", headers={**basic(TOKEN), **here})
        assert (status, headers["Retry-After"]) == (429, "60")
        assert (await guarded.get("/verify", headers={**basic(TOKEN), **there}))[0] == 200


async def test_proxy_names_who_asks_and_only_a_known_proxy_is_believed(site: Site) -> None:
    async def ask(other: Site, headers: dict[str, str]) -> int:
        return (await other.get("/?q=Who+kept+the+lamp", headers=headers))[0]

    mara, tove = {"X-User": "mara"}, {"X-User": "tove"}
    async with site.again(discord_user_rate=1, web_user_header="X-User") as proxied:
        assert [await ask(proxied, user) for user in (mara, tove, mara)] == [200, 200, 429]
        assert [await ask(proxied, given) for given in ({}, {"X-User": ""}, basic(TOKEN))] == [401] * 3
    async with site.again(web_user_header="X-User", web_proxies={"10.0.0.5"}) as proxied:
        assert await ask(proxied, mara) == 401
    via = [{"X-Forwarded-For": last} for last in ("192.0.2.1", "192.0.2.9, 192.0.2.1", "192.0.2.1, ::2")]
    async with site.again(discord_user_rate=1) as limited:
        assert [await ask(limited, headers) for headers in via] == [200, 429, 200], "the last address counts"


@pytest.mark.parametrize("web_url", ["https://ask.example/", ""])
async def test_unknown_names_of_this_machine_are_refused(site: Site, web_url: str) -> None:
    names = "127.0.0.1 localhost:9 [::1]:9 Ask.Example:8443".split()
    others = ["evil.example", "127.0.0.1.evil.example:80", "[::1", "localhost@evil.example", ""]
    async with site.again(web_url=web_url) as named:
        for host in [*names, *others]:
            status, text, _ = await named.get("/verify", headers={"Host": host})
            if host in names and (web_url or "Ask" not in host):
                assert status == 200, host
            else:
                assert (status, text.count("\n"), "FOOTNOTE_WEB_URL" in text) == (421, 1, True), host


@pytest.mark.parametrize("web_url", ["https://ask.example", ""])
async def test_forms_of_other_sites_are_refused(site: Site, web_url: str) -> None:
    async with site.again(web_url=web_url, web_origins={ARTICLES}) as other:
        evil = {"Origin": "https://evil.example"}
        refused = [evil, {**evil, **bearer("x")}, {"Origin": "null"}, {"Origin": f"{other.url}.evil.example"}]
        refused += [{"Origin": ARTICLES}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
        own = {"Origin": other.url, "Sec-Fetch-Site": "same-origin"}
        for headers in (*refused, own, {}, {"Origin": web_url or other.url, "Sec-Fetch-Site": "none"}):
            status, _, _ = await other.post("/verify", data={"text": "A lamp."}, headers=headers)
            assert status == (403 if headers in refused else 200), headers
        for kind, status in (("document", 200), ("image", 403), ("iframe", 403), ("empty", 403)):
            headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": kind}
            assert (await other.get("/?q=Who+kept+the+lamp", headers=headers))[0] == status, kind


async def test_only_named_sites_may_use_the_api_from_their_pages(site: Site) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allow, question = "Access-Control-Allow-Origin", {"question": "Who kept the lamp on Gull Rock?"}
    async with site.again(web_origins={f"{ARTICLES}/"}, web_token=SECRET) as api:
        for origin, named in ((ARTICLES, ARTICLES), ("https://evil.example", None), ("null", None)):
            sent = {"Origin": origin}
            status, _, headers = await api.request("OPTIONS", "/api/ask", headers={**sent, **asks})
            assert (status == 204, headers.get(allow)) == (named is not None, named)
            assert "Access-Control-Allow-Credentials" not in headers
            status, _, headers = await api.post("/api/ask", headers={**sent, **bearer(TOKEN)}, json=question)
            assert (status, headers.get(allow)) == (200, named)
        status, _, headers = await api.post("/api/ask", headers={"Origin": ARTICLES}, json=question)
        assert (status, headers.get(allow)) == (401, ARTICLES), "the page can read the reason"
        _, _, headers = await api.get("/", headers={"Origin": ARTICLES, **basic(TOKEN)})
        assert allow not in headers, "pages are not shared"


async def sign_in(site: Site, token: str = ADMIN_TOKEN, **headers: str) -> tuple[int, str, str]:
    """Return the status, the cookie and its flags."""
    status, _, answered = await site.post("/login", data={"token": token}, headers=headers)
    cookie, _, flags = answered.get("Set-Cookie", "").partition("; ")
    return status, cookie, flags


async def test_admin_session_lasts_from_sign_in_to_sign_out(site: Site) -> None:
    assert await sign_in(site, "wrong") == (403, "", "")
    status, cookie, flags = await sign_in(site)
    assert (status, sorted(flags.split("; "))) == (
        303,
        ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Strict"],
    )
    session = {"Cookie": cookie}
    status, text, _ = await site.get("/run", headers=session)
    csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
    assert (status, len(csrf) > 20, cookie.partition("=")[2] in text) == (200, True, False)
    for form in ({}, {"csrf": ""}, {"csrf": csrf[:-1]}, {"csrf": cookie.partition("=")[2]}):
        for path in ("/run/rebuild", "/logout"):
            assert (await site.post(path, data=form, headers=session))[0] == 403, form
    assert (await site.get("/run", headers={"Cookie": "footnote_admin="}))[0] == 303, "no session, no admin"
    status, _, headers = await site.post("/logout", data={"csrf": csrf}, headers=session)
    assert (status, "Max-Age=0" in headers["Set-Cookie"]) == (303, True)
    assert (await site.get("/run", headers=session))[0] == 303, "its cookie, kept, is worth nothing"
    assert (await site.get("/run", headers=bearer(ADMIN_TOKEN)))[0] == 200


async def test_session_cookie_is_secure_where_visitors_come_by_https(site: Site) -> None:
    https = {"X-Forwarded-Proto": "https"}
    assert "Secure" in (await sign_in(site, **https))[2]
    async with site.again(web_url="https://ask.example") as other:
        assert "Secure" in (await sign_in(other))[2]
    async with site.again(web_proxies={"10.0.0.5"}) as other:
        assert "Secure" not in (await sign_in(other, **https))[2]
    async with site.again(web_admin_token=None) as other:
        assert ((await sign_in(other, ""))[1], (await other.get("/run", headers=bearer("")))[0]) == ("", 404)


async def test_every_response_tells_the_browser_what_is_allowed(site: Site) -> None:
    for path in ("/", "/nowhere", "/?collection=none", "/static/footnote.js", "/healthz", "/api/no"):
        _, _, headers = await site.get(path)
        policy: Any = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert not {"unsafe-inline", "unsafe-eval", "*", "data:"} & {*policy.replace("'", "").split()}
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")
        assert headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")
        assert "aiohttp" not in headers["Server"]
