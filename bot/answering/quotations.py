r"""What a message quotes: its block quotes, what stands in its quotation marks, or else all of it.

>>> quotations('She says “Salt goes in last.”, and: "It tightens the dough."')
('Salt goes in last.', 'It tightens the dough.')
>>> quotations("> Salt goes in last.\nSurely?")
('Salt goes in last.',)
>>> quotations("Salt goes in last.")
('Salt goes in last.',)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.analysis import WORD
from index.passages.splitting import split_sentences

__all__ = ["LEFT_OUT", "has_block_quote", "quotations", "sentences_of", "without_marks"]

_CLOSED_BY = {
    '"': '"', "“": "”", "„": "“”", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›",
    "'": "'’", "‘": "’", "‚": "‘’", "’": "’", "「": "」", "『": "』",
}  # fmt: skip
"""Marks that open a quotation, and those that close it: “English”, „deutsch“, »umgekehrt«, ”svenska”."""

_MARKS = re.compile("[" + "".join({*_CLOSED_BY, *"".join(_CLOSED_BY.values())}) + "]")
_ALIKE = frozenset("\"'’”")
"""Marks that open and close, or are an apostrophe: what stands beside them tells which."""

_OPEN_AT_ONCE = 16
"""Quotations within one another that are followed; more is no text that people write."""

_BLOCK_QUOTE = re.compile(r"^>>> (?P<rest>.*)|^>(?: [^\n]*|$)(?:\n>(?: [^\n]*|$))*", re.MULTILINE | re.DOTALL)
_QUOTE_MARK = re.compile(r"^> ?", re.MULTILINE)

# What Discord shows otherwise than it is typed. Within 1,000 characters, so that many marks cost little.
_PAIRED = re.compile(r"(\*{1,3}|__|~~|\|\||``?)(?=\S)(.{1,1000}?)(?<=\S)\1", re.DOTALL)
_FENCED = re.compile(r"```(?:\w+\n)?(.*?)```", re.DOTALL)
_UNDERSCORED = re.compile(r"(?<!\w)_(?=\S)(.{1,1000}?)(?<=\S)_(?!\w)", re.DOTALL)
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(<?https?://[^\s()]+>?\)")
_LINE_MARK = re.compile(r"^[^\S\n]*(?:#{1,3}|-#)[^\S\n]+", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ASIDE = 0xE000
"""Where escaped signs wait, among code points that mean nothing, until the others have been undone."""
_WAITING = re.compile(f"[{chr(_ASIDE)}-{chr(_ASIDE + 0x7F)}]")

_ITEM_MARK = re.compile(r"^(?:[-*+•‣◦▪]|\d{1,3}[.)])\s+(?=\S)")
_NUMBERING = re.compile(r"\d{1,3}[.)]")
_LEFT_OUT = r"(?:\[\s*(?:\.{3,}|…)\s*\]|\(\s*(?:\.{3,}|…)\s*\)|\.{3,}|…)"
LEFT_OUT = re.compile(rf"\s*{_LEFT_OUT}\s*")
"""Dots that stand for words left out, with the white space around them."""
_EDGE = re.compile(rf"^(?:\s*{_LEFT_OUT})+\s*|\s*(?:{_LEFT_OUT}\s*)+$")


def without_marks(text: str) -> str:
    """Return a message as Discord shows it: without the marks of bold and the like, and escapes undone.

    Marks of block quotes stay.
    """
    text = _ESCAPED.sub(lambda found: chr(_ASIDE + ord(found[1])), _WAITING.sub("\ufffd", text))
    text = _LINK.sub(r"\1", _LINE_MARK.sub("", _FENCED.sub(r"\1", text)))
    for _ in range(3):
        text = _UNDERSCORED.sub(r"\1", _PAIRED.sub(r"\2", text))
    return _WAITING.sub(lambda found: chr(ord(found[0]) - _ASIDE), text)


def quotations(text: str) -> tuple[str, ...]:
    """Return what a message quotes, in order; the whole message where it marks nothing as a quotation.

    A single word in quotation marks is none.
    """
    pieces: list[str] = []
    done = 0
    for block in _BLOCK_QUOTE.finditer(text):
        pieces += _in_marks(text[done : block.start()])
        whole = block["rest"] or _QUOTE_MARK.sub("", block[0])
        inside = _in_marks(whole.strip())
        pieces.append(inside[0] if len(inside) == 1 and len(inside[0]) == len(whole.strip()) - 2 else whole)
        done = block.end()
    pieces += _in_marks(text[done:])
    found = tuple(piece.strip() for piece in pieces if WORD.search(piece))
    return found or ((text.strip(),) if WORD.search(text) else ())


def has_block_quote(text: str) -> bool:
    """Tell whether a message has a block quote, so that the rest of it is none."""
    return bool(_BLOCK_QUOTE.search(text))


def _in_marks(text: str) -> list[str]:
    """Return what stands in quotation marks; of quotations within one another, the outer ones."""
    closed: list[tuple[int, int]] = []
    opened: list[int] = []
    for mark in _MARKS.finditer(text):
        at = mark.start()
        begun = next((one for one in reversed(opened) if mark[0] in _CLOSED_BY[text[one]]), None)
        if begun is not None and _can_close(text, at):
            del opened[opened.index(begun) :]
            while closed and closed[-1][0] > begun:
                closed.pop()
            closed.append((begun, at))
        elif mark[0] in _CLOSED_BY and _can_open(text, at):
            opened = [*opened, at][-_OPEN_AT_ONCE:]
    return [piece for start, end in closed if _says_something(piece := text[start + 1 : end])]


def _says_something(piece: str) -> bool:
    """Tell a quotation from a word in marks; of scripts without spaces, it is not told."""
    return len(WORD.findall(piece)) > 1 or any(one.isalpha() and one.lower() == one.upper() for one in piece)


def _can_open(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return text[at] not in _ALIKE or (bool(after.strip()) and not before.isalnum())


def _can_close(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return text[at] not in _ALIKE or (bool(before.strip()) and not after.isalnum())


def sentences_of(quotation: str, language: str) -> Iterator[str]:
    """Yield the sentences of a quotation, each in one line, without dots for what was left out around it."""
    for paragraph in re.split(r"\n\s*\n", quotation):
        for start, end in split_sentences(paragraph, language):
            sentence = _EDGE.sub("", _ITEM_MARK.sub("", " ".join(paragraph[start:end].split())))
            if WORD.search(sentence) and not _NUMBERING.fullmatch(sentence):
                yield sentence
