"""What a search returns: passages with their scores, and the sum by which they are ordered.

    score of a passage   0.5 dense + 0.5 lexical + 2 late + the score of its nearest sentence
    score of a sentence  late + 0.5 mean

`index.search.signals` explains each term. The weights are round numbers near those of a conditional logit
fitted on xquad-en and clapnq, which itself was no better on squad2 (docs/quality.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from index.language import is_question

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.search.question import Question, Term

__all__ = ["SCORE_WEIGHTS", "Found", "Hit", "HitSentence", "TermMatch", "fuse", "fuse_sentence"]

SCORE_WEIGHTS = {"dense": 0.5, "lexical": 0.5, "late": 2.0, "sentence_late": 1.0, "sentence_mean": 0.5}
"""The weight of each signal in a hit's score."""

_DENSE, _LEXICAL, _LATE, _SENTENCE_LATE, _SENTENCE_MEAN = SCORE_WEIGHTS.values()


def fuse(dense: float, lexical: float, late: float = 0.0, sentence: float = 0.0) -> float:
    """Return the score of a passage; without the last two, the score by which candidates are chosen."""
    return _DENSE * dense + _LEXICAL * lexical + _LATE * late + sentence


def fuse_sentence(late: float, mean: float) -> float:
    """Return the score of a sentence."""
    return _SENTENCE_LATE * late + _SENTENCE_MEAN * mean


@dataclass(frozen=True, slots=True)
class TermMatch:
    """How a hit matches one term of the question.

    `near` is the cosine of the passage's nearest token, averaged over the term's tokens; `in_words` tells
    whether the passage or its title has the term, in some form.
    """

    term: Term
    near: float
    in_words: bool


@dataclass(frozen=True, slots=True)
class HitSentence:
    """A sentence of a hit: its span, and how well it matches the question (see `index.search.signals`)."""

    paragraph: int
    start: int
    end: int
    text: str
    late: float
    mean: float
    quotable: bool = True
    """False for a line of a heading that the question does not ask for."""

    @property
    def score(self) -> float:
        """How well the sentence matches the question."""
        return fuse_sentence(self.late, self.mean)


@dataclass(frozen=True)  # without slots, for the cached properties
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

    @cached_property
    def best_sentence(self) -> HitSentence:
        """The sentence to quote: the quotable one with the highest score, the earlier of equals.

        A question ("Why does it float?") is not quoted as an answer: the sentence after it is.
        """
        quotable = [sentence for sentence in self.sentences if sentence.quotable]
        at = max(range(len(quotable)), key=lambda place: quotable[place].score)
        while quotable[at].paragraph and is_question(quotable[at].text) and at + 1 < len(quotable):
            at += 1
        return quotable[at]

    @cached_property
    def nearest_sentence(self) -> HitSentence:
        """The sentence with the highest score, quotable or not."""
        return max(self.sentences, key=lambda sentence: sentence.score)

    @cached_property
    def score(self) -> float:
        """The sum by which hits are ordered."""
        return fuse(self.dense, self.lexical, self.late, self.nearest_sentence.score)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returns: the question as it was read, and up to 10 hits, best first."""

    question: Question
    hits: tuple[Hit, ...]
