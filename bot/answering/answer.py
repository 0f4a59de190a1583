"""An answer as data: its verdict, its quotes and citations, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from index.articles.marks import Mark

if TYPE_CHECKING:
    from index.search.calibration import Fit
    from index.search.hits import Found, Hit

__all__ = ["Answer", "Citation", "Quote", "Reasons", "Verdict", "page_url"]

_OPTIONAL = {"marks", "header", "more_items", "also"}
_JSON = ("question", "verdict", "confidence", "quotes", "citations", "generation", "elapsed_ms")


class Verdict(StrEnum):
    """What Footnote says about its own answer."""

    ANSWERED = "answered"
    """The first quote probably answers the question."""
    RELATED = "related"
    """The passages are on the subject but may not answer."""
    NOT_FOUND = "not_found"
    """The articles seem to be about other subjects."""

    @classmethod
    def of(cls, confidence: float, subject: float, fit: Fit) -> Verdict:
        """Return the verdict by the thresholds of a fit; a `subject` of 0, without any hit, finds nothing."""
        if not subject or subject < fit.related_at:
            return cls.NOT_FOUND
        return cls.ANSWERED if confidence >= fit.answer_at else cls.RELATED


@dataclass(frozen=True, slots=True)
class Quote:
    """One or more sentences of an article, side by side, letter for letter.

    `start` and `end` are offsets in code points into the article's text (its heading where `paragraph` is 0).
    `citation` is the number of the quote's citation. `highlight` is the span, in the same text, of the words
    that are the answer itself; None where it is unknown.

    The other fields are in the JSON only where they say something: the inline marks, with their spans in the
    quote; the header of the table whose rows are quoted; and how many items or rows of a list or table that
    is quoted in part are left out.
    """

    text: str
    citation: int
    paragraph: int
    start: int
    end: int
    highlight: tuple[int, int] | None = None
    marks: tuple[Mark, ...] = ()
    header: str = ""
    more_items: int = 0

    @property
    def shown_marks(self) -> tuple[Mark, ...]:
        """The marks, with a strong one for the words that answer, if they are known and less than all."""
        if self.highlight is None or self.highlight == (self.start, self.end):
            return self.marks
        start, end = (place - self.start for place in self.highlight)
        marks = (Mark("strong", start, end), *self.marks)
        return tuple(sorted(marks, key=lambda mark: (mark.start, -mark.end)))


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote comes from: an article and one of its passages, whose span is `start` to `end`.

    `page` is the number of its page, from 1, where the article's format has pages; `url` then opens there.
    `section` is the path to it: the title, then the headings above it. `also` are other addresses of the same
    text; in the JSON only where there are any.
    """

    number: int
    article: str
    title: str
    author: str
    publisher: str
    url: str | None
    page: int | None
    paragraph: int
    start: int
    end: int
    passage: str
    score: float
    section: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def page_url(url: str, page: int | None) -> str:
    """Return the web address that opens a document at a page (RFC 8118); any other address as it is."""
    is_web = url.lower().startswith(("http://", "https://"))
    return f"{url.partition('#')[0]}#page={page}" if is_web and page else url


@dataclass(frozen=True, slots=True)
class Reasons:
    """What an answer was made from: the search, the cited hits, the signals of the first quote, the fit."""

    found: Found
    cited: tuple[Hit, ...]
    signals: Mapping[str, float]
    fit: Fit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a surface shows. Quotes count as an answer only when the verdict is `answered`.

    The fields after `elapsed_ms` are not in the JSON. `further` are the next passages, which `/more` shows;
    `reasons` is what `--explain` and **Why?** explain; `read_as` is the subject that a follow-up was read
    with, "" where it was read alone; `read_only` is how many characters of an overlong question were read,
    else 0. `parts` are the answers to several questions in one, in the order of its quotes. `remark` is the
    key of what the bot says itself, "" for nothing, and `languages` those of question and articles if told.
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
    parts: tuple[Answer, ...] = ()
    remark: str = ""
    languages: tuple[str, str] | None = None

    @classmethod
    def joined(cls, question: str, parts: Sequence[Self]) -> Self:
        """Return one answer to several questions, with the first quote of each, in their order.

        The verdict is theirs, or `related` where they differ; the confidence is the lowest.
        """
        parts = [part for part in parts if part.quotes] or parts[:1]
        first, verdicts = replace(parts[0], question=question), {part.verdict for part in parts}
        if len(parts) == 1:
            return first
        cited = tuple(part.reasons.cited[0] for part in parts if part.reasons)
        return replace(
            first,
            verdict=first.verdict if len(verdicts) == 1 else Verdict.RELATED,
            confidence=min(part.confidence for part in parts),
            quotes=tuple(replace(part.quotes[0], citation=at) for at, part in enumerate(parts, 1)),
            citations=tuple(replace(part.citations[0], number=at) for at, part in enumerate(parts, 1)),
            further=tuple(one for part in parts for one in (*part.citations[1:], *part.further)),
            reasons=first.reasons and replace(first.reasons, cited=cited),
            parts=tuple(parts),
        )

    def as_sure_as(self, other: Answer) -> Answer:
        """Return this answer, as sure as another one that is surer and found the same passage first."""
        found = [[(one.article, one.passage) for one in answer.citations[:1]] for answer in (self, other)]
        if found[0] != found[1] or other.confidence <= self.confidence:
            return self
        return replace(self, confidence=other.confidence, verdict=other.verdict)

    def part_of(self, quote: Quote) -> Answer:
        """Return the part that `quote` answers, or this answer if it has no parts."""
        return self.parts[quote.citation - 1] if self.parts else self

    def citation_of(self, quote: Quote) -> Citation:
        """Return the citation that `quote` belongs to."""
        return self.citations[quote.citation - 1]

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the JSON object that other programs read."""
        fields = {name: getattr(self, name) for name in _JSON}
        for key, rows in (("quotes", self.quotes), ("citations", self.citations)):
            fields[key] = [
                {name: value for name, value in asdict(row).items() if value or name not in _OPTIONAL}
                for row in rows
            ]
        parts = [{name: getattr(part, name) for name in _JSON[:3]} for part in self.parts]
        return fields | {name: more for name, more in (("parts", parts), ("remark", self.remark)) if more}
