"""What Discord's client makes of Markdown: the text that people read, and what in it is more than text.

A simple model of the client, strict where the client is unpredictable: an unescaped mark counts as formatting
whether or not another one closes it. What the bot uses itself is reported separately: bold, emphasised and
struck-out text, links, code, quotes and small print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Shown", "render"]

_QUOTE = re.compile(r" *>(?:>>)? ")
_SUBTEXT = re.compile(r" *-# +")
_FENCE = re.compile(r"```([\w+#-]*)")
_LINE_START = {
    "heading": re.compile(r" *#{1,3} +"),
    "list": re.compile(r" *[-*+] +"),
    "numbered list": re.compile(r" *\d+[.)] +"),
}
_TOKENS = {
    "escape": r"\\(?P<escaped>[^0-9a-z\s])",
    "stars": r"\*{3,}",
    "mark": r"\*\*?|~~",
    "code": r"`(?P<snippet>[^`]+)`(?!`)",
    "autolink": r"<(?P<whole>https?://[^\s<>]+)>",
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
    """Names of what acts or formats, apart from what is reported below."""
    links: list[tuple[str, str]] = field(default_factory=list)
    """Links: label and address."""
    quotes: list[str] = field(default_factory=list)
    """Each run of block-quoted lines."""
    bold: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    emphasised: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    """Code in a line, and each line of a code block; the language of a block is in brackets before them."""
    subtext: list[str] = field(default_factory=list)


def render(source: str) -> Shown:
    shown, opened, in_quote, in_code = Shown(), dict[str, int](), False, False
    for line in source.split("\n"):
        quote = _QUOTE.match(line)
        body = line[quote.end() :] if quote else line
        if fence := _FENCE.fullmatch(body):
            shown.code += [] if in_code else [f"[{fence[1]}]"]
            in_code = not in_code
            continue
        shown.text += "\n" if shown.text else ""
        start = len(shown.text)
        if in_code:
            shown.text += body
            shown.code.append(body)
        elif not quote and (small := _SUBTEXT.match(body)):
            shown.subtext.append(render(body[small.end() :]).text)
            shown.text += shown.subtext[-1]
        else:
            patterns = _LINE_START | {"subtext": _SUBTEXT}
            shown.constructs += [name for name, pattern in patterns.items() if pattern.match(body)]
            for token in _TOKEN.finditer(body):
                _add(shown, token, opened)
        if quote and in_quote:
            shown.quotes[-1] += f"\n{shown.text[start:]}"
        elif quote:
            shown.quotes.append(shown.text[start:])
        in_quote = bool(quote)
    shown.constructs += [f"unclosed {mark}" for mark in [*opened, *["```"] * in_code]]
    return shown


def _add(shown: Shown, token: re.Match[str], opened: dict[str, int]) -> None:
    """Add what one token shows; `opened` has the place in the text where each open mark began."""
    if token["escape"]:
        shown.text += token["escaped"]
    elif token["link"]:
        label, inside = Shown(), dict[str, int]()
        for part in _TOKEN.finditer(token["label"]):
            _add(label, part, inside)
        shown.constructs += [*label.constructs, *inside, *["address in a label"] * ("://" in label.text)]
        for name in ("bold", "emphasised", "struck", "code"):
            getattr(shown, name).extend(getattr(label, name))
        shown.links.append((label.text, token["url"]))
        shown.text += label.text
    elif raw := token["snippet"] or token["whole"]:
        shown.constructs += ["mark in code"] if opened and re.search(r"[*~\\]", raw) else []
        shown.text += raw
        shown.code += [raw] if token["snippet"] else []
        shown.links += [] if token["snippet"] else [(raw, raw)]
    elif mark := token["mark"]:
        shown.constructs += ["crossed marks"] if mark in [*opened][:-1] else []
        start = opened.pop(mark, None)
        if start is None:
            opened[mark] = len(shown.text)
        elif shown.text[start:] != shown.text[start:].strip() or start == len(shown.text):
            shown.constructs.append(f"{mark} around blanks")
        else:
            {"**": shown.bold, "*": shown.emphasised, "~~": shown.struck}[mark].append(shown.text[start:])
    else:
        shown.constructs += [] if token["letter"] else [token.lastgroup or ""]
        shown.text += token[0]
