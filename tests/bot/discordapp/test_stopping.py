"""Starting and stopping: answers under way are finished, the rest are told, and nothing is left running."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DamagedRecordsError, RecordsError
from index.errors import FootnoteError, MissingError
from tests.bot.discordapp.asking import ask, no_traceback, settle, until
from tests.bot.discordapp.conftest import PromptClient, serving, settings_for
from tests.bot.discordapp.phrases import ANSWERED, GIVEN_UP, STOPPING, WHY
from tests.bot.discordapp.service import ABSENT, LAMP, ControlledService
from tests.bot.discordapp.test_operations import online, output, process
from tests.wire.driver import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")


def left_running() -> list[str]:
    """Name the tasks of the bot, and its threads beside those of the shared service, that still run."""
    gc.collect()
    tasks = [str(one.get_coro()) for one in asyncio.all_tasks() if one is not asyncio.current_task()]
    return [one for one in tasks if "bot/" in one and "Service._watch" not in one]


async def test_answers_under_way_are_finished_and_what_comes_meanwhile_is_turned_away(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    wire, running_before = own_wire, len(left_running())
    async with serving(wire, service, drain=3) as bot:
        guild, ann = await wire.server("ann", owner=wire.world.owner)
        absent = await ask(wire, ann, guild, ABSENT)
        service.open.clear()
        first = await wire.slash(ann, "ask", guild, question=LAMP)
        await wire.log.until(lambda: first.thinking, "the acknowledgement")
        bot.stop.set()
        await settle()
        late = [
            await wire.slash(ann, "ask", guild, question=LAMP),
            await wire.slash(ann, "verify", guild, text="It was lit."),
            await wire.slash(guild.owner, "settings answers", guild, to="never"),
            *[await wire.slash(guild.owner, f"index {one}", guild) for one in ("status", "rebuild", "history")],
        ]
        said = await wire.say(ann, ann, LAMP)
        assert [(await wire.answer(one)).title for one in late] == [STOPPING] * 6
        assert (await wire.reply(said)).title == STOPPING
        service.swap()  # which begins nothing now
        service.open.set()
        await asyncio.wait_for(bot.task, 5)
        assert (await wire.answer(first)).title == ANSWERED
    assert (service.asked, service.rebuilds, len(wire.gateway.presences)) == ([ABSENT, LAMP], 0, 1)
    assert absent.buttons
    assert (len(left_running()), no_traceback(caplog)) == (running_before, True)


async def test_what_cannot_be_finished_in_time_is_told_so(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    wire = own_wire
    async with serving(wire, service, drain=0.1) as bot:
        guild, ann = await wire.server("ann")
        absent = await ask(wire, ann, guild, ABSENT)
        service.open.clear()
        service.rebuild_open.clear()
        used = [
            await wire.slash(ann, "ask", guild, question=LAMP),
            await wire.slash(ann, "verify", guild, text="It was lit."),
            await wire.press(ann, absent, WHY),
        ]
        said = await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}")
        rebuild = await wire.slash(wire.world.owner, "index rebuild", wire.world.owner)
        await until(lambda: len(service.asked) == 4 and service.rebuilds)
        bot.stop.set()
        await asyncio.wait_for(bot.task, 8)
        assert [(await wire.answer(one)).title for one in used] == [STOPPING] * 3
        assert (await wire.reply(said)).title == STOPPING
        assert (await wire.answer(rebuild)).title == GIVEN_UP
    service.rebuild_open.set()
    assert no_traceback(caplog)


async def test_under_load_the_first_are_answered_the_rest_told_and_nobody_hears_twice(
    own_wire: Wire, service: ControlledService
) -> None:
    wire = own_wire
    async with serving(wire, service, drain=0.15) as bot:
        guild, *people = await wire.server(*(f"user {number}" for number in range(40)))
        used = [await wire.slash(one, "ask", guild, question=f"{LAMP} {one.id}") for one in people]
        said = [await wire.say(one, guild, f"{wire.world.bot.mention} {one.id}?") for one in people[:5]]
        await wire.log.until(lambda: all(one.thinking or one.outcome for one in used), "the acknowledgements")
        bot.stop.set()
        await asyncio.wait_for(bot.task, 8)
        titles = [(await wire.answer(one)).title for one in used] + [(await wire.reply(one)).title for one in said]
    assert STOPPING in titles
    assert all(len(one.followups) + (one.outcome is one.original) == 1 for one in used)
    assert len(wire.said(guild)) == len(said)


async def test_stopping_before_the_connection_stands_ends_at_once(
    own_wire: Wire, service: ControlledService
) -> None:
    own_wire.faults.pause(30)
    stop = asyncio.Event()
    starting = asyncio.create_task(PromptClient(settings_for(own_wire), service).serve(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(starting, 1.9)
    own_wire.faults.clear()


@pytest.mark.parametrize(
    ("make", "kind", "status"),
    [
        (lambda file: file.write_bytes(b"no database" * 100), DamagedRecordsError, 65),
        (lambda file: file.mkdir(), RecordsError, 69),
    ],
)
async def test_records_that_cannot_be_used_end_the_start_and_leave_nothing_running(
    own_wire: Wire, service: ControlledService, tmp_path: Path, make: Any, kind: type[FootnoteError], status: int
) -> None:
    file, running_before = tmp_path / "records.sqlite", len(left_running())
    make(file)
    client = PromptClient(settings_for(own_wire, records=file), service)
    with pytest.raises(kind, match="records.sqlite") as caught:
        await asyncio.wait_for(client.serve(asyncio.Event()), 10)
    assert (caught.value.exit_status, own_wire.gateway.connections) == (status, 0)
    assert len(left_running()) == running_before


async def test_a_port_for_health_checks_that_is_taken_ends_the_start(
    own_wire: Wire, service: ControlledService
) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        port = taken.sockets[0].getsockname()[1]
        client = PromptClient(settings_for(own_wire, health_port=port), service)
        with pytest.raises(MissingError, match=f"Port {port} of 127.0.0.1 is taken"):
            await asyncio.wait_for(client.serve(asyncio.Event()), 10)
    assert own_wire.gateway.connections == 0


@pytest.mark.parametrize(("second", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_leaves_at_once(
    own_wire: Wire, built: Path, second: signal.Signals, status: int
) -> None:
    async with process(own_wire, built, "discord", FOOTNOTE_LOG_LEVEL="info") as bot:
        await online(own_wire)
        guild, ann = await own_wire.server("ann")
        own_wire.faults.answer("PATCH", "^/webhooks/", delay=60)
        used = await own_wire.slash(ann, "ask", guild, question=LAMP)
        await own_wire.log.until(lambda: used.thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM)
        assert bot.stderr is not None
        await asyncio.wait_for(bot.stderr.readuntil(b"stopping"), 5)
        bot.send_signal(second)
        text = await output(bot)
    assert bot.returncode == status
    assert "Traceback" not in text
    own_wire.interactions.all.clear()  # nobody is left to answer it
