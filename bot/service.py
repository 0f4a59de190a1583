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
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bot.answers import Answer, Verdict
from bot.catalogue import Catalogue
from bot.errors import NotServedError
from bot.followups import Earlier
from bot.queueing import Queue, Waiting
from bot.rebuilding import Rebuilder
from bot.serving import Serving
from bot.settings import BotSettings
from index.errors import BusyError, FootnoteError

if TYPE_CHECKING:
    from bot.checking import Checked
    from index import Article, BuildReport, IndexStatus, Progress

__all__ = ["Service", "ServiceStats"]

_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 2.0
"""Seconds between two looks at CURRENT for a generation that another process published."""

_UNUSABLE = (FootnoteError, OSError, sqlite3.Error)
"""What opening a generation may end in."""


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """Figures for whoever runs it.

    `waiting` counts the questions in the queue and under way, `answered` those answered since the start;
    `mean_seconds` is what one of the recent answers took, 0 before the first.
    """

    waiting: int
    answered: tuple[tuple[Verdict, int], ...]
    mean_seconds: float


class Service:
    """Answers questions from the current generation, and swaps to the next one when it is published."""

    def __init__(self, settings: BotSettings, rebuilder: Rebuilder | None = None) -> None:
        """Take the settings; nothing is opened before `start`. `rebuilder` is for tests."""
        self.settings = settings
        self._rebuilder = rebuilder or Rebuilder(settings)
        self._rebuild: asyncio.Task[BuildReport] | None = None
        self._now: Serving | None = None
        self._answering = Queue("footnote-answer", settings.waiting)
        self._looking = Queue("footnote-look", settings.waiting)
        self._answered: Counter[Verdict] = Counter()
        self._catalogue: tuple[str, Catalogue] | None = None
        self._callbacks: list[Callable[[str], None]] = []
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None
        self._swapping = threading.Lock()
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Open the current generation and load the encoder.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is not as it was written, or is another encoder's.
            NoModelError: the encoder's weights cannot be had.
        """
        self._loop = asyncio.get_running_loop()
        first = functools.partial(Serving.first, self.settings)
        self._now = await asyncio.wrap_future(self._answering.submit(first))
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
            key, lambda: self._serving.answer(question, article, earlier), waiting
        )
        self._answered[made.verdict] += 1
        return made if made.question == question else dataclasses.replace(made, question=question)

    async def catalogue(self) -> Catalogue:
        """Return what articles there are; it is made once a generation.

        Raises:
            BusyError: it has to be made, and too much waits or the service is closing.
        """
        if self._catalogue is None or self._catalogue[0] != self._serving.name:
            self._refuse_when_closed()
            self._catalogue = await self._looking.do("catalogue", self._read_catalogue)
        return self._catalogue[1]

    async def article(self, identity: str) -> Article | None:
        """Return an article by its id; None where there is none.

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        self._refuse_when_closed()
        return await self._looking.do(("article", identity), lambda: self._serving.article(identity))

    async def check(self, text: str) -> tuple[Checked, ...]:
        """Say of each sentence of a text whether it stands in an article to the letter, and where.

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        self._refuse_when_closed()
        return await self._looking.do(("check", text), lambda: self._serving.check(text))

    async def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,).

        Raises:
            BusyError: too much waits, or the service is closing.
        """
        self._refuse_when_closed()
        return await self._looking.do(("vector", question), lambda: self._serving.vector(question))

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called on the loop with the generation's name after each swap to another one."""
        self._callbacks.append(callback)

    @property
    def stats(self) -> ServiceStats:
        """How busy it is, and what it answered."""
        answered = tuple((verdict, self._answered[verdict]) for verdict in Verdict)
        return ServiceStats(len(self._answering), answered, self._answering.mean_seconds or 0.0)

    async def rebuild(self, progress: Callable[[Progress], None] | None = None) -> BuildReport:
        """Build the next generation beside answering, and swap to it; `progress` is called on the loop.

        Whoever waits for it may give up waiting: it goes on all the same.

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
        self._rebuild = asyncio.create_task(self._build_and_swap(progress or (lambda step: None)))
        return await asyncio.shield(self._rebuild)

    async def _build_and_swap(self, progress: Callable[[Progress], None]) -> BuildReport:
        report = await self._rebuilder.run(progress)
        if not self._closed:
            await self._swap_to(report)
        return report

    async def status(self) -> IndexStatus:
        """Return the figures of what is being served, and what its confidence was fitted on."""
        return self._serving.status()

    async def close(self) -> None:
        """Finish the questions that wait, give up a rebuild, and stop; safe to call twice."""
        self._closed = True
        if self._watcher:
            self._watcher.cancel()
        if self._now is None:
            # Still loading: nobody is waiting for an answer, and the thread ends when it has loaded.
            self._answering.close(wait=False)
            return
        await asyncio.gather(asyncio.to_thread(self._answering.close), self._rebuilder.give_up())
        if self._rebuild:
            await asyncio.wait({self._rebuild})
        await asyncio.to_thread(self._looking.close)  # after the answers, which may have swapped
        self._now.close()

    @property
    def _serving(self) -> Serving:
        if self._now is None:
            raise RuntimeError("the service has not been started")
        return self._now

    def _read_catalogue(self) -> tuple[str, Catalogue]:
        serving = self._serving
        return serving.name, Catalogue.of(serving.generation)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise BusyError("Footnote is stopping. Ask again in a moment.")

    async def _watch(self) -> None:
        """Notice a generation that another process published; one that cannot be used is told of once."""
        told = ""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await asyncio.to_thread(self._swap)
                told = ""
            except _UNUSABLE as error:
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("still answering from %s: %s", self._serving.name, told)

    async def _swap_to(self, report: BuildReport) -> None:
        try:
            await asyncio.to_thread(self._swap)
        except _UNUSABLE as error:
            raise NotServedError(
                f"The new generation {report.generation} is published, but it cannot be used, and answers "
                f"still come from {self._serving.name}: {error} Once that is mended, Footnote swaps to it by "
                "itself."
            ) from error

    def _swap(self) -> None:
        """Answer from the current generation from now on, where it is another one; not on the loop.

        Whoever waits for it may give up waiting: it is then done all the same.
        """
        with self._swapping:
            new = self._serving.next()
            if new is None:
                return
            try:
                # In the answering thread no question is under way, so none is using the old generation.
                replaced = self._answering.submit(functools.partial(self._replace, new))
            except RuntimeError:  # closed meanwhile
                new.close()
                return
            replaced.result()

    def _replace(self, new: Serving) -> None:
        old, self._now = self._serving, new
        # What is being looked up in the old one is done before this.
        self._looking.submit(old.close)
        _LOG.info("now answering from generation %s", new.name)
        self._loop.call_soon_threadsafe(self._tell_of_swap, new.name)

    def _tell_of_swap(self, generation: str) -> None:
        for callback in self._callbacks:
            try:
                callback(generation)
            except Exception:  # noqa: BLE001 -- whatever it is, the others hear of it too
                _LOG.exception("A callback failed after the swap to generation %s.", generation)
