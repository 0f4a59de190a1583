"""Plain text to blocks: paragraphs between blank lines, and the forms that people give to lines.

Read as such are questions with their answers, lists, numbered clauses, lines of "Label: value", quoted lines
of e-mail, and short lines that stand as headings. Everything else stays as it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

from index.articles.blocks import BLANKS, BlockKind, TextBuilder

__all__ = ["add_lines", "add_plain_text"]

_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_QUESTION = re.compile(r"\s*(?:Q|Question)\s*\d{0,3}\s*[:.)]\s+(?=\S)")
_ANSWER = re.compile(r"\s*(?:A|Answer)\s*\d{0,3}\s*[:.)]\s+(?=\S)")
_ITEM = re.compile(
    r"(?P<indent>[^\S\n]*)(?:(?P<bullet>[-*+•‣◦▪–—][^\S\n]+)|\(?(?:\d{1,3}[.)]|\d{1,3}(?:\.\d{1,3})+\.?|[a-z][.)])[^\S\n]+)(?=\S)"
)
_LABEL = re.compile(r"\s*(?!https?:)[^\W_][^:\n]{0,40}:\s+\S")
_QUOTED = re.compile(r"\s*>+ ?")
_SPEAKER = re.compile(
    r"(?:\[?\d{1,2}:\d\d(?::\d\d)?\]?\s*)?[A-Z][\w.' -]{1,40}:\s+(?=\S)|\[\d{1,2}:\d\d(?::\d\d)?\]\s*"
)
_SENTENCE_END = tuple(".!?:;,…。！？")
_VERSION = re.compile(r"\[?v?\d+(?:\.\d+)+\]?(?:\s*[-–—(]\s*\d[\d./-]+\)?)?")  # 2.4.0 (2026-08-11)
_LONGEST_QUESTION = 300
"""Characters of a paragraph that is read as one question."""
_LONGEST_HEADING = 60
"""Characters of a line of plain text that is read as a heading."""
_HEADING_LEVEL = 6


def add_plain_text(builder: TextBuilder, text: str) -> None:
    """Add a text with line feeds for line ends."""
    pieces = [piece.strip(BLANKS.replace("\t", "").replace(" ", "")) for piece in _BLANK_LINES.split(text)]
    paragraphs = [piece for piece in pieces if piece.strip(BLANKS)]
    for paragraph, following in itertools.zip_longest(paragraphs, paragraphs[1:], fillvalue=""):
        if _is_heading(paragraph) and following and not _is_heading(following):
            builder.add(BlockKind.HEADING, paragraph, level=_HEADING_LEVEL)
        else:
            add_lines(builder, paragraph)


def add_lines(builder: TextBuilder, paragraph: str, flow: Callable[[str], str] = str) -> None:
    """Add one paragraph, as the forms that its lines have; `flow` is applied to lines that make one text."""
    lines = paragraph.split("\n")
    starts = _form_of(lines)
    if starts is None:
        _add_text(builder, flow(paragraph), begins=True)
        return
    groups = [lines[a:b] for a, b in itertools.pairwise([*sorted({0, *starts}), len(lines)])]
    for number, group in enumerate(groups):
        _add_group(builder, flow("\n".join(group)), begins=number == 0)


def _form_of(lines: Sequence[str]) -> list[int] | None:
    """Return at which lines the parts of a paragraph begin; None where it has no such form."""
    if any(_QUESTION.match(line) for line in lines) or _ANSWER.match(lines[0]):
        return [at for at, line in enumerate(lines) if _QUESTION.match(line) or _ANSWER.match(line)]
    if any(_QUOTED.match(line) for line in lines):
        quoted = [bool(_QUOTED.match(line)) for line in lines]
        return [at for at in range(1, len(lines)) if quoted[at] != quoted[at - 1]]
    if len(lines) > 1 and all(_LABEL.match(line) for line in lines):
        return list(range(len(lines)))
    items = [at for at, line in enumerate(lines) if _ITEM.match(line)]
    if items and (len(items) > 1 or items[0] == 0 or lines[items[0] - 1].endswith(":")):
        return items
    return None


def _add_group(builder: TextBuilder, text: str, *, begins: bool) -> None:
    if match := _QUESTION.match(text):
        builder.add(BlockKind.QUESTION, text[match.end() :], label=match[0].lstrip(), begins=begins)
    elif match := _ANSWER.match(text):
        builder.add(BlockKind.PARAGRAPH, text[match.end() :], label=match[0].lstrip(), begins=begins)
    elif _QUOTED.match(text):
        quoted = "\n".join(_QUOTED.sub("", line) for line in text.split("\n"))
        # What is asked in a mail that is quoted is answered below it.
        is_asked = "?" in quoted and len(quoted) <= _LONGEST_QUESTION
        kind = BlockKind.QUESTION if is_asked else BlockKind.QUOTATION
        builder.add(kind, quoted, label="> ", begins=begins, leads_all=False)
    elif match := _ITEM.match(text):
        bullet, level = match["bullet"] or "", 1 + len(match["indent"].expandtabs(4)) // 2
        label = match["indent"] + bullet
        builder.add(BlockKind.ITEM, text[len(label) :], label=label, level=level, begins=begins)
    elif _LABEL.match(text) and "\n" not in text:
        builder.add(BlockKind.ITEM, text, level=1, begins=begins)
    else:
        _add_text(builder, text, begins=begins)


def _add_text(builder: TextBuilder, text: str, *, begins: bool) -> None:
    """Add a paragraph; one that is a question leads what follows."""
    speaker = _SPEAKER.match(text)
    asked = text[speaker.end() if speaker else 0 :].strip(BLANKS)
    if (
        len(asked) <= _LONGEST_QUESTION
        and asked.endswith(("?", "؟", "？"))
        and not re.search(r"[.!]\s", asked)
    ):
        label = speaker[0] if speaker else ""
        builder.add(BlockKind.QUESTION, asked, label=label, begins=begins, leads_all=False)
    else:
        builder.add(BlockKind.PARAGRAPH, text, begins=begins)


def _is_heading(paragraph: str) -> bool:
    text = paragraph.strip(BLANKS)
    return bool(_VERSION.fullmatch(text)) or (
        len(text) <= _LONGEST_HEADING
        and "\n" not in text
        and not text.endswith(_SENTENCE_END)
        and (text[:1].isupper() or text[:1].isdigit())
        and not _ITEM.match(text)
        and not _LABEL.match(text)
        and any(map(str.isalpha, text))
    )
