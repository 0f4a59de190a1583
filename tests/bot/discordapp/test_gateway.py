"""Drops, resumes and invalid sessions: nothing that Discord tells of is lost, and nothing is done twice."""

from __future__ import annotations

from functools import partial

import pytest

from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import Impatient
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import inhabited
from tests.bot.discordapp.ways import ANSWERED, WAYS, Asker, no_traceback, until
from tests.wire.loopback import LoopbackDiscord


async def test_what_is_asked_while_the_connection_is_lost_is_answered_after_the_resume(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bot_settings(), service) as bot:
        asker = await Asker.ready(wire, bot, service)
        wire.gateway.sessions[0].socket = None  # the connection is gone, and nobody has noticed yet
        looks = {way: await asker.ask(way) for way in WAYS}
        assert len(service.asked) == 1
        await wire.gateway.drop()
        assert await asker.seen(looks) == ANSWERED
        assert len(wire.gateway.resumes) == len(wire.gateway.identifies) == 1
    assert no_traceback(caplog)


@pytest.mark.parametrize("lost", ["dropped", "asked to reconnect", "invalidated"])
async def test_answers_under_way_do_not_need_the_connection(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    lost: str,
) -> None:
    async with running(bot_settings(), service, Impatient) as bot:
        asker = await Asker.ready(wire, bot, service)
        looks = await asker.ask_all()
        if lost == "dropped":
            await wire.gateway.drop()
        elif lost == "asked to reconnect":
            await wire.gateway.ask_reconnect()
        else:
            await wire.gateway.invalidate()
        service.open.set()
        assert await asker.seen(looks) == ANSWERED
        await wire.log.until(lambda: len(wire.gateway.connections) == 2, "another connection")
        await wire.connected()
    assert no_traceback(caplog)


async def test_a_session_that_was_forgotten_is_begun_anew_and_all_works(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    async with running(bot_settings(), service, Impatient) as bot:
        asker = await Asker.ready(wire, bot, service)
        registered = len(wire.log.seen("PUT", "/commands$"))
        wire.gateway.sessions.clear()
        await wire.gateway.drop()  # the resume is then refused
        await wire.log.until(lambda: len(wire.gateway.identifies) == 2, "a new session")
        await wire.connected()
        await wire.gateway.announce(asker.guild)
        assert await asker.ends() == ANSWERED
        await wire.log.until(lambda: len(wire.gateway.presences) >= 3, "the presence, again")
        assert len(wire.gateway.resumes) == 1
        assert len(wire.log.seen("PUT", "/commands$")) == registered
    assert caplog.text.count("Footnote is on Discord as") == 1
    assert no_traceback(caplog)


def resumed_since(wire: LoopbackDiscord, count: int) -> bool:
    """Say whether more sessions were resumed than so many."""
    return len(wire.gateway.resumes) > count


async def test_a_connection_that_is_lost_again_and_again_is_made_again(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bot_settings(), service) as bot:
        asker = await Asker.ready(wire, bot, service)
        for _ in range(3):
            resumed = len(wire.gateway.resumes)
            await wire.gateway.drop()
            await wire.log.until(partial(resumed_since, wire, resumed), "a resume")
            await until(bot.is_connected)
        assert await asker.ends() == ANSWERED
    assert no_traceback(caplog)


async def test_a_question_right_after_the_session_has_begun_is_answered(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    client_is_ready = []

    class Watched(Impatient):
        async def on_ready(self) -> None:
            client_is_ready.append(list(service.asked))
            await super().on_ready()

    async with running(bot_settings(), service, Watched) as bot:
        assert client_is_ready
        wire.gateway.sessions.clear()
        await wire.gateway.drop()
        await wire.log.until(lambda: len(wire.gateway.identifies) == 2, "a new session")
        asked = await wire.say(guild, ann, f"{wire.world.bot.mention} Why?")
        assert (await wire.reply_to(asked))["embeds"]
        await until(lambda: len(client_is_ready) == 2)
        assert client_is_ready == [[], ["Why?"]]  # it was asked before the bot called itself ready
        assert bot.is_connected()
