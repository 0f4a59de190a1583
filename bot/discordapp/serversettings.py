"""/settings: what a server's managers set for it and its channels."""

from __future__ import annotations

from typing import Any, Literal

import discord
from discord import app_commands

from bot.discordapp.escape import fit
from bot.discordapp.installs import IN_SERVERS, MANAGERS, SERVER_INSTALL
from bot.discordapp.notices import notice, said
from bot.discordapp.permissions import asker_of, may_manage_server
from bot.discordapp.replies import refuse
from bot.discordapp.talk import Surface, surface_of, where_of
from bot.discordapp.words import AUTO, Words, languages
from bot.records import AnswersTo

__all__ = ["SettingsCommands", "manages_here"]

_Channel = discord.TextChannel | discord.ForumChannel | discord.Thread | discord.VoiceChannel
_AnswersChoice = Literal["mentions", "questions", "never", "inherit"]
_PrivateChoice = Literal["yes", "no", "inherit"]
_ROWS = 40
_TEXT_ROOM = 3600


async def manages_here(surface: Surface, interaction: discord.Interaction[Any]) -> bool:
    """Say whether somebody may see and change what is a server's own; who may not is told so.

    A server that the bot is no member of has nothing of its own.
    """
    words = (await where_of(surface, interaction)).words
    if interaction.guild_id is None or not interaction.is_guild_integration():
        refusal = said(words, "only_in_server")
    elif not may_manage_server(asker_of(interaction), surface.settings, surface.owners()):
        refusal = notice(words("may_not"), words("may_not_server"))
    elif surface.work.stopping:
        refusal = said(words, "stopping")
    else:
        return True
    with surface.work.answer():
        await refuse(interaction, refusal)
    return False


class SettingsCommands(app_commands.Group):
    """The /settings commands; each answers with what is then set."""

    def __init__(self) -> None:
        super().__init__(
            name="settings",
            description="Set how Footnote answers in this server",
            allowed_contexts=IN_SERVERS,
            allowed_installs=SERVER_INSTALL,
            default_permissions=MANAGERS,
            guild_only=True,
        )

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse those who may not."""
        return await manages_here(surface_of(interaction), interaction)

    @app_commands.command(name="show", description="Show what is set in this server")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what is set."""
        await self._show(interaction)

    @app_commands.command(name="answers", description="Set what Footnote answers, here or in a channel")
    @app_commands.describe(
        to="Mentions and commands, every question, or nothing", channel="Only in this channel or forum"
    )
    async def answers(
        self, interaction: discord.Interaction, to: _AnswersChoice, channel: _Channel | None = None
    ) -> None:
        """Set what is answered."""
        value = None if to == "inherit" else AnswersTo(to)
        await self._change(interaction, channel, answers=value)

    @app_commands.command(name="private", description="Set whether only the asker sees answers to commands")
    @app_commands.describe(private="Only the asker sees it", channel="Only in this channel or forum")
    async def private(
        self, interaction: discord.Interaction, private: _PrivateChoice, channel: _Channel | None = None
    ) -> None:
        """Set who sees answers."""
        value = None if private == "inherit" else private == "yes"
        await self._change(interaction, channel, private=value)

    @app_commands.command(name="language", description="Set the language of Footnote's own words")
    @app_commands.describe(language="Auto is as Discord is set", channel="Only in this channel or forum")
    @app_commands.choices(
        language=[app_commands.Choice(name=one, value=one) for one in (AUTO, *languages(), "inherit")]
    )
    async def language(
        self, interaction: discord.Interaction, language: str, channel: _Channel | None = None
    ) -> None:
        """Set the language."""
        await self._change(interaction, channel, language=None if language == "inherit" else language)

    @app_commands.command(name="helpers", description="Name who is told of questions without an answer")
    @app_commands.describe(role="The role to ping", channel="Where questions are passed on")
    async def helpers(
        self,
        interaction: discord.Interaction,
        role: discord.Role | None = None,
        channel: discord.TextChannel | discord.Thread | None = None,
    ) -> None:
        """Name the helpers; without any, there are none."""
        named = {"helper_role": role.id if role else None, "helper_channel": channel.id if channel else None}
        await self._change(interaction, None, **named)

    @app_commands.command(name="gaps", description="Set whether a channel is told of questions now answered")
    @app_commands.describe(tell="Tell the channel that a question was asked in")
    async def gaps(self, interaction: discord.Interaction, tell: bool) -> None:
        """Set whether channels are told."""
        await self._change(interaction, None, tell_gaps=tell)

    async def _change(
        self, interaction: discord.Interaction, channel: _Channel | None, **values: object
    ) -> None:
        with surface_of(interaction).work.answer():
            where = channel.id if channel is not None else None
            server = interaction.guild_id or 0  # the check above saw to it that there is one
            await surface_of(interaction).records.change(server, where, **values)
            await self._show(interaction, changed=True)

    async def _show(self, interaction: discord.Interaction, *, changed: bool = False) -> None:
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            rows = await surface.records.overview(interaction.guild_id or 0)
            blocks, server_wide = [], words("settings_server")
            for channel, values in rows[:_ROWS]:
                title = words("settings_channel", channel=f"<#{channel}>") if channel else server_wide
                lines = [_line(key, value, words) for key, value in values.items()]
                blocks += [f"**{title}**", *lines] if lines else []
            text = "\n".join(blocks) or words("settings_default")
            asks_all = any(values.get("answers") is AnswersTo.QUESTIONS for _, values in rows)
            if asks_all and not surface.settings.discord_message_content:
                text = f"{text[:_TEXT_ROOM]}\n\n{words('needs_content')}"
            title = words("settings_changed" if changed else "settings_title")
            await refuse(interaction, notice(title, text[:_TEXT_ROOM]))


def _line(key: str, value: object, words: Words) -> str:
    return words(f"setting_{key}", value=_value(key, value, words))


def _value(key: str, value: object, words: Words) -> str:
    if key == "answers":
        return words(f"answers_{value}")
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if key == "helper_role":
        return f"<@&{value}>"
    if key == "helper_channel":
        return f"<#{value}>"
    return words("language_auto") if value == AUTO else fit(str(value), 20)
