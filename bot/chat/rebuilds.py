"""Rebuilds and refreshes that somebody asked for: how far one is, and how it ended, in words for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.chat.messages import Messages, Notice
from bot.errors import NotServedError, RebuildError
from index.errors import BusyError, FootnoteError

if TYPE_CHECKING:
    from bot.chat.metrics import Outcome
    from index.build_report import Progress

__all__ = ["failure_notice", "outcome_of", "progress_text"]

_FETCHING = "fetching "  # begins the stage of a refresh that fetches, before the source's name


def progress_text(step: Progress, messages: Messages, escape: Callable[[str], str] = str) -> str:
    """Return how far a rebuild is; `escape` is applied to the name of a source."""
    stage = messages.texts.get(f"stage_{step.stage.replace(' ', '_')}", step.stage)
    if step.stage.startswith(_FETCHING):
        stage = messages("stage_fetching", source=escape(step.stage.removeprefix(_FETCHING)))
    return messages("rebuild_progress", stage=stage, done=f"{step.done:,}", total=f"{step.total:,}")


def failure_notice(error: Exception, messages: Messages, escape: Callable[[str], str] = str) -> Notice:
    """Return the notice on a rebuild or refresh that failed; `escape` is applied to the error's text."""
    if isinstance(error, BusyError):
        key = "rebuild_other"
    elif not isinstance(error, FootnoteError):
        return Notice(messages("rebuild_failed"), messages("rebuild_fault_text"), fault=True)
    else:
        key = "rebuild_not_served" if isinstance(error, NotServedError) else "rebuild_failed"
    return Notice(messages(key), escape(str(error)), fault=True)


def outcome_of(error: Exception) -> Outcome:
    """Return how a rebuild or refresh that failed counts."""
    if isinstance(error, BusyError):
        return "busy"
    is_refusal = isinstance(error, FootnoteError) and not isinstance(error, NotServedError | RebuildError)
    return "refused" if is_refusal else "failed"
