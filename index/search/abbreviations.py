"""Abbreviations that articles introduce, and questions that use one form where the articles use the other.

A definition is found as Schwartz and Hearst do it ("A simple algorithm for identifying abbreviation
definitions in biomedical text", Pacific Symposium on Biocomputing, 2003): one form stands in brackets after
the other, and each letter of the short form is looked for in the long one from the right, the first at the
start of a word. Three things are ours: the initials of whole words are tried first, so that no word is
missed on the left; half the letters at least must be initials; and a few phrases ("known as the ...") serve
as brackets do. Every search looks at a bounded stretch of text, so the time is linear in the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from index.folding import WORD, fold

__all__ = ["Abbreviations", "find_abbreviations"]

_WINDOW = 240
"""Characters of text, before a short form or inside brackets, in which its long form is looked for."""

_LONGEST_FORM = 15
"""Words of the longest long form: 10 letters and 5 more, by the limit of `_limit`."""

_BRACKETS = re.compile(rf"\(([^()]{{2,{_WINDOW}}})\)")
_SHORT = re.compile(r"[^\W_](?:[^\W_]|[-&./](?=[^\W_])){1,9}\Z")
_LAST_WORD = re.compile(r"(\S{2,12})\s{1,2}\Z")
_CLAUSE_END = re.compile(r"[.!?](?=\s)|[;:()\n]")
_QUOTES = "'\"‘’‚‛“”„‟«»"

# The one place here that names languages: English and Spanish ways to introduce a short form. `PHRASES`
# stand before it, `AFTER` behind it; `FILLERS` may stand between the long form and a phrase.
_PHRASES = r"(?:known|referred to|abbreviated|shortened|conocid[ao]s?|abreviad[ao])\s{1,2}(?:as|to|como)"
_ARTICLES = r"(?:the|el|la|los|las)"
_FORM = r"([^\W_][\w&./-]{1,9})"
_FOR_SHORT = r"(?:for short|por sus siglas|en siglas)"
_INTRODUCED = re.compile(
    rf"(?i:\b{_PHRASES}\s{{1,2}}(?:{_ARTICLES}\s)?)[{_QUOTES}]?{_FORM}\b"
    rf"|,\s(?i:or\s)?(?i:{_ARTICLES}\s)?[{_QUOTES}]?{_FORM}[{_QUOTES}]?,?\s(?i:{_FOR_SHORT})\b"
)
_FILLER = re.compile(
    r"(?:[\s,]|\b(?:also|better|commonly|often|sometimes|usually|generally|simply|is|are|was|were|which"
    r"|and|that|y|o|es|son|que|también|a menudo)\b){1,12}\Z",
    re.IGNORECASE,
)
_LEAD = re.compile(
    rf"\s*(?:(?:or|also|abbreviated|hereafter|henceforth|{_PHRASES}|{_ARTICLES})\s{{1,2}}){{0,4}}",
    re.IGNORECASE,
)
_TAIL = re.compile(rf",?\s{_FOR_SHORT}\s*\Z", re.IGNORECASE)


def find_abbreviations(text: str) -> list[tuple[str, str]]:
    """Return the short and long forms that a text introduces, each pair once, in order.

    Short forms have 2 to 10 characters and a capital among them: "Local Government Association (LGA)",
    "LGA (Local Government Association)", "the Association, LGA for short", "known as the LGA".
    """
    found: list[tuple[int, str, str]] = []
    for match in _BRACKETS.finditer(text):
        before = text[max(0, match.start() - _WINDOW) : match.start()]
        for short, long in _in_brackets(before, match[1]):
            found.append((match.start(), short, long))
    for match in _INTRODUCED.finditer(text):
        before = text[max(0, match.start() - _WINDOW) : match.start()]
        short = match[1] or match[2]
        if phrased := _long_before(short, _FILLER.sub("", before)):
            found.append((match.start(), short, phrased))
    return list(dict.fromkeys((short, long) for _, short, long in sorted(found)))


def _in_brackets(before: str, inside: str) -> Iterator[tuple[str, str]]:
    """Yield the definitions that brackets make: of what is in them, or of the word before them."""
    piece = re.split("[,;]", _TAIL.sub("", inside), maxsplit=1)[0].strip()
    short = _LEAD.sub("", piece, count=1).strip(_QUOTES)
    if long := _long_before(short, before):
        yield short, long
    elif (last := _LAST_WORD.search(before)) and len(WORD.findall(piece)) > 1:
        word = last[1].strip(_QUOTES)
        long = _long_before(word, piece)
        # The brackets must hold the long form and nothing else; any capitalised word may stand before them.
        if long and sum(one.isupper() for one in word) > 1:
            rest = _LEAD.sub("", piece, count=1)
            if rest.strip(_QUOTES) == long or piece.strip(_QUOTES) == long:
                yield word, long


def _long_before(short: str, text: str) -> str | None:
    """Return the long form of a short one that ends where the text does."""
    if not _SHORT.match(short) or not any(one.isupper() for one in short):
        return None
    text = text.rstrip().rstrip(_QUOTES + ", ")
    clause = max((end.end() for end in _CLAUSE_END.finditer(text)), default=0)
    letters = fold("".join(WORD.findall(short)))
    words = list(WORD.finditer(text, clause))[-_limit(letters) :]
    if not letters or not words or words[-1].end() != len(text):
        return None
    start = _by_initials(letters, words)
    if start is None:
        start = _by_letters(letters, text, words[0].start())
    if start is None or not _is_sane(short, letters, text[start:]):
        return None
    return text[start:]


def _limit(letters: str) -> int:
    """Return how many words a long form may have, by Schwartz and Hearst."""
    return min(len(letters) + 5, len(letters) * 2)


def _by_initials(letters: str, words: list[re.Match[str]]) -> int | None:
    """Return where the words begin whose initials are the letters; small words between may be left out.

    Of a name, a small word is not the first where a capitalised one stands before it with the same initial:
    the OAPEC is the Organization of Arab ..., and not of Arab ....
    """
    left = len(letters)
    first: int | None = None
    is_name = False
    for word in reversed(words):
        met = fold(word[0])[:1] == letters[left - 1]
        is_small = word[0].islower()
        if met and (left > 1 or first is None or not is_small):
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
    """Return where the shortest long form begins that has the letters, by Schwartz and Hearst."""
    at = len(text)
    for place in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= first:
            begins = at == 0 or not text[at - 1].isalnum()
            if fold(text[at])[:1] == letters[place] and (place or begins):
                break
            at -= 1
        if at < first:
            return None
    return at


def _is_sane(short: str, letters: str, long: str) -> bool:
    """Tell whether a pair is worth keeping: longer, without the short form, and mostly made of initials."""
    from rapidfuzz.distance import LCSseq  # a build reads abbreviations; a question knows them

    words = [fold(word) for word in WORD.findall(long)]
    initials = "".join(word[:1] for word in words)
    return (
        len(long) > len(short) + 1
        and fold(short) not in words
        and LCSseq.similarity(letters, initials) * 2 >= len(letters)
        and (sum(one.isupper() for one in short) > 1 or long[0].isupper())
        and '"' not in long
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """One form of an abbreviation, and what else it is written as."""

    text: str
    is_short: bool
    others: tuple[str, ...]


class Abbreviations:
    """The abbreviations of a collection, looked up both ways; immutable."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take pairs of a short and a long form; either may come with several of the other."""
        others: dict[tuple[str, bool], dict[str, None]] = {}
        for short, long in pairs:
            others.setdefault((short, True), {})[long] = None
            others.setdefault((long, False), {})[short] = None
        self._forms: dict[tuple[str, ...], list[_Form]] = {}
        for (text, is_short), names in others.items():
            key = tuple(map(fold, WORD.findall(text)))
            if 0 < len(key) <= _LONGEST_FORM:
                self._forms.setdefault(key, []).append(_Form(text, is_short, tuple(names)))
        sizes: dict[str, set[int]] = {}
        for key in self._forms:
            sizes.setdefault(key[0], set()).add(len(key))
        self._sizes = {first: sorted(found) for first, found in sizes.items()}

    def find(
        self, question: str, ordinary_words: Collection[str] = ()
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return where a question has an abbreviation or its long form, and the other forms of it, in order.

        A short form that is one of the folded `ordinary_words` too ("IT", "WHO") is taken for itself only
        where it is written as in the articles, in a question that is not all in capitals or all in small
        letters. Long forms are met by their folded words, in order.
        """
        words = list(WORD.finditer(question))
        folded = [fold(word[0]) for word in words]
        one_case = question.isupper() or question.islower()
        found = []
        for at in range(len(words)):
            for size in self._sizes_from(folded[at]):
                if at + size > len(words):
                    break
                start, end = words[at].start(), words[at + size - 1].end()
                written = question[start:end]
                for form in self._met(tuple(folded[at : at + size]), written):
                    ordinary = form.is_short and fold(form.text) in ordinary_words
                    if not ordinary or (written.startswith(form.text) and not one_case):
                        found.append((start, end, form.others))
        return found

    def _sizes_from(self, word: str) -> Sequence[int]:
        """Return how many words the forms have that begin with one; a short form may have an "s" after it."""
        found = self._sizes.get(word, [])
        return found if 1 in found or self._sizes.get(word[:-1], [0])[0] != 1 else [1, *found]

    def _met(self, key: tuple[str, ...], written: str) -> Iterator[_Form]:
        """Yield the forms that words of a question are; a short form may have the "s" of a plural."""
        yield from self._forms.get(key, [])
        if written.endswith("s") and written[:-1].isupper():
            plural = self._forms.get((*key[:-1], key[-1][:-1]), [])
            yield from (form for form in plural if form.is_short)
