"""What a machine may ask about the running bot: is it alive, is it ready, what are its figures.

`/healthz` says that the event loop runs, `/readyz` whether questions can be answered (503 with the reasons
where they cannot), `/metrics` gives the figures as Prometheus reads them. All of it on 127.0.0.1 alone, so
whoever can ask is on this machine, and no figure says who asked what.
"""

from __future__ import annotations

import asyncio
import errno
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal, get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.answering.answer import Verdict
from bot.chat.logs import Way
from index.errors import MissingError

__all__ = ["HOST", "Figure", "Metrics", "Outcome", "Refusal", "health_server"]

HOST = "127.0.0.1"
"""The only address that the figures can be had from."""

Refusal = Literal["rate-limited", "busy", "damaged"]
"""Why a question was turned away: too many from one user or server, too many waiting, or no whole index."""

Outcome = Literal["done", "busy", "refused", "failed", "given-up"]
"""How a rebuild ended: published; another one runs; bad articles and the like; a fault of ours; stopped."""

Figure = Literal[
    "queue_length", "passages", "articles", "damaged", "gateway_connected", "gateway_latency_seconds"
]
"""What is read when it is asked for."""

Counted = Literal["damaged_generations", "withheld_quotes"]
"""What the service counts by itself."""

_FIGURES: dict[Figure, str] = {
    "queue_length": "Questions that wait for an answer.",
    "passages": "Passages of the index that is being served.",
    "articles": "Articles of the index that is being served.",
    "damaged": "Whether answers come from an older generation, or from none, since one is damaged: 1 or 0.",
    "gateway_connected": "Whether the bot is connected to Discord's gateway: 1 or 0.",
    "gateway_latency_seconds": "Seconds between a heartbeat and Discord's answer to it.",
}
_COUNTED: dict[Counted, str] = {
    "damaged_generations": "Generations of the index that turned out damaged while they served.",
    "withheld_quotes": "Quotes that could not be proven, and so were withheld.",
}
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LOOK_EVERY = 0.25
"""Seconds between two looks at how late the event loop is."""
_LOOKED_BACK = 240
"""Looks of which the worst is shown: those of the last minute, as a scrape is rarer than a look."""


class _Counted(Collector):
    """A figure that somebody else counts."""

    def __init__(self, what: Counted, read: Callable[[], int]) -> None:
        self._what, self._read = what, read

    def collect(self) -> Iterator[Metric]:
        """Yield it as it is now."""
        yield CounterMetricFamily(f"footnote_{self._what}", _COUNTED[self._what], value=self._read())


class Metrics:
    """The figures of one bot, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.lag: deque[float] = deque(maxlen=_LOOKED_BACK)
        """Seconds by which the event loop was late at each of the last looks."""
        own = self.registry
        self._questions = Counter(
            "footnote_questions", "Questions that got an answer.", ["way", "verdict"], registry=own
        )
        self._seconds = Histogram(
            "footnote_answer_seconds",
            "Seconds from question to answer, waiting included.",
            buckets=_SECONDS,
            registry=own,
        )
        self._refused = Counter("footnote_refused", "Questions turned away.", ["why"], registry=own)
        self._errors = Counter("footnote_errors", "Questions and commands that failed.", registry=own)
        self._rebuilds = Counter(
            "footnote_rebuilds", "Rebuilds asked for in chat.", ["outcome"], registry=own
        )
        self._gauges = {
            name: Gauge(f"footnote_{name}", text, registry=own) for name, text in _FIGURES.items()
        }
        worst = Gauge("footnote_loop_lag_seconds", "The event loop's worst delay of a minute.", registry=own)
        worst.set_function(lambda: max(self.lag, default=0.0))
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show each count from the start: of one that appears later the first step cannot be seen."""
        for way in get_args(Way):
            for verdict in Verdict:
                self._questions.labels(way, verdict)
        for why in get_args(Refusal):
            self._refused.labels(why)
        for outcome in get_args(Outcome):
            self._rebuilds.labels(outcome)

    def answered(self, way: Way, verdict: Verdict, seconds: float) -> None:
        """Count a question that got an answer, whatever its verdict, after so many seconds."""
        self._questions.labels(way, verdict).inc()
        self._seconds.observe(seconds)

    def refused(self, why: Refusal) -> None:
        """Count a question that was turned away."""
        self._refused.labels(why).inc()

    def failed(self) -> None:
        """Count what failed by a fault of ours."""
        self._errors.inc()

    def rebuilt(self, outcome: Outcome) -> None:
        """Count a rebuild that ended."""
        self._rebuilds.labels(outcome).inc()

    def watch(self, figure: Figure, read: Callable[[], float]) -> None:
        """Read a figure by `read` whenever it is asked for; NaN is shown where that fails."""

        def value() -> float:
            try:
                return float(read())
            except Exception:  # noqa: BLE001 -- one figure that cannot be had must not take the others along
                return math.nan

        self._gauges[figure].set_function(value)

    def count(self, what: Counted, read: Callable[[], int]) -> None:
        """Show what somebody else counts, by `read`, whenever it is asked for."""
        self.registry.register(_Counted(what, read))

    def text(self) -> bytes:
        """Return all figures as Prometheus' text."""
        return generate_latest(self.registry)


@asynccontextmanager
async def health_server(
    port: int | None,
    metrics: Metrics,
    ready: Callable[[], Sequence[str]],
    notes: Callable[[], Sequence[str]] = tuple,
) -> AsyncIterator[int | None]:
    """Answer health checks on the port while the body runs; yield the port, which 0 leaves to the system.

    `ready` names what is missing before questions can be answered; nothing where they can. `notes` are what
    is wrong all the same. Without a port there is no server.

    Raises:
        MissingError: the port is taken, or may not be used.
    """
    if port is None:
        yield None
        return
    runner = web.AppRunner(
        _app(metrics, ready, notes), access_log=None, handle_signals=False, shutdown_timeout=1
    )
    await runner.setup()
    watching = asyncio.create_task(_watch_loop(metrics.lag))
    try:
        await _listen(runner, port)
        yield int(runner.addresses[0][1])
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise MissingError(
            f"Port {port} of {HOST} {why}. Set FOOTNOTE_HEALTH_PORT to a free port above 1023, or to nothing "
            "to do without health checks."
        ) from error


def _app(
    metrics: Metrics, ready: Callable[[], Sequence[str]], notes: Callable[[], Sequence[str]]
) -> web.Application:
    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def whether_ready(_: web.Request) -> web.Response:
        missing = list(ready())
        said = {"ready": not missing, "missing": missing} | (
            {"notes": wrong} if (wrong := list(notes())) else {}
        )
        return web.json_response(said, status=503 if missing else 200)

    async def figures(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": _PROMETHEUS})

    app = web.Application()
    app.add_routes(
        [web.get("/healthz", alive), web.get("/readyz", whether_ready), web.get("/metrics", figures)]
    )
    return app


async def _watch_loop(lag: deque[float]) -> None:
    """Note, again and again, how much later than asked for the event loop wakes this task."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LOOK_EVERY
        await asyncio.sleep(_LOOK_EVERY)
        lag.append(max(0.0, loop.time() - due))
