"""The dense index by size: flat, and lists with scalar quantisation, on vectors distributed as real ones.

    .venv/bin/python -m benchmarks.dense FOLDER ... [--passages N ...] [--kept FILE]

A FOLDER holds a question set (`articles.jsonl` and `questions.jsonl`). Their sentences are encoded once; a
passage's vector is made as `benchmarks.million` makes passages: the mean of the vectors of four to six
sentences of two articles and of a title, by tokens, at length 1. The questions of the sets are asked; recall
is the share of the 10 nearest passages that are found. Milliseconds are of the thread that searches, so that
other programs on the machine count less. --kept keeps the encoded sentences and questions in a file.
Everything is printed as Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
from index.storage.checksums import block_sums
from index.storage.held import HeldFile
from index.storage.rowfile import RowFile

from benchmarks.million import Source, read_sources
from index.encoding.encoder import Vectors, unit
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.storage.manifest import EXACT
from index.storage.vectors import Dense, write_dense

_SEED = 6
_BLOCK = 20_000
_ASKED = 300
_TIMED_FLAT = 50
_COUNT = 50
_NEAREST = 10
SIZES = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Vectors that passages are made of, each multiplied by its tokens, and where those of a source begin."""

    sentences: Vectors
    titles: Vectors
    starts: npt.NDArray[np.int64]
    questions: Vectors


def encode_pieces(encoder: Encoder, sources: Sequence[Source], questions: Sequence[str]) -> Pieces:
    """Encode the sentences and titles of sources, and some questions: minutes."""
    sizes = [len(one.sentences) for one in sources]
    return Pieces(
        _encode(encoder, [text for one in sources for text in one.sentences]),
        _encode(encoder, [one.title for one in sources]),
        np.cumsum([0, *sizes]),
        np.concatenate([encoder.encode_question(text, encoder.basis).dense for text in questions]),
    )


def _encode(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    return np.stack([len(one.spans) * one.dense for one in encoder.encode_passages(texts, encoder.basis)])


def compose(pieces: Pieces, count: int) -> Vectors:
    """Return the unit vectors of `count` made passages: shape (count, dimension)."""
    chance = np.random.default_rng(_SEED)
    made = np.empty((count, pieces.sentences.shape[1]), dtype=np.float32)
    sizes = np.diff(pieces.starts)
    for first in range(0, count, _BLOCK):
        part = made[first : first + _BLOCK]
        sources = chance.choice(len(sizes), (2, len(part)), p=sizes / sizes.sum())
        total = pieces.titles[sources[0]]
        for number in range(6):
            source = np.where(chance.random(len(part)) < 0.3, sources[1], sources[0])
            at = pieces.starts[source] + (chance.random(len(part)) * sizes[source]).astype(np.int64)
            there = number < chance.integers(4, 7, len(part))
            total = total + there[:, None] * pieces.sentences[at]
        part[:] = unit(total)
    return made


def exact_nearest(vectors: Vectors, questions: Vectors) -> npt.NDArray[np.int64]:
    """Return the rows of the nearest vectors of each question: shape (questions, 10)."""
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    return np.asarray(flat.search(questions, _NEAREST)[1])


def _exact_of(home: Path, dimension: int) -> RowFile:
    return RowFile(HeldFile(home / EXACT), block_sums(home / EXACT), np.float32, dimension)


def measure(vectors: Vectors, questions: Vectors, truth: npt.NDArray[np.int64], flat: bool) -> str:
    """Return a line of the table: one kind of index over some vectors."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begun, used = time.perf_counter(), time.process_time()
        write_dense(home, vectors, len(vectors) if flat else 0)
        took, used = time.perf_counter() - begun, time.process_time() - used
        size = sum(path.stat().st_size for path in home.iterdir()) / 1e6
        bodies = np.ones(len(vectors), dtype=np.bool_)
        dense = Dense(home, bodies, vectors.shape[1], None if flat else _exact_of(home, vectors.shape[1]))
        found, times = [], []
        for question in questions[: _TIMED_FLAT if flat else None]:
            begun = time.thread_time()
            near = dense.nearest(question[None], _COUNT, headings=True)
            times.append(1000 * (time.thread_time() - begun))
            found.append({row for row, _ in near[:_NEAREST]})
    recall = np.mean([len(one.intersection(rows)) for one, rows in zip(found, truth.tolist(), strict=False)])
    p50, p99 = np.percentile(times, [50, 99])
    kind = "flat" if flat else "lists"
    return (
        f"| {len(vectors):,} | {kind} | {took:.1f} | {used:.1f} | {size:,.0f} | {recall / _NEAREST:.4f} "
        f"| {p50:.2f} | {p99:.2f} |"
    )


def table(pieces: Pieces, sizes: Sequence[int]) -> Iterator[str]:
    """Yield the table, line by line as it is measured."""
    yield "| passages | index | build s | of it CPU s | MB | recall@10 | ms p50 | p99 |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for size in sizes:
        vectors = compose(pieces, size)
        truth = exact_nearest(vectors, pieces.questions)
        for flat in (True, False):
            yield measure(vectors, pieces.questions, truth, flat)


def _read_questions(folders: Sequence[Path]) -> list[str]:
    paths = [folder / "questions.jsonl" for folder in folders]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    random.Random(_SEED).shuffle(lines)  # noqa: S311 - made to be the same again
    return [json.loads(line)["question"] for line in lines[:_ASKED]]


def _pieces(folders: Sequence[Path], kept: Path | None) -> Pieces:
    if kept is not None and kept.exists():
        with np.load(kept) as held:
            return Pieces(held["sentences"], held["titles"], held["starts"], held["questions"])
    encoder = Encoder(find_model("all-MiniLM-L6-v2"))
    sources = [source for folder in folders for source in read_sources(folder)]
    pieces = encode_pieces(encoder, sources, _read_questions(folders))
    if kept is not None:
        np.savez(
            kept,
            sentences=pieces.sentences,
            titles=pieces.titles,
            starts=pieces.starts,
            questions=pieces.questions,
        )
    return pieces


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--passages", type=int, nargs="+", default=SIZES)
    parser.add_argument("--kept", type=Path)
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(2)
    for line in table(_pieces(arguments.folders, arguments.kept), arguments.passages):
        print(line, flush=True)


if __name__ == "__main__":
    main()
