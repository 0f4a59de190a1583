"""What stands beside the bot's name, as Discord is told of it."""

from __future__ import annotations

import dataclasses

import pytest

from bot.discordapp.client import FootnoteClient
from index.errors import ArticleError
from index.storage.verification import IndexStatus
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import Impatient, shown
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.ways import no_traceback, until
from tests.wire.loopback import LoopbackDiscord

THREE, REBUILDING = "Answering from 3 articles", "Rebuilding the index"


class Counting(FakeService):
    """Serves as many articles as it is told to."""

    articles = 3

    async def status(self) -> IndexStatus:
        return dataclasses.replace(await super().status(), articles=self.articles)


def presences(wire: LoopbackDiscord) -> list[str]:
    """Return what was shown, one after the other; the same twice is once."""
    every = [shown(one) for one in wire.gateway.presences]
    return [one for number, one in enumerate(every) if number == 0 or every[number - 1] != one]


async def presence(wire: LoopbackDiscord, text: str) -> None:
    """Wait until this is what is shown."""

    def last() -> bool:
        return bool(wire.gateway.presences) and shown(wire.gateway.presences[-1]) == text

    await wire.log.until(last, f"the presence {text!r}")


@pytest.mark.parametrize(
    ("articles", "text"),
    [
        (0, "Answering from 0 articles"),
        (1, "Answering from 1 article"),
        (3, THREE),
        (1_234_567, "Answering from 1,234,567 articles"),
    ],
)
async def test_the_number_of_articles_is_shown_once_ready(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, articles: int, text: str
) -> None:
    service = Counting()
    service.articles = articles
    async with running(bot_settings(), service):
        await presence(wire, text)
    assert presences(wire) == [text]


async def test_a_swap_is_shown(wire: LoopbackDiscord, bot_settings: MakeBotSettings) -> None:
    service = Counting()
    async with running(bot_settings(), service):
        await presence(wire, THREE)
        service.articles = 4
        service.swap("g-2")
        await presence(wire, "Answering from 4 articles")


async def test_a_new_session_begins_with_what_is_shown(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    service = Counting()
    async with running(bot_settings(), service, Impatient):
        await presence(wire, THREE)
        await wire.gateway.invalidate()
        await wire.log.until(lambda: len(wire.gateway.identifies) == 2, "a new session")
        game = wire.gateway.identifies[1]["presence"]["game"]
        assert game["state"] == THREE


@pytest.mark.parametrize("error", [None, ArticleError(["a.txt: empty"]), RuntimeError("boom")])
async def test_a_rebuild_is_shown_until_it_ends_however_it_ends(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, error: Exception | None
) -> None:
    service = Counting(rebuild_error=error)
    service.open.clear()
    async with running(bot_settings(), service):
        await presence(wire, THREE)
        await wire.slash("index rebuild", wire.world.owner)
        await presence(wire, REBUILDING)
        service.open.set()
        await presence(wire, THREE)
    assert presences(wire) == [THREE, REBUILDING, THREE]


async def test_a_second_rebuild_that_is_refused_does_not_end_what_is_shown_of_the_first(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    service = Counting()
    service.open.clear()
    async with running(bot_settings(), service) as bot:
        for _ in range(2):
            await wire.slash("index rebuild", wire.world.owner)
        await until(lambda: service.rebuilds == 2)
        async with bot.surface.presence.rebuilding():
            pass
        await presence(wire, REBUILDING)
        assert presences(wire) == [THREE, REBUILDING]
        service.open.set()
        await presence(wire, THREE)


async def test_a_swap_and_a_new_session_while_rebuilding_leave_it_at_that(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    service = Counting()
    service.open.clear()
    async with running(bot_settings(), service, Impatient):
        await wire.slash("index rebuild", wire.world.owner)
        await presence(wire, REBUILDING)
        service.articles = 4
        service.swap("g-2")
        await wire.log.until(lambda: len(wire.gateway.presences) == 3, "the presence after the swap")
        await wire.gateway.invalidate()
        await wire.log.until(lambda: len(wire.gateway.presences) == 5, "the presence of the new session")
        assert presences(wire) == [THREE, REBUILDING]
        service.open.set()
        await presence(wire, "Answering from 4 articles")
    assert presences(wire) == [THREE, REBUILDING, "Answering from 4 articles"]


async def test_what_changed_while_disconnected_is_shown_after_the_resume(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, caplog: pytest.LogCaptureFixture
) -> None:
    service = Counting()

    class Slow(FootnoteClient):
        async def on_disconnect(self) -> None:
            await super().on_disconnect()
            service.articles = 4
            service.swap("g-2")  # what it shows is lost with the old connection

    async with running(bot_settings(), service, Slow):
        await presence(wire, THREE)
        await wire.gateway.drop()
        await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
        await presence(wire, "Answering from 4 articles")
    assert no_traceback(caplog)
