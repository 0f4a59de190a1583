"""How Footnote grows: the same measures at 1,000 passages, 10,000 and so on, and their log-log slopes.

    python -m benchmarks.growth SET... [--sizes 1000 10000] [--questions 300] [--home FOLDER] [--small INDEX]

SETs are folders of question sets. `benchmarks.million` makes articles of their sentences, and an encoder that
puts a passage's vectors together from those of its sentences, so that building is measured without the
transformer. Its time is in proportion to the passages; it is measured apart, by a build of some of them, and
a build in all is both. Questions are those of the sets, asked with the real encoder, each index by a process
of its own. A size that the disk has no room for is left out; everything is deleted at the end. Printed is one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import (
    FailedError,
    Ran,
    bare_environment,
    build_index,
    build_small,
    megabytes,
    quantile,
    resident_mb,
    run,
)
from benchmarks.stages import Stages

if TYPE_CHECKING:
    from bot.service.answerer import Serving

Figures = dict[str, float]
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ENCODED, QUESTIONS = "encoded.jsonl", "questions.json"
SLOPES = ("build_s", "index_mb", "resident_mb", "open_s", "above_ms_p50")
"""Measures whose log-log slope is told: 1 is in proportion to the passages, 0 does not depend on them."""

_BYTES_EACH = 20_000
"""Disk that a passage is taken to need at most: in the index, and the article that it is made of."""
_WARMING = 20
"""Questions before those that are timed, so that what is asked of is in memory as it is later on."""
_EXACT = 100
"""Questions that the recall of the dense search is measured with."""
_ENCODED = 250
"""Passages that the transformer's time is measured with."""
_REPORT = re.compile(r"in (?P<passages>\d+) passages;.*; (?P<seconds>[\d.]+) s")
_BLOCK = 20_000
"""Vectors that are compared exactly at once."""
_TOP = 10
_SEED = 1


def build_all(folders: Sequence[Path], sizes: Sequence[int], home: Path, small: Path) -> Iterator[Figures]:
    """Build an index a size, and yield what each took."""
    from benchmarks.million import Recombined, make_articles, read_sources, write_articles
    from index.build import build_index as build
    from index.settings import IndexSettings
    from index.storage.local import open_generation

    sources = list({one.title: one for folder in folders for one in read_sources(folder)}.values())
    write_articles(home / ENCODED, make_articles(sources, _ENCODED))
    recombined = Recombined(_serving(small).search.encoder, sources)
    # What is slow only the first time, in this process, is no part of the first size.
    build(IndexSettings.load(articles=home / ENCODED, index=home / "first"), encoder=recombined)
    for size in sizes:
        articles = home / "articles.jsonl"
        write_articles(articles, make_articles(sources, size))
        settings = IndexSettings.load(articles=articles, index=home / str(size))
        begun = time.perf_counter()
        build(settings, encoder=recombined)
        built = time.perf_counter() - begun
        generation = open_generation(settings.index)
        yield {"size": size, "passages": generation.manifest.passages, "build_s": built}
        generation.close()


def encode(home: Path, small: Path) -> float:
    """Return the milliseconds a passage that the installed program takes, which are the transformer's."""
    said = build_index(home / ENCODED, home / "encoded", small).out
    found = _REPORT.search(said)
    if not found:
        raise FailedError(f"what `footnote index build` prints is not as expected: {said}")
    return 1000 * float(found["seconds"]) / int(found["passages"])


def ask(index: Path, small_index: Path, questions: Sequence[str]) -> Figures:
    """Open an index and answer questions; return how long that took and how much memory it needs."""
    from index.search.search import Search
    from index.storage.local import open_generation

    small = _serving(small_index)
    before = resident_mb()
    begun = time.perf_counter()
    generation = open_generation(index)
    serving = replace(small, generation=generation, search=Search(generation, small.search.encoder))
    opened = time.perf_counter() - begun
    stages = Stages()
    stages.watch(small.search.encoder, "encode_question", "encode")
    for question in questions[:_WARMING]:
        serving.answer(question, None, None)
    whole, encoding = [], []
    for question in questions:
        stages.start()
        begun = time.perf_counter()
        serving.answer(question, None, None)
        whole.append(1000 * (time.perf_counter() - begun))
        encoding.append(stages.spent["encode"])
    above = [total - part for total, part in zip(whole, encoding, strict=True)]
    return {
        "open_s": opened,
        "ms_p50": quantile(whole, 0.5),
        "ms_p99": quantile(whole, 0.99),
        "encode_ms_p50": quantile(encoding, 0.5),
        "above_ms_p50": quantile(above, 0.5),
        "above_ms_p99": quantile(above, 0.99),
        "empty_mb": before,
        "resident_mb": resident_mb(),
    }


def recall(index: Path, small: Path, questions: Sequence[str]) -> float:
    """Return the share of the 10 nearest passages, compared with all of them, that the dense search finds."""
    import numpy as np

    from index.storage.local import open_generation

    encoder = _serving(small).search.encoder
    generation = open_generation(index)
    asked = np.concatenate([encoder.encode_question(one, generation.basis).dense for one in questions])
    passages = generation.manifest.passages
    best = np.full((len(asked), _TOP), -np.inf, dtype=np.float32)
    rows = np.zeros((len(asked), _TOP), dtype=np.int64)
    for first in range(0, passages, _BLOCK):
        block = list(range(first, min(first + _BLOCK, passages)))
        scores = np.concatenate([best, asked @ generation.passage_vectors(block).T], axis=1)
        named = np.concatenate([rows, np.broadcast_to(block, (len(asked), len(block)))], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
        best = np.take_along_axis(scores, order, axis=1)
        rows = np.take_along_axis(named, order, axis=1)
    found = 0
    for vector, nearest in zip(asked, rows.tolist(), strict=True):
        near = generation.nearest(vector[None], _TOP, headings=True)
        found += len({row for row, _ in near} & set(nearest))
    return found / (len(asked) * _TOP)


def _serving(small: Path) -> Serving:
    """Open the small index of the installed program, for the encoder that questions are asked with."""
    from bot.service.answerer import Serving
    from bot.settings import BotSettings

    return Serving.first(BotSettings.load(index=small))


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of the straight line that fits the logarithms of two or more sizes best."""
    xs, ys = [math.log(one) for one in sizes], [math.log(one) for one in values]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    rise = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return rise / sum((x - middle_x) ** 2 for x in xs)


def fitting(sizes: Sequence[int], free: int) -> list[int]:
    """Return the sizes, smallest first, that all together have room in `free` bytes."""
    kept: list[int] = []
    for size in sorted(sizes):
        if (sum(kept) + size) * _BYTES_EACH <= free:
            kept.append(size)
    return kept


def draw_questions(folders: Sequence[Path], count: int) -> list[str]:
    """Draw answerable questions of the sets."""
    texts = [
        question["question"]
        for folder in folders
        for question in map(json.loads, (folder / "questions.jsonl").read_text("utf-8").splitlines())
        if question["answerable"]
    ]
    return random.Random(_SEED).sample(texts, min(count, len(texts)))  # noqa: S311 - no secret


class Growth:
    """The processes that one run of the benchmark is made of, with what they share."""

    def __init__(self, folders: Sequence[Path], home: Path, small: Path) -> None:
        self._folders = folders
        self._home = home
        self._small = small

    def measure(self, sizes: Sequence[int]) -> dict[str, Any]:
        """Return a row a size, and what all of them share; what was measured before a failure is kept."""
        found: dict[str, Any] = {"rows": [], "error": ""}
        try:
            built = self._child("--build", *map(str, sizes))
            found["build_peak_mb"] = built.peak_mb
            found["encode_ms"] = encode(self._home, self._small)
            for row in map(json.loads, built.out.splitlines()):
                found["rows"].append(self._row(row, found["encode_ms"]))
        except FailedError as failed:
            found["error"] = str(failed)
        rows = found["rows"]
        passages = [row["passages"] for row in rows]
        found["slopes"] = {
            name: slope(passages, [row[name] for row in rows]) for name in SLOPES if len(rows) > 1
        }
        return found

    def _row(self, row: dict[str, Any], encode_ms: float) -> dict[str, Any]:
        index = self._home / str(row["size"])
        asked = self._child("--ask", str(index))
        recalled = self._child("--recall", str(index))
        size = megabytes(index)
        shutil.rmtree(index)
        return {
            **row,
            **json.loads(asked.out.splitlines()[-1]),
            "peak_mb": asked.peak_mb,
            "recall_10": json.loads(recalled.out.splitlines()[-1]),
            "index_mb": size,
            "bytes_each": 1e6 * size / row["passages"],
            "encode_s": encode_ms * row["passages"] / 1000,
        }

    def _child(self, *options: str) -> Ran:
        command: list[str | Path] = [sys.executable, "-m", "benchmarks.growth", *self._folders]
        command += ["--home", self._home, "--small", self._small, *options]
        return run(command, bare_environment(), patience=6 * 3600)


def main() -> None:
    """Measure and print, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES[:2])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--home", type=Path, help="a folder to make the indexes in")
    parser.add_argument("--small", type=Path, help="an index to take the encoder from; else one is made")
    parser.add_argument("--build", type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--recall", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build:
        for line in build_all(given.folders, given.build, given.home, given.small):
            print(json.dumps(line), flush=True)
    elif index := given.ask or given.recall:
        texts = json.loads((given.home / QUESTIONS).read_text("utf-8"))
        done = ask(index, given.small, texts) if given.ask else recall(index, given.small, texts[:_EXACT])
        print(json.dumps(done))
    else:
        with tempfile.TemporaryDirectory(dir=given.home) as folder:
            print(json.dumps(measure(given, Path(folder))))


def measure(given: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Return everything that is printed."""
    sizes = fitting(given.sizes, shutil.disk_usage(home).free)
    texts = draw_questions(given.folders, given.questions)
    (home / QUESTIONS).write_text(json.dumps(texts), "utf-8")
    small = given.small or home / "small"
    if not given.small:
        build_small(small)
    return {
        "sets": [folder.resolve().name for folder in given.folders],
        "questions": len(texts),
        "left_out": sorted(set(given.sizes) - set(sizes)),
        **Growth([folder.resolve() for folder in given.folders], home, small.resolve()).measure(sizes),
    }


if __name__ == "__main__":
    main()
