"""The encoder: text to one vector for the whole text and one for each of its tokens."""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from index.encoding.compression import WIDTH, Basis, PackedTokens, Vectors, find_basis, pack, project, unit
from index.encoding.models import Model

if TYPE_CHECKING:
    from index.encoding.onnx_encoder import Export

__all__ = ["REFERENCE", "EncodedPassage", "EncodedQuestion", "Encoder", "TextVectors", "TokenSpans"]

TokenSpans = npt.NDArray[np.int32]
"""Start and end of each token in its text, in code points: shape (tokens, 2)."""

REFERENCE = "reference"
"""The producer of vectors that sentence-transformers computes."""

_BATCH_CHARACTERS = 4_000
"""About 800 tokens. Batches five times as large outgrow the caches of a processor and take a third longer."""
_COUNTED_AT_ONCE = 1_000
_BASIS_SEED, _BASIS_TEXTS, _BASIS_WORDS = 0, 64, 60


@dataclass(frozen=True, slots=True)
class TextVectors:
    """A text's unit vector, shape (dimension,), its tokens' vectors, shape (tokens, dimension), and spans."""

    dense: Vectors
    tokens: Vectors
    spans: TokenSpans

    @classmethod
    def of(cls, text: str, prompt: str, encoding: Any, dense: Vectors, tokens: Vectors) -> Self:
        """Keep the tokens that are the text's own: neither special nor of the prompt before it.

        `encoding` is what tokenizers made of prompt and text, `tokens` the vectors of all its tokens.
        """
        starts, ends = np.asarray(encoding.offsets, dtype=np.int32).reshape(-1, 2).T
        read = prompt + text
        pieces = [read[start:end] for start, end in encoding.offsets]
        # SentencePiece counts the space before a word as part of it.
        spaces = [len(piece) - len(piece.lstrip()) for piece in pieces]
        spans = np.stack([starts + spaces, ends], axis=1).astype(np.int32) - len(prompt)
        own = (np.asarray(encoding.special_tokens_mask) == 0) & (spans[:, 0] >= 0)
        return cls(unit(dense[None])[0], tokens[own], spans[own])


@dataclass(frozen=True, slots=True)
class EncodedPassage:
    """A passage's unit vector, shape (dimension,), and its tokens' packed vectors and spans."""

    dense: Vectors
    tokens: PackedTokens
    spans: TokenSpans


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """A question's unit vector, shape (1, dimension), and its tokens' unit vectors, shape (tokens, width)."""

    dense: Vectors
    tokens: Vectors
    spans: TokenSpans


class Encoder(ABC):
    """A loaded encoder. Threads may share it; they take turns.

    `window` is how many tokens of a text are read, without special ones and the model's prompt; `dimension`
    is the length of a vector; `export` is the model's export, if it has one.
    """

    model: Model
    window: int
    dimension: int
    export: Export | None = None

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @abstractmethod
    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Compute the vectors of one batch, with the model's prompt for questions or for passages."""

    @abstractmethod
    def _count_tokens(self, texts: Sequence[str]) -> list[int]: ...

    @property
    @abstractmethod
    def words(self) -> frozenset[str]:
        """The vocabulary's words of two or more letters, in lower case; none if tokens have no vectors."""

    @property
    def producer(self) -> str:
        """What computes the vectors: "reference", or the SHA-256 of an export that agrees with it."""
        return self.export.digest if self.export else REFERENCE

    def encode_passages(self, texts: Sequence[str], basis: Basis) -> list[EncodedPassage]:
        """Return the vectors of each text, in order; a text is read up to the window."""
        encoded: dict[int, EncodedPassage] = {}
        for rows in _batches([len(text) for text in texts]):
            batch = self._encode([texts[row] for row in rows], question=False)
            packed = pack(np.concatenate([vectors.tokens for vectors in batch]), basis)
            ends = np.cumsum([len(vectors.tokens) for vectors in batch])[:-1]
            for row, vectors, tokens in zip(rows, batch, np.split(packed, ends), strict=True):
                encoded[row] = EncodedPassage(vectors.dense, tokens, vectors.spans)
        return [encoded[row] for row in range(len(texts))]

    def encode_question(self, text: str, basis: Basis) -> EncodedQuestion:
        """Return a question's vectors; it is read up to the window."""
        (vectors,) = self._encode([text], question=True)
        return EncodedQuestion(vectors.dense[None], project(vectors.tokens, basis), vectors.spans)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without special ones."""
        counts: list[int] = []
        for start in range(0, len(texts), _COUNTED_AT_ONCE):
            with self._lock:  # truncation is a setting of the tokenizer
                counts += self._count_tokens(texts[start : start + _COUNTED_AT_ONCE])
        return counts

    @functools.cached_property
    def basis(self) -> Basis:
        """The basis in which token vectors are packed, shape (dimension, width).

        It is computed in a second or two from random runs of the vocabulary's words, with a fixed seed, so
        that it depends on the model alone.
        """
        if not self.words:
            return np.eye(self.dimension, min(self.dimension, WIDTH), dtype=np.float32)
        chosen = np.random.default_rng(_BASIS_SEED).choice(sorted(self.words), (_BASIS_TEXTS, _BASIS_WORDS))
        vectors = [self._encode([" ".join(words)], question=False)[0] for words in chosen]
        return find_basis(np.concatenate([text.tokens for text in vectors]))

    def _encode(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        with self._lock:
            return self.encode_batch(texts, question=question)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield rows of texts with these lengths in batches of bounded size, padding included, the longest first.

    Texts of one length share a batch, so little is padding, and a text too large for memory fails at once.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_CHARACTERS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
