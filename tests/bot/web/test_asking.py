"""The page for questions: real answers letter for letter, with sources, follow-ups and feedback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lxml import html  # type: ignore[import-untyped]

from bot.answering.answer import Answer, Verdict
from bot.chat.answer_text import quotes_shown
from bot.chat.asking import Assistant
from bot.chat.quote_links import article_url
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.bot.conftest import settings_for
from tests.bot.web.conftest import Site, open_site
from tests.graphs import lend_graph

LAMP = "When was the lighthouse on Gull Rock lit?"
ABSENT = "Which football club won the cup final in Lisbon?"
FERRY = r"""---
title: The <b>Alma</b> & her crew
author: Ida "Moe" <ida@alma.example>
url: javascript:alert(1)
---
## Tickets & seats
The ferry *Alma* sells **paper tickets** at the [old mill](https://mill.example/?a=1&b=2) on Tuesdays.

The sign at the gangway says "Shout \<script>alert('ahoy')\</script> & wave" in red paint.

| Cabin | Price in crowns |
|---|---|
| Upper | 140 |
"""
TICKETS, SIGN = "Where does the Alma sell paper tickets?", "What does the sign at the gangway say?"
QUESTIONS = [TICKETS, SIGN, "What does the upper cabin cost?", f"{TICKETS} {SIGN}", "Who painted the whales?"]
MARKED = (
    "The ferry <em>Alma</em> sells <strong>paper tickets</strong> at the "
    '<a href="https://mill.example/?a=1&amp;b=2" rel="noopener nofollow">old mill</a> on Tuesdays.'
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ferry(built: Path, encoder: Encoder) -> AsyncIterator[Site]:
    home = built.with_name("ferry")
    (home / "articles").mkdir(parents=True)
    (home / "articles/alma.md").write_text(FERRY, encoding="utf-8")
    lend_graph(built / ".footnote/index", home / ".footnote/index")
    build_index(settings_for(home), encoder=encoder)
    async with open_site(home, encoder) as site:
        yield site


async def asked(site: Site, question: str, status: int = 200, **query: str) -> Any:
    reply, text, _ = await site.get("/", params={"q": question, **query})
    assert reply == status, text
    return html.document_fromstring(text)


def texts(page: Any, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.xpath(path)]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_quotes_are_shown_letter_for_letter_with_their_sources(ferry: Site, question: str) -> None:
    answer = await ferry.assistant.service_of("").ask(question)
    page = await asked(ferry, question)
    cards = page.xpath("//article[@id='answer']/section")
    for card, quote in zip(cards, quotes_shown(answer), strict=True):
        part, citation = answer.part_of(quote), answer.citation_of(quote)
        shown = quote.text if part.verdict is Verdict.ANSWERED else citation.passage
        assert card.xpath("blockquote")[0].text_content() == shown
        assert texts(card, "*[contains(@class, 'header')]") == [quote.header] * bool(quote.header)
        assert texts(card, "h3") == [part.question] * bool(answer.parts)
        assert texts(card, "footer/cite") == [" › ".join(citation.section)]
        assert texts(card, "footer/span") == ['Ida "Moe" <ida@alma.example>', f"paragraph {quote.paragraph}"]
        link = article_url("", "alma", "", "", quote.start, quote.end, in_heading=False)
        assert card.xpath("footer/a/@href") == [link]  # and none to an address that is not of the web
    assert not page.xpath("//main//script | //b")


async def test_marks_and_answers_are_marked(ferry: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MARKED in (await ferry.get("/", params={"q": TICKETS}))[1]
    real = Assistant.ask

    async def ask(*arguments: Any) -> Answer:
        answer = await real(*arguments)
        quote = replace(answer.quotes[0], highlight=(17 + 21, 17 + 34), marks=(), more_items=2)
        return replace(answer, remark="only_quotes", quotes=(quote,))

    monkeypatch.setattr(Assistant, "ask", ask)
    page = await asked(ferry, TICKETS)
    assert texts(page, "//mark") == ["paper tickets"]
    assert "and 2 more items" in texts(page, "//article/section/p")
    assert page.xpath("//p[@class='remark']/a/@href") == ["/articles"]


async def test_an_answer_says_how_sure_it_is_why_and_what_else_there_is(site: Site) -> None:
    for question, title, shown in ((LAMP, "articles say", 1), (ABSENT, "articles do not seem to say", 2)):
        page, answer = await asked(site, question), await site.assistant.service_of("").ask(question)
        assert texts(page, "//*[@id='verdict']") == [f"The {title}"]
        assert ("they are not an answer" in page.text_content()) == (shown > 1)
        for path in ("//*[@class='confidence']", "//details[@class='why']//li"):
            assert f"{int(100 * answer.confidence)}%" in texts(page, path)[0]
        further = [*(quote.text for quote in answer.quotes[shown:]), *(it.passage for it in answer.further)]
        others = page.xpath("//details[@class='others']//blockquote")
        assert [block.text_content() for block in others] == further
        assert f'verdict="{answer.verdict}",way="web"' in (await site.get("/metrics"))[1]


async def test_a_follow_up_is_read_with_the_question_before_unless_that_is_forgotten(site: Site) -> None:
    first = await asked(site, "Who kept the lamp on Gull Rock?")
    (after,) = first.xpath("//input[@name='after']/@value")
    note, question = "Read together with:", "And when was it replaced?"
    assert note in (await asked(site, question, after=after)).text_content()
    elsewhere = await asked(site, question, after=after, collection="harbour")
    assert note not in elsewhere.text_content(), "an answer of another collection"
    for forgotten in (f"{int(after, 16) ^ 1:x}", "", "-1", "f" * 17, "\u0661", "0x1"):
        assert note not in (await asked(site, question, after=forgotten)).text_content()


async def test_a_link_can_choose_the_article_and_the_collection(site: Site) -> None:
    key = (await site.assistant.service_of("").catalogue()).suggest("bread")[0].key
    page = await asked(site, LAMP, article=key)
    assert page.xpath("//input[@name='article']/@value") == [key, key]
    assert set(texts(page, "//cite")) == {"Bread without a clock"}
    assert "There is no such article" in (await asked(site, LAMP, 404, article="none")).text_content()
    page = await asked(site, "Who is the harbour master?", collection="harbour")
    assert texts(page, "//article/section//cite") == ["Berths in the harbour"]
    assert all("collection=harbour" in link for link in page.xpath("//article//footer/a/@href"))
    assert page.xpath("//main//input[@name='collection']/@value") == ["harbour", "harbour"]


async def test_feedback_is_recorded_once_a_person_with_a_reason(site: Site) -> None:
    (identity,) = (await asked(site, LAMP)).xpath("//input[@name='id']/@value")
    for vote, reason in (("good", ""), ("bad", ""), ("bad", "  Not <b>that</b> lamp ")):
        status, text, _ = await site.post("/feedback", data={"id": identity, "vote": vote, "reason": reason})
        assert (status, "Thank you" in text) == (200, True)
        assert ("<textarea" in text) == (vote == "bad" and not reason)
        (row,) = [row for row in await site.assistant.records.feedback(None) if row.question == LAMP]
        assert (row.helpful, row.reason) == (vote == "good", reason.strip())
    assert (await site.post("/feedback", data={"id": "1", "vote": "good"}))[0] == 404
    assert (await site.post("/feedback", data={"id": identity, "vote": "perhaps"}))[0] == 400
    (of_harbour,) = (await asked(site, ABSENT, collection="harbour")).xpath("//input[@name='id']/@value")
    await site.post("/feedback", data={"id": of_harbour, "vote": "bad"})
    rows = await site.assistant.records.feedback(None, "harbour")
    assert [row.question for row in rows] == [ABSENT]
    async with site.again(record_days=0) as other:
        assert not (await asked(other, LAMP)).xpath("//form[@action='/feedback']")
        assert (await other.post("/feedback", data={"id": "1", "vote": "good"}))[0] == 403


async def test_any_text_gets_a_page_in_the_language_of_the_browser(site: Site) -> None:
    for question, language, expected in (
        ("", "en", "Articles: 3."),
        ("hello", "de-CH", "Eine Frage stellen"),
        ("灯" * 1000, "es", "Preguntar a los artículos"),
        (ABSENT, "fr", "Interroger les articles"),
    ):
        status, text, _ = await site.get("/", params={"q": question}, headers={"Accept-Language": language})
        page = html.document_fromstring(text)
        assert (status, page.get("lang"), expected in page.text_content()) == (200, language[:2], True)
        assert page.xpath("//input[@id='q']/@value") == [question]
