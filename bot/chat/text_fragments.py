"""Addresses that open a page at a quote, by a text fragment: `address#:~:text=first words,last words`.

Source: WICG, "URL Fragment Text Directives". A short quote is given whole, a longer one by its first and last
words. The browser goes to the first place on the page that matches.
"""

from __future__ import annotations

import re
from urllib.parse import quote as percent_encode
from urllib.parse import urlsplit

__all__ = ["text_fragment_url"]

_WHOLE = 100  # characters of a quote that is given whole: a longer one more often differs from its page
_WORDS = 4  # from each end of a longer quote
_WORD = re.compile(r"[^\s。、！？]+[。、！？]*|[。、！？]+")
_LINE_MARK = re.compile(r"^[^\S\n]*(?:[-*+•‣◦▪–—]|\d{1,3}[.)]|#{1,6})[^\S\n]+", re.MULTILINE)
_MARKDOWN = str.maketrans({"-": "%2D", "_": "%5F", "~": "%7E"})  # a hyphen also marks a directive's context


def text_fragment_url(url: str, quote: str, *, room: int = 1000) -> str | None:
    """Return the address that opens `url` at a quote, or plain if that takes more than `room` characters.

    A fragment of the address is kept, a text directive replaced. Return None for what is no http or https
    address, or is too long itself.
    """
    address, _, fragment = url.strip().partition("#")
    fragment = fragment.partition(":~:")[0]
    plain = f"{address}#{fragment}" if fragment else address
    if len(plain) > room or not _is_web_address(address):
        return None
    directive = _directive(quote)
    whole = f"{address}#{fragment}:~:text={directive}"
    return whole if directive and len(whole) <= room else plain


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_clean = address.isprintable() and " " not in address
    return is_clean and parts.scheme in {"http", "https"} and bool(parts.hostname)


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
