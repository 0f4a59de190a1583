"""Pages: who visits, in which language and collection, and templates filled in for them."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.chat.asking import Assistant, Place
from bot.chat.messages import AUTO, Messages, messages_in
from bot.records.settings import ChannelSettings

if TYPE_CHECKING:
    from bot.service.service import Service

__all__ = ["ASSISTANT", "VISIT", "Visit", "page_url", "read_form", "render", "visit_of", "web_messages"]

ASSISTANT = web.AppKey("assistant", Assistant)
"""What answers, for every handler."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who makes a request, in which language, and which collection they ask.

    `is_admin` is whether they have opened the pages for operators; their forms must then bring `csrf`.
    """

    place: Place
    service: Service
    is_admin: bool = False
    csrf: str = ""

    @property
    def messages(self) -> Messages:
        """The texts in the visitor's language."""
        return self.place.messages

    @property
    def collection(self) -> str:
        """The name of the collection."""
        return self.place.collection


VISIT = web.RequestKey("visit", Visit)
"""The visit of a request; `security` sets it before a handler runs."""


def visit_of(request: web.Request, person: str, *, is_admin: bool = False, csrf: str = "") -> Visit:
    """Return the visit of a person, known by an address or a name.

    `?collection=` chooses what is asked; where there is no such collection, it is the default one.
    """
    assistant = request.app[ASSISTANT]
    chosen = request.query.get("collection", "")
    collection = chosen if chosen in assistant.services else assistant.settings.collection
    user = int.from_bytes(hashlib.sha256(person.encode("utf-8", "surrogatepass")).digest()[:7], "big")
    locale = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip()
    place = Place(user, None, 0, ChannelSettings(), web_messages(locale), collection)
    return Visit(place, assistant.service_of(collection), is_admin, csrf)


def web_messages(locale: str | None) -> Messages:
    """Return the texts for a locale: those of every surface, and those of the pages in `texts`."""
    return _with_pages(messages_in(AUTO, locale).language)


@cache
def _with_pages(language: str) -> Messages:
    shared = messages_in(language)
    file = resources.files(__package__).joinpath("texts", f"{language}.toml")
    texts = {**shared.texts, **tomllib.loads(file.read_text(encoding="utf-8"))}
    return Messages(language, {**texts, "languages": shared.languages, "commands": shared.commands})


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bot.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_url(request: web.Request, path: str, **query: object) -> str:
    """Return the address of a page, in the visitor's collection unless `query` names another one.

    `path` is percent-encoded already; values that are None or "" are left out.
    """
    collection = query.pop("collection", request[VISIT].collection)
    if collection != request.app[ASSISTANT].settings.collection:
        query = {"collection": collection, **query}
    given = {name: str(value) for name, value in query.items() if value is not None and value != ""}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the texts of a posted form; raise HTTPBadRequest where the body is not a form."""
    try:
        fields = await request.post()
    except (HttpProcessingError, web.RequestPayloadError, LookupError, RuntimeError, ValueError) as error:
        raise web.HTTPBadRequest from error
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def render(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """Return a page: a template with values, and with those that every template has.

    That is `t` (the texts), `url` (`page_url`), `visit`, `here` (the path), `query`, `collections` (names),
    `default` (the name of the default one), and `has_admin` (whether there are pages for operators).
    """
    visit, assistant = request[VISIT], request.app[ASSISTANT]
    shared = {
        "visit": visit,
        "url": partial(page_url, request),
        "here": request.path,
        "query": request.query,
        "t": visit.messages,
        "collections": list(assistant.services),
        "default": assistant.settings.collection,
        "has_admin": assistant.settings.web_admin_token is not None,
    }
    page = _templates().get_template(template).render(shared | values)
    body = page.encode("utf-8", "replace")  # an article may hold half a surrogate
    return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
