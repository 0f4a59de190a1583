"""Interactions: who used them and where, what they may do, and what they see when something goes wrong."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import discord
from discord import app_commands

from bot.answering.followups import Earlier
from bot.chat.asking import Assistant, Place
from bot.chat.conversations import Exchange
from bot.chat.messages import AUTO, Notice, messages_in
from bot.discordapp.delivery import LOST, is_ours, private_reply, too_late
from bot.discordapp.embeds import question_asked

__all__ = [
    "Interaction",
    "RefusedError",
    "Surface",
    "anywhere",
    "defer",
    "exchange_of",
    "handling",
    "manages_index",
    "manages_server",
    "owners_of",
    "place_of",
    "without_mention",
]

_TEAM_ROLES = {discord.TeamMemberRole.admin, discord.TeamMemberRole.developer}
_Command = TypeVar("_Command")
_log = logging.getLogger(__name__)


class Surface(discord.AutoShardedClient):
    """The client as handlers use it; `rebuilds` counts the commands that are waiting for a rebuild."""

    assistant: Assistant
    rebuilds = 0


Interaction = discord.Interaction[Surface]


class RefusedError(app_commands.CheckFailure):
    """A request that is not served; the user sees the notice."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.title)
        self.notice = notice


def anywhere(command: _Command) -> _Command:
    """Offer a command everywhere, also to people who installed the bot for themselves."""
    app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(command)
    return app_commands.allowed_installs(guilds=True, users=True)(command)


async def place_of(interaction: Interaction) -> Place:
    """Return where an interaction takes place."""
    return await interaction.client.assistant.place(
        interaction.user.id,
        interaction.guild_id if interaction.is_guild_integration() else None,
        interaction.channel_id or 0,
        parent=getattr(interaction.channel, "parent_id", None),
        locale=str(interaction.locale),
    )


@asynccontextmanager
async def handling(interaction: Interaction) -> AsyncIterator[Place]:
    """Run a handler as an answer that a shutdown waits for; its user learns of every way it can fail."""
    with interaction.client.assistant.tasks.track():
        messages = messages_in(AUTO, str(interaction.locale))
        try:
            place = await place_of(interaction)
            messages = place.messages
            yield place
        except asyncio.CancelledError:
            await private_reply(interaction, messages.notice("stopping"))
            raise
        except RefusedError as refusal:
            await private_reply(interaction, refusal.notice)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user sees an apology and it is logged
            apology = interaction.client.assistant.apology(messages, error, ours=is_ours(error))
            if too_late(error):
                _log.warning("Discord no longer waits for an answer in channel %s.", interaction.channel_id)
            else:
                await private_reply(interaction, apology)


async def defer(interaction: Interaction, *, private: bool = True, thinking: bool = True) -> None:
    """Acknowledge an interaction, and let those of others go first before going on."""
    tasks = interaction.client.assistant.tasks
    with tasks.acknowledging():
        await interaction.response.defer(ephemeral=private, thinking=thinking)
    await tasks.acknowledged()


def owners_of(application: discord.AppInfo | None) -> frozenset[int]:
    """Return the users who own an application: its owner, or the team members who may change it."""
    if application is None:
        return frozenset()
    team = application.team
    if team is None:
        return frozenset({application.owner.id})
    accepted = discord.TeamMembershipState.accepted
    members = {m.id for m in team.members if m.membership_state == accepted and m.role in _TEAM_ROLES}
    return frozenset(members | ({team.owner_id} if team.owner_id else set()))


def manages_index(interaction: Interaction) -> bool:
    """Return whether the user may see and rebuild the index.

    One index serves every server, and anyone can invite a public bot to a server of their own: managing a
    server counts only where the settings name it.
    """
    user, settings = interaction.user, interaction.client.assistant.settings
    if user.id in owners_of(interaction.client.application) | settings.discord_admin_users:
        return True
    # Member.roles looks up the cache of servers, which may not have them yet; these are as sent.
    roles = set(user._roles) if isinstance(user, discord.Member) else set()
    if roles & settings.discord_admin_roles:
        return True
    return _has_manage_server(interaction) and interaction.guild_id in settings.discord_admin_servers


def manages_server(interaction: Interaction) -> bool:
    """Return whether the user may see and change what belongs to the server that they are in."""
    return interaction.guild_id is not None and (
        _has_manage_server(interaction) or manages_index(interaction)
    )


def _has_manage_server(interaction: Interaction) -> bool:
    may = interaction.permissions
    return interaction.guild_id is not None and (may.manage_guild or may.administrator)


def without_mention(content: str, bot: int) -> str:
    """Return a message's text without mentions of the bot itself."""
    return re.sub(rf"<@!?{bot}>", " ", content).strip()


async def exchange_of(assistant: Assistant, message: discord.Message | None) -> Exchange | None:
    """Return what a message of the bot answers: from memory, else from what Discord still has of it.

    Without the message-content intent Discord gives the text of messages that mention the bot, and of direct
    messages, which are all that the bot answers with a reply.
    """
    if message is None:
        return None
    if (remembered := assistant.conversations.of_message(message.id)) is not None:
        return remembered
    above, _, _ = message.content.partition("\n\n")  # the answer is below, where embeds are not allowed
    question = question_asked(above) or "\n".join([*_post_title(message), *await _replied_to(message)])
    return Exchange(question, None, None, Earlier(question)) if question else None


def _post_title(message: discord.Message) -> list[str]:
    """Return the title of the forum post that a message answers."""
    channel, reference = message.channel, message.reference
    if not isinstance(channel, discord.Thread) or not isinstance(channel.parent, discord.ForumChannel):
        return []
    return [channel.name] if reference is None or reference.message_id == channel.id else []


async def _replied_to(message: discord.Message) -> list[str]:
    """Return the text that a message replies to, where it can be read."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return []
    original = reference.resolved
    if not isinstance(original, discord.Message) or not original.content:
        try:
            original = await message.channel.fetch_message(reference.message_id)
        except LOST as error:
            _log.info("The question of message %s cannot be read: %s", message.id, error)
            return []
    return list(filter(None, [without_mention(original.content, message.author.id)]))
