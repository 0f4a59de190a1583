"""Answers, progress and notices as embeds, within Discord's limits whatever the articles hold.

The budgets below are fixed shares, so that an embed stays under its limits without measuring the whole:
a description of 4,096, a field of 1,024, and 6,000 over everything, in UTF-16 units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

import discord

from bot.answers import Answer, Citation, Quote, Verdict
from bot.discordapp.escape import blockquote, fit, units
from index import BuildReport, Progress

__all__ = [
    "answer_embed",
    "failed_embed",
    "link",
    "notice",
    "progress_embed",
    "rebuilt_embed",
    "status_embed",
]

_TITLES = {
    Verdict.ANSWERED: "The articles say",
    Verdict.RELATED: "Close, but maybe not an answer",
    Verdict.NOT_FOUND: "The articles do not seem to say",
}
_SURE = {
    Verdict.ANSWERED: "How sure",
    Verdict.RELATED: "How sure that the first passage answers",
    Verdict.NOT_FOUND: "How sure that any passage answers",
}
_COLOURS = {Verdict.ANSWERED: 0x2E7D32, Verdict.RELATED: 0xB26A00, Verdict.NOT_FOUND: 0x607D8B}
_NOTICE_COLOUR, _FAULT_COLOUR = 0x3F51B5, 0xC62828

_SHOWN = 3
"""How many quotes or passages one answer shows, at most."""
_QUESTION_ROOM, _FIRST_ROOM, _NEXT_ROOM = 300, 1700, 600
_TITLE_ROOM, _AUTHOR_ROOM, _PUBLISHER_ROOM, _URL_ROOM = 250, 70, 80, 320
_TEXT_ROOM = 3500

_UNSAFE_IN_URL = re.compile(r"""[\x00-\x20\x7f()<>"\\^`{|}\[\]\ud800-\udfff]|\s""")
_BREAKS_LABEL = re.compile(r"[\[\]]|://")


def answer_embed(answer: Answer, *, question: str | None = None) -> discord.Embed:
    """Return the embed of an answer; `question` repeats what was asked, where people cannot see it."""
    quotes = () if answer.verdict is Verdict.NOT_FOUND else answer.quotes[:_SHOWN]
    blocks = [f"Question: {fit(question, _QUESTION_ROOM)}"] if question else []
    if answer.verdict is Verdict.ANSWERED and quotes:
        first = quotes[0]
        blocks.append(_block(answer, first, first.text, _FIRST_ROOM, bold=first.highlight_in_text))
        blocks += ["Also close:"] if quotes[1:] else []
        blocks += [_block(answer, quote, quote.text, _NEXT_ROOM) for quote in quotes[1:]]
    elif quotes:
        blocks.append("These passages are the nearest. They may not answer the question.")
        quotes = tuple({quote.citation: quote for quote in reversed(quotes)}.values())[::-1]
        blocks += [_block(answer, one, answer.citation_of(one).passage, _NEXT_ROOM) for one in quotes]
    else:
        blocks.append("No passage answers this question. Other words may find one.")
    embed = discord.Embed(
        title=_TITLES[answer.verdict], description="\n\n".join(blocks), colour=_COLOURS[answer.verdict]
    )
    for citation in _cited(answer, quotes):
        embed.add_field(name=f"Citation {citation.number}", value=_citation_text(citation), inline=False)
    embed.set_footer(text=f"{_SURE[answer.verdict]}: {_percent(answer.confidence)}")
    return embed


def _block(answer: Answer, quote: Quote, text: str, room: int, bold: tuple[int, int] | None = None) -> str:
    number = answer.citation_of(quote).number
    return f"{blockquote(text, room, bold)}\nCitation {number}, {_place(quote.paragraph)}"


def _cited(answer: Answer, quotes: Iterable[Quote]) -> list[Citation]:
    """Return the citations that the quotes need, each once, in the order in which they are needed."""
    needed = {quote.citation: answer.citation_of(quote) for quote in quotes}
    return list(needed.values())


def _place(paragraph: int) -> str:
    return f"paragraph {paragraph}" if paragraph else "heading"


def _percent(confidence: float) -> str:
    """Return a share as whole percents, rounded down, so that only certainty is 100%."""
    return f"{int(min(max(confidence, 0.0), 1.0) * 100)}%" if confidence == confidence else "0%"  # noqa: PLR0124


def _citation_text(citation: Citation) -> str:
    by = ", ".join(
        fit(one, room)
        for one, room in ((citation.author, _AUTHOR_ROOM), (citation.publisher, _PUBLISHER_ROOM))
        if one.strip()
    )
    title = _one_line(citation.title) or _one_line(citation.article) or "Untitled"
    lines = [link(title, citation.url), _one_line(by), _place(citation.paragraph)]
    return "\n".join(line for line in lines if line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def link(title: str, url: str | None) -> str:
    """Return the title, escaped, as a link to `url` where that is a web address.

    Brackets or an address in a label keep Discord from making a link, so the link then stands after it.
    """
    label, address = fit(title, _TITLE_ROOM), _address(url)
    if address is None:
        return label
    if _BREAKS_LABEL.search(title):
        return f"{label} [(open)]({address})"
    return f"[{label}]({address})"


def _address(url: str | None) -> str | None:
    """Return `url` fit to stand in a link, or None where it is no plain web address or too long."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    # Discord knows the scheme in small letters only
    whole = parts.scheme + url.strip()[len(parts.scheme) :]
    clean = _UNSAFE_IN_URL.sub(lambda found: percent_encoded(found[0], safe="", errors="replace"), whole)
    return clean if units(clean) <= _URL_ROOM else None


def notice(title: str, text: str = "", *, fault: bool = False) -> discord.Embed:
    """Return an embed of the bot's own words; `text` may hold escaped parts."""
    return discord.Embed(
        title=title, description=text or None, colour=_FAULT_COLOUR if fault else _NOTICE_COLOUR
    )


def progress_embed(step: Progress | None) -> discord.Embed:
    """Return what a rebuild under way shows."""
    if step is None:
        return notice("Rebuilding the index", "Starting.")
    of = f" of {step.total:,}" if step.total else ""
    return notice("Rebuilding the index", f"{fit(step.stage, 100).capitalize()}: {step.done:,}{of}.")


def rebuilt_embed(report: BuildReport) -> discord.Embed:
    """Return what a rebuild that went well shows."""
    embed = notice("The rebuild is done", fit(report.summary(), _TEXT_ROOM))
    embed.add_field(name="Articles", value=f"{report.articles:,}")
    embed.add_field(name="Passages", value=f"{report.passages:,}")
    embed.add_field(name="Reused", value=f"{report.reused:,}")
    embed.add_field(name="Generation", value=fit(report.generation, 200) or "none")
    return embed


def failed_embed(error: BaseException) -> discord.Embed:
    """Return what a rebuild that failed shows: why, and that nothing changed."""
    why = fit(str(error), _TEXT_ROOM) or "No reason was given."
    return notice("The rebuild failed; the index is as it was", why, fault=True)


def status_embed(lines: Iterable[tuple[str, str]]) -> discord.Embed:
    """Return the status as label and value pairs."""
    embed = notice("Index")
    for label, value in list(lines)[:20]:
        embed.add_field(name=fit(label, 40) or "-", value=fit(value, 200) or "-")
    return embed
