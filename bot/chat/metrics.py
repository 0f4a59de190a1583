"""Prometheus metrics of the running bot, and the HTTP server for health checks.

`/healthz` answers while the event loop runs, with how the sources are; `/readyz` says whether questions can
be answered (503 and the reasons where not), `/metrics` is for Prometheus. All of it on 127.0.0.1 only; no
metric identifies anyone.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Literal, get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bot.answering.answer import Verdict
from bot.chat.logs import Way
from index.errors import MissingError

__all__ = ["HOST", "Metrics", "Outcome", "Refusal", "health_routes", "health_server", "listening"]

HOST = "127.0.0.1"
"""The only address that serves metrics."""

Refusal = Literal["rate-limited", "busy", "damaged"]
"""Why a question was refused: too many from one user or server, a full queue, or no whole index."""

Outcome = Literal["done", "busy", "refused", "failed", "given-up"]
"""How a rebuild or refresh ended; `refused` is for bad articles and the gate, `failed` for faults of ours."""

_GAUGES = {
    "queue_length": "Questions waiting for an answer.",
    "passages": "Passages in the index that is being served.",
    "articles": "Articles in the index that is being served.",
    "damaged": "1 while the published index is damaged, so that an older one answers, or none.",
    "source_refresh_age_seconds": "Seconds since a source was last refreshed; NaN before the first time.",
    "gateway_connected": "1 while the bot is connected to Discord's gateway.",
    "gateway_latency_seconds": "Seconds between a heartbeat and Discord's answer to it.",
}
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONGEST_LINE = 1 << 14  # bytes of a request line: a question of 1,000 characters may take 12 each


class Metrics:
    """The metrics of one bot, in a registry of their own. Counters start at zero for every label."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        questions = Counter("footnote_questions", "Questions answered.", ["way", "verdict"], registry=own)
        refused = Counter("footnote_refused", "Questions refused.", ["why"], registry=own)
        rebuilds = Counter(
            "footnote_rebuilds",
            "Rebuilds that somebody or a watched folder started.",
            ["outcome"],
            registry=own,
        )
        refreshes = Counter(
            "footnote_source_refreshes",
            "Refreshes of sources, by chat or schedule.",
            ["outcome"],
            registry=own,
        )
        self.questions = {(w, v): questions.labels(w, v) for w in get_args(Way) for v in Verdict}
        self.refused = {why: refused.labels(why) for why in get_args(Refusal)}
        self.rebuilds = {outcome: rebuilds.labels(outcome) for outcome in get_args(Outcome)}
        self.refreshes = {outcome: refreshes.labels(outcome) for outcome in get_args(Outcome)}
        self.errors = Counter("footnote_errors", "Questions and commands that failed.", registry=own)
        self.damages = Counter(
            "footnote_damaged_generations", "Index generations found damaged while serving.", registry=own
        )
        self.seconds = Histogram(
            "footnote_answer_seconds", "Seconds from question to answer.", buckets=_BUCKETS, registry=own
        )
        self.gauges = {name: Gauge(f"footnote_{name}", text, registry=own) for name, text in _GAUGES.items()}
        ProcessCollector(registry=own)  # memory, processor time, open files

    def watch(self, gauge: str, read: Callable[[], float]) -> None:
        """Read a gauge with `read` at each scrape."""
        self.gauges[gauge].set_function(read)


@asynccontextmanager
async def health_server(
    port: int | None,
    metrics: Metrics,
    missing: Callable[[], Sequence[str]],
    notes: Callable[[], Sequence[str]] = tuple,
    state: Callable[[], Mapping[str, object]] = dict,
) -> AsyncIterator[int | None]:
    """Serve health checks while the body runs, and yield the port; without a port, serve nothing.

    The callables are as `health_routes` says.

    Raises:
        MissingError: the port is taken, or may not be used.
    """
    if port is None:
        yield None
        return
    app = web.Application()
    app.add_routes(health_routes(metrics, missing, notes, state))
    advice = "Set FOOTNOTE_HEALTH_PORT to a free port above 1023, or to nothing to run without health checks."
    async with listening(app, HOST, port, advice) as bound:
        yield bound


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, advice: str) -> AsyncIterator[int]:
    """Serve an application while the body runs, and yield the port.

    Raises:
        MissingError: the port is taken, or may not be used; the message ends with the advice.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1,
        max_line_size=_LONGEST_LINE,
        auto_decompress=False,  # unpacking takes time, and comes before anybody is asked for a token
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise MissingError(f"Port {port} of {host} {reason}. {advice}") from error
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def health_routes(
    metrics: Metrics,
    missing: Callable[[], Sequence[str]],
    notes: Callable[[], Sequence[str]] = tuple,
    state: Callable[[], Mapping[str, object]] = dict,
) -> list[web.RouteDef]:
    """Return the routes of health checks and metrics.

    `missing` names what keeps questions from being answered, `notes` what is wrong all the same. `state` is
    shown by `/healthz`.
    """

    async def ready(_: web.Request) -> web.Response:
        reasons, warnings = list(missing()), list(notes())
        body = {"ready": not reasons, "missing": reasons} | ({"notes": warnings} if warnings else {})
        return web.json_response(body, status=503 if reasons else 200)

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", **state()})

    async def scrape(_: web.Request) -> web.Response:
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=generate_latest(metrics.registry), headers=headers)

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", scrape)]
