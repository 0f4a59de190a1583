"""Hits and fits made by hand: what a search finds, with just the signals that a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.answering.confidence import Judge
from index.articles.article import Article
from index.search.calibration import Fit
from index.search.hits import SCORE_WEIGHTS, Found, Hit, HitSentence
from index.search.question import Question
from index.search.signals import JUDGED
from index.search.wanted import Wanted

__all__ = ["FIT", "JUDGE", "Line", "found", "hit", "made_hit", "question"]

FIT = Fit(
    encoder="made-up",
    encoder_fingerprint="ab" * 32,
    bias=-2.0,
    weights={name: 4.0 if name == "score" else 0.0 for name in JUDGED},
    answer_at=0.5,
    related_at=0.2,
    sets={"lamps": 12, "bread": 30},
    made=date(2026, 1, 31),
)
"""A fit by the score alone: a score of 0.5 is a confidence of a half."""

JUDGE = Judge(FIT, FIT.answer_at)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence on its way to a hit: its text, and how well it meets the question."""

    text: str
    late: float = 0.0
    wanted: float = 0.5
    quotable: bool = True


def question(
    text: str = "What does it say?",
    wanted: Wanted = Wanted.ANY,
    language: str = "en",
    notes: Sequence[str] = (),
) -> Question:
    """Make a question as it would be read; its terms say nothing here."""
    return Question(text, text, (), frozenset(), wanted, language, tuple(notes))


def hit(
    score: float, *paragraphs: Sequence[Line], article: str = "one", first: int = 1, url: str = ""
) -> Hit:
    """Make a hit on an article of these paragraphs, with this score; with `first` 0, on its heading."""
    text = "\n\n".join(" ".join(line.text for line in lines) for lines in paragraphs)
    sentences = []
    end = 0
    for number, lines in enumerate(paragraphs, first):
        for line in lines:
            start = text.index(line.text, end)
            end = start + len(line.text)
            sentences.append(
                HitSentence(number, start, end, line.text, line.late, 0.0, line.wanted, line.quotable)
            )
    heading, body = (text, "Something else.") if first == 0 else ("One\nAnn", text)
    nearest = max(one.score for one in sentences)
    return Hit(
        article=Article(article, "One", "Ann", "Press", url, "", heading, body),
        start=0,
        end=len(text),
        text=text,
        dense=(score - nearest) / SCORE_WEIGHTS["dense"],
        lexical=0.0,
        late=0.0,
        sentences=tuple(sentences),
        terms=(),
    )


def made_hit(score: float = 0.5, text: str = "A first sentence. A second one.", **options: str) -> Hit:
    """Make a hit of two sentences, of which the second is by far the best."""
    first, _, second = text.partition(". ")
    return hit(score, [Line(f"{first}."), Line(second, late=0.9)], article=options.get("article", "one"))


def found(*hits: Hit, asked: Question | None = None) -> Found:
    """Make what a search returns."""
    return Found(asked or question(), hits)
