"""What operators see: health checks, metrics, signals, and logs that never contain the token."""

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
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from index.errors import BusyError, ShrunkError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, PromptClient, free_port, settle, until
from tests.bot.discordapp.service import LAMP

SECRET = "MTE0NzA2MzI4OTQ0MDk0OTM1Mg.GxYz7q.k3J9vQ2mT8xW5bN1cR6yL0pZ4sF7hD2aUeKfGg"
ENCODED = base64.b64encode(f"Bot {SECRET}".encode()).decode()
ECHO = f'{{"message": "401: Bot {SECRET}, {ENCODED}, is refused", "code": 0}}'.encode()
ROOT = Path(__file__).parents[3]


async def page(port: int, name: str) -> tuple[int, str]:
    """Return the status and the text of a page of the health server."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{name}") as response:
        return response.status, await response.text()


async def _metrics(port: int) -> dict[str, float]:
    """Return the metrics as Prometheus' own parser reads them, by name and label values."""
    families = text_string_to_metric_families((await page(port, "metrics"))[1])
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([sample.name, *sorted(sample.labels.values())]): sample.value for sample in samples}


async def test_metrics_count_questions_refusals_and_rebuilds(fresh: Chat) -> None:
    port, owner = free_port(), fresh.world.owner
    async with fresh.bot(health_port=port):
        assert await page(port, "healthz") == (200, '{"status": "ok"}')
        for way in WAYS.values():
            await way(fresh, LAMP)
        for error in (BusyError("full"), RuntimeError("boom")):
            fresh.service.error = error
            await fresh.ask()
        for failure in (ShrunkError("1 article where there were 9."), OSError("boom")):
            fresh.service.rebuild_error = failure
            await fresh.ended(await fresh.slash(owner, "index rebuild", owner))
        await settle()
        metrics = await _metrics(port)
    expected = {f"questions_total answered {way}": 1 for way in ("slash", "mention", "menu", "direct")}
    expected |= {"questions_total related slash": 0, "answer_seconds_count": 4, "refused_total busy": 1}
    expected |= {"articles": 3, "gateway_connected": 1}
    assert {name: metrics[f"footnote_{name}"] for name in expected} == expected
    assert metrics["footnote_errors_total"] >= 1
    assert metrics["footnote_rebuilds_total refused"] + metrics["footnote_rebuilds_total failed"] == 2


async def test_the_bot_is_ready_only_while_it_is_connected_and_not_stopping(fresh: Chat) -> None:
    port, stop = free_port(), asyncio.Event()
    fresh.faults.pause(0.15)
    client = PromptClient(fresh.settings(health_port=port), {"": fresh.service})
    serving = asyncio.create_task(client.serve(stop, drain=3))
    await asyncio.sleep(0.1)
    assert [(await page(port, name))[0] for name in ("readyz", "healthz")] == [503, 200]
    await fresh.log.until(lambda: fresh.gateway.presences, "the bot")
    assert (await page(port, "readyz"))[0] == 200
    fresh.service.open.clear()
    use = await fresh.slash(fresh.ann, "ask", fresh.ann, question=LAMP)
    await until(lambda: fresh.service.asked)
    stop.set()
    await settle()
    assert [(await page(port, name))[0] for name in ("readyz", "healthz")] == [503, 200]
    fresh.service.open.set()
    await asyncio.wait_for(serving, 5)
    assert (await fresh.answer(use)).title == texts.ANSWERED
    with pytest.raises(aiohttp.ClientConnectionError):
        await page(port, "healthz")


# The program as a subprocess


def _leaked(text: str) -> list[str]:
    """Return every eight letters of the token, as it is or in base64, that appear in a text."""
    forms = [SECRET, quote(f"Bot {SECRET}")[6:]]
    forms += [base64.b64encode(f"{prefix}{SECRET}".encode()).decode() for prefix in ("", "Bot ")]
    pieces = [form[start : start + 8] for form in forms for start in range(len(form) - 7)]
    return [piece for piece in pieces if piece in text]


@asynccontextmanager
async def _program(chat: Chat, built: Path, *arguments: str, **variables: str) -> AsyncIterator[Process]:
    """Run the program on the small index with the most verbose logs; kill it in the end."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DISCORD_TOKEN": chat.token,
        "FOOTNOTE_ARTICLES": str(built / "articles"), "FOOTNOTE_INDEX": str(built / ".footnote/index"),
        "FOOTNOTE_DISCORD_API_URL": chat.url, "FOOTNOTE_LOG_LEVEL": "debug", "FOOTNOTE_LOG_QUESTIONS": "true",
        **variables,
    }  # fmt: skip
    command = [sys.executable, "-X", "faulthandler", "-P", "-m", "bot.cli", *arguments]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        if arguments[-1] == "discord":
            await chat.log.until(lambda: chat.gateway.presences and chat.commands.of[0], "the bot", 60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _output(process: Process) -> str:
    """Wait for the end of the program; return what it printed, in which the token must not appear."""
    out, err = await asyncio.wait_for(process.communicate(), 60)
    text = out.decode() + err.decode()
    assert _leaked(text) == []
    return text


@pytest_asyncio.fixture(loop_scope="session")
async def secret() -> AsyncIterator[Chat]:
    """Return a loopback Discord whose token can be searched for."""
    assert _leaked(base64.b64encode(f"Bot {SECRET}".encode()).decode()[9:20])
    async with Chat(SECRET) as chat:
        chat.guild, chat.ann, chat.bob = await chat.server("ann", "bob")
        yield chat


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_a_session_with_trouble_logs_no_token_and_a_signal_ends_it_after_the_last_answer(
    secret: Chat, built: Path, log_format: str
) -> None:
    async with _program(secret, built, "--debug", "discord", FOOTNOTE_LOG_FORMAT=log_format) as bot:
        secret.faults.answer("PATCH", "^/webhooks/", status=403, body=ECHO)
        secret.faults.answer("POST", "^/channels/", status=403, body=ECHO, times=2)
        await secret.say(secret.ann, secret.guild, f"{secret.world.bot.mention} {LAMP}")
        uses = [await secret.slash(secret.ann, "ask", secret.guild, question=LAMP) for _ in range(2)]
        await asyncio.gather(*map(secret.answer, uses))
        await secret.gateway.drop()
        await secret.log.until(lambda: secret.gateway.resumes and secret.gateway.connected, "a resume")
        assert SECRET.encode() not in Path(f"/proc/{bot.pid}/cmdline").read_bytes()
        secret.faults.answer("PATCH", "^/webhooks/", delay=0.2, status=500)
        uses.append(await secret.slash(secret.ann, "ask", secret.guild, question=LAMP))
        await secret.log.until(lambda: uses[-1].thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM if log_format == "text" else signal.SIGINT)
        assert (await secret.answer(uses[-1])).title == texts.ANSWERED
        log = await _output(bot)
    assert (bot.returncode, secret.gateway.connected, "INTERACTION_CREATE" in log) == (0, False, True)
    assert not any(use.token in log for use in uses)
    assert log_format == "text" or all("message" in json.loads(line) for line in log.splitlines())


@pytest.mark.parametrize("end", ["revoked", "crash"])
async def test_the_token_is_not_shown_however_the_program_ends(secret: Chat, built: Path, end: str) -> None:
    async with _program(secret, built, "--debug", "discord") as bot:
        if end == "crash":
            bot.send_signal(signal.SIGABRT)
        secret.token = secret.gateway.token = "another"
        await secret.gateway.drop(4004)
        output = await _output(bot)
    assert ("Fatal Python error" if end == "crash" else "refused the token") in output


@pytest.mark.parametrize(("arguments", "status"), [("--debug discord sync", 403), ("doctor", 401)])
async def test_a_response_that_echoes_the_token_is_not_quoted(
    secret: Chat, built: Path, arguments: str, status: int
) -> None:
    secret.faults.answer("GET", "^/users/@me$", status=status, body=ECHO, times=9)
    async with _program(secret, built, *arguments.split()) as program:
        assert ("refused the token" if status == 401 else "403") in await _output(program)


@pytest.mark.parametrize(("second", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_ends_the_program_at_once(
    secret: Chat, built: Path, second: signal.Signals, status: int
) -> None:
    async with _program(secret, built, "discord", FOOTNOTE_LOG_LEVEL="info") as bot:
        secret.faults.answer("PATCH", "^/webhooks/", delay=60)
        use = await secret.slash(secret.ann, "ask", secret.guild, question=LAMP)
        await secret.log.until(lambda: use.thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM)
        assert bot.stderr is not None
        await asyncio.wait_for(bot.stderr.readuntil(b"stopping"), 5)
        bot.send_signal(second)
        output = await _output(bot)
    assert (bot.returncode, "Traceback" in output) == (status, False)
