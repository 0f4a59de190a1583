"""Who may do what over HTTP: visitors, operators, programs, and pages of other web sites.

On this machine everybody may ask and read; elsewhere visitors bring FOOTNOTE_WEB_TOKEN, or a proxy names
them. Another site's name that points here (DNS rebinding) is known by its Host header, another site's form by
its Origin. Operators bring FOOTNOTE_WEB_ADMIN_TOKEN as a bearer token, or in a form, for a session's cookie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from cachetools import TTLCache

from bot.errors import NoCollectionError
from bot.settings import is_loopback
from bot.web.pages import ASSISTANT, VISIT, page_url, read_form, visit_of
from bot.web.responses import HEADERS, answer_errors, is_for_programs, slow_down
from index.errors import BusyError, SettingsError
from index.terminal import one_line

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.settings import BotSettings

__all__ = ["check", "protect", "read_admin_form", "require_admin", "sign_in", "sign_out"]

_COOKIE = "footnote_admin"
_SESSION_SECONDS = 8 * 3600
_MOST_SESSIONS = 64  # the oldest one ends when there are more
_MOST_WRONG, _WRONG_SECONDS = 10, 60  # wrong tokens from one address, and how long it must wait then
_CORS = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Expose-Headers": "Retry-After",
}
_log = logging.getLogger(__name__)


def check(settings: BotSettings, host: str) -> None:
    """Raise SettingsError where the settings would let strangers in."""
    if not (is_loopback(host) or _text_of(settings.web_token) or settings.web_user_header):
        raise SettingsError(
            f"Listening on {host or 'every address'} lets in everybody who reaches this machine. Set "
            "FOOTNOTE_WEB_TOKEN to what visitors must give as the password, or FOOTNOTE_WEB_USER_HEADER to "
            "the header in which your proxy names them, or leave out --host."
        )


def _text_of(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""


def _same(given: str, secret: str) -> bool:
    """Compare in constant time; an empty secret is no secret, and equals nothing."""
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, secret)]
    return hmac.compare_digest(*digests) and bool(secret)


class _Access:
    """The secrets of one application, its sessions, and who gave wrong tokens."""

    def __init__(self, settings: BotSettings) -> None:
        self.token, self.admin_token = _text_of(settings.web_token), _text_of(settings.web_admin_token)
        self.header, self.proxies = settings.web_user_header, settings.web_proxies
        self.url = urlsplit(settings.web_url.lower())
        self.origins = {origin.rstrip("/").lower() for origin in settings.web_origins}
        # The CSRF token of each session by its id, and the wrong tokens from each address
        self.sessions: TTLCache[str, str] = TTLCache(_MOST_SESSIONS, _SESSION_SECONDS)
        self._wrong: TTLCache[str, int] = TTLCache(1 << 12, _WRONG_SECONDS)

    def from_proxy(self, request: web.Request, header: str) -> str:
        """Return a header if a trusted proxy sent the request, else ""."""
        return request.headers.get(header, "") if request.remote in self.proxies else ""

    def address(self, request: web.Request) -> str:
        """Return the visitor's address: that of the connection, or the last one that a proxy names."""
        values = request.headers.getall("X-Forwarded-For", [""])
        named = values[-1].rpartition(",")[2].strip() if request.remote in self.proxies else ""
        return named or str(request.remote)

    def accepts(self, request: web.Request, given: str, *accepted: str) -> bool:
        """Tell whether a token is accepted; log a wrong one, and after many raise HTTPTooManyRequests."""
        address = self.address(request)
        if (wrong := self._wrong.get(address, 0)) >= _MOST_WRONG:
            raise slow_down(request, _WRONG_SECONDS)
        if any([_same(given.strip(), token) for token in accepted]):  # noqa: C419 - all, in constant time
            return True
        self._wrong[address] = wrong + 1
        where = one_line(address, 80), one_line(request.path, 80)
        _log.warning("A sign-in from %s at %s failed: the token is wrong.", *where)
        return False

    def is_shared(self, request: web.Request) -> bool:
        """Tell whether a script of a web site that the operator named uses the API."""
        return is_for_programs(request) and request.headers.get("Origin", "").lower() in self.origins


_ACCESS = web.AppKey("access", _Access)


def protect(app: web.Application) -> None:
    """Let every request of an application pass the checks of this module, and give responses headers."""
    app[_ACCESS] = _Access(app[ASSISTANT].settings)
    app.middlewares.extend((answer_errors, _admit))
    app.on_response_prepare.append(_add_headers)


@web.middleware
async def _admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path in {"/healthz", "/readyz"}:
        return await handler(request)
    access, assistant = request.app[_ACCESS], request.app[ASSISTANT]
    _refuse_foreign(request, access)
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType(text="Send the body as it is, not compressed.")
    if request.method == "OPTIONS" and access.is_shared(request):
        return web.Response(status=204)
    person, is_admin = _identify(request, access)
    csrf = access.sessions.get(request.cookies.get(_COOKIE, ""), "")
    request[VISIT] = visit_of(request, person, is_admin=is_admin or bool(csrf), csrf="" if is_admin else csrf)
    if (chosen := request.query.get("collection", "")) and chosen not in assistant.services:
        raise NoCollectionError(chosen)
    if assistant.tasks.stopping:
        raise BusyError("Footnote is stopping.")
    with assistant.tasks.track():
        return await handler(request)


def _refuse_foreign(request: web.Request, access: _Access) -> None:
    """Refuse another site's name (HTTPMisdirectedRequest), and what its page sends (HTTPForbidden)."""
    headers, host = request.headers, request.host.lower()
    name = host[: host.rindex("]") + 1].strip("[]") if "]" in host else host.partition(":")[0]
    if not access.token and not is_loopback(name) and (not name or name != access.url.hostname):
        advice = "set FOOTNOTE_WEB_URL to the address that you use."
        raise web.HTTPMisdirectedRequest(text=f"Footnote does not know itself by this name: {advice}")
    # No script of another site can set the header Authorization, unless a preflight allows it.
    has_bearer = is_for_programs(request) and headers.get("Authorization", "")[:7].lower() == "bearer "
    # A link may lead here from anywhere, but not a picture or a frame, which would ask without the visitor.
    reads = request.method in {"GET", "HEAD"} and headers.get("Sec-Fetch-Dest", "document") == "document"
    if reads or has_bearer or access.is_shared(request):
        return
    is_own = headers.get("Origin", f"//{host}").lower().partition("//")[2] in {
        host,
        access.url.netloc or host,
    }
    if not is_own or headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        advice = "If this is Footnote's own address, set FOOTNOTE_WEB_URL to it."
        raise web.HTTPForbidden(text=f"The request came from another web site. {advice}")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every response has, and those that let scripts of named sites read it (CORS)."""
    response.headers.update(HEADERS)
    stored = "no-cache" if request.path.startswith("/static/") else "no-store"
    response.headers.setdefault("Cache-Control", stored)
    if request.app[_ACCESS].is_shared(request):
        response.headers.update({**_CORS, "Access-Control-Allow-Origin": request.headers["Origin"]})


def _identify(request: web.Request, access: _Access) -> tuple[str, bool]:
    """Return whom a request comes from, for rate limits, and whether it has the admin's bearer token."""
    if access.header and (user := access.from_proxy(request, access.header)):
        return f"user {user}", False
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    if scheme.lower() == "basic":
        with suppress(ValueError):
            given = base64.b64decode(given).decode("utf-8", "surrogateescape").partition(":")[2]
    if (access.token and scheme) or (access.admin_token and is_bearer):
        if access.accepts(request, given, access.token, access.admin_token if is_bearer else ""):
            return access.address(request), is_bearer and _same(given.strip(), access.admin_token)
    elif not access.token and not access.header:
        return access.address(request), False
    text = "Sign in with any name and the access token as password; programs send it as a bearer token."
    if not access.token:
        text = "Sign in at your proxy, which names you." if access.header else "This is not the admin token."
    asks = "Basic" if access.token and not is_for_programs(request) else "Bearer"
    raise web.HTTPUnauthorized(
        text=text, headers={"WWW-Authenticate": f'{asks} realm="Footnote", charset="UTF-8"'}
    )


def sign_in(request: web.Request, response: web.StreamResponse, token: str) -> bool:
    """Open an operator's session and set its cookie if the token is the right one; return whether it is.

    Raises:
        HTTPTooManyRequests: many wrong tokens came from this address.
    """
    access = request.app[_ACCESS]
    if not access.accepts(request, token, access.admin_token):
        return False
    session, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    access.sessions[session] = csrf
    schemes = {request.scheme, access.from_proxy(request, "X-Forwarded-Proto"), access.url.scheme}
    secure, kept = "https" in schemes, _SESSION_SECONDS
    response.set_cookie(_COOKIE, session, max_age=kept, secure=secure, httponly=True, samesite="Strict")
    return True


def sign_out(request: web.Request, response: web.StreamResponse) -> None:
    """End the operator's session, here and in the browser."""
    request.app[_ACCESS].sessions.pop(request.cookies.get(_COOKIE, ""), None)
    response.del_cookie(_COOKIE)


def require_admin(request: web.Request) -> None:
    """Raise HTTPSeeOther to the sign-in page where no operator asks; HTTPNotFound without an admin token."""
    if not request.app[_ACCESS].admin_token:
        raise web.HTTPNotFound(text=request[VISIT].messages("run_closed_text"))
    if not request[VISIT].is_admin:
        raise web.HTTPSeeOther(page_url(request, "/login"))


async def read_admin_form(request: web.Request) -> dict[str, str]:
    """Return a form that an operator posted; raise HTTPForbidden where its `csrf` is not the session's."""
    require_admin(request)
    form, csrf = await read_form(request), request[VISIT].csrf
    if csrf and not _same(form.get("csrf", ""), csrf):  # "" with a bearer token, which no browser sends alone
        raise web.HTTPForbidden(text="This form is of an earlier session. Reload its page and try again.")
    return form
