"""The words of a question, read by the words of the collection: misspelt, run together, taken apart.

A question is searched for by its words, and one wrong letter hides every passage that has the word. But
people also ask for what the articles do not have, and a name that is turned into another one brings an answer
to a question that nobody asked. So a term is read as another word only where that is clearly the likelier
story, and never where it is a word in its own right.

Words are near by optimal string alignment distance (Damerau, "A technique for computer detection and
correction of spelling errors", 1964, each piece edited once), as rapidfuzz computes it. Which of the near
words is meant is weighed as in a noisy channel (Kernighan, Church and Gale, "A spelling correction program
based on a noisy channel model", 1990): how likely the slip is, times how common the word is. Among the rivals
are common words that the collection lacks, and the chance that the term is a word nobody listed:

    weight(word) = exp(-3.5 x cost) x prior,     chance(term) = exp(2.0 - 1.2 x letters(term))
    prior        = passages(word) ^ 0.25, or 0.5 for a word that the collection lacks
    sureness     = the weights of the best word and its forms, divided by all weights and the chance

The numbers, and those of `_cost`, were chosen on xquad-en. Inflected forms are those with one Snowball stem.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from posixpath import commonprefix
from typing import Literal

import Stemmer

from index.folding import fold

__all__ = ["Adjacent", "Kind", "Reading", "Vocabulary"]

Kind = Literal["known", "corrected", "split", "joined", "unknown"]
"""How a term is read; see `Reading`."""

Adjacent = Callable[[str, str], bool]
"""Tells whether two folded words stand side by side, in this order, in some passage."""

_SHORTEST = 4
"""Letters of the shortest term that is corrected: below it, every word is one slip from many others."""

_LONGEST = 32
"""Letters of the longest word that is compared; longer ones are addresses, sequences and hostility."""

_SLIP = 3.5
_PRIOR = 0.25
_LACKED = 0.5
_CHANCE = (2.0, 1.2)

_SURE = 0.6
"""The least sureness of a correction that is given."""

_SEEN = 0.9
"""Sureness of a reading that the collection's own words show: joined, or split as it stands in a passage."""

_UNSEEN = 0.5
"""Sureness of a split that was not looked up."""

_SHORT_HALF = 8
"""Letters of the shortest term that is split into a word of two letters and another."""

_HEADS = 64
"""How many first letters, of those that begin the most words, are tried in place of a term's own."""


_LOOK_UPS = 200
"""How often it is asked whether two words stand side by side: of a long text run together, many might."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one term of a question is read.

    `words` are folded: the term itself where it is left alone ("known", "unknown"), the word it was
    "corrected" to, the two that it was "split" into, or the one that it makes with the term beside it
    ("joined"; both terms carry it). `sureness` is from 0 to 1: 1 for a known term, 0 for an unknown one.
    """

    term: str
    words: tuple[str, ...]
    kind: Kind
    sureness: float


class Vocabulary:
    """The words of a collection, with the number of passages that have each; safe to use from threads."""

    def __init__(
        self,
        words: Mapping[str, int] | Iterable[tuple[str, int]],
        common_words: Collection[str] = (),
        language: str = "en",
    ) -> None:
        """Take the collection's folded words, and words that are right though the collection lacks them.

        `language` is a name or a code that Snowball knows; of another one, no inflected forms are known.
        """
        self._counts = dict(words)
        self._common = frozenset(common_words)
        self._language = language if _has_stemmer(language) else None
        self._buckets: dict[str, dict[int, list[str]]] = {}

    @cached_property
    def _begun(self) -> dict[str, list[str]]:
        """The words by their first letter, parted when first a word is not known; most questions know all."""
        begun: dict[str, list[str]] = {}
        for word in self._counts.keys() | self._common:
            if len(word) <= _LONGEST and word.isalpha():
                begun.setdefault(word[0], []).append(word)
        return begun

    @cached_property
    def _heads(self) -> list[str]:
        """The first letters that the most words begin with."""
        return sorted(self._begun, key=lambda head: (-len(self._begun[head]), head))[:_HEADS]

    def _bucket(self, head: str, length: int) -> Sequence[str]:
        """Return the words of a first letter and a length, sorted."""
        bucket = self._buckets.get(head)
        if bucket is None:
            bucket = {}
            for word in sorted(self._begun.get(head, [])):
                bucket.setdefault(len(word), []).append(word)
            if bucket:
                self._buckets[head] = bucket
        return bucket.get(length, [])

    def __contains__(self, word: object) -> bool:
        return word in self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def knows(self, word: str) -> bool:
        """Tell whether the collection has a folded word, or an inflected form of it."""
        return word in self._counts or any(one in self._counts for one in self._kin(word))

    def splits(self, word: str, function_words: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return the ways to take a folded word apart into two of the collection, the likeliest first.

        Halves have two letters or more; those of three and more come first, then the ones whose rarer half
        is the more common.
        """
        found = []
        for at in range(2, min(len(word), _LONGEST) - 1):
            halves = word[:at], word[at:]
            if all(half in self._counts or half in function_words for half in halves):
                commonness = min(self._counts.get(half, 0) for half in halves)
                found.append((min(map(len, halves)) < 3, -commonness, halves))
        return [halves for _, _, halves in sorted(found)]

    def read(
        self,
        terms: Sequence[str],
        function_words: Collection[str] = (),
        adjacent: Adjacent | None = None,
    ) -> list[Reading]:
        """Return how each term is read, in order; terms are single words, in any case and with accents.

        With `adjacent`, which is asked of few words, more terms are split and joined, and more surely.
        """
        words = [fold(term) for term in terms]
        adjacent = adjacent and _bounded(adjacent, _LOOK_UPS)
        known = [word in function_words or self.knows(word) for word in words]
        joined = self._joined(words, known, function_words, adjacent)
        readings = []
        for at, (term, word) in enumerate(zip(terms, words, strict=True)):
            if at in joined:
                readings.append(Reading(term, (joined[at],), "joined", _SEEN))
            elif known[at]:
                readings.append(Reading(term, (word,), "known", 1.0))
            else:
                read_as, kind, sureness = self._read_unknown(word, function_words, adjacent)
                readings.append(Reading(term, read_as, kind, sureness))
        return readings

    def _joined(
        self, words: list[str], known: list[bool], function_words: Collection[str], adjacent: Adjacent | None
    ) -> dict[int, str]:
        """Return the words that two neighbours make, by the place of each; a term goes with one neighbour.

        Two words that the collection has are two words, unless it never has them side by side; and a function
        word stands for itself ("the ater" is no theater).
        """
        joined: dict[int, str] = {}
        for at, (left, right) in enumerate(pairwise(words)):
            whole = left + right
            if at in joined or min(len(left), len(right)) < 2 or whole not in self._counts:
                continue
            if left in function_words or right in function_words:
                continue
            if known[at] and known[at + 1] and (adjacent is None or adjacent(left, right)):
                continue
            joined[at] = joined[at + 1] = whole
        return joined

    def _read_unknown(
        self, word: str, function_words: Collection[str], adjacent: Adjacent | None
    ) -> tuple[tuple[str, ...], Kind, float]:
        if not (word.isalpha() and _SHORTEST <= len(word) <= _LONGEST):
            return (word,), "unknown", 0.0
        splits = self.splits(word, function_words)
        seen = [one for one in splits if adjacent is not None and adjacent(*one)]
        if seen and min(map(len, seen[0])) >= 3:
            return seen[0], "split", _SEEN
        if not self._is_common(word):
            best, sureness = self._correct(word)
            if sureness >= _SURE:
                return (best,), "corrected", sureness
            if adjacent is None and splits and min(map(len, splits[0])) >= 3:
                return splits[0], "split", _UNSEEN
        if seen and len(word) >= _SHORT_HALF:
            return seen[0], "split", _SEEN
        return (word,), "unknown", 0.0

    def _is_common(self, word: str) -> bool:
        """Tell whether a word is right as it stands: a common one, a form of one, or two of them in one."""
        if word in self._common or any(one in self._common for one in self._kin(word)):
            return True
        # Halves of 3 and 5 letters at least ("counter-act"): two short ones are in many a misspelt word.
        cuts = (at for at in range(3, len(word) - 2) if max(at, len(word) - at) >= 5)
        return any(word[:at] in self._common and word[at:] in self._common for at in cuts)

    def _correct(self, word: str) -> tuple[str, float]:
        """Return the word of the collection that is most likely meant, and how likely; 0 where none is."""
        forms: dict[str, list[tuple[float, str]]] = {}
        stem = self._stemmer()
        for near, distance in self._near(word):
            prior = self._counts[near] ** _PRIOR if near in self._counts else _LACKED
            weight = math.exp(-_SLIP * _cost(word, near, distance)) * prior
            forms.setdefault(stem(near), []).append((weight, near))
        weights = {root: math.fsum(weight for weight, _ in group) for root, group in forms.items()}
        best = max(weights, key=lambda root: (weights[root], root), default="")
        if not best or not any(self.knows(near) for _, near in forms[best]):
            return word, 0.0
        chance = math.exp(_CHANCE[0] - _CHANCE[1] * len(word))
        return max(forms[best])[1], weights[best] / (math.fsum(weights.values()) + chance)

    def _near(self, word: str) -> Iterator[tuple[str, int]]:
        """Yield the words within reach, with their distance.

        A first letter is wrong only on its own. One that is added is not taken for a slip: it makes another
        word more often than not ("apolitical", "devolved").
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

    def _kin(self, word: str) -> Iterator[str]:
        """Yield the words, of the collection and common ones, that share the word's stem."""
        if self._language is None or not 3 <= len(word) <= _LONGEST:
            return
        stem = self._stemmer()
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

    def _stemmer(self) -> Callable[[str], str]:
        """Return a stemmer of one's own: Snowball's are quick to make, and not safe to share."""
        if self._language is None:
            return str
        stem: Callable[[str], str] = Stemmer.Stemmer(self._language, 0).stemWord
        return stem


def _bounded(adjacent: Adjacent, most: int) -> Adjacent:
    """Return the same, but False without being asked after so many times."""
    left = iter(range(most))
    return lambda one, other: next(left, None) is not None and adjacent(one, other)


def _has_stemmer(language: str) -> bool:
    try:
        Stemmer.Stemmer(language)
    except KeyError:
        return False
    return True


def _cost(term: str, word: str, distance: int) -> float:
    """Return how unlikely it is that a word was typed as a term: its distance, weighed by kind of slip.

    Letters doubled or swapped are cheap, wrong vowels less so, several scattered slips and a wrong first
    letter dear.
    """
    swapped = sorted(term) == sorted(word)
    if swapped or _squeeze(term) == _squeeze(word):
        cost = 0.6 * distance
    elif _skeleton(term) == _skeleton(word):
        cost = 0.75 * distance
    else:
        cost = distance * (1.1 if distance > 1 else 1.0)
    if term[0] != word[0]:
        cost += 1.0 if len(term) == len(word) and not swapped else 0.5
    return cost


def _differ_in_ending(term: str, word: str) -> bool:
    """Tell whether only the last letters differ: then it is a form of the word, or another, not a slip."""
    same = len(commonprefix((term, word)))
    return same >= 4 and max(len(term), len(word)) - same <= 4


def _squeeze(word: str) -> str:
    return word[:1] + "".join(b for a, b in pairwise(word) if a != b)


def _skeleton(word: str) -> str:
    return _squeeze("".join(one for one in word if one not in "aeiou"))
