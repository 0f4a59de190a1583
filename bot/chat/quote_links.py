"""Links to quotes: references that fit into a button's id, and addresses that open a page at a quote.

A reference takes 20 characters: the article's key, the quote's start and length, and two bytes of its
SHA-256, which show whether the article still says so. (Discord keeps 100 characters of a button's id.)

An address has a text fragment, `address#:~:text=first words,last words` (WICG, "URL Fragment Text
Directives"). A short quote is given whole, a longer one by its first and last words. The browser goes to the
first place on the page that matches.

The pages of `footnote web` show every article, with or without an address of its own: `article_url`.
"""

from __future__ import annotations

import hashlib
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import quote as percent_encode
from urllib.parse import urlencode

from index.storage.store import article_key

if TYPE_CHECKING:
    from bot.answering.answer import Answer, Citation, Quote
    from index.articles.article import Article

__all__ = [
    "PACKED_LENGTH",
    "PACKED_PATTERN",
    "QuoteReference",
    "article_url",
    "quote_references",
    "text_fragment_url",
    "with_pages",
]

PACKED_LENGTH = 20
"""Characters of a packed reference."""
PACKED_PATTERN = rf"[A-Za-z0-9_-]{{{PACKED_LENGTH}}}"
"""A pattern for `re`; every text that it matches unpacks."""

_LAYOUT = struct.Struct(">6sI3s2s")  # key, start with the heading's bit, length, digest
_IN_HEADING = 1 << 31

_WHOLE = 100  # characters of a quote that is given whole: a longer one more often differs from its page
_WORDS = 4  # from each end of a longer quote
_WORD = re.compile(r"[^\s。、！？]+[。、！？]*|[。、！？]+")
_LINE_MARK = re.compile(r"^[^\S\n]*(?:[-*+•‣◦▪–—]|\d{1,3}[.)]|#{1,6})[^\S\n]+", re.MULTILINE)
_MARKDOWN = str.maketrans({"-": "%2D", "_": "%5F", "~": "%7E"})  # a hyphen also marks a directive's context


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
        return cls(article_key(article), in_heading, start, start + len(text), _digest(text))

    def pack(self) -> str:
        """Return the reference as 20 letters, digits, hyphens and underscores."""
        start = self.start | (_IN_HEADING if self.in_heading else 0)
        length = (self.end - self.start).to_bytes(3, "big")
        packed = _LAYOUT.pack(urlsafe_b64decode(self.key), start, length, self.digest)
        return urlsafe_b64encode(packed).decode("ascii")

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Return the reference that was packed as this text, which matches `PACKED_PATTERN`."""
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
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:2]


def quote_references(answer: Answer) -> tuple[QuoteReference, ...]:
    """Return references to an answer's quotes, then to its further passages, best first, each once."""
    references = [_refer(answer.citation_of(quote).article, quote.text, quote) for quote in answer.quotes]
    references += [_refer(passage.article, passage.passage, passage) for passage in answer.further]
    return tuple(dict.fromkeys(references))


def _refer(article: str, text: str, place: Quote | Citation) -> QuoteReference:
    return QuoteReference.of(article, text, place.start, in_heading=place.paragraph == 0)


def text_fragment_url(url: str, quote: str, *, room: int) -> str:
    """Return the web address that opens `url` at a quote, or plain if that takes more than `room` characters.

    A fragment of the address is kept, a text directive replaced.
    """
    address, _, fragment = url.partition("#")
    fragment = fragment.partition(":~:")[0]
    directive = _directive(quote)
    whole = f"{address}#{fragment}:~:text={directive}"
    plain = f"{address}#{fragment}" if fragment else address
    return whole if directive and len(whole) <= room else plain


def article_url(  # noqa: PLR0913 - what an address is made of
    base: str, article_id: str, collection: str, default: str, start: int, end: int, *, in_heading: bool
) -> str:
    """Return the address of an article's page, which opens at a quote if the span is not empty.

    `base` is where the pages are, "" on a page; the collection is named where it is not the `default` one.
    """
    # A browser takes the dots of "a/../b" away, and some proxies an empty part, unless the slash is encoded.
    is_plain = not {"", ".", ".."} & set(article_id.split("/"))
    path = percent_encode(article_id, safe="/" if is_plain else "", errors="replace")
    query = {} if collection == default else {"collection": collection}
    query |= {"q": f"{'h' if in_heading else ''}{start}-{end}"} if start < end else {}
    anchor = "#q" if start < end else ""
    return f"{base.rstrip('/')}/articles/{path}{'?' if query else ''}{urlencode(query)}{anchor}"


def with_pages(answer: Answer, base: str, collection: str, default: str) -> Answer:
    """Return an answer whose citations have the address of their articles' pages if these have none.

    Each opens at its quote, or at its passage. Without a `base` there are no pages.
    """

    def linked(citation: Citation, at: Quote | Citation) -> Citation:
        span, in_heading = (at.start, at.end), at.paragraph == 0
        url = article_url(base, citation.article, collection, default, *span, in_heading=in_heading)
        return citation if citation.url or not base else replace(citation, url=url)

    quotes = {quote.citation: quote for quote in reversed(answer.quotes)}
    citations = tuple(linked(each, quotes.get(each.number, each)) for each in answer.citations)
    return replace(answer, citations=citations, further=tuple(linked(each, each) for each in answer.further))


def _directive(quote: str) -> str:
    """Return a quote as a text directive; no part crosses a line, which may be a block of its own."""
    lines = [line.strip() for line in _LINE_MARK.sub("", quote).splitlines() if line.strip()]
    if not lines:
        return ""
    first, last = ([word.span() for word in _WORD.finditer(line)] for line in (lines[0], lines[-1]))
    if len(lines) == 1 and (len(lines[0]) <= _WHOLE or len(first) < 2 * _WORDS):
        return _encode(lines[0])
    begin, end = first[:_WORDS][-1][1], last[-_WORDS:][0][0]
    return f"{_encode(lines[0][:begin])},{_encode(lines[-1][end:])}"


def _encode(text: str) -> str:
    return percent_encode(" ".join(text.split()), safe="", errors="replace").translate(_MARKDOWN)
