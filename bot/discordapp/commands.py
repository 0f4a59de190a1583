"""The commands for anyone: /ask, "Answer this" on a message, and the tree that they all are on."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands

from bot.discordapp.admin import IndexCommands
from bot.discordapp.checks import check_menu, verify_command
from bot.discordapp.escape import ELLIPSIS, printable, units
from bot.discordapp.gaps import GapCommands
from bot.discordapp.installs import ANY_INSTALL, ANYWHERE
from bot.discordapp.notices import said
from bot.discordapp.origins import without_mention
from bot.discordapp.privacy import PrivacyCommands
from bot.discordapp.replies import answer_interaction
from bot.discordapp.serversettings import SettingsCommands
from bot.discordapp.talk import apologise, private_reply, surface_of, where_of
from index.errors import BusyError, DamagedIndexError

__all__ = ["QUESTION_LENGTH", "Tree", "add_commands"]

QUESTION_LENGTH = 1000
_CHOICES, _CHOICE_LENGTH = 25, 100

_log = logging.getLogger(__name__)


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, with one place that answers for whatever goes wrong in them."""

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the user privately; a handler that failed is logged."""
        if interaction.type is discord.InteractionType.autocomplete:
            _log.error("The choices of a command could not be given.", exc_info=error)
            return
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            words = (await where_of(surface_of(interaction), interaction)).words
            await private_reply(interaction, said(words, "command_changed"))
            return
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await apologise(interaction, cause)


def add_commands(tree: Tree) -> None:
    """Put every command on the tree."""
    for command in (
        _ask_command(),
        _answer_menu(),
        verify_command(),
        check_menu(),
        IndexCommands(),
        SettingsCommands(),
        GapCommands(),
        PrivacyCommands(),
    ):
        tree.add_command(command)


def _ask_command() -> app_commands.Command[Any, ..., None]:
    async def titles(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        try:
            found = (await surface_of(interaction).service.catalogue()).suggest(typed, _CHOICES)
        except (
            BusyError,
            DamagedIndexError,
        ):  # nothing can be said here, and what is typed is looked up all the same
            return []
        return [app_commands.Choice(name=_choice(one.label), value=one.key) for one in found]

    @app_commands.describe(
        question="What you want to know",
        article="Ask only this article",
        private="Whether only you see the answer",
    )
    @app_commands.autocomplete(article=titles)
    async def ask(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, QUESTION_LENGTH],
        article: str | None = None,
        private: bool | None = None,
    ) -> None:
        await answer_interaction(
            surface_of(interaction), interaction, question, way="slash", article=article, private=private
        )

    return app_commands.Command(
        name="ask",
        description="Ask the articles a question",
        callback=ask,
        allowed_contexts=ANYWHERE,
        allowed_installs=ANY_INSTALL,
    )


def _choice(label: str) -> str:
    """Return a label as a line that is no longer than a choice may be."""
    line = " ".join(printable(label).split())
    if units(line) <= _CHOICE_LENGTH:
        return line
    cut = line[: _CHOICE_LENGTH - 1]
    while units(cut) >= _CHOICE_LENGTH:
        cut = cut[:-1]
    return f"{cut.rstrip()}{ELLIPSIS}"


def _answer_menu() -> app_commands.ContextMenu:
    async def answer_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        me = interaction.client.user
        text = without_mention(message.content, me.id) if me else message.content
        question = text[:QUESTION_LENGTH]
        await answer_interaction(surface_of(interaction), interaction, question, way="menu")

    return app_commands.ContextMenu(
        name="Answer this",
        callback=answer_this,
        allowed_contexts=ANYWHERE,
        allowed_installs=ANY_INSTALL,
    )
