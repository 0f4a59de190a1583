"""The real service on a small index, with a hand on its answers."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.answering.answer import Answer
from bot.service.job_queue import Waiting
from bot.service.live_index import Damage
from bot.service.rebuild import Rebuilder
from bot.service.service import Service
from bot.settings import BotSettings
from index.encoding.encoder import Encoder
from index.progress import Progress
from tests.bot.services import RebuilderHere

__all__ = ["ABSENT", "BREAD", "BREAD_QUOTE", "LAMP", "LAMP_QUOTE", "StagedService", "open_service"]

LAMP, LAMP_QUOTE = (
    "When was the lighthouse on Gull Rock lit?",
    "The lighthouse on Gull Rock was lit for the first time in 1871.",
)
BREAD, BREAD_QUOTE = (
    "Why does sourdough rise slowly?",
    "Sourdough rises slowly because wild yeast is scarce.",
)
ABSENT = "Who painted the ceiling of the chapel?"
"""A question that the articles do not answer."""


class StagedService(Service):
    """Answers from the index as the real one does, unless a test holds that back, changes it or has it fail."""

    def __init__(self, settings: BotSettings, rebuilder: Rebuilder | None = None) -> None:
        super().__init__(settings, rebuilder)
        self.swap_listeners: list[Callable[[str], None]] = []
        self.damage_listeners: list[Callable[[Damage | None], None]] = []
        self.reset()

    def reset(self) -> None:
        """Answer as the real one does."""
        self.asked: list[str] = []
        self.asked_with: list[tuple[str, str | None, str | None]] = []
        """Each question with the article that it was asked of, and the question before."""
        self.checks: list[str] = []
        self.rebuilds = 0
        self.open = asyncio.Event()
        """While this is clear, answers and checks wait."""
        self.open.set()
        self.error: Exception | None = None
        """Raised by answers and checks."""
        self.rebuild_open = asyncio.Event()
        self.rebuild_open.set()
        self.rebuild_error: Exception | None = None
        self.steps: tuple[Progress, ...] = ()
        """What a rebuild tells of its progress before it goes on."""
        self.position: tuple[int, float] | None = None
        """The position in the queue, and the seconds, that every asker is told of."""
        self.verdict: str | None = None
        self.change: Callable[[Answer], Answer] = lambda answer: answer
        self.found_damage: Damage | None = None
        self.swaps = 0

    async def _held(self) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error

    async def ask(self, question: str, **more: Any) -> Answer:
        """Answer, once that is open."""
        earlier, waiting = more.get("earlier"), more.get("waiting")
        self.asked.append(question)
        self.asked_with.append((question, more.get("article"), earlier.question if earlier else None))
        if self.position is not None and waiting is not None:
            waiting(Waiting(*self.position))
        await self._held()
        answer = await super().ask(question, **more)
        if self.verdict is not None:
            answer = dataclasses.replace(answer, verdict=type(answer.verdict)(self.verdict))
        return self.change(answer)

    async def check(self, text: str) -> Any:
        """Check quotes, once that is open."""
        self.checks.append(text)
        await self._held()
        return await super().check(text)

    async def rebuild(self, progress: Callable[[Progress], None] | None = None, **more: Any) -> Any:
        """Rebuild, once that is open."""
        self.rebuilds += 1
        for step in self.steps if progress is not None else ():
            progress(step)
        await self.rebuild_open.wait()
        if self.rebuild_error is not None:
            raise self.rebuild_error
        return await super().rebuild(progress, **more)

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called by `swap` too."""
        self.swap_listeners.append(callback)
        super().on_swap(callback)

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        """Have `callback` called by `find` too."""
        self.damage_listeners.append(callback)
        super().on_damage(callback)

    def swap(self) -> None:
        """Tell of another generation, and be said to answer from it."""
        self.swaps += 1
        for callback in self.swap_listeners:
            callback(f"swapped-{self.swaps}")

    async def status(self) -> Any:
        """Return what is served, under the name that the last `swap` gave it."""
        found = await super().status()
        return dataclasses.replace(found, generation=f"swapped-{self.swaps}") if self.swaps else found

    @property
    def damage(self) -> Damage | None:
        """What a test has found damaged, or what is."""
        return self.found_damage or super().damage

    def find(self, reason: str | None, serving: str = "") -> None:
        """Find the index damaged, or (None) whole again."""
        self.found_damage = Damage("000002-damaged", reason, serving) if reason else None
        for callback in self.damage_listeners:
            callback(self.found_damage)


@asynccontextmanager
async def open_service(chat: Any, home: Path, encoder: Encoder) -> AsyncIterator[StagedService]:
    """Open the index of a folder of the test's own, and answer from it; rebuilds run in a thread."""
    settings = chat.settings(articles=home / "articles", index=home / ".footnote/index")
    chat.service = service = StagedService(settings, RebuilderHere(settings, encoder))
    await service.start()
    yield service
    await asyncio.wait_for(service.close(), 60)
