"""The async face of answering: worker threads, bounded queues, hot reload, rebuild.

One thread answers, since the encoder takes one question at a time anyhow; one looks things up in the
articles, so that neither waits for the other. A rebuild is a process of its own. Nothing here blocks the
event loop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.errors import NotServedError
from bot.service.answerer import Serving
from bot.service.catalogue import Catalogue
from bot.service.job_queue import Queue, Waiting
from bot.service.live_index import UNUSABLE, Current, Damage
from bot.service.rebuild import Rebuilder
from bot.settings import BotSettings
from index.errors import BusyError

if TYPE_CHECKING:
    from bot.answering.verify import Checked
    from index.articles.article import Article
    from index.build import BuildReport
    from index.progress import Progress
    from index.storage.generations import GenerationLine
    from index.storage.verification import IndexStatus

__all__ = ["Service", "ServiceStats"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 2.0
"""Seconds between two looks at CURRENT for a generation that another process published."""


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """Figures for whoever runs it.

    `waiting` counts the questions in the queue and under way, `answered` those answered since the start;
    `mean_seconds` is what one of the recent answers took, 0 before the first. `withheld` counts the quotes
    and articles that could not be proven, `damages` the generations that turned out damaged in service.
    """

    waiting: int
    answered: tuple[tuple[Verdict, int], ...]
    mean_seconds: float
    withheld: int = 0
    damages: int = 0


class Service:
    """Answers questions from the current generation, and swaps to the next one when it is published.

    Where the generation turns out damaged, it goes back to the last good one; where there is
    none, all that reads it raises DamagedIndexError, which says to rebuild, until a rebuild has mended that.
    """

    def __init__(self, settings: BotSettings, rebuilder: Rebuilder | None = None) -> None:
        """Take the settings; nothing is opened before `start`. `rebuilder` is for tests."""
        self.settings = settings
        self._rebuilder = rebuilder or Rebuilder(settings)
        self._rebuild: asyncio.Task[BuildReport] | None = None
        self._current = Current(settings, self._retire, self._hear_of_swap, self._hear_of_damage)
        self._retired: list[Serving] = []
        self._answering = Queue("footnote-answer", settings.waiting)
        self._looking = Queue("footnote-look", settings.waiting)
        self._answered: Counter[Verdict] = Counter()
        self._catalogue: tuple[str, Catalogue] | None = None
        self._on_swap: list[Callable[[str], None]] = []
        self._on_damage: list[Callable[[Damage | None], None]] = []
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Open the current generation and load the encoder.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is not as it was written, or is another encoder's.
            NoModelError: the encoder's weights cannot be had.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.wrap_future(self._answering.submit(self._current.open))
        self._watcher = asyncio.create_task(self._watch())

    async def ask(
        self,
        question: str,
        *,
        article: str | None = None,
        earlier: Earlier | None = None,
        waiting: Callable[[Waiting], None] | None = None,
    ) -> Answer:
        """Answer any text at all, from one article (its id) or from all, read with what was asked earlier.

        `waiting` is called on the loop, once and at once, where other questions are answered before. A
        question that waits already or is being answered is not answered twice.

        Raises:
            BusyError: too many questions are waiting, or the service is closing.
        """
        self._refuse_when_closed()
        key = (" ".join(question.split()), article, earlier)
        # The generation is looked up when the question's turn comes, since it may be another one by then.
        made = await self._answering.do(
            key, lambda: self._current.using(lambda now: now.answer(question, article, earlier)), waiting
        )
        self._answered[made.verdict] += 1
        return made if made.question == question else dataclasses.replace(made, question=question)

    async def catalogue(self) -> Catalogue:
        """Return what articles there are; it is made once a generation.

        Raises:
            BusyError: it has to be made, and too much waits or the service is closing.
        """
        if self._catalogue is None or self._catalogue[0] != self._current.serving.name:
            self._catalogue = await self._look_up("catalogue", lambda now: (now.name, now.catalogue()))
        return self._catalogue[1]

    async def article(self, identity: str) -> Article | None:
        """Return an article by its id; None where there is none.

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        return await self._look_up(("article", identity), lambda now: now.article(identity))

    async def check(self, text: str) -> tuple[Checked, ...]:
        """Say of each sentence of a text whether it stands in an article to the letter, and where.

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        return await self._look_up(("check", text), lambda now: now.check(text))

    async def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,).

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        return await self._look_up(("vector", question), lambda now: now.vector(question))

    async def _look_up(self, key: Hashable, work: Callable[[Serving], _T]) -> _T:
        self._refuse_when_closed()
        return await self._looking.do(key, lambda: self._current.using(work))

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called on the loop with the generation's name after each swap to another one."""
        self._on_swap.append(callback)

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        """Have `callback` called on the loop where a generation turns out damaged; with None at its end.

        The callbacks of `on_swap` are called as well, where another generation then answers.
        """
        self._on_damage.append(callback)

    @property
    def damage(self) -> Damage | None:
        """Why answers do not come from the generation that was published last; None where they do."""
        return self._current.damage

    @property
    def stats(self) -> ServiceStats:
        """How busy it is, and what it answered."""
        answered = tuple((verdict, self._answered[verdict]) for verdict in Verdict)
        return ServiceStats(
            len(self._answering),
            answered,
            self._answering.mean_seconds or 0.0,
            self._current.withheld.total(),
            self._current.damages,
        )

    async def history(self) -> list[GenerationLine]:
        """Return the generations that are kept, the newest first.

        Raises:
            NoIndexError: there is none any more.
        """
        from index.storage.generations import history

        return await asyncio.to_thread(history, self.settings.index)

    async def roll_back(self, name: str | None = None) -> str:
        """Answer from another generation that is kept: the one named, or the newest whole one before this.

        Return its name. All of it is read first; whoever waits for it may give up waiting.

        Raises:
            BusyError: a rebuild is under way, or the service is closing.
            NotServedError: it is published, but answers go on coming from the generation of before.
            FootnoteError: there is no such generation, it is not whole, or the gate refused it.
        """
        self._refuse_when_closed()
        chosen = await asyncio.to_thread(self._current.roll_back, name)
        await self._swap_to(chosen)
        return chosen

    async def rebuild(
        self, progress: Callable[[Progress], None] | None = None, *, force: bool = False
    ) -> BuildReport:
        """Build the next generation beside answering, and swap to it; `progress` is called on the loop.

        With `force` there may be far fewer articles than before. Whoever waits for it may give up waiting: it
        goes on all the same.

        Raises:
            BusyError: a rebuild is running, here or in another process; or it was given up by `close`.
            NotServedError: the build is published, but answers go on coming from the generation of before.
            RebuildError: its process ended without saying why.
            FootnoteError: the build was refused; the generation of before goes on serving.
        """
        if self._closed:
            raise BusyError("Footnote is stopping. Ask for the rebuild again once it is back.")
        if self._rebuild and not self._rebuild.done():
            raise BusyError("A rebuild is already running. Wait until it is done.")
        self._rebuild = asyncio.create_task(
            self._build_and_swap(progress or (lambda step: None), force=force)
        )
        return await asyncio.shield(self._rebuild)

    async def _build_and_swap(self, progress: Callable[[Progress], None], *, force: bool) -> BuildReport:
        report = await self._rebuilder.run(progress, force=force)
        if not self._closed:
            # It may be the one of before, found whole again.
            await asyncio.to_thread(self._current.forgive, report.generation)
            await self._swap_to(report.generation)
        return report

    async def status(self) -> IndexStatus:
        """Return the figures of what is being served, and what its confidence was fitted on."""
        return self._current.serving.status()

    async def close(self) -> None:
        """Finish the questions that wait, give up a rebuild, and stop; safe to call twice."""
        self._closed = True
        if self._watcher:
            self._watcher.cancel()
        if not self._current.is_open:
            # Still loading: nobody is waiting for an answer, and the thread ends when it has loaded.
            self._answering.close(wait=False)
            return
        await asyncio.gather(asyncio.to_thread(self._answering.close), self._rebuilder.give_up())
        if self._rebuild:
            # Whoever asked for it may have given up waiting: then nobody else hears how it ended.
            await asyncio.gather(self._rebuild, return_exceptions=True)
        await asyncio.to_thread(self._looking.close)  # after the answers, which may have swapped
        await asyncio.to_thread(self._current.close)
        for old in self._retired:
            old.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise BusyError("Footnote is stopping. Ask again in a moment.")

    async def _watch(self) -> None:
        """Notice what another process published, and what became damaged; what is wrong is told of once."""
        told = ""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await asyncio.to_thread(self._current.look)
                told = ""
            except UNUSABLE as error:
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("still answering from %s: %s", self._current.serving.name, told)
            except Exception as error:  # noqa: BLE001 - it is looked again, whatever it was
                if str(error) != told:
                    told = str(error)
                    _LOG.exception("The index could not be looked at.")

    async def _swap_to(self, generation: str) -> None:
        try:
            await asyncio.to_thread(self._current.swap)
        except UNUSABLE as error:
            raise NotServedError(
                f"The generation {generation} is published, but it cannot be used, and answers still come "
                f"from {self._current.serving.name}: {error} Once that is mended, Footnote swaps to it by "
                "itself."
            ) from error

    def _retire(self, old: Serving) -> None:
        """Close what is served no longer, once the questions and look-ups that may use it are done."""
        try:
            self._answering.submit(functools.partial(self._looking.submit, old.close))
        except RuntimeError:  # closed meanwhile, and the last of them may be under way
            self._retired.append(old)

    def _hear_of_swap(self, generation: str) -> None:
        self._loop.call_soon_threadsafe(_tell, self._on_swap, generation)

    def _hear_of_damage(self, damage: Damage | None) -> None:
        self._loop.call_soon_threadsafe(_tell, self._on_damage, damage)


def _tell(callbacks: Sequence[Callable[[_T], None]], news: _T) -> None:
    for callback in callbacks:
        try:
            callback(news)
        except Exception:  # noqa: BLE001 -- whatever it is, the others hear of it too
            _LOG.exception("A callback failed that was told of %s.", news)
