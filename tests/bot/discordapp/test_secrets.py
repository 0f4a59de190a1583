"""The token is in nothing that a failing run leaves: logs, errors, tracebacks, figures, reports, children."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.credentials import HIDDEN
from index.storage.manifest import POINTER, Pointer
from tests.bot.discordapp.failing import FAULTS
from tests.wire.interactions import Interaction
from tests.wire.loopback import LoopbackDiscord

SECRET = "MTE0NzA2MzI4OTQ0MDk0OTM1Mg.GxYz7q.k3J9vQ2mT8xW5bN1cR6yL0pZ4sF7hD2aUeKfGg"
ROOT = Path(__file__).parents[3]
ECHO = f'{{"message": "401: Bot {SECRET} and {SECRET[:24]} are refused", "code": 0}}'.encode()
BOUND = 60.0
"""Seconds after which a process counts as hanging."""


def leaked(text: str) -> list[str]:
    """Return the forms of the token that a text shows, as it is or in base64."""
    encoded = [base64.b64encode(f"{before}{SECRET}".encode()).decode() for before in ("", "Bot ")]
    return [form for form in (SECRET, *(form[8:-4] for form in encoded)) if form in text]


@pytest.fixture
async def wire() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord(SECRET) as server:
        yield server


@pytest.fixture(autouse=True)
def index() -> None:
    """Have what looks like an index here; the service is a made-up one."""
    Path("index").mkdir()
    Path("index", POINTER).write_bytes(Pointer("000001-0123456789abcdef", "0" * 64).line())


@asynccontextmanager
async def running(
    wire: LoopbackDiscord, *arguments: str, token: str = SECRET, **more: str
) -> AsyncIterator[Process]:
    """Run the program with this token, telling as much as it can; end it in any case."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DISCORD_TOKEN": token, "FOOTNOTE_INDEX": "index",
        "FOOTNOTE_DISCORD_API_URL": wire.url, "FOOTNOTE_LOG_LEVEL": "debug", "FOOTNOTE_LOG_QUESTIONS": "true",
        **more,
    }  # fmt: skip
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.bot.discordapp.failing", *arguments]
    started = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def said(process: Process) -> str:
    """Wait for the end, and return all that was printed."""
    out, err = await asyncio.wait_for(process.communicate(), BOUND)
    return out.decode() + err.decode()


async def run(wire: LoopbackDiscord, *arguments: str, **more: str) -> str:
    async with running(wire, *arguments, **more) as process:
        return await said(process)


def acknowledged(used: Interaction) -> Callable[[], bool]:
    return lambda: used.loading


@pytest.mark.parametrize("form", ["text", "json"])
async def test_what_fails_while_it_answers_shows_no_token(wire: LoopbackDiscord, form: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with running(
        wire, "--debug", "discord", FOOTNOTE_LOG_FORMAT=form, FOOTNOTE_HEALTH_PORT=str(port)
    ) as process:
        await wire.connected(BOUND)
        wire.fault("PATCH", r"^/webhooks/", status=403, body=ECHO)
        wire.fault("POST", r"^/channels/", status=403, body=ECHO)
        shown = []
        for fault in FAULTS:
            used = await wire.slash("ask", wire.world.user("ann"), question=fault)
            await wire.log.until(acknowledged(used), "the acknowledgement")
            if fault != FAULTS[0]:  # to which nothing could be sent: the faults above
                shown.append(str(await wire.response_to(used)))
        async with aiohttp.ClientSession() as session:
            for page in ("healthz", "readyz", "metrics", "none"):
                async with session.get(f"http://127.0.0.1:{port}/{page}") as answer:
                    shown.append(await answer.text())
        assert SECRET.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.send_signal(signal.SIGINT if form == "text" else signal.SIGABRT)
        shown.append(await said(process))
    assert "Fatal Python error" in shown[-1] or form == "text"
    assert shown[-1].count(HIDDEN) >= len(FAULTS)
    assert leaked("".join(shown)) == []


FAILING = {
    "refused": ("discord", "sync"),
    "refused, with the traceback": ("--debug", "discord", "invite"),
    "refused by the bot's own start": ("--debug", "discord"),
}


@pytest.mark.parametrize("how", FAILING)
async def test_refused_token_is_not_shown(wire: LoopbackDiscord, how: str) -> None:
    wire.fault("GET", "^/users/@me$", status=401, body=ECHO, times=9)
    text = await run(wire, *FAILING[how])
    assert "Discord refused the token" in text
    assert leaked(text) == []


async def test_server_that_says_the_token_back_is_not_quoted(wire: LoopbackDiscord) -> None:
    wire.fault("GET", "^/users/@me$", status=403, body=ECHO)
    text = await run(wire, "--debug", "discord", "sync")
    assert "Traceback" in text
    assert HIDDEN in text
    assert leaked(text) == []


async def test_gateway_whose_address_has_the_token_in_it_is_not_shown(wire: LoopbackDiscord) -> None:
    for address in (f"ws://{SECRET}.example/?token={SECRET}", f"ftp://{'x' * 70}{SECRET}"):
        wire.fault("GET", "^/gateway$", status=200, body=f'{{"url": "{address}"}}'.encode())
        text = await run(wire, "discord")
        assert "names no gateway that can be used" in text
        assert leaked(text) == []


async def test_connection_that_is_closed_for_the_token_does_not_show_it(wire: LoopbackDiscord) -> None:
    Path(".env").write_text(f"FOOTNOTE_DISCORD_TOKEN={SECRET}\n", encoding="utf-8")
    Path(".env").chmod(0o644)
    async with running(wire, "--debug", "discord") as process:
        await wire.connected(BOUND)
        wire.token = wire.gateway.token = "another"
        await wire.gateway.drop(4004)
        text = await said(process)
    assert "Discord refused the token" in text
    assert "WARNING" in text
    assert "chmod 600 .env" in text
    assert leaked(text) == []


@pytest.mark.parametrize("debug", [(), ("--debug",)])
async def test_fault_of_ours_does_not_show_the_token(wire: LoopbackDiscord, debug: tuple[str, ...]) -> None:
    text = await run(wire, *debug, "discord", FAIL_AT_START="1")
    assert f"Bot {HIDDEN}" in text
    assert ("Traceback" in text) == bool(debug)
    assert leaked(text) == []


async def test_doctor_and_wrong_settings_do_not_show_the_token(wire: LoopbackDiscord) -> None:
    Path(".env").write_text(f"FOOTNOTE_KEEP=many{SECRET[:4]}\n", encoding="utf-8")
    assert leaked(await run(wire, "discord")) == []
    Path(".env").write_text(f"FOOTNOTE_DISCORD_TOKEN={SECRET}\n", encoding="utf-8")
    Path("token").write_text(SECRET, encoding="ascii")
    text = await run(wire, "doctor", FOOTNOTE_DISCORD_TOKEN_FILE="token")
    assert "are both set" in text
    assert leaked(text) == []
    wire.fault("GET", "^/users/@me$", status=403, body=ECHO, times=2)
    text = await run(wire, "doctor")
    assert "FAIL  discord" in text
    assert ".env can be read by other users" in text
    assert leaked(text) == []
