"""The engine that keeps a collection's generations in its index folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from index.settings import IndexSettings
from index.storage import generations, inspection
from index.storage.inspection import GenerationSummary
from index.storage.local import open_store
from index.storage.manifest import read_pointer
from index.storage.store import Store, StoreInfo

__all__ = ["LocalEngine"]


class LocalEngine:
    """The generations of one collection, in its index folder.

    Methods raise NoIndexError where there is none, and DamagedIndexError where it is not whole; those of
    engines on a server also BusyError where it does not answer.
    """

    def __init__(self, settings: IndexSettings) -> None:
        """Take the settings; nothing is opened."""
        self._folder = settings.index
        self.place = str(settings.index)  # for people

    def serving(self) -> str:
        """Return the name of the generation that serves."""
        return read_pointer(self._folder)

    def open(self) -> Store:
        """Open the generation that serves."""
        return open_store(self._folder)

    def status(self) -> StoreInfo:
        """Check the generation that serves, and return its figures."""
        return inspection.index_status(self._folder)

    def last_good(self, but: Collection[str] = ()) -> Store:
        """Open a whole generation that is not among `but`: the serving one, or the last before it."""
        return generations.last_good(self._folder, but)

    def history(self) -> list[GenerationSummary]:
        """Return the generations that exist, newest first."""
        return inspection.history(self._folder)

    def problems(self, name: str) -> Iterator[str]:
        """Yield a line on each thing of a generation that is not as it was written."""
        return inspection.generation_problems(self._folder / name)

    def verify(self) -> list[str]:
        """Return a line on each thing that is not as it was written."""
        return inspection.verify(self._folder)

    def roll_back(self, name: str | None = None) -> str:
        """Make another generation serve and return its name; raises as `generations.roll_back` does."""
        return generations.roll_back(self._folder, name)

    def prune(self, keep: int) -> list[str]:
        """Keep the serving generation and the newest others, `keep` in all; return what was removed."""
        return generations.prune(self._folder, keep)

    def publish(self, keep: int, progress: Callable[[int, int], None]) -> None:
        """Bring what serves in the index folder to where bots read; `progress` is told the passages done."""
