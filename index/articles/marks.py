"""Inline marks: what markup says about spans of a text, which a surface can show in a way of its own.

The text is whole without them. An article holds its marks packed, since only those of a quote are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from enum import StrEnum

__all__ = ["Mark", "MarkKind", "clip", "pack_marks", "unpack_marks"]


class MarkKind(StrEnum):
    """What a span of text is to its reader."""

    LINK = "link"
    EMPHASIS = "emphasis"
    STRONG = "strong"
    STRUCK = "struck"
    """Text that is struck out: it holds no longer."""
    CODE = "code"
    CODE_BLOCK = "code block"


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked span of a text; `value` is a link's address (http or https), or the language of a code block.

    Marks do not cross, and an outer one comes before those inside it.
    """

    kind: MarkKind
    start: int
    end: int
    value: str = ""


def clip(marks: Iterable[Mark], start: int, end: int, to: int = 0) -> Iterator[Mark]:
    """Yield the marks of a slice of their text, moved to where the slice begins in another text, `to`."""
    for mark in marks:
        first, last = max(mark.start, start), min(mark.end, end)
        if first < last:
            yield Mark(mark.kind, first - start + to, last - start + to, mark.value)


def pack_marks(marks: Iterable[Mark]) -> str:
    """Return marks as one string; "" for none."""
    rows = list(map(astuple, marks))
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def unpack_marks(packed: str) -> Iterator[Mark]:
    """Yield the marks that were packed."""
    for kind, *span_and_value in json.loads(packed or "[]"):
        yield Mark(MarkKind(kind), *span_and_value)
