"""What is reported of question sets: text for a terminal, an HTML page, and JSON for programs.

How text and page look is up to the templates beside this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2

from evaluation.asking import Outcome
from evaluation.measures import decided, measure
from index.errors import MissingError

__all__ = ["to_json", "to_text", "write_page"]

Sets = Mapping[str, Sequence[Outcome]]
"""The outcomes of each set, by its name."""


def to_json(sets: Sets) -> list[dict[str, Any]]:
    """Return the measures of each set, and a row for each time that a question was asked."""
    return [
        {
            "name": name,
            "measures": {label: one._asdict() for label, one in measure(outcomes).items()},
            "rows": [
                {**asdict(one), **one.question.model_dump(by_alias=True), "right": one.right}
                for one in outcomes
            ],
        }
        for name, outcomes in sets.items()
    ]


def to_text(sets: Sets, note: str) -> str:
    """Return the measures of each set for a terminal."""
    return _render("report.txt.jinja", sets, note)


def write_page(file: Path, sets: Sets, note: str) -> None:
    """Write an HTML page that loads nothing from elsewhere and escapes all text.

    Raises:
        MissingError: it cannot be written.
    """
    page = _render("report.html.jinja", sets, note)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.encode("utf-8", "replace"))
    except OSError as error:
        raise MissingError(f"{file} cannot be written: {error.strerror}.") from error


def _render(template: str, sets: Sets, note: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("evaluation", "."),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(measure=measure, decided=decided)
    return environment.get_template(template).render(sets=sets, note=note)
