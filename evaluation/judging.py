"""A quote and the gold answers: does it hold one, how much do they share. Pure text, nothing else."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from evaluation.records import Asked, Kind

__all__ = [
    "any_right",
    "highlight_right",
    "holds",
    "is_right",
    "plain",
    "rank",
    "token_f1",
    "whole_sentences",
]

_WORD = re.compile(r"[^\W_]+")
_LONG = 20
"""Plain characters of a quote above which it counts as right when a gold answer holds it."""

_UNCOUNTED = {"a", "an", "the"}  # as SQuAD's own F1 leaves them out
_SENTENCE_WORDS = 4


def plain(text: str) -> str:
    """Return the letters and digits of a text in lower case, one blank between words."""
    return " ".join(_WORD.findall(text.lower()))


def holds(quote: str, answers: Iterable[str]) -> bool:
    """Tell whether the quote holds a gold answer, or one holds it when it is over 20 plain characters."""
    text = plain(quote)
    return any(
        gold and (gold in text or (len(text) > _LONG and text in gold)) for gold in map(plain, answers)
    )


def is_right(record: Asked) -> bool:
    """Tell whether the first quote answers; nothing answers a question that these articles cannot answer."""
    return record.kind is Kind.ANSWERABLE and holds(record.quote, record.answers)


def any_right(record: Asked) -> bool:
    """Tell whether any of the quotes answers."""
    return record.kind is Kind.ANSWERABLE and any(holds(quote, record.answers) for quote in record.quotes)


def rank(record: Asked) -> float:
    """Return the place of the first right paragraph among those cited, from 1; infinity where none is.

    NaN where it is not known which are right.
    """
    if not record.gold:
        return math.nan
    places = (place for place, cited in enumerate(record.cited, 1) if cited in record.gold)
    return next(places, math.inf)


def token_f1(text: str, gold: str) -> float:
    """Return 2PR / (P + R) over the words of both, each counted as often as it stands there.

    P is the share of the text's words that the gold answer has, R the share of the gold answer's words that
    the text has. Source: Rajpurkar et al., "SQuAD" (2016), whose script leaves out a, an and the.
    """
    ours, theirs = _words(text), _words(gold)
    same = (ours & theirs).total()
    if same == 0:
        return 0.0
    precision, recall = same / ours.total(), same / theirs.total()
    return 2 * precision * recall / (precision + recall)


def _words(text: str) -> Counter[str]:
    return Counter(word for word in plain(text).split() if word not in _UNCOUNTED)


def highlight_right(record: Asked) -> bool:
    """Tell whether the highlighted words and a gold answer overlap: one holds the other."""
    words = plain(record.highlight or "")
    golds = [gold for gold in map(plain, record.answers) if gold]
    return bool(words) and any(words in gold or gold in words for gold in golds)


def whole_sentences(records: Sequence[Asked]) -> bool:
    """Tell whether a set's gold answers are whole sentences: most of them have four words and a full stop."""
    golds = [gold.strip() for one in records if one.kind is Kind.ANSWERABLE for gold in one.answers]
    whole = sum(gold.endswith((".", "!", "?", "…", "。")) and _is_long(gold) for gold in golds)
    return 2 * whole > len(golds)


def _is_long(gold: str) -> bool:
    return len(gold.split()) >= _SENTENCE_WORDS or gold.endswith("。")
