"""The async face of answering: a bounded queue, hot swap to new generations, rebuilds.

One thread answers, since the encoder takes one question at a time anyway; another looks things up in the
articles. A rebuild is a process of its own. Nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bot.answering.answer import Answer, Verdict
from bot.answering.verify import VerifiedSentence, verify
from bot.errors import NotServedError
from bot.service.catalogue import Catalogue
from bot.service.job_queue import JobQueue, QueuePosition
from bot.service.live_index import UNUSABLE, Damage, LiveIndex
from bot.service.rebuild import Rebuilder
from index.errors import BusyError
from index.sources.config import read_sources, sources_file
from index.storage.engine import engine_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from bot.answering.followups import Earlier
    from bot.service.answerer import Answerer
    from bot.settings import BotSettings
    from index.articles.article import Article
    from index.build_report import BuildReport, Progress
    from index.refresh import SourceStatus
    from index.storage.inspection import GenerationSummary
    from index.storage.store import StoreInfo

__all__ = ["Service", "ServiceStats"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)

_CAPACITY = 256  # questions that may wait before more are turned away
_POLL_SECONDS = 2.0  # between two looks at CURRENT for a generation that another process published


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """Figures for operators."""

    waiting: int  # questions in the queue and under way
    answered: tuple[tuple[Verdict, int], ...]  # since the start
    mean_seconds: float  # of recent answers, 0 before the first
    damages: int = 0  # generations that turned out damaged


class Service:
    """Answers questions from the current generation, and swaps to the next one when it is published.

    Whatever asks or looks something up raises BusyError if too much is waiting or the service is closing. If
    the generation turns out damaged, the last good one takes over; if there is none, DamagedIndexError is
    raised until a rebuild has repaired that.
    """

    def __init__(
        self,
        settings: BotSettings,
        rebuilder: Rebuilder | None = None,
        capacity: int = _CAPACITY,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        """Take the settings; nothing is opened before `start`. All but the settings is for tests."""
        self.settings = settings
        self._poll_seconds = poll_seconds
        self._rebuilder = rebuilder or Rebuilder(settings)
        self._rebuild: asyncio.Task[BuildReport] | None = None
        self._live = LiveIndex(settings, self._swapped, self._damaged)
        self._retired: list[Answerer] = []
        self._answering = JobQueue("footnote-answer", capacity)
        self._looking_up = JobQueue("footnote-look-up", capacity)
        self._answered: Counter[Verdict] = Counter()
        self._catalogue = ("", Catalogue(()))  # the last that was made, and its generation
        self._on_swap: list[Callable[[str], None]] = []
        self._on_damage: list[Callable[[Damage | None], None]] = []
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop

    async def start(self, other: Service | None = None) -> None:
        """Open the current generation, with the encoder of another started service where it is the same.

        Raises as `Answerer.open` does.
        """
        self._loop = asyncio.get_running_loop()
        opening = functools.partial(self._live.open, other._live.answerer if other else None)
        await asyncio.wrap_future(self._answering.submit(opening))
        self._watcher = asyncio.create_task(self._watch())

    async def ask(
        self,
        question: str,
        *,
        article: str | None = None,
        earlier: Earlier | None = None,
        waiting: Callable[[QueuePosition], None] | None = None,
    ) -> Answer:
        """Answer any text, from one article (by id) or from all, read together with an earlier exchange.

        `waiting` is called at once on the loop if other questions come first.
        """
        self._refuse_when_closed()
        # The answerer is looked up when the job runs: the generation may have changed by then.
        job = functools.partial(self._live.use, lambda now: now.answer(question, article, earlier))
        answer = await self._answering.run(job, waiting)
        self._answered[answer.verdict] += 1
        return answer

    async def catalogue(self) -> Catalogue:
        """Return the catalogue of the articles, which is made once a generation."""

        def look_up(answerer: Answerer) -> Catalogue:
            if self._catalogue[0] != answerer.generation:
                self._catalogue = answerer.generation, Catalogue(answerer.store.catalogue())
            return self._catalogue[1]

        generation, catalogue = self._catalogue
        return catalogue if generation == self._live.answerer.generation else await self._look_up(look_up)

    async def article(self, identity: str) -> Article | None:
        """Return an article by its id, or None."""
        return await self._look_up(lambda now: now.article(identity))

    async def verify(self, text: str) -> tuple[VerifiedSentence, ...]:
        """Say of each sentence of a text whether it stands in an article letter for letter, and where."""
        return await self._look_up(lambda now: verify(text, now.store))

    async def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,)."""
        return await self._look_up(lambda now: now.vector(question))

    async def _look_up(self, work: Callable[[Answerer], _T]) -> _T:
        self._refuse_when_closed()
        return await self._looking_up.run(lambda: self._live.use(work))

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Call `callback` on the loop with the generation's name after each swap to another one."""
        self._on_swap.append(callback)

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        """Call `callback` on the loop when a generation turns out damaged; with None when that is over."""
        self._on_damage.append(callback)

    @property
    def damage(self) -> Damage | None:
        """Why answers do not come from the published generation; None if they do."""
        return self._live.damage

    @property
    def stats(self) -> ServiceStats:
        """How busy the service is, and what it answered."""
        answered = tuple((verdict, self._answered[verdict]) for verdict in Verdict)
        busy = self._answering
        return ServiceStats(len(busy), answered, busy.mean_seconds, self._live.damage_count)

    async def status(self) -> StoreInfo:
        """Return the figures of the generation that is served, and what its confidence was fitted on."""
        return self._live.answerer.status()

    async def history(self) -> list[GenerationSummary]:
        """Return the generations that exist, newest first; raise NoIndexError if there is none any more."""
        return await asyncio.to_thread(engine_of(self.settings).history)

    async def sources(self) -> list[SourceStatus]:
        """Return every source with its state.

        Raises:
            SettingsError: the sources cannot be read.
            NotWritableError: what was fetched cannot be read.
        """
        return await asyncio.to_thread(_source_statuses, self.settings)

    async def roll_back(self, name: str | None = None) -> str:
        """Serve another generation, the one named or the newest whole one before this, and return its name.

        Every byte of it is verified first. A caller that is cancelled does not stop it.

        Raises:
            BusyError: a rebuild is running, or the service is closing.
            NotServedError: it is published, but answers still come from the previous generation.
            FootnoteError: there is no such generation, it is not whole, or the gate refused it.
        """
        self._refuse_when_closed()
        chosen = await asyncio.to_thread(self._live.roll_back, name)
        await self._swap_to(chosen)
        return chosen

    async def rebuild(
        self,
        progress: Callable[[Progress], None] | None = None,
        *,
        force: bool = False,
        refresh: Collection[str] | None = None,
    ) -> BuildReport:
        """Build the next generation beside answering, and swap to it; `progress` is called on the loop.

        With `force` there may be far fewer articles than before. With `refresh`, the sources of these names
        are fetched first; all of them where it is empty. A caller that is cancelled does not stop it.

        Raises:
            BusyError: a rebuild or refresh is running, here or in another process, or `close` gave it up.
            NotServedError: the build is published, but answers still come from the previous generation.
            RebuildError: its process ended without saying why.
            FootnoteError: the build was refused; the previous generation keeps serving.
        """
        self._refuse_when_closed()
        if self._rebuild and not self._rebuild.done():
            raise BusyError("A rebuild is already running. Wait until it is done.")
        rebuilding = self._rebuilder.run(progress or (lambda step: None), force=force, refresh=refresh)
        self._rebuild = asyncio.create_task(self._swap_after(rebuilding))
        return await asyncio.shield(self._rebuild)

    async def _swap_after(self, rebuilding: Coroutine[Any, Any, BuildReport]) -> BuildReport:
        report = await rebuilding
        if not self._closed:
            # It may be the generation that was damaged before, and is whole again.
            await asyncio.to_thread(self._live.forgive, report.generation)
            await self._swap_to(report.generation)
        return report

    async def close(self) -> None:
        """Finish the waiting questions, give up a rebuild, and stop; safe to call twice."""
        self._closed = True
        if self._watcher:
            self._watcher.cancel()
        if not self._live.is_open:
            # Still loading: nobody awaits an answer, and the thread ends when it has loaded.
            self._answering.close(wait=False)
            return
        await asyncio.gather(asyncio.to_thread(self._answering.close), self._rebuilder.give_up())
        if self._rebuild:
            # Await it so that a failure is not lost if the caller was cancelled.
            await asyncio.gather(self._rebuild, return_exceptions=True)
        await asyncio.to_thread(self._looking_up.close)  # after the answers, which may have swapped
        await asyncio.to_thread(self._live.close)
        for answerer in self._retired:
            answerer.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise BusyError("Footnote is stopping. Ask again in a moment.")

    async def _watch(self) -> None:
        """Swap to what another process published; log each problem with that once."""
        logged = ""
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await asyncio.to_thread(self._live.swap)
                logged = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may succeed
                if str(error) != logged:
                    logged = str(error)
                    serving = self._live.answerer.generation
                    expected = isinstance(error, UNUSABLE)
                    _LOG.warning("Still answering from %s: %s", serving, logged, exc_info=not expected)

    async def _swap_to(self, generation: str) -> None:
        try:
            await asyncio.to_thread(self._live.swap)
        except UNUSABLE as error:
            raise NotServedError(
                f"Generation {generation} is published but cannot be used, and answers still come from "
                f"{self._live.answerer.generation}: {error} Footnote switches to it once that is fixed."
            ) from error

    def _swapped(self, old: Answerer, new: Answerer) -> None:
        """Tell of the swap; close the old answerer once the questions and look-ups that use it are done."""
        self._loop.call_soon_threadsafe(_notify, self._on_swap, new.generation)
        try:
            self._answering.submit(functools.partial(self._looking_up.submit, old.close))
        except RuntimeError:  # closed meanwhile, and the last of them may still run
            self._retired.append(old)

    def _damaged(self, damage: Damage | None) -> None:
        self._loop.call_soon_threadsafe(_notify, self._on_damage, damage)


def _source_statuses(settings: BotSettings) -> list[SourceStatus]:
    if not read_sources(sources_file(settings)):  # then what builds and fetches is not loaded either
        return []
    from index.refresh import source_statuses

    return source_statuses(settings)


def _notify(callbacks: Sequence[Callable[[_T], None]], news: _T) -> None:
    for callback in callbacks:
        try:
            callback(news)
        except Exception:  # noqa: BLE001 -- the other callbacks are called all the same
            _LOG.exception("A callback for %s failed.", news)
