"""One library, in a process of its own: builds an index, or opens one and answers questions from it.

    python -m benchmarks.peers.run PEER build FOLDER MODE PASSAGES
    python -m benchmarks.peers.run PEER ask   FOLDER MODE QUESTIONS BEGUN

A peer is a module beside this one with `build(texts, folder, mode)` and `open_index(folder, mode)`, which
returns a function from a question to the ids of up to 10 passages, best first. MODE is `dense` or `hybrid`;
PASSAGES and QUESTIONS are JSON Lines (`id` and `text`; `question`); the weights' folder is BENCH_MODEL. BEGUN
is the time at which the process was started, so that "cold" is everything from there to the first answer. One
JSON object is printed, as the last line. Only the standard library is imported here: what is measured is the
peer's.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

TOP = 10
"""Passages that each question is answered with."""


def model() -> str:
    """Return the folder of the weights, which are the same for every peer."""
    return os.environ["BENCH_MODEL"]


def build(peer: Any, folder: Path, mode: str, passages: Path) -> dict[str, float]:
    """Make an index of the passages in `folder`; loading the encoder is a part of that."""
    lines = passages.read_text(encoding="utf-8").splitlines()
    texts = {one["id"]: one["text"] for one in map(json.loads, lines)}
    begun = time.perf_counter()
    peer.build(texts, folder, mode)
    return {"build_s": time.perf_counter() - begun}


def ask(peer: Any, folder: Path, mode: str, questions: Path, begun: float) -> dict[str, Any]:
    """Open the index and answer every question, one after the other."""
    texts = [json.loads(line)["question"] for line in questions.read_text(encoding="utf-8").splitlines()]
    search = peer.open_index(folder, mode)
    ranked = [search(texts[0])]
    cold = time.time() - begun
    took = []
    for text in texts[1:]:
        before = time.perf_counter()
        ranked.append(search(text))
        took.append(time.perf_counter() - before)
    return {"cold_s": cold, "took_ms": [round(1000 * one, 3) for one in took], "ranked": ranked}


def main() -> None:
    """Import the peer, timed, and do what is asked."""
    name, what, folder, mode, file, *begun = sys.argv[1:]
    before = time.perf_counter()
    peer = importlib.import_module(f"benchmarks.peers.{name}")
    figures: dict[str, Any] = {"import_s": time.perf_counter() - before}
    if what == "build":
        figures |= build(peer, Path(folder), mode, Path(file))
    else:
        figures |= ask(peer, Path(folder), mode, Path(file), float(begun[0]))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
