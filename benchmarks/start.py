"""From a cold process to the first answer, beside the bare floor: what it takes whatever one does with it.

    python -m benchmarks.start [--index FOLDER] [--question TEXT] [--times 10] [--json FILE]

The floor is an interpreter that imports onnxruntime, tokenizers, faiss and numpy, loads the index's own graph
and encodes one question. It, `footnote ask` and `footnote --help` are run in turn, each to its end and each
once before anything is measured, so that files are in the page cache and modules are compiled. Without an
index, one of the sample articles is built first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
QUESTION = "Which skills do councils lack?"
TARGETS = {"seconds": 2.5, "peak_mb": 1.25}
"""How many times the floor's figure `footnote ask` may have; of the memory, besides the index's own bytes."""
AT_MOST = {"ask": 1.0, "--help": 0.3}
"""Seconds that a program may take in all."""

_FLOOR = """
import json, sys
import faiss, numpy, onnxruntime, tokenizers
home, question = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(f"{home}/model.onnx", options, providers=["CPUExecutionProvider"])
one = tokenizers.Tokenizer.from_file(f"{home}/tokenizer.json").encode(question)
rows = {"input_ids": one.ids, "attention_mask": one.attention_mask, "token_type_ids": one.type_ids}
inputs = {one.name: numpy.array([rows[one.name]]) for one in session.get_inputs()}
print(json.dumps([output.shape for output in session.run(None, inputs)]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a program, to its end: seconds until its first line, and in all; processor time; memory."""

    first_line: float
    seconds: float
    processor: float
    peak_mb: float


def run(command: Sequence[str]) -> Ran:
    """Run a program to its end.

    Raises:
        SystemExit: it failed; says with what.
    """
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=_environment()
        )
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        child.stdout.readline()
        first_line = time.perf_counter() - begun
        child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            told = errors.read().decode("utf-8", "replace").strip()
            sys.exit(f"{command[0]} failed with {child.returncode}: {told}")
    scale = 1 if sys.platform == "darwin" else 1024
    processor = usage.ru_utime + usage.ru_stime
    return Ran(first_line, seconds, processor, usage.ru_maxrss * scale / 1e6)


def _environment() -> dict[str, str]:
    """Return our environment without Footnote's settings, and with modules compiled, as when installed."""
    others = ("FOOTNOTE_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "HF_HUB_OFFLINE": "1"}


def graph_home(index: Path) -> Path:
    """Return the folder of the graph that the current generation was made with.

    Raises:
        SystemExit: it has none.
    """
    generation = (index / "CURRENT").read_text("ascii").split()[0]
    manifest = json.loads((index / generation / "manifest.json").read_bytes())
    if not manifest.get("graph"):
        sys.exit(f"the index at {index} has no graph of its encoder, so there is no floor to compare with")
    return index / "models" / str(manifest["encoder_fingerprint"])[:16]


def index_mb(index: Path) -> float:
    """Return the size of the current generation."""
    generation = (index / "CURRENT").read_text("ascii").split()[0]
    return sum(file.stat().st_size for file in (index / generation).iterdir()) / 1e6


def measure(index: Path, question: str, times: int) -> dict[str, Any]:
    """Run the programs in turn; return the median of each figure, and those of `ask` beside the floor's."""
    footnote = [sys.executable, "-P", "-m", "bot.cli"]
    commands = {
        "floor": [sys.executable, "-P", "-c", _FLOOR, str(graph_home(index)), question],
        "ask": [*footnote, "ask", "--index", str(index), question],
        "ask --json": [*footnote, "ask", "--json", "--index", str(index), question],
        "--help": [*footnote, "--help"],
    }
    runs: dict[str, list[Ran]] = {name: [] for name in commands}
    for turn in range(times + 1):
        for name, command in commands.items():
            ran = run(command)
            if turn:
                runs[name].append(ran)
    medians = {name: _median(found) for name, found in runs.items()}
    ratios = {name: medians["ask"][name] / medians["floor"][name] for name in medians["floor"]}
    ratios["peak_mb"] = (medians["ask"]["peak_mb"] - index_mb(index)) / medians["floor"]["peak_mb"]
    return {"times": times, "index_mb": index_mb(index), "ratios": ratios, "medians": medians}


def _median(runs: Sequence[Ran]) -> dict[str, float]:
    rows = [asdict(one) for one in runs]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def report(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a Markdown report, ratios first."""
    ratios, medians = found["ratios"], found["medians"]
    yield "| `footnote ask` beside the floor | times the floor's | at most |"
    yield "| --- | ---: | ---: |"
    for name, label in (
        ("seconds", "from start to end"),
        ("first_line", "from start to the first line"),
        ("processor", "processor time"),
        ("peak_mb", "peak memory, less the index's own bytes"),
    ):
        yield f"| {label} | {ratios[name]:.2f} | {TARGETS.get(name, '')} |"
    yield ""
    yield "| program | first line, s | in all, s | at most, s | processor, s | peak memory, MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, one in medians.items():
        title = "the floor" if name == "floor" else f"`footnote {name}`"
        yield (
            f"| {title} | {one['first_line']:.2f} | {one['seconds']:.2f} | {AT_MOST.get(name, '')} "
            f"| {one['processor']:.2f} | {one['peak_mb']:.0f} |"
        )
    yield ""
    yield f"Medians of {found['times']} runs in turn, over an index of {found['index_mb']:.1f} MB."


def build_sample(index: Path) -> None:
    """Build an index of the sample articles."""
    options = ["--articles", str(ROOT / "articles"), "--index", str(index)]
    run([sys.executable, "-P", "-m", "bot.cli", "index", "build", *options])


def main() -> None:
    """Run the benchmark and print its report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--index", type=Path, help="a built index; else one of the sample articles is built")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--times", type=int, default=10, help="runs of each program")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        index = given.index or Path(home, "index")
        if not given.index:
            build_sample(index)
        found = measure(index.resolve(), given.question, given.times)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(report(found)))


if __name__ == "__main__":
    main()
