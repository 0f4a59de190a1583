"""Which generation answers: a swap to the one that is published, and a way back from one that is damaged.

A generation that turns out damaged while it answers is never answered from again. The newest whole one takes
its place, and what was being asked is asked of that; a new process would refuse the damaged one instead. Once
another generation is published, by a rebuild or by going back, all is as usual.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.service.answerer import Serving
from bot.settings import BotSettings
from index.errors import DamagedIndexError, FootnoteError
from index.storage.manifest import read_pointer

__all__ = ["UNUSABLE", "Current", "Damage"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

UNUSABLE = (FootnoteError, OSError, sqlite3.Error)
"""What opening a generation may end in."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A generation that turned out damaged: its name, why, and what is answered from in its place.

    `serving` is "" where no generation that is kept is whole; then nothing is answered.
    """

    generation: str
    reason: str
    serving: str = ""

    @property
    def told(self) -> str:
        """What became of it and what to do, for people."""
        if self.serving:
            then = f"Answers now come from {self.serving}, the last good one: they may be older."
        else:
            then = "No generation that is kept is whole, so nothing is answered."
        return f"The generation {self.generation} is damaged: {self.reason} {then} Rebuild the index."


class Current:
    """The generation that answers. All of it may be used from any thread, and none of it on the loop.

    `retire` is called with what is served no longer, to be closed once nobody uses it; `swapped` with the
    name of what is served from now on; `damaged` with what was found damaged, and with None once that is
    over.
    """

    def __init__(
        self,
        settings: BotSettings,
        retire: Callable[[Serving], None],
        swapped: Callable[[str], None],
        damaged: Callable[[Damage | None], None],
    ) -> None:
        self._settings = settings
        self._retire, self._swapped, self._damaged = retire, swapped, damaged
        self._now: Serving | None = None
        self._bad: set[str] = set()
        self._changing = threading.Lock()
        self._closed = False
        self.damage: Damage | None = None
        """What is wrong, as long as answers do not come from what was published last."""
        self.damages = 0
        """Generations that turned out damaged so far."""

    def open(self) -> None:
        """Open the generation that is published and its encoder; raises as `Serving.first`."""
        self._now = Serving.first(self._settings)

    @property
    def serving(self) -> Serving:
        """What is served, or was served last where nothing whole is left."""
        if self._now is None:
            raise RuntimeError("the service has not been started")
        return self._now

    @property
    def is_open(self) -> bool:
        """Whether `open` has been through."""
        return self._now is not None

    @property
    def withheld(self) -> Counter[str]:
        """How many quotes and articles were withheld so far, by reason."""
        return self._now.prover.withheld if self._now else Counter()

    def using(self, work: Callable[[Serving], _T]) -> _T:
        """Do something with what is served; where that turns out damaged, with what takes its place.

        Raises:
            DamagedIndexError: no generation that is kept is whole.
        """
        while True:
            serving = self.serving
            if (damage := self.damage) is not None and not damage.serving:
                raise DamagedIndexError(damage.told)
            try:
                return work(serving)
            except DamagedIndexError as error:
                self._fall_back(serving, error)
                if self.serving is serving and self.damage is None:  # else it would be asked for ever
                    raise

    def look(self) -> None:
        """Serve what is published, and where files were written to, see whether they are still as they were.

        Raises:
            What UNUSABLE names: what is published cannot be served.
        """
        try:
            self.swap()
        finally:
            self._look_at_files()

    def _look_at_files(self) -> None:
        serving = self.serving
        if serving.name in self._bad:
            return
        try:
            if serving.generation.touched():
                serving.generation.check()
        except DamagedIndexError as error:
            self._fall_back(serving, error)

    def swap(self) -> None:
        """Serve the generation that is published, where it is another one and was not found damaged.

        Raises:
            What UNUSABLE names: it cannot be served.
        """
        with self._changing:
            name = read_pointer(self._settings.index).generation
            if self._closed or name in self._bad:
                return
            damage = self.damage
            if name != self.serving.name or (damage is not None and not damage.serving):
                new = self.serving.next()
                self.damage = None  # first, so that nobody is refused what is whole
                self._put(new)
            if damage is not None:
                self.damage = None
                _LOG.info("the index is whole again: answers come from generation %s", name)
                self._damaged(None)

    def roll_back(self, name: str | None) -> str:
        """Publish another generation that is kept, for `swap` to serve; raises as the generations' own.

        One that was found damaged before is whole again, since all of it was read for that.
        """
        from index.storage.generations import roll_back

        chosen = roll_back(self._settings.index, name)
        self.forgive(chosen)
        return chosen

    def forgive(self, name: str) -> None:
        """Let a generation serve again that was found damaged before: every byte of it was just read."""
        with self._changing:
            self._bad.discard(name)

    def close(self) -> None:
        """Close what is served; nothing is served afterwards. Waits for a swap that is under way."""
        with self._changing:
            self._closed = True
            if self._now is not None:
                self._now.close()

    def _fall_back(self, serving: Serving, error: DamagedIndexError) -> None:
        """Serve the last good generation in the place of one that is damaged, unless that has been done."""
        with self._changing:
            if self._closed:
                raise error
            if serving is not self._now or serving.name in self._bad:
                return
            self._bad.add(serving.name)
            self.damages += 1
            try:
                new = self._last_good()
            except Exception as none:  # noqa: BLE001 - memory may have run out: what serves is damaged all the same
                self.damage = Damage(serving.name, str(error))
                _LOG.error("%s (%s)", self.damage.told, none)
            else:
                self.damage = Damage(serving.name, str(error), new.name)
                _LOG.error("%s", self.damage.told)
                self._put(new)
            self._damaged(self.damage)

    def _last_good(self) -> Serving:
        """Open the newest generation that is whole and can be served."""
        from index.storage.generations import last_good

        passed = set(self._bad)
        while True:
            generation = last_good(self._settings.index, passed)
            try:
                return Serving.of(self._settings, generation, self.serving)
            except UNUSABLE as error:
                _LOG.warning("generation %s is whole, but cannot be served: %s", generation.name, error)
                passed.add(generation.name)

    def _put(self, new: Serving) -> None:
        old, self._now = self.serving, new
        _LOG.info("now answering from generation %s", new.name)
        self._retire(old)
        self._swapped(new.name)
