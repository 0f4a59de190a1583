"""What Discord's client makes of a text: the letters that a reader sees, and what in it is more than letters.

A plain model of the client's Markdown, stricter where the client is unsure: a mark that is not escaped
counts as formatting whether or not another one closes it. Bold and struck-out text, with which the bot marks,
is told apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Shown", "render"]

_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_QUOTE = re.compile(r" *>(?:>>)? ")
_LINE_START = {
    "heading": re.compile(r" *#{1,3} +"),
    "subtext": re.compile(r" *-# +"),
    "list": re.compile(r" *[-*+] +"),
    "numbered list": re.compile(r" *\d+[.)] +"),
    "code block": re.compile(r"```"),
}
_INLINE = {
    "link": re.compile(r"\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<url>https?://[^\s()<>]+)\)"),
    "address": re.compile(r"(?:https?|steam|discord|ftp)://[^\s<]", re.IGNORECASE),
    "angle brackets": re.compile(r"<(?:@[!&]?\d|#\d|t:-?\d|a?:\w|/|id:|https?:|[^\s>]+@|\+)"),
    "invite": re.compile(r"discord(?:app)?\.(?:gg|com/invite)/\w", re.IGNORECASE),
    "everyone": re.compile(r"@(?:everyone|here)"),
    "emoji": re.compile(r":[^\s:]+?(?:::skin-tone-\d)?:"),
    "formatting": re.compile(r"[*_`~]|\|\|"),
}
_MARKS = ("**", "~~")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as it is read."""

    text: str
    constructs: list[str]
    """What acts or formats, besides bold, struck-out and quoted text and masked links."""
    links: list[tuple[str, str]]
    quotes: list[str]
    """Each run of block-quoted lines."""
    bold: list[str]
    struck: list[str]


def render(source: str) -> Shown:
    """Read `source` as Discord's client does."""
    reader = _Reader()
    for number, line in enumerate(source.split("\n")):
        reader.read(line, first=number == 0)
    return reader.shown()


class _Reader:
    """Reads line after line; what is quoted, bold or struck out is kept as spans of the letters read."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._constructs: list[str] = []
        self._links: list[tuple[str, str]] = []
        self._quotes: list[tuple[int, int]] = []
        self._marked: dict[str, list[tuple[int, int]]] = {mark: [] for mark in _MARKS}
        self._opened: dict[str, int] = {}
        self._in_quote = False

    def shown(self) -> Shown:
        """Return what was read so far."""
        text = "".join(self._letters)
        bold, struck = ([text[start:end] for start, end in self._marked[mark]] for mark in _MARKS)
        quotes = [text[start:end] for start, end in self._quotes]
        unclosed = [f"unclosed {mark}" for mark in self._opened]
        return Shown(text, self._constructs + unclosed, self._links, quotes, bold, struck)

    def read(self, line: str, *, first: bool) -> None:
        """Read one line."""
        self._letters += [] if first else ["\n"]
        start, mark = len(self._letters), _QUOTE.match(line)
        line = line[mark.end() :] if mark else line
        self._constructs += [name for name, pattern in _LINE_START.items() if pattern.match(line)]
        at = 0
        while at < len(line):
            at = self._next(line, at)
        if mark and self._in_quote:
            start = self._quotes.pop()[0]
        if mark:
            self._quotes.append((start, len(self._letters)))
        self._in_quote = bool(mark)

    def _next(self, line: str, at: int) -> int:
        """Read the escape, mark, construct or letter at a position, and return where it ends."""
        if escaped := _ESCAPE.match(line, at):
            self._letters.append(escaped[1])
            return escaped.end()
        if (mark := line[at : at + 2]) in _MARKS:
            self._mark(mark)
            return at + 2
        for name, pattern in _INLINE.items():
            found = pattern.match(line, at)
            if found and name == "link":
                label = render(found["label"])
                self._constructs += label.constructs
                self._links.append((label.text, found["url"]))
                self._letters += label.text
                return found.end()
            self._constructs += [name] if found else []
        self._letters.append(line[at])
        return at + 1

    def _mark(self, mark: str) -> None:
        begun, end = self._opened.pop(mark, None), len(self._letters)
        if begun is None:
            self._opened[mark] = end
        elif begun == end:
            self._constructs.append(f"{mark} around nothing")
        else:
            self._marked[mark].append((begun, end))
