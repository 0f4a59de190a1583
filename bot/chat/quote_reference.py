"""A reference to a quote that fits into a button's id, so that buttons work after a restart.

It takes 20 characters: the article's key, the quote's start and length, and two bytes of its SHA-256, which
show whether the article still says so. (Discord keeps 100 characters of a button's id with its message.)
"""

from __future__ import annotations

import hashlib
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

from bot.answering.answer import Answer, Citation, Quote
from index.articles.article import Article
from index.storage.store import article_key

__all__ = ["PACKED_LENGTH", "PACKED_PATTERN", "QuoteReference", "quote_references"]

PACKED_LENGTH = 20
"""Characters of a packed reference."""
PACKED_PATTERN = rf"[A-Za-z0-9_-]{{{PACKED_LENGTH}}}"
"""A pattern for `re`; every text that it matches unpacks."""

_LAYOUT = struct.Struct(">6sI3s2s")  # key, start with the heading's bit, length, digest
_IN_HEADING = 1 << 31
_MAX_LENGTH = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class QuoteReference:
    """An article's key and a span of its text or heading, with two bytes of the SHA-256 of what it quotes."""

    key: str
    in_heading: bool
    start: int
    end: int
    digest: bytes

    @classmethod
    def of(cls, article: str, text: str, start: int, *, in_heading: bool = False) -> Self:
        """Return the reference to the quote `text` at `start` in the article with this id."""
        return cls(
            article_key(article), in_heading, start, start + min(len(text), _MAX_LENGTH), _digest(text)
        )

    def pack(self) -> str:
        """Return the reference as 20 letters, digits, hyphens and underscores."""
        start = self.start | (_IN_HEADING if self.in_heading else 0)
        length = (self.end - self.start).to_bytes(3, "big")
        packed = _LAYOUT.pack(urlsafe_b64decode(self.key), start, length, self.digest)
        return urlsafe_b64encode(packed).decode("ascii")

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Return a packed reference.

        Raises:
            ValueError: the text is not a packed reference.
        """
        if not re.fullmatch(PACKED_PATTERN, text):
            raise ValueError(f"{text!r} is not a packed quote reference")
        key, bits, length, digest = _LAYOUT.unpack(urlsafe_b64decode(text))
        start = bits & ~_IN_HEADING
        end = start + int.from_bytes(length, "big")
        return cls(urlsafe_b64encode(key).decode("ascii"), bool(bits & _IN_HEADING), start, end, digest)

    def source(self, article: Article) -> str:
        """Return the text that the span is of: the article's text or its heading."""
        return article.heading if self.in_heading else article.text

    def quote(self, article: Article) -> str | None:
        """Return the quote, or None if the article has something else there now."""
        text = self.source(article)[self.start : self.end]
        return text if _digest(text) == self.digest else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text[:_MAX_LENGTH].encode("utf-8", "surrogatepass")).digest()[:2]


def quote_references(answer: Answer) -> tuple[QuoteReference, ...]:
    """Return references to an answer's quotes, then to its further passages, best first, each once."""
    references = [_refer(answer.citation_of(quote).article, quote.text, quote) for quote in answer.quotes]
    references += [_refer(passage.article, passage.passage, passage) for passage in answer.further]
    return tuple(dict.fromkeys(references))


def _refer(article: str, text: str, place: Quote | Citation) -> QuoteReference:
    return QuoteReference.of(article, text, place.start, in_heading=place.paragraph == 0)
