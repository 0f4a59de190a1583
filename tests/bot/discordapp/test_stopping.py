"""Stopping: answers under way are finished, new ones turned away, nothing is left open."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.conftest import TOKEN, MakeBotSettings
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import inhabited
from tests.wire.loopback import LoopbackDiscord

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def process(wire: LoopbackDiscord, **more: str) -> AsyncIterator[Process]:
    """Run the bot as a process of its own; end it in any case."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DISCORD_TOKEN": TOKEN,
        "FOOTNOTE_DISCORD_API_URL": wire.url, **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bot.discordapp.process"]
    started = await asyncio.create_subprocess_exec(*command, env=environment, stderr=PIPE)
    try:
        await wire.connected(15)
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_lets_the_answer_under_way_finish_and_exits_0(
    wire: LoopbackDiscord, number: signal.Signals
) -> None:
    async with process(wire) as bot:
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
        await wire.log.until(lambda: used.loading, "the acknowledgement")
        bot.send_signal(number)
        message = await wire.response_to(used)
        _, said = await asyncio.wait_for(bot.communicate(), 5)
    assert message["embeds"][0]["title"] == "The articles say"
    assert bot.returncode == 0
    assert "Footnote is on Discord as Footnote; Ctrl-C to stop." in said.decode()
    assert "Traceback" not in said.decode()
    assert not wire.gateway.connected


async def test_under_load_the_first_are_answered_and_the_rest_are_told_and_nobody_hears_twice(
    wire: LoopbackDiscord,
) -> None:
    guild, people = await inhabited(wire, *(f"user-{number}" for number in range(20)))
    more = {"FOOTNOTE_DRAIN": "0.6", "SECONDS_AN_ANSWER": "0.1", "FOOTNOTE_DISCORD_USER_RATE": "0"}
    async with process(wire, **more) as bot:
        asked = [
            await wire.slash("ask", one, guild, question=f"Why {number}?")
            for number, one in enumerate(people)
        ]
        said = [
            await wire.say(guild, one, f"{wire.world.bot.mention} How {number}?")
            for number, one in enumerate(people[:4])
        ]
        await wire.log.until(lambda: all(used.loading for used in asked), "the acknowledgements")
        bot.send_signal(signal.SIGTERM)
        titles = [(await wire.response_to(used))["embeds"][0]["title"] for used in asked]
        titles += [(await wire.reply_to(one))["embeds"][0]["title"] for one in said]
        await asyncio.wait_for(bot.communicate(), 10)
    assert bot.returncode == 0
    assert set(titles) == {"The articles say", "Footnote is stopping"}
    assert titles[0] == "The articles say"
    answers = [one for one in wire.said(guild) if one["author"]["id"] == str(wire.world.bot.id)]
    assert len([one for one in answers if one.get("message_reference")]) == len(said)


@pytest.mark.parametrize(
    ("second", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
async def test_a_second_signal_leaves_at_once(
    wire: LoopbackDiscord, second: signal.Signals, status: int
) -> None:
    async with process(wire, FOOTNOTE_DRAIN="3000", SECONDS_AN_ANSWER="3000") as bot:
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
        await wire.log.until(lambda: used.loading, "the acknowledgement")
        bot.send_signal(signal.SIGTERM)
        assert bot.stderr is not None
        await asyncio.wait_for(bot.stderr.readuntil(b"Footnote is stopping."), 5)
        bot.send_signal(second)
        _, said = await asyncio.wait_for(bot.communicate(), 10)
    assert bot.returncode == status
    assert "leaves at once" in said.decode()
    assert "Traceback" not in said.decode()
    assert used.original is not None
    del wire.messages.all[int(used.original["id"])]  # nobody is left to answer it


async def test_no_token_is_written_even_at_debug_level(wire: LoopbackDiscord) -> None:
    async with process(wire, FOOTNOTE_LOG_LEVEL="debug", FOOTNOTE_LOG_QUESTIONS="true") as bot:
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
        await wire.response_to(used)
        bot.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(bot.communicate(), 5)
    text = said.decode()
    assert "INTERACTION_CREATE" in text
    assert TOKEN not in text
    assert used.token not in text


async def test_questions_that_come_while_stopping_are_turned_away(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    client, stop = FootnoteClient(bot_settings(), service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=3))
    await asyncio.wait_for(client.ready.wait(), 5)
    ann = wire.world.user("ann")
    service.open.clear()
    first = await wire.slash("ask", ann, question="First?")
    await wire.log.until(lambda: first.loading, "the acknowledgement")
    stop.set()
    await asyncio.sleep(0.05)
    late = await wire.slash("ask", ann, question="Late?")
    said = await wire.say(wire.world.dm(ann), ann, "Later?")
    status = await wire.slash("index status", wire.world.owner)
    assert (await wire.response_to(late))["embeds"][0]["title"] == "Footnote is stopping"
    assert (await wire.reply_to(said))["embeds"][0]["title"] == "Footnote is stopping"
    assert (await wire.response_to(status))["embeds"][0]["title"] == "Footnote is stopping"
    service.open.set()
    await asyncio.wait_for(serving, 3)
    assert (await wire.response_to(first))["embeds"][0]["title"] == "The articles say"
    assert service.asked == ["First?"]


async def test_rebuild_under_way_is_given_up_and_says_so(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    client, stop = FootnoteClient(bot_settings(), service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop))
    await asyncio.wait_for(client.ready.wait(), 5)
    service.open.clear()
    used = await wire.slash("index rebuild", wire.world.owner)
    await wire.log.until(lambda: service.rebuilds, "the rebuild")
    stop.set()
    await asyncio.wait_for(serving, 3)
    assert used.edits[-1]["embeds"][0]["title"] == "The rebuild was given up"


async def test_answer_that_never_comes_does_not_keep_the_bot_from_stopping(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    client, stop = FootnoteClient(bot_settings(), service), asyncio.Event()
    serving = asyncio.create_task(client.serve(stop, drain=0.2))
    await asyncio.wait_for(client.ready.wait(), 5)
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.log.until(lambda: used.loading, "the acknowledgement")
    stop.set()
    await asyncio.wait_for(serving, 3)
    assert (await wire.response_to(used))["embeds"][0]["title"] == "Footnote is stopping"


async def test_stop_before_the_connection_stands_ends_at_once(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.fault("GET", "/users/@me", delay=2, status=503)
    stop = asyncio.Event()
    serving = asyncio.create_task(FootnoteClient(bot_settings(), service).serve(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(serving, 1.9)


HANGING = """
import asyncio, time
from bot.discordapp.starting import _stopping_on_signal

async def hang():
    with _stopping_on_signal(asyncio.Event()):
        print("ready", flush=True)
        time.sleep(3600)

asyncio.run(hang())
"""


def test_a_second_signal_is_heard_though_the_loop_hangs() -> None:
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in {128 + signal.SIGTERM, 128 + signal.SIGINT}
