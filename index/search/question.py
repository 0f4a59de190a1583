"""A question as it is searched: its terms, each with every form that matches it.

People misspell words, run them together, and use abbreviations. A term holds the other ways to write it, so
that the rest of the search need not know of them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.analysis import fold, words
from index.articles.article import HEADING_PARTS
from index.language import function_words, heading_parts_asked_for, normalize_question
from index.search.abbreviations import Abbreviations
from index.search.identifiers import Identifier, find_identifiers, find_words
from index.search.spelling import Reading, Vocabulary

if TYPE_CHECKING:
    from index.encoding.encoder import Encoder
    from index.storage.store import Store

__all__ = ["Question", "QuestionReader", "Term"]

_LENGTH = 2_000  # characters of a question that are searched
_TERMS = 32  # words of a question that are looked up
# In a few articles, "does" may be rarer than any name.
_FUNCTION_WORD_RARITY = 1.0
# A name that one passage in a thousand has is not worth twice one that one in fifty has. Chosen on xquad-en
# and clapnq.
_HIGHEST_RARITY = 4.0
_SURE_OF_NAME = 0.9  # from which a capitalised word after the first is corrected

_READ_OTHERWISE = frozenset({"corrected", "split", "joined"})

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a question.

    `start` and `end` are its span in the text that is searched. `forms` are phrases, each of which matches
    the term. `rarity` is its inverse document frequency, 0 to 4. `is_content` is False for a function word.
    `sureness` is below 1 for a guess at its spelling.
    """

    typed: str
    start: int
    end: int
    forms: tuple[str, ...]
    rarity: float
    is_content: bool
    sureness: float = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read. `text` is what the encoder reads: as typed, or with its spelling corrected.

    `heading_parts` are those of an article's heading that it may ask for. `notes` say for people how words
    were read otherwise than typed. `read_only` is how many characters were read where there are more, else 0.
    """

    typed: str
    text: str
    terms: tuple[Term, ...]
    heading_parts: frozenset[str]
    language: str
    notes: tuple[str, ...] = ()
    read_only: int = 0
    identifiers: tuple[Identifier, ...] = ()


class QuestionReader:
    """Reads questions by the words of one collection."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        """Take the collection's vocabulary and abbreviations from the store."""
        self._store = store
        self._language = store.info.language
        self._function_words = function_words(self._language)
        self._ordinary_words = encoder.words
        self._vocabulary = Vocabulary(store.vocabulary(), encoder.words, self._language)
        self._abbreviations = Abbreviations(store.abbreviations())

    def read(self, typed: str) -> Question:
        """Read any text; one without letters and digits has no terms."""
        # Composing may make one character three, so the text is cut again.
        text = normalize_question(typed[:_LENGTH])[:_LENGTH]
        matches = list(itertools.islice(find_words(text), _TERMS))
        readings = self._spell([match[0] for match in matches])
        text, spans = _rewrite(text, matches, readings)
        identifiers = tuple(find_identifiers(text, self._language))
        terms = self._terms(text, spans, readings, identifiers)
        return Question(
            typed=typed,
            text=text,
            terms=terms,
            heading_parts=self._heading_parts([fold(text[a:b]) for a, b in spans], terms),
            language=self._language,
            identifiers=identifiers,
            notes=tuple(_notes(readings)),
            read_only=_LENGTH if len(typed) > _LENGTH and typed[_LENGTH:].strip() else 0,
        )

    def _heading_parts(self, question: Sequence[str], terms: Sequence[Term]) -> frozenset[str]:
        asked = heading_parts_asked_for(question, self._language)
        content = [term.forms for term in terms if term.is_content]
        if asked or not content or not self._store.only_in_headings(content):
            return asked
        # A name that stands in headings alone ("Who is Ines Falk?") asks for whichever part has it.
        return frozenset(HEADING_PARTS) - {"title"}

    def _spell(self, typed: Sequence[str]) -> list[Reading]:
        readings = self._vocabulary.read(typed, self._function_words, self._adjacent)
        return [
            Reading(reading.term, (fold(reading.term),), "unknown", 0.0)
            if (at and _is_doubtful(reading)) or self._is_rare_word(reading)
            else reading
            for at, reading in enumerate(readings)
        ]

    def _adjacent(self, left: str, right: str) -> bool:
        return bool(self._store.with_phrase(f"{left} {right}", 1))

    def _is_rare_word(self, reading: Reading) -> bool:
        """Tell whether a corrected word is one that the articles have, though the vocabulary lacks it."""
        return reading.kind == "corrected" and self._store.passage_counts([[fold(reading.term)]]) != [0]

    def _terms(
        self, text: str, spans: Sequence[Span], readings: Sequence[Reading], identifiers: Sequence[Identifier]
    ) -> tuple[Term, ...]:
        others = self._abbreviations.find(text, self._ordinary_words)
        forms = [
            _forms(text[start:end], start, reading, others)
            for (start, end), reading in zip(spans, readings, strict=True)
        ]
        counts = self._store.passage_counts(forms)
        terms = []
        for (start, end), phrases, reading, count in zip(spans, forms, readings, counts, strict=True):
            is_content = fold(text[start:end]) not in self._function_words
            rarity = _inverse_document_frequency(count, self._store.info.passages)
            rarity = min(rarity, _HIGHEST_RARITY if is_content else _FUNCTION_WORD_RARITY)
            if any(one.start <= start < one.end for one in identifiers):
                rarity = _HIGHEST_RARITY  # it names one thing, however few the articles are
            sureness = reading.sureness if reading.kind in _READ_OTHERWISE else 1.0
            terms.append(Term(reading.term, start, end, phrases, rarity, is_content, sureness))
        return tuple(terms)


def _forms(
    word: str, start: int, reading: Reading, others: Sequence[tuple[int, int, tuple[str, ...]]]
) -> tuple[str, ...]:
    """Return every way to write a word: as it stands, joined or split, abbreviated or in full."""
    forms = [word]
    if version := re.fullmatch(r"[vV]?(\d+\..+)", word):
        forms += [version[1], f"v{version[1]}"]
    if reading.kind in {"split", "joined"}:
        forms += [reading.term, " ".join(reading.words)]
    forms += [form for first, end, names in others if first <= start < end for form in names]
    phrases = (" ".join(words(form)) for form in forms)
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


def _inverse_document_frequency(count: int, passages: int) -> float:
    # Lucene's BM25Similarity, whose 1 keeps a term of more than half the passages from counting against one.
    return math.log(1 + (passages - count + 0.5) / (count + 0.5))


def _is_doubtful(reading: Reading) -> bool:
    # People ask about names that the articles lack.
    is_name = reading.term.istitle() and reading.kind == "corrected"
    return is_name and reading.sureness < _SURE_OF_NAME


def _rewrite(
    text: str, matches: Sequence[re.Match[str]], readings: Sequence[Reading]
) -> tuple[str, list[Span]]:
    """Return the text with words corrected and split, and the span of each word in it."""
    pieces: list[str] = []
    spans: list[Span] = []
    done = length = 0
    for match, reading in zip(matches, readings, strict=True):
        shown = " ".join(reading.words) if reading.kind in {"corrected", "split"} else match[0]
        between = text[done : match.start()]
        start = length + len(between)
        pieces += [between, shown]
        spans.append((start, start + len(shown)))
        length, done = start + len(shown), match.end()
    return "".join([*pieces, text[done:]]), spans


def _notes(readings: Sequence[Reading]) -> Iterator[str]:
    """Yield a line on each word that is read otherwise; the two halves of a joined word share theirs."""
    for (read_as, kind), group in itertools.groupby(readings, lambda one: (one.words, one.kind)):
        if kind in _READ_OTHERWISE:
            typed = " ".join(dict.fromkeys(reading.term for reading in group))
            yield f"{typed} read as {' '.join(read_as)}"
