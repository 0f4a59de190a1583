"""What every surface says of an answer: how many quotes it shows, where they are, how sure, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bot.answering.answer import Verdict
from index.search.hits import SCORE_WEIGHTS

if TYPE_CHECKING:
    from bot.answering.answer import Answer, Quote
    from bot.chat.messages import Messages
    from index.search.hits import Hit

__all__ = ["percent", "place_text", "quotes_shown", "reasons"]

_QUOTES_SHOWN = {Verdict.ANSWERED: 1, Verdict.RELATED: 3, Verdict.NOT_FOUND: 2}
_WORDS_MISSED = 8
_WELL, _HARDLY = 0.75, 0.55
"""Shares from which a passage is said to match well, and below which hardly."""


def quotes_shown(answer: Answer) -> tuple[Quote, ...]:
    """Return the quotes in an answer's message: the first, or one of each part or of the closest passages."""
    return answer.quotes if answer.parts else answer.quotes[: _QUOTES_SHOWN[answer.verdict]]


def place_text(paragraph: int, page: int | None, messages: Messages) -> str:
    """Return where a quote is: its page, if there are pages, and its paragraph; or the heading."""
    if not paragraph:
        return messages("heading")
    key = "paragraph_on_page" if page else "paragraph"
    return messages(key, number=paragraph, page=page)


def percent(share: float) -> str:
    """Return a share as whole percents, rounded down, so that only certainty is 100%."""
    return f"{math.floor(100 * share + 1e-9)}%"


def reasons(answer: Answer, messages: Messages, escape: Callable[[str], str]) -> Iterator[str]:
    """Yield why an answer has its verdict, a line each: its scores in words.

    A surface passes its `escape`, which may also cut: the words of a question are of any length.
    """
    for part in answer.parts or (answer,):
        yield from _reasons(part, messages, escape)


def _reasons(answer: Answer, messages: Messages, escape: Callable[[str], str]) -> Iterator[str]:
    known = answer.reasons
    if known is None or not known.found.question.terms:
        yield messages("why_no_words")
        return
    if not known.cited:
        yield messages("why_nothing")
        return
    hit, answer_at = known.cited[0], known.fit.answer_at
    yield messages("why_sure", share=percent(answer.confidence), answered=percent(answer_at))
    if (reading := known.found.reading) is not None:
        likeliest = max(sentence.answer or 0.0 for sentence in hit.sentences)
        yield messages("why_read", likeliest=percent(likeliest), none=percent(reading.none))
    share = hit.score / sum(SCORE_WEIGHTS.values())
    yield messages("why_score", level=_level(share, messages), value=f"{share:.2f}")
    yield from _words_missed(hit, messages, escape)


def _words_missed(hit: Hit, messages: Messages, escape: Callable[[str], str]) -> Iterator[str]:
    missed = [match for match in hit.terms if match.term.is_content and not match.in_words]
    if missed:
        typed = {id(match): escape(" ".join(match.term.typed.split())) for match in missed}
        yield messages("why_absent", words=", ".join(list(typed.values())[:_WORDS_MISSED]))
        worst = min(missed, key=lambda match: match.near)
        level = _level(worst.near, messages)
        yield messages("why_word", word=typed[id(worst)], level=level, value=f"{worst.near:.2f}")


def _level(share: float, messages: Messages) -> str:
    return messages("level_high" if share >= _WELL else "level_middle" if share >= _HARDLY else "level_low")
