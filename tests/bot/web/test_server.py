"""The server: what it serves, how it starts, says where it is, and stops."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bot.chat.asking import Assistant
from bot.credentials import HIDDEN
from bot.web import server
from index.errors import MissingError
from tests.bot.conftest import WAIT, Footnote, finish, start
from tests.bot.web.conftest import ADMIN_TOKEN, Site


async def test_health_checks_and_metrics_are_served_with_what_is_served_now(site: Site) -> None:
    assert (await site.get("/healthz"))[1] == '{"status": "ok"}'
    assert (await site.get("/readyz"))[1] == '{"ready": true, "missing": []}'
    assert "footnote_queue_length 0.0" in (await site.get("/metrics"))[1]


async def test_sources_are_refreshed_on_their_schedule(site: Site) -> None:
    file = site.assistant.settings.articles.parent / "sources.toml"
    file.write_text('[guide]\nurl = "https://guide.example/"\n', encoding="utf-8")
    async with site.again() as other, asyncio.timeout(WAIT):
        while "sources" not in json.loads((await other.get("/healthz"))[1]):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
    file.unlink()


async def test_port_that_is_taken_is_named_with_what_to_do(site: Site) -> None:
    port = int(site.url.rpartition(":")[2])
    with pytest.raises(MissingError, match=rf"Port {port} of 127.0.0.1 is taken.*footnote web --port 8081"):
        async with server.serving(Assistant(site.assistant.settings, {}), "127.0.0.1", port):
            pass


async def test_stopping_finishes_the_answers_under_way_and_takes_no_new_ones(site: Site) -> None:
    async with site.again() as other:
        under_way = asyncio.create_task(other.get("/?q=Who+kept+the+lamp+on+Gull+Rock"))
        while not other.assistant.service_of("").stats.waiting:  # noqa: ASYNC110 - another thread answers
            await asyncio.sleep(0)
        stopping = asyncio.create_task(other.assistant.tasks.drain(10))
        await asyncio.sleep(0)
        status, _, headers = await other.get("/?q=Who")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert (await other.get("/readyz"))[0] == 503
        assert (await under_way)[0] == 200
        assert await stopping == 0


def test_web_says_where_it_is_hides_its_tokens_and_stops_at_a_signal(home: Path, footnote: Footnote) -> None:
    refused = footnote("web", "--host", "192.0.2.1")
    assert (refused.status, "FOOTNOTE_WEB_TOKEN" in refused.err) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = start("web", "--port", port, FOOTNOTE_WEB_ADMIN_TOKEN=ADMIN_TOKEN, FOOTNOTE_LOG_LEVEL="warning")
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        assert f"Footnote answers at http://127.0.0.1:{port}/; Ctrl-C to stop." in line
        wrong = {"Authorization": "Bearer wrong"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/{ADMIN_TOKEN}", headers=wrong)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(asked, timeout=WAIT)  # noqa: S310
        with socket.create_connection(("127.0.0.1", int(port)), WAIT) as connection:
            connection.sendall(
                b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n"
            )
            assert b" 400 " in connection.recv(20)
    finally:
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
    assert (outcome.status, outcome.out, "Traceback" in outcome.err) == (0, "", False)
    assert "Duplicate 'Content-Type' header" in outcome.err
    assert f"A sign-in from 127.0.0.1 at /{HIDDEN} failed: the token is wrong." in outcome.err
