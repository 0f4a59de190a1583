"""Footnote beside its peers: the same weights, passages and questions, one process after the other.

The passages are those that Footnote makes, without headings, which Footnote alone searches too. A first
passage is right when it has a sentence of the gold paragraph. Each peer runs in an environment with the exact
versions of its `.txt`, which is made where it is missing; one that fails is reported as failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import (
    FailedError,
    Footnote,
    Ran,
    draw_questions,
    megabytes,
    number,
    quantile,
    run,
    table,
    weights,
)

__all__ = ["PEERS", "compare", "report"]

PEERS = ("txtai", "langchain", "llamaindex", "haystack")
_MODES = ("hybrid", "dense")
_SAVED_FOR_BOTH = {"langchain", "llamaindex", "haystack"}
"""Peers whose saved index serves both modes, so that it is built once."""
_QUESTIONS = 200
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Task:
    """Files of passages and questions, each question's gold paragraph, and each passage's paragraphs."""

    passages: Path
    questions: Path
    gold: Sequence[tuple[str, int]]
    paragraphs: Mapping[str, set[tuple[str, int]]]


def compare(
    footnote: Footnote, build_s: float, index_mb: float, folder: Path, environments: Path
) -> list[Row]:
    """Return a row of figures for Footnote, whose index has been built, and for each peer in each mode."""
    task = _prepare(footnote, folder)
    ran = footnote.run("ask", "--json", "--questions", task.questions)
    cited = [json.loads(line)["citations"][0] for line in ran.out.splitlines()]
    right = [(one["article"], one["paragraph"]) == gold for one, gold in zip(cited, task.gold, strict=True)]
    rows = [_row("Footnote", ran, build_s, index_mb, right)]
    for name in PEERS:
        try:
            python = _environment(environments.resolve() / name, name)
            rows += _peer(name, python, task, footnote.home / name)
        except (FailedError, OSError, subprocess.CalledProcessError) as error:
            rows.append({"peer": name, "error": str(error).splitlines()[-1]})
    return rows


def _peer(name: str, python: Path, task: _Task, home: Path) -> Iterator[Row]:
    """Yield the figures of a peer in each mode."""
    for mode in _MODES:
        print(f"comparing: {name}, {mode}", file=sys.stderr)
        index = home / (_MODES[0] if name in _SAVED_FOR_BOTH else mode)
        if not index.exists():
            index.mkdir(parents=True)
            built = _run(python, name, "build", index, mode, task.passages)
        ran = _run(python, name, "ask", index, mode, task.questions)
        found = [task.paragraphs[json.loads(line)["ranked"][0]] for line in ran.out.splitlines()]
        right = [gold in places for places, gold in zip(found, task.gold, strict=True)]
        yield _row(f"{name}, {mode}", ran, built.seconds, megabytes(index), right)


def _prepare(footnote: Footnote, folder: Path) -> _Task:
    """Write the passages and the questions to files."""
    questions, passages = footnote.home / "asked.jsonl", footnote.home / "passages.jsonl"
    asked = draw_questions(folder, _QUESTIONS)
    shown = footnote.run("index", "show", "--passages", "--json").out.splitlines()
    cut = [
        {
            "id": f"{article['id']}#{one['start']}",
            "text": article["text"][one["start"] : one["end"]],
            "article": article["id"],
            "paragraphs": one["paragraphs"],
        }
        for article in map(json.loads, shown)
        for one in article["passages"]
        if one["paragraphs"] != [0]  # that is the heading
    ]
    for file, rows in ((questions, asked), (passages, cut)):
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    gold = [(one["article"], one["paragraph"] + 1) for one in asked]
    paragraphs = {one["id"]: {(one["article"], at) for at in one["paragraphs"]} for one in cut}
    return _Task(passages, questions, gold, paragraphs)


def _row(peer: str, ran: Ran, build_s: float, index_mb: float, right: Sequence[bool]) -> Row:
    took = [json.loads(line)["elapsed_ms"] for line in ran.out.splitlines()[1:]]
    return {
        "peer": peer,
        "first answer, s": ran.first_line,
        "question p50, ms": quantile(took, 0.5),
        "p99, ms": quantile(took, 0.99),
        "peak memory, MB": ran.peak_mb,
        "build, s": build_s,
        "index, MB": index_mb,
        "right first": sum(right) / len(right),
    }


def _run(python: Path, *arguments: str | Path) -> Ran:
    return run([python, "-m", "benchmarks.peers.run", *arguments], BENCH_MODEL=str(weights()))


def _environment(folder: Path, name: str) -> Path:
    """Return the Python of a peer's environment, which is made anew where its versions differ."""
    pins = Path(__file__).with_name(f"{name}.txt")
    python, done = folder / "bin" / "python", folder / "installed.txt"
    if not done.exists() or done.read_text("utf-8") != pins.read_text("utf-8"):
        print(f"{name}: installing into {folder} (minutes)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(pins)]
        subprocess.run(install, check=True, stdout=sys.stderr)
        done.write_text(pins.read_text("utf-8"), "utf-8")
    return python


def report(rows: Sequence[Row]) -> str:
    """Return the figures as a table, and the peers that failed."""
    measured = [row for row in rows if "error" not in row]
    lines = [[row["peer"], *(number(row[name]) for name in list(row)[1:])] for row in measured]
    failed = [f"\n{row['peer']} failed: {row['error']}" for row in rows if "error" in row]
    return "\n".join([table(list(measured[0]), lines), *failed])
