"""One question asked once, as a record: all that the measures, reports and fits ever see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.answering.confidence import Judge
from index.search.calibration import Fit

__all__ = ["VERDICTS", "Asked", "Kind", "Place", "rescore"]

Place = tuple[str, int]
"""An article's id and the number of a paragraph in it, from 1 (0: its heading)."""

VERDICTS = ("answered", "related", "not_found")
"""What an answer can say of itself, in the words of its JSON."""


class Kind(StrEnum):
    """What was to be expected of the answer."""

    ANSWERABLE = "answerable"
    """The articles hold it."""
    UNANSWERABLE = "unanswerable"
    """It is on their subject, but they do not hold it."""
    OTHER = "other"
    """An answerable question, asked of an index without its article."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question asked of one index, and what came of it.

    `title` is that of the article which the question is about. `cited` are the paragraphs cited, best first,
    up to ten; `gold` those that hold the answer. `quotes` are best first; the first `shown` of them are what
    a surface shows as the answer. `exact` tells whether each is its article's text to the letter.
    """

    set_name: str
    id: str
    question: str
    kind: Kind
    title: str
    quotes: tuple[str, ...]
    shown: int
    cited: tuple[Place, ...]
    gold: tuple[Place, ...]
    answers: tuple[str, ...]
    confidence: float
    verdict: str
    elapsed_ms: float
    signals: tuple[tuple[str, float], ...]
    highlight: str | None
    exact: bool

    @property
    def quote(self) -> str:
        """The first quote; empty where nothing was found."""
        return self.quotes[0] if self.quotes else ""


def rescore(record: Asked, fit: Fit) -> Asked:
    """Return the record with the confidence and the verdict that `fit` gives it."""
    judge = Judge(fit, fit.answer_at)
    sure = judge.confidence(dict(record.signals)) if record.signals else 0.0
    return replace(record, confidence=round(sure, 6), verdict=str(judge.verdict(sure)))
