"""Starts that fail and ends that leave nothing: what is said, the exit status, and nothing left running."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.starting import serve_until_signalled
from bot.errors import DamagedRecordsError, DiscordRefusedError, RecordsError
from bot.records.settings import AnswersTo
from bot.settings import BotSettings
from index.errors import FootnoteError, MissingError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.connecting import free_port
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, title_of
from tests.bot.discordapp.ways import no_traceback, until
from tests.wire.loopback import LoopbackDiscord


def left_running() -> list[str]:
    """Name the tasks, beside this one and the loopback Discord's, and the threads of ours that still run."""
    gc.collect()
    tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
    ours = [str(one.get_coro()) for one in tasks if "RequestHandler" not in str(one.get_coro())]
    return ours + [one.name for one in threading.enumerate() if one.name.startswith("footnote")]


async def fails(settings: BotSettings, kind: type[FootnoteError]) -> FootnoteError:
    """Start, and return why that fails; nothing is left running."""
    service = FakeService()
    with pytest.raises(kind) as caught:
        await asyncio.wait_for(serve_until_signalled(settings, lambda _: service), 10)
    assert service.closed
    assert left_running() == []
    return caught.value


@pytest.mark.parametrize(
    ("make", "kind", "status", "says"),
    [
        (lambda file: file.write_bytes(b"no database" * 100), DamagedRecordsError, 65, "was left unchanged"),
        (lambda file: file.mkdir(), RecordsError, 69, "it is not a regular file"),
        (lambda file: file.parent.joinpath("f").write_text(""), RecordsError, 69, "FOOTNOTE_RECORDS"),
    ],
)
async def test_records_that_cannot_be_used_end_the_start(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    tmp_path: Path,
    make: Any,
    kind: type[FootnoteError],
    status: int,
    says: str,
) -> None:
    file = tmp_path / "records.sqlite"
    make(file)
    name = file if file.exists() else tmp_path / "f" / "records.sqlite"
    error = await fails(bot_settings(records=name), kind)
    assert error.exit_status == status
    assert says in str(error)
    assert str(name) in str(error)
    assert wire.gateway.connections == []


async def test_a_port_for_health_checks_that_is_taken_ends_the_start(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = await fails(bot_settings(health_port=port), MissingError)
    assert error.exit_status == 69
    assert f"Port {port} of 127.0.0.1 is taken by another program" in str(error)
    assert wire.gateway.connections == []


async def test_a_refusal_by_discord_leaves_nothing_running(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    wire.gateway.close_on_identify = 4014
    error = await fails(bot_settings(), DiscordRefusedError)
    assert error.exit_status == 69


async def test_stopping_leaves_nothing_running(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bot_settings(health_port=free_port()), service) as bot:
        await answer_to(wire, wire.world.user("ann"))
    assert left_running() == []
    assert bot.is_closed()
    with pytest.raises(RecordsError, match="is not open"):
        await bot.surface.records.gaps(None)
    assert no_traceback(caplog)


async def test_asking_gaps_again_is_given_up_by_stopping_without_a_word(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bot_settings(), service) as bot:
        await bot.surface.records.add_gap(
            server=None, channel=1, user=1, question="Why?", verdict="not_found", confidence=0.1, vector=[1.0]
        )
        service.open.clear()
        service.swap("g-2")
        await until(lambda: service.asked == ["Why?"])
    assert "could not be finished" not in caplog.text
    assert left_running() == []
    assert no_traceback(caplog)


async def test_a_swap_while_stopping_begins_nothing(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, stop = FootnoteClient(bot_settings(), service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=3))
    await asyncio.wait_for(client.ready.wait(), 5)
    await wire.log.until(lambda: wire.gateway.presences, "the presence")
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await until(lambda: service.asked)
    stop.set()
    await until(lambda: client.work.stopping)
    service.swap("g-2")
    service.open.set()
    await asyncio.wait_for(serving, 5)
    service.swap("g-3")  # while the service closes
    assert title_of(await wire.response_to(used)) == "The articles say"
    assert len(wire.gateway.presences) == 1
    assert left_running() == []
    assert no_traceback(caplog)


async def test_answers_under_way_are_finished_when_discord_ends_the_connection_for_good(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FootnoteClient(bot_settings(), service)
    serving = asyncio.create_task(client.serve(asyncio.Event(), drain=3))
    await asyncio.wait_for(client.ready.wait(), 5)
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await until(lambda: service.asked)
    await wire.gateway.drop(4004)
    await until(lambda: client.work.stopping)
    service.open.set()
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await asyncio.wait_for(serving, 5)
    assert title_of(await wire.response_to(used)) == "The articles say"
    assert left_running() == []
    assert no_traceback(caplog)


async def test_stopping_while_the_api_hangs_gives_up_what_cannot_be_finished(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.discordapp.work._GIVING_UP", 0.2)
    client, stop = FootnoteClient(bot_settings(), service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=0.2))
    await asyncio.wait_for(client.ready.wait(), 5)
    service.open.clear()
    ann = wire.world.user("ann")
    await wire.say(wire.world.dm(ann), ann, "Why?")
    await until(lambda: service.asked)
    wire.pause(30)
    service.open.set()
    stop.set()
    await asyncio.wait_for(serving, 8)
    assert "1 under way could not be finished" in caplog.text
    wire.pause(0)
    assert no_traceback(caplog)


async def test_commands_that_may_not_be_registered_yet_do_not_keep_the_bot_from_answering(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.discordapp.client._REGISTERING", 0.2)
    wire.rate_limit("PUT", "/commands$", retry_after=60)
    async with running(bot_settings(), service):
        ann = wire.world.user("ann")
        asked = await wire.say(wire.world.dm(ann), ann, "Why?")
        assert (await wire.reply_to(asked))["embeds"]
    assert "The commands are not registered yet" in caplog.text
    assert left_running() == []
    assert no_traceback(caplog)


async def test_a_post_whose_first_message_is_awaited_is_not_forgotten_by_stopping(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.discordapp.messages._POST_PATIENCE", 0.3)
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), service) as bot:
        forum = wire.world.forum(guild)
        await wire.gateway.announce(guild)
        await bot.surface.records.change(guild.id, forum.id, answers=AnswersTo.QUESTIONS)
        thread = wire.world.thread(forum, ann, "When did it open?", wire.world.new_id())
        event = thread.payload() | {"newly_created": True}
        await wire.gateway.dispatch("THREAD_CREATE", event, guild_id=guild.id)
        await until(lambda: bot.get_channel(thread.id))
    (told,) = wire.said(thread)
    assert title_of(told) == "Footnote is stopping"
    assert left_running() == []
    assert no_traceback(caplog)
