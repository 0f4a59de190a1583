"""Fuzzy alignment of a sentence with an article's text, and a word diff of the two."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, LCSseq, Levenshtein

from index.analysis import fold

__all__ = ["UNSPACED", "Change", "ChangeKind", "align", "diff"]

UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
"""A character of a script that is written without spaces, such as Thai or Japanese; a pattern for `re`."""

_TOKEN = re.compile(rf"{UNSPACED}|(?:(?!{UNSPACED})\w)+|[^\w\s]")
_TOKEN_OR_SPACE = re.compile(rf"{_TOKEN.pattern}|\s")
_SENTENCE_ENDS = frozenset(".!?…。！？")
_MAX_TOKENS = 500  # of a sentence that is aligned: the time grows with their square
_MAX_REACH = 40  # tokens by which the ends of an alignment are moved
_SKIPPED = 0.3  # cost of a token of the article in an alignment, where a shared token is worth 1


class ChangeKind(StrEnum):
    """Whether the quote and the article share a run of characters, or only one of them has it."""

    SAME = "same"
    QUOTED = "quoted"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Change:
    """A run of characters, and which of the two texts has it."""

    kind: ChangeKind
    text: str


def align(sentence: str, text: str, start: int, end: int) -> tuple[float, int, int]:
    """Return the part of `text[start:end]` that is most like a sentence: similarity (0 to 1), start, end.

    It is of whole words. The similarity is the normalized Indel similarity of the folded characters.
    """
    tokens = list(_TOKEN.finditer(text, start, end))
    quote, article = _as_symbols(_TOKEN.findall(sentence)[:_MAX_TOKENS], [token[0] for token in tokens])
    first, last = _best_span(quote, article)
    if first == last:
        return 0.0, 0, 0
    # The quote may have replaced the first or last word: take in the word of the same sentence there.
    steps = Levenshtein.opcodes(quote, article[first:last])
    if steps[0].tag == "delete" and first > 0 and tokens[first - 1][0] not in _SENTENCE_ENDS:
        first -= 1
    if steps[-1].tag == "delete" and last < len(tokens) and tokens[last - 1][0] not in _SENTENCE_ENDS:
        last += 1
    start, end = tokens[first].start(), tokens[last - 1].end()
    original = " ".join(text[start:end].split())
    return Indel.normalized_similarity(fold(sentence), fold(original)), start, end


def _as_symbols(*texts: Sequence[str]) -> list[str]:
    """Return each text with one character for each of its tokens: rapidfuzz is fastest on strings."""
    numbers: dict[str, int] = {}
    return ["".join(chr(numbers.setdefault(fold(token), len(numbers))) for token in text) for text in texts]


def _best_span(quote: str, article: str) -> tuple[int, int]:
    """Take the best window as long as the quote, and move its ends to share more tokens or skip fewer."""
    window = fuzz.partial_ratio_alignment(quote, article)
    if window is None or not quote or not article:
        return 0, 0
    start, end = window.dest_start, window.dest_end
    reach = min(len(quote) // 2 + 4, _MAX_REACH)

    def score(first: int, last: int) -> float:
        return LCSseq.similarity(quote, article[first:last]) - _SKIPPED * (last - first)

    for _ in range(2):
        ends = range(max(start + 1, end - reach), min(end + reach, len(article)) + 1)
        end = max(ends, key=lambda last: score(start, last))
        starts = range(max(start - reach, 0), min(start + reach, end - 1) + 1)
        start = max(starts, key=lambda first: score(first, end))
    return start, end


def diff(quoted: str, original: str) -> tuple[Change, ...]:
    """Return the changes between an article's text and a quote: whole words in order, with single spaces.

    Joined without those of kind ARTICLE they are the quote, without those of kind QUOTED the original.
    """
    own, others = (_TOKEN_OR_SPACE.findall(" ".join(text.split())) for text in (quoted, original))
    changes: list[Change] = []
    for is_same, group in itertools.groupby(
        Levenshtein.opcodes(own, others), lambda step: step.tag == "equal"
    ):
        steps = list(group)
        mine = "".join(own[steps[0].src_start : steps[-1].src_end])
        theirs = "".join(others[steps[0].dest_start : steps[-1].dest_end])
        runs = (
            [(ChangeKind.SAME, mine)]
            if is_same
            else [(ChangeKind.QUOTED, mine), (ChangeKind.ARTICLE, theirs)]
        )
        changes += [Change(kind, run) for kind, run in runs if run]
    return tuple(changes)
