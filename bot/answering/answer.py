"""Hits to an answer: the verdict, the sentences to quote, and what to cite. Knows no chat surface."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.answering.confidence import Judge, Verdict
from bot.answering.quoting import sentences_to_quote
from index.analysis import words
from index.search.hits import Found, Hit, judged

__all__ = ["Answer", "Citation", "Quote", "Reasons", "Verdict", "make_answer"]

_CITED = 3
"""Citations of an answer at most, one quote each."""

_SAME = 0.8
"""Share of common words at which two passages say the same."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One or more sentences of an article, side by side, letter for letter.

    `start` and `end` are offsets in code points into the article's text (its heading where `paragraph` is 0).
    `citation` is the number of the quote's citation. `highlight` is the span, in the same text, of the words
    that are the answer itself; None where it is unknown.
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
    """What a surface shows. Quotes count as an answer only when the verdict is `answered`.

    The fields after `elapsed_ms` are not in the JSON. `further` are the next passages, which `/more` shows;
    `reasons` is what `--explain` and **Why?** explain; `read_as` is the subject that a follow-up was read
    with, "" where it was read alone; `read_only` is how many characters of an overlong question were read,
    else 0.
    """

    question: str
    verdict: Verdict
    confidence: float
    quotes: tuple[Quote, ...]
    citations: tuple[Citation, ...]
    generation: str
    elapsed_ms: float
    further: tuple[Citation, ...] = ()
    reasons: Reasons | None = None
    read_as: str = ""
    read_only: int = 0

    def citation_of(self, quote: Quote) -> Citation:
        """Return the citation that `quote` belongs to."""
        return self.citations[quote.citation - 1]

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the JSON object that other programs read."""
        fields = _fields(self, _JSON)
        fields["quotes"] = [_fields(quote, quote.__slots__) for quote in self.quotes]
        fields["citations"] = [_fields(citation, citation.__slots__) for citation in self.citations]
        return fields


_JSON = ("question", "verdict", "confidence", "quotes", "citations", "generation", "elapsed_ms")


def _fields(one: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def make_answer(question: str, found: Found, judge: Judge, generation: str) -> Answer:
    """Quote the best sentences of each of the best hits, cite them, and judge the first."""
    hits = _distinct(found.hits)
    cited = hits[:_CITED]
    confidence = round(judge.confidence(judged(cited[0])), 4) if cited else 0.0
    return Answer(
        question=question,
        verdict=judge.verdict(confidence),
        confidence=confidence,
        quotes=tuple(_quote(number, hit, found.question.language) for number, hit in enumerate(cited, 1)),
        citations=tuple(_citation(number, hit) for number, hit in enumerate(cited, 1)),
        generation=generation,
        elapsed_ms=0.0,
        further=tuple(_citation(number, hit) for number, hit in enumerate(hits[_CITED:], _CITED + 1)),
        reasons=Reasons(found, tuple(cited), judge),
        read_only=found.question.read_only,
    )


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those that say the same as a better one, or would quote the same sentence."""
    kept: list[Hit] = []
    kept_words: list[frozenset[str]] = []
    quoted: set[str] = set()
    for hit in hits:
        own = frozenset(words(hit.text))
        quote = hit.best_sentence.text
        if quote not in quoted and not any(_say_the_same(own, other) for other in kept_words):
            kept.append(hit)
            kept_words.append(own)
            quoted.add(quote)
    return kept


def _say_the_same(some: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether most of the words of two passages are common (Jaccard index)."""
    common = len(some & others)
    return common >= _SAME * (len(some) + len(others) - common)


def _quote(number: int, hit: Hit, language: str) -> Quote:
    run = sentences_to_quote(hit, language)
    start, end = run[0].start, run[-1].end
    text = hit.text[start - hit.start : end - hit.start]
    return Quote(text, number, hit.best_sentence.paragraph, start, end)


def _citation(number: int, hit: Hit) -> Citation:
    article = hit.article
    return Citation(
        number=number,
        article=article.id,
        title=article.title,
        author=article.author,
        publisher=article.publisher,
        url=article.url or None,
        paragraph=hit.best_sentence.paragraph,
        start=hit.start,
        end=hit.end,
        passage=hit.text,
        score=round(hit.score, 4),
    )
