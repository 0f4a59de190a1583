"""What was measured, as Markdown: ratios first, then the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["MARKER", "label", "report"]

MARKER = "<!-- figures below are written by make bench -->"
"""What stands above it in docs/performance.md is written by hand."""

Row = Mapping[str, Any]
_NAMES = {
    "footnote": "Footnote",
    "txtai": "txtai",
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
    "haystack": "Haystack",
}
_RATIOS = ("cold_s", "ms_p50", "ms_p99", "peak_mb", "build_s", "index_mb")
_LABELS = {
    "cold_s": "first answer, s",
    "ms_p50": "question p50, ms",
    "ms_p99": "p99, ms",
    "peak_mb": "peak memory, MB",
    "import_s": "import, s",
    "build_s": "build, s",
    "build_mb": "its peak memory, MB",
    "index_mb": "index, MB",
    "top_1": "right first",
    "recall_10": "among first ten",
}
_GROWTH = {
    "passages": "passages",
    "build_s": "build without encoding, s",
    "encode_s": "encoding, s",
    "index_mb": "index, MB",
    "bytes_each": "bytes a passage",
    "open_s": "opening, s",
    "resident_mb": "memory, MB",
    "peak_mb": "its peak, MB",
    "ms_p50": "question p50, ms",
    "ms_p99": "p99, ms",
    "above_ms_p50": "p50 above encoding, ms",
    "above_ms_p99": "p99 above encoding, ms",
    "recall_10": "dense recall@10",
}
_TITLES = {
    "start": "Starting",
    "question": "Where a question's milliseconds go",
    "building": "Building",
    "dense": "The dense index",
}


def label(row: Row) -> str:
    """Return what a row of the comparison is called."""
    name = _NAMES[row["peer"]]
    return name if row["peer"] == "footnote" else f"{name}, {row['mode']}"


def report(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of everything that the record holds."""
    parts = record["parts"]
    if "peers" in parts:
        yield from _opening("Beside its peers", parts["peers"])
        if "once_s" in parts["peers"]:
            once = f"{parts['peers']['once_s']:.0f} s"
            yield "Footnote's builds find the encoder's graph there, which is exported once a model: a build"
            yield f"of the few sample articles that does so took {once}."
            yield ""
        for one in parts["peers"].get("found", []):
            yield from _set(one)
    if "growth" in parts:
        yield from _opening("Growth", parts["growth"])
        if "found" in parts["growth"]:
            yield from _growth(parts["growth"]["found"])
    for name, title in _TITLES.items():
        if name in parts:
            yield from _opening(title, parts[name])
            yield from map(_lowered, parts[name].get("markdown", "").strip().splitlines())
            yield ""


def _lowered(line: str) -> str:
    """Return a line of another program's page; its headings stand below this one's."""
    return f"### {line.lstrip('# ')}" if line.startswith("#") else line


def _opening(title: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {title}", "")
    machine = part["machine"]
    yield (
        f"Measured {part['measured']} by `{part['command']}`: {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, {machine['system']}, "
        f"Python {machine['python']}."
    )
    yield ""
    if "error" in part:
        yield from ("Failed:", "", *_quoted(part["error"]), "")


def _set(one: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {one['set']}", "")
    if "error" in one:
        yield from ("Failed:", "", *_quoted(one["error"]), "")
        return
    own, *others = one["rows"]
    done = [row for row in others if "error" not in row]
    yield (
        f"{one['passages']:,} passages, {one['questions']:,} questions. A peer's figure divided by "
        "Footnote's: above 1, Footnote needs less. Where it needs more, the ratio is **bold**."
    )
    yield ""
    yield _cells(
        "", *(_LABELS[name].rsplit(",", 1)[0] for name in _RATIOS), "right first: Footnote's less its own"
    )
    yield _cells(*["---"] * (len(_RATIOS) + 2))
    for row in done:
        lead = own["top_1"] - row["top_1"]
        yield _cells(
            label(row),
            *(_ratio(row[name] / own[name]) for name in _RATIOS),
            f"{lead:+.3f}" if lead >= 0 else f"**{lead:+.3f}**",
        )
    yield ""
    yield _cells("", *_LABELS.values())
    yield _cells(*["---"] * (len(_LABELS) + 1))
    for row in (own, *done):
        yield _cells(
            f"**{label(row)}**" if row is own else label(row), *(_shown(row[name]) for name in _LABELS)
        )
    yield ""
    yield (
        f"`footnote ask` from start to end, as a user runs it: {own['program_s']:.2f} s and "
        f"{own['program_mb']:.0f} MB. Its index is told without the encoder's graph beside it, "
        f"{own['graph_mb']:.0f} MB, as the others' are without the files of the weights."
    )
    yield ""
    versions = {name: version for row in (own, *done) for name, version in row["versions"].items()}
    yield f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}."
    yield ""
    for row in others:
        if "error" in row:
            yield from (f"{label(row)}, failed:", "", *_quoted(row["error"]), "")


def _growth(found: Mapping[str, Any]) -> Iterator[str]:
    rows, slopes = found["rows"], found["slopes"]
    encoding, greatest = found.get("encode_ms", 0), found.get("build_peak_mb", 0)
    yield (
        f"Articles made of the sentences of {', '.join(found['sets'])}; {found['questions']} questions. "
        f"Encoding is {encoding:.1f} ms a passage, measured by a build of some and multiplied; a build in "
        f"all is both columns. The process that built one after the other had {greatest:,.0f} MB at most."
    )
    yield ""
    yield _cells(*_GROWTH.values())
    yield _cells(*["---"] * len(_GROWTH))
    for row in rows:
        yield _cells(*(_shown(row[name], exact=name in {"passages", "bytes_each"}) for name in _GROWTH))
    yield _cells(*(f"slope {slopes[name]:.2f}" if name in slopes else "" for name in _GROWTH))
    yield ""
    yield (
        "The slope is that of the logarithms: 1 is in proportion to the passages, 0 does not depend on them. "
        f"Memory is what is resident after all questions, the encoder and mapped files included; before an "
        f"index is opened it is {rows[0]['empty_mb'] if rows else 0:.0f} MB."
    )
    yield ""
    if found["left_out"]:
        yield f"Left out for want of disk: {', '.join(f'{one:,}' for one in found['left_out'])} passages."
        yield ""
    if found["error"]:
        yield from ("Cut short:", "", *_quoted(found["error"]), "")


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"**{value:.2g}**"


def _shown(value: float, *, exact: bool = False) -> str:
    """Return a figure with three digits or so, and more where they are `exact`."""
    if exact or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value <= 1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _quoted(text: str) -> Sequence[str]:
    return ["```", *text.strip().splitlines(), "```"]
