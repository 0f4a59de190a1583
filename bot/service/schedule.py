"""The schedule of sources: refreshes those that are due, and rebuilds after their folders have changed.

sources.toml is read anew at each look, so it may be edited while the bot runs. Whatever fails is logged in
one line, the same line once, and tried again later.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import BusyError, FootnoteError
from index.terminal import one_line

if TYPE_CHECKING:
    from bot.service.service import Service
    from index.build_report import BuildReport
    from index.refresh import SourceStatus

__all__ = ["Schedule", "failing", "next_refresh", "oldest_refresh", "state_of"]

_LOOK_SECONDS = 60.0  # between two looks for what is due
_CALM_SECONDS = 3.0  # without a change in a watched folder before a rebuild
_DOUBLINGS = 6  # at most, of the time between two looks while refreshes fail: about an hour
_LOG = logging.getLogger(__name__)

Ended = Callable[[Sequence[str], "BuildReport | Exception"], Awaitable[None]]
"""Called with the names of the sources refreshed, none after a rebuild alone, and how it ended."""


def next_refresh(statuses: Sequence[SourceStatus]) -> datetime | None:
    """Return when the next source is due, None where none is refreshed by itself."""
    return min((status.next for status in statuses if status.next), default=None)


def failing(statuses: Sequence[SourceStatus]) -> list[str]:
    """Return the names of the sources whose last refresh failed."""
    return [status.source.name for status in statuses if status.last and status.last.problem]


class Schedule:
    """Refreshes sources and watches folders while `run` runs."""

    def __init__(
        self,
        service: Service,
        ended: Ended,
        look_seconds: float = _LOOK_SECONDS,
        calm_seconds: float = _CALM_SECONDS,
    ) -> None:
        """Take a started service; `ended` is awaited after each refresh or rebuild. The rest is for tests."""
        self._service, self._ended = service, ended
        self._look_seconds, self._calm_seconds = look_seconds, calm_seconds
        self._statuses: Sequence[SourceStatus] = ()
        self._logged: dict[str, str] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refresh_what_is_due())
            group.create_task(self._rebuild_after_changes())

    def state(self) -> dict[str, object]:
        """Return how the sources were at the last look, for programs; nothing without sources."""
        if not self._statuses:
            return {}
        upcoming = next_refresh(self._statuses)
        return {
            "sources": {
                "count": len(self._statuses),
                "next": upcoming.isoformat(timespec="seconds") if upcoming else None,
                "failing": failing(self._statuses),
            }
        }

    def age(self) -> float:
        """Return the seconds since a source was refreshed, NaN where none ever was."""
        ends = [datetime.fromisoformat(status.last.ended) for status in self._statuses if status.last]
        return (datetime.now(UTC) - max(ends)).total_seconds() if ends else math.nan

    async def _refresh_what_is_due(self) -> None:
        failures, again = 0, frozenset[str]()
        while True:
            if names := await self._due(again):
                outcome = await self._rebuild(names)
                # What was fetched while another build ran is not due any more, but not published either.
                again = frozenset(names if isinstance(outcome, BusyError) else ())
                failures = failures + 1 if isinstance(outcome, Exception) and not again else 0
                await self._due(again)  # to show how it ended
            else:
                failures = 0
            await asyncio.sleep(self._look_seconds * 2 ** min(failures, _DOUBLINGS))

    async def _due(self, again: frozenset[str]) -> list[str]:
        """Return the names of the sources to refresh now: those that are due, and those to try again."""
        try:
            self._statuses = await self._service.sources()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may succeed
            self._warn("sources", f"Sources are not refreshed: {error}", error)
            return []
        self._logged.pop("sources", None)
        now = datetime.now(UTC)
        return [
            status.source.name
            for status in self._statuses
            if status.source.name in again or (status.next and status.next <= now)
        ]

    async def _rebuild(self, names: Sequence[str] | None) -> BuildReport | Exception:
        """Refresh these sources, or only rebuild; return how it ended, which is logged."""
        outcome: BuildReport | Exception
        what = f"The refresh of {', '.join(names)}" if names else "The rebuild after files changed"
        try:
            outcome = report = await self._service.rebuild(refresh=names)
        except Exception as error:  # noqa: BLE001 - the next one may succeed
            outcome = error
            self._warn(what, f"{what} failed: {error}", error)
        else:
            self._logged.pop(what, None)
            for source in report.sources:
                if source.problem:
                    self._warn(source.source, source.summary())
                else:
                    self._logged.pop(source.source, None)
            _LOG.info("%s: %s", what, report.summary())
        try:
            await self._ended(names or (), outcome)
        except Exception:  # noqa: BLE001 - the schedule goes on
            _LOG.exception("The end of a refresh could not be told.")
        return outcome

    async def _rebuild_after_changes(self) -> None:
        changed = False
        while True:
            try:
                if folders := await asyncio.to_thread(self._folders):
                    changed = await self._watch(folders, changed)
                    continue
            except Exception as error:  # noqa: BLE001 - gone meanwhile, or too many folders for this system
                self._warn("watching", f"Folders of sources cannot be watched: {error}", error)
            await asyncio.sleep(self._look_seconds)

    async def _watch(self, folders: frozenset[Path], changed: bool) -> bool:
        """Return True at a change of files; if there was one before, rebuild once no more come.

        The folders are then watched anew, since an editor may have replaced a file. Where others are to be
        watched now, return whether a rebuild is still needed.
        """
        from watchfiles import awatch

        is_article = _article_filter(self._service.settings.index, folders)
        calm = int(self._calm_seconds * 1000)
        watching = awatch(*folders, watch_filter=is_article, rust_timeout=calm, yield_on_timeout=True)
        async with aclosing(watching) as batches:
            async for changes in batches:
                if changes:
                    return True
                if changed:
                    changed = isinstance(await self._rebuild(None), BusyError)
                    await asyncio.sleep(self._look_seconds if changed else 0)
                if await asyncio.to_thread(self._folders) != folders:
                    break
        return changed

    def _folders(self) -> frozenset[Path]:
        """Return the folders and files that sources name and that exist."""
        from index.sources.config import read_sources, sources_file

        file = sources_file(self._service.settings)
        try:
            sources = read_sources(file)
        except FootnoteError:  # which the look for what is due logs
            return frozenset()
        paths = [(file.parent / source.path).resolve() for source in sources.values() if source.path]
        return frozenset(path for path in paths if path.exists())

    def _warn(self, about: str, text: str, error: Exception | None = None) -> None:
        """Log a line, unless it was the last one about this."""
        text = one_line(" ".join(text.split()), 600)
        if self._logged.get(about) != text:
            self._logged[about] = text
            unexpected = error is not None and not isinstance(error, FootnoteError | OSError)
            _LOG.warning("%s", text, exc_info=error if unexpected else None)


def oldest_refresh(schedules: Collection[Schedule]) -> float:
    """Return the longest time in seconds since a collection's last refresh, NaN where there was none."""
    return max((age for schedule in schedules if not math.isnan(age := schedule.age())), default=math.nan)


def state_of(schedules: Mapping[str, Schedule]) -> dict[str, object]:
    """Return the state of each collection's sources; that of the first one, the default, is on top."""
    first, *others = schedules
    states = {name: state for name in others if (state := schedules[name].state())}
    return {**schedules[first].state(), **({"collections": states} if states else {})}


def _article_filter(index: Path, folders: Collection[Path]) -> Callable[[object, str], bool]:
    """Return what tells whether a change may be one of articles; the index may be in a watched folder."""
    from index.articles.formats import READERS

    index = index.resolve()

    def is_article(_: object, name: str) -> bool:
        path = Path(name)
        roots = [folder for folder in folders if path.is_relative_to(folder)]
        hidden = any(part.startswith(".") for root in roots for part in path.relative_to(root).parts)
        # A folder that was moved has no suffix.
        return not hidden and not path.is_relative_to(index) and path.suffix.lower() in {"", *READERS}

    return is_article
