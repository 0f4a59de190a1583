"""One library in a process of its own: builds an index of passages, or answers questions from it.

    python -m benchmarks.peers.run PEER build FOLDER MODE PASSAGES
    python -m benchmarks.peers.run PEER ask   FOLDER MODE QUESTIONS

A peer is a module beside this one with `build(texts, folder, mode)` and `open_index(folder, mode)`, which
returns a function from a question to the ids of up to 10 passages, best first. MODE is `dense` or `hybrid`;
PASSAGES and QUESTIONS are JSON Lines (`id` and `text`; `question`); the weights' folder is BENCH_MODEL. For
each question a JSON object is printed as soon as it is answered: `ranked` and `elapsed_ms`. Only the standard
library is imported here: what is measured is the peer's.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

__all__ = ["TOP", "main", "model"]

TOP = 10
"""Passages that each question is answered with."""


def model() -> str:
    """Return the folder of the weights, which are the same for every peer."""
    return os.environ["BENCH_MODEL"]


def main(name: str, action: str, folder: Path, mode: str, file: Path) -> None:
    """Build, or open and answer every question."""
    peer = importlib.import_module(f"benchmarks.peers.{name}")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    if action == "build":
        peer.build({line["id"]: line["text"] for line in lines}, folder, mode)
        return
    search = peer.open_index(folder, mode)
    for line in lines:
        begun = time.perf_counter()
        ranked = search(line["question"])
        elapsed = 1000 * (time.perf_counter() - begun)
        print(json.dumps({"ranked": ranked, "elapsed_ms": elapsed}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
