"""Reading: the list of the articles, the page of each with a quote highlighted, and links to quotes there."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.answering.answer import Quote, page_url
from bot.chat.answer_text import place_text
from bot.chat.quote_links import article_url, text_fragment_url
from bot.web.article_html import article_html, heading_html
from bot.web.pages import ASSISTANT, VISIT, render
from index.articles.article import Article
from index.storage.store import article_key

if TYPE_CHECKING:
    from bot.answering.answer import Citation
    from bot.answering.verify import VerifiedSentence

__all__ = ["Source", "routes", "source_of"]

routes = web.RouteTableDef()
"""The routes."""

_MOST = 500  # articles in the list
_LONGEST = 200  # characters of a title that is searched for, and of an id that is not known
_LONGEST_FRAGMENT = 2000  # characters of an address that opens at a quote
_SPAN = re.compile(r"(h?)([0-9]{1,9})-([0-9]{1,9})")


@routes.get("/articles")
async def list_articles(request: web.Request) -> web.Response:
    """Show the articles below their publishers, or folders; or those whose titles have the words of `?q=`."""
    visit, typed = request[VISIT], request.query.get("q", "").strip()[:_LONGEST]
    catalogue = await visit.service.catalogue()
    found = await asyncio.to_thread(catalogue.suggest, typed, _MOST + 1)
    names = (visit.collection, request.app[ASSISTANT].settings.collection)
    groups = ("" if typed else each.publisher or each.id.rpartition("/")[0] for each in found)
    links = (article_url("", each.id, *names, 0, 0, in_heading=False) for each in found)
    listed = list(zip(groups, found[:_MOST], links, strict=False))
    total, has_more = len(catalogue), len(found) > _MOST
    return render(request, "articles.html", typed=typed, listed=listed, total=total, has_more=has_more)


@routes.get("/articles/{id:.+}")
async def read_article(request: web.Request) -> web.Response:
    """Show an article, with the quote highlighted at `?q=START-END`, or `hSTART-END` in its heading.

    Raises:
        HTTPNotFound: there is no such article.
    """
    visit, identity = request[VISIT], request.match_info["id"]
    article = await visit.service.article(identity)
    if article is None:
        raise web.HTTPNotFound(text=visit.messages("read_missing", id=identity[:_LONGEST]))
    return await asyncio.to_thread(_page, request, article)


def _page(request: web.Request, article: Article) -> web.Response:
    match = _SPAN.fullmatch(request.query.get("q", ""))
    in_heading, start, end = (bool(match[1]), int(match[2]), int(match[3])) if match else (True, 0, 0)
    text = article.heading if in_heading else article.text
    if not start < end <= len(text):
        in_heading, start, end = True, 0, 0
    paragraph = 0 if in_heading else article.paragraph_at(start)
    quote, nowhere = Quote(text[start:end], 1, paragraph, start, end), (0, 0)
    title, heading = heading_html(article, (start, end) if in_heading else nowhere)
    return render(
        request,
        "article.html",
        article=article,
        key=article_key(article.id),
        title=title,
        heading=heading,
        body=article_html(article, nowhere if in_heading else (start, end), request[VISIT].messages),
        quote=quote.text,
        source=source_of(request, article, quote, quote.text),
        base=request.app[ASSISTANT].settings.web_url.rstrip("/") or f"{request.scheme}://{request.host}",
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a quote in texts, not yet escaped, and its addresses; `article` is the article's page."""

    title: str  # with the headings above the quote
    by: str
    place: str
    article: str
    original: str | None
    also: tuple[str, ...]  # other addresses of the same text


def source_of(
    request: web.Request, about: Citation | Article, at: Quote | Citation | VerifiedSentence, text: str
) -> Source:
    """Return the source of a text at its place in an article, which a citation may stand for."""
    visit, default = request[VISIT], request.app[ASSISTANT].settings.collection
    span, in_heading = (at.start, at.end), at.paragraph == 0
    if isinstance(about, Article):
        identity, page = about.id, None if in_heading else about.page_at(at.start)
        section = () if in_heading else about.section_at(at.start)
    else:
        identity, page, section = about.article, about.page, about.section
    title = " ".join(about.title.split()) or identity or visit.messages("untitled")
    original = _web_address(page_url(about.url or "", page))
    if original and not in_heading and not page:
        original = text_fragment_url(original, text, room=_LONGEST_FRAGMENT)
    return Source(
        title=" › ".join([title, *section[1:]]),
        by=", ".join(filter(str.strip, (about.author, about.publisher))),
        place=place_text(at.paragraph, page, visit.messages),
        article=article_url("", identity, visit.collection, default, *span, in_heading=in_heading),
        original=original,
        also=tuple(filter(None, map(_web_address, about.also))),
    )


def _web_address(url: str) -> str | None:
    """Return an address if it is of the web, so that a page may link to it."""
    return url if url.lower().startswith(("http://", "https://")) else None
