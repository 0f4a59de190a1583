"""What Discord's client makes of Markdown: the text that people read, and what in it is more than text.

A simple model of the client, strict where the client is unpredictable: an unescaped mark counts as formatting
whether or not another one closes it. Bold, struck-out and quoted text and masked links, which the bot uses
itself, are reported separately.
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
    """Rendered text."""

    text: str
    constructs: list[str]
    """Names of what acts or formats, apart from bold, struck-out and quoted text and masked links."""
    links: list[tuple[str, str]]
    """Masked links: label and address."""
    quotes: list[str]
    """Each run of block-quoted lines."""
    bold: list[str]
    struck: list[str]


def render(source: str) -> Shown:
    """Render Markdown as Discord's client does."""
    renderer = _Renderer()
    for number, line in enumerate(source.split("\n")):
        renderer.read(line, first=number == 0)
    return renderer.shown()


class _Renderer:
    """Reads line by line; quoted, bold and struck-out text is kept as (start, end) in the letters read."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._constructs: list[str] = []
        self._links: list[tuple[str, str]] = []
        self._quotes: list[tuple[int, int]] = []
        self._marked: dict[str, list[tuple[int, int]]] = {mark: [] for mark in _MARKS}
        self._open: dict[str, int] = {}
        self._in_quote = False

    def shown(self) -> Shown:
        """Return what has been read."""
        text = "".join(self._letters)
        bold, struck = ([text[start:end] for start, end in self._marked[mark]] for mark in _MARKS)
        quotes = [text[start:end] for start, end in self._quotes]
        unclosed = [f"unclosed {mark}" for mark in self._open]
        return Shown(text, self._constructs + unclosed, self._links, quotes, bold, struck)

    def read(self, line: str, *, first: bool) -> None:
        """Read one line."""
        self._letters += [] if first else ["\n"]
        start, quote = len(self._letters), _QUOTE.match(line)
        line = line[quote.end() :] if quote else line
        self._constructs += [name for name, pattern in _LINE_START.items() if pattern.match(line)]
        position = 0
        while position < len(line):
            position = self._next(line, position)
        if quote and self._in_quote:
            start = self._quotes.pop()[0]
        if quote:
            self._quotes.append((start, len(self._letters)))
        self._in_quote = bool(quote)

    def _next(self, line: str, position: int) -> int:
        """Read the escape, mark, construct or letter at a position, and return where it ends."""
        if escape := _ESCAPE.match(line, position):
            self._letters.append(escape[1])
            return escape.end()
        if (mark := line[position : position + 2]) in _MARKS:
            self._mark(mark)
            return position + 2
        for name, pattern in _INLINE.items():
            match = pattern.match(line, position)
            if match and name == "link":
                label = render(match["label"])
                self._constructs += label.constructs
                self._links.append((label.text, match["url"]))
                self._letters += label.text
                return match.end()
            self._constructs += [name] if match else []
        self._letters.append(line[position])
        return position + 1

    def _mark(self, mark: str) -> None:
        start, end = self._open.pop(mark, None), len(self._letters)
        if start is None:
            self._open[mark] = end
        elif start == end:
            self._constructs.append(f"{mark} around nothing")
        else:
            self._marked[mark].append((start, end))
