"""Why an answer is what it is: how the question was read, what was found, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.answering.answer import Answer, Reasons
from index.search.hits import SIGNALS, Hit, judged, summed

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
            {"term": match.term.typed, "near": round(match.near, 3), "in_words": match.in_words}
            for match in hit.terms
        ],
    }


def explanation_lines(answer: Answer) -> Iterator[str]:
    """Yield the explanation of the first hit for people, a line at a time."""
    reasons = answer.reasons
    if reasons is None or not reasons.found.question.terms:
        yield "There was nothing to look for: the question has no letters or digits."
        return
    if answer.read_as:
        yield f"read together with: {answer.read_as}"
    if answer.read_only:
        yield f"read: only the first {answer.read_only:,} characters"
    yield from (f"read: {note}" for note in reasons.found.question.notes)
    if not reasons.cited:
        yield "No passage was found."
        return
    hit, judge = reasons.cited[0], reasons.judge
    yield from _weighted_sum("score of the first passage", 0.0, summed(hit))
    values = judged(hit)
    weighed = {name: (weight, values[name]) for name, weight in judge.fit.weights.items()}
    yield from _weighted_sum("log-odds that its quote answers", judge.fit.bias, weighed)
    confidence = judge.confidence(values)
    yield f"confidence {confidence:.1%}; {_thresholds(reasons)}"
    if answer.confidence < round(confidence, 4):
        yield f"lowered to {answer.confidence:.1%}: the passage lacks some words of the follow-up"
    yield from _terms(hit)


def _weighted_sum(name: str, bias: float, parts: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    if bias:
        yield f"{bias:+7.2f}  to begin with"
    for signal, (weight, value) in parts.items():
        yield f"{weight * value:+7.2f}  {weight:.2f} x {signal} {value:.2f}: {SIGNALS[signal].lower()}"
    yield f"{bias + sum(weight * value for weight, value in parts.values()):+7.2f}  {name}"


def _thresholds(reasons: Reasons) -> str:
    answered = reasons.judge.answer_at
    related = min(reasons.judge.fit.related_at, answered)
    return f"answered from {answered:.1%}, related from {related:.1%}"


def _terms(hit: Hit) -> Iterator[str]:
    """Yield how the passage matches each content word."""
    for match in hit.terms:
        if match.term.is_content:
            where = "in the passage or its title" if match.in_words else f"absent; nearest {match.near:.2f}"
            yield f"word {match.term.typed}: {where}"
