"""The plot of docs/performance.md and the README: Footnote beside its peers, and how it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import label

__all__ = ["draw"]

_INK, _OWN, _OTHER, _PALE = "#808080", "#2da44e", "#8c959f", "#c4cad1"
"""Grey that can be read on white and on near black, for GitHub's two themes; the ground is left clear."""
_BARS = (
    ("cold_s", "first answer, cold start, s"),
    ("ms_p50", "question, p50, ms"),
    ("peak_mb", "peak memory, MB"),
    ("top_1", "right passage first"),
)
_LINES = (
    ("build and encode, s", {"build_s": "without encoding", "encode_s": "encoding"}),
    ("question, p50, ms", {"ms_p50": "in all", "above_ms_p50": "above encoding"}),
    ("MB", {"index_mb": "index", "resident_mb": "memory"}),
    ("recall@10 of the dense search", {"recall_10": "recall@10"}),
)
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "footnote",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
}


def draw(record: Mapping[str, Any], file: Path) -> None:
    """Draw what the record has of peers (of its first set) and growth; nothing where it has neither."""
    peers = record["parts"].get("peers", {}).get("found", [])
    rows = [row for row in (peers[0].get("rows", []) if peers else []) if "error" not in row]
    growth = record["parts"].get("growth", {}).get("found", {}).get("rows", [])
    shown = [draw_one for draw_one, has in ((_bars, rows), (_lines, growth)) if has]
    if not shown:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    with mpl.rc_context(_STYLE):
        figure, axes = pyplot.subplots(len(shown), 4, figsize=(11, 2.6 * len(shown)), squeeze=False)
        for draw_one, row in zip(shown, axes, strict=True):
            draw_one(row, rows if draw_one is _bars else growth)
        figure.tight_layout()
        figure.savefig(file, transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _bars(axes: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    labels = [label(row) for row in rows]
    colours = [
        _OWN if row["peer"] == "footnote" else _OTHER if row["mode"] == "hybrid" else _PALE for row in rows
    ]
    for number, (axis, (name, title)) in enumerate(zip(axes, _BARS, strict=True)):
        values = [row[name] for row in rows]
        bars = axis.barh(labels, values, color=colours)
        axis.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, color=_INK, fontsize=7)
        axis.set_title(title)
        axis.invert_yaxis()
        axis.margins(x=0.2)
        axis.set_xticks([])
        axis.spines["bottom"].set_visible(False)
        axis.tick_params(left=False, labelleft=number == 0)


def _lines(axes: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    sizes = [row["passages"] for row in rows]
    for axis, (title, names) in zip(axes, _LINES, strict=True):
        for colour, (name, said) in zip((_OWN, _OTHER), names.items(), strict=False):
            axis.plot(sizes, [row[name] for row in rows], marker="o", markersize=3, color=colour, label=said)
        axis.set_xscale("log")
        if "recall_10" in names:
            axis.set_ylim(0.9, 1.005)
        elif "ms_p50" in names:
            axis.set_ylim(bottom=0)
        else:
            axis.set_yscale("log")
        axis.set_title(title)
        axis.set_xlabel("passages")
        if len(names) > 1:
            axis.legend()
