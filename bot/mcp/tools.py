"""The tools: quotes for a question, quotes verified, articles read; in English, as assistants read them.

A failure is raised as ResourceError, whose text reaches the assistant; that of any other error is withheld.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError
from pydantic import Field

from bot.answering.answer import Verdict
from bot.answering.verify import QuoteVerdict, VerifiedSentence
from bot.chat.asking import Assistant, Place, Question
from bot.chat.logs import begin_question
from bot.chat.messages import DEFAULT, messages_in
from bot.records.settings import ChannelSettings
from index.terminal import count_of, one_line

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.storage.store import ArticleSummary

__all__ = ["PLACE", "Tools"]

PLACE = "footnote.place"
"""The key in a request's ASGI scope for the Place of who asks over HTTP."""

_MESSAGES = messages_in(DEFAULT)
_MAX_READ = 20_000  # characters of an article that are read at once
_NOTES = {
    Verdict.ANSWERED: "The articles answer this: the first quote most probably, others only if they fit.",
    Verdict.RELATED: "The articles do not seem to answer this: say so. These are only the closest passages.",
    Verdict.NOT_FOUND: "The articles do not answer this, nor are they about it. Say so, and quote nothing.",
}
_Call = Context[Any, Any]
_Question = Annotated[str, Field(min_length=1, max_length=2_000, description="One whole question.")]
_Quotes = Annotated[str, Field(min_length=1, max_length=20_000, description="One quote, or more.")]
_Name = Annotated[str, Field(min_length=1, max_length=1_000, description="An article's id, or its title.")]
_Collection = Annotated[str | None, Field(description="The collection of articles; usually left out.")]


class Tools:
    """The tools over one assistant; a method's docstring is what assistants are told of it."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    async def find_quotes(
        self, call: _Call, question: _Question, article: _Name | None = None, collection: _Collection = None
    ) -> dict[str, Any]:
        """Find what the articles (or only `article`) say on a question: quotes, each with its citation.

        The verdict is `answered`, `related` (the closest passages; they may not answer) or `not_found`.
        """
        with self._asking(call, collection) as place:
            only = await self._find(place, article) if article else None
            asked = Question(question, place, "mcp", only, private=True)
            answer = await self._assistant.ask(asked)
            if call.request_context.request:  # over HTTP, where the records are open
                await self._assistant.remember(asked, answer, secrets.randbits(63))
        if answer.verdict is Verdict.NOT_FOUND:  # even the nearest passages are nothing to quote
            answer = replace(answer, quotes=(), citations=())
        data = {"note": _NOTES[answer.verdict], **answer.as_json()}
        del data["question"], data["generation"], data["elapsed_ms"]
        for citation in data["citations"]:
            del citation["passage"], citation["score"]
        return data

    async def verify_quote(self, call: _Call, text: _Quotes, collection: _Collection = None) -> str:
        """Check whether quotes stand in the articles letter for letter, before you show them to anyone.

        Each of the first ten sentences is `exact`, `changed` (with what the article has) or `absent`.
        """
        with self._asking(call, collection) as place:
            sentences = await self._assistant.service_of(place.collection).verify(text)
        return "\n".join(map(_sentence_text, sentences)) or "There is no sentence in the text."

    async def read_article(
        self,
        call: _Call,
        article: _Name,
        from_paragraph: Annotated[int, Field(ge=1, le=10**9)] = 1,
        collection: _Collection = None,
    ) -> str:
        """Read an article from a paragraph on, by its number; a long one takes several calls."""
        with self._asking(call, collection) as place:
            found = await self._find(place, article)
            whole = await self._assistant.service_of(place.collection).article(found.id)
            return await asyncio.to_thread(_numbered, whole, from_paragraph)

    @contextmanager
    def _asking(self, call: _Call, collection: str | None) -> Iterator[Place]:
        """Yield the place of a request, and make of a failure what to do about it."""
        assistant, request = self._assistant, call.request_context.request
        default = Place(0, None, 0, ChannelSettings(), _MESSAGES, assistant.settings.collection)
        place = request.scope[PLACE] if request else default
        try:
            if request and (seconds := assistant.seconds_to_wait(place)):
                raise ResourceError(_MESSAGES("slow_down_text", seconds=seconds))
            if collection is not None and collection not in assistant.services:
                names = ", ".join(filter(None, assistant.services)) or "none with a name"
                raise ResourceError(f"No such collection; there are: {names}. Usually it is left out.")
            with begin_question():
                yield replace(place, collection=place.collection if collection is None else collection)
        except ResourceError:
            raise
        except Exception as error:
            notice = assistant.apology(_MESSAGES, error)  # counts and logs it
            raise ResourceError(f"{notice.title}. {notice.text}") from error

    async def _find(self, place: Place, name: str) -> ArticleSummary:
        catalogue = await self._assistant.service_of(place.collection).catalogue()
        if article := catalogue.find(name):
            return article
        near = "; ".join(one_line(article.id, 99) for article in catalogue.suggest(name, 3))
        raise ResourceError(
            f"No article “{one_line(name, 99)}”. Similar ids: {near or 'none; list the resources'}."
        )


def _sentence_text(sentence: VerifiedSentence) -> str:
    if not (article := sentence.article):
        return f"absent: “{sentence.quoted}” No article has this: do not show it as a quote."
    real = f" The article has: “{sentence.original}”" if sentence.verdict is QuoteVerdict.CHANGED else ""
    where = one_line(f"{article.title} ({article.id}), paragraph {sentence.paragraph}")
    return f"{sentence.verdict}: “{sentence.quoted}”{real}\n  {where}"


def _numbered(article: Article | None, first: int) -> str:
    """Return paragraphs with their numbers, as many as fit; the first one is cut if it is longer."""
    if article is None:
        raise ResourceError("The articles have just changed. Call again.")
    paragraphs, lines, room = article.paragraphs, [article.heading or article.title], _MAX_READ
    for paragraph in paragraphs[first - 1 :]:
        text = article.text[paragraph.start : paragraph.end]
        if len(text) > room < _MAX_READ:
            return "\n\n".join([*lines, f"There is more. Read on with from_paragraph={paragraph.number}."])
        lines.append(f"[{paragraph.number}] {text[:room]}")
        room -= len(text)
    if len(lines) == 1:
        raise ResourceError(f"No such paragraphs: the article has {count_of(len(paragraphs), 'paragraph')}.")
    return "\n\n".join(lines)
