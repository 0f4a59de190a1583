"""Answers, sources and notices as embeds, within Discord's limits whatever the articles hold.

Each part has a fixed share of the limits, so that nothing need be measured as a whole: 4,096 UTF-16 units for
a description, 1,024 for a field, 6,000 for an embed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.answering.answer import Verdict, page_url
from bot.answering.followups import Earlier
from bot.chat.answer_text import percent, place_text, quotes_shown, reasons
from bot.chat.conversations import Exchange
from bot.chat.messages import Notice
from bot.chat.quote_links import QuoteReference, article_url, text_fragment_url
from bot.discordapp.context import LOST, key_in, without_mention
from bot.discordapp.inline import web_address
from bot.discordapp.markdown import blockquote, excerpt, link, unquote
from index.articles.marks import Mark, clip

if TYPE_CHECKING:
    from bot.answering.answer import Answer, Citation, Quote
    from bot.chat.asking import Assistant, Place
    from bot.chat.messages import Messages
    from index.articles.article import Article

__all__ = [
    "Source",
    "answer_embed",
    "asked_line",
    "context_embed",
    "exchange_of",
    "find_source",
    "source_citation",
    "source_embed",
    "why_notice",
]

_COLOURS = {Verdict.ANSWERED: 0x2E7D32, Verdict.RELATED: 0xB26A00, Verdict.NOT_FOUND: 0x607D8B}
_SOURCE_COLOUR = 0x546E7A

_QUOTE_ROOM, _PASSAGE_ROOM, _NEIGHBOUR_ROOM = 2400, 600, 600
_NOTE_ROOM, _QUESTION_ROOM, _PART_ROOM, _WORD_ROOM = 300, 1900, 150, 60
_AUTHOR_ROOM, _PUBLISHER_ROOM, _FRAGMENT_URL_ROOM = 60, 70, 600
_MAX_ALSO, _ALSO_ROOM = 2, 100  # other addresses of the same text
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A quote and the article that it stands in; `pages` as `Assistant.pages` returns it."""

    article: Article
    span: QuoteReference
    pages: tuple[str, str, str] = ("", "", "")


def asked_line(question: str) -> str:
    """Return a question as the content above its answer, where people cannot see it otherwise."""
    return blockquote(question, _QUESTION_ROOM)


async def exchange_of(assistant: Assistant, message: discord.Message | None, place: Place) -> Exchange | None:
    """Return what a message of the bot answers: from memory, else from what Discord still has of it.

    `place` has the collection that is asked where no button of the message tells. Without the message-content
    intent Discord gives the text of messages that mention the bot, and of direct messages, which are all that
    the bot answers with a reply.
    """
    if message is None:
        return None
    if (remembered := assistant.conversations.of_message(message.id)) is not None:
        return remembered
    items = (item for row in message.components for item in getattr(row, "children", ()))
    keys = [key_in(item.custom_id) for item in items if getattr(item, "custom_id", None)]
    collection = assistant.collection_of(keys[0], place.collection) if keys else place.collection
    question = await _question_of(message)
    return Exchange(question, None, Earlier(assistant.plain(question)), collection) if question else None


async def _question_of(message: discord.Message) -> str:
    above, _, _ = message.content.partition("\n\n")  # the answer is below, where embeds are not allowed
    if above.startswith("> "):
        return unquote(above)
    return "\n".join([*_post_title(message), *await _replied_to(message)])


def _post_title(message: discord.Message) -> list[str]:
    """Return the title of the forum post that a message answers."""
    channel, reference = message.channel, message.reference
    if not isinstance(channel, discord.Thread) or not isinstance(channel.parent, discord.ForumChannel):
        return []
    return [channel.name] if reference is None or reference.message_id == channel.id else []


async def _replied_to(message: discord.Message) -> list[str]:
    """Return the text that a message replies to, where it can be read."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return []
    original = reference.resolved
    if not isinstance(original, discord.Message) or not original.content:
        try:
            original = await message.channel.fetch_message(reference.message_id)
        except LOST as error:
            _log.info("The question of message %s cannot be read: %s", message.id, error)
            return []
    return list(filter(None, [without_mention(original.content, message.author.id)]))


def answer_embed(answer: Answer, messages: Messages, *, only_in: str = "") -> discord.Embed:
    """Return the embed of an answer; `only_in` is the title of the one article that was asked."""
    verdict, quotes = answer.verdict, quotes_shown(answer)
    blocks = [messages("only_in", title=excerpt(only_in, _NOTE_ROOM))] if only_in else []
    if answer.read_only:
        blocks.append(messages("read_only", count=f"{answer.read_only:,}"))
    if answer.read_as:
        blocks.append(messages("read_together", subject=excerpt(answer.read_as, _NOTE_ROOM)))
    if remark := messages.remark(answer, "`/index articles`"):
        blocks.append(remark)
    if verdict is not Verdict.ANSWERED or not quotes:
        blocks.append(messages(f"nearest_{verdict}" if quotes else "nothing_near"))
    blocks += [_quoted(answer, quote, messages) for quote in quotes]
    embed = discord.Embed(
        title=messages(str(verdict)), description="\n\n".join(blocks), colour=_COLOURS[verdict]
    )
    for quote in quotes:
        name = messages("citation", number=quote.citation)
        embed.add_field(name=name, value=_cited(answer, quote, messages), inline=False)
    embed.set_footer(text=messages(f"sure_{verdict}", share=percent(answer.confidence)))
    return embed


async def find_source(assistant: Assistant, place: Place, span: QuoteReference) -> Source | None:
    """Return a quote's article in the collection of a place, if the quote still stands there."""
    service = assistant.service_of(place.collection)
    line = (await service.catalogue()).by_key(span.key)
    article = await service.article(line.id) if line else None
    is_there = article is not None and span.quote(article) is not None
    return Source(article, span, assistant.pages(place)) if article and is_there else None


def source_embed(source: Source, messages: Messages, number: int, count: int) -> discord.Embed:
    """Return one of an answer's further sources."""
    span, article = source.span, source.article
    shown = _header(article.header_at(span.start)) + _passage(article, span.start, span.end, _QUOTE_ROOM)
    if span.in_heading:
        shown = blockquote(article.heading[span.start : span.end], _QUOTE_ROOM)
    title = messages("source_title", number=number, count=count)
    embed = discord.Embed(title=title, description=shown, colour=_SOURCE_COLOUR)
    cited = source_citation(source, messages)
    return embed.add_field(name=messages("citation", number=number), value=cited, inline=False)


def context_embed(source: Source, messages: Messages) -> discord.Embed:
    """Return a quote in bold inside its paragraph, between the paragraphs before and after."""
    embed = discord.Embed(
        title=messages("context_title"), description="\n\n".join(_context(source)), colour=_SOURCE_COLOUR
    )
    return embed.add_field(name=messages("cited"), value=source_citation(source, messages), inline=False)


def source_citation(source: Source, messages: Messages) -> str:
    """Return a source's citation, with a link that opens at the quote."""
    article, span = source.article, source.span
    place, (base, collection, default) = (span.start, span.end), source.pages
    own = article_url(base, article.id, collection, default, *place, in_heading=span.in_heading)
    url = _quote_address(article, *place, in_heading=span.in_heading) or web_address(own, _FRAGMENT_URL_ROOM)
    paragraph = 0 if span.in_heading else article.paragraph_at(span.start)
    section = () if span.in_heading else article.section_at(span.start)
    page = None if span.in_heading else article.page_at(span.start)
    return _citation(article, article.id, section, url, place_text(paragraph, page, messages), messages)


def why_notice(answer: Answer, messages: Messages) -> Notice:
    """Return why an answer has its verdict: the scores in words."""
    lines = reasons(answer, messages, lambda word: excerpt(word, _WORD_ROOM))
    return Notice(messages("why_title"), "\n".join(lines))


def _quote_address(article: Article, start: int, end: int, *, in_heading: bool) -> str | None:
    """Return the article's address, opened at the page or the words of a quote of its text."""
    page = None if in_heading else article.page_at(start)
    plain = web_address(page_url(article.url, page))
    if plain is None or in_heading or page:
        return plain
    deep = text_fragment_url(plain, article.text[start:end], room=_FRAGMENT_URL_ROOM)
    return web_address(deep, _FRAGMENT_URL_ROOM) or plain


def _quoted(answer: Answer, quote: Quote, messages: Messages) -> str:
    """Return a quote that answers, or one within its passage; and where it is. Above it stands its part."""
    part, citation = answer.part_of(quote), answer.citation_of(quote)
    place = place_text(quote.paragraph, citation.page, messages)
    cited = messages("cited_at", number=citation.number, place=place)
    header, count = _header(quote.header), quote.more_items
    above = f"**{excerpt(part.question, _PART_ROOM)}**\n" if answer.parts else ""
    if part.verdict is Verdict.ANSWERED:
        text = blockquote(quote.text, 3 * _PART_ROOM if above else _QUOTE_ROOM, marks=quote.shown_marks)
        more = messages("more_items" if count > 1 else "more_item", count=count) if count else ""
        return "\n".join(filter(None, (above + header + text, more, cited)))
    at = max(citation.passage.find(quote.text), 0)
    marks = tuple(clip(quote.marks, 0, len(quote.text), at))
    room = 3 * _PART_ROOM if above else _PASSAGE_ROOM
    text = blockquote(citation.passage, room, (at, at + len(quote.text)), marks)
    return f"{above}{messages('passage_near')}\n{header}{text}\n{cited}"


def _header(header: str) -> str:
    """Return the header of a table's rows as a line in small print above them."""
    return f"-# {excerpt(header, _NOTE_ROOM)}\n" if header else ""


def _cited(answer: Answer, quote: Quote, messages: Messages) -> str:
    citation = answer.citation_of(quote)
    url = web_address(citation.url, _FRAGMENT_URL_ROOM)
    if answer.reasons is not None:
        article = answer.reasons.cited[quote.citation - 1].article
        url = _quote_address(article, quote.start, quote.end, in_heading=quote.paragraph == 0) or url
    place = place_text(citation.paragraph, citation.page, messages)
    return _citation(citation, citation.article, citation.section, url, place, messages)


def _citation(  # noqa: PLR0913 - what a citation is made of
    about: Citation | Article,
    identity: str,
    section: Sequence[str],
    url: str | None,
    place: str,
    messages: Messages,
) -> str:
    """Return title and section, author and publisher, and the place, a line each."""
    names = ((about.author, _AUTHOR_ROOM), (about.publisher, _PUBLISHER_ROOM))
    by = ", ".join(excerpt(name, room) for name, room in names if name.strip())
    title = _one_line(about.title) or _one_line(identity) or messages("untitled")
    path = " › ".join([title, *map(_one_line, section[1:])])
    also = filter(None, (web_address(other, _ALSO_ROOM) for other in about.also[:_MAX_ALSO]))
    lines = (link(path, url, messages("open_link")), _one_line(by), place, *also)
    return "\n".join(filter(None, lines))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _context(source: Source) -> Iterator[str]:
    """Yield the end of the paragraph before, the quote's own paragraphs, and the start of the one after."""
    span, article, paragraphs = source.span, source.article, source.article.paragraphs
    before = [part for part in paragraphs if part.end < span.start and not span.in_heading]
    after = [part for part in paragraphs if part.start >= span.end or span.in_heading]
    if before:
        start, end = before[-1].start, before[-1].end
        yield _passage(article, start, end, _NEIGHBOUR_ROOM, (end - start, end - start))
    if span.in_heading:
        bold = Mark("strong", span.start, span.end)
        yield blockquote(article.heading, _QUOTE_ROOM, (span.start, span.end), [bold])
    else:
        own = paragraphs[len(before) : len(paragraphs) - len(after)]
        start = own[0].start
        yield _passage(article, start, own[-1].end, _QUOTE_ROOM, (span.start - start, span.end - start))
    if after:
        yield _passage(article, after[0].start, after[0].end, _NEIGHBOUR_ROOM)


def _passage(article: Article, start: int, end: int, room: int, focus: tuple[int, int] = (0, 0)) -> str:
    """Return a span of an article's text as a block quote, with its marks, and the focus in bold."""
    marks = [Mark("strong", *focus), *article.marks_in(start, end)]
    return blockquote(article.text[start:end], room, focus, marks)
