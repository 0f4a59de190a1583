"""The pages for operators: who gets in, and what they see and do there."""

from __future__ import annotations

import asyncio
import html
import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest
import pytest_asyncio

from index.build_report import BuildReport, Progress
from index.encoding.encoder import Encoder
from index.files import locked
from tests.bot.services import BOUND, RebuilderHere
from tests.bot.web.conftest import ADMIN_TOKEN, Site, open_site
from tests.graphs import copy_index_file

POSTS = ("/run/rebuild", "/run/refresh", "/run/rollback")


class Held(RebuilderHere):
    """Reports a step of a rebuild, and waits until it may go on."""

    may_go: ClassVar[asyncio.Event]
    started = 0

    async def run(self, progress: Callable[[Progress], None], **options: Any) -> BuildReport:
        Held.started += 1
        progress(Progress("encoding", 3, 10))
        await Held.may_go.wait()
        return await super().run(progress, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(
    built_twice: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> AsyncIterator[Site]:
    """Serve collections that the tests may change; the default one has two generations."""
    home = tmp_path_factory.mktemp("operated") / "home"
    shutil.copytree(built_twice, home, copy_function=copy_index_file)
    Held.may_go = asyncio.Event()
    Held.may_go.set()
    async with open_site(home, encoder, Held) as site:
        yield site
        Held.may_go.set()


async def page(site: Site, path: str = "/run", language: str = "en") -> str:
    """Return the HTML of a page for operators."""
    async with (await site.admin()).get(path, headers={"Accept-Language": language}) as response:
        assert response.status == 200, await response.text()
        return await response.text()


async def send(site: Site, path: str, **fields: str) -> aiohttp.ClientResponse:
    """Send a form as the page does, and return the response, which was not followed."""
    found = re.search(r'name="csrf" value="([^"]+)"', await page(site))
    assert found
    data = {"csrf": found[1], **fields}
    async with (await site.admin()).post(path, data=data, allow_redirects=False) as response:
        await response.read()
        return response


async def outcome(site: Site) -> str:
    """Wait until no rebuild runs, and return what the page then says of it."""
    async with asyncio.timeout(BOUND):
        while "data-done" not in (fragment := await page(site, "/run/progress")):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
    assert fragment.strip() in await page(site), "the outcome stays on the page"
    return html.unescape(fragment)


def counted(site: Site, outcome: str) -> float:
    """Return how many rebuilds ended so."""
    registry = site.assistant.metrics.registry
    return registry.get_sample_value("footnote_rebuilds_total", {"outcome": outcome}) or 0.0


@pytest.mark.parametrize("path", ["/run", "/run/progress", *POSTS])
async def test_only_operators_get_in(site: Site, path: str) -> None:
    method = "POST" if path in POSTS else "GET"
    status, _, headers = await site.request(method, path, data={"name": "x"} if method == "POST" else None)
    assert (status, headers["Location"]) == (303, "/login")
    if method == "POST":
        async with (await site.admin()).post(path, data={"csrf": "guessed"}) as response:
            assert response.status == 403


async def test_without_an_admin_token_the_page_says_what_to_set(site: Site) -> None:
    async with site.again(web_admin_token=None) as closed:
        status, text, _ = await closed.get("/run")
        assert (status, "FOOTNOTE_WEB_ADMIN_TOKEN" in text) == (404, True)


async def test_a_wrong_token_opens_nothing_and_signing_out_ends_the_session(site: Site) -> None:
    async with site.again() as other:
        status, text, _ = await other.post("/login", data={"token": "guessed"})
        assert (status, "not the admin token" in text) == (403, True)
        assert (await send(other, "/logout")).headers["Location"] == "/"
        async with (await other.admin()).get("/run", allow_redirects=False) as response:
            assert response.status == 303


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
async def test_the_page_shows_what_is_served_and_no_secret(own: Site, language: str) -> None:
    service = own.assistant.service
    sources = service.settings.articles.parent / "sources.toml"
    sources.write_text('[guide]\nurl = "https://guide.example/<start>"\n', encoding="utf-8")
    await own.assistant.service.ask("When was the lighthouse on Gull Rock lit?")
    text = await page(own, language=language)
    info = await service.status()
    assert info.encoder_fingerprint in text
    for each in await service.history():
        assert each.generation in text
    for name in type(service.settings).model_fields:
        assert f"<code>FOOTNOTE_{name.upper()}</code>" in text
    assert ADMIN_TOKEN not in text
    assert "<td>False</td>" in text
    assert f'<html lang="{language}"' in text
    assert "https://guide.example/&lt;start&gt;" in text
    sources.write_text("nonsense", encoding="utf-8")
    assert "sources.toml" in (broken := await page(own))
    assert info.encoder_fingerprint in broken, "one thing that cannot be read hides the rest"
    sources.unlink()


async def test_a_rebuild_is_shown_while_it_runs_and_when_it_has_ended(own: Site) -> None:
    article = own.assistant.settings.articles / "crane.txt"
    (article.parent / "empty.txt").touch()
    article.write_text("The crane\n\nThe crane of Wexholm was painted green in 1991.\n", encoding="utf-8")
    before, started = counted(own, "done"), Held.started
    Held.may_go.clear()
    for _ in range(2):  # the second one shows the first
        response = await send(own, "/run/rebuild")
        assert (response.status, response.headers["Location"]) == (303, "/run")
    running = await page(own, "/run/progress")
    assert 'data-poll="/run/progress"' in running
    assert "Encoding passages: 3 of 10" in running
    assert 'href="/run"' in await page(own), "there is a way to look again without script"
    Held.may_go.set()
    assert "1 article encoded" in (ended := await outcome(own))
    assert "empty.txt" in ended
    assert Held.started == started + 1
    assert counted(own, "done") == before + 1
    assert (await own.assistant.service.ask("When was the crane of Wexholm painted?")).verdict == "answered"
    (article.parent / "empty.txt").unlink()


async def test_a_refused_rebuild_says_why_and_can_be_forced(own: Site) -> None:
    articles = own.assistant.settings.articles
    kept = {path: path.read_bytes() for path in articles.iterdir()}
    for path in list(kept)[1:]:
        path.unlink()
    await send(own, "/run/rebuild")
    assert "The rebuild failed" in (refused := await outcome(own))
    assert "--force" in refused
    await send(own, "/run/rebuild", force="on")
    assert "The index has been rebuilt" in await outcome(own)
    for path, content in kept.items():
        path.write_bytes(content)
    with locked(own.assistant.settings.index):
        await send(own, "/run/rebuild")
        assert "Another rebuild is running" in await outcome(own)
    await send(own, "/run/refresh", name="nowhere")
    assert "nowhere" in await outcome(own)


async def test_another_generation_can_serve_again(own: Site) -> None:
    service = own.assistant.service
    kept = next(each.generation for each in await service.history() if each.state == "kept")
    assert f'value="{kept}"' in await page(own)
    await send(own, "/run/rollback", generation=kept)
    assert f"They now come from {kept}" in await outcome(own)
    assert (await service.status()).generation == kept
    await send(own, "/run/rollback", generation="../../etc")
    assert "no generation '../../etc'" in await outcome(own)
    assert (await service.status()).generation == kept


async def test_gaps_of_the_collection_are_shown(own: Site) -> None:
    records = own.assistant.records
    asked = (
        (None, "", "Who <b>dives</b>?"),
        (None, "harbour", "Who paid the pier?"),
        (7, "", "And 7?"),
    )
    for server, collection, question in asked:
        await records.add_gap(
            server=server, collection=collection, channel=0, user=1, question=question,
            verdict="not_found", confidence=0.1, vector=[float(len(question)), 1.0],
        )  # fmt: skip
    text = await page(own)
    assert "Who &lt;b&gt;dives&lt;/b&gt;?" in text
    assert "pier?" not in text
    assert "And 7?" not in text
    assert "Who paid the pier?" in await page(own, "/run?collection=harbour")


async def test_a_rebuild_is_given_up_when_the_server_stops(own: Site) -> None:
    Held.may_go.clear()
    async with own.again() as other:
        await send(other, "/run/rebuild")
    Held.may_go.set()
    assert counted(other, "given-up") == 1
