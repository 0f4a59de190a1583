"""What Discord refuses in an application command, and how it gives a registered one back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.wire.limits import invalid_form, units
from tests.wire.records import Json, RefusedError

__all__ = ["as_stored", "check_commands", "leaf_options"]

_NAME = re.compile(r"^[-_'\w]{1,32}$")  # Discord's [-_'\p{L}\p{N}] and the two scripts it adds
_COMMAND, _SUB_COMMAND, _SUB_GROUP, _STRING = 0, 1, 2, 3
_Fault = tuple[str, str, str]


def _name(command: Json, path: str, kind: int) -> Iterator[_Fault]:
    name = command.get("name")
    if not isinstance(name, str) or not 1 <= units(name) <= 32:
        yield f"{path}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length."
    elif kind == 1 and (not _NAME.match(name) or name != name.lower()):
        yield f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"


def _description(command: Json, path: str, kind: int) -> Iterator[_Fault]:
    description = command.get("description", "")
    low, high = (1, 100) if kind == 1 else (0, 0)
    if not isinstance(description, str) or not low <= units(description) <= high:
        yield f"{path}.description", "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length."


def _option(option: Json, path: str, parent: int) -> Iterator[_Fault]:
    kind = option.get("type")
    yield from _name(option, path, 1)
    yield from _description(option, path, 1)
    if kind not in range(1, 12):
        yield f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of 1 to 11."
    if kind in {_SUB_COMMAND, _SUB_GROUP}:
        if parent not in ({_COMMAND, _SUB_GROUP} if kind == _SUB_COMMAND else {_COMMAND}):
            yield f"{path}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command nested too deep"
        yield from _options(option, path, kind)
    if len(option.get("choices", [])) > 25:
        yield f"{path}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."
    shortest, longest = option.get("min_length"), option.get("max_length")
    if shortest is not None and (kind != _STRING or not 0 <= shortest <= 6000):
        yield f"{path}.min_length", "NUMBER_TYPE_MAX", "Must be between 0 and 6000, and of a string option."
    if longest is not None and (kind != _STRING or not 1 <= longest <= 6000):
        yield f"{path}.max_length", "NUMBER_TYPE_MAX", "Must be between 1 and 6000, and of a string option."


def _options(command: Json, path: str, parent: int) -> Iterator[_Fault]:
    options = command.get("options", [])
    if len(options) > 25:
        yield f"{path}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."
    names = [option.get("name") for option in options]
    if len(set(names)) < len(names):
        yield f"{path}.options", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique"
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        yield (
            f"{path}.options",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
            "Required options must come first",
        )
    for number, option in enumerate(options):
        yield from _option(option, f"{path}.options.{number}", parent)


def _command(command: Json, path: str) -> Iterator[_Fault]:
    kind = command.get("type", 1)
    yield from _name(command, path, kind)
    yield from _description(command, path, kind)
    yield from _options(command, path, _COMMAND)
    for key, accepted in (("contexts", {0, 1, 2}), ("integration_types", {0, 1})):
        given = command.get(key)
        if given is not None and (not given or not set(given) <= accepted):
            yield f"{path}.{key}", "BASE_TYPE_CHOICES", f"Values must be among {sorted(accepted)}."


def check_commands(commands: Any) -> None:
    """Refuse a bulk overwrite where Discord would.

    Raises:
        RefusedError: 50035 with each fault at its place, or 30032 for too many commands.
    """
    if not isinstance(commands, list):
        raise invalid_form([("0", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")])
    if len(commands) > 100:
        raise RefusedError(400, 30032, "Maximum number of application commands reached (100)")
    faults = [fault for number, command in enumerate(commands) for fault in _command(command, str(number))]
    names = [(command.get("type", 1), command.get("name")) for command in commands]
    if len(set(names)) < len(names):
        faults.append(
            ("0", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        )
    if faults:
        raise invalid_form(faults)


def _plain_option(option: Json) -> Json:
    """Leave out what Discord leaves out of an option that it gives back: false flags and empty lists."""
    kept = {key: value for key, value in option.items() if value not in (None, False, [])}
    if "options" in kept:
        kept["options"] = [_plain_option(one) for one in kept["options"]]
    return kept


def as_stored(command: Json, command_id: int, application_id: int) -> Json:
    """Return the command as Discord gives it back: with ids and defaults, without empty parts."""
    permissions = command.get("default_member_permissions")
    return _plain_option(command) | {
        "id": str(command_id), "application_id": str(application_id), "version": str(command_id),
        "default_member_permissions": None if permissions is None else str(permissions),
        "type": command.get("type", 1), "nsfw": command.get("nsfw", False), "dm_permission": True,
        "name_localizations": None, "description_localizations": None,
        "description": command.get("description", ""),
        "contexts": command.get("contexts"), "integration_types": command.get("integration_types", [0]),
    }  # fmt: skip


def leaf_options(command: Json, path: list[str]) -> list[Json]:
    """Return the options of the command, or of its sub-command at `path`."""
    for name in path:
        command = next(option for option in command.get("options", []) if option["name"] == name)
    options: list[Json] = command.get("options", [])
    return options
