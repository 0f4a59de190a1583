"""A run as one page that needs nothing else: tables, pictures and failures, all text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation.failures import describe, refused, wrong
from evaluation.measures import MEASURES
from evaluation.plots import draw, require_matplotlib
from evaluation.records import Asked
from evaluation.runs import LISTED, Run, SetRun, curves
from evaluation.showing import figure, fit_lines, interval, size_of
from index.errors import MissingError
from index.search.calibration import write_atomically

__all__ = ["check_report", "write_report"]

_PAGE = "report.html.jinja"


def check_report(folder: Path) -> None:
    """Make sure, before anything is asked, that a report can be made in a folder.

    Raises:
        MissingError: something that it takes is not there.
    """
    require_matplotlib()
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "a report needs Jinja2, which is not installed: pip install 'footnote[eval]'."
        ) from error
    if folder.exists() and not folder.is_dir():
        raise MissingError(f"{folder} cannot hold a report: it is not a folder.")


def write_report(run: Run, folder: Path) -> Path:
    """Write `index.html` in a folder, in one step, touching nothing else there; return its path.

    Raises:
        MissingError: it cannot be written.
    """
    import jinja2

    # Questions and articles are other people's text: everything is escaped but the pictures, made here.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("evaluation", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(_PAGE).render(
        run=run,
        fitted=fit_lines(run.fitted, run.dropped) if run.fitted else [],
        sets=[_section(number, one) for number, one in enumerate(run.sets, 1)],
    )
    path = folder / "index.html"
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


def _section(number: int, one: SetRun) -> dict[str, Any]:
    from markupsafe import Markup

    shapes = curves(one.records)
    return {
        "name": one.name,
        "size": size_of(one),
        "measures": list(_rows(one)),
        "pictures": [(caption, Markup(svg)) for caption, svg in draw(shapes, f"set-{number}")],  # noqa: S704 - our own drawing
        "mixed": shapes["with_other_subjects"],
        "failures": [
            ("Answered wrongly, surest first", *_listed(wrong(one.records))),
            ("Right, but held back, least sure first", *_listed(refused(one.records))),
        ],
    }


def _rows(one: SetRun) -> Iterator[tuple[str, str, str]]:
    found = dict(one.measures)
    for measure in MEASURES:
        estimate = found[measure.name]
        if estimate.value is not None:
            yield measure.label, figure(estimate.value, measure.unit), interval(estimate, measure.unit)


def _listed(records: list[Asked]) -> tuple[int, list[list[tuple[str, str]]]]:
    return len(records), [describe(record) for record in records[:LISTED]]
