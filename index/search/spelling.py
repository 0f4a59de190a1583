"""The words of a question, read by the words of the collection: misspelt, run together, taken apart.

People also ask for what the articles do not have. So a word is read as another only where that is clearly
likelier, and never where it is a word in its own right.

Words are near by optimal string alignment distance (Damerau, "A technique for computer detection and
correction of spelling errors", 1964). Which near word is meant is weighed as in a noisy channel (Kernighan,
Church and Gale, "A spelling correction program based on a noisy channel model", 1990): how likely the slip
is, times how common the word is. Among the rivals are common words that the collection lacks, and the chance
that the word is one that nobody listed:

    weight(word) = exp(-3.5 x cost) x prior,     chance(typed) = exp(2.0 - 1.2 x letters(typed))
    prior        = passages(word) ^ 0.25, or 0.5 for a word that the collection lacks
    sureness     = the weights of the best word and its inflections, divided by all weights and the chance

The numbers, and those of `_cost`, were chosen on xquad-en. Inflections are words with one Snowball stem.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from posixpath import commonprefix
from typing import Literal

from index.analysis import fold, stemmer

__all__ = ["Adjacent", "Kind", "Reading", "Vocabulary"]

Kind = Literal["known", "corrected", "split", "joined", "unknown"]
"""How a word is read; see `Reading`."""

Adjacent = Callable[[str, str], bool]
"""Tells whether two folded words stand side by side, in this order, in some passage."""

# Letters of the words that are corrected: a shorter one is one slip from many others, and longer ones are
# addresses, sequences and attacks.
_SHORTEST, _LONGEST = 4, 32
_SLIP, _PRIOR, _LACKED, _CHANCE = 3.5, 0.25, 0.5, (2.0, 1.2)
_SURE = 0.6  # the least sureness of a correction that is made
_SEEN = 0.9  # sureness of a reading that the collection shows: joined, or split as it stands in a passage
_SHORT_HALF = 8  # letters of the shortest word that is split into one of two letters and another
_HEADS = 64  # first letters, those that begin the most words, that are tried in place of a word's own
_ADJACENCY_CHECKS = 200  # look-ups for one question: a long text run together would ask very often


@dataclass(frozen=True, slots=True)
class Reading:
    """How one word of a question is read.

    `words` are folded: the word itself where it is left alone ("known", "unknown"), the word it was
    "corrected" to, the two that it was "split" into, or the one that it makes with the word beside it
    ("joined"; both carry it). `sureness` is 0 to 1: 1 for a known word, 0 for an unknown one.
    """

    term: str
    words: tuple[str, ...]
    kind: Kind
    sureness: float


class Vocabulary:
    """The words of a collection, with the number of passages that have each; safe to use from threads."""

    def __init__(
        self, counts: Mapping[str, int], common_words: Collection[str] = (), language: str = "en"
    ) -> None:
        """Take the collection's folded words, and words that are right though the collection lacks them."""
        self._counts = dict(counts)
        self._common = frozenset(common_words)
        self._language = language
        self._buckets: dict[str, dict[int, list[str]]] = {}

    def read(
        self, terms: Sequence[str], function_words: Collection[str], adjacent: Adjacent
    ) -> list[Reading]:
        """Return how each single word is read, in order; case and accents do not matter."""
        folded = [fold(term) for term in terms]
        adjacent = _limited(adjacent, _ADJACENCY_CHECKS)
        known = [word in function_words or self.knows(word) for word in folded]
        joined = self._joined(folded, known, function_words, adjacent)
        readings = []
        for at, (term, word) in enumerate(zip(terms, folded, strict=True)):
            if at in joined:
                readings.append(Reading(term, (joined[at],), "joined", _SEEN))
            elif known[at]:
                readings.append(Reading(term, (word,), "known", 1.0))
            else:
                readings.append(Reading(term, *self._read_unknown(word, function_words, adjacent)))
        return readings

    def knows(self, word: str) -> bool:
        """Tell whether the collection has a folded word, or an inflection of it."""
        return word in self._counts or any(other in self._counts for other in self._inflections(word))

    def _joined(
        self, folded: list[str], known: list[bool], function_words: Collection[str], adjacent: Adjacent
    ) -> dict[int, str]:
        """Return the words that two neighbours make, by the place of each.

        Two words that the collection has stay two, unless it never has them side by side.
        """
        joined: dict[int, str] = {}
        for at, (left, right) in enumerate(pairwise(folded)):
            whole = left + right
            if at in joined or min(len(left), len(right)) < 2 or whole not in self._counts:
                continue
            if left in function_words or right in function_words:  # "the ater" is no theater
                continue
            if not (known[at] and known[at + 1] and adjacent(left, right)):
                joined[at] = joined[at + 1] = whole
        return joined

    def _read_unknown(
        self, word: str, function_words: Collection[str], adjacent: Adjacent
    ) -> tuple[tuple[str, ...], Kind, float]:
        if not (word.isalpha() and _SHORTEST <= len(word) <= _LONGEST):
            return (word,), "unknown", 0.0
        split = next((halves for halves in self._splits(word, function_words) if adjacent(*halves)), None)
        if split and min(map(len, split)) >= 3:
            return split, "split", _SEEN
        if not self._is_common(word):
            best, sureness = self._correct(word)
            if sureness >= _SURE:
                return (best,), "corrected", sureness
        if split and len(word) >= _SHORT_HALF:
            return split, "split", _SEEN
        return (word,), "unknown", 0.0

    def _splits(self, word: str, function_words: Collection[str]) -> list[tuple[str, str]]:
        """Return the splits into two words of the collection: long halves first, then common ones."""
        found = []
        for at in range(2, len(word) - 1):
            halves = word[:at], word[at:]
            if all(half in self._counts or half in function_words for half in halves):
                commonness = min(self._counts.get(half, 0) for half in halves)
                found.append((min(map(len, halves)) < 3, -commonness, halves))
        return [halves for _, _, halves in sorted(found)]

    def _is_common(self, word: str) -> bool:
        """Tell whether a word is right as it stands: common, an inflection, or two common words in one."""
        if word in self._common or any(other in self._common for other in self._inflections(word)):
            return True
        # Halves of 3 and 5 letters at least ("counter-act"): many a misspelt word has two short ones in it.
        cuts = (at for at in range(3, len(word) - 2) if max(at, len(word) - at) >= 5)
        return any(word[:at] in self._common and word[at:] in self._common for at in cuts)

    def _correct(self, word: str) -> tuple[str, float]:
        """Return the word of the collection that is most likely meant, and its sureness; 0 where none is."""
        stem = stemmer(self._language)
        by_stem: dict[str, list[tuple[float, str]]] = {}
        for near, distance in self._near(word):
            prior = self._counts[near] ** _PRIOR if near in self._counts else _LACKED
            weight = math.exp(-_SLIP * _cost(word, near, distance)) * prior
            by_stem.setdefault(stem(near), []).append((weight, near))
        weights = {root: math.fsum(weight for weight, _ in group) for root, group in by_stem.items()}
        best = max(weights, key=lambda root: (weights[root], root), default="")
        if not best or not any(self.knows(near) for _, near in by_stem[best]):
            return word, 0.0
        chance = math.exp(_CHANCE[0] - _CHANCE[1] * len(word))
        return max(by_stem[best])[1], weights[best] / (math.fsum(weights.values()) + chance)

    def _near(self, word: str) -> Iterator[tuple[str, int]]:
        """Yield the words within reach, with their distance; a wrong first letter counts only on its own.

        A missing first letter is not taken for a slip ("apolitical", "devolved").
        """
        from rapidfuzz import process  # most questions have nothing to correct
        from rapidfuzz.distance import OSA

        reach = 1 if len(word) < 6 else 2 if len(word) < 12 else 3
        for length in range(max(3, len(word) - reach), len(word) + reach + 1):
            bucket = self._bucket(word[0], length)
            found = process.extract(word, bucket, scorer=OSA.distance, score_cutoff=reach, limit=None)
            for near, distance, _ in found:
                if distance < 2 or not _differ_in_ending(word, near):
                    yield near, int(distance)
        begun = {head + rest for head in self._heads for rest in (word, word[1:])}
        for near in sorted(begun | {word[1] + word[0] + word[2:]}):
            if near[0] != word[0] and (near in self._counts or near in self._common):
                yield near, 1

    def _inflections(self, word: str) -> Iterator[str]:
        """Yield the words, of the collection and common ones, that share the word's stem."""
        if not 3 <= len(word) <= _LONGEST:
            return
        stem = stemmer(self._language)
        root = stem(word)
        # A stem may end otherwise than its words do ("happi"), and no ending is longer than "fulnesses".
        prefix = root[: max(2, len(root) - 1)]
        for length in range(len(prefix), len(root) + 9):
            bucket = self._bucket(word[0], length)
            for at in range(bisect_left(bucket, prefix), len(bucket)):
                if not bucket[at].startswith(prefix):
                    break
                if stem(bucket[at]) == root:
                    yield bucket[at]

    @cached_property
    def _by_first_letter(self) -> dict[str, list[str]]:
        begun: dict[str, list[str]] = {}
        for word in self._counts.keys() | self._common:
            if len(word) <= _LONGEST and word.isalpha():
                begun.setdefault(word[0], []).append(word)
        return begun

    @cached_property
    def _heads(self) -> list[str]:
        begun = self._by_first_letter
        return sorted(begun, key=lambda head: (-len(begun[head]), head))[:_HEADS]

    def _bucket(self, head: str, length: int) -> Sequence[str]:
        """Return the words with a first letter and a length, sorted."""
        if head not in self._buckets and head in self._by_first_letter:
            bucket: dict[int, list[str]] = {}
            for word in sorted(self._by_first_letter[head]):
                bucket.setdefault(len(word), []).append(word)
            self._buckets[head] = bucket
        return self._buckets.get(head, {}).get(length, [])


def _limited(adjacent: Adjacent, most: int) -> Adjacent:
    left = iter(range(most))
    return lambda one, other: next(left, None) is not None and adjacent(one, other)


def _cost(typed: str, word: str, distance: int) -> float:
    """Return how unlikely a slip is: its distance, weighed by kind (doubled or swapped letters are cheap)."""
    swapped = sorted(typed) == sorted(word)
    if swapped or _squeeze(typed) == _squeeze(word):
        cost = 0.6 * distance
    elif _skeleton(typed) == _skeleton(word):
        cost = 0.75 * distance
    else:
        cost = distance * (1.1 if distance > 1 else 1.0)
    if typed[0] != word[0]:
        cost += 1.0 if len(typed) == len(word) and not swapped else 0.5
    return cost


def _differ_in_ending(typed: str, word: str) -> bool:
    """Tell whether only the last letters differ: it is then another word, not a slip."""
    same = len(commonprefix((typed, word)))
    return same >= 4 and max(len(typed), len(word)) - same <= 4


def _squeeze(word: str) -> str:
    return word[:1] + "".join(b for a, b in pairwise(word) if a != b)


def _skeleton(word: str) -> str:
    return _squeeze("".join(letter for letter in word if letter not in "aeiou"))
