"""A place in an article, small enough for a button's id, so that buttons work after a restart.

A button's id holds 100 characters, and Discord keeps it with the message. A place takes 20 of them: the
article's key, where the quote begins and how long it is, and a little of its SHA-256, by which a quote is
told from what has come to stand in its place since.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from bot.answering.answer import Answer
from bot.service.catalogue import article_key
from index.articles.article import Article

__all__ = ["PACKED", "PLACE", "Span", "spans_of"]

PACKED = 20
"""Characters of a packed place."""

PLACE = rf"[A-Za-z0-9_-]{{{PACKED}}}"
"""The pattern of a packed place; every text that it matches is one."""

_LAYOUT = struct.Struct(">6sI3s2s")  # key, start with the heading's bit, length, digest
_IN_HEADING = 1 << 31
_MOST = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class Span:
    """A quote's place: the article's key, and the characters `start` to `end` of its text or heading."""

    key: str
    in_heading: bool
    start: int
    end: int
    digest: bytes

    @classmethod
    def of(cls, article: str, text: str, start: int, *, in_heading: bool = False) -> Self:
        """Return the place of a quote `text` that begins at `start` of the article with this id."""
        return cls(article_key(article), in_heading, start, start + min(len(text), _MOST), _digest(text))

    def pack(self) -> str:
        """Return the place as 20 letters, digits, hyphens and underscores."""
        length = (self.end - self.start).to_bytes(3, "big")
        start = self.start | (_IN_HEADING if self.in_heading else 0)
        packed = _LAYOUT.pack(base64.urlsafe_b64decode(self.key), start, length, self.digest)
        return base64.urlsafe_b64encode(packed).decode("ascii")

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Undo `pack`.

        Raises:
            ValueError: the text is no packed place.
        """
        if not re.fullmatch(PLACE, text):
            raise ValueError(f"{text!r} is no place")
        key, start, length, digest = _LAYOUT.unpack(base64.urlsafe_b64decode(text))
        begin = start & ~_IN_HEADING
        end = begin + int.from_bytes(length, "big")
        name = base64.urlsafe_b64encode(key).decode("ascii")
        return cls(name, bool(start & _IN_HEADING), begin, end, digest)

    def source(self, article: Article) -> str:
        """Return the text that the offsets count in."""
        return article.heading if self.in_heading else article.text

    def quote(self, article: Article) -> str | None:
        """Return what stands there, or None where that is no longer what was quoted."""
        text = self.source(article)[self.start : self.end]
        return text if _digest(text) == self.digest else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text[:_MOST].encode("utf-8", "surrogatepass")).digest()[:2]


def spans_of(answer: Answer) -> tuple[Span, ...]:
    """Return the places of an answer's quotes, then of the passages that come next, best first."""
    quoted = (
        Span.of(answer.citation_of(one).article, one.text, one.start, in_heading=one.paragraph == 0)
        for one in answer.quotes
    )
    further = (
        Span.of(one.article, one.passage, one.start, in_heading=one.paragraph == 0) for one in answer.further
    )
    return tuple(_distinct((*quoted, *further)))


def _distinct(spans: Iterable[Span]) -> Iterable[Span]:
    return dict.fromkeys(spans)
