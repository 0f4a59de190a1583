"""Answers as embeds, within Discord's limits whatever the articles hold.

The budgets below are fixed shares, so that an embed stays under its limits without measuring the whole:
a description of 4,096, a field of 1,024, and 6,000 over everything, in UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import discord

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.chat.quote_reference import Span
from bot.chat.words import Words
from bot.discordapp.escape import around, blockquote, fit, unblockquote
from bot.discordapp.links import address, link, sentence_address
from bot.service.catalogue import ArticleLine
from index.articles.article import Article

__all__ = [
    "Source",
    "answer_embed",
    "article_line",
    "asked_line",
    "context_embed",
    "percent",
    "question_asked",
    "quotes_shown",
    "source_citation",
    "source_embed",
]

_COLOURS = {Verdict.ANSWERED: 0x2E7D32, Verdict.RELATED: 0xB26A00, Verdict.NOT_FOUND: 0x607D8B}
_SOURCE_COLOUR = 0x546E7A

_NEAR = {Verdict.RELATED: 3, Verdict.NOT_FOUND: 2}
"""How many passages are shown where none is an answer."""
_QUOTE_ROOM, _NEAR_ROOM, _PARAGRAPH_ROOM, _BESIDE_ROOM = 2400, 600, 2400, 600
_AUTHOR_ROOM, _PUBLISHER_ROOM = 60, 70
_NOTE_ROOM = 300
_QUESTION_ROOM = 1900


@dataclass(frozen=True, slots=True)
class Source:
    """A quote that a button leads to: its article, and its place there."""

    article: Article
    span: Span

    @property
    def paragraph(self) -> int:
        """The number of the paragraph in which the quote begins; 0 for the heading."""
        if self.span.in_heading:
            return 0
        return self.article.paragraph_at(self.span.start)


def asked_line(question: str) -> str:
    """Return a question as the content above its answer, where people cannot see it otherwise."""
    return blockquote(question, _QUESTION_ROOM)


def question_asked(content: str) -> str | None:
    """Undo `asked_line`; None for any other content."""
    return unblockquote(content) if content.startswith("> ") else None


def answer_embed(answer: Answer, words: Words, *, only_in: str = "") -> discord.Embed:
    """Return the embed of an answer; `only_in` is the title of the article that was asked, if one was."""
    verdict, quotes = answer.verdict, quotes_shown(answer)
    blocks = [words("only_in", title=fit(only_in, _NOTE_ROOM))] if only_in else []
    read_only = answer.read_only
    blocks += [words("read_only", count=f"{read_only:,}")] if read_only else []
    blocks += [words("read_together", subject=fit(answer.read_as, _NOTE_ROOM))] if answer.read_as else []
    if verdict is Verdict.ANSWERED and quotes:
        blocks += [_quoted(answer, one, words) for one in quotes]
    else:
        blocks.append(words(f"nearest_{verdict}" if quotes else "nothing_near"))
        blocks += [_near(answer, one, words) for one in quotes]
    embed = discord.Embed(
        title=words(str(verdict)), description="\n\n".join(blocks), colour=_COLOURS[verdict]
    )
    for quote in quotes:
        name = words("citation", number=quote.citation)
        embed.add_field(name=name, value=_cited(answer, quote, words), inline=False)
    embed.set_footer(text=words(f"sure_{verdict}", share=percent(answer.confidence)))
    return embed


def quotes_shown(answer: Answer) -> tuple[Quote, ...]:
    """Return the quotes that an answer's message shows: the first, or those of the passages that are near."""
    if answer.verdict is Verdict.ANSWERED:
        return answer.quotes[:1]
    firsts: dict[int, Quote] = {}
    for quote in answer.quotes:
        firsts.setdefault(quote.citation, quote)
    return tuple(firsts.values())[: _NEAR[answer.verdict]]


def _quoted(answer: Answer, quote: Quote, words: Words) -> str:
    text = blockquote(quote.text, _QUOTE_ROOM, quote.highlight_in_text)
    return f"{text}\n{_at(answer, quote, words)}"


def _near(answer: Answer, quote: Quote, words: Words) -> str:
    passage = answer.citation_of(quote).passage
    at = max(passage.find(quote.text), 0)
    text = around(passage, at, at + len(quote.text), _NEAR_ROOM, bold=False)
    return f"{words('passage_near')}\n{text}\n{_at(answer, quote, words)}"


def _at(answer: Answer, quote: Quote, words: Words) -> str:
    number = answer.citation_of(quote).number
    return words("cited_at", number=number, place=_place(quote.paragraph, words))


def _place(paragraph: int, words: Words) -> str:
    return words("paragraph", number=paragraph) if paragraph else words("heading")


def percent(confidence: float) -> str:
    """Return a share as whole percents, rounded down, so that only certainty is 100%."""
    return f"{sum(number / 100 <= confidence for number in range(1, 101))}%"


def _cited(answer: Answer, quote: Quote, words: Words) -> str:
    citation = answer.citation_of(quote)
    url = address(citation.url)
    if answer.reasons is not None:
        article = answer.reasons.cited[quote.citation - 1].article
        url = sentence_address(article, quote.start, quote.end, in_heading=quote.paragraph == 0)
    return _citation(citation, url, _place(citation.paragraph, words), words)


def _citation(about: Citation | Article, url: str | None, place: str, words: Words) -> str:
    """Return title, author and publisher, and the place, a line each."""
    by = ", ".join(
        fit(one, room)
        for one, room in ((about.author, _AUTHOR_ROOM), (about.publisher, _PUBLISHER_ROOM))
        if one.strip()
    )
    name = about.article if isinstance(about, Citation) else about.id
    title = _one_line(about.title) or _one_line(name) or words("untitled")
    lines = [link(title, url, words("open_link")), _one_line(by), place]
    return "\n".join(line for line in lines if line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def source_citation(source: Source, words: Words) -> str:
    """Return a source's citation, with a link to its place."""
    span = source.span
    url = sentence_address(source.article, span.start, span.end, in_heading=span.in_heading)
    return _citation(source.article, url, _place(source.paragraph, words), words)


def source_embed(source: Source, words: Words, number: int, count: int) -> discord.Embed:
    """Return one further source of an answer."""
    span = source.span
    text = span.source(source.article)[span.start : span.end]
    embed = discord.Embed(
        title=words("source_title", number=number, count=count),
        description=blockquote(text, _QUOTE_ROOM),
        colour=_SOURCE_COLOUR,
    )
    embed.add_field(name=words("citation", number=number), value=source_citation(source, words), inline=False)
    return embed


def context_embed(source: Source, words: Words) -> discord.Embed:
    """Return a quote inside its paragraph, in bold, with the paragraphs before and after it."""
    embed = discord.Embed(
        title=words("context_title"), description="\n\n".join(_context(source)), colour=_SOURCE_COLOUR
    )
    embed.add_field(name=words("cited"), value=source_citation(source, words), inline=False)
    return embed


def _context(source: Source) -> Iterator[str]:
    """Yield the paragraph before a quote, what it stands in, and the paragraph after, as block quotes."""
    span, article = source.span, source.article
    paragraphs = article.paragraphs
    if span.in_heading:
        yield around(article.heading, span.start, span.end, _PARAGRAPH_ROOM)
        after = paragraphs
    else:
        before = [one for one in paragraphs if one.end < span.start]
        after = tuple(one for one in paragraphs if one.start >= span.end)
        if before:
            text = article.text[before[-1].start : before[-1].end]
            yield around(text, len(text), len(text), _BESIDE_ROOM)  # that is, its end
        within = paragraphs[len(before) : len(paragraphs) - len(after)]
        start = within[0].start
        text = article.text[start : within[-1].end]
        yield around(text, span.start - start, span.end - start, _PARAGRAPH_ROOM)
    if after:
        yield blockquote(article.text[after[0].start : after[0].end], _BESIDE_ROOM)


def article_line(line: ArticleLine) -> str:
    """Return an article of a list: title, author, and how many paragraphs it has."""
    parts = (_one_line(line.label), _one_line(line.author), f"{line.paragraphs:,} ¶")
    return " · ".join(part for part in parts if part)
