"""/index: what is answered from, the rebuild, and going back."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.chat.words import Words
from bot.discordapp.escape import fit
from bot.discordapp.history import history_embed, roll_back, suggest_generations
from bot.discordapp.installs import MANAGERS, SERVER_INSTALL, SERVERS_AND_DIRECT
from bot.discordapp.notices import notice, said, status_embed
from bot.discordapp.permissions import asker_of, may_manage_index
from bot.discordapp.rebuilding import rebuild_by_command
from bot.discordapp.render import article_line
from bot.discordapp.replies import refuse
from bot.discordapp.talk import surface_of, where_of
from bot.service.catalogue import ArticleLine

__all__ = ["IndexCommands"]

_PAGE = 20
_LINE_ROOM = 180
_DAMAGE_ROOM = 2000


class IndexCommands(app_commands.Group):
    """The /index commands."""

    def __init__(self) -> None:
        super().__init__(
            name="index",
            description="See or rebuild what Footnote answers from",
            allowed_contexts=SERVERS_AND_DIRECT,
            allowed_installs=SERVER_INSTALL,
            default_permissions=MANAGERS,
        )

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse those who may not, and everybody while stopping."""
        surface = surface_of(interaction)
        words = (await where_of(surface, interaction)).words
        if not may_manage_index(asker_of(interaction), surface.settings, surface.owners()):
            refusal = notice(words("may_not"), words("may_not_index"))
        elif surface.work.stopping:
            refusal = said(words, "stopping")
        else:
            return True
        with surface.work.answer():
            await refuse(interaction, refusal)
        return False

    @app_commands.command(name="status", description="Show which index is being served")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show the status."""
        with surface_of(interaction).work.answer():
            await interaction.response.defer(thinking=True)
            service = surface_of(interaction).service
            lines, withheld = (await service.status()).lines(), service.stats.withheld
            lines += [("withheld", f"{withheld:,} quotes that could not be proven")] if withheld else []
            embed = status_embed("Index", lines)
            if service.damage is not None:
                embed.description = fit(service.damage.told, _DAMAGE_ROOM)
            await interaction.edit_original_response(embed=embed)

    @app_commands.command(name="rebuild", description="Build the index anew from the articles")
    @app_commands.describe(force="Build it also where there are far fewer articles than before")
    async def rebuild(self, interaction: discord.Interaction, force: bool = False) -> None:
        """Rebuild, showing how far it is."""
        surface = surface_of(interaction)
        with surface.work.other():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True)
            await rebuild_by_command(interaction, surface.service, words, surface.metrics, force=force)

    @app_commands.command(name="history", description="List the generations of the index that are kept")
    async def history(self, interaction: discord.Interaction) -> None:
        """List the generations."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            lines = await surface.service.history()
            await interaction.edit_original_response(embed=history_embed(lines, words))

    @app_commands.command(name="rollback", description="Answer from another generation of the index")
    @app_commands.describe(generation="Which one; without it, the one before")
    @app_commands.autocomplete(generation=suggest_generations)
    async def rollback(
        self, interaction: discord.Interaction, generation: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Go back to a generation that is kept."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True)
            embed = await roll_back(surface, words, generation)
            await interaction.edit_original_response(embed=embed)

    @app_commands.command(name="articles", description="List the articles that are answered from")
    @app_commands.describe(page="Which page of the list")
    async def articles(
        self, interaction: discord.Interaction, page: app_commands.Range[int, 1, 100_000] = 1
    ) -> None:
        """List the articles."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            lines = list(await surface.service.catalogue())
            await interaction.edit_original_response(embed=_list_of(lines, page, words))


def _list_of(lines: list[ArticleLine], page: int, words: Words) -> discord.Embed:
    if not lines:
        return notice(words("articles_title"), words("articles_none"))
    pages = -(-len(lines) // _PAGE)
    if page > pages:
        return notice(words("articles_title"), words("no_page", pages=pages))
    first = (page - 1) * _PAGE
    shown = [
        f"{number}\\. {fit(article_line(one), _LINE_ROOM)}"
        for number, one in enumerate(lines[first : first + _PAGE], first + 1)
    ]
    embed = notice(words("articles_title"), "\n".join(shown))
    embed.set_footer(text=words("articles_page", page=page, pages=pages, count=f"{len(lines):,}"))
    return embed
