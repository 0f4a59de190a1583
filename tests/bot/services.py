"""Services on a folder of the test's own, and a watch on the event loop."""

from __future__ import annotations

import asyncio
import functools
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from bot.service.rebuild import Rebuilder
from bot.service.service import Service
from bot.settings import BotSettings
from index.build import BuildReport, build_index
from index.encoding.encoder import Encoder
from index.progress import Progress
from index.settings import IndexSettings

BOUND = 60
"""Seconds after which something counts as hanging."""

_WORDS = "keeper tower sea storm oil lens harbour fog bell ship wave coast signal boat island wind".split()


def settings_of(home: Path, **options: object) -> BotSettings:
    """Load settings for a folder with `articles` and `.footnote/index` in it."""
    return BotSettings.load(**{"articles": home / "articles", "index": home / ".footnote/index", **options})


class RebuilderHere(Rebuilder):
    """Rebuilds in a thread with the tests' encoder, for what is not about the process of a rebuild."""

    def __init__(self, settings: IndexSettings, encoder: Encoder) -> None:
        super().__init__(settings)
        self._here = functools.partial(build_index, settings, encoder=encoder)

    async def run(self, progress: Callable[[Progress], None], *, force: bool = False) -> BuildReport:
        return await asyncio.to_thread(self._here)


@asynccontextmanager
async def serving(
    home: Path, rebuild_with: Encoder | None = None, rebuilder: Rebuilder | None = None, **options: object
) -> AsyncIterator[Service]:
    """Start a service on a folder, and close it within a bound."""
    settings = settings_of(home, **options)
    if rebuild_with:
        rebuilder = RebuilderHere(settings, rebuild_with)
    service = Service(settings, rebuilder)
    await service.start()
    try:
        yield service
    finally:
        await asyncio.wait_for(service.close(), BOUND)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds, within a bound."""
    end = time.monotonic() + BOUND
    while not await condition():
        assert time.monotonic() < end, "it never came to hold"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """Collect the pauses of the event loop, in seconds, while the block runs."""
    pauses: list[float] = []

    async def beat() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            pauses.append(now - last)
            last = now

    task = asyncio.create_task(beat())
    try:
        await asyncio.sleep(0)
        yield pauses
        await asyncio.sleep(0.02)
    finally:
        task.cancel()


@contextmanager
def another_build(home: Path, encoder: Encoder) -> Iterator[threading.Event]:
    """Hold a build of the folder at its first step until the block ends or the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def progress(step: Progress) -> None:
        begun.set()
        assert go_on.wait(BOUND)

    settings = settings_of(home)
    thread = threading.Thread(target=build_index, args=(settings, progress, encoder))
    thread.start()
    try:
        assert begun.wait(BOUND)
        yield go_on
    finally:
        go_on.set()
        thread.join(BOUND)


def add_many_articles(home: Path, count: int = 24) -> None:
    """Write articles that take the encoder long enough for something to happen meanwhile."""
    draw = random.Random(7)
    for number in range(count):
        sentences = (
            f"The {draw.choice(_WORDS)} {number} met the {draw.choice(_WORDS)} {row} near the "
            f"{draw.choice(_WORDS)} of a {draw.choice(_WORDS)}."
            for row in range(12)
        )
        path = home / f"articles/story-{number}.txt"
        path.write_text(f"Story {number}\n\n{' '.join(sentences)}\n", encoding="utf-8")


class Stages:
    """Hears a build's progress; `encoding` is set once articles are being encoded."""

    def __init__(self) -> None:
        self.heard: list[Progress] = []
        self.threads: set[threading.Thread] = set()
        self.encoding = asyncio.Event()

    def __call__(self, step: Progress) -> None:
        self.heard.append(step)
        self.threads.add(threading.current_thread())
        if step.stage == "encoding":
            self.encoding.set()

    async def wait_for_encoding(self) -> None:
        """Wait until the build is at its longest stage, within a bound."""
        await asyncio.wait_for(self.encoding.wait(), BOUND)
