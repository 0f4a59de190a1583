"""/index history and /index rollback: the generations that are kept, and going back to one of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.chat.words import Words
from bot.discordapp.escape import fit, shorten
from bot.discordapp.lists import listed
from bot.discordapp.notices import failed_embed, notice, said
from bot.discordapp.permissions import asker_of, may_manage_index
from bot.discordapp.talk import Surface, surface_of
from bot.errors import NotServedError
from index.errors import FootnoteError

if TYPE_CHECKING:
    from index.storage.generations import GenerationLine

__all__ = ["history_embed", "roll_back", "suggest_generations"]

_CHOICES, _CHOICE_LENGTH = 25, 100
_LIST_ROOM = 3900

_log = logging.getLogger(__name__)


def history_embed(lines: Sequence[GenerationLine], words: Words) -> discord.Embed:
    """Return the generations as a list, the newest first."""
    blocks = [
        words(
            "history_line",
            generation=fit(one.generation, 100),
            state=words(f"state_{one.state}"),
            when=one.when or "?",
            articles=f"{one.articles:,}",
            size=f"{one.bytes / 1e6:,.1f}",
        )
        for one in lines
    ]
    more = listed(blocks, _LIST_ROOM, lambda count: words("history_more", count=count))
    return notice(words("history_title"), more)


async def suggest_generations(
    interaction: discord.Interaction[Any], typed: str
) -> list[app_commands.Choice[str]]:
    """Return the generations that can be gone back to and have what is typed in their name."""
    surface = surface_of(interaction)
    if not may_manage_index(asker_of(interaction), surface.settings, surface.owners()):
        return []
    try:
        lines = await surface.service.history()
    except (FootnoteError, OSError):  # nothing can be said here; the command itself will say it
        return []
    found = [one for one in lines if one.state == "kept" and typed.strip().lower() in one.generation]
    return [app_commands.Choice(name=_choice(one), value=one.generation) for one in found[:_CHOICES]]


def _choice(line: GenerationLine) -> str:
    return shorten(f"{line.generation} ({line.when}, articles: {line.articles:,})", _CHOICE_LENGTH)


async def roll_back(surface: Surface, words: Words, generation: str | None) -> discord.Embed:
    """Go back to a generation that is kept; return what came of it."""
    try:
        chosen = await surface.service.roll_back(generation)
    except NotServedError as error:
        _log.warning("A generation that was gone back to in chat is not served: %s", error)
        return failed_embed(words("rebuild_not_served"), error)
    except FootnoteError as error:
        _log.warning("Going back to another generation, asked for in chat, failed: %s", error)
        return failed_embed(words("rollback_failed"), error)
    _log.info("Answers come from generation %s again: somebody asked for it in chat.", chosen)
    return said(words, "rollback_done", generation=fit(chosen, 100))
