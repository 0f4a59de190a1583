"""A build as JSON Lines: what `footnote index build --json` prints, and how its reader takes it.

    {"progress": {"stage": "encoding", "done": 16, "total": 240}}      any number of these; then one of
    {"report": {"generation": "...", "changes": {"added": [...], ...}, ...}}
    {"error": {"class": "ArticleError", "message": "...", "problems": [...]}}

The fields are those of `Progress`, `BuildReport` with its `Gold`, and `Changes`. An error's class is one of
`index.errors`; its `problems` are there where it has some. Lines are ASCII, so that no reader takes U+2028
for a line's end.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from index import errors
from index.build import BuildReport, Changes
from index.errors import ArticleError, FootnoteError
from index.progress import Progress
from index.storage.gate import Gold

__all__ = ["Told", "line_of", "print_progress", "read_line"]

Told = Progress | BuildReport | Changes | FootnoteError
"""What a line may tell of: `Changes` alone for `--dry-run`."""

_TELL_EVERY = 0.1
"""Seconds between two lines on a stage that has begun and not ended."""


def line_of(told: Told) -> str:
    """Return the line that tells of something, without its end."""
    match told:
        case FootnoteError():
            # A class of another module is told as the nearest that every reader knows.
            known = next(one.__name__ for one in type(told).__mro__ if one.__name__ in errors.__all__)
            fields: dict[str, Any] = {"class": known, "message": str(told)}
            if isinstance(told, ArticleError):
                fields["problems"] = told.problems
            return json.dumps({"error": fields})
        case _:
            return json.dumps({_NAMES[type(told)]: dataclasses.asdict(told)})


_NAMES: dict[type, str] = {Progress: "progress", BuildReport: "report", Changes: "changes"}


def read_line(line: bytes) -> Told:
    """Return what a line tells of.

    Raises:
        ValueError: it is no line of a build.
    """
    try:
        ((name, fields),) = json.loads(line).items()
        return _READERS[name](fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no line of a build: {line[:80]!r}") from error


def _read_report(fields: dict[str, Any]) -> BuildReport:
    gold = fields.get("gold")
    read = {"changes": _read_changes(fields["changes"]), "gold": gold and Gold(**_tuples(gold))}
    return BuildReport(**{**_tuples(fields), **read})


def _read_changes(fields: dict[str, Any]) -> Changes:
    return Changes(**_tuples(fields))


def _read_error(fields: dict[str, Any]) -> FootnoteError:
    if "problems" in fields:
        return ArticleError(fields["problems"])
    if fields["class"] not in errors.__all__:
        raise ValueError(fields["class"])
    made: FootnoteError = getattr(errors, fields["class"])(fields["message"])
    return made


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with a tuple for every list, as our own data has it."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


_READERS: dict[str, Callable[[dict[str, Any]], Told]] = {
    "progress": lambda fields: Progress(**fields),
    "report": _read_report,
    "changes": _read_changes,
    "error": _read_error,
}


def print_progress() -> Callable[[Progress], None]:
    """Return a progress that prints each stage's begin and end, and now and then how far it is."""
    last_stage, told_at = "", 0.0

    def progress(step: Progress) -> None:
        nonlocal last_stage, told_at
        now = time.monotonic()
        if step.stage == last_stage and step.done < step.total and now < told_at + _TELL_EVERY:
            return
        last_stage, told_at = step.stage, now
        with suppress(BrokenPipeError):  # a build goes on when nobody hears how far it is
            click.echo(line_of(step))

    return progress
