"""The async face of answering: a worker thread, a bounded queue, hot reload, rebuild.

One thread answers, since the encoder takes one question at a time anyhow; another rebuilds. Nothing here
blocks the event loop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.answers import Answer, answer
from bot.confidence import Judge, find_judge
from bot.settings import BotSettings
from index import (
    BuildReport,
    Encoder,
    FootnoteError,
    Generation,
    IndexStatus,
    Progress,
    Search,
    build_index,
    find_model,
    open_generation,
)
from index.errors import BusyError
from index.manifest import read_pointer

__all__ = ["Service"]

_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 2.0
"""Seconds between two looks at CURRENT for a generation that another process published."""


@dataclass(frozen=True, slots=True)
class _Serving:
    """What answers: an open generation with its encoder, and what its answers are judged by."""

    search: Search
    judge: Judge

    @property
    def generation(self) -> Generation:
        return self.search.generation


class Service:
    """Answers questions from the current generation, and swaps to the next one when it is published."""

    def __init__(self, settings: BotSettings) -> None:
        """Take the settings; nothing is opened before `start`."""
        self.settings = settings
        self._now: _Serving | None = None
        self._answering = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-answer")
        self._building = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footnote-build")
        self._waiting = 0
        self._rebuilding = False
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None
        self._swapping = asyncio.Lock()

    async def start(self) -> None:
        """Open the current generation and load the encoder.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is not as it was written, or is another encoder's.
            NoModelError: the encoder's weights cannot be had.
        """
        self._now = await asyncio.get_running_loop().run_in_executor(self._answering, self._open_first)
        self._watcher = asyncio.create_task(self._watch())

    async def ask(self, question: str) -> Answer:
        """Answer any text at all.

        Raises:
            BusyError: too many questions are waiting, or the service is closing.
        """
        if self._closed:
            raise BusyError("Footnote is stopping. Ask again in a moment.")
        if self._waiting >= self.settings.waiting:
            raise BusyError("Too many questions are waiting. Ask again in a moment.")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._answering, self._answer, question)
        # Also when the asker gives up: the place in the queue is then free again.
        future.add_done_callback(lambda _: self._leave())
        return await future

    async def rebuild(self, progress: Callable[[Progress], None] | None = None) -> BuildReport:
        """Build the next generation beside answering, and swap to it; `progress` is called on the loop.

        Raises:
            BusyError: a rebuild is running, here or in another process.
            FootnoteError: the build was refused; the generation of before goes on serving.
        """
        if self._closed:
            raise BusyError("Footnote is stopping. Ask for the rebuild again once it is back.")
        if self._rebuilding:
            raise BusyError("A rebuild is already running. Wait until it is done.")
        self._rebuilding = True
        loop = asyncio.get_running_loop()

        def tell(step: Progress) -> None:
            # At a stage's end it may have been published already, and then it was not given up.
            if self._closed and step.done < step.total:
                raise BusyError("Footnote is stopping: the rebuild was given up, and nothing was changed.")
            if progress is not None:
                loop.call_soon_threadsafe(progress, step)

        build = functools.partial(build_index, self.settings, tell, self._serving.search.encoder)
        try:
            report = await loop.run_in_executor(self._building, build)
            if not self._closed:
                await self._swap()
        finally:
            self._rebuilding = False
        return report

    async def status(self) -> IndexStatus:
        """Return the figures of what is being served, and what its confidence was fitted on."""
        serving = self._serving
        return dataclasses.replace(serving.generation.status(), confidence=serving.judge.origin)

    async def close(self) -> None:
        """Finish the questions that wait, give up a rebuild, and stop; safe to call twice."""
        self._closed = True
        if self._watcher:
            self._watcher.cancel()
        if self._now is None:
            # Still loading: nobody is waiting for an answer, and the thread ends when it has loaded.
            self._answering.shutdown(wait=False, cancel_futures=True)
            return
        await asyncio.gather(
            asyncio.to_thread(self._answering.shutdown), asyncio.to_thread(self._building.shutdown)
        )
        self._now.generation.close()

    @property
    def _serving(self) -> _Serving:
        if self._now is None:
            raise RuntimeError("the service has not been started")
        return self._now

    def _leave(self) -> None:
        self._waiting -= 1

    def _open_first(self) -> _Serving:
        generation = open_generation(self.settings.index)
        # A question is too short to gain from a second thread, and loses much to it when others are busy;
        # a rebuild beside answering leaves a core for the answers.
        return self._pair(generation, Encoder(find_model(self.settings.model), threads=1))

    def _pair(self, generation: Generation, encoder: Encoder) -> _Serving:
        """Make what answers from a generation.

        Raises:
            FootnoteError: the generation is another encoder's, or the fit is none; it is then closed.
        """
        settings = self.settings
        try:
            search = Search(generation, encoder, settings.without)
            judge = find_judge(settings.fit_file, encoder.model.fingerprint, settings.answer_at)
        except FootnoteError:
            generation.close()
            raise
        return _Serving(search, judge)

    def _answer(self, question: str) -> Answer:
        begun = time.perf_counter()
        serving = self._serving
        made = answer(
            question,
            serving.search(question),
            judge=serving.judge,
            generation=serving.generation.name,
            without=self.settings.without,
        )
        return dataclasses.replace(made, elapsed_ms=round(1000 * (time.perf_counter() - begun), 1))

    async def _watch(self) -> None:
        """Notice a generation that another process published; one that cannot be used is told of once."""
        told = ""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await self._swap()
                told = ""
            except (FootnoteError, OSError, sqlite3.Error) as error:
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("still answering from %s: %s", self._serving.generation.name, told)

    async def _swap(self) -> None:
        """Open the current generation where it is another one, and answer from it from now on."""
        async with self._swapping:
            old = self._serving
            new = await asyncio.to_thread(self._open_next, old)
            if new is None:
                return
            # In the answering thread no question is under way, so none is using the old generation.
            await asyncio.get_running_loop().run_in_executor(self._answering, self._replace, new)
            _LOG.info("now answering from generation %s", new.generation.name)

    def _open_next(self, old: _Serving) -> _Serving | None:
        if read_pointer(self.settings.index).generation == old.generation.name:
            return None
        return self._pair(open_generation(self.settings.index), old.search.encoder)

    def _replace(self, new: _Serving) -> None:
        old = self._serving
        self._now = new
        old.generation.close()
