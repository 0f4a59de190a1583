"""A refresh: fetch what sources have, build the next generation of it, and publish both or neither."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from index.build import build_index
from index.build_report import BuildReport, Gate, Progress
from index.encoding.encoder import Encoder
from index.errors import BusyError, FootnoteError, SettingsError
from index.settings import IndexSettings
from index.sources.archive import Archive, Refresh, archive_file
from index.sources.config import Source, next_time, read_sources, sources_file
from index.sources.crawl import Crawl
from index.sources.fetching import Fetcher
from index.sources.reports import SourceReport
from index.terminal import count_of

__all__ = ["SourceStatus", "due_sources", "refresh_sources", "source_statuses"]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source, how many pages of it there are, how its last refresh ended, and when it is due again."""

    source: Source
    pages: int
    last: Refresh | None
    next: datetime | None

    def line(self) -> str:
        """Return a line for people."""
        source, last = self.source, self.last
        place = source.url or source.path
        if source.path:
            return f"{source.name}  {place}  read at each build"
        ended = f"refreshed {last.ended[:16].replace('T', ' ')} UTC" if last else "never refreshed"
        following = f", next {self.next:%Y-%m-%d %H:%M} UTC" if self.next else ""
        problem = f"  PROBLEM: {last.problem}" if last and last.problem else ""
        return f"{source.name}  {place}  {count_of(self.pages, 'page')}, {ended}{following}{problem}"


def source_statuses(settings: IndexSettings) -> list[SourceStatus]:
    """Return every source with its state.

    Raises:
        SettingsError: the sources cannot be read.
        NotWritableError: what was fetched cannot be read.
    """
    sources = read_sources(sources_file(settings))
    if not sources:
        return []
    with Archive(archive_file(settings.index)) as archive:
        refreshes = archive.refreshes()
        return [
            SourceStatus(source, archive.count(name), refreshes.get(name), _next(source, refreshes.get(name)))
            for name, source in sources.items()
        ]


def _next(source: Source, last: Refresh | None) -> datetime | None:
    if not source.every or source.path:
        return None
    return next_time(source.every, datetime.fromisoformat(last.ended)) if last else datetime.now(UTC)


def due_sources(settings: IndexSettings) -> list[str]:
    """Return the names of the sources whose time to be refreshed has come; raises as `source_statuses`."""
    statuses, now = source_statuses(settings), datetime.now(UTC)
    return [status.source.name for status in statuses if status.next and status.next <= now]


def refresh_sources(  # noqa: PLR0913 - what a refresh may be told, as a build
    settings: IndexSettings,
    names: Collection[str] = (),
    progress: Callable[[Progress], None] = lambda progress: None,
    encoder: Encoder | None = None,
    *,
    gate: Gate | None = None,
    force: bool = False,
) -> BuildReport:
    """Fetch the sources of these names, or all, and build and publish an index of the whole collection.

    Where the build is refused, what was fetched is dropped again: the next build has the articles of before.

    Raises:
        BusyError: another refresh is running; or another build is, and then what was fetched is kept for it.
        SettingsError: the sources cannot be read, or there is none of a name.
        FootnoteError: the build was refused, as `build_index` raises it.
    """
    sources = _named(settings, names)
    failure: FootnoteError | None = None
    with Archive(archive_file(settings.index), writing=True) as archive:
        archive.keep_only(read_sources(sources_file(settings)))
        fetched = [source for source in sources.values() if source.url]
        reports = asyncio.run(_crawl(settings, fetched, archive, progress))
        try:
            built = build_index(settings, progress, encoder, gate=gate, force=force, archive=archive)
        except FootnoteError as error:
            failure = error
            if not isinstance(error, BusyError):
                archive.undo()
        for report in reports:
            _note(archive, report, failure)
    if failure:
        raise failure
    return replace(built, sources=tuple(reports))


def _named(settings: IndexSettings, names: Collection[str]) -> Mapping[str, Source]:
    file = sources_file(settings)
    sources = read_sources(file)
    if unknown := [name for name in names if name not in sources]:
        raise SettingsError(f"{file} has no source {unknown[0]!r}; `footnote sources list` names them.")
    if not sources:
        raise SettingsError(f"{file} lists no sources; `footnote sources add URL` adds one.")
    return {name: source for name, source in sources.items() if not names or name in names}


async def _crawl(
    settings: IndexSettings,
    sources: Sequence[Source],
    archive: Archive,
    progress: Callable[[Progress], None],
) -> list[SourceReport]:
    def show(name: str, done: int, total: int) -> None:
        progress(Progress(f"fetching {name}", done, total))

    async def crawl(of_host: Sequence[Source]) -> list[SourceReport]:
        reports = []
        for source in of_host:
            async with Fetcher(contact=settings.contact, allow_private=source.allow_private) as fetcher:
                reports.append(await Crawl(source, archive, fetcher, show).run())
        return reports

    hosts = defaultdict(list)
    for source in sources:
        hosts[urlsplit(source.url).hostname].append(source)  # a host gets one request at a time
    return [report for reports in await asyncio.gather(*map(crawl, hosts.values())) for report in reports]


def _note(archive: Archive, report: SourceReport, failure: FootnoteError | None) -> None:
    problem = report.problem
    if failure:
        first = str(failure).split("\n", 1)[0]
        problem = f"not published: {first}" if not isinstance(failure, BusyError) else first
    now = datetime.now(UTC).isoformat(timespec="seconds")
    archive.note(Refresh(report.source, now, report.summary(), problem))
