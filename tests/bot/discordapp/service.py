"""The real service on a small index; a test can delay, change or fail what it answers."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.answering.answer import Answer
from bot.service.job_queue import QueuePosition
from bot.service.live_index import Damage
from bot.service.rebuild import Rebuilder
from bot.service.service import Service
from bot.settings import BotSettings
from index.build_report import Progress
from index.encoding.encoder import Encoder
from tests.bot.services import RebuilderHere

__all__ = ["ABSENT", "BREAD", "BREAD_QUOTE", "LAMP", "LAMP_QUOTE", "StagedService", "open_service"]

LAMP = "When was the lighthouse on Gull Rock lit?"
LAMP_QUOTE = "The lighthouse on Gull Rock was lit for the first time in 1871."
BREAD = "Why does sourdough rise slowly?"
BREAD_QUOTE = "Sourdough rises slowly because wild yeast is scarce."
ABSENT = "Which football club won the cup final in Lisbon?"
"""A question that the articles do not answer."""


class StagedService(Service):
    """Answers from the index, with switches for what a test needs to control."""

    def __init__(self, settings: BotSettings, rebuilder: Rebuilder | None = None) -> None:
        super().__init__(settings, rebuilder)
        self.swap_listeners: list[Callable[[str], None]] = []
        self.damage_listeners: list[Callable[[Damage | None], None]] = []
        self.reset()

    def reset(self) -> None:
        """Return every switch to its default."""
        self.asked: list[str] = []
        self.asked_with: list[tuple[str, str | None, str | None]] = []
        """Each question with the article it was limited to and the question it follows up on."""
        self.verified: list[str] = []
        self.rebuilds = 0
        self.open, self.rebuild_open = asyncio.Event(), asyncio.Event()
        """While these are clear, answers and verifications, or rebuilds, wait."""
        self.open.set()
        self.rebuild_open.set()
        self.error: Exception | None = None
        self.rebuild_error: Exception | None = None
        self.steps: tuple[Progress, ...] = ()
        """Progress that a rebuild reports before anything else."""
        self.position: tuple[int, float] | None = None
        """The position in the queue, and the seconds to wait, that are reported for every question."""
        self.verdict: str | None = None
        self.change: Callable[[Answer], Answer] = lambda answer: answer
        self.staged_damage: Damage | None = None
        self.swaps = 0

    def latest(self) -> tuple[str, str | None, str | None]:
        """Return the latest question with its article and the question it follows up on."""
        return self.asked_with[-1]

    async def _wait(self) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error

    async def ask(self, question: str, **options: Any) -> Answer:
        """Answer, with what the test has set."""
        earlier, waiting = options.get("earlier"), options.get("waiting")
        self.asked.append(question)
        self.asked_with.append((question, options.get("article"), earlier.question if earlier else None))
        if self.position is not None and waiting is not None:
            waiting(QueuePosition(*self.position))
        await self._wait()
        answer = await super().ask(question, **options)
        if self.verdict is not None:
            answer = dataclasses.replace(answer, verdict=type(answer.verdict)(self.verdict))
        return self.change(answer)

    async def verify(self, text: str) -> Any:
        """Verify quotes."""
        self.verified.append(text)
        await self._wait()
        return await super().verify(text)

    async def rebuild(self, progress: Callable[[Progress], None] | None = None, **options: Any) -> Any:
        """Rebuild, or fail as the test has set."""
        self.rebuilds += 1
        if progress is not None:
            for step in self.steps:
                progress(step)
        await self.rebuild_open.wait()
        if self.rebuild_error is not None:
            raise self.rebuild_error
        return await super().rebuild(progress, **options)

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called after a swap, real or staged."""
        self.swap_listeners.append(callback)
        super().on_swap(callback)

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        """Have `callback` called when damage, real or staged, is found or repaired."""
        self.damage_listeners.append(callback)
        super().on_damage(callback)

    def swap(self) -> None:
        """Report a swap to another generation."""
        self.swaps += 1
        for callback in self.swap_listeners:
            callback(f"swapped-{self.swaps}")

    async def status(self) -> Any:
        """Return the status, with the generation of the latest staged swap."""
        status = await super().status()
        return dataclasses.replace(status, generation=f"swapped-{self.swaps}") if self.swaps else status

    @property
    def damage(self) -> Damage | None:
        """The damage, staged or real."""
        return self.staged_damage or super().damage

    def report_damage(self, reason: str | None, serving: str = "") -> None:
        """Report that the index is damaged, or (None) whole again."""
        self.staged_damage = Damage("000002-damaged", reason, serving) if reason else None
        for callback in self.damage_listeners:
            callback(self.staged_damage)


@asynccontextmanager
async def open_service(chat: Any, home: Path, encoder: Encoder) -> AsyncIterator[StagedService]:
    """Have a chat answer from an index of the test's own; rebuilds run in a thread."""
    settings = chat.settings(articles=home / "articles", index=home / ".footnote/index")
    chat.service = StagedService(settings, RebuilderHere(settings, encoder))
    await chat.service.start()
    yield chat.service
    await asyncio.wait_for(chat.service.close(), 60)
