"""A refresh of one source: what it fetches, and what that changes in the archive."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urljoin

from index.articles.article import Article, DraftError, RefusedError
from index.sources.archive import HTML, SUFFIXES, Archive, Page
from index.sources.config import Source
from index.sources.feeds import entry_page, is_feed, read_feed
from index.sources.fetching import Fetched, Fetcher, FetchError, Validators
from index.sources.links import is_below, is_page, links_in, links_in_llms_txt, matches, normalized
from index.sources.page_changes import compare_pages, is_error_page, read_page
from index.sources.reports import PageChange, SourceReport
from index.sources.sitemaps import is_sitemap, read_sitemap

__all__ = ["Crawl"]

_MAX_SITEMAPS = 50  # of a source
_MAX_ADDRESSES = 50_000  # of a sitemap, which may have no more: https://www.sitemaps.org/protocol.html
_MISSED = 2  # refreshes in a row that do not find a page before it may be removed
_MAX_NOTES = 50
_STAYS = "; what was fetched before stays"


class Crawl:
    """Refreshes one source; each page is put into the archive as it comes, so that none stays in memory."""

    def __init__(
        self,
        source: Source,
        archive: Archive,
        fetcher: Fetcher,
        progress: Callable[[str, int, int], None] = lambda source, done, total: None,
    ) -> None:
        """Take the source; `progress` is called with its name, the pages looked at, and those known of."""
        self._source, self._archive, self._fetcher, self._progress = source, archive, fetcher, progress
        self._now = datetime.now(UTC)
        self._changes: list[PageChange] = []
        self._notes: list[str] = []
        self._unchanged = self._failed = self._total = 0
        self._seen: set[str] = set()
        self._is_complete = True

    async def run(self) -> SourceReport:
        """Refresh the source."""
        problem = ""
        try:
            await self._follow()
        except FetchError as error:
            problem = error.reason
        else:
            if self._is_complete:
                for page in [*self._archive.pages(self._source.name)]:
                    if page.url not in self._seen:
                        self._miss(page, "it is not linked any more")
        count = self._archive.count(self._source.name)
        if not problem and self._failed > len(self._seen) / 2:
            first = self._notes[0].removesuffix(_STAYS)
            problem = f"{self._failed:,} of {len(self._seen):,} pages could not be taken; {first}"
        elif not count and not problem:
            problem = self._notes[0] if self._notes else "there was nothing to take"
        return SourceReport(
            source=self._source.name,
            pages=count,
            unchanged=self._unchanged,
            failed=self._failed,
            changes=tuple(self._changes),
            notes=tuple(self._notes),
            problem=problem,
        )

    async def _follow(self) -> None:
        """Take the pages that the source leads to; raises `FetchError` if its first page cannot be had."""
        source, start = self._source, normalized(self._source.url)
        if source.follow == "links":
            await self._visit_links(start)
            return
        if source.follow == "sitemap" and not re.search(r"\.xml(\.gz)?$", start):
            maps = await self._fetcher.sitemaps(start) or [urljoin(start, "/sitemap.xml")]
            await self._visit_all(await self._sitemap_pages(maps, start))
            return
        known = self._archive.page(source.name, start)
        try:
            first = await self._fetcher.fetch(start, _validators(known))
        except FetchError as error:
            if not (error.gone and known):
                raise
            self._seen.add(start)
            self._miss(known, error.reason)
            return
        if is_feed(first.content, first.media_type):
            self._is_complete = False  # a feed has the latest entries only
            await self._take_feed(first)
        elif is_sitemap(first.content, first.media_type) and not start.endswith("llms.txt"):
            await self._visit_all(await self._sitemap_pages([start], "", first))
        elif start.endswith(("/llms.txt", "/llms-full.txt")) and first.status == 200:
            text = first.content.decode("utf-8", "replace")
            await self._visit_all([start] if "full" in start else links_in_llms_txt(text, first.url))
        elif source.follow:
            raise FetchError(
                f"{start} is no {source.follow}; give the address of one, or leave `follow` out."
            )
        else:
            self._seen.add(start)
            self._take(start, first, known)

    async def _visit_links(self, start: str) -> None:
        """Take the pages within reach of the first one, nearest first."""
        waiting, found = deque([(start, 0)]), {start}
        while waiting and self._has_room():
            url, depth = waiting.popleft()
            links = await self._visit(url, is_first=url == start)
            for link in map(normalized, links if depth < self._source.depth else ()):
                if len(found) > self._source.limit:
                    break  # no more are visited anyway
                if link not in found and is_below(link, start) and self._takes(link):
                    found.add(link)
                    waiting.append((link, depth + 1))
            self._total = len(found)
        self._is_complete = self._is_complete and not waiting

    async def _visit_all(self, urls: Iterable[str]) -> None:
        pages = dict.fromkeys(filter(self._takes, map(normalized, urls)))
        self._total = len(pages)
        for url in pages:
            if not self._has_room():
                self._is_complete = False
                break
            await self._visit(url)

    def _takes(self, url: str) -> bool:
        return is_page(url) and matches(url, self._source.include, self._source.exclude)

    def _has_room(self) -> bool:
        if len(self._seen) < self._source.limit:
            return True
        self._note(f"there are more than {self._source.limit:,} pages (`limit`); the rest was left out")
        return False

    async def _sitemap_pages(self, maps: list[str], root: str, first: Fetched | None = None) -> list[str]:
        """Return the pages of sitemaps and of those that they name; below `root`, if it is given."""
        pages, waiting, found = list[str](), deque(maps), set(maps)
        while waiting and len(pages) <= self._source.limit:
            url = waiting.popleft()
            try:
                fetched = first or await self._fetcher.fetch(url)
                sitemap = read_sitemap(fetched.content, fetched.url, _MAX_ADDRESSES)
            except (FetchError, ValueError) as error:
                if len(found) == 1:
                    raise error if isinstance(error, FetchError) else FetchError(f"{url}: {error}") from error
                self._is_complete = False
                self._note(f"{url}: {error}")
                continue
            finally:
                first = None
            below = (page for page in sitemap.pages if not root or is_below(page, root))
            pages += filter(self._takes, below)
            new = [each for each in sitemap.sitemaps if each not in found]
            if len(found) + len(new) > _MAX_SITEMAPS:
                self._is_complete = False
                self._note(f"{url}: names more than {_MAX_SITEMAPS} sitemaps; the rest was left out")
            new = new[: _MAX_SITEMAPS - len(found)]
            found.update(new)
            waiting.extend(new)
        return pages

    async def _take_feed(self, fetched: Fetched) -> None:
        try:
            entries = read_feed(fetched.content, fetched.url, self._source.limit)
        except ValueError as error:
            raise FetchError(f"{fetched.url}: {error}") from error
        for entry in entries:
            url = normalized(entry.url)
            if not matches(url, self._source.include, self._source.exclude):
                continue
            if entry.html:
                self._seen.add(url)
                page = Fetched(url, False, 200, entry_page(entry), "text/html", "utf-8", Validators(), False)
                self._take(url, page, self._archive.page(self._source.name, url))
                self._show_progress()
            elif self._has_room():
                await self._visit(url)

    async def _visit(self, url: str, *, is_first: bool = False) -> list[str]:
        """Fetch a page and take it; return its links."""
        known = self._archive.page(self._source.name, url)
        self._seen.add(url)
        try:
            fetched = await self._fetcher.fetch(url, _validators(known))
        except FetchError as error:
            if is_first:
                raise
            if error.gone:
                self._miss(known, error.reason) if known else self._note(error.reason)
            else:
                self._fail(known, error.reason)
            return links_in(known.data, url, known.charset) if known and known.has_links else []
        finally:
            self._show_progress()
        self._take(url, fetched, known)
        is_html = fetched.media_type in HTML
        links = links_in(fetched.content, fetched.url, fetched.charset) if is_html else []
        kept = self._archive.page(self._source.name, url)
        if kept and kept.has_links and (fetched.status == 304 or kept.problem):
            links += links_in(kept.data, url, kept.charset)  # of a page that broke, its pages are not gone
        return links

    def _take(self, url: str, fetched: Fetched, known: Page | None) -> None:
        """Put a page into the archive, if it is one, and its text is worth it."""
        if fetched.noindex:
            self._withdraw(known, f"{url}: its server asks not to index it (X-Robots-Tag)")
            return
        digest = hashlib.sha256(fetched.content).hexdigest()
        address = normalized(fetched.url) if fetched.moved else url
        if known and (fetched.status == 304 or (digest, address) == (known.sha256, known.url)):
            self._unchanged += 1
            self._archive.put(_checked(known, fetched))
            return
        if self._source.follow == "links" and not is_below(fetched.url, self._source.url):
            self._fail(known, f"{url}: leads to {fetched.url}, which is out of the source")
            return
        if fetched.media_type not in SUFFIXES:
            self._fail(known, f"{url}: {fetched.media_type} is not a format that Footnote reads")
            return
        if address != url:
            self._seen.add(address)
            moved_to = self._archive.page(self._source.name, address)
            if known and moved_to:
                self._archive.remove(known)
            known = moved_to or known
        page = Page(
            source=self._source.name,
            url=address,
            id=known.id if known else self._archive.new_id(self._source.name, address),
            media_type=fetched.media_type,
            charset=fetched.charset,
            etag=fetched.validators.etag,
            last_modified=fetched.validators.last_modified,
            content=zlib.compress(fetched.content),
            sha256=digest,
            fetched=self._time,
        )
        self._compare(page, known)

    @property
    def _time(self) -> str:
        return self._now.isoformat(timespec="seconds")

    def _compare(self, page: Page, known: Page | None) -> None:
        article = read_page(page)
        if isinstance(article, DraftError):
            self._withdraw(known, f"{page.url}: {article}")
        elif isinstance(article, RefusedError):
            self._fail(known, f"{page.url}: {article}")
        elif is_error_page(article):
            reason = f"{page.url}: it says that there is no such page"
            self._miss(known, reason) if known else self._note(reason)
        else:
            before = read_page(known) if known else None
            change = compare_pages(article, before if isinstance(before, Article) else None, page.id)
            if known and known.url != page.url:
                self._archive.remove(known)
            self._archive.put(page)
            if change:
                self._changes.append(change)
            else:
                self._unchanged += 1

    def _withdraw(self, page: Page | None, reason: str) -> None:
        """Remove a page whose author does not want it indexed."""
        self._note(reason)
        if page:
            self._archive.remove(page)
            self._changes.append(PageChange("removed", page.id))

    def _fail(self, page: Page | None, reason: str) -> None:
        """Note why a page could not be taken; what was fetched before stays."""
        self._failed += 1
        self._note(reason + (_STAYS if page else ""))
        if page:
            self._archive.put(replace(page, problem=reason))

    def _miss(self, page: Page, reason: str) -> None:
        """Note that a page is gone, and remove it if it has been for a while."""
        since = page.missing_since or self._time
        missing = page.missing + 1
        if missing >= _MISSED and self._now - datetime.fromisoformat(since) >= self._source.grace_time:
            self._archive.remove(page)
            self._changes.append(PageChange("removed", page.id))
            return
        self._note(f"{page.id}: {reason}; it is removed if it stays gone (`grace`)")
        self._archive.put(replace(page, missing=missing, missing_since=since, problem=reason))

    def _show_progress(self) -> None:
        total = min(max(self._total, len(self._seen)), self._source.limit)
        self._progress(self._source.name, len(self._seen), total)

    def _note(self, text: str) -> None:
        if len(self._notes) < _MAX_NOTES and text not in self._notes:
            self._notes.append(text)


def _validators(page: Page | None) -> Validators | None:
    return Validators(page.etag, page.last_modified) if page else None


def _checked(page: Page, fetched: Fetched) -> Page:
    """Return a page that was found unchanged."""
    etag, modified = fetched.validators.etag, fetched.validators.last_modified
    return replace(
        page,
        etag=etag or page.etag,
        last_modified=modified or page.last_modified,
        missing=0,
        missing_since="",
        problem="",
    )
