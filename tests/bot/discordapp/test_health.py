"""Health checks and figures, asked over HTTP on this machine."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import get_args

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.answering.answer import Verdict
from bot.chat.logs import Way
from bot.chat.metrics import HOST, Figure, Metrics, health_server
from index.errors import FootnoteError, MissingError

PATHS = ("/healthz", "/readyz", "/metrics")


@dataclass
class Asked:
    """A running health server, and what it says."""

    port: int
    metrics: Metrics
    session: aiohttp.ClientSession
    missing: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"

    async def get(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Return status, content type and body."""
        async with self.session.request(method, self.url(path)) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), await answer.text()

    async def figures(self) -> dict[str, float]:
        """Return the figures as Prometheus' own parser reads them, by name and labels."""
        status, kind, text = await self.get("/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return {
            " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@asynccontextmanager
async def serving() -> AsyncIterator[Asked]:
    metrics, missing = Metrics(), list[str]()
    async with health_server(0, metrics, lambda: missing) as port, aiohttp.ClientSession() as session:
        assert port
        yield Asked(port, metrics, session, missing)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with serving() as one:
        yield one


async def test_a_running_loop_is_alive_whether_ready_or_not(asked: Asked) -> None:
    asked.missing.append("not connected to Discord")
    assert await asked.get("/healthz") == (200, "text/plain; charset=utf-8", "ok\n")


async def test_ready_when_nothing_is_missing_and_else_says_what_is(asked: Asked) -> None:
    json_type = "application/json; charset=utf-8"
    asked.missing[:] = ["not connected to Discord", "the index is not open"]
    unready = '{"ready": false, "missing": ["not connected to Discord", "the index is not open"]}'
    assert await asked.get("/readyz") == (503, json_type, unready)
    asked.missing.clear()
    assert await asked.get("/readyz") == (200, json_type, '{"ready": true, "missing": []}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
async def test_other_methods_are_refused(asked: Asked, method: str, path: str) -> None:
    assert (await asked.get(path, method))[0] == 405


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/../etc", "/debug"])
async def test_other_paths_are_not_there(asked: Asked, path: str) -> None:
    assert (await asked.get(path))[0] == 404


async def test_other_addresses_of_this_machine_do_not_answer(asked: Asked) -> None:
    await asked.get("/healthz")
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await asyncio.open_connection("127.0.0.2", asked.port)


async def test_counts_are_there_from_the_start_and_grow_with_what_happens(asked: Asked) -> None:
    before = await asked.figures()
    assert all(
        before[f"footnote_questions_total {verdict} {way}"] == 0
        for way in get_args(Way)
        for verdict in Verdict
    )
    metrics = asked.metrics
    metrics.answered("slash", Verdict.ANSWERED, 0.02)
    metrics.answered("slash", Verdict.ANSWERED, 0.2)
    metrics.answered("mention", Verdict.NOT_FOUND, 40)
    metrics.refused("busy")
    metrics.refused("rate-limited")
    metrics.refused("rate-limited")
    metrics.failed()
    metrics.rebuilt("done")
    metrics.rebuilt("refused")
    after = await asked.figures()
    grown = {name: value - before[name] for name, value in after.items() if name.startswith("footnote_")}
    assert {name: by for name, by in grown.items() if by and "_seconds" not in name} == {
        "footnote_questions_total answered slash": 2,
        "footnote_questions_total not_found mention": 1,
        "footnote_refused_total busy": 1,
        "footnote_refused_total rate-limited": 2,
        "footnote_errors_total": 1,
        "footnote_rebuilds_total done": 1,
        "footnote_rebuilds_total refused": 1,
    }
    assert after["footnote_answer_seconds_count"] == 3
    assert after["footnote_answer_seconds_sum"] == pytest.approx(40.22)
    assert after["footnote_answer_seconds_bucket 0.025"] == 1
    assert after["footnote_answer_seconds_bucket 30.0"] == 2
    assert after["process_resident_memory_bytes"] > 0


@pytest.mark.parametrize("figure", get_args(Figure))
async def test_figure_is_read_anew_each_time(asked: Asked, figure: Figure) -> None:
    values = [1.5, 2.5]
    asked.metrics.watch(figure, values.pop)
    assert (await asked.figures())[f"footnote_{figure}"] == 2.5
    assert (await asked.figures())[f"footnote_{figure}"] == 1.5


def no_figure() -> float:
    raise RuntimeError("not started")


@pytest.mark.parametrize("read", [no_figure, lambda: math.nan, lambda: float("nan")])
async def test_figure_that_cannot_be_had_leaves_the_others(asked: Asked, read: Callable[[], float]) -> None:
    asked.metrics.watch("passages", read)
    asked.metrics.watch("articles", lambda: 3)
    asked.metrics.watch("gateway_latency_seconds", lambda: math.inf)
    figures = await asked.figures()
    assert math.isnan(figures["footnote_passages"])
    assert figures["footnote_articles"] == 3
    assert math.isinf(figures["footnote_gateway_latency_seconds"])


async def test_lag_of_a_blocked_loop_is_shown(asked: Asked) -> None:
    assert (await asked.figures())["footnote_loop_lag_seconds"] >= 0  # by now the loop is being watched
    time.sleep(0.6)  # noqa: ASYNC251 -- blocking the loop is the point
    await asyncio.sleep(0.6)  # meanwhile the loop is on time again, which must not hide it
    assert (await asked.figures())["footnote_loop_lag_seconds"] >= 0.3


async def test_two_bots_count_apart() -> None:
    async with serving() as one, serving() as other:
        one.metrics.failed()
        assert (await one.figures())["footnote_errors_total"] == 1
        assert (await other.figures())["footnote_errors_total"] == 0


async def test_taken_port_is_refused_with_what_to_do() -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(MissingError, match=f"Port {port} of 127.0.0.1 is taken .* FOOTNOTE_HEALTH_PORT"):
            async with health_server(port, Metrics(), list):
                pytest.fail("served on a taken port")
    assert issubclass(MissingError, FootnoteError)
    assert len(asyncio.all_tasks()) == 1  # nothing goes on watching


async def test_without_a_port_nothing_is_served() -> None:
    async with health_server(None, Metrics(), list) as port:
        assert port is None
        assert len(asyncio.all_tasks()) == 1


async def test_port_is_free_again_afterwards() -> None:
    async with serving() as asked:
        await asked.get("/healthz")
        port = asked.port
    async with health_server(port, Metrics(), list) as again:
        assert again == port
    assert len(asyncio.all_tasks()) == 1
