"""Footnote's speed and memory: cold start, questions, builds; beside another version or other libraries.

    python -m benchmarks.performance SET [--against COMMAND] [--growth 1000 10000] [--peers FOLDER]

SET is a folder with `articles.jsonl` and `questions.jsonl`. With `--against`, another `footnote` command is
measured too, in turns with ours, so that a busy machine slows both. Prints Markdown tables; `--json` keeps
the figures. Run nothing else meanwhile, and compare the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import growth
from benchmarks.peers import comparison
from benchmarks.processes import (
    ENCODERS,
    FOOTNOTE,
    ROOT,
    Command,
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

__all__ = ["main"]

_ROUNDS = 3
"""Rounds of builds and of questions, in turns; of each build and each question, the middle one counts."""
_WARMING = 20
"""Questions at the start of each round that are not counted."""

_BUILD, _SIZE = "build of the set, s", "index, MB"
"""The names of the figures that stand beside those of the peers."""
_LOOP = "bare sentence-transformers loop over its passages, s"
_ASK, _ASK_MEMORY = "`footnote ask`, in all, s", "`footnote ask`, peak memory, MB"
_FLOOR, _FLOOR_MEMORY = "bare floor of an answer, s", "bare floor's peak memory, MB"
_FINDING, _ENCODING = "without the reader, p50, ms", "encoding alone, p50, ms"
"""The names of the figures that are divided by one another; those of the floors are this version's alone."""

Figures = dict[str, list[float]]
"""What was measured, by name: a value for each version."""


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path)
    parser.add_argument("--against", type=shlex.split, help="another footnote command")
    parser.add_argument("--times", type=int, default=10, help="runs that a cold start's median is of")
    parser.add_argument("--questions", type=int, default=300, help="questions a round")
    parser.add_argument("--growth", type=int, nargs="+", default=[], metavar="PASSAGES")
    parser.add_argument("--peers", type=Path, help="the folder of the other libraries' environments")
    parser.add_argument(
        "--judged", type=Path, nargs="+", default=[], help="sets beside SET for their quality"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    options.set = options.set.resolve()
    options.judged = [folder.resolve() for folder in options.judged]
    commands = [FOOTNOTE, options.against] if options.against else [FOOTNOTE]
    record: dict[str, Any] = {"set": options.set.name, "machine": machine()}
    print(f"{record['machine']}, on {options.set.name}.")
    with tempfile.TemporaryDirectory() as folder:
        versions = [Footnote(command, Path(folder, str(at))) for at, command in enumerate(commands)]
        record["versions"] = measure(versions, options)
        print("\n" + compared(record["versions"]))
        if options.growth:
            record["growth"] = growth.measure(FOOTNOTE, options.set, options.growth, Path(folder))
            print("\n" + growth.report(record["growth"]))
        if options.peers:
            build_s, index_mb = (record["versions"][name][0] for name in (_BUILD, _SIZE))
            sets = [options.set, *options.judged]
            record["peers"] = comparison.compare(versions[0], build_s, index_mb, sets, options.peers)
            print("\n" + comparison.report(record["peers"]))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def measure(versions: Sequence[Footnote], options: argparse.Namespace) -> Figures:
    """Return the figures of every version."""
    figures: Figures = {}
    for part in (builds(versions, options.set), starts(versions, options), questions(versions, options)):
        for name, values in part:
            figures[name] = values
            print(f"measured: {name}: {values}", file=sys.stderr)
    index_mb, floor_mb = figures[_SIZE][0], figures[_FLOOR_MEMORY][0]
    figures["build / bare loop"] = [figures[_BUILD][0] / figures[_LOOP][0]]
    figures["`footnote ask` / bare floor"] = [figures[_ASK][0] / figures[_FLOOR][0]]
    figures["its memory / (bare floor + index)"] = [figures[_ASK_MEMORY][0] / (floor_mb + index_mb)]
    figures["finding / encoding"] = [figures[_FINDING][0] / figures[_ENCODING][0]]
    return figures


def builds(versions: Sequence[Footnote], folder: Path) -> Iterator[tuple[str, list[float]]]:
    """Measure builds: of the sample articles, of the set, and of the set with one article changed."""
    articles = versions[0].home.parent / "articles.jsonl"
    lines = (folder / "articles.jsonl").read_text("utf-8").splitlines()
    yield "first build of the sample articles, s", [one.build(ROOT / "articles").seconds for one in versions]
    articles.write_text("\n".join(lines), "utf-8")
    built: dict[int, list[Ran]] = defaultdict(list)
    for _ in range(_ROUNDS):
        for at, version in enumerate(versions):
            version.empty()
            built[at].append(version.build(articles))
    seconds = _medians(built, "seconds")
    yield _BUILD, seconds
    yield "its processor time, s", _medians(built, "processor")
    yield "its peak memory, MB", _medians(built, "peak_mb")
    yield _LOOP, [_bare_loop(versions[0])]
    passages = [one.passages() for one in versions]
    yield "passages a second", [count / each for count, each in zip(passages, seconds, strict=True)]
    sizes = [megabytes(one.index) for one in versions]
    yield _SIZE, sizes
    yield "bytes a passage", [1e6 * size / count for size, count in zip(sizes, passages, strict=True)]
    yield "nothing changed, s", [one.build(articles).seconds for one in versions]
    changed = json.loads(lines[0])
    lines[0] = json.dumps({**changed, "text": changed["text"] + "\n\nThis was added."})
    articles.write_text("\n".join(lines), "utf-8")
    yield "one article changed, s", [one.build(articles).seconds for one in versions]


def _bare_loop(version: Footnote) -> float:
    """Return the seconds in which the library alone encodes the passages of the index."""
    texts = version.home / "loop.jsonl"
    shown = map(json.loads, version.run("index", "show", "--passages", "--json").out.splitlines())
    cut = (one["text"][each["start"] : each["end"]] for one in shown for each in one["passages"])
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in cut), "utf-8")
    loop: Command = [sys.executable, "-m", "benchmarks.floors", "encode", weights(), texts]
    return statistics.median(run(loop).seconds for _ in range(_ROUNDS))


def starts(versions: Sequence[Footnote], options: argparse.Namespace) -> Iterator[tuple[str, list[float]]]:
    """Measure programs from start to end, in turns; what they read is in memory after the builds."""
    (question,) = draw_questions(options.set, 1)
    runs: dict[int, list[Ran]] = defaultdict(list)
    helps: dict[int, list[Ran]] = defaultdict(list)
    floors: dict[int, list[Ran]] = defaultdict(list)
    (graph,) = (versions[0].index / ENCODERS).iterdir()
    floor: Command = [sys.executable, "-m", "benchmarks.floors", "answer", graph, question["question"]]
    for _ in range(options.times):
        floors[0].append(run(floor))
        for at, version in enumerate(versions):
            runs[at].append(version.run("ask", question["question"]))
            helps[at].append(run([*version.command, "--help"]))
    for label, field in (
        ("`footnote ask`, first line, s", "first_line"),
        (_ASK, "seconds"),
        ("`footnote ask`, processor time, s", "processor"),
        (_ASK_MEMORY, "peak_mb"),
    ):
        yield label, _medians(runs, field)
    yield _FLOOR, _medians(floors, "seconds")
    yield _FLOOR_MEMORY, _medians(floors, "peak_mb")
    yield "`footnote --help`, s", _medians(helps, "seconds")


def _medians(runs: Mapping[int, Sequence[Ran]], field: str) -> list[float]:
    """Return the median of a figure of each version's runs."""
    return [statistics.median(getattr(ran, field) for ran in some) for some in runs.values()]


def questions(versions: Sequence[Footnote], options: argparse.Namespace) -> Iterator[tuple[str, list[float]]]:
    """Measure questions of a running process, by turns; of this version also without the reader."""
    drawn = draw_questions(options.set, options.questions + _WARMING)
    text = "".join(json.dumps({"question": one["question"]}) + "\n" for one in drawn)
    own = versions[0]
    asked = [*versions, replace(own, reader="none")]
    rounds: dict[int, list[list[float]]] = defaultdict(list)
    encoded: list[float] = []
    for _ in range(_ROUNDS):
        for at, version in enumerate(asked):
            _questions_file(version).write_text(text, "utf-8")
            ran = version.run("ask", "--json", "--questions", _questions_file(version))
            answers = map(json.loads, ran.out.splitlines()[_WARMING:])
            rounds[at].append([one["elapsed_ms"] for one in answers])
        # No command line asks the encoder by itself.
        alone = run([sys.executable, "-m", "benchmarks.encoding", own.index, _questions_file(own)])
        encoded.append(json.loads(alone.out)["p50"])
    *took, found = ([statistics.median(one) for one in zip(*some, strict=True)] for some in rounds.values())
    yield "question, p50, ms", [quantile(some, 0.5) for some in took]
    yield "question, p99, ms", [quantile(some, 0.99) for some in took]
    yield _FINDING, [quantile(found, 0.5)]
    yield "its p99, ms", [quantile(found, 0.99)]
    yield _ENCODING, [statistics.median(encoded)]


def _questions_file(version: Footnote) -> Path:
    return version.home / "questions.jsonl"


def machine() -> str:
    """Say what is measured on."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text("utf-8").splitlines() if cpus.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores, {memory:.0f} GB, {system}"


def compared(figures: Figures) -> str:
    """Return a table of the figures; with another version, of what ours are divided by its."""
    if len(figures[_BUILD]) == 1:
        return table(("", "Footnote"), [(name, number(values[0])) for name, values in figures.items()])
    rows = []
    for name, values in figures.items():
        ratio = f"{values[0] / values[1]:.2f}" if len(values) > 1 else ""
        rows.append((name, *map(number, values), ratio))
    return table(("", "this", "the other", "this / the other"), rows)


if __name__ == "__main__":
    main()
