"""A running server over two small collections, shared by the tests, and others with settings of their own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from multidict import CIMultiDictProxy
from pydantic import SecretStr

from bot.chat.asking import Assistant
from bot.service.service import Service
from bot.service.services import Services
from bot.settings import BotSettings
from bot.web import server
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.bot.services import RebuilderHere
from tests.graphs import copy_index_file, lend_graph

__all__ = ["ADMIN_TOKEN", "HARBOUR", "Site", "open_site"]

ADMIN_TOKEN = "an-admin-token-of-the-tests"
HARBOUR = """\
Berths in the harbour
Author: Tove Dahl

Boats of up to 12 metres moor at the north pier. The harbour master is Nils Aker.

The crane on the south quay lifts 8 tonnes. It was built in 1962.
"""
"""The only article of the collection `harbour`; the default one has those of tests/bot/conftest.py."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in the event loop of the server that they share."""
    for item in items:
        if item.path.parent == Path(__file__).parent and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


Reply = tuple[int, str, CIMultiDictProxy[str]]


@dataclass
class Site:
    """A running server, with a client that is signed in nowhere."""

    url: str
    assistant: Assistant
    client: aiohttp.ClientSession
    _admin: list[aiohttp.ClientSession] = field(default_factory=list)

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        """Send a request, follow no redirects, and return the status, the text and the headers."""
        options.setdefault("allow_redirects", False)
        async with self.client.request(method, self.url + path, **options) as response:
            return response.status, await response.text(), response.headers

    async def get(self, path: str, **options: Any) -> Reply:
        """Get a page."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        """Post a form (`data=`) or JSON (`json=`)."""
        return await self.request("POST", path, **options)

    async def admin(self) -> aiohttp.ClientSession:
        """Return a client that has signed in to the pages for operators; relative addresses work."""
        if not self._admin:
            client = aiohttp.ClientSession(
                self.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
            )  # of an address
            self._admin.append(client)
            async with client.post("/login", data={"token": ADMIN_TOKEN}, allow_redirects=False) as response:
                assert response.status == 303, await response.text()
        return self._admin[0]

    @asynccontextmanager
    async def again(
        self, *, only: str | None = None, mcp: bool = False, **options: Any
    ) -> AsyncIterator[Site]:
        """Serve the same collections, or `only` one, once more, with other settings: `web_url="..."`."""
        records = self.assistant.settings.records.with_name(f"{id(options)}.sqlite")
        settings = self.assistant.settings.model_copy(update={"records": records, **options})
        services = self.assistant.services
        services = services if only is None else {only: services[only]}
        async with _site(settings, services, mcp=mcp) as other:
            yield other


@asynccontextmanager
async def _site(
    settings: BotSettings, services: Mapping[str, Service], *, mcp: bool = False
) -> AsyncIterator[Site]:
    assistant = Assistant(settings, services)
    async with server.serving(assistant, "127.0.0.1", 0, mcp=mcp) as port:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(url, cookie_jar=aiohttp.DummyCookieJar()) as client:
            site = Site(url, assistant, client)
            yield site
            for admin in site._admin:
                await admin.close()


@asynccontextmanager
async def open_site(
    home: Path, encoder: Encoder, rebuilder: type[RebuilderHere] = RebuilderHere, **options: Any
) -> AsyncIterator[Site]:
    """Serve the collections of a folder (`harbour` is built into it); rebuilds run in a thread."""
    (home / "harbour").mkdir()
    (home / "harbour/berths.txt").write_text(HARBOUR, encoding="utf-8")
    (home / "collections.toml").write_text('[harbour]\narticles = "harbour"\n', encoding="utf-8")
    settings = BotSettings(
        articles=home / "articles",
        index=home / ".footnote/index",
        collections=home / "collections.toml",
        records=home / "records.sqlite",
        discord_user_rate=0,
        web_admin_token=SecretStr(ADMIN_TOKEN),
        **options,
    )
    services = Services(settings, Service(settings, rebuilder(settings, encoder)))
    harbour = services["harbour"].settings
    lend_graph(home / ".footnote/index", harbour.index)
    await asyncio.to_thread(build_index, harbour, encoder=encoder)
    await services.start()
    try:
        async with _site(settings, services) as site:
            yield site
    finally:
        await services.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(
    built: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> AsyncIterator[Site]:
    """Serve the default collection and `harbour`, with an admin token and without an access token, once."""
    home = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(built, home, copy_function=copy_index_file)
    async with open_site(home, encoder) as shared:
        yield shared
