"""What every terminal surface needs: text that cannot steer the terminal, and the progress of a build."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from index.printing import printable

if TYPE_CHECKING:
    from index.progress import Progress

__all__ = ["opening", "printable", "show_progress"]


@contextmanager
def opening() -> Iterator[None]:
    """Say on a terminal that the index is being opened, until it is."""
    if not sys.stderr.isatty():
        yield
        return
    note = "Opening the index…"
    click.echo(note, nl=False, err=True)
    try:
        yield
    finally:
        click.echo(f"\r{' ' * len(note)}\r", nl=False, err=True)


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """Show how far a build is: a bar on a terminal, plain lines otherwise; on standard error."""
    if sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
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
    """Print a line when a stage begins, and at each further tenth of it."""
    told: dict[str, int] = {}

    def progress(step: Progress) -> None:
        tenth = 10 * step.done // max(step.total, 1)
        if tenth > told.get(step.stage, -1):
            told[step.stage] = tenth
            with suppress(BrokenPipeError):  # a build goes on when nobody hears how far it is
                click.echo(f"{step.stage}: {step.done} of {step.total}", err=True)

    return progress
