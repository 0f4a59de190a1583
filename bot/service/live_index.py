"""The generation that answers now: hot swap to the published one, fallback from a damaged one.

A generation that turns out damaged while it answers is not used again: the last good one takes over, and the
question under way is asked of that. A new process would refuse the damaged generation instead. Once another
generation is published, by a rebuild or a rollback, everything is as usual.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.service.answerer import Answerer
from index.errors import DamagedIndexError, FootnoteError
from index.storage.engine import engine_of

if TYPE_CHECKING:
    from bot.settings import BotSettings

__all__ = ["UNUSABLE", "Damage", "LiveIndex"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

UNUSABLE = (FootnoteError, OSError, sqlite3.Error)
"""What opening a generation may raise."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A generation that turned out damaged, why, and which one answers instead: "" where none is whole."""

    generation: str
    reason: str
    serving: str = ""

    def __str__(self) -> str:
        then = "No other generation is whole, so nothing can be answered."
        if self.serving:
            then = f"Answers now come from {self.serving}, the last good one, and may be older."
        return f"Generation {self.generation} is damaged: {self.reason} {then} Rebuild the index."


class LiveIndex:
    """The generation that answers, swapped while it is in use; for any thread but the event loop's.

    `on_swap` is called with the answerer that is no longer served, to close it once nobody uses it, and the
    one that is; `on_damage` as `Service.on_damage` says.
    """

    def __init__(
        self,
        settings: BotSettings,
        on_swap: Callable[[Answerer, Answerer], None],
        on_damage: Callable[[Damage | None], None],
    ) -> None:
        self._settings = settings
        self._engine = engine_of(settings)
        self._on_swap, self._on_damage = on_swap, on_damage
        self._answerer: Answerer | None = None
        self._damaged: set[str] = set()
        self._changing = threading.Lock()
        self._closed = False
        self.damage: Damage | None = None  # while answers do not come from the published generation
        self.damage_count = 0  # generations that turned out damaged so far

    def open(self, other: Answerer | None = None) -> None:
        """Open the published generation, and its encoder unless `other` has it; raises as `Answerer.open`."""
        answerer = Answerer.open(self._settings, other)
        answerer.store.check()
        self._answerer = answerer

    @property
    def answerer(self) -> Answerer:
        """What is served, or was served last where no generation is whole."""
        if self._answerer is None:
            raise RuntimeError("the service has not been started")
        return self._answerer

    @property
    def is_open(self) -> bool:
        """Whether `open` has finished."""
        return self._answerer is not None

    def use(self, work: Callable[[Answerer], _T]) -> _T:
        """Do something with what is served, or if that turns out damaged, with what takes over.

        Raises:
            DamagedIndexError: no generation is whole.
        """
        while True:
            answerer = self.answerer
            if (damage := self.damage) is not None and not damage.serving:
                raise DamagedIndexError(str(damage))
            try:
                return work(answerer)
            except Exception as error:
                self._fall_back(answerer, self._as_damage(answerer, error))
                if self.answerer is answerer and self.damage is None:  # nothing took over
                    raise

    def swap(self) -> None:
        """Serve the published generation, unless it was found damaged; raises what UNUSABLE names."""
        with self._changing:
            name = self._engine.serving()
            if self._closed or name in self._damaged:
                return
            damage = self.damage
            if name != self.answerer.generation or (damage is not None and not damage.serving):
                new = Answerer.open(self._settings, self.answerer)
                new.store.check()
                self.damage = None  # before the swap, so that nobody is refused what is whole
                self._replace(new)
            if damage is not None:
                self.damage = None
                _LOG.info("the index is whole again: answers come from generation %s", name)
                self._on_damage(None)

    def roll_back(self, name: str | None) -> str:
        """Publish another generation, for `swap` to serve; raises as `generations.roll_back` does."""
        chosen = self._engine.roll_back(name)
        self.forgive(chosen)
        return chosen

    def forgive(self, name: str) -> None:
        """Let a generation serve again that was found damaged before: every byte of it was just verified."""
        with self._changing:
            self._damaged.discard(name)

    def close(self) -> None:
        """Close what is served, after a swap under way; nothing is served afterwards."""
        with self._changing:
            self._closed = True
            if self._answerer is not None:
                self._answerer.close()

    def _as_damage(self, answerer: Answerer, error: Exception) -> DamagedIndexError:
        """Return the damage that an error shows, or raise the error where the generation is whole.

        Damaged bytes may surface as any error, such as a KeyError for a row that is gone.
        """
        if isinstance(error, DamagedIndexError):
            return error
        if not isinstance(error, FootnoteError):
            for problem in self._engine.problems(answerer.generation):
                return DamagedIndexError(problem)
        raise error

    def _fall_back(self, answerer: Answerer, error: DamagedIndexError) -> None:
        """Serve the last good generation instead of a damaged one, unless another thread has done that."""
        with self._changing:
            if self._closed:
                raise error
            if answerer is not self._answerer or answerer.generation in self._damaged:
                return
            self._damaged.add(answerer.generation)
            self.damage_count += 1
            try:
                store = self._engine.last_good(self._damaged)
                new = Answerer.of(self._settings, store, self.answerer)
            except Exception as reason:  # noqa: BLE001 - memory may have run out: what serves is damaged anyway
                self.damage = Damage(answerer.generation, str(error))
                _LOG.error("%s (%s)", self.damage, reason)
            else:
                self.damage = Damage(answerer.generation, str(error), new.generation)
                _LOG.error("%s", self.damage)
                self._replace(new)
            self._on_damage(self.damage)

    def _replace(self, new: Answerer) -> None:
        old, self._answerer = self.answerer, new
        _LOG.info("now answering from generation %s", new.generation)
        self._on_swap(old, new)
