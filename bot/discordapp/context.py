"""Interactions: where they take place, and what their users may do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import aiohttp
import discord
from discord import AppCommandOptionType, ChannelType, app_commands

from bot.chat.messages import Notice
from bot.discordapp.endpoint import ReconnectingClient
from index.collections import collection_key

if TYPE_CHECKING:
    from bot.chat.asking import Assistant, Place

__all__ = [
    "LOST",
    "UNREADABLE",
    "ChannelOption",
    "Interaction",
    "OperatorsGroup",
    "RefusedError",
    "Surface",
    "anywhere",
    "check_allowed",
    "described",
    "is_ours",
    "key_in",
    "manages_index",
    "manages_server",
    "of_collection",
    "owners_of",
    "place_of",
    "with_collection",
    "without_mention",
]

LOST = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord raises, refused or not arrived."""

UNREADABLE = (TypeError, KeyError, ValueError, AttributeError, IndexError)
"""What discord.py raises where a response is not of the shape that it expects."""

_ALREADY_ACKNOWLEDGED = 40060
_NETWORK_TROUBLE = (aiohttp.ClientError, ConnectionError, TimeoutError, discord.ConnectionClosed)
_TEAM_ROLES = {discord.TeamMemberRole.admin, discord.TeamMemberRole.developer}
_Command = TypeVar("_Command")


class Surface(ReconnectingClient):
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


def with_collection(custom_id: str, collection: str) -> str:
    """Return the id of a button or form below an answer from a collection, which ends with its key."""
    return f"{custom_id}.{collection_key(collection)}" if collection else custom_id


def key_in(custom_id: str) -> str:
    """Return the key of the collection in the id of a button or form."""
    return custom_id.partition(".")[2]


async def place_of(interaction: Interaction) -> Place:
    """Return where an interaction takes place; that of a button or form has its answer's collection."""
    assistant, data = interaction.client.assistant, cast("dict[str, Any]", interaction.data or {})
    place = await assistant.place(
        interaction.user.id,
        interaction.guild_id if interaction.is_guild_integration() else None,
        interaction.channel_id or 0,
        parent=getattr(interaction.channel, "parent_id", None),
        locale=str(interaction.locale),
    )
    if "custom_id" not in data:
        return place
    return replace(place, collection=assistant.collection_of(key_in(data["custom_id"]), place.collection))


class ChannelOption(app_commands.Transformer):
    """A channel or thread option as Discord sent it; discord.py's own refuses what it has not cached."""

    def __init__(self, *kinds: ChannelType) -> None:
        """Take the kinds of channels that may be chosen."""
        self._kinds = list(kinds)

    @property
    def type(self) -> AppCommandOptionType:
        """The kind of the option."""
        return AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[ChannelType]:
        """The kinds of channels that Discord offers."""
        return self._kinds

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> Any:
        """Return the channel; refuse another kind."""
        if value.type not in self._kinds:
            raise RefusedError((await place_of(interaction)).messages.notice("not_there"))
        return value


def of_collection(title: str, collection: str) -> str:
    """Return a title with the collection that it is about, unless that has no name."""
    return f"{title} ({collection})" if collection else title


def described(error: BaseException) -> str:
    """Return an error in a line for the log, with its type: a KeyError's own words are only a name."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def is_ours(error: BaseException | None) -> bool:
    """Return whether an error is a fault of ours, not trouble of Discord's or something deleted meanwhile."""
    if not isinstance(error, discord.HTTPException):
        return not isinstance(error, _NETWORK_TROUBLE)
    refused = 400 <= error.status < 500 and error.status not in {401, 403, 404, 429}
    return refused and error.code != _ALREADY_ACKNOWLEDGED


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


async def check_allowed(interaction: Interaction, allowed: bool, reason: str) -> bool:
    """Refuse those who are not allowed, for the `reason` of that key, and everybody while stopping."""
    messages = (await place_of(interaction)).messages
    if not allowed:
        raise RefusedError(Notice(messages("may_not"), messages(reason)))
    if interaction.client.assistant.tasks.stopping:
        raise RefusedError(messages.notice("stopping"))
    return True


@app_commands.allowed_contexts(guilds=True, dms=True)
@app_commands.allowed_installs(guilds=True)
@app_commands.default_permissions(manage_guild=True)
class OperatorsGroup(app_commands.Group):
    """Commands on what all servers share, for the operators: see `manages_index`."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse everybody else, and everybody while stopping."""
        return await check_allowed(interaction, manages_index(interaction), "may_not_index")


def _has_manage_server(interaction: Interaction) -> bool:
    may = interaction.permissions
    return interaction.guild_id is not None and (may.manage_guild or may.administrator)


def without_mention(content: str, bot: int) -> str:
    """Return a message's text without mentions of the bot itself."""
    return re.sub(rf"<@!?{bot}>", " ", content).strip()
