"""Registering the commands, only when they differ from what Discord has.

The comparison is with what Discord holds, not with a note of what was sent last: so it also mends what
somebody else has changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.http import Route

from bot.discordapp.connection import explained, logged_in
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings
from index.errors import FootnoteError

__all__ = [
    "MakeTree",
    "SyncReport",
    "canonical",
    "register_if_changed",
    "remove",
    "sync",
    "sync_commands",
]

AnyTree = app_commands.CommandTree[Any]
MakeTree = Callable[[discord.Client], AnyTree]
"""Makes the tree of commands on a client."""

# What we may send of a command or an option; whatever else Discord gives back is its own.
_FIELDS = (
    "name", "name_localizations", "description", "description_localizations", "type", "required", "options",
    "choices", "autocomplete", "min_value", "max_value", "min_length", "max_length", "channel_types", "nsfw",
    "default_member_permissions", "contexts", "integration_types", "value",
)  # fmt: skip
_UNORDERED = {"contexts", "integration_types", "channel_types"}
_OF_ALL_SERVERS = {"contexts", "integration_types"}
"""What Discord keeps only of commands that are for every server."""
_LISTS_OF_OBJECTS = {"options", "choices"}
_SLASH = discord.AppCommandType.chat_input.value

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What Discord has now: the names of the commands, of one server or (None) of all, and their hash."""

    changed: bool
    server: int | None
    commands: tuple[str, ...]
    tree: str

    def line(self) -> str:
        """Return the report as one line for people."""
        where = "every server" if self.server is None else f"server {self.server}"
        if not self.commands:
            return f"There are no commands for {where} alone{' any more' if self.changed else ''}."
        done = "were registered" if self.changed else "are registered already; nothing was sent"
        names = ", ".join(self.commands)
        return f"{len(self.commands)} commands for {where} {done} (tree {self.tree}): {names}."


def canonical(command: dict[str, Any]) -> dict[str, Any]:
    """Return a command or option as what can be compared: our fields, without those that say nothing.

    Discord leaves out false flags and empty lists, adds defaults and an empty description (to a command of a
    message's menu), and gives numbers of permissions as text.
    """
    plain: dict[str, Any] = {}
    for field in _FIELDS:
        value = command.get(field)
        if value is None or value is False or value in ([], {}, ""):
            continue
        if field in _LISTS_OF_OBJECTS:
            value = [canonical(one) for one in value]
        elif field in _UNORDERED:
            value = sorted(value)
        elif field == "default_member_permissions":
            value = str(value)
        plain[field] = value
    return plain


def _hash(commands: list[dict[str, Any]]) -> str:
    """Return the first 12 hex characters of the SHA-256 over commands in canonical form."""
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()[:12]


async def sync(tree: AnyTree, guild: int | None = None, *, force: bool = False) -> SyncReport:
    """Make Discord's commands those of the tree, for every server or for one; send only what differs.

    Commands of one server come at once and beside those for every server: to try them out; `remove` ends it.
    With `force` they are sent whether or not they differ.

    Raises:
        discord.HTTPException: Discord refuses them.
    """
    if guild is not None:
        tree.copy_global_to(guild=discord.Object(guild))
    return await _bring(tree, guild, force=force)


async def remove(tree: AnyTree, guild: int) -> SyncReport:
    """Take back the commands of one server alone; those for every server stay.

    Raises:
        discord.HTTPException: Discord refuses that.
    """
    tree.clear_commands(guild=discord.Object(guild))
    return await _bring(tree, guild, force=False)


async def _bring(tree: AnyTree, guild: int | None, *, force: bool) -> SyncReport:
    place = None if guild is None else discord.Object(guild)
    commands = tree.get_commands(guild=place)
    wanted = _in_order([canonical(await _payload(tree, command)) for command in commands])
    present = _in_order([canonical(one) for one in await _registered(tree.client, guild)])
    left_out = set() if guild is None else _OF_ALL_SERVERS
    changed = force or _without(left_out, present) != _without(left_out, wanted)
    if changed:
        await tree.sync(guild=place)
    names = tuple(f"/{one['name']}" if one["type"] == _SLASH else one["name"] for one in wanted)
    return SyncReport(changed, guild, names, _hash(wanted))


async def _payload(tree: AnyTree, command: Any) -> dict[str, Any]:
    """Return what the tree would send of a command, translations included."""
    if tree.translator is None:
        return dict(command.to_dict(tree))
    return dict(await command.get_translated_payload(tree, tree.translator))


async def _registered(client: discord.Client, guild: int | None) -> list[dict[str, Any]]:
    """Return the commands that Discord has; discord.py's own request would leave their translations out."""
    scope = "" if guild is None else "/guilds/{guild_id}"
    route = Route(
        "GET",
        f"/applications/{{application_id}}{scope}/commands",
        application_id=client.application_id,
        guild_id=guild,
    )
    answer = await client.http.request(route, params={"with_localizations": "true"})
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise TypeError("the server's answer is no list of commands")
    return answer


def _without(fields: set[str], commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: one[name] for name in one if name not in fields} for one in commands]


def _in_order(commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(commands, key=lambda command: (command.get("type", _SLASH), command.get("name", "")))


async def register_if_changed(tree: AnyTree) -> bool:
    """Make Discord's commands those of the tree; return whether anything had to be sent.

    A refusal is logged and not raised: mentions and direct messages can be answered without commands.
    """
    try:
        report = await sync(tree)
    except (
        discord.HTTPException,
        aiohttp.ClientError,
        OSError,
        TypeError,
        AttributeError,
        KeyError,
    ) as error:
        _log.error("The commands could not be registered: %s", str(error) or type(error).__name__)
        return False
    if report.changed:
        _log.info("The commands changed and were registered with Discord (tree %s).", report.tree)
    else:
        _log.info("The commands are registered already (tree %s).", report.tree)
    return report.changed


async def sync_commands(
    settings: BotSettings,
    make_tree: MakeTree,
    *,
    guild: int | None = None,
    force: bool = False,
    removing: bool = False,
) -> str:
    """Log in over HTTP only, register the commands, and return one line that says what came of it.

    With `removing` the commands of that one server alone are taken back instead.

    Raises:
        DiscordRefusedError: there is no token, Discord refuses it or cannot be reached, or the bot is not in
            that server.
        FootnoteError: Discord does not accept the commands as they are.
    """
    async with logged_in(settings) as client:
        tree = make_tree(client)
        with explained(settings), _explained_refusal(guild):
            if removing and guild is not None:
                report = await remove(tree, guild)
            else:
                report = await sync(tree, guild, force=force)
    return report.line()


@contextmanager
def _explained_refusal(guild: int | None) -> Iterator[None]:
    """Say why Discord does not take the commands, where it is no matter of the connection."""
    try:
        yield
    except app_commands.CommandSyncFailure as error:
        raise FootnoteError(f"A fault of ours: Discord does not accept the commands. {error}") from error
    except (discord.Forbidden, discord.NotFound) as error:
        if guild is None:
            raise
        raise DiscordRefusedError(
            f"Discord lets the bot have no commands in server {guild} (status {error.status}). Check that "
            "id, and add the bot to the server by the link that `footnote discord invite` prints."
        ) from error
