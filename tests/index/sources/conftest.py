"""A web site for a refresh, which runs an event loop of its own: so the site is served from a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.index.sources.web import WebServer


@pytest.fixture
def site() -> Iterator[WebServer]:
    """Serve a site without pages."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = WebServer()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
