"""Sentences: the spans of those of a paragraph, and of what a block of another kind is quoted in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import sentencex

from index.articles.blocks import BlockKind

__all__ = ["Span", "is_list_item", "split_block", "split_sentences", "trim"]

Span = tuple[int, int]
"""A start and an end, in code points."""

# Characters that are split into sentences at once, since sentencex takes quadratic time; the last ones are
# only lookahead for the sentences before them.
_STRETCH, _LOOKAHEAD = 8_000, 2_000
# sentencex 1.0.32 panics on some multi-byte white space; replacing one code point by one keeps every offset.
_ODD_SPACE = re.compile(r"[^\S\n ]")
_ITEM = r"[^\S\n]*(?:[-*+•‣◦▪–—]|\d{1,3}[.)])[^\S\n]+\S"
_BEFORE_ITEM = re.compile(rf"\n(?={_ITEM})")
_LIST_ITEM = re.compile(_ITEM)
# What a number follows, so that its full stop ends no sentence there.
_NUMBERED = re.compile(
    r"\b(?:approx|apt|art|bldg|ca|ch|ed|eq|ext|figs?|nos?|nr|pp?|par|rm|sec|ste|tel|vol)\.\Z", re.IGNORECASE
)
_NUMBER_ALONE = re.compile(r"\(?[\w.]{1,12}[.)]")
_CODE_PART = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_MARKDOWN_HEADING = re.compile(r"[^\S\n]*#{1,6} [^\n]*\n")


def split_block(kind: BlockKind, text: str, language: str) -> list[Span]:
    """Return the spans of what is quoted of a block: sentences, a whole row, or the parts of code."""
    if kind is BlockKind.ROW:
        return [(0, len(text))]
    if kind is BlockKind.CODE:
        return [trim(text, *match.span()) for match in _CODE_PART.finditer(text)]
    spans = split_sentences(text, language)
    if kind is BlockKind.LEAD_IN:
        return spans[:-1]  # "They are shown once." before "Print them:"
    if kind is BlockKind.ITEM and len(spans) > 1 and _NUMBER_ALONE.fullmatch(text, *spans[0]):
        spans[:2] = [(spans[0][0], spans[1][1])]  # "3. No politics"
    return spans


def split_sentences(text: str, language: str) -> list[Span]:
    """Return the spans of the sentences of one paragraph, in order, without the white space around them."""
    spans: list[Span] = []
    for start, end in _parts(text):
        part = _ODD_SPACE.sub(" ", text[start:end])
        for piece in _segment(part, language):
            first, last = trim(text, start + piece[0], start + piece[1])
            if spans and spans[-1][1] > start and _continues(text, spans[-1], first):
                spans[-1] = spans[-1][0], last
            elif first < last:
                spans.append((first, last))
    return spans


def _continues(text: str, before: Span, start: int) -> bool:
    """Tell whether a sentence was split: "Rm. | 12", "et al. [2014] | measured", "Co. | & Sons"."""
    following, gap = text[start : start + 1], text[before[1] : start]
    if not following or "\n" in gap:
        return False
    if following.islower():
        return text[before[1] - 1] not in ".!?…:\"'”’»"
    if following.isdigit():
        return bool(_NUMBERED.search(text, *before))
    return following in "&,;)"


def is_list_item(text: str) -> bool:
    """Tell whether a sentence is a list item, with its bullet or number."""
    return bool(_LIST_ITEM.match(text))


def _segment(text: str, language: str) -> Iterator[Span]:
    # Sentences at the end of a stretch are split again with what follows; one that fills it is cut.
    start = 0
    while start < len(text):
        pieces = sentencex.segment(language, text[start : start + _STRETCH])
        if start + _STRETCH < len(text):
            pieces = _settled(pieces)
        for piece in pieces:
            yield start, start + len(piece)
            start += len(piece)


def _settled(pieces: Sequence[str]) -> Sequence[str]:
    """Return the sentences of a stretch that what follows cannot change; the first at least."""
    count = sum(end <= _STRETCH - _LOOKAHEAD for end in itertools.accumulate(map(len, pieces)))
    if count or len(pieces) > 1:
        return pieces[: count or 1]
    return [pieces[0][: pieces[0].rfind(" ", _STRETCH // 2) + 1] or pieces[0]]


def _parts(text: str) -> Iterator[Span]:
    """Split a paragraph at lines that end a sentence without a full stop: list items and headings."""
    cuts = {match.end() for match in _BEFORE_ITEM.finditer(text)}
    if heading := _MARKDOWN_HEADING.match(text):
        cuts.add(heading.end())
    elif _opens_with_heading(text):
        cuts.add(text.index("\n") + 1)
    yield from itertools.pairwise([0, *sorted(cuts), len(text)])


def _opens_with_heading(text: str) -> bool:
    """Tell a heading from the first line of hard-wrapped prose, which is about as long as the others."""
    first, *rest = text.split("\n")
    if not rest or not first or first.rstrip()[-1:] in ",;:.!?-–—":
        return False
    return len(first) < 0.6 * max(map(len, rest)) and not rest[0].lstrip()[:1].islower()


def trim(text: str, start: int, end: int) -> Span:
    """Return a span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
