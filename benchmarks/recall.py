"""The dense search alone at a million passages: its recall, time and memory.

    python -m benchmarks.recall INDEX SET... [--passages 1000000]

A made passage's vector is the mean of five sentences' vectors: of sentences of the sets, drawn from two
articles as `growth` draws them and encoded by the encoder in INDEX, at unit length. Some such passages are
encoded whole, to compare how near the questions of the first set are to them and to the vectors made of the
same sentences. Recall is the share of the ten nearest passages, by all vectors, that the search finds.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.growth import SENTENCES
from benchmarks.processes import draw_questions, quantile
from bot.settings import BotSettings
from index.encoding.encoder import Encoder, Vectors, open_encoder, unit
from index.storage.local import open_store
from index.storage.vectors import EXACT, VectorIndex, write_vectors

__all__ = ["main"]

_QUESTIONS = 300
_COMPARED = 2_000
_NEAREST = 10
_BATCH = 32
_ROWS = 10_000

Draw = list[int]
"""The rows of a passage's sentences."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--passages", type=int, default=1_000_000)
    given = parser.parse_args()
    settings = BotSettings.load(index=given.index)
    with closing(open_store(given.index)) as store:
        encoder = open_encoder(settings, store.info.encoder, store.info.encoder_fingerprint)
    articles = [article for folder in given.sets for article in _sentences(folder)]
    texts = [text for article in articles for text in article]
    sentences = _encoded(encoder, texts)
    questions = [one["question"] for one in draw_questions(given.sets[0], _QUESTIONS)]
    asked = np.stack([encoder.encode_batch([one], question=True)[0].dense for one in questions])
    draws = _draws([len(article) for article in articles])
    _compare(encoder, texts, sentences, asked, draws)
    with tempfile.TemporaryDirectory() as name:
        _search(Path(name), sentences, asked, draws, given.passages)


def _sentences(folder: Path) -> Iterator[list[str]]:
    """Yield the sentences of each article of a set."""
    for line in (folder / "articles.jsonl").read_text("utf-8").splitlines():
        yield [one for one in re.split(r"(?<=[.!?])\s+", json.loads(line)["text"]) if one]


def _encoded(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    vectors = np.empty((len(texts), encoder.dimension), np.float32)
    for first in range(0, len(order), _BATCH):
        rows = order[first : first + _BATCH]
        batch = encoder.encode_batch([texts[row] for row in rows], question=False)
        vectors[rows] = [one.dense for one in batch]
    return vectors


def _draws(lengths: Sequence[int]) -> Iterator[Draw]:
    """Yield the sentences of one made passage after the other, without end."""
    chance = random.Random(0)  # noqa: S311 - made-up text
    first = np.cumsum([0, *lengths])
    spans = [range(start, start + length) for start, length in zip(first, lengths, strict=False)]
    while True:
        pool = [row for span in chance.sample(spans, 2) for row in span]
        yield chance.choices(pool, k=SENTENCES)


def _compare(
    encoder: Encoder, texts: Sequence[str], sentences: Vectors, asked: Vectors, draws: Iterator[Draw]
) -> None:
    """Print how near the questions are to passages encoded whole, and to those made by the rule."""
    drawn = [next(draws) for _ in range(_COMPARED)]
    whole = _encoded(encoder, [" ".join(texts[row] for row in rows) for rows in drawn])
    made = unit(sentences[np.array(drawn)].mean(axis=1))
    for name, vectors in (("encoded whole", whole), ("made by the rule", made)):
        cosines = np.sort(asked @ vectors.T, axis=1)[:, ::-1]
        between = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
        nearest, tenth, median = cosines[:, 0].mean(), cosines[:, 9].mean(), np.median(cosines)
        print(
            f"{name}: cosine of a question with the nearest of {_COMPARED:,} passages {nearest:.3f}, with "
            f"the tenth {tenth:.3f}, the median {median:.3f}; of two passages {between.mean():.3f}, "
            f"standard deviation {between.std():.3f}"
        )
    print(f"cosine of both vectors of one passage: {np.einsum('ij,ij->i', whole, made).mean():.3f}")


def _search(home: Path, sentences: Vectors, asked: Vectors, draws: Iterator[Draw], passages: int) -> None:
    """Write the index of so many passages as a build does, search it, and print the figures."""
    exact = [np.empty((0,), np.float32)] * len(asked)
    begun = time.monotonic()
    with (home / EXACT).open("wb") as file:
        for first in range(0, passages, _ROWS):
            rows = np.array([next(draws) for _ in range(min(_ROWS, passages - first))])
            made = unit(sentences[rows].mean(axis=1))
            file.write(made.tobytes())
            for at, cosines in enumerate(asked @ made.T):
                exact[at] = np.sort(np.concatenate([exact[at], cosines]))[-_NEAREST:]
    print(f"{passages:,} vectors made in {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    write_vectors(home, sentences.shape[1])
    print(f"index written in {time.monotonic() - begun:.0f} s")
    index = VectorIndex(home, np.ones(passages, np.bool_), sentences.shape[1])
    found, took = [], []
    for vector, cosines in zip(asked, exact, strict=True):
        begun = time.perf_counter()
        nearest = index.nearest(vector, _NEAREST, headings=True)
        took.append(1000 * (time.perf_counter() - begun))
        found.append(np.mean([score >= cosines[0] - 1e-5 for _, score in nearest]))
    index.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"recall of the {_NEAREST} nearest {statistics.mean(found):.4f}; p50 {quantile(took, 0.5):.1f} ms, "
        f"p99 {quantile(took, 0.99):.1f} ms; peak memory of all this {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
