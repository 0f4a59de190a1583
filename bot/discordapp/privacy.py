"""/privacy: what Footnote keeps of the person who asks, and its deletion."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands

from bot.discordapp.escape import fit
from bot.discordapp.installs import ANY_INSTALL, ANYWHERE
from bot.discordapp.notices import notice
from bot.discordapp.talk import surface_of, where_of
from bot.discordapp.words import Words

__all__ = ["PrivacyCommands"]

_SHOWN = 15
_ROOM = 100


class PrivacyCommands(app_commands.Group):
    """The /privacy commands; for anyone, about themselves."""

    def __init__(self) -> None:
        super().__init__(
            name="privacy",
            description="See or delete what Footnote keeps of you",
            allowed_contexts=ANYWHERE,
            allowed_installs=ANY_INSTALL,
        )

    @app_commands.command(name="show", description="Show what Footnote keeps of you")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show it, to them alone."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            kept = await surface.records.show(interaction.user.id)
            embed = notice(words("privacy_title"), words("privacy_text", days=surface.settings.record_days))
            questions = [one.question for one in kept.questions]
            said = [one.question + (f": {one.reason}" if one.reason else "") for one in kept.feedback]
            for title, lines in (("privacy_questions", questions), ("privacy_feedback", said)):
                embed.add_field(name=words(title), value=_list_of(lines, words), inline=False)
            await interaction.edit_original_response(embed=embed)

    @app_commands.command(name="forget", description="Delete what Footnote keeps of you")
    async def forget(self, interaction: discord.Interaction) -> None:
        """Delete it."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            count = await surface.records.forget(interaction.user.id)
            text = words("privacy_forgotten_text", count=count)
            await interaction.edit_original_response(embed=notice(words("privacy_forgotten"), text))


def _list_of(lines: Sequence[str], words: Words) -> str:
    if not lines:
        return words("privacy_nothing")
    shown = [f"- {fit(' '.join(line.split()), _ROOM)}" for line in lines[:_SHOWN]]
    more = len(lines) - len(shown)
    while len("\n".join(shown)) > 900:
        shown.pop()
        more += 1
    return "\n".join([*shown, *([words("privacy_more", count=more)] if more else [])])
