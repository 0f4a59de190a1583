"""Hits to an answer: the verdict, the sentences to quote, and what to cite. No chat surface in here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.answering.confidence import Judge, Verdict
from bot.answering.quoting import run_to_quote
from index.language import words_of
from index.search.highlight import highlight
from index.search.hits import Found, Hit, HitSentence
from index.search.parts import Part
from index.search.signals import judged

__all__ = ["Answer", "Citation", "Quote", "Reasons", "Verdict", "answer"]

_CITED = 3
"""Citations of an answer at most; one quote each."""

_SAME = 0.8
"""Share of common words at which two passages say the same."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One or more sentences of an article, side by side, to the letter.

    `start` and `end` are offsets in code points into the article's text (into its heading where
    `paragraph` is 0). `citation` is the number of the citation that the quote belongs to. `highlight` are the
    offsets, in the same text, of the words that are the answer itself; None where that is not clear.
    """

    text: str
    citation: int
    paragraph: int
    start: int
    end: int
    highlight: tuple[int, int] | None = None

    @property
    def highlight_in_text(self) -> tuple[int, int] | None:
        """The highlight as offsets into the quote's own text."""
        if self.highlight is None:
            return None
        return self.highlight[0] - self.start, self.highlight[1] - self.start


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
class Reasons:
    """What an answer was made from: what the search found, the hits that are cited, and the judge."""

    found: Found
    cited: tuple[Hit, ...]
    judge: Judge


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
    reasons: Reasons | None = None
    """What the answer can be explained by; no part of the JSON."""
    read_as: str = ""
    """What a follow-up was read with, for people; "" where it was read alone. No part of the JSON."""
    read_only: int = 0
    """Characters of the question that were read, where it has more; else 0. No part of the JSON."""

    def citation_of(self, quote: Quote) -> Citation:
        """Return the citation that `quote` belongs to."""
        return self.citations[quote.citation - 1]

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the JSON object that other programs read."""
        fields = _fields(self, _JSON)
        fields["quotes"] = [_fields(quote, quote.__slots__) for quote in self.quotes]
        fields["citations"] = [_fields(citation, citation.__slots__) for citation in self.citations]
        return fields


def _fields(one: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


_JSON = ("question", "verdict", "confidence", "quotes", "citations", "generation", "elapsed_ms")


def answer(  # noqa: PLR0913 - what an answer is made of
    question: str,
    found: Found,
    *,
    judge: Judge,
    generation: str,
    elapsed_ms: float = 0.0,
    without: Collection[Part] = (),
) -> Answer:
    """Quote the best sentences of each of the best hits, cite them, and say how sure that is of the first."""
    hits = _distinct(found.hits)
    cited = hits[:_CITED]
    sure = round(judge.confidence(judged(cited[0])), 4) if cited else 0.0
    return Answer(
        question=question,
        verdict=judge.verdict(sure),
        confidence=sure,
        quotes=tuple(_quote(number, found, hit, without) for number, hit in enumerate(cited, 1)),
        citations=tuple(_citation(number, hit) for number, hit in enumerate(cited, 1)),
        generation=generation,
        elapsed_ms=round(elapsed_ms, 1),
        further=tuple(_citation(number, hit) for number, hit in enumerate(hits[_CITED:], _CITED + 1)),
        reasons=Reasons(found, tuple(cited), judge),
        read_only=found.question.read_only,
    )


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those that say the same as a better one.

    Most of the words are common, or the sentence to quote is the same.
    """
    kept: list[Hit] = []
    words: list[frozenset[str]] = []
    quoted: set[str] = set()
    for hit in hits:
        own = frozenset(words_of(hit.text))
        quote = hit.best_sentence.text
        if quote not in quoted and not any(_alike(own, other) for other in words):
            kept.append(hit)
            words.append(own)
            quoted.add(quote)
    return kept


def _alike(some: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether most of the words of two passages are common."""
    fewer, more = sorted((len(some), len(others)))
    if fewer < _SAME * more:
        return False
    common = len(some & others)
    return common >= _SAME * (fewer + more - common)


def _quote(number: int, found: Found, hit: Hit, without: Collection[Part]) -> Quote:
    best = hit.best_sentence
    run = (best,) if Part.CONTEXT in without else run_to_quote(found, hit)
    start, end = run[0].start, run[-1].end
    text = hit.text[start - hit.start : end - hit.start]
    pointed = None if Part.HIGHLIGHT in without else _highlight(found, best)
    return Quote(text, number, best.paragraph, start, end, pointed)


def _highlight(found: Found, sentence: HitSentence) -> tuple[int, int] | None:
    """Return where the answer itself stands in a sentence, as offsets into the article's text."""
    span = highlight(found.question.in_all_forms, sentence.text, found.question.language)
    return (sentence.start + span[0], sentence.start + span[1]) if span else None


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
