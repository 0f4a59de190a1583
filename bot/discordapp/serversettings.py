"""/settings: what a server's managers set for it and its channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import discord
from discord import AppCommandOptionType, ChannelType, app_commands

from bot.chat.words import AUTO, Words, languages
from bot.discordapp.escape import fit
from bot.discordapp.installs import IN_SERVERS, MANAGERS, SERVER_INSTALL
from bot.discordapp.lists import listed
from bot.discordapp.notices import notice, said
from bot.discordapp.permissions import asker_of, may_manage_server
from bot.discordapp.replies import refuse
from bot.discordapp.talk import Surface, surface_of, where_of
from bot.records.settings import AnswersTo

__all__ = ["SettingsCommands", "manages_here"]

_TEXT_ROOM = 3600

_THREADS = (ChannelType.public_thread, ChannelType.private_thread, ChannelType.news_thread)
_WRITTEN_IN = (ChannelType.text, ChannelType.news, ChannelType.voice, *_THREADS)
_ANSWERED_IN = (*_WRITTEN_IN, ChannelType.forum, ChannelType.media)


class _Place(app_commands.Transformer):
    """An option for a channel or thread of some kinds, as Discord sent it.

    discord.py's own takes none that it has not cached, such as a thread that was archived.
    """

    def __init__(self, *kinds: ChannelType) -> None:
        self._kinds = list(kinds)

    @property
    def type(self) -> AppCommandOptionType:
        return AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[ChannelType]:
        return self._kinds

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> Any:
        return value


_Chosen = app_commands.AppCommandChannel | app_commands.AppCommandThread
_Channel = app_commands.Transform[_Chosen, _Place(*_ANSWERED_IN)]
_HelpersChannel = app_commands.Transform[_Chosen, _Place(*_WRITTEN_IN)]
_AnswersChoice = Literal["mentions", "questions", "never", "inherit"]
_PrivateChoice = Literal["yes", "no", "inherit"]


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
        """Refuse those who may not, and channels of other kinds."""
        surface = surface_of(interaction)
        if not await manages_here(surface, interaction):
            return False
        if not _misplaced(interaction):
            return True
        with surface.work.answer():
            await refuse(interaction, said((await where_of(surface, interaction)).words, "not_there"))
        return False

    @app_commands.command(name="show", description="Show what is set in this server")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what is set."""
        with surface_of(interaction).work.answer():
            await interaction.response.defer(thinking=True, ephemeral=True)
            await _show(interaction, changed=False)

    @app_commands.command(name="answers", description="Set what Footnote answers, here or in a channel")
    @app_commands.describe(
        to="Mentions and commands, every question, or nothing", channel="Only in this channel or forum"
    )
    async def answers(
        self, interaction: discord.Interaction, to: _AnswersChoice, channel: _Channel | None = None
    ) -> None:
        """Set what is answered."""
        value = None if to == "inherit" else AnswersTo(to)
        await _change(interaction, channel, answers=value)

    @app_commands.command(name="private", description="Set whether only the asker sees answers to commands")
    @app_commands.describe(private="Only the asker sees it", channel="Only in this channel or forum")
    async def private(
        self, interaction: discord.Interaction, private: _PrivateChoice, channel: _Channel | None = None
    ) -> None:
        """Set who sees answers."""
        value = None if private == "inherit" else private == "yes"
        await _change(interaction, channel, private=value)

    @app_commands.command(name="language", description="Set the language of Footnote's own words")
    @app_commands.describe(language="Auto is as Discord is set", channel="Only in this channel or forum")
    @app_commands.choices(
        language=[app_commands.Choice(name=one, value=one) for one in (AUTO, *languages(), "inherit")]
    )
    async def language(
        self, interaction: discord.Interaction, language: str, channel: _Channel | None = None
    ) -> None:
        """Set the language."""
        await _change(interaction, channel, language=None if language == "inherit" else language)

    @app_commands.command(name="helpers", description="Name who is told of questions without an answer")
    @app_commands.describe(
        role="The role to ping; with neither role nor channel, nobody is told",
        channel="Where questions are passed on",
    )
    async def helpers(
        self,
        interaction: discord.Interaction,
        role: discord.Role | None = None,
        channel: _HelpersChannel | None = None,
    ) -> None:
        """Name the helpers; without any, there are none."""
        named = {"helper_role": role.id if role else None, "helper_channel": channel.id if channel else None}
        await _change(interaction, None, **named)

    @app_commands.command(name="gaps", description="Set whether a channel is told of questions now answered")
    @app_commands.describe(tell="Tell the channel that a question was asked in")
    async def gaps(self, interaction: discord.Interaction, tell: bool) -> None:
        """Set whether channels are told."""
        await _change(interaction, None, tell_gaps=tell)


def _misplaced(interaction: discord.Interaction[Any]) -> bool:
    """Say whether a channel was chosen of a kind that the command does not take."""
    command, chosen = interaction.command, getattr(interaction.namespace, "channel", None)
    if chosen is None or not isinstance(command, app_commands.Command):
        return False
    option = command.get_parameter("channel")
    return option is not None and chosen.type not in option.channel_types


async def _change(interaction: discord.Interaction, channel: _Chosen | None, **values: object) -> None:
    """Set values in a channel or in the whole server, and show what is then set."""
    surface = surface_of(interaction)
    with surface.work.answer():
        await interaction.response.defer(thinking=True, ephemeral=True)
        server = interaction.guild_id or 0  # the group's check saw to it that there is one
        await surface.records.change(server, channel.id if channel else None, **values)
        await _show(interaction, changed=True)


async def _show(interaction: discord.Interaction, *, changed: bool) -> None:
    """Show what is set, in the place of the deferred response."""
    surface = surface_of(interaction)
    words = (await where_of(surface, interaction)).words
    rows = await surface.records.overview(interaction.guild_id or 0)
    blocks = [_block(channel, values.items(), words) for channel, values in rows]
    text = listed(blocks, _TEXT_ROOM, lambda count: words("settings_more", count=count))
    asks_all = any(values.get("answers") is AnswersTo.QUESTIONS for _, values in rows)
    hint = words("needs_content") if asks_all and not surface.settings.discord_message_content else ""
    text = "\n\n".join(filter(None, [text or words("settings_default"), hint]))
    title = words("settings_changed" if changed else "settings_title")
    await interaction.edit_original_response(embed=notice(title, text))


def _block(channel: int | None, values: Iterable[tuple[str, object]], words: Words) -> str:
    """Return what is set in a channel or in the whole server, with a heading."""
    title = words("settings_channel", channel=f"<#{channel}>") if channel else words("settings_server")
    lines = (words(f"setting_{key}", value=_value(key, value, words)) for key, value in values)
    return "\n".join([f"**{title}**", *lines])


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
