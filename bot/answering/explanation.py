"""Why an answer is what it is, in words and numbers: how the question was read, what was found, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.answering.answer import Answer, Reasons
from index.search.hits import Hit
from index.search.signals import in_words, judged, summed

__all__ = ["explanation", "explanation_lines"]


def explanation(answer: Answer) -> dict[str, Any]:
    """Return the explanation as a JSON object: the question as it was read, and each cited hit's signals."""
    reasons = answer.reasons
    if reasons is None:
        return {}
    question, fit = reasons.found.question, reasons.judge.fit
    return {
        "read_as": question.text,
        "notes": list(question.notes),
        "wanted": str(question.wanted),
        "terms": [
            {"term": term.typed, "forms": list(term.forms), "rarity": round(term.rarity, 3)}
            for term in question.terms
        ],
        "hits": [_hit(number, hit) for number, hit in enumerate(reasons.cited, 1)],
        "bias": fit.bias,
        "weights": dict(fit.weights),
        "answer_at": reasons.judge.answer_at,
        "related_at": fit.related_at,
    }


def _hit(number: int, hit: Hit) -> dict[str, Any]:
    parts = {name: value for name, (_, value) in summed(hit).items()}
    return {
        "citation": number,
        "signals": {name: round(value, 4) for name, value in {**parts, **judged(hit)}.items()},
        "terms": [
            {"term": one.term.typed, "near": round(one.near, 3), "in_words": one.in_words}
            for one in hit.terms
        ],
    }


def explanation_lines(answer: Answer) -> Iterator[str]:
    """Yield the explanation of the first hit for people, a line at a time."""
    reasons = answer.reasons
    if reasons is None or not reasons.found.question.terms:
        yield "There was nothing to look for: the question has no letters or digits."
        return
    question = reasons.found.question
    if answer.read_as:
        yield f"read together with: {answer.read_as}"
    if answer.read_only:
        yield f"read: only the first {answer.read_only:,} characters"
    yield from (f"read: {note}" for note in question.notes)
    yield f"asked for: {str(question.wanted).replace('_', ' ')}"
    if not reasons.cited:
        yield "No passage was found."
        return
    hit = reasons.cited[0]
    yield from _table("score of the first passage", 0.0, summed(hit))
    values, fit = judged(hit), reasons.judge.fit
    weighed = {name: (weight, values[name]) for name, weight in fit.weights.items()}
    yield from _table("log-odds that its quote answers", fit.bias, weighed)
    sure = reasons.judge.confidence(values)
    yield f"confidence {sure:.1%}; {_thresholds(reasons)}"
    if answer.read_as and answer.confidence < round(sure, 4):
        yield f"lowered to {answer.confidence:.1%}: the passage has not all that the follow-up asks for"
    elif answer.confidence < round(sure, 4):
        yield f"lowered to {answer.confidence:.1%}: a quote before it could not be proven, and is withheld"
    yield from _terms(hit)


def _table(name: str, bias: float, parts: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    """Yield a weighted sum, a line for each part of it."""
    if bias:
        yield f"{bias:+7.2f}  to begin with"
    for signal, (weight, value) in parts.items():
        yield f"{weight * value:+7.2f}  {weight:.2f} x {signal} {value:.2f}: {in_words(signal).lower()}"
    yield f"{bias + sum(weight * value for weight, value in parts.values()):+7.2f}  {name}"


def _thresholds(reasons: Reasons) -> str:
    answered = reasons.judge.answer_at
    related = min(reasons.judge.fit.related_at, answered)
    return f"answered from {answered:.1%} on, related from {related:.1%} on"


def _terms(hit: Hit) -> Iterator[str]:
    """Yield how the passage meets each term that says something."""
    for one in hit.terms:
        if one.term.says:
            met = "in the passage or its title" if one.in_words else f"not there; nearest word {one.near:.2f}"
            yield f"word {one.term.typed}: {met}"
