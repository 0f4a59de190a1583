"""How Footnote grows: the same measures at 1,000 passages, 10,000 and so on, and their log-log slopes.

    python -m benchmarks.growth FOLDER [--sizes 1000 10000] [--questions 300] [--home FOLDER]

FOLDER holds question sets. `benchmarks.million` makes the articles of their sentences, and an encoder that
puts a passage's vectors together from those of its sentences, so that building is measured without the
transformer. Its time is in proportion to the passages; it is measured apart, on some of them, and a build in
all is both. Questions are those of the sets, asked with the real encoder, each index by a process of its own.
A size that the disk has no room for is left out; everything is deleted at the end. Printed is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import (
    PROGRAM,
    ROOT,
    FailedError,
    Ran,
    bare_environment,
    megabytes,
    quantile,
    resident_mb,
    run,
)
from benchmarks.stages import Stages

if TYPE_CHECKING:
    from bot.serving import Serving

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SLOPES = ("build_s", "index_mb", "resident_mb", "open_s", "above_ms_p50")
"""Measures whose log-log slope is told: 1 is in proportion to the passages, 0 does not depend on them."""

_BYTES_EACH = 20_000
"""Disk that a passage is taken to need at most: in the index, and the article that it is made of."""
_WARMING = 20
"""Questions before those that are timed, so that what is asked of is in memory as it is later on."""
_EXACT = 100
"""Questions that the recall of the dense search is measured with."""
_ENCODED = 128
"""Passages that the transformer's time is measured with."""
_BLOCK = 20_000
"""Vectors that are compared exactly at once."""
_TOP = 10
_SEED = 1


def build_all(folder: Path, sizes: Sequence[int], home: Path) -> Iterator[dict[str, float]]:
    """Build an index a size, and yield what each took; first of all, how long the transformer takes."""
    from benchmarks.million import Recombined, make_articles, read_sources, write_articles
    from index import IndexSettings, build_index, open_generation
    from index.passages import source_text

    encoder = _serving(home).search.encoder
    sources = read_sources(folder)
    recombined = Recombined(encoder, sources)
    for size in sizes:
        articles = home / "articles.jsonl"
        write_articles(articles, make_articles(sources, size))
        settings = IndexSettings.load(articles=articles, index=home / str(size))
        begun = time.perf_counter()
        build_index(settings, encoder=recombined)
        built = time.perf_counter() - begun
        generation = open_generation(settings.index)
        texts = []
        for row, _, _ in generation.article_rows()[: _ENCODED if size == sizes[0] else 0]:
            article = generation.article(row)
            texts += [
                source_text(article, one.passage)[one.passage.start : one.passage.end]
                for one in generation.passages_of(row)
            ]
        yield {"size": size, "passages": generation.manifest.passages, "build_s": built}
        generation.close()
        if texts := texts[:_ENCODED]:
            begun = time.perf_counter()
            encoder.encode_passages(texts, encoder.basis)
            yield {"encode_ms": 1000 * (time.perf_counter() - begun) / len(texts)}


def ask(index: Path, home: Path, questions: Sequence[str]) -> dict[str, float]:
    """Open an index and answer questions; return how long that took and how much memory it needs."""
    from index import Search, open_generation

    small = _serving(home)
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


def recall(index: Path, home: Path, questions: Sequence[str]) -> float:
    """Return the share of the 10 nearest passages, compared with all of them, that the dense search finds."""
    import numpy as np

    from index import open_generation

    encoder = _serving(home).search.encoder
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


def _serving(home: Path) -> Serving:
    """Open the small index of the installed program, for the encoder that questions are asked with."""
    from bot.serving import Serving
    from bot.settings import BotSettings

    return Serving.first(BotSettings.load(index=home / "small"))


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


def measure(folder: Path, sizes: Sequence[int], count: int, home: Path) -> dict[str, Any]:
    """Return a row a size, the slopes, and what was left out."""
    kept = fitting(sizes, shutil.disk_usage(home).free)
    small = [PROGRAM, "index", "build", "--articles", ROOT / "articles", "--index", home / "small"]
    run(small, bare_environment())
    texts = [
        question["question"]
        for file in sorted(folder.rglob("questions.jsonl"))
        for question in map(json.loads, file.read_text("utf-8").splitlines())
        if question["answerable"]
    ]
    texts = random.Random(_SEED).sample(texts, min(count, len(texts)))  # noqa: S311 - no secret
    (home / "questions.json").write_text(json.dumps(texts), "utf-8")
    rows, encode_ms, built_mb, error = [], math.nan, math.nan, ""
    try:
        built = _child("--build", *map(str, kept), folder=folder, home=home)
        for line in map(json.loads, built.out.splitlines()):
            encode_ms = line.get("encode_ms", encode_ms)
            rows += [line] if "size" in line else []
        built_mb = built.peak_mb
        for row in rows:
            index = home / str(row["size"])
            asked = _child("--ask", str(index), folder=folder, home=home)
            row.update(json.loads(asked.out.splitlines()[-1]), peak_mb=asked.peak_mb)
            found = _child("--recall", str(index), folder=folder, home=home)
            row["recall_10"] = json.loads(found.out.splitlines()[-1])
            row["index_mb"] = megabytes(index)
            row["bytes_each"] = 1e6 * row["index_mb"] / row["passages"]
            row["encode_s"] = encode_ms * row["passages"] / 1000
            shutil.rmtree(index)
    except FailedError as failed:
        error = str(failed)
    whole = [row for row in rows if "encode_s" in row]
    passages = [row["passages"] for row in whole]
    return {
        "sets": folder.name,
        "questions": len(texts),
        "encode_ms": encode_ms,
        "build_peak_mb": built_mb,
        "rows": whole,
        "slopes": {name: slope(passages, [row[name] for row in whole]) for name in SLOPES if len(whole) > 1},
        "left_out": sorted(set(sizes) - set(kept)),
        "error": error,
    }


def _child(*options: str, folder: Path, home: Path) -> Ran:
    command = [sys.executable, "-m", "benchmarks.growth", folder, "--home", home, *options]
    return run(command, bare_environment(), patience=6 * 3600)


def main() -> None:
    """Measure and print, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES[:2])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--home", type=Path, help="a folder to make the indexes in")
    parser.add_argument("--build", type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--recall", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build:
        for line in build_all(given.folder, given.build, given.home):
            print(json.dumps(line), flush=True)
        return
    if index := given.ask or given.recall:
        texts = json.loads((given.home / "questions.json").read_text("utf-8"))
        done = ask(index, given.home, texts) if given.ask else recall(index, given.home, texts[:_EXACT])
        print(json.dumps(done))
        return
    with tempfile.TemporaryDirectory(dir=given.home) as home:
        found = measure(given.folder.resolve(), given.sizes, given.questions, Path(home))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
