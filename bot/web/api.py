"""The HTTP API: questions, quotes to verify, articles and the state of a collection, as JSON for programs.

`schemas` has the requests, `openapi.yaml` the responses; `responses` makes problem details of errors.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.answering.explanation import explanation
from bot.answering.followups import Earlier
from bot.chat.asking import Question
from bot.chat.logs import begin_question
from bot.chat.quote_links import article_url
from bot.web import schemas
from bot.web.pages import ASSISTANT, VISIT
from bot.web.responses import limit_rate
from index.article_listing import as_json
from index.terminal import one_line

if TYPE_CHECKING:
    from bot.chat.asking import Place
    from bot.service.catalogue import Catalogue

__all__ = ["routes"]

routes = web.RouteTableDef()
"""The routes."""

_Handler = Callable[[web.Request, Any], Awaitable[dict[str, Any]]]
_NO_ARTICLE = "There is no article {!r}. GET /api/articles lists them."


def _serve(method: str, path: str, model: type[BaseModel] | None = None) -> Callable[[_Handler], _Handler]:
    """Serve a path with a handler, which gets the body or the query as a model and returns the response."""

    def decorate(handler: _Handler) -> _Handler:
        async def serve(request: web.Request) -> web.Response:
            result = await handler(request, model and await _read(request, model))
            return web.json_response(text=await asyncio.to_thread(json.dumps, result))

        (routes.post if method == "POST" else routes.get)(path)(serve)
        return handler

    return decorate


async def _read(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """Return the body of a POST request as a model, and of others the query."""
    try:
        if request.method != "POST":
            return model.model_validate(dict(request.query))
        if request.content_type != "application/json":
            detail = "Send the body as JSON, uncompressed, with the header Content-Type: application/json."
            raise web.HTTPUnsupportedMediaType(text=detail)
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        fault = error.errors()[0]
        where = one_line(".".join(map(str, fault["loc"])) or "The request", 100)
        text = f"{where}: {fault['msg']}. /api/openapi.json describes every request."
        raise web.HTTPUnprocessableEntity(text=text) from error


def _admit(request: web.Request, collection: str | None) -> Place:
    """Return the place of a question, which counts against the rate limit."""
    place = request[VISIT].place
    place = replace(place, collection=collection or place.collection)
    request.app[ASSISTANT].service_of(place.collection)  # raises where there is no such collection
    limit_rate(request)
    return place


def _link(request: web.Request, place: Place, article: str, span: Any) -> dict[str, str]:
    """Return the address of a quote in its article's page, where Footnote knows its own."""
    base, collection, default = request.app[ASSISTANT].pages(place)
    ends, in_heading = (span.start, span.end), span.paragraph == 0
    link = article_url(base, article, collection, default, *ends, in_heading=in_heading)
    return {"link": link} if base else {}


@_serve("POST", "/api/ask", schemas.AskRequest)
async def _ask(request: web.Request, body: schemas.AskRequest) -> dict[str, Any]:
    assistant, place, article = request.app[ASSISTANT], _admit(request, body.collection), None
    with begin_question():
        if body.article is not None:
            article = (await assistant.service_of(place.collection).catalogue()).find(body.article)
            if article is None:
                raise web.HTTPNotFound(text=_NO_ARTICLE.format(body.article[:80]))
        earlier = Earlier(**dict(body.earlier)) if body.earlier else None
        question = Question(body.question, place, "api", article, earlier, private=True)
        answer = await assistant.ask(question)
        await assistant.remember(question, answer, secrets.randbits(63))
    result = answer.as_json() | {"earlier": asdict(Earlier.of(answer))}
    result |= {key: value for key in ("read_as", "read_only") if (value := getattr(answer, key))}
    for row, quote in zip(result["quotes"], answer.quotes, strict=True):
        row.update(_link(request, place, answer.citation_of(quote).article, quote))
    return result | ({"explanation": explanation(answer)} if body.explain else {})


@_serve("POST", "/api/verify", schemas.VerifyRequest)
async def _verify(request: web.Request, body: schemas.VerifyRequest) -> dict[str, Any]:
    place, rows = _admit(request, body.collection), []
    for sentence in await request.app[ASSISTANT].service_of(place.collection).verify(body.text):
        row = asdict(replace(sentence, article=None)) | {"title": None}
        if article := sentence.article:
            link = _link(request, place, article.id, sentence)
            row |= {"article": article.id, "title": article.title, **link}
        rows.append(row)
    return {"sentences": rows}


@_serve("GET", "/api/articles", schemas.ArticlesQuery)
async def _list_articles(request: web.Request, query: schemas.ArticlesQuery) -> dict[str, Any]:
    return await asyncio.to_thread(_page, await request[VISIT].service.catalogue(), query)


def _page(catalogue: Catalogue, query: schemas.ArticlesQuery) -> dict[str, Any]:
    matching = catalogue.suggest(query.q, len(catalogue))
    names = ("id", "title", "author", "publisher", "url", "published")
    page = matching[query.offset : query.offset + query.limit]
    rows = [{name: getattr(article, name) for name in names} for article in page]
    return {"articles": rows, "total": len(matching)}


@_serve("GET", "/api/articles/{id:.+}")
async def _read_article(request: web.Request, _: None) -> dict[str, Any]:
    article = await request[VISIT].service.article(request.match_info["id"])
    if article is None:
        raise web.HTTPNotFound(text=_NO_ARTICLE.format(request.match_info["id"][:80]))
    return await asyncio.to_thread(as_json, article, None)


@_serve("GET", "/api/status")
async def _status(request: web.Request, _: None) -> dict[str, Any]:
    visit, info = request[VISIT], await request[VISIT].service.status()
    names = ("generation", "built", "articles", "passages", "sentences")
    damage = visit.service.damage
    return {
        "collection": visit.collection,
        "collections": list(request.app[ASSISTANT].services),
        **{name: getattr(info, name) for name in names},
        "waiting": visit.service.stats.waiting,
        "damaged": damage.generation if damage else "",
    }


@_serve("GET", "/api/openapi.json")
async def _openapi(request: web.Request, _: None) -> dict[str, Any]:
    settings = request.app[ASSISTANT].settings
    return schemas.openapi(settings.web_url or "/", secured=settings.web_token is not None)
