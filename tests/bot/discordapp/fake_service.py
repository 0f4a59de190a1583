"""A service without an index, for tests of the Discord surface alone; and answers to show."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.answering.followups import Earlier
from bot.answering.verify import Checked
from bot.discordapp.answering import Answering
from bot.service.catalogue import ArticleLine, Catalogue
from bot.service.job_queue import Waiting
from bot.service.live_index import Damage
from bot.service.service import ServiceStats
from index.articles.article import Article
from index.build import BuildReport, Changes
from index.progress import Progress
from index.storage.generations import GenerationLine
from index.storage.verification import IndexStatus

__all__ = ["QUOTE", "REPORT", "FakeService", "sample_answer", "sample_article"]

QUOTE = "The academy opened in 2019, with a budget of £3.5bn."
_DIMENSION = 384


def sample_answer(
    question: str = "When did it open?",
    verdict: Verdict = Verdict.ANSWERED,
    texts: tuple[str, ...] = (QUOTE,),
    title: str = "Councils and skills",
    url: str | None = "https://example.org/councils",
    highlight: tuple[int, int] | None = None,
    *,
    articles: tuple[str, ...] = ("councils",),
    further: tuple[str, ...] = (),
    read_as: str = "",
) -> Answer:
    """Make an answer whose quotes are `texts`, each from a passage of its own; `highlight` is in each.

    `articles` are the ids of the articles that they are from, one after the other and over again; all but the
    first are titled by their id. `further` are the passages that come next.
    """
    passages = [f"Before. {text}" for text in texts] + list(further)
    names = [articles[number % len(articles)] for number in range(len(passages))]
    quotes = tuple(Quote(text, number, 4, 0, len(text), highlight) for number, text in enumerate(texts, 1))
    citations = tuple(
        Citation(
            number=number,
            article=name,
            title=title if name == articles[0] else name.capitalize(),
            author="A. Writer",
            publisher="The Paper",
            url=url,
            paragraph=4,
            start=0,
            end=len(text),
            passage=passage,
            score=round(0.8 / number, 4),
        )
        for number, (name, text, passage) in enumerate(
            zip(names, [*texts, *further], passages, strict=True), 1
        )
    )
    return Answer(
        question,
        verdict,
        0.934,
        quotes,
        citations[: len(texts)],
        "g-1",
        7.9,
        further=citations[len(texts) :],
        read_as=read_as,
    )


def sample_article(
    identity: str = "councils", *paragraphs: str, title: str = "Councils and skills"
) -> Article:
    """Make an article of these paragraphs; without any, one whose fourth paragraph begins with the quote."""
    text = "\n\n".join(paragraphs or ("One.", "Two.", "Three.", f"{QUOTE} It is full.", "Five."))
    return Article(identity, title, "A. Writer", "The Paper", "https://example.org/councils", "", title, text)


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


def _vector_of(text: str) -> npt.NDArray[np.float32]:
    """Return a unit vector that is the same for the same text, and near no other text's."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(_DIMENSION)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@dataclass
class FakeService(Answering):
    """Answers what it is told to, when it is told to."""

    reply: Answer = field(default_factory=sample_answer)
    replies: dict[str, Answer] = field(default_factory=dict)
    """Answers to questions that get another than `reply`."""
    error: BaseException | None = None
    place: Waiting | None = None
    """The place in the queue that every asker is told of."""
    lines: tuple[ArticleLine, ...] = ()
    texts: dict[str, Article] = field(default_factory=dict)
    """Articles by id."""
    checked: tuple[Checked, ...] = ()
    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    """Vectors of texts that get another than that of their hash."""
    figures: ServiceStats = field(
        default_factory=lambda: ServiceStats(0, tuple((verdict, 0) for verdict in Verdict), 0.0)
    )
    steps: tuple[Progress, ...] = ()
    step_delay: float = 0.0
    rebuild_error: Exception | None = None
    asked: list[str] = field(default_factory=list)
    asked_with: list[tuple[str, str | None, Earlier | None]] = field(default_factory=list)
    """Each question with the article that it was asked of, and what was asked before."""
    finished: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    """The texts that were checked."""
    rebuilds: int = 0
    forced: list[bool] = field(default_factory=list)
    """Whether each rebuild was to take far fewer articles too."""
    damage: Damage | None = None
    lines_kept: tuple[GenerationLine, ...] = ()
    """The generations that are kept."""
    rolled_back: list[str | None] = field(default_factory=list)
    rollback_error: Exception | None = None
    started: bool = False
    closed: bool = False
    generation: str = "g-1"
    callbacks: list[Callable[[str], None]] = field(default_factory=list)
    damage_callbacks: list[Callable[[Damage | None], None]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While this is clear, answers, checks and rebuilds wait."""

    def __post_init__(self) -> None:
        self.open.set()

    async def start(self) -> None:
        self.started = True

    async def ask(
        self,
        question: str,
        *,
        article: str | None = None,
        earlier: Earlier | None = None,
        waiting: Callable[[Waiting], None] | None = None,
    ) -> Answer:
        self.asked.append(question)
        self.asked_with.append((question, article, earlier))
        if self.place is not None and waiting is not None:
            waiting(self.place)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.finished.append(question)
        return self.replies.get(question, self.reply)

    async def catalogue(self) -> Catalogue:
        return Catalogue(self.lines)

    async def article(self, identity: str) -> Article | None:
        return self.texts.get(identity)

    async def check(self, text: str) -> tuple[Checked, ...]:
        self.checks.append(text)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return self.checked

    async def vector(self, question: str) -> npt.NDArray[np.float32]:
        own = self.vectors.get(question)
        return _vector_of(question) if own is None else own

    def on_swap(self, callback: Callable[[str], None]) -> None:
        self.callbacks.append(callback)

    def swap(self, generation: str) -> None:
        """Serve another generation from now on, and tell of it."""
        self.generation = generation
        for callback in self.callbacks:
            callback(generation)

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        self.damage_callbacks.append(callback)

    def find(self, damage: Damage | None) -> None:
        """Be damaged, or whole again, from now on, and tell of it."""
        self.damage = damage
        for callback in self.damage_callbacks:
            callback(damage)

    async def history(self) -> list[GenerationLine]:
        return list(self.lines_kept)

    async def roll_back(self, name: str | None = None) -> str:
        self.rolled_back.append(name)
        if self.rollback_error is not None:
            raise self.rollback_error
        self.swap(name or "g-0")
        return self.generation

    @property
    def stats(self) -> ServiceStats:
        return self.figures

    async def rebuild(
        self, progress: Callable[[Progress], None] | None = None, *, force: bool = False
    ) -> BuildReport:
        self.rebuilds += 1
        self.forced.append(force)
        for step in self.steps:
            if progress is not None:
                progress(step)
            await asyncio.sleep(self.step_delay)
        await self.open.wait()
        if self.rebuild_error is not None:
            raise self.rebuild_error
        return REPORT

    async def status(self) -> IndexStatus:
        return dataclasses.replace(_STATUS, generation=self.generation)

    async def close(self) -> None:
        self.closed = True
