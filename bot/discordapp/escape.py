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
from collections.abc import Iterator

__all__ = ["ELLIPSIS", "blockquote", "escape", "fit", "printable", "unblockquote", "unescape", "units"]

ELLIPSIS = "…"
_ANYWHERE = frozenset("\\`*_~|<[]")
_AT_LINE_START = frozenset("#>-+")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*")
_QUOTE_MARK = "> "
_BOLD = "**"
_SHORTEST_KEPT = 0.6
"""A cut goes back to the last space, unless more than the rest of this share would be lost."""


def printable(text: str) -> str:
    """Return `text` with what Discord refuses or drops shown as U+FFFD, and with plain line ends."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def units(text: str) -> int:
    """Return the length in UTF-16 code units, which no way of Discord's to count exceeds."""
    return len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def _pieces(text: str) -> Iterator[str]:
    """Yield each character of `text` in its escaped form."""
    at_start, in_number = True, False
    for position, letter in enumerate(text):
        after = text[position + 1 : position + 9]
        marks = letter in _ANYWHERE or (at_start and letter in _AT_LINE_START)
        yield "\\" + letter if marks or _begins(letter, after, in_number=in_number) else letter
        in_number = letter.isdecimal() and (at_start or in_number)
        at_start = letter in "\n\r" or (at_start and letter.isspace())


def _begins(letter: str, after: str, *, in_number: bool) -> bool:
    """Say whether an address, an emoji's name, a mention of all or a numbered list is made here."""
    if letter == ":":
        return bool(after[:1].strip())
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

    What is too long ends after a whole word, or at least a whole character, with an ellipsis. `bold` is the
    part of the text that is shown in bold, as far as it is shown.
    """
    whole = text.strip()
    shown = printable(whole[: 2 * room + 2])  # more cannot fit, and a whole article costs time
    pieces = [newline if piece == "\n" else piece for piece in _pieces(shown)]
    start, end = _within(bold, text, len(pieces))
    room -= len(_BOLD) * 2 if start < end else 0
    if len(whole) <= 2 * room + 2 and sum(map(units, pieces)) <= room:
        return _marked(pieces, start, end)
    used, fitting = 0, 0
    for piece in pieces:
        used += units(piece)
        if used > room - units(ELLIPSIS):
            break
        fitting += 1
    kept = _cut(shown, fitting)
    return _marked(pieces[:kept], start, min(end, kept)) + ELLIPSIS if room >= units(ELLIPSIS) else ""


def _within(bold: tuple[int, int] | None, text: str, count: int) -> tuple[int, int]:
    """Return the part that is bold as offsets into the stripped text; an empty one where there is none."""
    before = len(text) - len(text.lstrip())
    start, end = bold or (before, before)
    return max(start - before, 0), min(end - before, count)


def _marked(pieces: list[str], start: int, end: int) -> str:
    if start >= end:
        return "".join(pieces)
    return "".join([*pieces[:start], _BOLD, *pieces[start:end], _BOLD, *pieces[end:]])


def _cut(text: str, most: int) -> int:
    """Return where to cut `text`, at `most` characters or a little before."""
    for end in range(most, int(most * _SHORTEST_KEPT), -1):
        if text[end].isspace():
            return len(text[:end].rstrip())
    end = most
    while end > 0 and _joined(text[end - 1], text[end]):
        end -= 1
    return end


def _joined(before: str, after: str) -> bool:
    """Say whether two characters are seen as one: an accent, a variant, or an emoji made of several."""
    modifier = "\U0001f3fb" <= after <= "\U0001f3ff"
    return bool(unicodedata.combining(after)) or modifier or after in "\u200d\ufe0f" or before == "\u200d"


def blockquote(text: str, room: int, bold: tuple[int, int] | None = None) -> str:
    """Return `text` as a block quote in at most `room` units, cut and partly in bold as `fit` does it."""
    return _QUOTE_MARK + fit(text, room - len(_QUOTE_MARK), newline="\n" + _QUOTE_MARK, bold=bold)


def unblockquote(block: str) -> str:
    """Undo `blockquote`, where nothing was cut."""
    return unescape("\n".join(line.removeprefix(_QUOTE_MARK) for line in block.split("\n")))
