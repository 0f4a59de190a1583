"""The chart of the README: Footnote beside its peers, as SVG bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw"]

_INK, _OWN, _HYBRID, _DENSE = "#808080", "#2da44e", "#8c959f", "#c4cad1"
"""Greys that can be read on white and on near black, for GitHub's two themes; the ground is left clear."""
_COLUMNS = ("first answer, s", "question p50, ms", "peak memory, MB", "right first")
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "footnote",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": _INK,
    "axes.titlecolor": _INK,
    "axes.titlesize": 9,
    "ytick.color": _INK,
}


def draw(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Draw the rows that `benchmarks.peers.comparison` measured, one bar each in every column."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    measured = [row for row in rows if "error" not in row]
    labels = [row["peer"] for row in measured]
    kinds = {"hybrid": _HYBRID, "dense": _DENSE}
    colours = [kinds.get(label.rpartition(", ")[2], _OWN) for label in labels]
    with mpl.rc_context(_STYLE):
        figure, axes = pyplot.subplots(1, len(_COLUMNS), figsize=(11, 2.6))
        for axis, column in zip(axes, _COLUMNS, strict=True):
            values = [row[column] for row in measured]
            bars = axis.barh(labels, values, color=colours)
            axis.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, color=_INK, fontsize=7)
            axis.set_title(column)
            axis.invert_yaxis()
            axis.margins(x=0.2)
            axis.set_xticks([])
            axis.spines[:].set_visible(False)
            axis.tick_params(left=False, labelleft=axis is axes[0])
        figure.tight_layout()
        figure.savefig(file, transparent=True, metadata={"Date": None})
        pyplot.close(figure)
