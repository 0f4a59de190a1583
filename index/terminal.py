"""Text on a terminal: other people's text made harmless, and the progress of a build on standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.build_report import Progress

__all__ = ["count_of", "one_line", "opening", "printable", "show_progress"]

# Control characters but line feed and tab, bidirectional overrides, and halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return text that cannot control a terminal: control characters and the like become U+FFFD.

    The length stays the same, so offsets hold.
    """
    return _UNSAFE.sub("\ufffd", text.replace("\u2028", " ").replace("\u2029", " "))


def one_line(name: object, limit: int = 300) -> str:
    """Return a path, an id or the like as one printable line; the middle of a longer one is cut out."""
    text = printable(str(name)).replace("\n", "\ufffd").replace("\t", "\ufffd")
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-limit // 2 :]}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun: "1 article", "2,000 articles"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@contextmanager
def opening() -> Iterator[None]:
    """Show on a terminal that the index is being opened, until the block ends."""
    note = "Opening the index…" if sys.stderr.isatty() else ""
    _write(note)
    try:
        yield
    finally:
        _write(f"\r{' ' * len(note)}\r" if note else "")


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """Show the progress of a build: a bar on a terminal, else a line for each tenth of a stage."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(step: Progress) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bar.add_task(step.stage, total=step.total)
            bar.update(tasks[step.stage], completed=step.done, total=step.total)

        yield progress


def _lines() -> Callable[[Progress], None]:
    shown: dict[str, int] = {}

    def progress(step: Progress) -> None:
        tenth = 10 * step.done // max(step.total, 1)
        if tenth > shown.get(step.stage, -1):
            shown[step.stage] = tenth
            with suppress(BrokenPipeError):  # the build goes on when nobody reads its progress
                _write(f"{step.stage}: {step.done} of {step.total}\n")

    return progress


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
