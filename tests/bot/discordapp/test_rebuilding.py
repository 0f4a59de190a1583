"""/index rebuild, over the wire: progress, one outcome, and never silence."""

from __future__ import annotations

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.rebuilding import rebuild_by_command
from bot.errors import RebuildError
from index.errors import ArticleError, BusyError
from index.progress import Progress
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.ways import no_traceback, until
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import EMBED_LINKS
from tests.wire.records import Json

pytestmark = pytest.mark.usefixtures("bot")


def titles(edits: list[Json]) -> list[str]:
    return [edit["embeds"][0]["title"] for edit in edits]


async def test_outcome_names_articles_passages_reused_and_generation(wire: LoopbackDiscord) -> None:
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: titles(used.edits)[-1:] == ["The rebuild is done"], "the outcome")
    fields = {field["name"]: field["value"] for field in used.edits[-1]["embeds"][0]["fields"]}
    assert fields == {"Articles": "3", "Passages": "41", "Reused": "2", "Generation": "g-2"}


async def test_many_steps_make_few_edits_and_none_after_the_outcome(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.steps = tuple(Progress("encoding", done, 60) for done in range(60))
    service.step_delay = 0.01
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: titles(used.edits)[-1:] == ["The rebuild is done"], "the outcome")
    assert len(used.edits) <= 2


async def test_progress_is_shown_by_editing_the_same_message(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.open.clear()
    service.steps = (Progress("encoding", 12, 240),)
    used = await wire.slash("index rebuild", wire.world.owner)

    def progress() -> bool:
        return any("Encoding: 12 of 240." in str(edit) for edit in used.edits)

    await wire.log.until(progress, "progress", 4)
    assert not used.followups
    service.open.set()
    await wire.log.until(lambda: titles(used.edits)[-1] == "The rebuild is done", "the outcome")


async def test_questions_are_answered_while_a_rebuild_runs(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.steps, service.step_delay = (Progress("encoding", 1, 2), Progress("encoding", 2, 2)), 0.5
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: service.rebuilds, "the rebuild")
    asked = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.response_to(asked, 0.5)
    await wire.log.until(lambda: titles(used.edits)[-1:] == ["The rebuild is done"], "the outcome")


@pytest.mark.parametrize(
    ("error", "title", "says"),
    [
        (ArticleError(["a_b.txt: line 3: **bad** @everyone"]), "The rebuild failed; the index is as it was",
         r"a\_b.txt: line 3: \*\*bad\*\* \@everyone"),
        (BusyError("Another build holds the lock."), "Another rebuild is under way", "holds the lock"),
        (RuntimeError("boom"), "The rebuild failed; the index is as it was", "it is logged"),
        (ArticleError(["x" * 3000, "y" * 3000]), "The rebuild failed; the index is as it was", "…"),
        (RebuildError("The rebuild was killed."), "The rebuild failed; the index is as it was", "was killed"),
    ],
)  # fmt: skip
async def test_failed_rebuild_says_why(
    wire: LoopbackDiscord, service: FakeService, error: Exception, title: str, says: str
) -> None:
    service.rebuild_error = error
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: titles(used.edits)[-1:] == [title], "the outcome")
    description = used.edits[-1]["embeds"][0]["description"]
    assert says in description
    assert "boom" not in description


async def test_outcome_of_a_rebuild_longer_than_the_token_lives_is_posted_in_the_channel(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient
) -> None:
    guild = wire.world.guild()
    wire.world.join(guild, wire.world.owner)
    await wire.gateway.announce(guild)
    service.open.clear()
    await wire.slash("index rebuild", wire.world.owner, guild)
    await wire.log.until(lambda: service.rebuilds, "the rebuild")
    wire.interactions.clock_ahead = 16 * 60
    service.open.set()
    (posted,) = await wire.log.until(lambda: wire.said(guild), "the outcome in the channel")
    assert posted["embeds"][0]["title"] == "The rebuild is done"
    assert wire.log.pings == []
    assert not bot.is_closed()


async def test_outcome_that_can_be_shown_nowhere_is_logged_and_the_bot_goes_on(
    wire: LoopbackDiscord, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.open.clear()
    await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: service.rebuilds, "the rebuild")
    wire.interactions.clock_ahead = 16 * 60
    wire.fault("POST", r"/channels/\d+/messages$", status=403)
    service.open.set()
    await wire.log.until(lambda: wire.log.seen("POST", r"/channels/\d+/messages$"), "the attempt")
    wire.interactions.clock_ahead = 0
    asked = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.response_to(asked)
    assert "could not be posted either" in caplog.text
    wire.interactions.clock_ahead = 16 * 60  # the rebuild's own message can never be finished


async def test_outcome_is_posted_as_text_where_embeds_are_not_allowed(
    wire: LoopbackDiscord, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    guild = wire.world.guild()
    wire.world.join(guild, wire.world.owner)
    await wire.gateway.announce(guild)
    await wire.deny(guild.channels[0], EMBED_LINKS)
    service.open.clear()
    await wire.slash("index rebuild", wire.world.owner, guild)
    await until(lambda: service.rebuilds)
    wire.interactions.clock_ahead = 16 * 60
    service.open.set()
    (posted,) = await wire.log.until(lambda: wire.said(guild), "the outcome in the channel")
    assert posted["content"].startswith("**The rebuild is done**")
    assert no_traceback(caplog)


async def test_outcome_is_posted_where_somebody_deleted_the_progress(
    wire: LoopbackDiscord, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.open.clear()
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: used.edits, "progress")
    assert used.original is not None
    await wire.delete(used.original)
    service.open.set()
    direct = wire.world.dm(wire.world.owner)
    (posted,) = await wire.log.until(lambda: wire.said(direct), "the outcome")
    assert posted["embeds"][0]["title"] == "The rebuild is done"
    assert no_traceback(caplog)


async def test_progress_is_shown_no_longer_once_the_token_has_expired(
    wire: LoopbackDiscord, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_by_command, "__defaults__", (0.01,))
    service.steps = tuple(Progress("encoding", done, 60) for done in range(60))
    service.step_delay = 0.02
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: used.edits, "progress")
    wire.interactions.clock_ahead = 16 * 60
    direct = wire.world.dm(wire.world.owner)
    await wire.log.until(lambda: wire.said(direct), "the outcome")
    late = [one for one in wire.log.seen("PATCH", "/@original$") if one.status == 401]
    assert len(late) == 2  # the one that showed that it is too late, and the outcome's


async def test_status_shows_what_is_served(wire: LoopbackDiscord) -> None:
    used = await wire.slash("index status", wire.world.owner)
    (embed,) = (await wire.response_to(used))["embeds"]
    shown = {field["name"]: field["value"] for field in embed["fields"]}
    assert (shown["generation"], shown["articles"], shown["passages"]) == ("g-1", "3", "41")
