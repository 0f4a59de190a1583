"""The HTTP API: answers, verified quotes and articles as JSON, and a problem where something is wrong."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from index.errors import BusyError
from tests.bot.web.conftest import Site

LAMP = "When was the lighthouse on Gull Rock lit?"
CRANE = "How much does the crane on the south quay lift?"
CRANE_QUOTE = "The crane on the south quay lifts 8 tonnes."
ABSENT = "Which football club won the cup final in Lisbon?"
JSON = {"Content-Type": "application/json"}


async def get(site: Site, path: str) -> Any:
    status, text, headers = await site.get(path)
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8"), text
    return json.loads(text)


async def ask(site: Site, question: str, **more: Any) -> Any:
    status, text, _ = await site.post("/api/ask", json={"question": question, **more})
    assert status == 200, text
    return json.loads(text)


async def verify(site: Site, text: str, **more: Any) -> Any:
    status, text, _ = await site.post("/api/verify", json={"text": text, **more})
    assert status == 200, text
    return json.loads(text)["sentences"]


async def test_an_answer_is_the_json_of_the_command_line_and_counts_code_points(site: Site) -> None:
    question = "How long are the turbine's blades at Wexholm?"
    answer = await ask(site, question, explain=True)
    expected = json.loads(json.dumps((await site.assistant.service_of("").ask(question)).as_json()))
    assert answer | {"elapsed_ms": 0} == answer | expected | {"elapsed_ms": 0}
    assert answer["explanation"]["answer_at"] > 0
    best = answer["quotes"][0]
    assert "link" not in best  # without FOOTNOTE_WEB_URL
    article = await get(site, f"/api/articles/{quote(answer['citations'][0]['article'], safe='')}")
    assert "\U0001f600" in article["text"][: best["end"]]
    assert article["text"][best["start"] : best["end"]] == best["text"]


async def test_a_follow_up_needs_what_the_answer_before_returned(site: Site) -> None:
    first = await ask(site, "Who kept the lamp on Gull Rock?")
    second = await ask(site, "And for how long?", earlier=first["earlier"])
    assert "Gull Rock" in second["read_as"]
    assert "thirty-one years" in second["quotes"][0]["text"]
    assert "read_as" not in await ask(site, "And for how long?")


async def test_every_path_keeps_to_its_collection_and_article(site: Site) -> None:
    assert (await ask(site, CRANE, collection="harbour"))["quotes"][0]["text"] == CRANE_QUOTE
    assert "crane" not in json.dumps((await ask(site, CRANE))["citations"])
    citations = (await ask(site, LAMP, article="Bread without a clock"))["citations"]
    assert {citation["article"] for citation in citations} == {"bread"}
    assert (await verify(site, CRANE_QUOTE, collection="harbour"))[0]["verdict"] == "exact"
    assert (await verify(site, CRANE_QUOTE))[0]["verdict"] == "absent"
    listed = (await get(site, "/api/articles?collection=harbour"))["articles"]
    assert [article["id"] for article in listed] == ["berths"]
    assert (await get(site, "/api/articles/berths?collection=harbour"))["title"] == "Berths in the harbour"
    assert (await site.get("/api/articles/berths"))[0] == 404
    status = await get(site, "/api/status?collection=harbour")
    assert (status["articles"], status["collections"], status["damaged"]) == (1, ["", "harbour"], "")
    assert str(site.assistant.settings.collections.parent) not in json.dumps(status)


async def test_verified_sentences_say_where_they_stand_and_what_was_changed(site: Site) -> None:
    text = f"{CRANE_QUOTE} Boats of up to 15 metres moor at the north pier. Cats sleep on warm engines."
    exact, changed, absent = await verify(site, text, collection="harbour")
    place = [exact[key] for key in ("verdict", "article", "title", "paragraph", "times")]
    assert place == ["exact", "berths", "Berths in the harbour", 2, 1]
    article = await get(site, "/api/articles/berths?collection=harbour")
    assert article["text"][exact["start"] : exact["end"]] == CRANE_QUOTE
    changes = [(change["kind"], change["text"]) for change in changed["changes"]]
    assert changes[1:3] == [("quoted", "15"), ("article", "12")]
    assert (absent["verdict"], absent["article"], absent["changes"]) == ("absent", None, [])


async def test_links_open_the_article_at_the_quote(site: Site) -> None:
    async with site.again(web_url="https://notes.example/footnote") as other:
        best = (await ask(other, CRANE, collection="harbour"))["quotes"][0]
        (sentence,) = await verify(other, CRANE_QUOTE, collection="harbour")
        servers = (await get(other, "/api/openapi.json"))["servers"]
    link = urlsplit(best["link"])
    assert (link.netloc, link.path) == ("notes.example", "/footnote/articles/berths")
    assert parse_qs(link.query) == {"collection": ["harbour"], "q": [f"{best['start']}-{best['end']}"]}
    assert sentence["link"] == best["link"]
    assert servers == [{"url": "https://notes.example/footnote"}]


async def test_the_list_of_articles_comes_in_pages(site: Site) -> None:
    whole = await get(site, "/api/articles")
    ids = [article["id"] for article in whole["articles"]]
    assert len(ids) == whole["total"] == (await get(site, "/api/status"))["articles"]
    pages = [await get(site, f"/api/articles?limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [article["id"] for page in pages for article in page["articles"]] == ids
    found = (await get(site, "/api/articles?q=bread"))["articles"]
    assert [article["title"] for article in found] == ["Bread without a clock"]


BODIES: dict[str, tuple[str | bytes, int, str]] = {
    "no JSON": ("{'question': 1}", 422, "Invalid JSON"),
    "deep": ("[" * 200_000, 422, "recursion"),
    "long number": ('{"question": ' + "9" * 5_000 + "}", 422, "out of range"),
    "Latin-1": ('{"question": "Größe?"}'.encode("latin-1"), 422, "unicode"),
    "surrogate": (r'{"question": "lamp \ud800"}', 422, "hex escape"),
    "unknown key": ('{"question": "a", "' + "b" * 900 + '": 1}', 422, "…bb"),
    "list": ("[]", 422, "The request: Input should be an object."),
    "long": ('{"question": "' + "a" * 20_001 + '"}', 422, "question: String should have at most 20000"),
    "inside": ('{"question": "a", "earlier": {}}', 422, "earlier.question: Field required."),
    "unknown article": ('{"question": "a", "article": "b"}', 404, "no article 'b'"),
    "unknown collection": ('{"question": "a", "collection": "attic"}', 404, "attic"),
    "long body": (b" " * ((1 << 18) + 1), 413, "262144"),
}
TEXT, GZIP = {"Content-Type": "text/plain"}, {**JSON, "Content-Encoding": "gzip"}
POST = "POST", "/api/ask"
REQUESTS: dict[str, tuple[Any, ...]] = {
    **{name: (*POST, {"data": body, "headers": JSON}, *rest) for name, (body, *rest) in BODIES.items()},
    "type": (*POST, {"data": "{}", "headers": TEXT}, 415, "JSON"),
    "coding": (*POST, {"data": b"?", "headers": GZIP}, 415, "not compressed"),
    "larger": (*POST, {"data": io.BytesIO(b" " * (1 << 21)), "headers": JSON}, 413, ""),
    "limit": ("GET", "/api/articles?limit=0", {}, 422, "limit: Input should be greater than or equal to 1."),
    "offset": ("GET", "/api/articles?offset=-1", {}, 422, "offset: Input"),
    "article": ("GET", "/api/articles/no%2Fsuch%00", {}, 404, "no article"),
    "collection": ("GET", "/api/status?collection=attic", {}, 404, "attic"),
    "path": ("GET", "/api/nothing", {}, 404, ""),
    "method": ("DELETE", "/api/ask", {}, 405, ""),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_what_cannot_be_served_is_a_problem(site: Site, name: str) -> None:
    method, path, options, status, detail = REQUESTS[name]
    found, text, headers = await site.request(method, path, **options)
    problem = json.loads(text)
    assert (found, problem["status"]) == (status, status), text
    assert headers["Content-Type"].partition(";")[0] == "application/problem+json"
    assert all(problem[key] for key in ("type", "title", "detail"))
    assert detail in json.dumps(problem, ensure_ascii=False)
    assert status != 405 or headers["Allow"] == "POST"


async def test_the_rate_limit_says_how_long_to_wait(site: Site) -> None:
    async with site.again(discord_user_rate=1) as limited:
        await verify(limited, "a")
        status, text, headers = await limited.post("/api/ask", json={"question": "a"})
        assert (status, json.loads(text)["status"]) == (429, 429)
        assert 1 <= int(headers["Retry-After"]) <= 60
        await get(limited, "/api/articles")  # what is only looked up is not limited


async def test_a_full_queue_says_when_to_come_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise BusyError("Too many questions are waiting.", 2.5)

    monkeypatch.setattr(site.assistant.service_of(""), "ask", refuse)
    status, text, headers = await site.post("/api/ask", json={"question": "a"})
    assert (status, json.loads(text)["status"], headers["Retry-After"]) == (503, 503, "3")


async def test_only_what_is_not_answered_is_recorded(site: Site) -> None:
    async with site.again() as other:
        for question in (LAMP, ABSENT):
            await ask(other, question)
        assert [gap.question for gap in await other.assistant.records.every_open_gap()] == [ABSENT]
