"""What Discord's client makes of Markdown: the text that people read, and what in it is more than text.

A simple model of the client, strict where the client is unpredictable: an unescaped mark counts as formatting
whether or not another one closes it. Bold, struck-out and quoted text and masked links, which the bot uses
itself, are reported separately.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Shown", "render"]

_QUOTE = re.compile(r" *>(?:>>)? ")
_LINE_START = {
    "heading": re.compile(r" *#{1,3} +"),
    "subtext": re.compile(r" *-# +"),
    "list": re.compile(r" *[-*+] +"),
    "numbered list": re.compile(r" *\d+[.)] +"),
}
_TOKENS = {
    "escape": r"\\(?P<escaped>[^0-9a-z\s])",
    "mark": r"\*\*|~~",
    "link": r"\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<url>https?://[^\s()<>]+)\)",
    "address": r"(?:https?|steam|discord|ftp)://[^\s<]",
    "angle_brackets": r"<(?:@[!&]?\d|#\d|t:-?\d|a?:\w|/|id:|https?:|[^\s>]+@|\+)",
    "invite": r"discord(?:app)?\.(?:gg|com/invite)/\w",
    "everyone": r"@(?:everyone|here)",
    "emoji": r":[^\s:]+?(?:::skin-tone-\d)?:",
    "formatting": r"[*_`~]|\|\|",
    "letter": r".",
}
_TOKEN = re.compile(
    "|".join(f"(?P<{name}>{pattern})" for name, pattern in _TOKENS.items()), re.IGNORECASE | re.DOTALL
)


@dataclass(slots=True)
class Shown:
    """Rendered text."""

    text: str = ""
    constructs: list[str] = field(default_factory=list)
    """Names of what acts or formats, apart from bold, struck-out and quoted text and masked links."""
    links: list[tuple[str, str]] = field(default_factory=list)
    """Masked links: label and address."""
    quotes: list[str] = field(default_factory=list)
    """Each run of block-quoted lines."""
    bold: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)


def render(source: str) -> Shown:
    shown, opened, in_quote = Shown(), dict[str, int](), False
    for number, line in enumerate(source.split("\n")):
        shown.text += "\n" if number else ""
        start, quote = len(shown.text), _QUOTE.match(line)
        body = line[quote.end() :] if quote else line
        shown.constructs += [name for name, pattern in _LINE_START.items() if pattern.match(body)]
        for token in _TOKEN.finditer(body):
            _add(shown, token, opened)
        if quote and in_quote:
            shown.quotes[-1] += f"\n{shown.text[start:]}"
        elif quote:
            shown.quotes.append(shown.text[start:])
        in_quote = bool(quote)
    shown.constructs += [f"unclosed {mark}" for mark in opened]
    return shown


def _add(shown: Shown, token: re.Match[str], opened: dict[str, int]) -> None:
    """Add what one token shows; `opened` has the place in the text where each open mark began."""
    if token["escape"]:
        shown.text += token["escaped"]
    elif token["link"]:
        label = render(token["label"])
        shown.constructs += label.constructs
        shown.links.append((label.text, token["url"]))
        shown.text += label.text
    elif mark := token["mark"]:
        start = opened.pop(mark, None)
        if start is None:
            opened[mark] = len(shown.text)
        elif start == len(shown.text):
            shown.constructs.append(f"{mark} around nothing")
        else:
            (shown.bold if mark == "**" else shown.struck).append(shown.text[start:])
    else:
        shown.constructs += [] if token["letter"] else [token.lastgroup or ""]
        shown.text += token[0]
