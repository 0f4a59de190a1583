r"""Text written so that Discord shows it to the letter and acts on none of it, cut to Discord's limits.

Discord shows a backslash before ASCII punctuation as that punctuation. What could begin formatting, a
mention, a timestamp, an emoji or a link is escaped everywhere; what means something only at the start of a
line or before a name is escaped only there, so that most text stays as it is:

>>> print(escape("**Up** at https://example.org, says <@42>"))
\*\*Up\*\* at https\://example.org, says \<@42>
>>> print(escape("- 3 - 2 = 1"), escape("1. one: 1.5"), sep="\n")
\- 3 - 2 = 1
1\. one: 1.5

Lengths are in UTF-16 code units, which no way of Discord's to count exceeds.

What people write comes with Discord's own markup, which says nothing to a search:

>>> without_markup("<@&7> when was [the lamp](https://example.org) lit <a:dance:1>?")
'when was the lamp lit ?'
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from bot.discordapp.inline import BREAKS_LABEL, SIGNS, with_marks
from index.articles.marks import Mark

__all__ = [
    "blockquote",
    "choice_name",
    "escape",
    "excerpt",
    "joined",
    "link",
    "pieces",
    "printable",
    "shorten",
    "units",
    "unquote",
    "without_markup",
]

_ELLIPSIS = "…"
_QUOTE = "> "

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ACTS = re.compile(
    r"""(?P<before>^\s*)[#>+-] | (?P<number>^\s*\d+)[.)](?!\S)  # a heading, a quote, a list
    | [\\`*_~|<\[\]] | :(?!\s) | @(?=everyone|here)
    | (?P<host>discord(?:app)?\.(?:gg|new|com/[a-z-]{4,16})|dis\.gd)/  # an invitation, shown as a card""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_LETTER = re.compile(r"\\.|.", re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*")
_PIECE = re.compile(
    r"```[\s\S]*?```|`[^`\n]+`|<https?://[^\s<>]+>|\[(?:\\.|[^\[\]\\\n])*\]\([^()\s]+\)"
    r"|\\.|\*\*?|~~|(?:^|\n)> |[\s\S]"
)
"""Code, a link, an escaped character, a sign, the start of a quoted line, or any other character."""

_MARKUP = re.compile(
    r"<(?:@[!&]?\d+|\#\d+|a?:\w{1,64}:\d+|t:-?\d+(?::\w)?|/[^<>:\n]{1,100}:\d+|id:[\w:-]{1,64})>"
)
"""A mention, a channel, a custom emoji, a timestamp, a link to a command, a link inside the server."""
_LABELLED = re.compile(r"\[([^\[\]\n]{1,500})\]\(<?https?://[^\s()<>]+>?\)")
_ADDRESS = re.compile(r"<?https?://[^\s<>]*[^\s<>?!.,;:)\]'\"]>?", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]")

_LONGEST_WORD = 100
"""Characters given up at most to cut between words: some languages have no spaces."""

_TITLE_ROOM, _CHOICE_LENGTH = 200, 100


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def printable(text: str) -> str:
    """Return text with plain line ends, and U+FFFD for what Discord refuses or drops."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape(text: str) -> str:
    """Return text that Discord shows as exactly `text`."""

    def escaped(match: re.Match[str]) -> str:
        return f"{match[0][:-1]}\\{match[0][-1]}"

    return _ACTS.sub(escaped, text)


def pieces(text: str) -> list[str]:
    """Return each character of a text as it is escaped in the whole."""
    return _LETTER.findall(escape(text))


def excerpt(
    text: str, room: int, focus: tuple[int, int] = (0, 0), marks: Sequence[Mark] = (), newline: str = "\n"
) -> str:
    """Return text, escaped and printable, in at most `room` units, cut between words at both ends of `focus`.

    `focus` are offsets into the text; without it, the beginning is shown. Marks of the text are shown where
    that changes no letter, and none is cut. Only a very long word is cut inside.
    """
    lead = len(text) - len(text.lstrip())
    start, end = (max(at - lead, 0) for at in focus)
    reach = 2 * room + 2  # more cannot fit, and a whole article costs time
    near = max(start - reach, 0)
    window = text.strip()[near : min(end, start + reach) + reach]

    def place(at: int) -> int:
        return len(printable(window[: max(at - near, 0)]))

    marks = [Mark(mark.kind, place(mark.start - lead), place(mark.end - lead), mark.value) for mark in marks]
    letters = printable(window)
    escaped = [newline if piece == "\n" else piece for piece in pieces(letters)]
    sizes = list(map(units, with_marks(letters, escaped, marks, newline)))
    begin, stop = _window(letters, sizes, place(start), place(end), room)
    whole = [mark for mark in marks if begin <= mark.start and mark.end <= stop]
    shown = with_marks(letters, escaped, whole, newline)
    return _ELLIPSIS * (begin > 0) + "".join(shown[begin:stop]) + _ELLIPSIS * (stop < len(shown) and room > 0)


def blockquote(text: str, room: int, focus: tuple[int, int] = (0, 0), marks: Sequence[Mark] = ()) -> str:
    """Return an excerpt as a block quote, see `excerpt`."""
    return _QUOTE + excerpt(text, room - len(_QUOTE), focus, marks, newline=f"\n{_QUOTE}")


def unquote(block: str) -> str:
    """Return the text of a `blockquote` in which nothing was cut."""
    text = "\n".join(line.removeprefix(_QUOTE) for line in block.split("\n"))
    return _ESCAPED.sub(lambda match: match[1] or "", text)


def without_markup(question: str) -> str:
    """Return a question without Discord's markup and without addresses, unless there is nothing else."""
    bare = _MARKUP.sub(" ", question)
    plain = _ADDRESS.sub(" ", _LABELLED.sub(r"\1", bare))
    plain = plain if _WORD.search(plain) else bare
    lines = (" ".join(line.split()) for line in plain.split("\n"))
    return question if plain == question else "\n".join(lines).strip()


def shorten(escaped: str, room: int) -> str:
    """Return escaped text in at most `room` units, cut between words; what signs open is closed."""
    if units(escaped) <= room:
        return escaped
    parts = _PIECE.findall(escaped)
    room -= len(_ELLIPSIS) + sum(map(len, SIGNS.values()))
    fits = bisect_right(list(accumulate(map(units, parts))), room)
    parts = parts[: _boundary("".join(part[0] for part in parts), fits, 0)]
    for sign in SIGNS.values():
        if parts.count(sign) % 2:
            parts = [*parts, sign] if parts[-1] != sign else parts[:-1]
    return "".join(parts).rstrip() + _ELLIPSIS if room >= 0 else ""


def joined(blocks: Sequence[str], room: int, more: Callable[[int], str], *, beyond: int = 0) -> str:
    """Return as many whole blocks as fit, a line each; `more` makes the last line from how many are left.

    `beyond` counts blocks that are not even among `blocks`.
    """
    ends = list(accumulate(units(block) + 1 for block in blocks))
    if not beyond and (not ends or ends[-1] - 1 <= room):
        return "\n".join(blocks)
    count = len(blocks) + beyond
    shown = bisect_right(ends, room - units(more(count)))
    return "\n".join([*blocks[:shown], more(count - shown)])


def choice_name(label: str) -> str:
    """Return a label as one line that fits an autocomplete choice."""
    return shorten(" ".join(printable(label).split()), _CHOICE_LENGTH)


def link(title: str, url: str | None, open_text: str = "(open)") -> str:
    """Return the title, escaped, as a link to a `web_address`.

    Brackets or an address in a label keep Discord from making a link; it then follows as `open_text`.
    """
    label = excerpt(title, _TITLE_ROOM)
    if url is None:
        return label
    return f"{label} [{open_text}]({url})" if BREAKS_LABEL.search(title) else f"[{label}]({url})"


def _window(letters: str, sizes: list[int], start: int, end: int, room: int) -> tuple[int, int]:
    """Return which letters to show of the given sizes, around those from `start` to `end`."""
    ends = list(accumulate(sizes, initial=0))
    if ends[-1] <= room:
        return 0, len(letters)
    room = max(room - 2 * len(_ELLIPSIS), 0)
    spare = room - (ends[end] - ends[start])
    if spare < 0:
        return start, _boundary(letters, bisect_right(ends, ends[start] + room) - 1, start)
    before = min(ends[start], max(spare // 2, spare - (ends[-1] - ends[end])))
    begin = _boundary(letters, bisect_left(ends, ends[start] - before), start)
    return begin, _boundary(letters, bisect_right(ends, ends[end] + spare - before) - 1, end)


def _boundary(letters: str, at: int, limit: int) -> int:
    """Return where to cut between `at` and `limit`: at the edge of a word if one is near."""
    step = 1 if limit > at else -1
    if at in (0, len(letters), limit):
        return at
    for place in range(at, limit, step)[: _LONGEST_WORD + 1]:
        if letters[place - (step > 0)].isspace():
            kept = letters[place:limit].lstrip() if step > 0 else letters[limit:place].rstrip()
            return limit - step * len(kept)
    return at
