"""What an encoder stands on: the seam to whatever computes the vectors, and what all of these share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.encoding.compression import Basis, Vectors

__all__ = ["Backend", "TextVectors", "TokenSpans", "own_tokens", "whole_words"]

TokenSpans = npt.NDArray[np.int32]
"""Where each token stands in its text, in code points: shape (tokens, 2)."""

_WORD_START = "▁Ġ"
"""How tokenizers mark a word's beginning: SentencePiece, and byte-level BPE."""


@dataclass(frozen=True, slots=True)
class TextVectors:
    """What one forward pass gives of a text.

    `dense` is its unit vector, shape (dimension,); `tokens` the vectors of its own tokens, neither special
    nor of a prompt, shape (tokens, dimension); `spans` where they stand in it.
    """

    dense: Vectors
    tokens: Vectors
    spans: TokenSpans


class Backend(Protocol):
    """Computes vectors; used by one thread at a time.

    `producer` tells what computes them, "reference" or the SHA-256 of the graph; `window` is how many tokens
    of its own a text may have, `dimension` the length of a vector.
    """

    producer: str
    window: int
    dimension: int

    def encode(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Return the vectors of one batch of texts, each read as a question or as a passage."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without the special ones around it."""
        ...

    def words(self) -> frozenset[str]:
        """Return the whole words of the vocabulary, in lower case; none without vectors of tokens."""
        ...

    def basis(self) -> Basis | None:
        """Return the basis that was found before, where it is kept."""
        ...

    def one_thread(self) -> AbstractContextManager[None]:
        """Compute on one thread in the block."""
        ...


def whole_words(vocabulary: Iterable[str]) -> frozenset[str]:
    """Return the vocabulary's words that are letters alone and more than one, in lower case."""
    words = (word.lstrip(_WORD_START).lower() for word in vocabulary)
    return frozenset(word for word in words if word.isalpha() and len(word) > 1)


def own_tokens(
    text: str, prompt: str, offsets: Iterable[tuple[int, int]], special: Sequence[int]
) -> tuple[npt.NDArray[np.bool_], TokenSpans]:
    """Return which tokens of a prompt and its text are the text's own, and where these stand in the text.

    `offsets` and `special` are as the tokenizer gives them for both together, a pair and a flag a token.
    """
    whole = prompt + text
    bare = [_without_space_before(whole, *span) for span in offsets]
    spans = np.asarray(bare, dtype=np.int32).reshape(-1, 2) - len(prompt)
    kept = (np.asarray(special) == 0) & (spans[:, 0] >= 0)
    return kept, spans[kept]


def _without_space_before(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a token's span without the space that SentencePiece takes for a part of the next word."""
    while start < end and text[start].isspace():
        start += 1
    return start, end
