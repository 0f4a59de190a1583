"""Whether a graph says what the reference says: the same tokens, and vectors that point the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.articles.article import Article
from index.encoding.backend import Backend
from index.encoding.compression import Vectors, unit

__all__ = ["LEAST_COSINE", "Agreement", "compare", "sample_texts"]

LEAST_COSINE = 0.9999
"""Of a text's vector and of each token's with those of the reference, for weights of full precision."""

_BATCH = 8
_ARTICLES, _LONGEST = 12, 4_000
_ALWAYS = (
    "",
    "a",
    " \u200b ",
    "Who kept bees?",
    "E\u0301tude n\u00ba 3, \u00a34.20 \u2014 well-kept; don\u2019t!",
    "\u4e2d\u6587 \u05e9\u05dc\u05d5\u05dd \U0001f98a \x00 unfathomable",
    "The kiln was lit by Ada Quay in 1871, and it burned for three days. " * 60,
)
"""Texts that any encoder must read alike: none, short, odd, and longer than any window."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near two backends are: the lowest cosine of texts and of tokens; `apart` says what differs else."""

    texts: int
    dense: float
    tokens: float
    apart: str = ""

    @property
    def holds(self) -> bool:
        """Whether one may stand for the other."""
        return not self.apart and min(self.dense, self.tokens) >= LEAST_COSINE


def sample_texts(articles: Sequence[Article]) -> tuple[str, ...]:
    """Return texts to compare by: some of the articles' paragraphs, short and long, and some fixed ones."""
    chosen = articles[:: max(1, len(articles) // _ARTICLES)][:_ARTICLES]
    texts = [one.text[:_LONGEST] for one in chosen[::2]]
    for one in chosen:
        paragraphs = sorted((one.text[part.start : part.end] for part in one.paragraphs), key=len)
        texts += [paragraphs[0], paragraphs[-1]]
    return (*_ALWAYS, *dict.fromkeys(texts))


def compare(reference: Backend, graph: Backend, texts: Sequence[str]) -> Agreement:
    """Encode texts by both, as passages in batches of several lengths and as questions, and compare."""
    dense = tokens = 1.0
    for question in (False, True):
        for first in range(0, len(texts), _BATCH):
            batch = texts[first : first + _BATCH]
            both = (backend.encode(batch, question=question) for backend in (reference, graph))
            for one, other in zip(*both, strict=True):
                if one.dense.shape != other.dense.shape or not np.array_equal(one.spans, other.spans):
                    return Agreement(len(texts), dense, tokens, "it reads other tokens")
                dense = min(dense, _cosine(one.dense[None], other.dense[None]))
                tokens = min(tokens, _cosine(one.tokens, other.tokens))
    return Agreement(len(texts), dense, tokens)


def _cosine(one: Vectors, other: Vectors) -> float:
    """Return the lowest cosine of the rows of two; rows that are nothing but zeros in both are alike."""
    both = np.einsum("ij,ij->i", unit(one), unit(other), dtype=np.float64)
    nothing = ~one.any(axis=1) & ~other.any(axis=1)
    lowest = float(np.where(nothing, 1.0, both).min(initial=1.0))
    return lowest if np.isfinite(lowest) else -1.0
