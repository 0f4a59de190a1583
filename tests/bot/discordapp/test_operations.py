"""What whoever runs the bot sees: health checks, figures, and logs, in which no token ever is."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from index.errors import BusyError, ShrunkError
from tests.bot.discordapp.asking import WAYS, ask, settle, until
from tests.bot.discordapp.conftest import TOKEN, PromptClient, free_port, running, settings_for
from tests.bot.discordapp.phrases import ANSWERED
from tests.bot.discordapp.service import LAMP, ControlledService
from tests.wire.driver import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[3]
SECRET = "MTE0NzA2MzI4OTQ0MDk0OTM1Mg.GxYz7q.k3J9vQ2mT8xW5bN1cR6yL0pZ4sF7hD2aUeKfGg"
ECHO = f'{{"message": "401: Bot {SECRET} and {SECRET[:24]} are refused", "code": 0}}'.encode()
PART = 8


class Health:
    """Asks the port for health checks."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def get(self, page: str) -> tuple[int, str]:
        """Return the status and the text of a page."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/{page}") as answer,
        ):
            return answer.status, await answer.text()

    async def figures(self) -> dict[str, float]:
        """Return the figures as Prometheus' own parser reads them, by name and labels."""
        families = text_string_to_metric_families((await self.get("metrics"))[1])
        samples = [one for family in families for one in family.samples]
        return {" ".join([one.name, *sorted(one.labels.values())]): one.value for one in samples}


async def test_figures_count_what_was_asked_refused_and_rebuilt(
    own_wire: Wire, service: ControlledService
) -> None:
    health = Health(free_port())
    async with running(own_wire, service, health_port=health.port):
        assert await health.get("healthz") == (200, "ok\n")
        assert (await health.get("readyz"))[0] == 200
        before = await health.figures()
        guild, ann = await own_wire.server("ann", owner=own_wire.world.owner)
        for way in WAYS.values():
            await way(own_wire, ann, guild, LAMP)
        for error in (BusyError("full"), RuntimeError("boom")):
            service.error = error
            await ask(own_wire, ann, guild)
        for failure in (ShrunkError("1 article where there were 9."), OSError("boom")):
            service.rebuild_error = failure
            rebuild = await own_wire.slash(guild.owner, "index rebuild", guild)
            await own_wire.log.until(lambda used=rebuild: "failed" in str(used.edits[-1:]), "the end")
        await settle()
        after = await health.figures()
    grown = {name: value - before.get(name, 0) for name, value in after.items() if name.startswith("footnote_")}
    ways = ("slash", "mention", "menu", "follow-up", "direct")
    assert all(grown[f"footnote_questions_total answered {way}"] for way in ways)
    assert grown["footnote_answer_seconds_count"] == 8  # of which two were asked to go on from
    assert grown["footnote_refused_total busy"] == 1
    assert grown["footnote_errors_total"] >= 1
    assert grown["footnote_rebuilds_total refused"] + grown["footnote_rebuilds_total failed"] == 2
    assert (after["footnote_articles"], after["footnote_gateway_connected"]) == (3, 1)


async def test_ready_is_not_said_before_the_connection_stands_nor_while_stopping_nor_after(
    own_wire: Wire, service: ControlledService
) -> None:
    health, stop = Health(free_port()), asyncio.Event()
    own_wire.faults.pause(0.15)
    client = PromptClient(settings_for(own_wire, health_port=health.port), service)
    serving = asyncio.create_task(client.serve(stop, drain=3))
    await until(lambda: own_wire.faults.paused)
    await asyncio.sleep(0.1)
    assert (await health.get("readyz"))[0] == 503
    assert (await health.get("healthz"))[0] == 200
    await own_wire.log.until(lambda: own_wire.gateway.presences, "the bot")
    assert (await health.get("readyz"))[0] == 200
    guild, ann = await own_wire.server("ann")
    service.open.clear()
    used = await own_wire.slash(ann, "ask", guild, question=LAMP)
    await until(lambda: service.asked)
    stop.set()
    await settle()
    assert (await health.get("readyz"))[0] == 503
    assert (await health.get("healthz"))[0] == 200
    service.open.set()
    await asyncio.wait_for(serving, 5)
    assert (await own_wire.answer(used)).title == ANSWERED
    with pytest.raises(aiohttp.ClientConnectionError):
        await health.get("healthz")


# Logs


def leaked(text: str) -> list[str]:
    """Return the parts of the token that a text shows, as they are or in base64."""
    forms = [SECRET, quote(f"Bot {SECRET}")[6:]]
    forms += [base64.b64encode(f"{before}{SECRET}".encode()).decode() for before in ("", "Bot ")]
    parts = {form[at : at + PART] for form in forms for at in range(len(form) - PART + 1)}
    assert {SECRET[3:11], base64.b64encode(SECRET.encode()).decode()[5:13]} <= parts
    return sorted(part for part in parts if part in text)


@asynccontextmanager
async def process(wire: Wire, built: Path, *arguments: str, **more: str) -> AsyncIterator[Process]:
    """Run the program, as talkative as it can be; end it in any case."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DISCORD_TOKEN": wire.token,
        "FOOTNOTE_ARTICLES": str(built / "articles"), "FOOTNOTE_INDEX": str(built / ".footnote/index"),
        "FOOTNOTE_DISCORD_API_URL": wire.url, "FOOTNOTE_LOG_LEVEL": "debug", "FOOTNOTE_LOG_QUESTIONS": "true",
        **more,
    }  # fmt: skip
    command = [sys.executable, "-X", "faulthandler", "-P", "-m", "bot.cli", *arguments]
    started = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def output(started: Process) -> str:
    """Wait for the end of a process, and return all that it printed."""
    out, err = await asyncio.wait_for(started.communicate(), 60)
    return out.decode() + err.decode()


async def online(wire: Wire) -> None:
    """Wait for the bot of a process."""
    await wire.log.until(lambda: wire.gateway.presences and wire.commands.of[0], "the bot", 60)


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_session_with_trouble_logs_no_token_and_a_signal_ends_it_once_answers_are_given(
    built: Path, form: str
) -> None:
    async with Wire(SECRET) as wire, process(wire, built, "--debug", "discord", FOOTNOTE_LOG_FORMAT=form) as bot:
        await online(wire)
        guild, ann = await wire.server("ann")
        wire.faults.answer("PATCH", "^/webhooks/", status=403, body=ECHO)
        wire.faults.answer("POST", "^/channels/", status=403, body=ECHO, times=2)
        await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}")
        used = [await wire.slash(ann, "ask", guild, question=LAMP) for _ in range(2)]
        await asyncio.gather(*map(wire.answer, used))
        await wire.gateway.drop()
        await wire.log.until(lambda: wire.gateway.resumes and wire.gateway.connected, "a resume")
        assert SECRET.encode() not in Path(f"/proc/{bot.pid}/cmdline").read_bytes()
        wire.faults.answer("PATCH", "^/webhooks/", delay=0.2, status=500)
        under_way = await wire.slash(ann, "ask", guild, question=LAMP)
        await wire.log.until(lambda: under_way.thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM if form == "text" else signal.SIGINT)
        assert (await wire.answer(under_way)).title == ANSWERED
        text = await output(bot)
        assert (bot.returncode, wire.gateway.connected) == (0, False)
    assert "INTERACTION_CREATE" in text
    assert leaked(text) == []
    assert not any(one.token in text for one in [*used, under_way])
    if form == "json":
        assert all("message" in json.loads(line) for line in text.splitlines())


async def test_a_token_that_is_revoked_and_a_crash_show_none_of_it(built: Path) -> None:
    async with Wire(SECRET) as wire, process(wire, built, "--debug", "discord") as bot:
        await online(wire)
        wire.token = wire.gateway.token = "another"
        await wire.gateway.drop(4004)
        text = await output(bot)
    assert "Discord refused the token" in text
    assert leaked(text) == []
    async with Wire(SECRET) as wire, process(wire, built, "discord") as bot:
        await online(wire)
        bot.send_signal(signal.SIGABRT)
        text = await output(bot)
    assert "Fatal Python error" in text
    assert leaked(text) == []


@pytest.mark.parametrize("arguments", [("--debug", "discord", "sync"), ("doctor",)])
@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_says_the_token_back_is_not_quoted(
    built: Path, arguments: tuple[str, ...], status: int
) -> None:
    async with Wire(SECRET) as wire:
        wire.faults.answer("GET", "^/users/@me$", status=status, body=ECHO, times=9)
        async with process(wire, built, *arguments) as run:
            text = await output(run)
    assert ("Discord" if status == 401 else str(status)) in text
    assert leaked(text) == []


async def test_no_log_record_or_repr_holds_the_token(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(own_wire, service) as client:
        guild, ann = await own_wire.server("ann")
        with caplog.at_level("DEBUG"):
            await ask(own_wire, ann, guild)
            await own_wire.gateway.drop()
            await own_wire.log.until(lambda: own_wire.gateway.resumes and own_wire.gateway.connected, "again")
        shown: list[Any] = [client, client.settings, client.http]
        assert TOKEN not in "".join(map(repr, shown))
    assert "RESUME" in caplog.text  # discord.py was indeed talkative
    assert TOKEN not in caplog.text
