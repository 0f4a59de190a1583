"""/privacy: what Footnote keeps of the person who asks, and its deletion."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands

from bot.chat.words import Words
from bot.discordapp.escape import fit
from bot.discordapp.installs import ANY_INSTALL, ANYWHERE
from bot.discordapp.lists import listed
from bot.discordapp.notices import notice
from bot.discordapp.talk import surface_of, where_of
from bot.records.people import Feedback

__all__ = ["PrivacyCommands"]

_SHOWN = 15
_LINE_ROOM, _ROOM = 100, 1000


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
            about = words("privacy_text", days=surface.settings.record_days)
            off = "" if surface.settings.recording else words("gaps_off")
            embed = notice(words("privacy_title"), "\n\n".join(filter(None, [about, off])))
            questions = [one.question for one in kept.questions]
            said = [_said(one, words) for one in kept.feedback]
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


def _said(feedback: Feedback, words: Words) -> str:
    """Return what somebody said of an answer, the question that it answered, and the reason."""
    vote = words("button_helpful") if feedback.helpful else words("button_not_helpful")
    return ": ".join(one for one in (vote, feedback.question, feedback.reason) if one.strip())


def _list_of(lines: Sequence[str], words: Words) -> str:
    shown = [f"- {fit(' '.join(line.split()), _LINE_ROOM)}" for line in lines[:_SHOWN]]
    beyond = len(lines) - len(shown)
    text = listed(shown, _ROOM, lambda count: words("privacy_more", count=count), beyond=beyond)
    return text or words("privacy_nothing")
