"""Assistants get quotes by the protocol: the package's own client, on standard input and over HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent
from pydantic import SecretStr

from bot.mcp import tools
from index.errors import BusyError, DamagedIndexError
from tests.bot.conftest import FOOTNOTE, Footnote, environment
from tests.bot.web.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIT = "When was the lighthouse on Gull Rock lit?"
LIT_QUOTE = "The lighthouse on Gull Rock was lit for the first time in 1871."
ABSENT = "Which football club won the cup final in Lisbon?"
CHANGED = LIT_QUOTE.replace("1871", "1872")
ANSWERED: list[tuple[str, dict[str, Any], str]] = [
    ("find_quotes", {"question": LIT}, f'"text": "{LIT_QUOTE}"'),
    ("find_quotes", {"question": ABSENT}, "The articles do not answer this"),
    ("find_quotes", {"question": LIT, "article": "Bread without a clock"}, "The articles do not "),
    (
        "verify_quote",
        {"text": LIT_QUOTE},
        f"exact: “{LIT_QUOTE}”\n  The lamp on Gull Rock (lamp), paragraph 1",
    ),
    ("verify_quote", {"text": CHANGED}, f"changed: “{CHANGED}” The article has: “{LIT_QUOTE}”"),
    ("verify_quote", {"text": "Pigs fly over the moon at night."}, "absent: “Pigs fly over"),
    ("verify_quote", {"text": "?!"}, "There is no sentence"),
    ("read_article", {"article": "lamp"}, "Author: Mara Holt\n\n[1] The lighthouse"),
    ("read_article", {"article": "lamp", "from_paragraph": 2}, "Holt\n\n[2] Ebba Lind"),
]
ABOUT = {"protocolVersion": "2026-07-28", "clientCapabilities": {}}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("find_quotes", {"question": "x" * 2001}, "at most 2000 characters"),
    ("find_quotes", {"question": ["a", {"b": 1}]}, "valid string"),
    ("find_quotes", {"question": LIT, "article": "\x00\n\u202e" * 300}, "No article"),
    ("find_quotes", {"question": LIT, "collection": "../x"}, "No such collection; there are: "),
    ("read_article", {"article": "lam"}, "Similar ids: lamp"),
    ("read_article", {"article": "lamp", "from_paragraph": 9}, "has 3 paragraphs"),
    ("read_article", {"article": "lamp", "from_paragraph": 10**30}, "less than or equal"),
    ("verify_quote", {}, "Field required"),
    ("delete_article", {"article": "lamp"}, "Unknown tool"),
]


async def call(client: Client, name: str, arguments: dict[str, Any]) -> tuple[str, bool, Any]:
    """Call a tool, and return its text, whether it is an error, and its data."""
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text, result.is_error, result.structured_content


async def use_everything(client: Client) -> None:
    """Do all that an assistant can do."""
    assert "Quote only what comes back, word for word" in (client.instructions or "")
    listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == ["find_quotes", "verify_quote", "read_article"]
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
    for name, arguments, expected in ANSWERED + REFUSED:
        text, is_error, _ = await call(client, name, arguments)
        assert expected in text
        assert is_error == ((name, arguments, expected) in REFUSED)
        assert len(text) < 2500
    resources = {resource.name: resource.uri for resource in (await client.list_resources()).resources}
    assert {"bread", "lamp", "odd/1"} <= resources.keys()
    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.uri_template.startswith("footnote://articles/{")
    assert "[1] The turbine " in str((await client.read_resource(resources["odd/1"])).contents)
    for uri in ("footnote://articles/none", "footnote://articles/..%2F..%2Fetc", "file:///etc/passwd"):
        with pytest.raises(MCPError, match=r"No article|Unknown resource"):
            await client.read_resource(uri)


async def test_over_standard_input_and_output(built: Path, tmp_path: Path) -> None:
    program = StdioServerParameters(command=str(FOOTNOTE), args=["mcp"], env=environment(), cwd=built)
    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(program, errlog=log)) as client:
            await use_everything(client)
            calls = [asyncio.create_task(call(client, "find_quotes", {"question": LIT})) for _ in range(8)]
            await asyncio.sleep(0.01)
            calls.pop().cancel()
            assert [text.count(LIT_QUOTE) for text, _, _ in await asyncio.gather(*calls)] == [1] * 7
    logged = (tmp_path / "log").read_text()
    assert 'way="mcp"' in logged
    assert "Traceback" not in logged
    assert not list(built.rglob("records*")), "a bot of the same folder may have the records open"


async def test_what_is_missing_is_said_before_the_protocol_begins(
    footnote: Footnote, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_index = footnote("mcp")
    monkeypatch.chdir(built)
    monkeypatch.setitem(sys.modules, "mcp", None)
    for outcome, advice in (
        (no_index, "footnote index build"),
        (footnote("mcp"), 'pip install "footnote[mcp]"'),
        (footnote("web", "--mcp"), 'pip install "footnote[mcp]"'),
    ):
        assert (outcome.status, outcome.out) == (69, "")
        assert advice in outcome.err


@asynccontextmanager
async def connected(site: Site, query: str = "", mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
    """Connect a client to a site's /mcp."""
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(f"{site.url}/mcp{query}", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def test_over_http(site: Site) -> None:
    async with site.again(mcp=True) as served:
        async with connected(served, mode="legacy") as client:
            await use_everything(client)
        async with connected(served) as client:
            _, _, data = await call(client, "find_quotes", {"question": LIT})
            quote, citation = data["quotes"][0], data["citations"][0]
            assert (data["verdict"], quote["text"], quote["paragraph"]) == ("answered", LIT_QUOTE, 1)
            assert citation["article"] == "lamp"
            harbour = {"question": "Who is the harbour master?", "collection": "harbour"}
            assert "Nils Aker" in (await call(client, "find_quotes", harbour))[0]
            assert (
                "Nils Aker" not in (await call(client, "find_quotes", {"question": harbour["question"]}))[0]
            )
            (uri,) = [one.uri for one in (await client.list_resources()).resources if one.name == "berths"]
            assert "Nils Aker" in str((await client.read_resource(uri)).contents)
        async with connected(served, "?collection=harbour") as client:
            (uri,) = [one.uri for one in (await client.list_resources()).resources if one.name == "lamp"]
            assert LIT_QUOTE in str((await client.read_resource(uri)).contents), "what is listed is read"
            assert "Nils Aker" in (await call(client, "find_quotes", {"question": harbour["question"]}))[0]
        assert ABSENT in [gap.question for gap in await served.assistant.records.every_open_gap("")]
        assert 'footnote_questions_total{verdict="answered",way="mcp"}' in (await served.get("/metrics"))[1]


async def test_over_http_long_articles_limits_and_faults(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_MAX_READ", 150)
    async with site.again(mcp=True) as served, connected(served) as client:
        assert (
            "Read on with from_paragraph=2." in (await call(client, "read_article", {"article": "lamp"}))[0]
        )
        for error in (BusyError("full", 3.0), DamagedIndexError("/a/secret"), RuntimeError("a secret")):

            async def fail(*_: object, error: Exception = error, **__: object) -> None:
                raise error

            with monkeypatch.context() as patch:
                patch.setattr(site.assistant.service_of(""), "ask", fail)
                text, is_error, _ = await call(client, "find_quotes", {"question": LIT})
            assert (is_error, "secret" in text) == (True, False)
    async with site.again(mcp=True, discord_user_rate=1) as limited, connected(limited) as client:
        assert not (await call(client, "find_quotes", {"question": LIT}))[1]
        assert "Try again in 60 s." in (await call(client, "find_quotes", {"question": LIT}))[0]


async def test_over_http_strangers_and_broken_messages_are_refused(site: Site) -> None:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
    about = {f"io.modelcontextprotocol/{key}": value for key, value in ABOUT.items()}
    listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {"_meta": about}}
    async with site.again(mcp=True) as served:
        for body, more, expected in (
            (json.dumps(listen), {**modern, "Accept": "application/json, text/event-stream"}, 400),
            ('{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}', {}, 400),
            ("[" * 100_000, {}, 400),
            ("x" * ((1 << 20) + 1), {}, 413),
            ("{}", {"Host": "rebound.example"}, 421),
            ("{}", {"Origin": "https://other.example"}, 403),
        ):
            status, text, _ = await served.post(
                "/mcp", data=io.BytesIO(body.encode()), headers={**headers, **more}
            )
            assert status == expected, text
            assert "Traceback" not in text
        assert (await served.get("/mcp"))[0] == 405
    async with site.again(mcp=True, web_token=SecretStr("the-door-token")) as closed:
        assert (await closed.post("/mcp", data=b"{}", headers=headers))[0] == 401
        async with connected(closed, Authorization="Bearer the-door-token") as client:
            assert LIT_QUOTE in (await call(client, "find_quotes", {"question": LIT}))[0]
