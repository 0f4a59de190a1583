"""A library with its index and a service on it, and what each generation was built from."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.library import Library, Question
from benchmarks.processes import build_index
from bot.answering.answer import Answer
from bot.service.rebuild import Rebuilder
from bot.service.service import Service
from bot.settings import BotSettings
from index.storage.manifest import GENERATION

__all__ = ["Stand"]


class Stand:
    """A library, its index, and whether an answer is right for the generation that it names."""

    def __init__(self, home: Path, places: int, small: Path, **options: object) -> None:
        """Write the library and build its index, with the encoder's graph of a `small` one."""
        shutil.rmtree(home, ignore_errors=True)
        self.library = Library(home / "articles", places)
        self.index = home / "index"
        build_index(self.library.folder, self.index, small)
        self.settings = BotSettings.load(
            articles=self.library.folder, index=self.index, fit_file=home / "no-fit.json", **options
        )
        self._built: dict[str, Mapping[str, int]] = {}
        self._building: Mapping[str, int] = {}
        self.note_generations()

    @asynccontextmanager
    async def serving(self, rebuilder: Rebuilder | None = None) -> AsyncIterator[Service]:
        """Serve from it while the block runs."""
        service = Service(self.settings, rebuilder)
        await service.start()
        try:
            yield service
        finally:
            await service.close()

    def change(self, draw: random.Random, share: float = 0.1) -> None:
        """Write the next version of some articles."""
        names = sorted(self.library.now)
        for name in draw.sample(names, max(1, round(share * len(names)))):
            self.library.write(name)

    async def rebuild(self, service: Service) -> None:
        """Rebuild from the library as it is now, which stays so meanwhile.

        Raises:
            FootnoteError: the build was refused, or failed.
        """
        # A new generation may answer before the rebuild has told its name.
        self._building = dict(self.library.now)
        try:
            await service.rebuild()
        finally:
            self.note_generations()

    def note_generations(self) -> None:
        """Keep what the generations are built from that are new in the index, whoever built them."""
        self._building = dict(self.library.now)
        for path in self.index.iterdir():
            if GENERATION.fullmatch(path.name):
                self._built.setdefault(path.name, self._building)

    def faults(self, answer: Answer, question: Question | None) -> Iterator[str]:
        """Yield what is wrong with an answer, by the generation that it names."""
        versions = self._built.get(answer.generation, self._building)
        yield from self.library.faults(answer, question, versions)
