"""Registering the commands, only when they differ from what Discord has."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands

__all__ = ["canonical", "register_if_changed"]

# What we may send of a command or an option; whatever else Discord gives back is its own.
_FIELDS = (
    "name", "description", "type", "required", "options", "choices", "autocomplete", "min_value", "max_value",
    "min_length", "max_length", "channel_types", "nsfw", "default_member_permissions", "contexts",
    "integration_types", "value",
)  # fmt: skip
_UNORDERED = {"contexts", "integration_types", "channel_types"}
_LISTS_OF_OBJECTS = {"options", "choices"}

_log = logging.getLogger(__name__)


def canonical(command: dict[str, Any]) -> dict[str, Any]:
    """Return a command or option as what can be compared: our fields, without those that say nothing.

    Discord leaves out false flags and empty lists, adds defaults, and gives numbers of permissions as text.
    """
    plain: dict[str, Any] = {}
    for field in _FIELDS:
        value = command.get(field)
        if value is None or value is False or value == []:
            continue
        if field in _LISTS_OF_OBJECTS:
            value = [canonical(one) for one in value]
        elif field in _UNORDERED:
            value = sorted(value)
        elif field == "default_member_permissions":
            value = str(value)
        plain[field] = value
    return plain


async def register_if_changed(tree: app_commands.CommandTree[Any]) -> bool:
    """Make Discord's commands those of the tree; return whether anything had to be sent.

    A refusal is logged and not raised: mentions and direct messages can be answered without commands.
    """
    application = tree.client.application_id
    if application is None:
        return False
    wanted = [canonical(command.to_dict(tree)) for command in tree.get_commands()]
    try:
        present = await tree.client.http.get_global_commands(application)
        if _by_name([canonical(dict(one)) for one in present]) == _by_name(wanted):
            return False
        await tree.sync()
    except (discord.HTTPException, TypeError, AttributeError) as error:
        _log.error("The commands could not be registered: %s", error)
        return False
    _log.info("The commands changed and were registered with Discord.")
    return True


def _by_name(commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(commands, key=lambda command: (command["type"], command["name"]))
