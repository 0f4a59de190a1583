"""What a search finds: passages with their scores, and the sum by which they are ordered.

    score of a passage   0.5 dense + 0.5 lexical + 2 late + the score of its nearest sentence
    score of a sentence  late + 0.5 mean
    which one to quote   the one with the highest score + 0.1 wanted

`signals` says of each signal what it is. The weights are round numbers near those of a conditional
logit fitted on xquad-en and clapnq, which itself was no better on squad2 (docs/quality.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from index.articles.article import Article
from index.language import asks
from index.search.question import Question, Term

__all__ = ["SCORE_WEIGHTS", "Found", "Hit", "HitSentence", "TermMatch", "fuse", "fuse_sentence"]

SCORE_WEIGHTS = {"dense": 0.5, "lexical": 0.5, "late": 2.0, "sentence_late": 1.0, "sentence_mean": 0.5}
"""The weight of each signal in a hit's score."""

_WANTED = 0.1

_DENSE, _LEXICAL, _LATE, _SENTENCE_LATE, _SENTENCE_MEAN = SCORE_WEIGHTS.values()


def fuse(dense: float, lexical: float, late: float = 0.0, sentence: float = 0.0) -> float:
    """Return the score of a passage; without the last two, that by which candidates are chosen."""
    return _DENSE * dense + _LEXICAL * lexical + _LATE * late + sentence


def fuse_sentence(late: float, mean: float) -> float:
    """Return the score of a sentence."""
    return _SENTENCE_LATE * late + _SENTENCE_MEAN * mean


@dataclass(frozen=True, slots=True)
class TermMatch:
    """How a hit meets one term of the question.

    `near` is the cosine of the nearest token of the passage, averaged over the term's tokens; `in_words`
    whether the passage or its title has the term, or another form of it.
    """

    term: Term
    near: float
    in_words: bool


@dataclass(frozen=True, slots=True)
class HitSentence:
    """A sentence of a hit: where it stands, and how well it meets the question (see `index.search.signals`).

    `wanted` is 1 where it has a number, date or the like that the question asks for and has not itself, 0
    where it has none, and 0.5 where the question asks for something else: whether a sentence has a wanted
    name is told too weakly to choose by.
    """

    paragraph: int
    start: int
    end: int
    text: str
    late: float
    mean: float
    wanted: float
    quotable: bool = True
    """False for a line of a heading that is not asked for, though it may show which article is meant."""

    @property
    def score(self) -> float:
        """How well the sentence meets the question."""
        return fuse_sentence(self.late, self.mean)

    @property
    def answering(self) -> float:
        """How well it would answer it."""
        return self.score + _WANTED * self.wanted


@dataclass(frozen=True)  # without slots, so that what is asked for often is worked out once
class Hit:
    """A passage that the search found, with its scores; sentences are in the order of the text."""

    article: Article
    start: int
    end: int
    text: str
    dense: float
    lexical: float
    late: float
    sentences: tuple[HitSentence, ...]
    terms: tuple[TermMatch, ...]
    row: int = 0
    """The passage's row in the collection that was searched."""

    @cached_property
    def best_sentence(self) -> HitSentence:
        """The sentence to quote: the one that answers the question best, the earlier one of equals.

        Where that only asks ("Why does it float?") and is no line of a heading, it is the sentence after it.
        """
        quotable = [one for one in self.sentences if one.quotable]
        at = max(range(len(quotable)), key=lambda at: quotable[at].answering)
        while quotable[at].paragraph and asks(quotable[at].text) and at + 1 < len(quotable):
            at += 1
        return quotable[at]

    @cached_property
    def nearest_sentence(self) -> HitSentence:
        """The sentence that shows best that the passage is meant; of a heading, it may be the title."""
        return max(self.sentences, key=lambda one: one.score)

    @cached_property
    def score(self) -> float:
        """The sum by which hits are ordered."""
        return fuse(self.dense, self.lexical, self.late, self.nearest_sentence.score)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the question as it was read, and up to 10 hits, best first."""

    question: Question
    hits: tuple[Hit, ...]
