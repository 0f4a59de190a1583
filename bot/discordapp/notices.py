"""Notices, progress and status as embeds: whatever is not an answer."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from bot.chat.words import Words
from bot.discordapp.escape import fit
from index.build import BuildReport
from index.progress import Progress

__all__ = ["failed_embed", "notice", "progress_embed", "rebuilt_embed", "said", "status_embed"]

_NOTICE_COLOUR, _FAULT_COLOUR = 0x3F51B5, 0xC62828
_TEXT_ROOM = 3500


def notice(title: str, text: str = "", *, fault: bool = False) -> discord.Embed:
    """Return an embed of the bot's own words; `text` may hold escaped parts."""
    return discord.Embed(
        title=title, description=text or None, colour=_FAULT_COLOUR if fault else _NOTICE_COLOUR
    )


def said(words: Words, key: str, *, fault: bool = False, **values: object) -> discord.Embed:
    """Return the notice whose title is the text `key` and whose text is `key`_text."""
    return notice(words(key), words(f"{key}_text", **values), fault=fault)


def progress_embed(words: Words, step: Progress | None) -> discord.Embed:
    """Return what a rebuild under way shows."""
    if step is None:
        return notice(words("rebuilding"), words("rebuild_starting"))
    of = f" of {step.total:,}" if step.total else ""
    return notice(words("rebuilding"), f"{fit(step.stage, 100).capitalize()}: {step.done:,}{of}.")


def rebuilt_embed(words: Words, report: BuildReport) -> discord.Embed:
    """Return what a rebuild that went well shows."""
    embed = notice(words("rebuild_done"), fit(report.summary(), _TEXT_ROOM))
    embed.add_field(name="Articles", value=f"{report.articles:,}")
    embed.add_field(name="Passages", value=f"{report.passages:,}")
    embed.add_field(name="Reused", value=f"{report.reused:,}")
    embed.add_field(name="Generation", value=fit(report.generation, 200) or "none")
    return embed


def failed_embed(title: str, error: BaseException) -> discord.Embed:
    """Return what a rebuild that failed shows: what became of it, and why."""
    return notice(title, fit(str(error), _TEXT_ROOM) or "No reason was given.", fault=True)


def status_embed(title: str, lines: Iterable[tuple[str, str]]) -> discord.Embed:
    """Return the status as label and value pairs."""
    embed = notice(title)
    for label, value in list(lines)[:20]:
        embed.add_field(name=fit(label, 40) or "-", value=fit(value, 200) or "-")
    return embed
