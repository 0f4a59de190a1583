"""The slash commands: /ask for anyone, /index for those who keep the index."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
from discord import app_commands

from bot.discordapp.permissions import WHO_MAY, asker_of, may_manage_index
from bot.discordapp.rebuilding import rebuild_by_command
from bot.discordapp.render import answer_embed, notice, status_embed
from bot.discordapp.talk import HELP, STOPPING, Surface, apologise, private_reply

__all__ = ["QUESTION_LENGTH", "Tree", "add_commands"]

QUESTION_LENGTH = 1000
_UNKNOWN_INTERACTION = 10062

_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
_INSTALLS = app_commands.AppInstallationType(guild=True, user=False)

_log = logging.getLogger(__name__)


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, with one place that answers for whatever goes wrong in them."""

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the user privately; a handler that failed is logged."""
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            text = "Discord still shows an old form of it. Reload Discord, or try again in some minutes."
            await private_reply(interaction, notice("This command has changed", text))
            return
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if isinstance(cause, discord.NotFound) and cause.code == _UNKNOWN_INTERACTION:
            _log.warning("Discord no longer waits for the answer to a command; it came too late.")
            return
        await apologise(interaction, cause)


def add_commands(tree: Tree, surface: Surface) -> None:
    """Put every command on the tree."""
    tree.add_command(_ask_command(surface))
    tree.add_command(_IndexCommands(surface))


def _ask_command(surface: Surface) -> app_commands.Command[Any, ..., None]:
    @app_commands.describe(question="What you want to know")
    async def ask(
        interaction: discord.Interaction, question: app_commands.Range[str, 1, QUESTION_LENGTH]
    ) -> None:
        with surface.work.answer():
            if surface.work.stopping or not question.strip():
                embed = STOPPING if surface.work.stopping else HELP
                await interaction.response.send_message(embed=embed, ephemeral=True)
                return
            await interaction.response.defer(thinking=True)
            try:
                answer = await surface.service.ask(question)
            except asyncio.CancelledError:
                await private_reply(interaction, STOPPING)
                raise
            await interaction.edit_original_response(embed=answer_embed(answer, question=question))

    return app_commands.Command(
        name="ask",
        description="Ask the articles a question",
        callback=ask,
        allowed_contexts=_CONTEXTS,
        allowed_installs=_INSTALLS,
    )


class _IndexCommands(app_commands.Group):
    """The /index commands."""

    def __init__(self, surface: Surface) -> None:
        super().__init__(
            name="index",
            description="See or rebuild what Footnote answers from",
            allowed_contexts=_CONTEXTS,
            allowed_installs=_INSTALLS,
        )
        self._surface = surface

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse those who may not, and everybody while stopping; nothing here waits before it answers."""
        surface = self._surface
        if not may_manage_index(asker_of(interaction), surface.settings, surface.owners()):
            refusal = notice("You may not do that here", WHO_MAY)
        elif surface.work.stopping:
            refusal = STOPPING
        else:
            return True
        with surface.work.answer():
            await interaction.response.send_message(embed=refusal, ephemeral=True)
        return False

    @app_commands.command(name="status", description="Show which index is being served")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show the status."""
        with self._surface.work.answer():
            await interaction.response.defer(thinking=True)
            status = await self._surface.service.status()
            await interaction.edit_original_response(embed=status_embed(status.lines()))

    @app_commands.command(name="rebuild", description="Build the index anew from the articles")
    async def rebuild(self, interaction: discord.Interaction) -> None:
        """Rebuild, showing how far it is."""
        with self._surface.work.other():
            await interaction.response.defer(thinking=True)
            await rebuild_by_command(interaction, self._surface.service)
