"""Inline marks: what markup says about spans of a text, which is whole without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Mark", "MarkKind", "clip"]

MarkKind = Literal["link", "emphasis", "strong", "struck", "code", "code block"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked span of a text; `value` is a link's address (http or https), or the language of a code block.

    Marks are in order, the outer before the inner ones; none crosses another.
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
