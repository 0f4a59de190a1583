"""What a search returns: passages with their signals, and the sum of these by which they are ordered.

    dense          cosine of the question's vector and the passage's (title and text): Reimers and Gurevych,
                   "Sentence-BERT" (2019)
    lexical        BM25 (title at half weight) divided by the question's best: Robertson and Zaragoza (2009)
    late           sum over the question's tokens of weight x cosine of the passage's nearest token (MaxSim:
                   Khattab and Zaharia, "ColBERT", 2020); weights are their words' rarity and add up to 1
    sentence_late  the same over the tokens of the passage's nearest sentence
    sentence_mean  cosine of the means of that sentence's and the question's token vectors
    score          0.5 dense + 0.5 lexical + 2 late + sentence_late + 0.5 sentence_mean
    weakest        least cosine of the nearest token over the question's content words; 1 for a word that the
                   passage or its title has in some form

The weights are round numbers near those of a conditional logit fitted on xquad-en and clapnq, which itself
was no better on squad2 (docs/quality.md). The confidence is fitted to some of these, and to what a reader
says (`footnote eval --fit`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from index.articles.blocks import BlockKind
from index.language import is_question
from index.search.identifiers import NO_MATCH, Match

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.encoding.encoder import TextVectors
    from index.reading.reader import Reading
    from index.search.question import Question, Term
    from index.storage.store import StoredPassage

__all__ = [
    "AHEAD_BY",
    "JUDGED",
    "READ",
    "SCORE_WEIGHTS",
    "SIGNALS",
    "SUBJECT",
    "Found",
    "Hit",
    "HitSentence",
    "TermMatch",
    "fuse",
    "fuse_sentence",
    "judged",
    "summed",
]

SIGNALS = {
    "dense": "How close the passage is in meaning",
    "lexical": "How well the passage's words match, relative to the best match",
    "late": "How close the passage is word by word",
    "sentence_late": "How close its best sentence is word by word",
    "sentence_mean": "How close its best sentence is as a whole",
    "score": "How close the passage is in total",
    "weakest": "How well the passage matches the question's worst-matched word",
    "quote": "How likely the reader holds the quoted sentences to answer, as log-odds",
}
"""What each signal says, for people."""

SCORE_WEIGHTS = {"dense": 0.5, "lexical": 0.5, "late": 2.0, "sentence_late": 1.0, "sentence_mean": 0.5}
"""The weight of each signal in a hit's score."""

JUDGED = ("score", "weakest")
"""The signals that the confidence weighs where no reader has read the hits."""

SUBJECT = ("dense", "score", "weakest")
"""The signals by which a question on the articles' subject is told from one on another."""

READ = ("quote", *SUBJECT)
"""The signals that the confidence weighs where a reader has read them: it knows no other subjects."""

_DENSE, _LEXICAL, _LATE, _SENTENCE_LATE, _SENTENCE_MEAN = SCORE_WEIGHTS.values()


_BEHIND = frozenset({BlockKind.CODE, BlockKind.QUOTATION})  # rank behind prose that says the same
_BEHIND_BY = 0.2
AHEAD_BY = 5.0
"""What each identifier of the question adds to the rank of a passage that has it: more than all else can."""
_LEAST_SHARE = 1e-4  # so that log-odds are finite


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
    """A sentence of a hit: its span, and how well it matches the question.

    `late` counts the words of the leads above it too, `own` does not; both count a name that its pronoun
    stands for. `quotable` is False for a line of a heading that the question does not ask for. `answer` is
    the probability that the sentence answers, where a reader has read it.
    """

    paragraph: int
    start: int
    end: int
    text: str
    late: float
    mean: float
    own: float
    quotable: bool = True
    match: Match = NO_MATCH
    answer: float | None = None

    @property
    def score(self) -> float:
        """How well the sentence matches the question."""
        return fuse_sentence(self.late, self.mean)

    @property
    def own_score(self) -> float:
        """How well it matches the question by its own words."""
        return fuse_sentence(self.own, self.mean)


@dataclass(frozen=True)  # without slots, for the cached properties
class Hit:
    """A passage that the search found, with its signals; sentences are in the order of the text."""

    article: Article
    start: int
    end: int
    text: str
    dense: float
    lexical: float
    late: float
    sentences: tuple[HitSentence, ...]
    terms: tuple[TermMatch, ...]
    leads: tuple[HitSentence, ...] = ()
    stored: StoredPassage | None = None

    @cached_property
    def best_sentence(self) -> HitSentence:
        """The sentence to quote: the likeliest answer, if a reader has read the hit.

        Else the best quotable one, or where that is a question, the one after it.
        """
        quotable = [sentence for sentence in self.sentences if sentence.quotable]
        if quotable[0].answer is not None:
            return max(quotable, key=lambda sentence: (sentence.match.held, sentence.answer))
        at = max(
            range(len(quotable)), key=lambda place: (quotable[place].match.held, quotable[place].own_score)
        )
        while quotable[at].paragraph and is_question(quotable[at].text) and at + 1 < len(quotable):
            at += 1
        return quotable[at]

    @cached_property
    def nearest_sentence(self) -> HitSentence:
        """The sentence with the highest score, quotable or not."""
        return max(self.sentences, key=lambda sentence: sentence.score)

    @cached_property
    def score(self) -> float:
        """How well the passage matches the question, as a whole and by its best sentence."""
        return fuse(self.dense, self.lexical, self.late, self.nearest_sentence.score)

    @property
    def rank_score(self) -> float:
        """The score by which hits are ordered: that of code and quotations is lowered."""
        best = self.nearest_sentence
        is_behind = best.paragraph > 0 and self.article.block_at(best.start).kind in _BEHIND
        return self.score - _BEHIND_BY * is_behind + AHEAD_BY * max(one.match.held for one in self.sentences)

    @property
    def weakest(self) -> float:
        """How well the passage matches the content word that it matches worst; 0 without words.

        "What did the Scottish council say?" is not answered by what another council says.
        """
        content = [match for match in self.terms if match.term.is_content] or self.terms
        return min((1.0 if match.in_words else match.near for match in content), default=0.0)


def summed(hit: Hit) -> dict[str, tuple[float, float]]:
    """Return each part of a hit's score by its signal's name: the weight, and the value."""
    nearest = hit.nearest_sentence
    values = (hit.dense, hit.lexical, hit.late, nearest.late, nearest.mean)
    return {name: (SCORE_WEIGHTS[name], value) for name, value in zip(SCORE_WEIGHTS, values, strict=True)}


def judged(hit: Hit, start: int, end: int, reading: Reading | None = None) -> dict[str, float]:
    """Return, by name, what the confidence of a quote of a hit, from `start` to `end`, is computed from.

    `reading` is what a reader says of the hits, if one has read them.
    """
    signals = {"dense": hit.dense, "score": hit.score, "weakest": hit.weakest}
    if reading is None:
        return signals
    quoted = sum(one.answer or 0.0 for one in hit.sentences if start <= one.start < end)
    return {"quote": _log_odds(quoted), **signals}


def _log_odds(share: float) -> float:
    share = min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
    return math.log(share / (1 - share))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returns: the question as it was read, up to 10 hits, best first, and its vectors.

    `reading` is what a reader says of them, if one has read them.
    """

    question: Question
    hits: tuple[Hit, ...]
    encoded: TextVectors | None = field(default=None, compare=False)
    reading: Reading | None = None
