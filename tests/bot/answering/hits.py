"""Hits and a fit made by hand, with just the scores that a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from index.articles.article import Article
from index.search.calibration import Fit
from index.search.hits import JUDGED, SCORE_WEIGHTS, Found, Hit, HitSentence, TermMatch
from index.search.question import Question

__all__ = ["FIT", "found", "make_hit"]

FIT = Fit(
    encoder="made-up",
    encoder_fingerprint="ab" * 32,
    bias=-2.0,
    weights={name: 4.0 if name == "score" else 0.0 for name in JUDGED},
    answer_at=0.5,
    related_at=0.2,
    sets={"lamps": 12},
    made=date(2026, 1, 31),
)
"""A fit by the score alone: a hit with a score of 0.5 has a confidence of a half."""


def make_hit(
    *paragraphs: str,
    score: float = 0.5,
    article: str = "one",
    first: int = 1,
    terms: Sequence[TermMatch] = (),
) -> Hit:
    """Make a hit that is a whole article; with `first` 0, the first paragraph is its heading.

    A paragraph is written as its sentences, each after its score: "0.1 The lamp is old. | 0.9 It burned oil."
    """
    rows = [[row.split(" ", 1) for row in paragraph.split(" | ")] for paragraph in paragraphs]
    text = "\n\n".join(" ".join(sentence for _, sentence in row) for row in rows)
    sentences: list[HitSentence] = []
    end = 0
    for number, row in enumerate(rows, first):
        for late, sentence in row:
            start = text.index(sentence, end)
            end = start + len(sentence)
            sentences.append(HitSentence(number, start, end, sentence, float(late), 0.0))
    heading, body = ("One\nAnn", text) if first else (text, "Something else.")
    dense = (score - max(sentence.score for sentence in sentences)) / SCORE_WEIGHTS["dense"]
    made = Article(article, "One", "Ann", "Press", f"https://{article}.example", "", heading, body)
    return Hit(made, 0, end, text, dense, 0.0, 0.0, tuple(sentences), tuple(terms))


def found(*hits: Hit, notes: Sequence[str] = ()) -> Found:
    """Make what a search returns for a question with the terms of the first hit."""
    terms = tuple(match.term for match in hits[0].terms) if hits else ()
    text = "Who lit the lamp?"
    return Found(Question(text, text, terms, frozenset(), "en", tuple(notes)), hits)
