"""Our BM25 as inner products of sparse vectors: what a passage says of a word, and what its rarity is.

A stem is a hash of 31 bits; it has one dimension for the text and one for the title. A passage's weight in a
dimension is the part of BM25 that depends on how often the word is there and how long the field is; a
question's is the word's rarity. Lengths are rounded as Lucene and Tantivy do, so scores are those of
`index.storage.words`.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from index.analysis import stem_words, words
from index.storage.words import TITLE_CHARACTERS, TITLE_WEIGHT

__all__ = ["NOTHING", "Document", "Phrase", "WordCounter", "WordStatistics", "dimensions"]

Phrase = Sequence[str]
"""The stems of one phrase."""

NOTHING = 2**32 - 2
"""The dimension of a passage without words, which no word has; Milvus wants one in every vector."""

_K1, _B = 1.2, 0.75
_HASHES = 2**31 - 1
# Lucene's SmallFloat.byte4ToInt: exact up to 40, then four significant bits.
_LENGTHS = [*range(40), *(24 + ((8 | j & 7) << (j >> 3) - 1) for j in range(16, 232))]


def dimensions(stem: str) -> tuple[int, int]:
    """Return the dimensions of a stem in the text and in the title."""
    hashed = 2 * (xxhash.xxh3_64_intdigest(stem.encode()) % _HASHES)
    return hashed, hashed + 1


@dataclass(frozen=True, slots=True)
class Document:
    """The stems of a passage's text and of its article's title and description."""

    text: Sequence[str]
    title: Sequence[str]

    @classmethod
    def of(cls, subject: str, text: str, language: str) -> Document:
        """Return what `WordIndexWriter.add` indexes."""
        return cls(stem_words(words(text), language), stem_words(words(subject[:TITLE_CHARACTERS]), language))

    def count(self, phrase: Phrase) -> int:
        """Return how often the words of a phrase stand side by side in the text."""
        starts = (at for at, stem in enumerate(self.text) if stem == phrase[0])
        return sum(list(self.text[at : at + len(phrase)]) == list(phrase) for at in starts)

    def has(self, phrase: Phrase) -> bool:
        """Tell whether a phrase is in the text, or all of its words in the title."""
        return set(phrase) <= set(self.title) or self.count(phrase) > 0


class WordCounter:
    """Counts the words of a collection, passage by passage."""

    def __init__(self) -> None:
        self._counts = Counter[int](), Counter[int](), Counter[int]()
        self._lengths = [0, 0]
        self._passages = 0

    def add(self, document: Document) -> None:
        """Count a passage."""
        text, title = ({dimensions(stem)[0] for stem in part} for part in (document.text, document.title))
        for counter, found in zip(self._counts, (text, title, text | title), strict=True):
            counter.update(found)
        self._lengths[0] += len(document.text)
        self._lengths[1] += len(document.title)
        self._passages += 1

    def finish(self) -> WordStatistics:
        """Return the statistics of all that was counted."""
        known = sorted(self._counts[2])
        table = np.array([[count[word] for word in known] for count in self._counts], dtype=np.uint32)
        means = [length / max(1, self._passages) for length in self._lengths]
        return WordStatistics(np.array(known, dtype=np.uint32), table, self._passages, means[0], means[1])


@dataclass(frozen=True, slots=True, eq=False)
class WordStatistics:
    """How many passages have each stem: 16 bytes a distinct stem.

    `table`, shape (3, stems), counts those that have it in the text, in the title, and in either; `known` are
    their dimensions in order.
    """

    known: npt.NDArray[np.uint32]
    table: npt.NDArray[np.uint32]
    passages: int
    mean_text: float
    mean_title: float

    def counts(self, stem: str) -> tuple[int, int, int]:
        """Return how many passages have a stem in the text, in the title, and in either."""
        word = dimensions(stem)[0]
        at = int(np.searchsorted(self.known, word))
        if at == len(self.known) or self.known[at] != word:
            return 0, 0, 0
        text, title, either = (int(count) for count in self.table[:, at])
        return text, title, either

    def vector(self, document: Document) -> dict[int, float]:
        """Return a passage's sparse vector."""
        fields = (document.text, self.mean_text), (document.title, self.mean_title)
        weights = {
            dimensions(stem)[field]: _saturated(count, len(stems), mean)
            for field, (stems, mean) in enumerate(fields)
            for stem, count in Counter(stems).items()
        }
        return weights or {NOTHING: 1.0}

    def question(self, phrases: Iterable[Phrase]) -> dict[int, float]:
        """Return the sparse vector of phrases of one word each."""
        weights: defaultdict[int, float] = defaultdict(float)
        for (stem,) in phrases:
            (text, title), (in_text, in_title, _) = dimensions(stem), self.counts(stem)
            weights[text] += self._rarity(in_text) if in_text else 0.0
            weights[title] += TITLE_WEIGHT * self._rarity(in_title) if in_title else 0.0
        return {dimension: weight for dimension, weight in weights.items() if weight > 0}

    def score(self, document: Document, phrases: Iterable[Phrase]) -> float:
        """Return the BM25 of a passage for any phrases: of several words, side by side in the text."""
        titles = Counter(document.title)
        score = 0.0
        for phrase in phrases:
            rarity = sum(self._rarity(self.counts(stem)[0]) for stem in phrase)
            score += rarity * _saturated(document.count(phrase), len(document.text), self.mean_text)
            if all(titles[stem] for stem in phrase):
                score += TITLE_WEIGHT * sum(
                    self._rarity(self.counts(stem)[1])
                    * _saturated(titles[stem], len(document.title), self.mean_title)
                    for stem in phrase
                )
        return score

    def _rarity(self, count: int) -> float:
        return (_K1 + 1) * math.log(1 + (self.passages - count + 0.5) / (count + 0.5))


def _saturated(count: int, length: int, mean: float) -> float:
    rounded = _LENGTHS[bisect.bisect_right(_LENGTHS, length) - 1]
    return count / (count + _K1 * (1 - _B + _B * rounded / mean)) if count else 0.0
