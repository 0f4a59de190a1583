"""Curves to pictures: SVG elements to stand in a page. The only place that imports matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from evaluation.curves import BINS
from index.errors import MissingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "require_matplotlib"]

_SIZE = (4.4, 3.3)
_COLOURS = {"answerable": "#1b7f4d", "unanswerable": "#c2571a", "other": "#4a5fc1"}
# matplotlib's own preamble names a DTD elsewhere; an element in a page has none.
_ELEMENT = re.compile(r"<svg.*</svg>", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def require_matplotlib() -> None:
    """Make sure that pictures can be drawn.

    Raises:
        MissingError: matplotlib is not installed; the message says what to do.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "a report needs matplotlib, which is not installed: pip install 'footnote[eval]'."
        ) from error


def draw(curves: Mapping[str, Any], salt: str) -> list[tuple[str, str]]:
    """Return captions and SVG elements of a set's curves; a `salt` of its own keeps their ids apart."""
    pictures: tuple[tuple[str, Callable[[Axes, Mapping[str, Any]], None]], ...] = (
        ("Risk against coverage", _risk_coverage),
        ("Reliability", _reliability),
        ("Confidence by kind of question", _histogram),
    )
    return [(caption, _svg(plot, curves, f"{salt}-{caption}")) for caption, plot in pictures]


def _svg(plot: Callable[[Axes, Mapping[str, Any]], None], curves: Mapping[str, Any], salt: str) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    # Text stays text: it can be read aloud and takes a fifth of the room.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 9}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        plot(axes, curves)
        axes.grid(visible=True, alpha=0.25)
        content = io.StringIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    element = _ELEMENT.search(content.getvalue())
    return _METADATA.sub("", element[0]) if element else ""


def _risk_coverage(axes: Axes, curves: Mapping[str, Any]) -> None:
    curve = curves["risk_coverage"]
    axes.plot(curve["coverage"], curve["risk"], drawstyle="steps-pre", color=_COLOURS["answerable"])
    for risk in (0.05, 0.15):
        axes.axhline(risk, linestyle=":", linewidth=1, color="#888888")
    axes.set(xlabel="share answered", ylabel="share of it wrong", xlim=(0, 1), ylim=(0, 1))


def _reliability(axes: Axes, curves: Mapping[str, Any]) -> None:
    bins = curves["reliability"]
    axes.plot([0, 1], [0, 1], linestyle=":", linewidth=1, color="#888888")
    most = max((one["count"] for one in bins), default=1)
    axes.plot([one["confidence"] for one in bins], [one["right"] for one in bins], color="#bbbbbb", zorder=1)
    axes.scatter(
        [one["confidence"] for one in bins],
        [one["right"] for one in bins],
        s=[8 + 120 * one["count"] / most for one in bins],
        color=_COLOURS["answerable"],
        zorder=2,
    )
    axes.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))


def _histogram(axes: Axes, curves: Mapping[str, Any]) -> None:
    edges = [one / BINS for one in range(BINS + 1)]
    for kind, counts in curves["histogram"].items():
        if sum(counts):
            heights = [count / sum(counts) for count in counts]
            axes.stairs(heights, edges, fill=True, alpha=0.35, color=_COLOURS[kind], label=kind)
    axes.set(xlabel="confidence", ylabel="share of its kind", xlim=(0, 1))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
