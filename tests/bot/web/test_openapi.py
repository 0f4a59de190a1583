"""The OpenAPI document is valid, and the server does what it says, also for requests that a tool makes up."""

from __future__ import annotations

import asyncio
import json

import schemathesis
from pydantic import SecretStr
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.bot.web.conftest import Site

CONFIG = {
    "phases": {"stateful": {"enabled": False}},
    "generation": {"max-examples": 4, "deterministic": True, "no-shrink": True, "database": "none"},
    "request-timeout": 30,
}


def explore(url: str) -> tuple[dict[str, set[int]], list[str]]:
    """Send made-up requests to every operation; return the statuses of each, and all that went wrong."""
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)
    schema.validate()
    statuses: dict[str, set[int]] = {}
    faults = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            faults.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.ScenarioFinished):
            for case, exchange in event.recorder.interactions.items():
                seen = statuses.setdefault(event.recorder.cases[case].value.operation.label, set())
                seen.update([exchange.response.status_code] if exchange.response else [])
            checks = [check for made in event.recorder.checks.values() for check in made]
            faults += [f"{check.name}: {check.failure_info}" for check in checks if check.failure_info]
    return statuses, faults


async def test_the_server_does_what_its_document_says(site: Site) -> None:
    statuses, faults = await asyncio.to_thread(explore, site.url)
    assert (faults, len(statuses)) == ([], 5)
    for operation, seen in statuses.items():
        refused = 405 if operation == "GET /api/status" else 404 if "{id}" in operation else 422
        assert {200, refused} <= seen, operation  # both what is served and what is refused was compared


async def test_the_document_has_what_responses_have(site: Site) -> None:
    document = json.loads((await site.get("/api/openapi.json"))[1])
    assert document["security"] == []  # everybody may ask
    body = {"question": "Who kept the lamp on Gull Rock, and when was it lit?", "explain": True}
    answer = json.loads((await site.post("/api/ask", json=body))[1])
    verified = json.loads((await site.post("/api/verify", json={"text": "Salt goes in last."}))[1])
    article = json.loads((await site.get("/api/articles/bread"))[1])
    parts = {"Quote": answer["quotes"], "Citation": answer["citations"], "Sentence": verified["sentences"]}
    for name, (found, *_) in {"Answer": [answer], "Article": [article], **parts}.items():
        assert found.keys() <= document["components"]["schemas"][name]["properties"].keys(), name


async def test_the_document_says_where_a_token_is_needed(site: Site) -> None:
    async with site.again(web_token=SecretStr("of-the-tests")) as other:
        headers = {"Authorization": "Bearer of-the-tests"}
        document = json.loads((await other.get("/api/openapi.json", headers=headers))[1])
        assert document["security"] == [{"token": []}]
        status, text, _ = await other.post("/api/ask", json={"question": "a"})
        assert (status, json.loads(text)["status"]) == (401, 401)
