"""Trouble at Discord's server: every way of asking ends in something to see, or in a line of the log."""

from __future__ import annotations

import gc

import pytest

from bot.discordapp.client import FootnoteClient
from bot.records.store import Records
from index.errors import NoModelError
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.bot.discordapp.ways import (
    ANSWERED,
    BY_INTERACTION,
    BY_MESSAGE,
    WAYS,
    Asker,
    no_traceback,
    until,
)
from tests.wire.loopback import LoopbackDiscord
from tests.wire.trouble import Scope

CALLBACK, EDIT, POST = (
    ("POST", r"^/interactions/\d+/.*/callback$"),
    ("PATCH", r"^/webhooks/.*/@original$"),
    ("POST", r"^/channels/\d+/messages$"),
)

FORMS = {"Ask a follow-up", "Not helpful"}
"""The buttons that are answered with a form."""


@pytest.fixture
async def asker(wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService) -> Asker:
    """Let somebody ask once."""
    return await Asker.ready(wire, bot, service)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("route", [CALLBACK, EDIT])
async def test_a_server_that_fails_is_asked_again(
    wire: LoopbackDiscord,
    asker: Asker,
    caplog: pytest.LogCaptureFixture,
    status: int,
    route: tuple[str, str],
) -> None:
    wire.fault(*route, status=status, times=len(BY_INTERACTION))
    wire.fault(*POST, status=status, times=len(BY_MESSAGE))
    assert await asker.ends() == ANSWERED
    assert no_traceback(caplog)


async def test_a_server_that_goes_on_failing_ends_in_the_log(
    wire: LoopbackDiscord,
    asker: Asker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.discordapp.delivery._AGAIN_AFTER", (0.0, 0.0))
    wire.fault(*POST, status=503, times=3)
    look = await asker.ask("mention")
    await until(lambda: "could not be posted in channel" in caplog.text)
    assert look() is None
    assert await asker.ends(("mention",)) == {"mention": ANSWERED["mention"]}
    assert no_traceback(caplog)


async def test_a_post_that_is_made_again_is_known_as_the_same(
    wire: LoopbackDiscord, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discordapp.delivery._AGAIN_AFTER", (0.0, 0.0))
    wire.fault(*POST, status=503)
    await asker.ends(("mention",))
    await asker.ends(("direct",))
    failed, posted, another = [request.body for request in wire.log.seen(*POST)]
    assert failed["nonce"] == posted["nonce"] != another["nonce"]
    assert posted["enforce_nonce"]


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_rate_limit_is_waited_out(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture, scope: Scope
) -> None:
    for route in (CALLBACK, EDIT, POST):
        wire.rate_limit(*route, retry_after=0.3, scope=scope, times=2)
    assert await asker.ends() == ANSWERED
    assert no_traceback(caplog)


async def test_the_global_rate_limit_does_not_outlast_itself(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    # It is met by "is typing", which the answer does not wait for.
    wire.rate_limit("POST", r"/typing$", retry_after=0.8, scope="global")
    assert await asker.ends() == ANSWERED
    assert await asker.ends(BY_MESSAGE) == {way: ANSWERED[way] for way in BY_MESSAGE}
    assert no_traceback(caplog)


async def test_the_network_in_front_of_discord_turns_the_bot_away(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    wire.fault(*EDIT, status=429, body=b"<html>", content_type="text/html", times=len(BY_INTERACTION))
    wire.fault(*POST, status=429, body=b"<html>", content_type="text/html")
    looks = {way: await asker.ask(way) for way in ("mention", *BY_INTERACTION)}
    mention = looks.pop("mention")
    assert set((await asker.seen(looks)).values()) == {"Discord did not take the answer"}
    await until(lambda: "could not be posted in channel" in caplog.text)
    assert mention() is None
    assert no_traceback(caplog)


async def test_answers_come_after_a_pause_of_the_api(
    wire: LoopbackDiscord, asker: Asker, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.ask_all()
    wire.pause(0.8)
    service.open.set()
    assert await asker.seen(looks) == ANSWERED
    assert no_traceback(caplog)


async def test_what_a_pause_keeps_from_being_acknowledged_is_logged_in_a_line_each(
    wire: LoopbackDiscord, asker: Asker, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    wire.interactions.acknowledge_within = 0.3
    wire.pause(0.6)
    looks = {way: await asker.ask(way) for way in WAYS}
    assert await asker.seen({way: looks[way] for way in BY_MESSAGE}) == {
        way: ANSWERED[way] for way in BY_MESSAGE
    }
    await until(lambda: caplog.text.count("Discord no longer waits for") == len(BY_INTERACTION))
    assert [looks[way]() for way in BY_INTERACTION] == [None] * len(BY_INTERACTION)
    assert len(service.asked) == 1 + len(BY_MESSAGE)  # nobody would see what is answered otherwise
    assert no_traceback(caplog)


async def test_an_answer_that_discord_finds_malformed_is_apologised_for_and_logged(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    wire.fault(*EDIT, status=400, body=b'{"code": 50035, "message": "Invalid Form Body"}', times=4)
    ends = await asker.ends(BY_INTERACTION)
    assert ends == dict.fromkeys(BY_INTERACTION, "Something went wrong")
    assert [record.message for record in caplog.records if record.exc_info] == ["A handler failed."] * 4


@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError("no room")])
async def test_a_fault_in_finding_out_what_is_set_is_apologised_for_too(
    asker: Asker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Records, "settings", fail)
    assert await asker.ends(BY_INTERACTION) == dict.fromkeys(BY_INTERACTION, "Something went wrong")
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_each_use_is_answered_once(wire: LoopbackDiscord, asker: Asker) -> None:
    for button in wire.buttons(asker.answer):
        used = await wire.press(asker.user, asker.answer, button)
        await (wire.form(used) if button in FORMS else wire.response_to(used))
    await wire.response_to(await wire.submit(asker.form, ["And who chairs it?"]))
    for one in wire.interactions.all:
        assert len(wire.log.seen("POST", f"^/interactions/{one.id}/")) == 1, one.name


@pytest.mark.parametrize("command", ["index status", "index rebuild", "settings show", "gaps list"])
async def test_who_may_not_is_told_so_once_and_nothing_has_failed(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    used = await wire.slash(command, asker.user, asker.guild)
    assert title_of(await wire.response_to(used)) == "You may not do that here"
    assert await asker.ends() == ANSWERED
    assert used.followups == []
    assert b"footnote_errors_total 0.0" in asker.bot.surface.metrics.text()
    assert no_traceback(caplog)


async def test_a_fault_that_says_what_is_wrong_is_logged_in_its_own_words(
    asker: Asker, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.error = NoModelError("The file f is not what was written. Build the index again.")
    assert await asker.ends() == dict.fromkeys(WAYS, "Something went wrong")
    assert caplog.text.count("The file f is not what was written. Build the index again.") == len(WAYS)
    assert no_traceback(caplog)


async def test_a_refusal_that_comes_too_late_is_logged_in_a_line(
    wire: LoopbackDiscord, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    wire.interactions.acknowledge_within = 0.2
    wire.pause(0.4)
    await wire.slash("index status", asker.user, asker.guild)
    await until(lambda: "error code: 10062" in caplog.text)
    assert await asker.ends(("mention",)) == {"mention": ANSWERED["mention"]}
    assert no_traceback(caplog)


async def test_a_fault_after_the_answer_leaves_the_answer_as_it_is(
    asker: Asker, service: FakeService, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: str) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(service, "vector", fail)
    looks = {way: await asker.ask(way) for way in WAYS}
    assert await asker.seen(looks) == ANSWERED
    await until(lambda: caplog.text.count("could not be recorded") == len(WAYS) - 1)  # "Why?" is no question
    assert await asker.seen(looks) == ANSWERED
