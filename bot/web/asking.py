"""The pages that ask: for a question, for whether its answer helped, and for quotes to verify.

An answer has an address, and follow-ups build on it.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.answering.answer import Verdict
from bot.answering.remarks import is_small_talk, remark_on
from bot.answering.verify import MAX_SENTENCES
from bot.chat.answer_text import percent, quotes_shown, reasons
from bot.chat.asking import Question
from bot.chat.logs import begin_question
from bot.chat.messages import Notice
from bot.web.article_html import marked_html
from bot.web.pages import ASSISTANT, VISIT, read_form, render
from bot.web.reading import Source, source_of
from bot.web.responses import limit_rate
from index.articles.marks import clip

if TYPE_CHECKING:
    from markupsafe import Markup

    from bot.answering.answer import Answer, Quote
    from bot.answering.verify import VerifiedSentence
    from bot.chat.conversations import Exchange
    from index.storage.store import ArticleSummary

__all__ = ["routes"]

_LONGEST_REASON, _LONGEST_TEXT = 500, 4000  # characters of what is wrong, and of a text to verify
_LONGEST_WORD = 60  # characters shown of a question's word
_ANSWER_ID = re.compile("[0-9a-f]{1,16}")

routes = web.RouteTableDef()
"""The routes."""


@routes.get("/")
async def ask(request: web.Request) -> web.Response:
    """Show the field for a question and, below it, the answer to `?q=`."""
    visit = request[VISIT]
    text, key = (request.query.get(name, "").strip() for name in ("q", "article"))
    with begin_question():
        article = (await visit.service.catalogue()).find(key) if key else None
        asked: dict[str, Any] = {"question": text, "article": article}
        if key and article is None:
            no_article = visit.messages.notice("ask_no_article")
            return render(request, "ask.html", status=404, notice=no_article, **asked)
        if not text:
            return render(request, "ask.html", count=(await visit.service.status()).articles, **asked)
        if is_small_talk(text):
            return render(request, "ask.html", notice=visit.messages.notice(remark_on(text)), **asked)
        limit_rate(request)
        return render(request, "ask.html", **asked, **await _answered(request, text, article))


async def _answered(request: web.Request, text: str, article: ArticleSummary | None) -> dict[str, Any]:
    """Ask, remember the answer under a new id, and return what the page shows of it."""
    assistant, visit = request.app[ASSISTANT], request[VISIT]
    exchange = _exchange(request, request.query.get("after", ""))
    is_of_here = exchange is not None and exchange.collection == visit.collection
    earlier, number = exchange.after if exchange and is_of_here else None, secrets.randbits(62)
    question = Question(text, visit.place, "web", article, earlier, private=True)
    answer = await assistant.ask(question)
    await assistant.remember(question, answer, number)
    cited = [
        (quote, source_of(request, answer.citation_of(quote), quote, quote.text)) for quote in answer.quotes
    ]
    count = len(quotes_shown(answer))
    others = [(quote.text, source) for quote, source in cited[count:]]
    others += [(one.passage, source_of(request, one, one, one.passage)) for one in answer.further]
    return {
        "answer": answer,
        "answer_id": f"{number:x}",
        "quotes": [(quote, _html(answer, quote), source) for quote, source in cited[:count]],
        "others": list(dict.fromkeys(others)),
        "remark": visit.messages.remark(answer, "\0"),  # where the page has a link
        "sure": percent(answer.confidence),
        "reasons": list(reasons(answer, visit.messages, lambda word: word[:_LONGEST_WORD])),
        "rates": assistant.recording,
    }


def _exchange(request: web.Request, answer_id: str) -> Exchange | None:
    """Return the exchange of an answer's id; None where it is forgotten, or no id."""
    is_id = _ANSWER_ID.fullmatch(answer_id)
    return request.app[ASSISTANT].conversations.of_message(int(answer_id, 16)) if is_id else None


def _html(answer: Answer, quote: Quote) -> Markup:
    """Return a quote with the words that answer marked; one that does not answer, marked in its passage."""
    text, marks, start, span = quote.text, quote.marks, quote.start, quote.highlight
    if answer.part_of(quote).verdict is not Verdict.ANSWERED:
        citation, span = answer.citation_of(quote), (quote.start, quote.end)
        text, start = citation.passage, citation.start
        marks = tuple(clip(quote.marks, 0, len(quote.text), quote.start - start))
    if span is None or span[1] - span[0] == len(text):  # unknown, or all of it
        return marked_html(text, marks)
    return marked_html(text, marks, (span[0] - start, span[1] - start))


@routes.post("/feedback")
async def feedback(request: web.Request) -> web.Response:
    """Record whether an answer helped, once a person, and why not."""
    assistant, visit, form = request.app[ASSISTANT], request[VISIT], await read_form(request)
    is_good, answer_id, messages = form.get("vote") == "good", form.get("id", ""), visit.messages
    if form.get("vote") not in {"good", "bad"}:
        raise web.HTTPBadRequest
    if not assistant.recording:
        return render(request, "ask.html", status=403, notice=Notice(messages("gaps_off")))
    if (exchange := _exchange(request, answer_id)) is None:
        return render(request, "ask.html", status=404, notice=messages.notice("ask_forgotten"))
    question, reason = exchange.question, form.get("reason", "").strip()[:_LONGEST_REASON]
    await assistant.records.add_feedback(
        server=None,
        channel=0,
        message=int(answer_id, 16),
        user=visit.place.user,
        question=question,
        helpful=is_good,
        reason=reason,
        collection=exchange.collection,
    )
    thanks = Notice(messages("thanks"), messages("thanks_helpful" if is_good else "thanks_not_helpful"))
    rated = "" if is_good or reason else answer_id  # to ask for a reason, once
    return render(request, "ask.html", notice=thanks, question=question, rated=rated)


@routes.get("/verify")
@routes.post("/verify")
async def verify(request: web.Request) -> web.Response:
    """Show the field for a text; of each sentence posted, whether an article has it, and where."""
    visit = request[VISIT]
    text = (await read_form(request)).get("text", "").replace("\r\n", "\n")  # as browsers count
    shown: dict[str, Any] = {"text": text, "room": _LONGEST_TEXT, "most": MAX_SENTENCES}
    if request.method != "POST":
        return render(request, "verify.html", **shown)
    if len(text) > _LONGEST_TEXT:
        notice = visit.messages.notice("verify_too_long", most=f"{_LONGEST_TEXT:,}")
        return render(request, "verify.html", status=413, notice=notice, **shown)
    limit_rate(request)
    sentences = await visit.service.verify(text)

    def source(it: VerifiedSentence) -> Source | None:
        return source_of(request, it.article, it, it.original) if it.article else None

    # In a thread: to find a place's section takes a tenth of a second in a very long article.
    rows = await asyncio.to_thread(lambda: [(sentence, source(sentence)) for sentence in sentences])
    return render(request, "verify.html", rows=rows, **shown)
