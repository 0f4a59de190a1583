"""Web addresses that open a page at a quote, by the URL Fragment Text Directives draft of the WICG.

    address#:~:text=[prefix-,]textStart[,textEnd][,-suffix]

A browser goes to the first place that reads so: `textStart` to `textEnd`, right after `prefix` and right
before `suffix`. Case and accents do not matter to it. Each part stands at word boundaries and within one
block of the page. Here, no part crosses the end of a line, so that it holds whether the page shows that as a
space or as another block; and the mark before an item of a list or a heading belongs to no part, since a page
shows the mark otherwise.

Whether a directive names the quote and no place before it is tried on the article's text. The trial is laxer
than any browser: it takes all white space for one space and does not ask for word boundaries. So a browser
has fewer places to find, and the quote is the first of them all the more.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

__all__ = ["sentence_url"]

_WHOLE = 100
"""Characters of a quote that is named whole. A longer one more often has something on the page that the
article's text has not, such as the number of a note, which its first and last words go around."""

_ENDS = (4, 8, 16, 3, 2)
"""Words of each end by which a longer quote is named; what comes first is tried first."""

_CONTEXT = (3, 6, 12, 24)
"""Words around it by which a quote is told from another place that reads alike."""

_LONGEST = 2_000_000
"""Characters of an article's text that are looked through; in a longer one, only the page is opened."""

_FEW = 3
"""Words of a quote so short that it is named together with what stands around it, as the draft advises, since
a page has more text than its article."""

_ENOUGH = 4
"""Words of a quote's beginning that say enough without its end: a page has "The lamp" everywhere."""

# At these, as at white space, a word ends whatever stands beside them: for Unicode's word boundaries (UAX 29)
# they are no letters, and nothing that joins letters or digits.
_UNSPACED = "。、！？「」『』（）［］【】《》〈〉"
_APART = frozenset("!#$%&()*+/<=>?@[\\]^`{|}~-‐–—…“”„«»‹›¡¿•§¶" + _UNSPACED)
_WORD = re.compile(rf"[^\s{_UNSPACED}]+|[{_UNSPACED}]")
_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_MARK = re.compile(r"^[^\S\n]*(?:[-*+•‣◦▪–—]|\d{1,3}[.)]|#{1,6})[^\S\n]+", re.MULTILINE)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_DIRECTIVE = ":~:"
# Beside what must be encoded, what Discord's Markdown could take for its own.
_ENCODED_TOO = str.maketrans({"-": "%2D", "_": "%5F", "~": "%7E"})

Span = tuple[int, int]


def sentence_url(url: str, text: str, start: int, end: int, *, room: int = 1000) -> str | None:
    """Return the address that opens `url` at the quote `text[start:end]`, in at most `room` characters.

    A directive that the address has is replaced, and a fragment that it has is kept. Where the quote cannot
    be told from another place, the first place that reads like it is named; where no directive has room, the
    address is returned without one. None where `url` is no http or https address, or is too long itself.
    """
    address, _, fragment = url.strip().partition("#")
    fragment = fragment.partition(_DIRECTIVE)[0]
    plain = f"{address}#{fragment}" if fragment else address
    if len(plain) > room or not _is_web_address(address):
        return None
    if len(text) > _LONGEST:
        return plain
    lead = f"{address}#{fragment}{_DIRECTIVE}text="
    page = _Page(text, start, end, room)
    return lead + found if (found := page.directive(room - len(lead))) else plain


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    printable = all(one.isprintable() and not one.isspace() for one in address)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and printable


@dataclass(frozen=True, slots=True)
class _Directive:
    """The parts of a directive, as spans of the text."""

    start: Span
    end: Span | None = None
    prefix: Span | None = None
    suffix: Span | None = None

    @property
    def named(self) -> Span:
        """The span that it names."""
        return self.start[0], (self.end or self.start)[1]


class _Page:
    """An article's text as a browser searches it, and the words of a quote in it."""

    def __init__(self, text: str, start: int, end: int, reach: int) -> None:
        """Take the words of `text[start:end]`, whole ones, and those within `reach` characters of it."""
        self._text = _MARK.sub(lambda mark: " " * len(mark[0]), text)
        quote = self._text[start:end]
        start, end = start + len(quote) - len(quote.lstrip()), start + len(quote.rstrip())
        begin, stop = _edge(self._text, start, -1, reach), _edge(self._text, end, 1, reach)
        before = _words(self._text, max(begin - reach, 0), begin)
        inside = _words(self._text, begin, stop) if start < end else []
        self._words = [*before, *inside, *_words(self._text, stop, min(stop + reach, len(text)))]
        self._first, self._last = len(before), len(before) + len(inside) - 1
        at = inside[0][0] if inside else 0
        self._flat_before = _flat(self._text[:at])
        self._flat_text = self._flat_before + _flat(self._text[at:])

    def directive(self, room: int) -> str:
        """Return the best directive that has room, percent-encoded; "" where none has."""
        fitting = [one for one in self._cores() if len(self._encoded(one)) <= room]
        if not fitting:
            return ""
        around = [one for one in self._in_context(fitting[0]) if len(self._encoded(one)) <= room]
        is_short = self._last - self._first < _FEW
        for one in [*around, *fitting] if is_short else [*fitting, *around]:
            if self._is_first(one):
                return self._encoded(one)
        return next((self._encoded(one) for one in fitting if not one.end), "")

    def _cores(self) -> Iterator[_Directive]:
        """Yield the ways to name the quote without what stands around it, best first."""
        first, last = self._first, self._last
        if first > last:
            return
        begin, end = self._words[first][0], self._words[last][1]
        is_one_line = self._line_end(first) >= last
        if is_one_line and end - begin <= _WHOLE:
            yield _Directive((begin, end))
        for count in _ENDS if first < last else ():
            to = min(first + count - 1, self._line_end(first))
            since = max(last - count + 1, self._line_start(last))
            if to >= since:
                to = (first + last) // 2
                since = to + 1
            yield _Directive((begin, self._words[to][1]), (self._words[since][0], end))
        if is_one_line:
            yield _Directive((begin, end))
        for count in (16, 8, _ENOUGH):
            to = min(first + count - 1, self._line_end(first))
            if to < last and to - first >= _ENOUGH - 1:
                yield _Directive((begin, self._words[to][1]))

    def _in_context(self, core: _Directive) -> Iterator[_Directive]:
        """Yield a directive with more and more of what stands before the quote, after it, or both."""
        for count in _CONTEXT:
            prefix, suffix = self._before(count), self._after(count)
            for before, after in ((prefix, None), (None, suffix), (prefix, suffix)):
                if before or after:
                    yield _Directive(core.start, core.end, before, after)

    def _before(self, count: int) -> Span | None:
        """Return up to `count` words before the quote, of the line that the nearest of them is in."""
        at = self._first - 1
        if at < 0:
            return None
        return self._words[max(at - count + 1, self._line_start(at))][0], self._words[at][1]

    def _after(self, count: int) -> Span | None:
        at = self._last + 1
        if at >= len(self._words):
            return None
        return self._words[at][0], self._words[min(at + count - 1, self._line_end(at))][1]

    def _line_start(self, at: int) -> int:
        """Return the first of the words that are in one line with the word at a place."""
        while at > 0 and not self._is_line_end(at - 1):
            at -= 1
        return at

    def _line_end(self, at: int) -> int:
        while at < len(self._words) - 1 and not self._is_line_end(at):
            at += 1
        return at

    def _is_line_end(self, at: int) -> bool:
        return bool(_LINE_END.search(self._text, self._words[at][1], self._words[at + 1][0]))

    def _is_first(self, one: _Directive) -> bool:
        """Tell whether the first place that a directive finds is the one that it names."""
        prefix, begin, end, suffix = (
            _flat(self._text[slice(*span)]) if span else ""
            for span in (one.prefix, one.start, one.end, one.suffix)
        )
        lead = f"{re.escape(prefix)} ?" if prefix else ""
        middle = f".*?{re.escape(end)}" if end else ""
        found = re.search(f"{lead}({re.escape(begin)}{middle}) ?{re.escape(suffix)}", self._flat_text)
        at = len(self._flat_before)
        stop = at + len(_flat(self._text[slice(*one.named)]))
        if found is None or found.span(1) != (at, stop):
            return False
        # Looking for the suffix, a browser goes from one `textEnd` to the next that does not overlap it.
        return not (end and suffix) or end not in self._flat_text[max(stop - 2 * len(end) + 1, 0) : stop - 1]

    def _encoded(self, one: _Directive) -> str:
        parts = (
            f"{_encode(self._text[slice(*one.prefix)])}-" if one.prefix else "",
            _encode(self._text[slice(*one.start)]),
            _encode(self._text[slice(*one.end)]) if one.end else "",
            f"-{_encode(self._text[slice(*one.suffix)])}" if one.suffix else "",
        )
        return ",".join(part for part in parts if part)


def _edge(text: str, at: int, step: int, reach: int) -> int:
    """Return the place nearest to `at`, in steps to one side, at which a word surely ends or begins."""
    for _ in range(reach):
        if not 0 < at < len(text) or _is_edge(text, at):
            break
        at += step
    return min(max(at, 0), len(text))


def _is_edge(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after.isspace() or before.isspace():
        return not _clings(after)
    return (before in _APART or after in _APART) and not _clings(after)


def _clings(letter: str) -> bool:
    """Tell whether a letter is a mark or an invisible sign, which belongs to what stands before it."""
    return unicodedata.category(letter) in {"Mn", "Mc", "Me", "Cf"}


def _words(text: str, start: int, end: int) -> list[Span]:
    """Return the spans of whole words from `start` to `end`, with the signs that stand at them.

    What a cut at either place leaves of a word is no whole one.
    """
    words: list[Span] = []
    for word in _WORD.finditer(text, start, end):
        begin, stop = word.span()
        while begin < stop and _clings(text[begin]):
            begin += 1
        if words and words[-1][1] == word.start():
            words[-1] = words[-1][0], begin
        if begin < stop:
            words.append((begin, stop))
    if words and words[0][0] == start > 0 and not _is_edge(text, start):
        del words[0]
    if words and words[-1][1] == end < len(text) and not _is_edge(text, end):
        del words[-1]
    return words


def _encode(part: str) -> str:
    spaced = re.sub(r"[ \t]+", " ", part)
    return percent_encoded(spaced, safe="", errors="replace").translate(_ENCODED_TOO)


def _flat(text: str) -> str:
    """Return a text as it is compared: without case and accents, all white space one space.

    What two texts are made into one after the other is what they are made into together, as long as they
    are not parted between white space.
    """
    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    spaced = f"{before}{' '.join(text.split())}{after}".lower() if text.strip() else before
    return _NOT_ASCII.sub(lambda found: _bare(found[0]), spaced)


@functools.lru_cache(maxsize=1024)
def _bare(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in parts if unicodedata.category(one) not in {"Mn", "Me", "Cf"})
