"""A service on a folder of the test's own, damage to its index, and a watch on the event loop."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.service.rebuild import Rebuilder
from bot.service.service import Service
from bot.settings import BotSettings
from index.build import build_index
from index.build_report import BuildReport, Progress
from index.encoding.encoder import Encoder
from index.refresh import refresh_sources
from index.settings import IndexSettings

BOUND = 60
"""Seconds after which something counts as hanging."""

WORDS = "keeper tower sea storm oil lens harbour fog bell ship wave coast signal boat island wind".split()


def settings_of(home: Path, **options: object) -> BotSettings:
    """Load settings for a folder with `articles` and `.footnote/index` in it."""
    return BotSettings.load(**{"articles": home / "articles", "index": home / ".footnote/index", **options})


class RebuilderHere(Rebuilder):
    """Rebuilds in a thread with the tests' encoder, where the rebuild process is not what a test is about."""

    def __init__(self, settings: IndexSettings, encoder: Encoder) -> None:
        super().__init__(settings)
        self._build = functools.partial(build_index, settings, encoder=encoder)
        self._refresh = functools.partial(refresh_sources, settings, encoder=encoder)

    async def run(
        self, progress: Callable[[Progress], None], *, force: bool = False,
        refresh: Collection[str] | None = None,
    ) -> BuildReport:  # fmt: skip
        if refresh is None:
            return await asyncio.to_thread(self._build, force=force)
        return await asyncio.to_thread(self._refresh, refresh, force=force)


@asynccontextmanager
async def serving(home: Path, rebuild_with: Encoder | None = None, **options: Any) -> AsyncIterator[Service]:
    """Start a service that polls often, and close it within a bound."""
    settings = settings_of(home)
    rebuilder = RebuilderHere(settings, rebuild_with) if rebuild_with else None
    service = Service(settings, rebuilder, **{"poll_seconds": 0.05, **options})
    await service.start()
    try:
        yield service
    finally:
        await asyncio.wait_for(service.close(), BOUND)


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, within a bound."""
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110 - what it waits for may happen in another thread
            await asyncio.sleep(0.01)


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """Collect the pauses of the event loop, in seconds, while the block runs."""
    pauses = []

    async def beat() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - before)

    task = asyncio.create_task(beat())
    yield pauses
    task.cancel()


def damage(file: Path) -> None:
    """Flip a bit of each byte of a file in place, also for those who have it open; twice restores it."""
    flipped = bytes(byte ^ 1 for byte in file.read_bytes())
    with file.open("r+b") as opened:
        opened.write(flipped)


def add_many_articles(home: Path, count: int = 24) -> None:
    """Write articles that take the encoder long enough for something to happen meanwhile."""
    draw = random.Random(7)
    for number in range(count):
        lines = (
            f"The {draw.choice(WORDS)} {number} met the {draw.choice(WORDS)} {row}." for row in range(16)
        )
        path = home / f"articles/story-{number}.txt"
        path.write_text(f"Story {number}\n\n{' '.join(lines)}\n", encoding="utf-8")
