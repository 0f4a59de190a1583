"""What Discord refuses in an application command, and how it gives a registered one back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from tests.wire.faults import Fault, amount, invalid_form, text, units
from tests.wire.records import Json, RefusedError

__all__ = ["as_stored", "check_choices", "check_commands", "leaf_options"]

_NAME = re.compile(r"^[-_'\w]{1,32}$")  # Discord's [-_'\p{L}\p{N}] and the two scripts it adds
_COMMAND, _SUB_COMMAND, _SUB_GROUP, _STRING, _INTEGER, _CHANNEL, _NUMBER = 0, 1, 2, 3, 4, 7, 10
_SLASH, _USER_MENU, _MESSAGE_MENU = 1, 2, 3
_MOST = {_SLASH: 100, _USER_MENU: 15, _MESSAGE_MENU: 15}
_MOST_UNITS = 8000
_LOCALES = set(
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th "
    "zh-CN ja zh-TW ko".split()
)


def _name(command: Json, path: str, kind: int) -> Iterator[Fault]:
    name = command.get("name")
    if not isinstance(name, str) or not 1 <= units(name) <= 32:
        yield f"{path}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length."
    elif kind == _SLASH and (not _NAME.match(name) or name != name.lower()):
        yield f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"


def _description(command: Json, path: str, kind: int) -> Iterator[Fault]:
    description = command.get("description", "")
    low, high = (1, 100) if kind == _SLASH else (0, 0)
    if not isinstance(description, str) or not low <= units(description) <= high:
        yield f"{path}.description", "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length."


def check_choices(choices: list[Json], kind: object, path: str) -> Iterator[Fault]:
    """Find what is wrong with the choices of an option, registered or suggested."""
    yield from amount(len(choices), path, 0, 25)
    if choices and kind not in {_STRING, _INTEGER, _NUMBER}:
        yield path, "BASE_TYPE_INVALID", "Only strings and numbers have choices."
    for number, choice in enumerate(choices):
        yield from text(choice.get("name"), f"{path}.{number}.name", 100, required=True)
        value = choice.get("value")
        if kind == _STRING:
            yield from text(value, f"{path}.{number}.value", 100, required=True)
        elif isinstance(value, bool) or not isinstance(value, int if kind == _INTEGER else (int, float)):
            yield f"{path}.{number}.value", "NUMBER_TYPE_COERCE", "Value is not of the option's type."


def _translations(command: Json, path: str, kind: int) -> Iterator[Fault]:
    for key, check in (("name", _name), ("description", _description)):
        for locale, value in (command.get(f"{key}_localizations") or {}).items():
            place = f"{path}.{key}_localizations.{locale}"
            if locale not in _LOCALES:
                yield place, "ENUM_TYPE_COERCE", "No locale of Discord's."
            yield from check({key: value}, place, kind)


def _option(option: Json, path: str, parent: int) -> Iterator[Fault]:
    kind = option.get("type")
    yield from _name(option, path, _SLASH)
    yield from _description(option, path, _SLASH)
    yield from _translations(option, path, _SLASH)
    if kind not in range(1, 12):
        yield f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of 1 to 11."
    if kind in {_SUB_COMMAND, _SUB_GROUP}:
        if parent not in ({_COMMAND, _SUB_GROUP} if kind == _SUB_COMMAND else {_COMMAND}):
            yield f"{path}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command nested too deep"
        yield from _options(option, path, kind)
    choices = option.get("choices") or []
    yield from check_choices(choices, kind, f"{path}.choices")
    if option.get("autocomplete") and (choices or kind not in {_STRING, _INTEGER, _NUMBER}):
        message = "Only for strings and numbers without choices"
        yield f"{path}.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", message
    if (option.get("min_value"), option.get("max_value")) != (None, None) and kind not in {_INTEGER, _NUMBER}:
        yield f"{path}.min_value", "BASE_TYPE_INVALID", "Only numbers have bounds."
    if option.get("channel_types") and kind != _CHANNEL:
        yield f"{path}.channel_types", "BASE_TYPE_INVALID", "Only of a channel option."
    shortest, longest = option.get("min_length"), option.get("max_length")
    if shortest is not None and (kind != _STRING or not 0 <= shortest <= 6000):
        yield f"{path}.min_length", "NUMBER_TYPE_MAX", "Must be between 0 and 6000, and of a string option."
    if longest is not None and (kind != _STRING or not 1 <= longest <= 6000):
        yield f"{path}.max_length", "NUMBER_TYPE_MAX", "Must be between 1 and 6000, and of a string option."


def _options(command: Json, path: str, parent: int) -> Iterator[Fault]:
    options = command.get("options", [])
    if len(options) > 25:
        yield f"{path}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."
    names = [option.get("name") for option in options]
    if len(set(names)) < len(names):
        yield f"{path}.options", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique"
    inner = [option.get("type") in {_SUB_COMMAND, _SUB_GROUP} for option in options]
    if any(inner) and not all(inner):
        yield f"{path}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Mixed with parameters"
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        yield (
            f"{path}.options",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
            "Required options must come first",
        )
    for number, option in enumerate(options):
        yield from _option(option, f"{path}.options.{number}", parent)


def _length(command: Json) -> int:
    """Return the units of names, descriptions and values of a command and all that is in it."""
    inner = [*(command.get("options") or []), *(command.get("choices") or [])]
    own = [command.get("name"), command.get("description"), command.get("value")]
    return sum(units(one) for one in own if isinstance(one, str)) + sum(map(_length, inner))


def _command(command: Json, path: str, installs: Collection[int]) -> Iterator[Fault]:
    kind = command.get("type", _SLASH)
    yield from _name(command, path, kind)
    yield from _description(command, path, kind)
    yield from _translations(command, path, kind)
    yield from _options(command, path, _COMMAND)
    if kind not in _MOST:
        yield f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of 1, 2, 3."
    if kind != _SLASH and command.get("options"):
        yield f"{path}.options", "APPLICATION_COMMAND_OPTIONS_INVALID", "Only slash commands have them"
    if _length(command) > _MOST_UNITS:
        yield path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_MOST_UNITS})"
    for key, accepted in (("contexts", {0, 1, 2}), ("integration_types", set(installs))):
        given = command.get(key)
        if given is not None and (not given or not set(given) <= accepted):
            yield f"{path}.{key}", "BASE_TYPE_CHOICES", f"Values must be among {sorted(accepted)}."
    if not str(command.get("default_member_permissions") or 0).isdigit():
        yield f"{path}.default_member_permissions", "NUMBER_TYPE_COERCE", "No set of permissions."


def check_commands(commands: Any, installs: Collection[int] = (0, 1)) -> None:
    """Refuse a bulk overwrite where Discord would; `installs` are the ways to install the application.

    Raises:
        RefusedError: 50035 with each fault at its place, or 30032 for too many commands.
    """
    if not isinstance(commands, list):
        raise invalid_form([("0", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")])
    for kind, most in _MOST.items():
        if sum(command.get("type", _SLASH) == kind for command in commands) > most:
            raise RefusedError(400, 30032, f"Maximum number of application commands reached ({most})")
    faults = [
        fault for number, command in enumerate(commands) for fault in _command(command, str(number), installs)
    ]
    names = [(command.get("type", _SLASH), command.get("name")) for command in commands]
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


def as_stored(command: Json, command_id: int, application_id: int, guild_id: int | None = None) -> Json:
    """Return the command as Discord gives it back: with ids and defaults, without empty parts.

    Contexts and kinds of installation are of global commands only.
    """
    permissions = command.get("default_member_permissions")
    stored = _plain_option(command) | {
        "id": str(command_id), "application_id": str(application_id), "version": str(command_id),
        "default_member_permissions": None if permissions is None else str(permissions),
        "type": command.get("type", _SLASH), "nsfw": command.get("nsfw", False),
        "name_localizations": command.get("name_localizations"),
        "description_localizations": command.get("description_localizations"),
        "description": command.get("description", ""),
    }  # fmt: skip
    if guild_id is None:
        installs = command.get("integration_types", [0])
        return stored | {
            "dm_permission": True,
            "contexts": command.get("contexts"),
            "integration_types": installs,
        }
    for key in ("dm_permission", "contexts", "integration_types"):
        stored.pop(key, None)
    return stored | {"guild_id": str(guild_id)}


def leaf_options(command: Json, path: list[str]) -> list[Json]:
    """Return the options of the command, or of its sub-command at `path`."""
    for name in path:
        inner = {option["name"]: option for option in command.get("options", [])}
        assert name in inner, f"/{command['name']} has no sub-command {name!r}"
        command = inner[name]
    options: list[Json] = command.get("options", [])
    return options
