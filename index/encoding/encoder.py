"""Text to vectors: the dense one of a text and those of its tokens, in turns for whoever asks."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from index.encoding.backend import Backend, TokenSpans
from index.encoding.batches import batches
from index.encoding.compression import WIDTH, Basis, PackedTokens, Vectors, find_basis, pack_all, project
from index.encoding.models import Model
from index.encoding.reference import Reference

__all__ = ["EncodedPassage", "EncodedQuestion", "Encoder"]

_BATCH = 16
_COUNTED = 1_000
"""Texts whose tokens are counted at once: an article of a million lines has as many."""
_QUESTIONS_FIRST = 4
"""Questions that a build's batch lets go before it while more keep coming."""
_BASIS_SEED, _BASIS_TEXTS, _BASIS_WORDS = 0, 64, 60


@dataclass(frozen=True, slots=True)
class EncodedPassage:
    """A text's unit vector, shape (dimension,), and its tokens' vectors, packed, with where they stand."""

    dense: Vectors
    tokens: PackedTokens
    spans: TokenSpans


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """A question's unit vector, shape (1, dimension), and its tokens' unit vectors, shape (tokens, width)."""

    dense: Vectors
    tokens: Vectors
    spans: TokenSpans


class Encoder:
    """A loaded encoder. Safe to use from several threads, which take turns a batch at a time."""

    def __init__(self, model: Model, threads: int | None = None, backend: Backend | None = None) -> None:
        """Put a loaded `backend` of the model to use; without one, load the weights, which takes seconds.

        `threads` bounds those of the loading (see `Reference`).

        Raises:
            NoModelError: sentence-transformers cannot load the files, or is not installed.
        """
        self.model = model
        self._backend = backend or Reference(model, threads)
        self.producer = self._backend.producer
        self.window = self._backend.window
        self.dimension = self._backend.dimension
        self._turns = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._served = 0

    def encode_passages(
        self, texts: Sequence[str], basis: Basis, done: Callable[[int], None] = lambda count: None
    ) -> list[EncodedPassage]:
        """Return the vectors of each text, in order; `done` hears how many more are encoded, by batch."""
        encoded: dict[int, EncodedPassage] = {}
        for rows in batches([len(text) for text in texts]):
            with self._turn():
                batch = self._backend.encode([texts[row] for row in rows], question=False)
            packed = pack_all([one.tokens for one in batch], basis)
            for row, one, tokens in zip(rows, batch, packed, strict=True):
                encoded[row] = EncodedPassage(one.dense, tokens, one.spans)
            done(len(rows))
        return [encoded[row] for row in range(len(texts))]

    def encode_question(self, text: str, basis: Basis) -> EncodedQuestion:
        """Return a question's vectors; of a text over the window only its beginning is read."""
        with self._turn(urgent=True):
            (one,) = self._backend.encode([text], question=True)
        return EncodedQuestion(one.dense[None], project(one.tokens, basis), one.spans)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without the special ones around it."""
        counts: list[int] = []
        for first in range(0, len(texts), _COUNTED):
            with self._turn():
                counts += self._backend.count_tokens(texts[first : first + _COUNTED])
        return counts

    def one_thread(self) -> AbstractContextManager[None]:
        """Encode on one thread in the block, as a bot does that has others to answer too."""
        return self._backend.one_thread()

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The whole words of the vocabulary, in lower case: what is spelt rightly in whatever article."""
        return self._backend.words()

    @functools.cached_property
    def basis(self) -> Basis:
        """The basis in which the token vectors are packed; finding it takes a second or two.

        The texts are random runs of the vocabulary's words (with a fixed seed): they stand for articles that
        nobody has written yet.
        """
        kept = self._backend.basis()
        if kept is not None:
            return kept
        if not self.words:
            return np.eye(self.dimension, min(self.dimension, WIDTH), dtype=np.float32)
        chosen = np.random.default_rng(_BASIS_SEED).choice(sorted(self.words), (_BASIS_TEXTS, _BASIS_WORDS))
        samples = []
        for first in range(0, _BASIS_TEXTS, _BATCH):
            texts = [" ".join(row) for row in chosen[first : first + _BATCH]]
            with self._turn():
                samples += [one.tokens for one in self._backend.encode(texts, question=False)]
        return find_basis(np.concatenate(samples))

    @contextmanager
    def _turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for the others to finish; questions go before a build's next batch, but not without end.

        Tokenizing takes a turn too, since threads share a tokenizer's truncation setting.
        """
        with self._turns:
            patience = self._served + _QUESTIONS_FIRST
            self._urgent += urgent
            self._turns.wait_for(
                lambda: not self._busy and (urgent or not self._urgent or self._served >= patience)
            )
            self._urgent -= urgent
            self._served += urgent
            self._busy = True
        try:
            yield
        finally:
            with self._turns:
                self._busy = False
                self._turns.notify_all()
