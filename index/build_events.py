"""A build as JSON Lines: what `footnote index build --json` prints, and how to read it.

    {"progress": {"stage": "encoding", "done": 16, "total": 240}}      any number of these; then one of
    {"report": {"generation": "...", "changes": {"added": [...], ...}, ...}}
    {"error": {"class": "ArticleError", "message": "...", "problems": [...]}}

The fields are those of `Progress`, `BuildReport` with its `Gold`, and `Changes` (alone for `--dry-run`). An
error's class is one of `index.errors`. Lines are ASCII, so that no reader takes U+2028 for a line's end.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click
from pydantic import TypeAdapter

from index import errors
from index.build_report import BuildReport, Changes, Progress
from index.errors import ArticleError, FootnoteError

__all__ = ["BuildEvent", "line_of", "print_progress", "read_line"]

BuildEvent = Progress | BuildReport | Changes | FootnoteError
"""What a line holds."""

_PRINT_SECONDS = 0.1
"""Seconds between two lines on the same stage."""

_READERS: dict[str, TypeAdapter[Any]] = {
    "progress": TypeAdapter(Progress),
    "report": TypeAdapter(BuildReport),
    "changes": TypeAdapter(Changes),
}


def line_of(event: BuildEvent) -> str:
    """Return an event's line, without its end."""
    if isinstance(event, FootnoteError):
        # A class defined elsewhere is written as its nearest base in `index.errors`.
        known = next(one.__name__ for one in type(event).__mro__ if one.__name__ in errors.__all__)
        fields: dict[str, Any] = {"class": known, "message": str(event)}
        if isinstance(event, ArticleError):
            fields["problems"] = event.problems
        return json.dumps({"error": fields})
    name = {Progress: "progress", BuildReport: "report", Changes: "changes"}[type(event)]
    return json.dumps({name: dataclasses.asdict(event)})


def read_line(line: bytes) -> BuildEvent:
    """Return the event of a line.

    Raises:
        ValueError: it is no line of a build.
    """
    try:
        ((name, fields),) = json.loads(line).items()
        return _read_error(fields) if name == "error" else _READERS[name].validate_python(fields)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"a line that is no build event: {line[:200]!r}") from error


def _read_error(fields: dict[str, Any]) -> FootnoteError:
    if "problems" in fields:
        return ArticleError(fields["problems"])
    if fields["class"] not in errors.__all__:
        raise ValueError(fields["class"])
    error: FootnoteError = getattr(errors, fields["class"])(fields["message"])
    return error


def print_progress() -> Callable[[Progress], None]:
    """Return a callback that prints the begin and end of each stage, and how far it is in between."""
    stage, printed_at = "", 0.0

    def progress(step: Progress) -> None:
        nonlocal stage, printed_at
        now = time.monotonic()
        if step.stage == stage and step.done < step.total and now < printed_at + _PRINT_SECONDS:
            return
        stage, printed_at = step.stage, now
        with suppress(BrokenPipeError):  # a build goes on when nobody reads how far it is
            click.echo(line_of(step))

    return progress
