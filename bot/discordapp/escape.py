r"""Text from articles and people, written so that Discord shows it to the letter and acts on none of it.

Discord's renderer takes a backslash before any ASCII punctuation as "show this as it is". So whatever could
begin formatting, a mention, a timestamp, an emoji, a spoiler, a link or a bare address gets one:

>>> print(escape("**Up** at https://example.org, says <@42>"))
\*\*Up\*\* at https\://example.org, says \<@42>

What means something only in its place (a list or a heading where a line begins, a colon before a name)
gets one only there, so that most text is left as it is:

>>> print(escape("- 3 - 2 = 1"), escape("1. one: 1.5"), sep="\n")
\- 3 - 2 = 1
1\. one: 1.5

`unescape` is the inverse:

>>> unescape(escape("1. _a_ \\ #b :cat:")) == "1. _a_ \\ #b :cat:"
True
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

__all__ = [
    "ELLIPSIS",
    "around",
    "blockquote",
    "escape",
    "fit",
    "printable",
    "shorten",
    "unblockquote",
    "unescape",
    "units",
]

ELLIPSIS = "…"
_ANYWHERE = frozenset("\\`*_~|<[]")
_AT_LINE_START = frozenset("#>-+")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*")
# Discord makes cards of these in a message's text, also without a scheme before them.
_INVITES = re.compile(r"(?:discord(?:app)?\.(?:gg|new|com/[a-z-]{4,16})|dis\.gd)\Z", re.IGNORECASE)
_LONGEST_INVITE = 32
_QUOTE_MARK = "> "
_BOLD = "**"
_STRUCK = "~~"
_PIECE = re.compile(r"\[(?:\\.|[^\[\]\\\n])*\]\([^()\s]+\)|\\.|\*\*|~~|(?:^|\n)> |[\s\S]")
"""A link, an escaped character, a mark, a quoted line's beginning or a character of text that is escaped."""

_LONGEST_WORD = 100
"""Characters that are given up, at most, to cut between words: some languages have no spaces."""

_CONTINUES = re.compile("[\u200c\u200d\u1160-\u11ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Joiners, the vowels and ends of Korean syllables, skin tones, and the tags of a region's flag."""
_FLAG = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def printable(text: str) -> str:
    """Return `text` with what Discord refuses or drops shown as U+FFFD, and with plain line ends."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def units(text: str) -> int:
    """Return the length in UTF-16 code units, which no way of Discord's to count exceeds."""
    return len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def _pieces(text: str, newline: str = "\n") -> Iterator[str]:
    """Yield each character of `text` in its escaped form."""
    at_start, in_number = True, False
    for position, letter in enumerate(text):
        after = text[position + 1 : position + 9]
        marks = letter in _ANYWHERE or (at_start and letter in _AT_LINE_START)
        marks |= (
            letter == "/" and _INVITES.search(text, max(position - _LONGEST_INVITE, 0), position) is not None
        )
        if letter == "\n":
            yield newline
        else:
            yield "\\" + letter if marks or _begins(letter, after, in_number=in_number) else letter
        in_number = letter.isdecimal() and (at_start or in_number)
        at_start = letter in "\n\r" or (at_start and letter.isspace())


def _begins(letter: str, after: str, *, in_number: bool) -> bool:
    """Say whether an address, an emoji's name, a mention of all or a numbered list is made here."""
    if letter == ":":
        return not after[:1].isspace()  # at the end too, since something may be put behind it
    if letter == "@":
        return after.startswith(("everyone", "here"))
    return in_number and letter in ".)" and not after[:1].strip()


def escape(text: str) -> str:
    """Return `text` so that Discord shows exactly it."""
    return "".join(_pieces(text))


def unescape(text: str) -> str:
    """Undo `escape`, and take the marks of bold away: in escaped text no other asterisks stand free."""
    return _ESCAPED.sub(lambda found: found[1] or "", text)


def fit(text: str, room: int, *, newline: str = "\n", bold: tuple[int, int] | None = None) -> str:
    """Return `text`, printable and escaped, in at most `room` UTF-16 units.

    What is too long ends with an ellipsis after a whole word, or after a whole character in a word that is
    the only one or very long. `bold` is the part of the text that is in bold, as far as it is shown.
    """
    shown = printable(text.strip()[: 2 * room + 2])  # more cannot fit, and a whole article costs time
    pieces = list(_pieces(shown, newline))
    start, end = (min(_place(text, at), len(pieces)) for at in bold or (0, 0))
    room -= 2 * len(_BOLD) if start < end else 0
    if sum(map(units, pieces)) <= room:
        return _marked(pieces, start, end)
    if room < units(ELLIPSIS):
        return ""
    kept = _first(shown, pieces, room - units(ELLIPSIS))
    return _marked(pieces[:kept], start, min(end, kept)) + ELLIPSIS


def around(text: str, start: int, end: int, room: int, *, bold: bool = True) -> str:
    """Return `text` as a block quote in at most `room` units, with the part from `start` to `end` in bold.

    What has no room is cut at both ends of the text, as `fit` does it, and the part itself only where
    nothing beside it has room.
    """
    whole = printable(text.strip())
    start, end = (min(_place(text, at), len(whole)) for at in (start, end))
    first = max(start - room, 0)  # what is further away cannot fit
    shown = whole[first : min(end, start + room) + room]
    start, end = start - first, min(end - first, len(shown))
    pieces = list(_pieces(shown, "\n" + _QUOTE_MARK))
    room -= len(_QUOTE_MARK) + (2 * len(_BOLD) if bold else 0)
    begin, stop = _window(shown, pieces, start, end, room)
    kept = pieces[begin:stop]
    inside = _marked(kept, start - begin, min(end, stop) - begin) if bold else "".join(kept)
    return _QUOTE_MARK + ELLIPSIS * (begin > 0) + inside + ELLIPSIS * (stop < len(pieces))


def blockquote(text: str, room: int, bold: tuple[int, int] | None = None) -> str:
    """Return `text` as a block quote in at most `room` units, cut and partly in bold as `fit` does it."""
    return _QUOTE_MARK + fit(text, room - len(_QUOTE_MARK), newline="\n" + _QUOTE_MARK, bold=bold)


def unblockquote(block: str) -> str:
    """Undo `blockquote`, where nothing was cut."""
    return unescape("\n".join(line.removeprefix(_QUOTE_MARK) for line in block.split("\n")))


def shorten(escaped: str, room: int) -> str:
    """Return text that is for Discord already in at most `room` units, cut as `fit` does it.

    No escape and no link is cut in two, and what is bold or struck out where the cut falls ends there.
    """
    if units(escaped) <= room:
        return escaped
    pieces = _PIECE.findall(escaped)
    room -= units(ELLIPSIS) + len(_BOLD) + len(_STRUCK)
    kept = pieces[: _first("".join(piece[0] for piece in pieces), pieces, room)]
    for mark in (_BOLD, _STRUCK):
        if kept.count(mark) % 2:
            kept = [*kept, mark] if kept[-1] != mark else kept[:-1]
    return "".join(kept).rstrip() + ELLIPSIS if room >= 0 else ""


def _place(text: str, at: int) -> int:
    """Return where what stands at `at` in a text is once that is stripped and printable."""
    return len(printable(text[:at].lstrip()))


def _marked(pieces: Sequence[str], start: int, end: int) -> str:
    if start >= end:
        return "".join(pieces)
    return "".join([*pieces[:start], _BOLD, *pieces[start:end], _BOLD, *pieces[end:]])


def _window(letters: str, pieces: Sequence[str], start: int, end: int, room: int) -> tuple[int, int]:
    """Return from where to where to show what is around a part; `room` is for ellipses too."""
    left, part, right = (sum(map(units, some)) for some in (pieces[:start], pieces[start:end], pieces[end:]))
    if left + part + right <= room:
        return 0, len(pieces)
    spare = room - part - 2 * units(ELLIPSIS)
    if spare < 0:
        return start, start + _first(letters[start:end], pieces[start:end], spare + part)
    before = max(spare // 2, spare - right)
    begin = _last(letters[:start], pieces[:start], before)
    stop = end + _first(letters[end:], pieces[end:], spare - min(before, left))
    return (
        begin if letters[begin:start].strip() else start,
        stop if letters[end:stop].strip() else end,
    )


def _first(letters: str, pieces: Sequence[str], room: int) -> int:
    """Return how many pieces to show of the first ones, where a word ends, or at least a letter."""
    most = bisect_right(list(accumulate(map(units, pieces))), room)
    if most == len(pieces):
        return most
    for end in range(most, max(most - _LONGEST_WORD, 0) - 1, -1):
        if letters[end].isspace():
            return len(letters[:end].rstrip())
    while most > 0 and _joined(letters, most):
        most -= 1
    return most


def _last(letters: str, pieces: Sequence[str], room: int) -> int:
    """Return from where on to show the last pieces, where a word begins, or at least a letter."""
    most = bisect_right(list(accumulate(map(units, reversed(pieces)))), room)
    least = len(pieces) - most
    if least == 0:
        return least
    for begin in range(least, min(least + _LONGEST_WORD, len(letters)) + 1):
        if letters[begin - 1].isspace():
            return len(letters) - len(letters[begin:].lstrip())
    while least < len(letters) and _joined(letters, least):
        least += 1
    return least


def _joined(text: str, at: int) -> bool:
    """Say whether the characters before and after a place are seen as one letter: an accent, a flag ..."""
    before, after = text[at - 1], text[at]
    if before in _FLAG and after in _FLAG:
        return (at - len(text[:at].rstrip(_FLAG))) % 2 == 1
    is_mark = unicodedata.category(after).startswith("M")
    return is_mark or bool(_CONTINUES.match(after)) or before == "\u200d"
