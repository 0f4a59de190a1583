"""Pages for operators: signing in, what is served, rebuilds, rollbacks, sources, gaps and settings."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.chat.asking import log_failure
from bot.chat.messages import Messages, Notice
from bot.chat.rebuilds import failure_notice, outcome_of, progress_text
from bot.errors import NotServedError
from bot.web import security
from bot.web.pages import ASSISTANT, VISIT, Visit, page_url, read_form, render
from index.errors import FootnoteError
from index.settings import PREFIX

if TYPE_CHECKING:
    from bot.chat.asking import Assistant
    from bot.chat.metrics import Outcome
    from bot.settings import BotSettings
    from index.build_report import Progress

__all__ = ["WORK", "Work", "routes"]

routes = web.RouteTableDef()
"""The routes."""

_MOST_GAPS, _MOST_NOTES = 100, 200
_URL_USER = re.compile(r"//[^/@\s]*@")  # a password may stand there
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Work:
    """What operators do with one collection: the rebuild that runs, and how the last request ended."""

    running: bool = False
    steps: list[Progress] = field(default_factory=list)
    outcome: Notice | None = None
    notes: tuple[str, ...] = ()


WORK = web.AppKey("work", dict[str, Work])
"""What operators do, by collection (of any name); all of them see the same."""


def _to(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address})


@routes.get("/login")
@routes.post("/login")
async def _sign_in(request: web.Request) -> web.Response:
    response, is_sent = _to(page_url(request, "/run")), request.method == "POST"
    if is_sent and security.sign_in(request, response, (await read_form(request)).get("token", "")):
        return response
    return render(request, "login.html", status=403 if is_sent else 200, wrong=is_sent)


@routes.post("/logout")
async def _sign_out(request: web.Request) -> web.Response:
    await security.read_admin_form(request)
    response = _to(page_url(request, "/"))
    security.sign_out(request, response)
    return response


@routes.get("/run")
async def _show(request: web.Request) -> web.Response:
    security.require_admin(request)
    visit, assistant = request[VISIT], request.app[ASSISTANT]
    return render(
        request,
        "run.html",
        info=await visit.service.status(),
        stats=visit.service.stats,
        damage=visit.service.damage,
        work=request.app[WORK][visit.collection],
        progress_text=progress_text,
        generations=await _or_problem(visit.service.history()),
        sources=await _or_problem(visit.service.sources()),
        gaps=await _or_problem(assistant.records.gaps(None, visit.collection, limit=_MOST_GAPS)),
        recording=assistant.recording,
        settings=_setting_rows(visit.service.settings, visit.messages),
    )


@routes.get("/run/progress")
async def _show_progress(request: web.Request) -> web.Response:
    security.require_admin(request)
    work = request.app[WORK][request[VISIT].collection]
    return render(request, "run_progress.html", work=work, progress_text=progress_text)


@routes.post("/run/rebuild")
@routes.post("/run/refresh")
async def _begin(request: web.Request) -> web.Response:
    """Start a rebuild, or a refresh of one source or all, unless one runs."""
    form, visit, assistant = await security.read_admin_form(request), request[VISIT], request.app[ASSISTANT]
    names = [form["name"]] if form.get("name") else []
    work, refresh = request.app[WORK][visit.collection], None if request.path == "/run/rebuild" else names
    if not work.running:
        work.running, work.steps, work.outcome, work.notes = True, [], None, ()
        assistant.tasks.start(_rebuild(assistant, visit, work, force="force" in form, refresh=refresh))
    return _to(page_url(request, "/run"))


@routes.post("/run/rollback")
async def _roll_back(request: web.Request) -> web.Response:
    name = (await security.read_admin_form(request)).get("generation")
    visit, work = request[VISIT], request.app[WORK][request[VISIT].collection]
    try:
        chosen = await visit.service.roll_back(name)
    except FootnoteError as error:
        _log.warning("A rollback asked for in the browser failed: %s", error)
        key = "rebuild_not_served" if isinstance(error, NotServedError) else "rollback_failed"
        outcome = Notice(visit.messages(key), str(error), fault=True)
    else:
        _log.info("Rolled back to generation %s, as asked for in the browser.", chosen)
        outcome = visit.messages.notice("rollback_done", generation=chosen)
    work.outcome, work.notes = outcome, ()
    return _to(page_url(request, "/run"))


async def _rebuild(
    assistant: Assistant, visit: Visit, work: Work, *, force: bool, refresh: list[str] | None
) -> None:
    """Rebuild or refresh a collection. A shutdown cancels this, and `Service.close` gives the rebuild up."""
    outcome: Outcome = "given-up"
    try:
        report = await visit.service.rebuild(work.steps.append, force=force, refresh=refresh)
        _log.info("A rebuild was asked for in the browser: %s", report.summary())
        work.outcome = Notice(visit.messages("rebuild_done"), report.summary())
        notes = [line for source in report.sources for line in (source.summary(), *source.notes)]
        work.notes = (*report.changes.notes, *notes)[:_MOST_NOTES]
        outcome = "done"
    except Exception as error:  # noqa: BLE001 - the page must not stay at "rebuilding"
        work.outcome, outcome = failure_notice(error, visit.messages), outcome_of(error)
        log_failure("A rebuild asked for in the browser failed.", error)
    finally:
        work.running = False
        metrics = assistant.metrics
        (metrics.rebuilds if refresh is None else metrics.refreshes)[outcome].inc()


async def _or_problem(reading: Awaitable[list[Any]]) -> tuple[list[Any], str]:
    """Return rows and "", or no rows and why they cannot be read: the rest of the page still serves."""
    try:
        return await reading, ""
    except (FootnoteError, OSError) as error:
        return [], str(error)


def _setting_rows(settings: BotSettings, messages: Messages) -> list[tuple[str, str]]:
    """Return each setting's name and value; of a secret, asterisks."""
    rows = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        shown = " ".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)
        shown = messages("run_not_set") if value is None or not shown else _URL_USER.sub("//", shown)
        rows.append((f"{PREFIX}{name.upper()}", shown))
    return rows
