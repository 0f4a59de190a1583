"""The words of a sentence that are the answer itself, where the signals point at them; otherwise none.

The candidates are the new names or values of the kind that is asked for (see `wanted`). Each weighs

    nearness   the sum over the question's content words in the sentence of 1 / (1 + d), where d counts the
               words, and once more the commas, between the word's nearest place and the candidate
    cues       a tenth for each that speaks for a name of a person
    counted    a half where the thing that is counted ("how many stops") stands within three words after

and the heaviest is shown if it is the only one, or outweighs the next by a margin for its kind. Margins were
fitted on xquad-en without the articles that squad2 has. Places and names of other things are not shown: at
best two in three of the places were right, and of the names fewer than half in Spanish.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from index.folding import WORD, fold
from index.language import function_words
from index.search.lexicon import lexicon
from index.search.wanted import Candidate, Span, Wanted, wanted, weighed_candidates

__all__ = ["highlight"]

_LONGEST = 2_000
"""Characters of a question and of a sentence that are looked at; a longer sentence is shown as it is."""

_STEM = 5
_CUE = 0.1
_COUNTED = 0.5
_COUNTED_WITHIN = 3


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a candidate of a kind must reach: a margin over the next, and a nearness."""

    margin: float
    nearness: float = 0.0


_RULES = {
    Wanted.PERSON: _Rule(0.4, 0.3),
    Wanted.NUMBER: _Rule(0.7),
    Wanted.MONEY: _Rule(0.5),
    Wanted.SHARE: _Rule(0.5),
    Wanted.DATE: _Rule(0.5),
    Wanted.DURATION: _Rule(0.5),
}


def highlight(question: str, sentence_text: str, language: str) -> Span | None:
    """Return the span in a sentence of the words that answer a question; None where that is not clear."""
    if len(sentence_text) > _LONGEST:
        return None
    kind = wanted(question, language)
    rule = _RULES.get(kind)
    found = weighed_candidates(sentence_text, kind, question, language) if rule else []
    if rule is None or not found:
        return None
    asked = _asked(question[:_LONGEST], language)
    words = _Words.of(sentence_text, asked)
    weights = sorted((_weigh(one, words, sentence_text, asked) for one in found), key=lambda one: -one.total)
    best = weights[0]
    clear = len(weights) == 1 or best.total - weights[1].total >= rule.margin
    if not clear or best.nearness < rule.nearness:
        return None
    return _year_only(sentence_text, best.span) if asked.year else best.span


@dataclass(frozen=True, slots=True)
class _Asked:
    """The stems of a question's content words, those of what it counts, and whether it asks for a year."""

    content: frozenset[str]
    counted: frozenset[str]
    year: bool


@lru_cache(maxsize=256)
def _asked(question: str, language: str) -> _Asked:
    lex = lexicon(language)
    terms = WORD.findall(fold(question))
    content = frozenset(
        term[:_STEM] for term in terms if len(term) > 2 and term not in _folded_function_words(language)
    )
    counting = lex.any_of("many") | lex.any_of("count")
    place = next((at for at, term in enumerate(terms) if term in counting), len(terms))
    counted = content.intersection(term[:_STEM] for term in terms[place + 1 : place + 3])
    asking = lex.any_of("what") | lex.any_of("which")
    year = any(a in asking and b in lex.any_of("year") for a, b in itertools.pairwise(terms))
    return _Asked(content, counted, year)


@lru_cache(maxsize=16)
def _folded_function_words(language: str) -> frozenset[str]:
    return frozenset(map(fold, function_words(language)))


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a sentence: where each begins and ends, its stem; and the places of the question's."""

    starts: Sequence[int]
    ends: Sequence[int]
    stems: Sequence[str]
    asked: Mapping[str, Sequence[int]]

    @staticmethod
    def of(text: str, asked: _Asked) -> _Words:
        matches = list(WORD.finditer(text))
        stems = [fold(match[0])[:_STEM] for match in matches]
        places: dict[str, list[int]] = {}
        for at, stem in enumerate(stems):
            if stem in asked.content:
                places.setdefault(stem, []).append(at)
        return _Words([match.start() for match in matches], [match.end() for match in matches], stems, places)


@dataclass(frozen=True, slots=True)
class _Weight:
    total: float
    nearness: float
    span: Span


def _weigh(one: Candidate, words: _Words, text: str, asked: _Asked) -> _Weight:
    """Weigh a candidate by the question's words around it; its own words do not count."""
    first = bisect_right(words.ends, one.start)
    last = bisect_left(words.starts, one.end) - 1
    near: list[tuple[int, float]] = []
    for places in words.asked.values():
        before, after = bisect_left(places, first), bisect_right(places, last)
        # Of the places on one side, the nearest has also the fewest commas between.
        distances = [first - at + text.count(",", words.ends[at], one.start) for at in places[:before][-1:]]
        distances += [at - last + text.count(",", one.end, words.starts[at]) for at in places[after:][:1]]
        if distances:
            near.append((places[0] if before else places[after], 1 / (1 + min(distances))))
    nearness = sum(weight for _, weight in sorted(near))
    following = words.stems[first : last + 1 + _COUNTED_WITHIN]
    counted = not asked.counted.isdisjoint(following)
    return _Weight(nearness + _CUE * one.cues + _COUNTED * counted, nearness, (one.start, one.end))


_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")


def _year_only(text: str, span: Span) -> Span:
    """Return the year within a date; the whole of one that has no year in digits."""
    match = _YEAR.search(text, *span)
    return match.span() if match else span
