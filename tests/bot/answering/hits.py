"""Hits and a fit made by hand, with just the scores that a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from index.articles.article import Article
from index.articles.blocks import LEADS, Block, BlockKind, TextBuilder
from index.search.calibration import Fit, Logistic
from index.search.hits import JUDGED, READ, SCORE_WEIGHTS, SUBJECT, Found, Hit, HitSentence, TermMatch
from index.search.question import Question

__all__ = ["FIT", "READ_FIT", "found", "make_hit"]

FIT = Fit(
    encoder="made-up",
    encoder_fingerprint="ab" * 32,
    reader="",
    answers=Logistic(-2.0, {name: 4.0 if name == "score" else 0.0 for name in JUDGED}),
    subject=Logistic(-2.0, {name: 4.0 if name == "score" else 0.0 for name in SUBJECT}),
    answer_at=0.5,
    related_at=0.2,
    sets={"lamps": 12},
    made=date(2026, 1, 31),
)
"""A fit by the score alone: a hit with a score of 0.5 has a confidence of a half."""

READ_FIT = replace(FIT, reader="trained", answers=Logistic(0.0, {**dict.fromkeys(READ, 0.0), "quote": 1.0}))
"""A fit for a reader, by the probability of its likeliest sentence."""

_CONTINUING = {BlockKind.ITEM, BlockKind.ROW}
_FIELDS = "One", "Ann", "Press"


def make_hit(
    *paragraphs: str | tuple[BlockKind, str],
    score: float = 0.5,
    article: str = "one",
    first: int = 1,
    terms: Sequence[TermMatch] = (),
) -> Hit:
    """Make a hit that is a whole article, below its leads; `first` 0 makes the first paragraph its heading.

    A paragraph is written as its sentences, each after its score: "0.1 The lamp is old. | 0.9 It burned oil."
    A block of another kind has its kind before it; an item or a row continues the paragraph before it.
    """
    builder = TextBuilder()
    scores: list[list[list[str]]] = []
    for paragraph in paragraphs:
        kind, written = (BlockKind.PARAGRAPH, paragraph) if isinstance(paragraph, str) else paragraph
        scores.append([row.split(" ", 1) for row in written.split(" | ")])
        text = " ".join(sentence for _, sentence in scores[-1])
        is_item = kind is BlockKind.ITEM
        builder.add(kind, text, label="- " if is_item else "", begins=kind not in _CONTINUING)
    text, blocks = builder.text, builder.blocks
    above = blocks[-1].above
    leads = []
    for place in above:
        start, end = blocks[place].start, blocks[place].end
        leads.append(_sentence(blocks[place], start, text[start:end], scores[place][0][0]))
    top = max((lead.own for lead in leads), default=0.0)
    sentences: list[HitSentence] = []
    for block, row in zip(blocks, scores, strict=True):
        if block.kind in LEADS or block.above != above:
            sentences.clear()  # a passage has the blocks below the same leads, side by side
            continue
        end = block.start
        for own, sentence in row:
            start = text.index(sentence, end)
            end = start + len(sentence)
            sentences.append(_sentence(block, start, sentence, own, top=top, first=first))
    if first:
        made_of = Article(article, *_FIELDS, f"https://{article}.example", "", "One\nAnn", text, blocks)
    else:
        body = TextBuilder()
        body.add(BlockKind.PARAGRAPH, "Something else.")
        made_of = Article(article, *_FIELDS, f"https://{article}.example", "", text, body.text, body.blocks)
    dense = (score - max(sentence.score for sentence in sentences)) / SCORE_WEIGHTS["dense"]
    start, end = sentences[0].start, sentences[-1].end
    cited = text[start:end]
    return Hit(made_of, start, end, cited, dense, 0.0, 0.0, tuple(sentences), tuple(terms), tuple(leads))


def _sentence(
    block: Block, start: int, text: str, own: str, *, top: float = 0.0, first: int = 1
) -> HitSentence:
    paragraph = block.paragraph - 1 + first
    return HitSentence(paragraph, start, start + len(text), text, max(float(own), top), 0.0, float(own))


def found(*hits: Hit, notes: Sequence[str] = ()) -> Found:
    """Make what a search returns for a question with the terms of the first hit."""
    terms = tuple(match.term for match in hits[0].terms) if hits else ()
    text = "Who lit the lamp?"
    return Found(Question(text, text, terms, frozenset(), "en", notes=tuple(notes)), hits)
