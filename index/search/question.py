"""A question as it is searched for: its terms, each with every form that meets it, and what it asks for.

People write as they like: misspelt, run together, in words or digits, short or in full. A term holds the
other ways to write it, so that the rest of the search need not know of them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from index.articles.article import HEADING_PARTS
from index.encoding.encoder import Encoder
from index.folding import WORD, fold
from index.language import function_words, parts_asked_for, straighten
from index.search.abbreviations import Abbreviations
from index.search.parts import Part
from index.search.spelling import Reading, Vocabulary
from index.search.values import Value, find_values, value_terms
from index.search.wanted import Wanted, wanted
from index.storage.store import Store

__all__ = ["Question", "QuestionReader", "Term"]

_LENGTH = 2_000
"""Characters of a question that are searched for; more would say no more, and cost time."""

_TERMS = 32
"""Words of a question that are looked up."""

_FUNCTION_WORD = 1.0
"""Rarity that a function word is given at most: in a few articles "does" may be rarer than any name."""

_RAREST = 4.0
"""Rarity beyond which a term tells no more: a name that one passage in a thousand has is not worth twice one
that one in fifty has. Chosen on xquad-en and clapnq."""

_SURE_OF_NAME = 0.9
"""Sureness from which on a name (with a capital, and not the first word) is taken for a misspelt one."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a question, or a value of several words ("two thirds").

    `start` and `end` are its place in the text that is searched for. `forms` are phrases, each
    of which meets the term. `rarity` is its inverse document frequency, 0 to 4. `says` tells whether the term
    says what the question is about; a function word does not. `sureness` is below 1 for a guess at spelling.
    """

    typed: str
    start: int
    end: int
    forms: tuple[str, ...]
    rarity: float
    says: bool
    sureness: float = 1.0

    @property
    def weight(self) -> float:
        """How much it counts that a text meets the term."""
        return self.rarity * self.sureness


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read. `text` is what the encoder reads: as typed, or with its spelling corrected."""

    typed: str
    text: str
    terms: tuple[Term, ...]
    parts: frozenset[str]
    """Parts of an article's heading that it may ask for."""
    wanted: Wanted
    language: str
    notes: tuple[str, ...] = ()
    """How words were read otherwise than they were typed, for people."""
    read_only: int = 0
    """Characters of what was typed that were read, where there are more; else 0."""

    @property
    def in_all_forms(self) -> str:
        """The text with the other forms of its terms after it: what is in it is no news to the asker."""
        words = (form for term in self.terms for form in term.forms[1:])
        return " ".join([self.text, *dict.fromkeys(words)])


class QuestionReader:
    """Reads questions by the words of one collection."""

    def __init__(self, store: Store, encoder: Encoder, without: Collection[Part] = ()) -> None:
        """Take the collection's words and abbreviations from the store."""
        self._store = store
        self._without = frozenset(without)
        self._language = store.manifest.passage_settings["language"]
        self._function_words = function_words(self._language)
        self._ordinary = encoder.words
        self._vocabulary = Vocabulary(store.words(), encoder.words, self._language)
        pairs = [] if Part.ABBREVIATIONS in self._without else store.abbreviations()
        self._abbreviations = Abbreviations(pairs)

    def read(self, typed: str) -> Question:
        """Read any text; one without letters and digits has no terms."""
        # Composing may make one character three, so it is cut again; and a word may be all that there is.
        text = straighten(typed[:_LENGTH])[:_LENGTH]
        words = list(itertools.islice(WORD.finditer(text), _TERMS))
        readings = self._spell([word[0] for word in words])
        text, places = _rewrite(text, words, readings)
        terms = self._terms(text, places, readings)
        return Question(
            typed=typed,
            text=text,
            terms=terms,
            parts=self._parts([fold(text[a:b]) for a, b in places], terms),
            wanted=wanted(text, self._language),
            language=self._language,
            notes=tuple(_notes(readings)),
            read_only=_LENGTH if len(typed) > _LENGTH and typed[_LENGTH:].strip() else 0,
        )

    def _parts(self, words: Sequence[str], terms: Sequence[Term]) -> frozenset[str]:
        """Return the parts of a heading that a question may ask for.

        A name that stands in headings alone ("Who is Ines Falk?") asks for whatever says it.
        """
        asked = parts_asked_for(words, self._language)
        saying = [term.forms for term in terms if term.says]
        if asked or not saying or not self._store.only_in_headings(saying):
            return asked
        return frozenset(HEADING_PARTS) - {"title"}

    def _spell(self, words: Sequence[str]) -> list[Reading]:
        if Part.SPELLING in self._without:
            return [Reading(word, (fold(word),), "known", 1.0) for word in words]
        readings = self._vocabulary.read(words, self._function_words, self._store.adjacent)
        return [
            Reading(one.term, (fold(one.term),), "unknown", 0.0)
            if (at and _is_doubtful(one)) or self._is_rare(one)
            else one
            for at, one in enumerate(readings)
        ]

    def _is_rare(self, reading: Reading) -> bool:
        """Tell whether a word was corrected that the articles have; too rare for the words read by."""
        return reading.kind == "corrected" and self._store.counts([[fold(reading.term)]]) != [0]

    def _terms(self, text: str, places: Sequence[Span], readings: Sequence[Reading]) -> tuple[Term, ...]:
        """Return the terms, the words of one value taken together."""
        met = list(self._met(text, places, readings))
        counts = self._store.counts([one.forms for one in met])
        return tuple(self._term(text, one, count) for one, count in zip(met, counts, strict=True))

    def _met(self, text: str, places: Sequence[Span], readings: Sequence[Reading]) -> Iterator[_Met]:
        """Yield what stands for each term, in order."""
        values = [] if Part.VALUES in self._without else find_values(text, self._language)
        others = self._abbreviations.find(text, self._ordinary)
        at = 0
        while at < len(places):
            start, end = places[at]
            reading = readings[at]
            value = next((one for one in values if one.start <= start < one.end), None)
            at += 1
            while value and at < len(places) and places[at][0] < value.end:
                end = places[at][1]
                at += 1
            forms = [_phrase(text[start:end]), *self._other_forms(text, reading, value)]
            forms += [_phrase(form) for a, b, names in others if a <= start < b for form in names]
            known = tuple(dict.fromkeys(form for form in forms if form))
            yield _Met((start, end), known, reading, value is not None)

    def _other_forms(self, text: str, reading: Reading, value: Value | None) -> Iterator[str]:
        if value is not None:
            yield from map(_phrase, value_terms(text[value.start : value.end], self._language))
        elif reading.kind in {"split", "joined"}:
            yield _phrase(reading.term)
            yield _phrase(" ".join(reading.words))

    def _term(self, text: str, met: _Met, count: int) -> Term:
        start, end = met.span
        says = met.is_value or fold(text[start:end]) not in self._function_words
        guessed = met.reading.kind in {"corrected", "split", "joined"}
        rarity = _rarity(count, self._store.manifest.passages)
        return Term(
            typed=text[start:end] if met.is_value else met.reading.term,
            start=start,
            end=end,
            forms=met.forms,
            rarity=min(rarity, _RAREST if says else _FUNCTION_WORD),
            says=says,
            sureness=met.reading.sureness if guessed else 1.0,
        )


@dataclass(frozen=True, slots=True)
class _Met:
    """What stands for a term in a question: its place, every way to write it, and how it was read."""

    span: Span
    forms: tuple[str, ...]
    reading: Reading
    is_value: bool


def _rarity(count: int, passages: int) -> float:
    """Return the inverse document frequency, log(1 + (N - n + 0.5) / (n + 0.5)).

    N counts passages and n those that meet the term. Source: Lucene's BM25Similarity, which adds 1 so that a
    term of more than half the passages does not count against a passage.
    """
    return math.log(1 + (passages - count + 0.5) / (count + 0.5))


def _is_doubtful(reading: Reading) -> bool:
    """Tell whether a name was corrected: people ask about names that the articles lack, spelt rightly."""
    name = reading.term.istitle() and reading.kind == "corrected"
    return name and reading.sureness < _SURE_OF_NAME


def _phrase(words: str) -> str:
    """Return words as a phrase, "" without any: with nothing between them that an engine could misread."""
    return " ".join(WORD.findall(words.lower()))


def _rewrite(
    text: str, words: Sequence[re.Match[str]], readings: Sequence[Reading]
) -> tuple[str, list[Span]]:
    """Return the text with corrected words in it, and where each word stands there."""
    pieces: list[str] = []
    places: list[Span] = []
    done = length = 0
    for word, reading in zip(words, readings, strict=True):
        shown = word[0]
        if reading.kind in {"corrected", "split"}:
            shown = " ".join(reading.words)
        between = text[done : word.start()]
        start = length + len(between)
        pieces += [between, shown]
        places.append((start, start + len(shown)))
        length, done = start + len(shown), word.end()
    return "".join([*pieces, text[done:]]), places


def _notes(readings: Sequence[Reading]) -> Iterator[str]:
    """Yield a line on each word that is read otherwise; the two halves of one joined word share theirs."""
    for (words, kind), group in itertools.groupby(readings, lambda one: (one.words, one.kind)):
        if kind in {"corrected", "split", "joined"}:
            typed = " ".join(dict.fromkeys(one.term for one in group))
            yield f"{typed} read as {' '.join(words)}"
