"""Footnote beside its peers: the same weights, passages and questions, by turns.

The passages are those that Footnote makes, without headings, which Footnote alone searches too. Each peer
runs in an environment with the exact versions of its `.txt`, which is made where it is missing, with one
thread and with all cores; one that fails is reported as failed. Beside the speed stands the quality: the
share of questions whose first passage has a sentence of the gold paragraph, on the set and on others.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.processes import (
    ROOT,
    FailedError,
    Footnote,
    Ran,
    draw_questions,
    limited_to,
    megabytes,
    number,
    quantile,
    run,
    table,
    weights,
)

__all__ = ["PEERS", "compare", "report"]

PEERS = {
    "txtai": ("hybrid", "dense"),
    "langchain": ("hybrid", "dense"),
    "llamaindex": ("hybrid", "dense"),
    "haystack": ("hybrid", "dense", "dense, reading"),
}
"""The peers and their modes. A reader's head has random weights here: what it takes, not what it answers."""
_SAVED_ONCE = {"langchain", "llamaindex", "haystack"}
"""Peers whose saved index serves all modes, so that it is built once."""
_THREADS = ("1", "all")
_ROUNDS = 3
_TIMED, _JUDGED = 100, 300
"""Questions of each round, and those that the quality is judged by."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Task:
    """Files of passages and questions, each question's gold paragraph, and each passage's paragraphs."""

    passages: Path
    questions: Path
    gold: Sequence[tuple[str, int]]
    paragraphs: Mapping[str, set[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class _Contender:
    """What is measured: its name, its threads, its figures so far, and how a file of questions is asked."""

    name: str
    threads: str
    figures: Row
    ask: Callable[[Path], Ran]


def compare(
    footnote: Footnote, build_s: float, index_mb: float, sets: Sequence[Path], environments: Path
) -> list[Row]:
    """Return a row for each contender; the speed is that on the first set, which Footnote's index is of."""
    tasks: list[_Task] = []
    versions = [footnote]
    for folder in sets:
        if tasks:
            versions.append(replace(footnote, home=footnote.home / folder.name))
            versions[-1].build(folder / "articles.jsonl")
        tasks.append(_prepare(versions[-1], folder))
    built = {"build, s": build_s, "index, MB": index_mb}
    contenders, failed = [], []
    for name, reader in (("Footnote", ""), ("Footnote, without the reader", "none")):
        judged = dict(_judge_footnote([replace(one, reader=reader) for one in versions], sets, tasks))
        for threads in _THREADS:
            version = replace(footnote, reader=reader, threads=threads)
            ask = partial(version.run, "ask", "--json", "--questions")
            contenders.append(_Contender(name, threads, {**built, **judged}, ask))
    for name in PEERS:
        try:
            python = _environment(environments.resolve() / name, name)
            contenders += _peer(name, python, sets, tasks, footnote.home / name)
        except (FailedError, OSError, subprocess.CalledProcessError) as error:
            failed.append({"peer": name, "error": str(error).splitlines()[-1]})
    timed = footnote.home / "timed.jsonl"
    timed.write_text(
        "".join(tasks[0].questions.read_text("utf-8").splitlines(keepends=True)[:_TIMED]), "utf-8"
    )
    runs: list[list[Ran]] = [[] for _ in contenders]
    for _ in range(_ROUNDS):
        for some, contender in zip(runs, contenders, strict=True):
            some.append(contender.ask(timed))
    rows = [_row(contender, some) for contender, some in zip(contenders, runs, strict=True)]
    return [*sorted(rows, key=lambda row: row["question p50, ms"]), *failed]


def _judge_footnote(
    versions: Sequence[Footnote], sets: Sequence[Path], tasks: Sequence[_Task]
) -> Iterator[tuple[str, float]]:
    """Yield the share of each set's questions whose first citation is of the gold paragraph."""
    for version, folder, task in zip(versions, sets, tasks, strict=True):
        ran = version.run("ask", "--json", "--questions", task.questions)
        cited = [json.loads(line)["citations"][:1] for line in ran.out.splitlines()]
        right = [
            [(one["article"], one["paragraph"]) for one in some] == [gold]
            for some, gold in zip(cited, task.gold, strict=True)
        ]
        yield _right(folder), sum(right) / len(right)


def _peer(
    name: str, python: Path, sets: Sequence[Path], tasks: Sequence[_Task], home: Path
) -> Iterator[_Contender]:
    """Build a peer's indexes, judge it in each mode, and yield it with one thread and with all."""
    built: dict[Path, Ran] = {}
    for mode in PEERS[name]:
        print(f"comparing: {name}, {mode}", file=sys.stderr)
        figures: Row = {}
        for folder, task in zip(sets, tasks, strict=True):
            index = home / folder.name / (PEERS[name][0] if name in _SAVED_ONCE else mode)
            if index not in built:
                index.mkdir(parents=True)
                built[index] = _run(python, name, "build", index, mode, task.passages)
            if folder == sets[0]:
                figures = {"build, s": built[index].seconds, "index, MB": megabytes(index)}
                asked = index
            if not mode.endswith("reading"):
                ran = _run(python, name, "ask", index, mode, task.questions)
                found = [task.paragraphs[json.loads(line)["ranked"][0]] for line in ran.out.splitlines()]
                right = [gold in places for places, gold in zip(found, task.gold, strict=True)]
                figures[_right(folder)] = sum(right) / len(right)
        for threads in _THREADS:
            ask = partial(_run, python, name, "ask", asked, mode, threads=threads)
            yield _Contender(f"{name}, {mode}", threads, figures, ask)


def _right(folder: Path) -> str:
    return f"right first, {folder.name}"


def _prepare(footnote: Footnote, folder: Path) -> _Task:
    """Write the passages and the questions to files."""
    questions, passages = footnote.home / "asked.jsonl", footnote.home / "passages.jsonl"
    asked = draw_questions(folder, _JUDGED)
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


def _row(contender: _Contender, runs: Sequence[Ran]) -> Row:
    """Return the figures of a contender: of each question the median of the rounds, and p50's range."""
    took = [[json.loads(line)["elapsed_ms"] for line in ran.out.splitlines()[1:]] for ran in runs]
    middle = [statistics.median(some) for some in zip(*took, strict=True)]
    halves = [quantile(some, 0.5) for some in took]
    return {
        "peer": contender.name,
        "threads": contender.threads,
        "question p50, ms": quantile(middle, 0.5),
        "of the rounds": f"{number(min(halves))} to {number(max(halves))}",
        "p99, ms": quantile(middle, 0.99),
        "first answer, s": statistics.median(ran.first_line for ran in runs),
        "peak memory, MB": statistics.median(ran.peak_mb for ran in runs),
        **contender.figures,
    }


def _run(python: Path, *arguments: str | Path, threads: str = "all") -> Ran:
    environment = {"BENCH_MODEL": str(weights()), **limited_to(threads)}
    return run([python, "-m", "benchmarks.peers.run", *arguments], ROOT, **environment)


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
    names = list(dict.fromkeys(name for row in measured for name in row))
    lines = [[_cell(row.get(name, "")) for name in names] for row in measured]
    failed = [f"\n{row['peer']} failed: {row['error']}" for row in rows if "error" in row]
    return "\n".join([table(names, lines), *failed])


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)
