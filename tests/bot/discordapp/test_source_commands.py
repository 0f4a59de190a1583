"""The /sources commands, and where operators see how the refreshes on the schedule went."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from index.encoding.encoder import Encoder
from index.errors import BusyError, GateError
from index.sources.config import read_sources
from index.sources.fetching import Fetcher
from tests.bot.conftest import NEWS
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, eventually, free_port, no_traceback, until
from tests.bot.discordapp.service import open_service
from tests.bot.discordapp.test_operations import page
from tests.index.sources.web import Reply, WebServer
from tests.wire.entities import Message, Permission

BELL = "Who cast the fog bell of Gull Rock?"
PAGE = f"<html><head><title>The fog bell</title></head><body><main><p>{NEWS}</p></main></body></html>"
LIST = Path("sources.toml")


def listed(site: WebServer, **paths: str) -> str:
    """Return a list of sources that are due."""
    common = 'every = "1h"\nallow_private = ["127.0.0.1"]\n'
    return "".join(f'[{name}]\nurl = "{site.url(path)}"\n{common}' for name, path in paths.items())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch without pauses between requests."""
    monkeypatch.setattr("index.refresh.Fetcher", functools.partial(Fetcher, delay=0.0))


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[WebServer]:
    """Serve a site with one page, and one that fails."""
    broken = Reply("No <@1> @everyone.", 410)
    async with WebServer({"/bell": PAGE, "/broken": broken}) as site:
        yield site


@pytest.mark.parametrize(
    ("command", "options"),
    [("list", {}), ("refresh", {}), ("add", {"address": "https://a.example/"}), ("remove", {"name": "a"})],
)
async def test_others_are_refused_even_if_they_manage_the_server(
    chat: Chat, command: str, options: dict[str, Any]
) -> None:
    boss = chat.world.role(chat.guild, "boss", Permission.MANAGE_SERVER)
    chat.world.join(chat.guild, chat.bob, boss)
    for user in (chat.bob, chat.guild.owner, chat.ann):
        refusal = await chat.use(f"sources {command}", user, **options)
        assert (refusal.title, refusal.private) == (texts.NOT_ALLOWED, True)
    assert chat.service.rebuilds == 0


async def test_sources_are_added_listed_offered_and_removed(
    fresh: Chat, home: Path, encoder: Encoder
) -> None:
    owner = fresh.world.owner
    async with open_service(fresh, home, encoder), fresh.bot():
        assert (await fresh.use("sources list", owner, owner)).text == texts.NO_SOURCES
        for address, more, reason in (
            ("articles", {}, "begins with https://"),
            ("file:///etc/passwd", {}, "begins with https://"),
            ("https://**a** b", {}, "url"),
            ("https://a.example/", {"every": "often @everyone"}, "every: expected a time"),
        ):
            refusal = await fresh.use("sources add", owner, owner, address=address, **more)
            assert (reason in refusal.shown.text, refusal.private, LIST.exists()) == (True, True, False)
        options = {"address": "https://docs.example/guide_a/", "every": "6h", "follow": "links"}
        added = await fresh.use("sources add", owner, owner, **options)
        assert "/sources refresh with the name docs-example" in added.shown.text
        (source,) = read_sources(LIST).values()
        assert (source.url, source.every, source.follow) == (options["address"], "6h", "links")

        LIST.write_text(LIST.read_text("utf-8") + '[wiki]\npath = "a_b_c/**d**"\n', encoding="utf-8")
        shown = await fresh.use("sources list", owner, owner)
        assert all(part in shown.shown.text for part in (options["address"], "a_b_c/**d**"))
        status = await fresh.use("index status", owner, owner)
        assert status.fields[texts.SOURCES].startswith("2; next: <t:")
        choices = await fresh.complete(owner, "sources remove", owner, "name", "Doc")
        assert [choice["value"] for choice in choices] == ["docs-example"]
        assert await fresh.complete(fresh.ann, "sources remove", fresh.ann, "name", "") == []

        assert "wiki" in (await fresh.use("sources remove", owner, owner, name="wiki")).text
        assert list(read_sources(LIST)) == ["docs-example"]
        assert "has no source" in (await fresh.use("sources remove", owner, owner, name="wiki")).text
        LIST.write_text("[broken", encoding="utf-8")
        unreadable = await fresh.use("sources list", owner, owner)
        assert "sources.toml cannot be read" in unreadable.text
        status = await fresh.use("index status", owner, owner)
        assert "cannot be read" in status.fields[texts.SOURCES]


async def test_a_refresh_shows_what_changed_and_what_could_not_be_fetched(
    fresh: Chat, home: Path, encoder: Encoder, site: WebServer
) -> None:
    owner = fresh.world.owner
    async with open_service(fresh, home, encoder), fresh.bot():
        LIST.write_text(listed(site, bell="/bell", broken="/broken"), encoding="utf-8")
        report = await fresh.ended(await fresh.slash(owner, "sources refresh", owner))
        assert (report.title, report.shown.constructs, fresh.log.pings) == (texts.REBUILT, [], [])
        assert "Added: bell/bell +" in report.shown.text
        assert "broken: " in report.shown.text
        assert (await fresh.ask(BELL)).title == texts.ANSWERED
        shown = (await fresh.use("sources list", owner, owner)).text
        assert ("Pages: 1; refreshed: <t:" in shown, shown.count("Problem: ")) == (True, 1)
        assert "broken" in (await fresh.use("index status", owner, owner)).fields[texts.SOURCES]
        site.requests.clear()
        await fresh.ended(await fresh.slash(owner, "sources refresh", owner, name="bell"))
        assert site.paths == ["/bell"]
        failed = await fresh.ended(await fresh.slash(owner, "sources refresh", owner, name="other"))
        assert (failed.title, "has no source" in failed.text) == (texts.REBUILD_FAILED, True)


async def _news(chat: Chat, count: int) -> Message:
    """Wait for so many messages in the news channel; return the last."""
    await chat.log.until(lambda: len(chat.posts(chat.guild)) >= count, "news", 60)
    return chat.posts(chat.guild)[-1]


async def test_the_news_channel_hears_of_changes_and_failures_and_operators_see_them(
    fresh: Chat, home: Path, encoder: Encoder, site: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    port, channel = free_port(), fresh.guild.channels[0].id
    LIST.write_text(listed(site, bell="/bell"), encoding="utf-8")
    async with open_service(fresh, home, encoder) as service:
        async with fresh.bot(health_port=port, discord_news_channel=channel):
            news = await _news(fresh, 1)
            assert (news.title, "Added: bell/bell +" in news.shown.text) == (texts.NEWS, True)
            metrics = await eventually(
                lambda: page(port, "metrics"), lambda shown: "age_seconds NaN" not in shown[1]
            )
            assert 'footnote_source_refreshes_total{outcome="done"} 1.0' in metrics[1]
            health = json.loads((await page(port, "healthz"))[1])["sources"]
            assert (health["count"], health["failing"], health["next"] > "2026") == (1, [], True)

        LIST.write_text(listed(site, bell="/bell", broken="/broken"), encoding="utf-8")
        async with fresh.bot(discord_news_channel=channel):  # which finds that a source is due
            news = await _news(fresh, 2)
            assert (news.title, "broken: " in news.shown.text) == (texts.BAD_NEWS, True)

        LIST.write_text(listed(site, other="/bell"), encoding="utf-8")
        for error, place in (
            (BusyError("Another build holds the lock."), channel),
            (GateError("<@1> @everyone"), channel),
            (GateError("Lost."), 4711),
        ):
            service.rebuild_error, before = error, service.rebuilds
            async with fresh.bot(discord_news_channel=place):
                await until(lambda: service.rebuilds > before)  # noqa: B023
                if place == 4711:
                    await until(lambda: texts.POST_FAILED in caplog.text)
                elif isinstance(error, GateError):
                    news = await _news(fresh, 3)
                    assert (news.title, news.shown.text) == (texts.REBUILD_FAILED, "<@1> @everyone")
        assert (len(fresh.posts(fresh.guild)), fresh.log.pings) == (3, [])
    assert no_traceback(caplog)
