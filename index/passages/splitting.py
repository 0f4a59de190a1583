"""An article to passages: runs of whole sentences, with exact spans, that fit the encoder's window.

Every span is in code points: `article.text[start:end]` (`article.heading` for paragraph 0) is the text.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.articles.article import Article
from index.articles.blocks import LEADS, BlockKind
from index.language import heading_line_text
from index.passages.encoded_text import column_names, plain, sentence_text
from index.passages.sentences import Span, split_block, trim

__all__ = ["HEADING", "CountTokens", "Passage", "Sentence", "source_text", "split_article"]

HEADING = 0  # the paragraph number of an article's heading

CountTokens = Callable[[Sequence[str]], list[int]]
"""Counts the encoder's tokens in each text, without the special ones around it."""

_SHORT_TOKENS = 24  # passages under this (about one short line) say too little to be found, and are merged
_SMALLEST_WINDOW = 8
_CHARACTERS_A_TOKEN = 16  # at most, so that a run of signs unknown to the encoder is bounded too


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit that is quoted: its paragraph's number and its span."""

    paragraph: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is retrieved and cited: a run of sentences of one article, in order.

    `leads` are the headings, questions and lead-ins that it stands below, outermost first.
    """

    sentences: tuple[Sentence, ...]
    leads: tuple[Sentence, ...] = ()

    @property
    def start(self) -> int:
        """Where the first sentence begins."""
        return self.sentences[0].start

    @property
    def end(self) -> int:
        """Where the last sentence ends."""
        return self.sentences[-1].end

    @property
    def parts(self) -> tuple[Sentence, ...]:
        """The leads and the sentences: all that has token vectors."""
        return self.leads + self.sentences

    @property
    def is_heading(self) -> bool:
        """Whether the spans are of the article's heading."""
        return self.sentences[0].paragraph == HEADING


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences below the same leads, and the tokens that they take."""

    sentences: tuple[Sentence, ...]
    tokens: int
    leads: tuple[Sentence, ...] = ()

    def __add__(self, other: _Run) -> _Run:
        return _Run(self.sentences + other.sentences, self.tokens + other.tokens, self.leads)

    def takes(self, other: _Run, window: int) -> bool:
        """Tell whether the sentences of another run may follow in this one."""
        return self.leads == other.leads and self.tokens + other.tokens <= window


@dataclass(frozen=True, slots=True)
class _Section:
    """The sentences below the same leads, and `room`: the tokens that the leads leave them.

    `columns` are the names of the columns, if the sentences are rows.
    """

    leads: tuple[Sentence, ...]
    room: int
    columns: list[str]
    sentences: list[Sentence]

    @property
    def gaps(self) -> Iterator[Span]:
        """Where what stands between a sentence and the one before it is: white space, a bullet, "A:"."""
        ends = [self.sentences[0].start, *(sentence.end for sentence in self.sentences)]
        return ((end, sentence.start) for end, sentence in zip(ends, self.sentences, strict=False))


def source_text(article: Article, part: Sentence | Passage) -> str:
    """Return the text in which a sentence's or passage's offsets count: the heading or the article's text."""
    first = part.sentences[0] if isinstance(part, Passage) else part
    return article.heading if first.paragraph == HEADING else article.text


def split_article(article: Article, count: CountTokens, window: int, language: str) -> tuple[Passage, ...]:
    """Split an article into passages of at most `window` tokens each, the heading's first.

    A sentence longer than the window is cut, at white space where there is some, into sentences of their own.
    """
    window = max(window, _SMALLEST_WINDOW)
    passages = [Passage(run.sentences) for run in _heading_runs(article, count, window, language)]
    sections = list(_sections(article, count, window, language))
    # Counted together: a call costs more than most texts do.
    texts = [text for section in sections for text in _encoded_texts(article, section)]
    counts = iter(count(texts) if texts else [])
    for section in sections:
        runs = list(_section_runs(article, section, counts, count))
        body: list[_Run] = []
        for _, of_paragraph in itertools.groupby(runs, lambda run: run.sentences[0].paragraph):
            body += _fill(list(of_paragraph), section.room)
        passages += [Passage(run.sentences, run.leads) for run in _merge_short(body, section.room)]
    return tuple(passages)


def _sections(article: Article, count: CountTokens, window: int, language: str) -> Iterator[_Section]:
    """Yield the article's sentences by what they stand below."""
    leads = [place for place, block in enumerate(article.blocks) if block.kind in LEADS]
    spans = [(article.blocks[place].start, article.blocks[place].end) for place in leads]
    counts = count([plain(article.text[start:end]) for start, end in spans]) if leads else []
    taken = {
        place: 2 + _tokens_taken(tokens, end - start)
        for place, tokens, (start, end) in zip(leads, counts, spans, strict=True)
    }
    texts = (block for block in article.blocks if block.kind not in LEADS - {BlockKind.LEAD_IN})
    for above, blocks in itertools.groupby(texts, lambda block: block.above):
        own, room = _leads(article, above, taken, window)
        columns = column_names(article, own[-1].start) if own else []
        sentences = [
            Sentence(block.paragraph, block.start + start, block.start + end)
            for block in blocks
            for start, end in split_block(block.kind, article.text[block.start : block.end], language)
        ]
        if sentences:
            yield _Section(own, room, columns, sentences)


def _encoded_texts(article: Article, section: _Section) -> Iterator[str]:
    """Yield what is encoded of each sentence, with what stands before it."""
    for sentence, (start, end) in zip(section.sentences, section.gaps, strict=True):
        text = sentence_text(article.text[sentence.start : sentence.end], section.columns)
        yield article.text[start:end] + text


def _section_runs(
    article: Article, section: _Section, counts: Iterator[int], count: CountTokens
) -> Iterator[_Run]:
    """Yield each sentence as a run; cut one that does not fit the room.

    A row that does not fit with the names of its columns is encoded without them.
    """
    text, room = article.text, section.room
    for sentence, (start, end) in zip(section.sentences, section.gaps, strict=True):
        taken = _tokens_taken(next(counts), sentence.end - sentence.start)
        if taken <= room:
            yield _Run((sentence,), taken, section.leads)
            continue
        leads = section.leads[:-1] if section.columns else section.leads
        before, alone = count([text[start:end], plain(text[sentence.start : sentence.end])])
        parts: Iterable[tuple[Span, int]] = [((sentence.start, sentence.end), alone)]
        if not section.columns or before + _tokens_taken(alone, sentence.end - sentence.start) > room:
            parts = _cut(text, (sentence.start, sentence.end), count, max(room - before, 1))
        for part, tokens in parts:
            yield _Run((Sentence(sentence.paragraph, *part),), before + tokens, leads)


def _leads(
    article: Article, above: Sequence[int], taken: Mapping[int, int], window: int
) -> tuple[tuple[Sentence, ...], int]:
    """Return the leads above a passage, the innermost that fit, and the tokens that they leave it."""
    leads: list[Sentence] = []
    room = window
    for place in reversed(above):
        if room - taken[place] < window // 2:
            break
        block = article.blocks[place]
        leads.insert(0, Sentence(block.paragraph, block.start, block.end))
        room -= taken[place]
    return tuple(leads), room


def _heading_runs(article: Article, count: CountTokens, window: int, language: str) -> list[_Run]:
    """Return the heading's lines as runs, counting the questions that are encoded before each line."""
    runs: list[_Run] = []
    start = 0
    for line in article.heading.split("\n"):
        span = trim(article.heading, start, start + len(line))
        start += len(line) + 1
        if span[0] < span[1]:
            lead, own = count([heading_line_text(article, span[0], "", language), line])
            room = max(window - lead, _SMALLEST_WINDOW)
            taken = _tokens_taken(own, span[1] - span[0])
            parts = [(span, taken)] if taken <= room else list(_cut(article.heading, span, count, room))
            runs += [_Run((Sentence(HEADING, *part),), tokens + lead) for part, tokens in parts]
    return _fill(runs, window)


def _tokens_taken(tokens: int, length: int) -> int:
    return max(tokens, 1 + length // _CHARACTERS_A_TOKEN)


def _cut(text: str, span: Span, count: CountTokens, window: int) -> Iterator[tuple[Span, int]]:
    """Cut a span into parts within the window: by length first, then in halves while one is too long."""
    waiting = list(_chunks(text, span, 4 * window))[::-1]
    while waiting:
        part = waiting.pop()
        (tokens,) = count([plain(text[part[0] : part[1]])])
        taken = _tokens_taken(tokens, part[1] - part[0])
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
        part = trim(text, start, stop)
        if part[0] < part[1]:
            yield part
        start = stop


def _fill(runs: Sequence[_Run], window: int) -> list[_Run]:
    """Gather sentences into as few runs as fit the window, in order."""
    filled: list[_Run] = []
    for run in runs:
        if filled and filled[-1].takes(run, window):
            filled[-1] += run
        else:
            filled.append(run)
    return filled


def _merge_short(runs: list[_Run], window: int) -> list[_Run]:
    """Merge a very short run into the one after it, or into the one before where none follows."""
    merged: list[_Run] = []
    for run in runs:
        if merged and merged[-1].tokens < _SHORT_TOKENS and merged[-1].takes(run, window):
            merged[-1] += run
        else:
            merged.append(run)
    if len(merged) > 1:
        before, last = merged[-2:]
        if last.tokens < _SHORT_TOKENS and before.takes(last, window):
            merged[-2:] = [before + last]
    return merged
