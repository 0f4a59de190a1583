"""Processes to measure: how long one took from start to end, and its greatest memory."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("footnote")

Command = Sequence[str | Path]
_LAST = 15
"""Lines of what a failed process wrote that its error has."""


class FailedError(Exception):
    """A process ended with another status than 0; the message has the last lines that it wrote."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process wrote to its standard output, how long it took, and its greatest resident memory."""

    out: str
    seconds: float
    peak_mb: float


def run(command: Command, environment: Mapping[str, str], patience: float = 3600) -> Ran:
    """Run a program in the project's folder to its end; after `patience` seconds it is killed.

    The memory is the kernel's count of the process or of one that it waited for, whichever is greater. A
    child begins with what its parent had, so whoever calls this has to be small itself.

    Raises:
        FailedError: it failed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, env=dict(environment), cwd=ROOT)
        alarm = threading.Timer(patience, child.kill)
        alarm.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            alarm.cancel()
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        written = out.read()
        if child.returncode:
            last = (err.read() or written).strip().splitlines()[-_LAST:]
            raise FailedError("\n".join(last) or f"ended with {child.returncode} after {seconds:.0f} s")
    scale = 1 if sys.platform == "darwin" else 1024
    return Ran(written, seconds, usage.ru_maxrss * scale / 1e6)


def build_index(articles: Path, index: Path, small: Path | None = None) -> Ran:
    """Build an index with the installed program.

    The encoder's graph is taken from a `small` index, so that the time is that of every build but the first.
    """
    if small and (small / "models").is_dir():
        shutil.copytree(small / "models", index / "models")
    return run([PROGRAM, "index", "build", "--articles", articles, "--index", index], bare_environment())


def build_small(index: Path) -> Ran:
    """Build an index of the sample articles, which exports the encoder's graph."""
    return build_index(ROOT / "articles", index)


def bare_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without Footnote's settings, and out of a model hub's reach."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
    return {**kept, "HF_HUB_OFFLINE": "1", **more}


def resident_mb() -> float:
    """Return the memory that this process has now, mapped files' pages too; NaN where that is not told."""
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS:")), math.nan)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that at least `share` of them do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
