"""`footnote web`: the application, and how it starts and stops."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.chat.asking import Assistant
from bot.chat.logs import set_up_logging
from bot.chat.metrics import Metrics, health_routes, listening
from bot.chat.rebuilds import outcome_of
from bot.chat.tasks import stopping_on_signal
from bot.credentials import exposed_files, hide_tokens
from bot.service.schedule import Schedule, oldest_refresh, state_of
from bot.web import api, asking, reading, running, security
from bot.web.pages import ASSISTANT

if TYPE_CHECKING:
    from bot.service.services import Services
    from bot.settings import BotSettings
    from index.build_report import BuildReport

__all__ = ["make_app", "run", "serving"]

_DRAIN = 10.0  # seconds that answers under way have when the server stops
_LARGEST_BODY = 1 << 18  # bytes of a request: the longest text, with every character escaped
_log = logging.getLogger(__name__)


def run(settings: BotSettings, services: Services, host: str, port: int, *, mcp: bool = False) -> None:
    """Answer in the browser and over HTTP until SIGTERM or Ctrl-C; with `mcp`, to assistants as well.

    Raises:
        SettingsError: it would listen beyond this machine without a token or a proxy's header.
        MissingError: the port cannot be used.
        FootnoteError: there is no index, it is damaged, or there is no model.
    """
    security.check(settings, host)
    hide_tokens(settings)
    set_up_logging(settings, libraries=("aiohttp", "asyncio", "mcp")).addFilter(_shorten_traceback)
    for line in exposed_files(settings):
        _log.warning("%s", line)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_until_signalled(settings, services, host, port, mcp))


def _shorten_traceback(record: logging.LogRecord) -> bool:
    """Make one line of aiohttp's traceback about a client that has left, or does not speak HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError):
        record.msg = f"{record.getMessage()}: {' '.join(str(error).split())}"
        record.args = record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


async def _serve_until_signalled(
    settings: BotSettings, services: Services, host: str, port: int, mcp: bool
) -> None:
    stop = asyncio.Event()
    with stopping_on_signal(stop):
        try:
            await services.start()
            gc.freeze()  # what is loaded now stays, so no collection need walk it again
            async with serving(Assistant(settings, services), host, port, mcp=mcp) as bound:
                address = f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
                click.echo(f"Footnote answers at {settings.web_url or address}; Ctrl-C to stop.", err=True)
                await stop.wait()
        finally:
            await services.close()


@asynccontextmanager
async def serving(assistant: Assistant, host: str, port: int, *, mcp: bool = False) -> AsyncIterator[int]:
    """Serve while the body runs, and yield the port; raises as `run` does. The services have started."""
    await assistant.records.open()
    try:
        services, ended = assistant.services, partial(_count, assistant.metrics)
        schedules = {name: Schedule(service, ended) for name, service in services.items()}
        app = make_app(assistant, schedules)
        if mcp:
            from bot.mcp.server import add_to

            add_to(app)
        advice = "Choose a free port above 1023: footnote web --port 8081."
        async with listening(app, host, port, advice) as bound:
            for job in (assistant.prune(), *(schedule.run() for schedule in schedules.values())):
                assistant.tasks.start(job)
            yield bound
            await assistant.tasks.drain(_DRAIN)
    finally:
        await assistant.records.close()


async def _count(metrics: Metrics, names: Sequence[str], outcome: BuildReport | Exception) -> None:
    """Count how a refresh on the schedule ended, or a rebuild where there are no names; it has logged it."""
    result = outcome_of(outcome) if isinstance(outcome, Exception) else "done"
    (metrics.refreshes if names else metrics.rebuilds)[result].inc()


def make_app(assistant: Assistant, schedules: Mapping[str, Schedule]) -> web.Application:
    """Return the application: pages, API, health checks and metrics."""
    app = web.Application(client_max_size=_LARGEST_BODY)
    app[ASSISTANT] = assistant
    security.protect(app)
    app[running.WORK] = defaultdict(running.Work)
    for module in (asking, reading, running, api):
        app.add_routes(module.routes)
    metrics, state = assistant.metrics, partial(state_of, schedules)
    metrics.watch("source_refresh_age_seconds", lambda: oldest_refresh(schedules.values()))
    app.add_routes(health_routes(metrics, assistant.missing, assistant.notes, state))
    app.router.add_static("/static", Path(__file__).parent / "static")
    return app
