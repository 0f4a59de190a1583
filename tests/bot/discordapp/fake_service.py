"""A service without an index, for tests of the Discord surface alone; and answers to show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.answers import Answer, Citation, Quote, Verdict
from bot.discordapp.answering import Answering
from index import BuildReport, Changes, IndexStatus, Progress

__all__ = ["REPORT", "FakeService", "sample_answer"]

QUOTE = "The academy opened in 2019, with a budget of £3.5bn."


def sample_answer(
    question: str = "When did it open?",
    verdict: Verdict = Verdict.ANSWERED,
    texts: tuple[str, ...] = (QUOTE,),
    title: str = "Councils and skills",
    url: str | None = "https://example.org/councils",
    highlight: tuple[int, int] | None = None,
) -> Answer:
    """Make an answer whose quotes are `texts`, each from a passage of its own; `highlight` is in each."""
    quotes = tuple(Quote(text, number, 4, 0, len(text), highlight) for number, text in enumerate(texts, 1))
    citations = tuple(
        Citation(
            number, "councils", title, "A. Writer", "The Paper", url, 4, 0, len(text), f"Before. {text}", 0.8
        )
        for number, text in enumerate(texts, 1)
    )
    return Answer(question, verdict, 0.934, quotes, citations, "g-1", 7.9)


REPORT = BuildReport(
    generation="g-2",
    changes=Changes(added=("new",), changed=(), removed=(), unchanged=2),
    articles=3,
    passages=41,
    reused=2,
    encoded=1,
    seconds=0.5,
)
_STATUS = IndexStatus(
    "g-1", "2026-01-31T12:00:00+00:00", "all-MiniLM-L6-v2", "ab" * 32, 3, 41, 200, 1_000_000, "fitted on none"
)


@dataclass
class FakeService(Answering):
    """Answers what it is told to, when it is told to."""

    reply: Answer = field(default_factory=sample_answer)
    error: BaseException | None = None
    steps: tuple[Progress, ...] = ()
    step_delay: float = 0.0
    rebuild_error: Exception | None = None
    asked: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    rebuilds: int = 0
    started: bool = False
    closed: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While this is clear, answers and rebuilds wait."""

    def __post_init__(self) -> None:
        self.open.set()

    async def start(self) -> None:
        self.started = True

    async def ask(self, question: str) -> Answer:
        self.asked.append(question)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.finished.append(question)
        return self.reply

    async def rebuild(self, progress: Callable[[Progress], None] | None = None) -> BuildReport:
        self.rebuilds += 1
        for step in self.steps:
            if progress is not None:
                progress(step)
            await asyncio.sleep(self.step_delay)
        await self.open.wait()
        if self.rebuild_error is not None:
            raise self.rebuild_error
        return REPORT

    async def status(self) -> IndexStatus:
        return _STATUS

    async def close(self) -> None:
        self.closed = True
