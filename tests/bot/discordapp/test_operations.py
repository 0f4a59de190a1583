"""What whoever runs the bot sees: health checks, figures, signals, and logs in which no token ever is."""

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
ECHO = f'{{"message": "401: Bot {SECRET} and {SECRET[:24]} are refused", "code": 0}}'.encode()
ROOT = Path(__file__).parents[3]


async def page(port: int, name: str) -> tuple[int, str]:
    """Return the status and the text of a page of the health checks."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{name}") as answer:
        return answer.status, await answer.text()


async def figures(port: int) -> dict[str, float]:
    """Return the figures as Prometheus' own parser reads them, by name and labels."""
    families = text_string_to_metric_families((await page(port, "metrics"))[1])
    samples = [one for family in families for one in family.samples]
    return {" ".join([one.name, *sorted(one.labels.values())]): one.value for one in samples}


async def test_figures_count_what_was_asked_refused_and_rebuilt(fresh: Chat) -> None:
    port, owner = free_port(), fresh.world.owner
    async with fresh.bot(health_port=port):
        assert await page(port, "healthz") == (200, "ok\n")
        for way in WAYS.values():
            await way(fresh, LAMP)
        for error in (BusyError("full"), RuntimeError("boom")):
            fresh.service.error = error
            await fresh.ask()
        for failure in (ShrunkError("1 article where there were 9."), OSError("boom")):
            fresh.service.rebuild_error = failure
            await fresh.ended(await fresh.slash(owner, "index rebuild", owner))
        await settle()
        found = await figures(port)
    expected = {f"questions_total answered {way}": 1 for way in ("slash", "mention", "menu", "direct")}
    expected |= {"questions_total related slash": 0, "answer_seconds_count": 4, "refused_total busy": 1}
    expected |= {"articles": 3, "gateway_connected": 1}
    assert {name: found[f"footnote_{name}"] for name in expected} == expected
    assert found["footnote_errors_total"] >= 1
    assert found["footnote_rebuilds_total refused"] + found["footnote_rebuilds_total failed"] == 2


async def test_ready_is_not_said_before_the_connection_stands_nor_while_stopping_nor_after(
    fresh: Chat,
) -> None:
    port, stop = free_port(), asyncio.Event()
    fresh.faults.pause(0.15)
    serving = asyncio.create_task(
        PromptClient(fresh.settings(health_port=port), fresh.service).serve(stop, drain=3)
    )
    await asyncio.sleep(0.1)
    assert [(await page(port, name))[0] for name in ("readyz", "healthz")] == [503, 200]
    await fresh.log.until(lambda: fresh.gateway.presences, "the bot")
    assert (await page(port, "readyz"))[0] == 200
    fresh.service.open.clear()
    used = await fresh.slash(fresh.ann, "ask", fresh.ann, question=LAMP)
    await until(lambda: fresh.service.asked)
    stop.set()
    await settle()
    assert [(await page(port, name))[0] for name in ("readyz", "healthz")] == [503, 200]
    fresh.service.open.set()
    await asyncio.wait_for(serving, 5)
    assert (await fresh.answer(used)).title == texts.ANSWERED
    with pytest.raises(aiohttp.ClientConnectionError):
        await page(port, "healthz")


# The program as a process of its own


def leaked(text: str) -> list[str]:
    """Return the parts of the token, of eight letters, that a text shows as they are or in base64."""
    forms = [SECRET, quote(f"Bot {SECRET}")[6:]]
    forms += [base64.b64encode(f"{before}{SECRET}".encode()).decode() for before in ("", "Bot ")]
    return [one[at : at + 8] for one in forms for at in range(len(one) - 7) if one[at : at + 8] in text]


@asynccontextmanager
async def process(chat: Chat, built: Path, *arguments: str, **more: str) -> AsyncIterator[Process]:
    """Run the program on the small index, as talkative as it can be; end it in any case."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DISCORD_TOKEN": chat.token,
        "FOOTNOTE_ARTICLES": str(built / "articles"), "FOOTNOTE_INDEX": str(built / ".footnote/index"),
        "FOOTNOTE_DISCORD_API_URL": chat.url, "FOOTNOTE_LOG_LEVEL": "debug", "FOOTNOTE_LOG_QUESTIONS": "true",
        **more,
    }  # fmt: skip
    command = [sys.executable, "-X", "faulthandler", "-P", "-m", "bot.cli", *arguments]
    started = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        if arguments[-1] == "discord":
            await chat.log.until(lambda: chat.gateway.presences and chat.commands.of[0], "the bot", 60)
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def output(started: Process) -> str:
    """Wait for the end of a process, and return all that it printed; the token is in none of it."""
    out, err = await asyncio.wait_for(started.communicate(), 60)
    text = out.decode() + err.decode()
    assert leaked(text) == []
    return text


@pytest_asyncio.fixture(loop_scope="session")
async def secret() -> AsyncIterator[Chat]:
    """Give a loopback Discord for a process, whose token is one that can be looked for."""
    assert leaked(base64.b64encode(f"Bot {SECRET}".encode()).decode()[9:20])
    async with Chat(SECRET) as chat:
        chat.guild, chat.ann, chat.bob = await chat.server("ann", "bob")
        yield chat


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_session_with_trouble_logs_no_token_and_a_signal_ends_it_once_answers_are_given(
    secret: Chat, built: Path, form: str
) -> None:
    async with process(secret, built, "--debug", "discord", FOOTNOTE_LOG_FORMAT=form) as bot:
        secret.faults.answer("PATCH", "^/webhooks/", status=403, body=ECHO)
        secret.faults.answer("POST", "^/channels/", status=403, body=ECHO, times=2)
        await secret.say(secret.ann, secret.guild, f"{secret.world.bot.mention} {LAMP}")
        used = [await secret.slash(secret.ann, "ask", secret.guild, question=LAMP) for _ in range(2)]
        await asyncio.gather(*map(secret.answer, used))
        await secret.gateway.drop()
        await secret.log.until(lambda: secret.gateway.resumes and secret.gateway.connected, "a resume")
        assert SECRET.encode() not in Path(f"/proc/{bot.pid}/cmdline").read_bytes()
        secret.faults.answer("PATCH", "^/webhooks/", delay=0.2, status=500)
        used.append(await secret.slash(secret.ann, "ask", secret.guild, question=LAMP))
        await secret.log.until(lambda: used[-1].thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM if form == "text" else signal.SIGINT)
        assert (await secret.answer(used[-1])).title == texts.ANSWERED
        text = await output(bot)
    assert (bot.returncode, secret.gateway.connected, "INTERACTION_CREATE" in text) == (0, False, True)
    assert not any(one.token in text for one in used)
    assert form == "text" or all("message" in json.loads(line) for line in text.splitlines())


@pytest.mark.parametrize("end", ["revoked", "crash"])
async def test_no_end_of_the_program_shows_the_token(secret: Chat, built: Path, end: str) -> None:
    async with process(secret, built, "--debug", "discord") as bot:
        if end == "crash":
            bot.send_signal(signal.SIGABRT)
        secret.token = secret.gateway.token = "another"
        await secret.gateway.drop(4004)
        text = await output(bot)
    assert ("Fatal Python error" if end == "crash" else "Discord refused the token") in text


@pytest.mark.parametrize(("arguments", "status"), [("--debug discord sync", 403), ("doctor", 401)])
async def test_a_server_that_says_the_token_back_is_not_quoted(
    secret: Chat, built: Path, arguments: str, status: int
) -> None:
    secret.faults.answer("GET", "^/users/@me$", status=status, body=ECHO, times=9)
    async with process(secret, built, *arguments.split()) as run:
        assert ("refused the token" if status == 401 else "403") in await output(run)


@pytest.mark.parametrize(("second", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_leaves_at_once(
    secret: Chat, built: Path, second: signal.Signals, status: int
) -> None:
    async with process(secret, built, "discord", FOOTNOTE_LOG_LEVEL="info") as bot:
        secret.faults.answer("PATCH", "^/webhooks/", delay=60)
        used = await secret.slash(secret.ann, "ask", secret.guild, question=LAMP)
        await secret.log.until(lambda: used.thinking, "the acknowledgement")
        bot.send_signal(signal.SIGTERM)
        assert bot.stderr is not None
        await asyncio.wait_for(bot.stderr.readuntil(b"stopping"), 5)
        bot.send_signal(second)
        text = await output(bot)
    assert (bot.returncode, "Traceback" in text) == (status, False)
