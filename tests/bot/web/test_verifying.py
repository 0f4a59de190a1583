"""The page that checks quotes."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html  # type: ignore[import-untyped]

from tests.bot.web.conftest import Site

EXACT = "The lamp was replaced by an electric one in 1954."


async def checked(site: Site, text: str, status: int = 200, language: str = "en", query: str = "") -> Any:
    headers = {"Accept-Language": language}
    reply, page, _ = await site.post(f"/verify{query}", data={"text": text}, headers=headers)
    assert reply == status, page
    return html.document_fromstring(page)


@pytest.mark.parametrize(
    ("text", "language", "kind", "link"),
    [
        (EXACT, "de", "found", "lamp?q=272-321#q"),
        ("Author: Mara Holt", "es", "found", "lamp?q=h22-39#q"),
        ("The lamp was replaced by a gas one in 1954.", "fr", "changed", "lamp?q=272-321#q"),
        ("<script>alert(1 && 2)</script> sang the whales of the fjord.", "en", "missing", ""),
    ],
)
async def test_sentences_are_looked_up(site: Site, text: str, language: str, kind: str, link: str) -> None:
    page = await checked(site, text, language=language)
    assert page.xpath("//textarea")[0].text.removeprefix("\n") == text
    (sentence,) = page.xpath("//ol/li")
    assert sentence.get("class") == f"sentence {kind}"
    assert sentence.xpath("footer/a[1]/@href") == [f"/articles/{link}"] * bool(link)
    assert "".join(sentence.xpath("blockquote/text() | blockquote/del/text()")) == text
    original = "".join(sentence.xpath("blockquote/text() | blockquote/ins/text()"))
    assert original == (EXACT if kind == "changed" else text)


async def test_any_text_gets_a_page(site: Site) -> None:
    for text, status, expected in (
        ("?!", 200, "There is nothing to check"),
        ("whale\r\n" * 666, 200, "Not in the articles"),  # a browser counts a line's end once
        ("x" * 4001, 413, "At most 4,000 characters"),
        ("Whales sang in the fjord. " * 12, 200, "Only the first 10 sentences"),
    ):
        assert expected in (await checked(site, text, status)).text_content()


async def test_only_the_chosen_collection_is_searched_within_the_rate_limit(site: Site) -> None:
    crane = "The crane on the south quay lifts 8 tonnes."
    assert not (await checked(site, crane)).xpath("//li[contains(@class, 'found')]")
    async with site.again(discord_user_rate=1) as limited:
        assert "<textarea" in (await limited.get("/verify"))[1]
        own = await checked(limited, crane, query="?collection=harbour")
        assert own.xpath("//li/footer/a/@href") == ["/articles/berths?collection=harbour&q=83-126#q"]
        await checked(limited, crane, 429)
