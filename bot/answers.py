"""Hits to an answer: the verdict, the sentences to quote, and what to cite. No chat surface in here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from index import Hit

__all__ = ["Answer", "Citation", "Quote", "Verdict", "answer", "confidence", "signals"]

_CITED = 3
"""Citations of an answer at most; one quote each."""

_RELATED_AT = 0.17
"""Under this confidence nothing close was found: 95 of 100 answerable questions are at or above it."""

# Fitted by benchmarks/fit_confidence.py on clapnq and on the 32 articles of xquad-en that squad2 lacks.
_BIAS = -3.83
_WEIGHTS = {"dense": 1.75, "both": 9.06}


class Verdict(StrEnum):
    """What Footnote says of its own answer."""

    ANSWERED = "answered"
    """The first quote answers the question, at or above the confidence asked for."""
    RELATED = "related"
    """Close passages exist, but they may not answer."""
    NOT_FOUND = "not_found"
    """The articles do not seem to say."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One sentence of an article, to the letter.

    `start` and `end` are offsets in code points into the article's text (into its heading where
    `paragraph` is 0). `citation` is the number of the citation that the quote belongs to.
    """

    text: str
    citation: int
    paragraph: int
    start: int
    end: int
    highlight: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote comes from: an article and one of its passages, whose span is `start` to `end`."""

    number: int
    article: str
    title: str
    author: str
    publisher: str
    url: str | None
    paragraph: int
    start: int
    end: int
    passage: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a surface shows: quotes count as an answer only when the verdict is `answered`."""

    question: str
    verdict: Verdict
    confidence: float
    quotes: tuple[Quote, ...]
    citations: tuple[Citation, ...]
    generation: str
    elapsed_ms: float
    further: tuple[Citation, ...] = ()
    """The passages that come next, for who asks for more; no part of the JSON."""

    def citation_of(self, quote: Quote) -> Citation:
        """Return the citation that `quote` belongs to."""
        return self.citations[quote.citation - 1]

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the JSON object that other programs read."""
        fields = dataclasses.asdict(self)
        del fields["further"]
        return fields


def signals(hit: Hit) -> dict[str, float]:
    """Return, by name, what the confidence is made of.

    dense  cosine of the question's vector and the passage's
    both   cosine of the question's vector and the best sentence's, times the share of the question's content
           terms that the sentence has, by their rarity: high only where it is near in meaning *and* in words
    """
    evidence = hit.evidence
    return {"dense": hit.dense, "both": evidence.cosine * evidence.coverage}


def confidence(hit: Hit) -> float:
    """Return the chance that the best sentence of a hit answers the question, 0 to 1.

    A logistic model of the hit's `signals`, fitted to whether the first quote held the gold answer, on
    answerable questions, on the same questions asked without their article, and on unanswerable ones.
    """
    weighed = sum(_WEIGHTS[name] * value for name, value in signals(hit).items())
    return 1 / (1 + math.exp(-_BIAS - weighed))


def answer(
    question: str, hits: Sequence[Hit], *, answer_at: float, generation: str, elapsed_ms: float
) -> Answer:
    """Quote the best sentence of each of the best hits, cite it, and say how sure that is of the first.

    `answer_at` is the confidence at which the verdict is `answered`.
    """
    cited = hits[:_CITED]
    sure = confidence(cited[0]) if cited else 0.0
    return Answer(
        question=question,
        verdict=_verdict(sure, answer_at),
        confidence=round(sure, 4),
        quotes=tuple(_quote(number, hit) for number, hit in enumerate(cited, 1)),
        citations=tuple(_citation(number, hit) for number, hit in enumerate(cited, 1)),
        generation=generation,
        elapsed_ms=round(elapsed_ms, 1),
        further=tuple(_citation(number, hit) for number, hit in enumerate(hits[_CITED:], _CITED + 1)),
    )


def _verdict(sure: float, answer_at: float) -> Verdict:
    if sure >= answer_at and sure > 0:
        return Verdict.ANSWERED
    return Verdict.RELATED if sure >= min(_RELATED_AT, answer_at) and sure > 0 else Verdict.NOT_FOUND


def _quote(number: int, hit: Hit) -> Quote:
    best = hit.best_sentence
    return Quote(best.text, number, best.paragraph, best.start, best.end)


def _citation(number: int, hit: Hit) -> Citation:
    source = hit.article
    return Citation(
        number=number,
        article=source.id,
        title=source.title,
        author=source.author,
        publisher=source.publisher,
        url=source.url or None,
        paragraph=hit.best_sentence.paragraph,
        start=hit.start,
        end=hit.end,
        passage=hit.text,
        score=round(hit.score, 4),
    )
