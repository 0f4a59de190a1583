"""Pages to read in: the list of articles, an article with its quote, and links to it from everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html  # type: ignore[import-untyped]
from yarl import URL

from bot.answering.quoting import make_answer
from bot.chat.messages import messages_in
from bot.chat.quote_links import QuoteReference, article_url, with_pages
from bot.discordapp.embeds import Source, answer_embed, source_citation
from bot.terminal.ask import ask
from bot.web import reading
from tests.bot.answering.hits import FIT, found, make_hit
from tests.bot.conftest import settings_for
from tests.bot.web.conftest import Site

QUOTE = "Its lamp burned 40 litres of colza oil a night."
START, END = 64, 111


async def page(site: Site, path: str, status: int = 200) -> html.HtmlElement:
    found_status, text, _ = await site.get(path)
    assert found_status == status, text
    return html.fromstring(text)


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


async def test_articles_are_listed_below_their_publishers(site: Site) -> None:
    shown = await page(site, "/articles")
    assert [words(one) for one in shown.xpath("//section/h2")] == ["odd", "The Oven Letter"]
    (bread,) = shown.xpath("//section[h2='The Oven Letter']//li")
    assert words(bread) == "Bread without a clock · Jon Vass · 2019-03-02 · 2 paragraphs"
    assert bread.xpath("a/@href") == ["/articles/bread"]
    assert shown.xpath("//section[not(h2)]//a/text()") == ["The lamp on Gull Rock"]


@pytest.mark.parametrize(
    ("query", "titles", "message"),
    [
        ("?q=gull", ["The lamp on Gull Rock"], "Matching “gull”: 1"),
        ("?q=vass", ["Bread without a clock"], "Matching “vass”: 1"),
        ("?q=%3Cz%3E", [], "Matching “<z>”: 0"),
        ("?q=no+such+thing", [], "ask your question instead"),
        (f"?q={'x' * 5000}", [], "Try fewer words"),
        ("?collection=harbour", ["Berths in the harbour"], "Articles: 1"),
        ("?collection=harbour&q=gull", [], "Matching “gull”: 0"),
    ],
)
async def test_articles_are_found_by_title(site: Site, query: str, titles: list[str], message: str) -> None:
    shown = await page(site, f"/articles{query}")
    assert shown.xpath("//li/a/text()") == titles
    assert message in words(shown.get_element_by_id("main"))


async def test_a_long_list_ends_with_advice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST", 2)
    shown = words(await page(site, "/articles"))
    assert "Articles: 3 " in shown
    assert "Only the first 2 are shown. Search to find others." in shown


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        (f"?q={START}-{END}", [QUOTE]),
        (f"?q={START}-160", [QUOTE, "Ebba Lind kept the lamp on Gull Rock for thirty"]),
        ("?q=h4-8", ["lamp"]),
        ("?q=h0-400", []),
        ("?q=67-60", []),
        ("?q=-5-60", []),
        ("?q=60-99999999999999", []),
        ("?q=٣-٤", []),
        ("", []),
    ],
)
async def test_a_quote_is_marked_without_script(site: Site, query: str, marked: list[str]) -> None:
    shown = await page(site, f"/articles/lamp{query}")
    assert [mark.text_content() for mark in shown.xpath("//mark")] == marked
    assert shown.xpath("//*[@id='q']/text()") == marked[:1]
    assert bool(shown.xpath("//a[@href='#q']")) == bool(marked)
    assert words(shown.xpath("//h1")[0]) == "The lamp on Gull Rock"
    assert [one.get("id") for one in shown.xpath("//*[@data-text]/p")] == ["p1", "p2", "p3"]


async def test_a_quote_can_be_shared_and_asked_about(site: Site) -> None:
    shown = await page(site, "/articles/bread?q=0-20")
    link, citation = (one.strip() for one in shown.xpath("//textarea/text()"))
    assert link == f"{site.url}/articles/bread?q=0-20#q"
    assert citation == (
        "“Sourdough rises slow” Bread without a clock, Jon Vass, The Oven Letter, 2019-03-02, paragraph 1. "
        "https://oven.example/clock#:~:text=Sourdough%20rises%20slow"
    )
    assert shown.xpath("//button/@data-copy") == [link, citation]
    (original,) = shown.xpath("//a[text()='Original']")
    assert original.get("rel") == "noopener nofollow"
    (key,) = shown.xpath("//a[text()='Ask only this article']/@href")
    assert "Bread without a clock" in words(await page(site, key))


async def test_links_keep_the_collection_and_the_address_of_the_site(site: Site) -> None:
    async with site.again(web_url="https://notes.example/in/") as other:
        shown = await page(other, "/articles/berths?collection=harbour&q=h0-6")
    address = "https://notes.example/in/articles/berths?collection=harbour&q=h0-6#q"
    assert shown.xpath("//button/@data-copy")[0] == address
    (ask_only,) = shown.xpath("//a[text()='Ask only this article']/@href")
    assert URL(ask_only).query["collection"] == "harbour"


@pytest.mark.parametrize(
    "identity", ["gone.txt", "a/b c?d#e%2Ff.md", "https://x.example/../a?b=1&c", "/", "é <b>", "x" * 900]
)
async def test_an_unknown_article_is_named_with_advice(site: Site, identity: str) -> None:
    for collection in ("", "harbour"):
        shown = await page(site, article_url("", identity, collection, "", 0, 9, in_heading=False), 404)
        assert f"There is no article “{' '.join(identity[:200].split())}”" in words(shown)
    assert (await site.get("/articles/lamp?collection=harbour"))[0] == 404


def test_citations_link_to_pages_where_there_are_some() -> None:
    hit, messages = make_hit("0 Fog came.", "0.9 Oil burned."), messages_in("en")
    article = replace(hit.article, url="")
    plain = make_answer("What burned?", found(replace(hit, article=article)), FIT, "1")
    span = QuoteReference.of(article.id, plain.quotes[0].text, plain.quotes[0].start)
    assert with_pages(plain, "", "a", "b") == plain
    places = ("https://n.example", "harbour", "")
    address = article_url(places[0], article.id, *places[1:], span.start, span.end, in_heading=False)
    answer = with_pages(plain, *places)
    assert answer.citations[0].url == address
    (field,) = answer_embed(answer, messages).fields
    shown = [field.value or "", source_citation(Source(article, span, places), messages)]
    assert all(f"({address})" in text for text in shown)
    assert "http" not in source_citation(Source(article, span), messages)
    own = make_answer("What burned?", found(hit), FIT, "1")
    assert with_pages(own, *places) == own


def test_the_terminal_links_to_pages(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(built).model_copy(update={"web_url": "https://n.example"})
    rows = [({"question": "What did the lamp burn a night?"}, "")]
    ask(settings, rows, as_json=False, explain=False, heading=False)
    assert f"https://n.example/articles/lamp?q=0-{END}#q" in capsys.readouterr().out
