"""Why an answer is what it is: how the question was read, what was found, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from index.search.hits import SIGNALS, summed

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from index.reading.reader import Reading
    from index.search.hits import Found, Hit

__all__ = ["explanation", "explanation_lines"]


def explanation(answer: Answer) -> dict[str, Any]:
    """Return the explanation as a JSON object: the question as it was read, and each cited hit's signals."""
    reasons = answer.reasons
    if reasons is None:
        return {}
    question, fit = reasons.found.question, reasons.fit
    return {
        "read_as": question.text,
        "notes": list(question.notes),
        "terms": [
            {"term": term.typed, "forms": list(term.forms), "rarity": round(term.rarity, 3)}
            for term in question.terms
        ],
        "hits": [_hit(number, hit) for number, hit in enumerate(reasons.cited, 1)],
        "signals": {name: round(value, 4) for name, value in reasons.signals.items()},
        "reader": fit.reader,
        "none": reasons.found.reading and round(reasons.found.reading.none, 4),
        "bias": fit.answers.bias,
        "weights": dict(fit.answers.weights),
        "answer_at": fit.answer_at,
        "related_at": fit.related_at,
    }


def _hit(number: int, hit: Hit) -> dict[str, Any]:
    return {
        "citation": number,
        "signals": {name: round(value, 4) for name, (_, value) in summed(hit).items()},
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
    hit, fit, reading = reasons.cited[0], reasons.fit, reasons.found.reading
    yield from _weighted_sum("score of the first passage", 0.0, summed(hit))
    if reading is not None:
        yield _reading_line(reasons.found, reading)
    values = reasons.signals
    weighed = {name: (weight, values[name]) for name, weight in fit.answers.weights.items()}
    yield from _weighted_sum("log-odds that its quote answers", fit.answers.bias, weighed)
    confidence = fit.answers(values)
    yield f"confidence {confidence:.1%}; answered from {fit.answer_at:.1%}"
    yield f"on the articles' subject: {fit.subject(values):.1%}; not found below {fit.related_at:.1%}"
    if answer.confidence < round(confidence, 4):
        yield f"lowered to {answer.confidence:.1%}: the passage lacks some of what the question names"
    for match in hit.terms:
        if match.term.is_content:
            where = "in the passage or its title" if match.in_words else f"absent; nearest {match.near:.2f}"
            yield f"word {match.term.typed}: {where}"


def _reading_line(found: Found, reading: Reading) -> str:
    answers = sorted((one.answer or 0.0 for hit in found.hits for one in hit.sentences), reverse=True)
    likely = f"likeliest sentence {answers[0]:.2f}, next {answers[1] if answers[1:] else 0:.2f}"
    return f"reader {reading.reader}: {likely}, no answer {reading.none:.2f}"


def _weighted_sum(name: str, bias: float, parts: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    if bias:
        yield f"{bias:+7.2f}  bias"
    for signal, (weight, value) in parts.items():
        yield f"{weight * value:+7.2f}  {weight:.2f} x {signal} {value:.2f}: {SIGNALS[signal].lower()}"
    yield f"{bias + sum(weight * value for weight, value in parts.values()):+7.2f}  {name}"
