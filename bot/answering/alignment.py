"""A quote beside what it was changed from: where that stands in a text, and which letters differ."""

from __future__ import annotations

import difflib
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, LCSseq, Levenshtein

from bot.answering.quotations import LEFT_OUT
from index.analysis import WORD, fold
from index.language import words_of

__all__ = ["Change", "ChangeKind", "Likeness", "compare", "is_apart", "most_like", "places_of"]

_ALIKE = 0.75
"""Likeness (1 is the same) from which a sentence counts as changed from another.

Of sentences of squad2 with a letter, a word or a number changed, a "not" put in or a fifth left out, none
came below 0.82; with two fifths left out, 5 in 100 came below 0.72. Of 1,200 sentences of other articles none
was above 0.70, and 1 in 100 above 0.62.
"""

_SHORT, _SHORT_ALIKE = 25, 0.8
"""Letters below which a sentence has to be more like another, since a word of it is much of it."""

_COMMON = 0.5
"""Share of the quote's words that what it was changed from has too, at least."""

_SAME_WORD = 0.5
"""Likeness from which one word is another with letters changed, not another word."""

_LEFT_OUT = 0.4
"""What a word of the article that a quote leaves out counts, where one that it puts in counts 1: words are
left out of the middle, and what comes after them was quoted all the same."""

_REACH = 240
"""Characters by which what a sentence is most like is made longer or shorter than the sentence, at most."""

_END = 300
"""Characters of each end by which a long sentence is looked for: the time grows with the square of them."""

_PIECES_MATCHED, _LETTERS_MATCHED = 240, 50
"""Words, spaces and signs of a sentence, and letters of a word, whose longest common runs are sought: that
shows best what was changed, and takes time with the cube of them."""

_PIECES = re.compile(r"\w+|\s+|[^\w\s]")
_SIGNS = re.compile(r"\w+|[^\w\s]")
_BEFORE, _AFTER = re.compile(r"\w+[^\w.!?…]{1,3}$"), re.compile(r"[^\w.!?…]{1,3}\w+")
_SPACE = re.compile(r"\s")
_SPACES = re.compile(r"\s{2,}")

Span = tuple[int, int]


class ChangeKind(StrEnum):
    """Where a run of letters stands."""

    SAME = "same"
    QUOTED = "quoted"
    """In the quote only."""
    ARTICLE = "article"
    """In the article only."""


@dataclass(frozen=True, slots=True)
class Change:
    """A run of letters that the quote and the article share, or that only one of them has."""

    kind: ChangeKind
    text: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """The part of a text that a sentence is most like, and how like it is, up to 1."""

    start: int
    end: int
    likeness: float


def places_of(sentence: str, text: str) -> Iterator[Span]:
    """Yield where a sentence, in one line, stands in a text in which white space may be wider; in order.

    No place overlaps another. The time is in proportion to the text, whatever stands there.
    """
    flat: list[str] = []
    ends, dropped = [0], [0]
    done = length = 0
    for spaces in _SPACES.finditer(text):
        flat.append(text[done : spaces.start() + 1])
        done = spaces.end()
        length += len(flat[-1])
        ends.append(length)
        dropped.append(done - length)
    line = _SPACE.sub(" ", "".join([*flat, text[done:]]))
    at = line.find(sentence)
    while at >= 0:
        end = at + len(sentence)
        yield at + dropped[bisect_right(ends, at) - 1], end + dropped[bisect_left(ends, end) - 1]
        at = line.find(sentence, end)


def most_like(sentence: str, text: str) -> Likeness | None:
    """Return the part of a text that a sentence may have been changed from; None where nothing is like it.

    Where dots stand for words left out, each part of the sentence is looked for after the one before it, and
    likeness is that of the parts.
    """
    flat = _SPACE.sub(" ", text)
    found: list[Likeness] = []
    weights: list[int] = []
    done = 0
    for part in (one for one in LEFT_OUT.split(sentence) if WORD.search(one)):
        span = _find(part, flat[done:])
        start, end = done + span[0], done + span[1]
        likeness = _likeness(part, flat[start:end])
        enough = _ALIKE if len(part) >= _SHORT else _SHORT_ALIKE
        if likeness < enough or _common(part, flat[start:end]) < _COMMON:
            return None
        found.append(Likeness(start, end, likeness))
        weights.append(len(part))
        done = end
    if not found:
        return None
    mean = sum(one.likeness * weight for one, weight in zip(found, weights, strict=True)) / sum(weights)
    return Likeness(found[0].start, found[-1].end, mean)


def _find(sentence: str, text: str) -> Span:
    """Return the span of whole words of a text that fewest words, then letters, set apart from a sentence."""
    at = text.find(sentence)
    if at >= 0 and is_apart(text, at, at + len(sentence)):
        return at, at + len(sentence)
    start = _align(sentence[:_END], text)[0]
    end = start + _align(sentence[-_END:], text[start:])[1]
    reach = min(len(sentence), _REACH)
    around = list(WORD.finditer(text, max(start - reach, 0), end + reach))
    starts, ends = [one.start() for one in around], [one.end() for one in around]
    words, folded = words_of(sentence), [fold(one[0]) for one in around]

    def cost(first: int, last: int) -> tuple[float, int]:
        others = folded[bisect_left(starts, first) : bisect_right(ends, last)]
        shared = LCSseq.similarity(words, others)
        apart = len(words) - shared + _LEFT_OUT * (len(others) - shared)
        return apart, Indel.distance(sentence, text[first:last])

    for _ in range(2):
        signs = _SIGNS.finditer(text, max(start - reach, 0), min(start + reach, end))
        start = min((one.start() for one in signs), key=lambda one: cost(one, end), default=start)
        signs = _SIGNS.finditer(text, max(end - reach, start), end + reach)
        end = min((one.end() for one in signs), key=lambda one: cost(start, one), default=end)
    return _with_edges(sentence, text, start, end)


def _with_edges(sentence: str, text: str, start: int, end: int) -> Span:
    """Take in the word that the first or last word of a sentence was put for, though it is not alike."""
    steps = Levenshtein.opcodes(words_of(sentence), words_of(text[start:end]))
    tags = [one.tag for one in steps] or ["equal"]
    if tags[0] == "delete" and (before := _BEFORE.search(text[max(start - _END, 0) : start])):
        start -= len(before[0])
    if tags[-1] == "delete" and (after := _AFTER.match(text, end)):
        end = after.end()
        end += text[end : end + 1] == sentence[-1:]
    return start, end


def is_apart(text: str, start: int, end: int) -> bool:
    """Tell whether a part of a text neither begins nor ends within a word.

    Of letters without case, nothing is known of where their words end.
    """
    return not any(
        0 < at < len(text) and all(map(_is_in_words, text[at - 1 : at + 1])) for at in (start, end)
    )


def _is_in_words(letter: str) -> bool:
    return letter.isdecimal() or letter.lower() != letter.upper()


def _align(sentence: str, text: str) -> Span:
    """Return the span of a text, about as long as a sentence, that is most like it."""
    if len(text) <= len(sentence):
        return 0, len(text)
    aligned = fuzz.partial_ratio_alignment(sentence, text)
    return (aligned.dest_start, aligned.dest_end) if aligned else (0, 0)


def _likeness(sentence: str, other: str) -> float:
    return Indel.normalized_similarity(sentence, " ".join(other.split()))


def _common(sentence: str, other: str) -> float:
    own, others = set(words_of(sentence)), set(words_of(other))
    return len(own & others) / len(own) if own else 0.0


def compare(quoted: str, original: str) -> tuple[Change, ...]:
    """Return what a quote and the original share and what each has alone, in order, with single spaces.

    These are whole words and signs, and the letters within a word that is nearly the same. Where both have
    something of their own in one place, the quote's comes first.
    """
    own, others = (_PIECES.findall(" ".join(one.split())) for one in (quoted, original))
    changes: list[Change] = []
    for is_same, runs in itertools.groupby(_runs(own, others), lambda run: run[0] is ChangeKind.SAME):
        texts = dict.fromkeys([ChangeKind.SAME] if is_same else [ChangeKind.QUOTED, ChangeKind.ARTICLE], "")
        for kind, text in runs:
            texts[kind] += text
        changes += [Change(kind, text) for kind, text in texts.items() if text]
    return tuple(changes)


def _runs(
    own: Sequence[str], others: Sequence[str], most: int = _PIECES_MATCHED
) -> Iterator[tuple[ChangeKind, str]]:
    """Yield what two rows of words, or two words' letters, share and have alone."""
    for tag, a, b, c, d in _steps(own, others, most):
        if tag == "equal":
            yield ChangeKind.SAME, "".join(own[a:b])
        elif (b - a, d - c) == (1, 1) and _is_same_word(own[a], others[c]):
            yield from _runs(own[a], others[c], _LETTERS_MATCHED)
        else:
            yield ChangeKind.QUOTED, "".join(own[a:b])
            yield ChangeKind.ARTICLE, "".join(others[c:d])


def _steps(own: Sequence[str], others: Sequence[str], most: int) -> Iterable[tuple[str, int, int, int, int]]:
    """Return the steps from one row to another: by the longest runs they share, or in long rows fewest."""
    if max(len(own), len(others)) <= most:
        return difflib.SequenceMatcher(str.isspace, own, others, autojunk=False).get_opcodes()
    steps = Levenshtein.opcodes(own, others)
    return [(one.tag, one.src_start, one.src_end, one.dest_start, one.dest_end) for one in steps]


def _is_same_word(one: str, other: str) -> bool:
    """Tell whether one word is another with letters changed; of a number, each digit says something else."""
    return (
        min(len(one), len(other)) > 1
        and one.isalpha()
        and other.isalpha()
        and Indel.normalized_similarity(one, other) >= _SAME_WORD
    )
