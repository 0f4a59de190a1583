"""Refreshes: what is fetched, kept, removed and published, on a site of the test's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from index.articles.article import Article
from index.build import build_index
from index.build_report import BuildReport, Gate, GateReport, Gold, Progress
from index.encoding.encoder import Encoder
from index.errors import BusyError, GateError, SettingsError
from index.refresh import due_sources, refresh_sources, source_statuses
from index.settings import IndexSettings
from index.sources.archive import Archive, archive_file
from index.sources.config import add_source, sources_file
from index.sources.fetching import Fetcher, FetchLimits
from index.storage.local import open_store
from index.storage.manifest import read_pointer
from index.storage.store import Store
from tests.conftest import MakeSettings
from tests.index.shelf import put
from tests.index.sources.conftest import site
from tests.index.sources.web import Reply, WebServer, redirect

__all__ = ["site"]

Refresh = Callable[..., BuildReport]
PUMP = "Hold the red button for three seconds, until the lamp is green, to reset the pump."
VALVE = "The inlet valve is closed by hand, a quarter turn to the left, before any work on the filter."
FILTER = "Rinse the filter under cold water once a month, and never put it into a dishwasher."


def page(title: str, *paragraphs: str, links: str = "") -> str:
    """Return a small web page."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    nav = "".join(f'<a href="{link}">{link}</a> ' for link in links.split())
    head = f"<title>{title}</title>"
    return f"<html><head>{head}</head><body><nav>{nav}</nav><main><h1>{title}</h1>{body}</main></body></html>"


GUIDE = {
    "/guide/": page("Guide", "This guide is for everybody who looks after a pump.", links="pump valve gone"),
    "/guide/pump": page("Pump", PUMP),
    "/guide/valve": page("Valve", VALVE, links="/guide/filter /elsewhere"),
    "/guide/filter": page("Filter", FILTER),
}


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> IndexSettings:
    """Give settings with one article, and nothing built."""
    articles = put(tmp_path / "articles", {"kiln.txt": "The kiln was lit in May."})
    return make_settings(articles=articles, index=tmp_path / "state" / "index")


@pytest.fixture
def refresh(settings: IndexSettings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """Give a function that refreshes, without pauses between requests."""
    hasty = functools.partial(Fetcher, delay=0.0, limits=FetchLimits(seconds=3, tries=1))
    monkeypatch.setattr("index.refresh.Fetcher", hasty)
    return functools.partial(refresh_sources, settings, encoder=encoder)


def add(settings: IndexSettings, site: WebServer, path: str, **fields: object) -> None:
    """Add a path of the site as the source "site"."""
    fields |= {"url": site.url(path), "allow_private": ["127.0.0.1"]}
    add_source(sources_file(settings), "site", fields)


def served(settings: IndexSettings) -> dict[str, Article]:
    """Return the articles that are served."""
    with closing(open_store(settings.index)) as store:
        return {article.id: article for article in store.articles(range(store.info.articles))}


def kinds(report: BuildReport) -> dict[str, str]:
    """Return what became of each page that changed."""
    return {change.id: change.kind for source in report.sources for change in source.changes}


def test_linked_pages_are_fetched_changed_and_left_alone(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    site.pages |= GUIDE
    add(settings, site, "/guide/", follow="links")
    first = refresh()
    assert kinds(first) == dict.fromkeys(
        ["site/guide", "site/guide/pump", "site/guide/valve", "site/guide/filter"], "added"
    )
    assert "/elsewhere" not in site.paths
    assert any("/guide/gone" in note and "404" in note for note in first.sources[0].notes)
    article = served(settings)["site/guide/pump"]
    assert (article.title, article.text, article.url) == ("Pump", PUMP, site.url("/guide/pump"))

    site.requests.clear()
    again = refresh()
    assert (again.encoded, again.generation, kinds(again)) == (0, first.generation, {})
    assert [r.headers.get("If-None-Match") is None for r in site.requests if "gone" not in r.path] == [
        request.path == "/robots.txt" for request in site.requests if "gone" not in request.path
    ]

    site.pages["/guide/pump"] = page("Pump", PUMP.replace("three", "ten"))
    changed = refresh()
    (change,) = changed.sources[0].changes
    assert (change.id, change.kind, change.words_added, change.words_removed) == (
        "site/guide/pump", "changed", 1, 1,
    )  # fmt: skip
    assert change.differences == (f"-{PUMP}", f"+{PUMP.replace('three', 'ten')}")
    assert changed.encoded == 1
    assert "ten seconds" in served(settings)["site/guide/pump"].text


@pytest.mark.parametrize(
    "broken",
    [
        Reply("Internal error", 500),
        Reply("", 200, {"Content-Type": "text/html"}),
        page("Pump") + '<script>render("pump")</script>',
        page("404: page not found", "There is no such page. Perhaps it was moved, or you mistyped it."),
        Reply("GIF89a", 200, {"Content-Type": "image/gif"}),
        redirect("/guide/pump"),
    ],
    ids=["500", "empty", "javascript", "soft 404", "image", "loop"],
)
def test_page_that_breaks_keeps_its_text_and_is_named(
    settings: IndexSettings, site: WebServer, refresh: Refresh, broken: str | Reply
) -> None:
    site.pages |= GUIDE
    add(settings, site, "/guide/", follow="links")
    refresh()
    site.pages["/guide/pump"] = broken
    report = refresh()
    assert kinds(report) == {}
    assert any("guide/pump" in note for note in report.sources[0].notes)
    assert served(settings)["site/guide/pump"].text == PUMP


def test_pages_below_a_page_that_breaks_are_not_gone(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    site.pages |= GUIDE
    add(settings, site, "/guide/", follow="links", grace="0m")
    refresh()
    site.pages["/guide/valve"] = Reply("", 200, {"Content-Type": "text/html"})  # it links the filter
    assert [kinds(refresh()) for _ in range(3)] == [{}] * 3
    assert "site/guide/filter" in served(settings)


def test_a_section_is_found_in_a_large_sitemap(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    addresses = [*(site.url(f"/shop/{number}") for number in range(3_000)), site.url("/guide/pump")]
    entries = "".join(f"<url><loc>{address}</loc></url>" for address in addresses)
    site.pages |= {**GUIDE, "/sitemap.xml": f"<urlset>{entries}</urlset>"}
    add(settings, site, "/guide/", follow="sitemap", limit=2)
    assert kinds(refresh()) == {"site/guide/pump": "added"}


def test_a_number_is_no_error(settings: IndexSettings, site: WebServer, refresh: Refresh) -> None:
    site.pages["/pump"] = page("Pump 404", PUMP)
    add(settings, site, "/pump")
    assert kinds(refresh()) == {"site/pump": "added"}


@pytest.mark.parametrize("broken", [Reply("Internal error", 500), None], ids=["500", "no server"])
def test_site_that_breaks_keeps_all_its_pages(
    settings: IndexSettings, site: WebServer, refresh: Refresh, broken: Reply | None
) -> None:
    site.pages |= GUIDE
    add(settings, site, "/guide/", follow="links")
    refresh()
    before = served(settings)
    if broken:
        site.pages.update(dict.fromkeys([*GUIDE, "/robots.txt"], broken))
    else:
        add_source(
            sources_file(settings), "other", {"url": "http://127.0.0.1:9/", "allow_private": ["127.0.0.1"]}
        )
    report = refresh()
    assert [bool(source.problem) for source in report.sources] == ([True] if broken else [False, True])
    assert served(settings) == before
    assert source_statuses(settings)[-1].last


@pytest.mark.parametrize(("grace", "stays"), [("1d", True), ("0m", False)])
def test_page_that_is_gone_twice_goes_after_the_grace_time(
    settings: IndexSettings, site: WebServer, refresh: Refresh, grace: str, stays: bool
) -> None:
    site.pages |= GUIDE
    add(settings, site, "/guide/", follow="links", grace=grace)
    refresh()
    del site.pages["/guide/pump"]  # it is linked, and 404
    site.pages["/guide/valve"] = page("Valve", VALVE)  # the filter is not linked any more
    first = refresh()
    assert kinds(first) == {"site/guide/valve": "changed"} or not kinds(first)
    second = kinds(refresh())
    assert second == ({} if stays else {"site/guide/pump": "removed", "site/guide/filter": "removed"})
    assert ("site/guide/pump" in served(settings)) is stays


def test_what_the_gate_refuses_is_not_published_and_not_kept(
    settings: IndexSettings, site: WebServer, refresh: Refresh, encoder: Encoder
) -> None:
    class Refusing:
        def note(self) -> str:
            return ""

        def __call__(self, new: Store, old: Store | None, progress: Callable[[Progress], None]) -> GateReport:
            return GateReport(Gold(1, 0), "1 gold question would be lost")

    site.pages |= GUIDE
    add(settings, site, "/guide/pump")
    refresh()
    before = read_pointer(settings.index)
    site.pages["/guide/pump"] = page("Pump", "The pump is sold out.")
    gate: Gate = Refusing()
    with pytest.raises(GateError):
        refresh(gate=gate)
    (status,) = source_statuses(settings)
    assert status.last
    assert "not published" in status.last.problem
    assert (read_pointer(settings.index), served(settings)["site/guide/pump"].text) == (before, PUMP)
    report = build_index(settings, encoder=encoder)  # the next build has nothing of it
    assert not report.changes.any
    assert kinds(refresh()) == {"site/guide/pump": "changed"}


def test_pages_move_withdraw_and_have_twins(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    sitemap = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in ["/a", "/b", "/c.html"])
    site.pages |= {
        "/sitemap.xml": f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{sitemap}</urlset>',
        "/a": page("Pump", PUMP),
        "/b": page("Pump", PUMP),
        "/c.html": page("Valve", VALVE),
    }
    add(settings, site, "/", follow="sitemap")
    refresh()
    articles = served(settings)
    assert set(articles) == {"kiln", "site/a", "site/c"}
    assert (articles["site/a"].url, articles["site/a"].also) == (site.url("/a"), (site.url("/b"),))

    site.pages |= {
        "/a": redirect("/new/pump", 301),
        "/new/pump": page("Pump", PUMP),
        "/b": Reply(page("Pump", PUMP), headers={"X-Robots-Tag": "noindex"}),
        "/c.html": page("Valve", VALVE).replace("<title>", '<meta name="robots" content="noindex"><title>'),
    }
    assert kinds(refresh()) == {"site/b": "removed", "site/c": "removed"}
    articles = served(settings)
    assert (set(articles), articles["site/a"].url) == ({"kiln", "site/a"}, site.url("/new/pump"))


def test_feed_entries_stay_when_they_drop_out(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    def feed(*items: tuple[str, str]) -> str:
        entries = "".join(
            f"<item><title>{title}</title><link>/{title}</link><description>{text}</description></item>"
            for title, text in items
        )
        return f'<rss version="2.0"><channel><title>News</title>{entries}</channel></rss>'

    site.pages |= {
        "/feed.xml": feed(("pump", "In short."), ("valve", "In short.")),
        "/pump": page("Pump", PUMP),
        "/valve": page("Valve", VALVE),
        "/filter": page("Filter", FILTER),
    }
    add(settings, site, "/feed.xml")
    refresh()
    site.pages["/feed.xml"] = feed(("filter", "In short."))
    refresh()
    assert {"site/pump", "site/valve", "site/filter"} <= set(served(settings))


def test_folder_is_read_at_each_build_and_kept_while_it_is_missing(
    settings: IndexSettings, encoder: Encoder, tmp_path: Path
) -> None:
    folder = put(tmp_path / "minutes", {"may.txt": "The roof was mended in May.", "june/one.txt": PUMP})
    add_source(sources_file(settings), "minutes", {"path": "minutes"})
    build_index(settings, encoder=encoder)
    assert set(served(settings)) == {"kiln", "minutes/may", "minutes/june/one"}
    folder.rename(tmp_path / "away")
    build_index(settings, encoder=encoder)
    assert set(served(settings)) == {"kiln", "minutes/may", "minutes/june/one"}


def test_one_refresh_at_a_time_and_due_times(
    settings: IndexSettings, site: WebServer, refresh: Refresh
) -> None:
    site.pages |= GUIDE
    with pytest.raises(SettingsError, match="sources add"):
        refresh()
    add(settings, site, "/guide/pump", every="6h")
    with pytest.raises(SettingsError, match="no source 'pumps'"):
        refresh(["pumps"])
    assert due_sources(settings) == ["site"]
    with (
        Archive(archive_file(settings.index), writing=True),
        pytest.raises(BusyError, match="another refresh"),
    ):
        refresh()
    refresh()
    assert due_sources(settings) == []
