"""Abbreviations that articles introduce in brackets, and questions that use the other form.

Definitions are found as by Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions
in biomedical text" (Pacific Symposium on Biocomputing, 2003): one form stands in brackets after the other,
and each letter of the short form is looked for in the long one from the right. Two things are ours: initials
of whole words are tried first, and at least half of the letters must be initials.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from index.analysis import WORD, fold, words

__all__ = ["Abbreviations", "find_abbreviations"]

_WINDOW = 240  # characters before or inside brackets in which a long form is looked for
_LONGEST_WORDS = 15
_BRACKETS = re.compile(rf"\(([^()]{{2,{_WINDOW}}})\)")
_SHORT_FORM = re.compile(r"[^\W_](?:[^\W_]|[-&./](?=[^\W_])){1,9}\Z")
_LAST_WORD = re.compile(r"(\S{2,12})\s{1,2}\Z")
_CLAUSE_END = re.compile(r"[.!?](?=\s)|[;:()\n]")
_QUOTES = "'\"‘’“”„«»"


def find_abbreviations(text: str) -> list[tuple[str, str]]:
    """Return the short and long forms that a text introduces, each pair once, in order.

    Short forms have 2 to 10 characters and a capital: "Local Government Association (LGA)", "LGA (Local
    Government Association)".
    """
    found: dict[tuple[str, str], None] = {}
    for match in _BRACKETS.finditer(text):
        before = text[max(0, match.start() - _WINDOW) : match.start()]
        inside = re.split("[,;]", match[1], maxsplit=1)[0].strip(f" {_QUOTES}")
        if long := _long_form(inside, before):
            found[inside, long] = None
        elif (word := _LAST_WORD.search(before)) and sum(map(str.isupper, word[1])) > 1:
            short = word[1].strip(_QUOTES)
            if _long_form(short, inside) == inside:  # the brackets hold nothing else
                found[short, inside] = None
    return list(found)


def _long_form(short: str, text: str) -> str | None:
    """Return the long form of a short one that ends where the text does."""
    if not _SHORT_FORM.match(short) or not any(map(str.isupper, short)):
        return None
    text = text.rstrip().rstrip(f"{_QUOTES}, ")
    clause = max((end.end() for end in _CLAUSE_END.finditer(text)), default=0)
    letters = "".join(words(short))
    limit = min(len(letters) + 5, len(letters) * 2)  # Schwartz and Hearst's
    before = list(WORD.finditer(text, clause))[-limit:] if letters else []
    if not before or before[-1].end() != len(text):
        return None
    start = _by_initials(letters, before)
    if start is None:
        start = _by_letters(letters, text, before[0].start())
    return text[start:] if start is not None and _is_plausible(short, letters, text[start:]) else None


def _by_initials(letters: str, before: Sequence[re.Match[str]]) -> int | None:
    """Return where the words begin whose initials are the letters; small words between may be skipped.

    A name begins with a capital where it can.
    """
    left = len(letters)
    first: int | None = None
    is_name = False
    for word in reversed(before):
        is_small = word[0].islower()
        if fold(word[0])[:1] == letters[left - 1] and (first is None or not is_small):
            is_name |= not is_small
            if left == 1:
                first = word.start()
                if not (is_small and is_name):
                    return first
            left = max(1, left - 1)
        elif left == len(letters) or not is_small:
            return first
    return first


def _by_letters(letters: str, text: str, first: int) -> int | None:
    """Return where the shortest long form with the letters begins, by Schwartz and Hearst."""
    at = len(text)
    for place in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= first:
            is_word_start = at == 0 or not text[at - 1].isalnum()
            if fold(text[at])[:1] == letters[place] and (place or is_word_start):
                break
            at -= 1
        if at < first:
            return None
    return at


def _is_plausible(short: str, letters: str, long: str) -> bool:
    """Tell whether a pair is worth keeping: longer, without the short form, mostly made of initials."""
    from rapidfuzz.distance import LCSseq  # questions need none of it

    in_long = words(long)
    matched = LCSseq.similarity(letters, "".join(word[:1] for word in in_long))
    return len(long) > len(short) + 1 and fold(short) not in in_long and matched * 2 >= len(letters)


class Abbreviations:
    """The abbreviations of a collection, looked up both ways; immutable."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take pairs of a short and a long form; either may come with several of the other."""
        others: dict[tuple[str, bool], dict[str, None]] = {}
        for short, long in pairs:
            others.setdefault((short, True), {})[long] = None
            others.setdefault((long, False), {})[short] = None
        # By their words: the form, whether it is short, and its other forms.
        self._forms: dict[tuple[str, ...], list[tuple[str, bool, tuple[str, ...]]]] = {}
        for (text, is_short), names in others.items():
            key = tuple(words(text))
            if 0 < len(key) <= _LONGEST_WORDS:
                self._forms.setdefault(key, []).append((text, is_short, tuple(names)))
        self._lengths: dict[str, set[int]] = {}
        for key in self._forms:
            self._lengths.setdefault(key[0], set()).add(len(key))

    def find(
        self, question: str, ordinary_words: Collection[str] = ()
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return the spans of a question that are a form of an abbreviation, each with its other forms.

        A short form that is also one of the folded `ordinary_words` ("IT", "WHO") counts only where it is
        written as in the articles, in a question that is not all capitals or all small letters.
        """
        typed = list(WORD.finditer(question))
        folded = [fold(match[0]) for match in typed]
        one_case = question.isupper() or question.islower()
        found = []
        for at in range(len(typed)):
            for length in sorted(self._lengths.get(folded[at], ())):
                if at + length > len(typed):
                    break
                start, end = typed[at].start(), typed[at + length - 1].end()
                for text, is_short, others in self._forms.get(tuple(folded[at : at + length]), []):
                    is_ordinary = is_short and fold(text) in ordinary_words
                    if not is_ordinary or (question[start:end] == text and not one_case):
                        found.append((start, end, others))
        return found
