"""Application commands: the routes that register them, and the data sent when someone uses one."""

from __future__ import annotations

from typing import Any

from tests.wire.api import Call, Handler, RefusedError, check
from tests.wire.entities import Channel, Json, Role
from tests.wire.world import World

__all__ = ["Commands"]

_SUBCOMMAND = 1


class Commands:
    """The registered commands by server; 0 stands for the global ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of: dict[int, list[Json]] = {0: []}

    def routes(self) -> dict[str, Handler]:
        application = f"/applications/{self.world.application_id}"
        return {
            f"PUT {application}/commands": self._replace,
            f"PUT {application}/guilds/{{guild}}/commands": self._replace,
        }

    async def _replace(self, call: Call) -> Any:
        check(call.body)
        guild_id = int(call.params.get("guild", 0))
        if guild_id and guild_id not in self.world.guilds:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        common = {"application_id": str(self.world.application_id), "version": "1"}
        defaults = {"type": 1, "contexts": None, "integration_types": [0], "description": ""} | common
        self.of[guild_id] = [defaults | command | {"id": str(self.world.new_id())} for command in call.body]
        for command in self.of[guild_id]:
            permissions = command.get("default_member_permissions")
            command["default_member_permissions"] = None if permissions is None else str(permissions)
        return self.of[guild_id]

    def find(self, name: str) -> Json:
        """Return the command with this name, preferably of a server."""
        matching = [command for scope in self.of.values() for command in scope if command["name"] == name]
        assert matching, f"{name!r} is not registered"
        return matching[-1]

    def data(self, name: str, path: list[str], values: Json, focused: str = "") -> Json:
        """Return the data of a use of a command, or of its subcommand at `path`, with these options."""
        command = self.find(name)
        options = command.get("options", [])
        for part in path:
            options = next(option for option in options if option["name"] == part).get("options", [])
        known, resolved = {option["name"]: option for option in options}, dict[str, Json]()
        missing = {option for option in known if known[option].get("required")} - set(values)
        assert focused or not missing, f"{name} {path} needs {missing}"
        filled: list[Json] = []
        for option, value in values.items():
            choices = known[option].get("choices") or [{"value": value}]
            assert value in [choice["value"] for choice in choices]
            assert not isinstance(value, Channel) or value.kind in known[option]["channel_types"]
            sent = {"name": option, "type": known[option]["type"], "value": _resolve(value, resolved)}
            filled.append(sent | ({"focused": True} if option == focused else {}))
        for part in reversed(path):
            filled = [{"name": part, "type": _SUBCOMMAND, "options": filled}]
        described = {key: command[key] for key in ("id", "name", "type")}
        return described | {"options": filled, "resolved": resolved}


def _resolve(value: Any, resolved: dict[str, Json]) -> Any:
    """Return the value of an option as it is sent; a channel or role is added to `resolved`."""
    if not isinstance(value, Channel | Role):
        return value
    kind = "channels" if isinstance(value, Channel) else "roles"
    resolved[kind] = {str(value.id): value.payload() | {"permissions": "0"}}
    return str(value.id)
