"""An article to passages: runs of whole sentences, with exact spans, that fit the encoder's window.

Every span is of code points: `article.text[start:end]` (`article.heading` for paragraph 0) is the piece.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sentencex

from index.articles.article import Article
from index.language import heading_line_text

__all__ = [
    "HEADING",
    "Passage",
    "Sentence",
    "Tokens",
    "is_list_item",
    "source_text",
    "split_article",
    "split_sentences",
]

HEADING = 0
"""The number of the paragraph that stands for an article's heading."""

Tokens = Callable[[Sequence[str]], list[int]]
"""Counts the encoder's own tokens of each text, without the special ones around it."""

Span = tuple[int, int]

# Under this many tokens a passage says too little to be found by; about one short line.
_SHORT = 24
# An encoder with less room than this could not read a clause; so much is made of it all the same.
_SMALLEST_WINDOW = 8
# No text that people write has more characters a token: nothing between sentences, and no word or sign that
# the encoder lacks or leaves out, makes a passage longer than so many for each token of the window.
_CHARACTERS_A_TOKEN = 16
_AT_ONCE, _AHEAD = 8_000, 2_000
"""Characters in which sentences are told apart at once, since sentencex takes time with the square of them.
So many of these only show how the sentences before them end."""
# sentencex 1.0.32 panics on some multi-byte white space; one code point for one keeps every offset.
_ODD_SPACE = re.compile(r"[^\S\n ]")
_ITEM = r"[^\S\n]*(?:[-*+•‣◦▪–—]|\d{1,3}[.)])[^\S\n]+\S"
_LIST_ITEM = re.compile(rf"\n(?={_ITEM})")
_IS_ITEM = re.compile(_ITEM)
_MARKDOWN_HEADING = re.compile(r"[^\S\n]*#{1,6} [^\n]*\n")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit that is quoted: its paragraph's number and its span."""

    paragraph: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is retrieved and cited: a run of sentences of one article, in order."""

    sentences: tuple[Sentence, ...]

    @property
    def start(self) -> int:
        """Where the first sentence begins."""
        return self.sentences[0].start

    @property
    def end(self) -> int:
        """Where the last sentence ends."""
        return self.sentences[-1].end

    @property
    def is_heading(self) -> bool:
        """Whether the spans are of the article's heading."""
        return self.sentences[0].paragraph == HEADING


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences on their way to a passage, with the tokens that they take."""

    sentences: tuple[Sentence, ...]
    tokens: int

    def __add__(self, other: _Run) -> _Run:
        return _Run(self.sentences + other.sentences, self.tokens + other.tokens)


def source_text(article: Article, sentence: Sentence | Passage) -> str:
    """Return the text that a sentence's or a passage's offsets count in."""
    first = sentence.sentences[0] if isinstance(sentence, Passage) else sentence
    return article.heading if first.paragraph == HEADING else article.text


def split_article(article: Article, tokens: Tokens, window: int, language: str) -> tuple[Passage, ...]:
    """Split an article into passages of at most `window` tokens each, the heading's first.

    A sentence longer than the window is the one thing that is cut, at white space where there is some:
    each part is then a sentence of its own, so that the encoder reads every word.
    """
    window = max(window, _SMALLEST_WINDOW)
    runs = _heading_runs(article, tokens, window, language)
    sentences: list[Sentence] = []
    for paragraph in article.paragraphs:
        text = article.text[paragraph.start : paragraph.end]
        spans = split_sentences(text, language)
        sentences.extend(
            Sentence(paragraph.number, paragraph.start + a, paragraph.start + b) for a, b in spans
        )
    # Counted together, since a call takes longer than most texts do.
    measured = _measure(article.text, sentences, tokens, window)
    body: list[_Run] = []
    for _, of_paragraph in itertools.groupby(measured, lambda run: run.sentences[0].paragraph):
        body.extend(_fill(list(of_paragraph), window))
    return tuple(Passage(run.sentences) for run in [*runs, *_join_short(body, window)])


def split_sentences(text: str, language: str) -> list[Span]:
    """Return the spans of the sentences of one paragraph, in order, without the white space around them."""
    spans: list[Span] = []
    for start, end in _blocks(text):
        block = _ODD_SPACE.sub(" ", text[start:end])
        spans += [_trim(text, start + a, start + b) for a, b in _segments(block, language)]
    return [span for span in spans if span[0] < span[1]]


def _segments(text: str, language: str) -> Iterator[Span]:
    """Yield the spans of a block's sentences, told apart a stretch at a time.

    Those at the end of a stretch are told apart anew, with what follows them; one that fills it is cut.
    """
    start = 0
    while start < len(text):
        pieces = sentencex.segment(language, text[start : start + _AT_ONCE])
        if start + _AT_ONCE < len(text):
            pieces = _sure(pieces)
        for piece in pieces:
            yield start, start + len(piece)
            start += len(piece)


def _sure(pieces: Sequence[str]) -> Sequence[str]:
    """Return the sentences of a stretch that what follows it leaves as they are; the first at least."""
    ends = itertools.accumulate(map(len, pieces))
    count = sum(end <= _AT_ONCE - _AHEAD for end in ends)
    if count or len(pieces) > 1:
        return pieces[: count or 1]
    return [pieces[0][: pieces[0].rfind(" ", _AT_ONCE // 2) + 1] or pieces[0]]


def is_list_item(text: str) -> bool:
    """Tell whether a sentence is an item of a list, with its bullet or number before it."""
    return bool(_IS_ITEM.match(text))


def _blocks(text: str) -> Iterator[Span]:
    """Part a paragraph at lines that end a sentence without a full stop: list items and headings."""
    cuts = {match.end() for match in _LIST_ITEM.finditer(text)}
    if heading := _MARKDOWN_HEADING.match(text):
        cuts.add(heading.end())
    elif _opens_with_heading(text):
        cuts.add(text.index("\n") + 1)
    edges = [0, *sorted(cuts), len(text)]
    yield from itertools.pairwise(edges)


def _opens_with_heading(text: str) -> bool:
    """Tell a heading from the first line of hard-wrapped prose, which is about as long as the others."""
    first, *rest = text.split("\n")
    if not rest or not first or first.rstrip()[-1:] in ",;:.!?-–—":
        return False
    return len(first) < 0.6 * max(map(len, rest)) and not rest[0].lstrip()[:1].islower()


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _heading_runs(article: Article, tokens: Tokens, window: int, language: str) -> list[_Run]:
    """Make runs of the heading's lines, counting the questions that the encoder reads before each line."""
    runs: list[_Run] = []
    start = 0
    for line in article.heading.split("\n"):
        span = _trim(article.heading, start, start + len(line))
        start += len(line) + 1
        if span[0] < span[1]:
            (lead,) = tokens([heading_line_text(article, span[0], "", language)])
            room = max(window - lead, _SMALLEST_WINDOW)
            lines = _measure(article.heading, [Sentence(HEADING, *span)], tokens, room)
            runs.extend(_Run(run.sentences, run.tokens + lead) for run in lines)
    return list(_fill(runs, window))


def _measure(text: str, sentences: list[Sentence], tokens: Tokens, window: int) -> list[_Run]:
    """Count the tokens of each sentence; cut one that alone is over the window."""
    runs: list[_Run] = []
    counts = tokens([text[one.start : one.end] for one in sentences])
    for one, count in zip(sentences, counts, strict=True):
        taken = _taken(count, one.end - one.start)
        if taken <= window:
            runs.append(_Run((one,), taken))
            continue
        for part, part_count in _cut(text, (one.start, one.end), tokens, window):
            runs.append(_Run((Sentence(one.paragraph, *part),), part_count))
    return runs


def _taken(tokens: int, length: int) -> int:
    """Return how many tokens a sentence takes of the window: one at least, and some for each character."""
    return max(tokens, 1 + length // _CHARACTERS_A_TOKEN)


def _cut(text: str, span: Span, tokens: Tokens, window: int) -> Iterator[tuple[Span, int]]:
    """Cut a span into parts within the window: by length first, then in halves while one is still over."""
    waiting = list(_chunks(text, span, 4 * window))[::-1]
    while waiting:
        part = waiting.pop()
        (count,) = tokens([text[part[0] : part[1]]])
        taken = _taken(count, part[1] - part[0])
        if taken <= window or part[1] - part[0] < 2:
            yield part, taken
        else:
            waiting.extend(reversed(list(_chunks(text, part, -(-(part[1] - part[0]) // 2)))))


def _chunks(text: str, span: Span, size: int) -> Iterator[Span]:
    start, end = span
    while start < end:
        stop = min(start + size, end)
        if stop < end:
            gap = max(text.rfind(space, start + size // 2, stop) for space in (" ", "\n", "\t"))
            stop = gap if gap > start else stop
        part = _trim(text, start, stop)
        if part[0] < part[1]:
            yield part
        start = stop


def _fill(runs: Sequence[_Run], window: int) -> Iterator[_Run]:
    """Gather sentences into as few runs as fit the window, in order."""
    current: _Run | None = None
    for run in runs:
        if current is None:
            current = run
        elif current.tokens + run.tokens <= window:
            current += run
        else:
            yield current
            current = run
    if current is not None:
        yield current


def _join_short(runs: list[_Run], window: int) -> list[_Run]:
    """Join a very short run to the one after it, or to the one before it where none follows."""
    joined: list[_Run] = []
    for run in runs:
        if joined and joined[-1].tokens < _SHORT and joined[-1].tokens + run.tokens <= window:
            joined[-1] += run
        else:
            joined.append(run)
    if len(joined) > 1 and joined[-1].tokens < _SHORT and joined[-2].tokens + joined[-1].tokens <= window:
        last = joined.pop()
        joined[-1] += last
    return joined
