"""What Discord's client would show of a text, and what in it would be more than text.

A plain model of the client's Markdown, stricter where the client is unsure: a formatting mark that is not
escaped counts, whether or not another one closes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Shown", "render"]

_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_LINE_START = (
    ("heading", re.compile(r" *#{1,3} +")),
    ("subtext", re.compile(r" *-# +")),
    ("list", re.compile(r" *[-*+] +")),
    ("numbered list", re.compile(r" *\d+[.)] +")),
    ("code block", re.compile(r"```")),
)
_QUOTE = re.compile(r" *>(?:>>)? ")
_INLINE = (
    ("link", re.compile(r"\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<url>https?://[^\s()<>]+)\)")),
    ("address", re.compile(r"(?:https?|steam|discord|ftp)://[^\s<]", re.IGNORECASE)),
    ("angle brackets", re.compile(r"<(?:@[!&]?\d|#\d|t:-?\d|a?:\w|/|id:|https?:|[^\s>]+@|\+)")),
    ("invite", re.compile(r"discord(?:app)?\.(?:gg|com/invite)/\w", re.IGNORECASE)),
    ("everyone", re.compile(r"@(?:everyone|here)")),
    ("emoji", re.compile(r":[^\s:]+?(?:::skin-tone-\d)?:")),
    ("formatting", re.compile(r"[*_`~]|\|\|")),
)


@dataclass(slots=True)
class Shown:
    """The letters that a reader sees, and the constructs that are not just letters."""

    text: str = ""
    constructs: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    """Each run of block-quoted lines, as read."""


def render(source: str) -> Shown:
    """Read `source` as Discord's client does."""
    shown = Shown()
    lines, quoted = [], False
    for line in source.split("\n"):
        mark = _QUOTE.match(line)
        text = _line(line[mark.end() :] if mark else line, shown)
        if mark and quoted:
            shown.quotes[-1] += "\n" + text
        elif mark:
            shown.quotes.append(text)
        quoted = bool(mark)
        lines.append(text)
    shown.text = "\n".join(lines)
    return shown


def _line(line: str, shown: Shown) -> str:
    for name, pattern in _LINE_START:
        if pattern.match(line):
            shown.constructs.append(name)
    at, read = 0, []
    while at < len(line):
        escaped = _ESCAPE.match(line, at)
        if escaped:
            read.append(escaped[1])
            at = escaped.end()
            continue
        for name, pattern in _INLINE:
            found = pattern.match(line, at)
            if found and name == "link":
                label = render(found["label"])
                shown.constructs += label.constructs
                shown.links.append((label.text, found["url"]))
                read.append(label.text)
                at = found.end()
                break
            if found:
                shown.constructs.append(name)
        else:
            read.append(line[at])
            at += 1
    return "".join(read)
