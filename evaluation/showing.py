"""A run for people in a terminal: tables of measures and differences, and what went most wrong."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from evaluation.comparing import Comparison
from evaluation.failures import describe, refused, wrong
from evaluation.fitting import Fitted
from evaluation.intervals import Estimate
from evaluation.measures import MEASURES, Unit
from evaluation.records import Asked, Kind
from evaluation.runs import Run, SetRun
from index.terminal import printable

__all__ = ["figure", "fit_lines", "interval", "show_comparisons", "show_run", "size_of"]

_LISTED = 3
"""Failures of each sort that a terminal shows."""

_CHANGED = 10
"""Questions won and lost that a terminal shows of each."""


_KINDS = {
    Kind.ANSWERABLE: "answerable",
    Kind.UNANSWERABLE: "unanswerable",
    Kind.OTHER: "asked of other subjects",
}


def figure(value: float | None, unit: Unit, *, signed: bool = False) -> str:
    """Return a figure in the way of its unit: 12.3% or 0.123, 45 or 6.7; empty where there is none."""
    if value is None:
        return ""
    form = {"share": ".1%", "number": ".3f", "characters": ".0f", "ms": ".1f"}[unit]
    return format(value, ("+" if signed else "") + form)


def interval(estimate: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """Return the 95% interval as `low to high`; empty where there is none."""
    ends = [figure(end, unit, signed=signed) for end in (estimate.low, estimate.high)]
    return " to ".join(ends) if all(ends) else ""


def size_of(one: SetRun) -> str:
    """Return how much a set is, in words."""
    parts = [f"{one.articles:,} article(s)"]
    parts += [f"{one.count(kind):,} {word}" for kind, word in _KINDS.items() if one.count(kind)]
    return ", ".join(parts)


def fit_lines(fitted: Fitted, dropped: Sequence[tuple[str, int]]) -> list[str]:
    """Return what a fit is and how it did, a line each."""
    fit = fitted.fit
    sets = ", ".join(f"{name} ({count:,} questions)" for name, count in fit.sets)
    lines = [f"confidence fitted to {sets}; {fitted.samples:,} samples, {fitted.left_out:,} left out"]
    lines += [
        f"  {count:,} article(s) of {name} dropped: the reported sets have them too"
        for name, count in dropped
        if count
    ]
    weights = "".join(f", {name} {weight:.4g}" for name, weight in fit.weights)
    lines.append(f"  bias {fit.bias:.4g}{weights}")
    for label, at, (share, right) in (
        ("answer at", fit.answer_at, fitted.answered),
        ("careful at", fit.careful_at, fitted.careful),
    ):
        lines.append(f"  {label} {at:.4f}: {share:.1%} answered, {right:.1%} of it right, on unseen articles")
    lines.append(f"  related at {fit.related_at:.4f}")
    return lines


def show_run(run: Run) -> None:
    """Print a run on standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(Text(printable(f"encoder {run.encoder}, seed {run.seed}"), style="dim"))
        if run.fitted:
            _lines(console, fit_lines(run.fitted, run.dropped))
        for one in run.sets:
            console.print(_measures(one))
            _failures(console, "answered wrongly, surest first", wrong(one.records))
            _failures(console, "right, but held back, least sure first", refused(one.records))
    # Not printed by rich, which would make an exit of its own of a reader who has left.
    click.echo(captured.get(), nl=False)


def _lines(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(Text(printable(line)), soft_wrap=True)


def _grid(title: str, *columns: str) -> Grid:
    grid = Grid(title=Text(printable(title), style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        grid.add_column(name, justify="right" if number else "left", no_wrap=bool(number))
    return grid


def _measures(one: SetRun) -> Grid:
    grid = _grid(f"{one.name}: {size_of(one)}", "measure", "value", "95% interval")
    found = dict(one.measures)
    for measure in MEASURES:
        estimate = found[measure.name]
        if estimate.value is not None:
            grid.add_row(
                measure.label, figure(estimate.value, measure.unit), interval(estimate, measure.unit)
            )
    return grid


def _failures(console: Console, title: str, records: Sequence[Asked]) -> None:
    if not records:
        return
    console.print(Text(f"{title} ({len(records):,} in all)", style="bold"))
    for record in records[:_LISTED]:
        for number, (label, value) in enumerate(describe(record)):
            text = printable(f"{label:<9} {' '.join(value.split())}")
            console.print(Text(("- " if number == 0 else "  ") + text), soft_wrap=True)
    console.print()


def show_comparisons(comparisons: Sequence[Comparison]) -> None:
    """Print what differs from an earlier run on standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for one in comparisons:
            console.print(_differences(one))
            _changed(console, "won", one.won)
            _changed(console, "lost", one.lost)
    click.echo(captured.get(), nl=False)


def _differences(one: Comparison) -> Grid:
    title = f"{one.name}: {one.common:,} asked in both runs"
    if one.only_now or one.only_before:
        title += f", {one.only_now:,} in this one only, {one.only_before:,} in the other only"
    grid = _grid(title, "measure", "difference", "95% interval", "")
    found = dict(one.differences)
    for measure in MEASURES:
        estimate = found.get(measure.name, Estimate(None, None, None))
        if estimate.value is not None:
            grid.add_row(
                measure.label,
                figure(estimate.value, measure.unit, signed=True),
                interval(estimate, measure.unit, signed=True),
                _verdict(estimate, measure.better),
            )
    return grid


def _verdict(estimate: Estimate, better: int) -> str:
    """Return `better` or `worse` where the interval is all on one side of no difference."""
    if estimate.low is None or estimate.high is None or estimate.low <= 0 <= estimate.high:
        return ""
    return "better" if (estimate.low > 0) == (better > 0) else "worse"


def _changed(console: Console, word: str, records: Sequence[Asked]) -> None:
    if not records:
        return
    console.print(Text(f"{word}: {len(records):,}", style="bold"))
    for record in records[:_CHANGED]:
        _lines(console, [f"  {record.id} ({record.kind}): {' '.join(record.question.split())}"])
    if len(records) > _CHANGED:
        console.print(f"  and {len(records) - _CHANGED:,} more")
