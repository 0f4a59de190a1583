"""The registered commands: the API that registers them, and what a person fills in when using one."""

from __future__ import annotations

from typing import Any

from tests.wire.api import Call, Handler
from tests.wire.limits import RefusedError, check
from tests.wire.world import Channel, Json, Role, World

__all__ = ["Commands"]


class Commands:
    """What is registered: for every server under 0, and for single servers under their ids."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of: dict[int, list[Json]] = {0: []}

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            f"{method} /applications/{{application}}{where}/commands": handler
            for where in ("", "/guilds/{guild}")
            for method, handler in (("GET", self._list), ("PUT", self._replace))
        }

    def _scope(self, call: Call) -> int:
        guild_id = int(call.params.get("guild", 0))
        if call.params["application"] != str(self.world.application_id):
            raise RefusedError(403, 20012, "You are not authorized to do this with that application")
        if guild_id and guild_id not in self.world.guilds:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        return guild_id

    async def _list(self, call: Call) -> Any:
        return self.of.get(self._scope(call), [])

    async def _replace(self, call: Call) -> Any:
        check(call.body)
        self.of[self._scope(call)] = stored = [
            {"type": 1, "contexts": None, "integration_types": [0], "description": "", "version": "1"}
            | one
            | {"id": str(self.world.new_id()), "application_id": str(self.world.application_id)}
            for one in call.body
        ]
        for one in stored:
            needed = one.get("default_member_permissions")
            one["default_member_permissions"] = None if needed is None else str(needed)
        return stored

    def find(self, name: str) -> Json:
        """Return what is registered under a name, for a single server before that for every one."""
        found = [one for scope in self.of.values() for one in scope if one["name"] == name]
        assert found, f"{name!r} is not registered"
        return found[-1]

    def fill(self, name: str, inner: list[str], given: dict[str, Any], focused: str = "") -> Json:
        """Return the data of a use of a command, or of the one at `inner` in a group, with these options."""
        command = self.find(name)
        options = command.get("options", [])
        for part in inner:
            options = next(one for one in options if one["name"] == part).get("options", [])
        known, resolved = {one["name"]: one for one in options}, dict[str, Json]()
        missing = {one for one in known if known[one].get("required")} - set(given)
        assert focused or not missing, f"{name} {inner} needs {missing}"
        filled: list[Json] = []
        for option, value in given.items():
            sent = {"name": option, "type": known[option]["type"], "value": _resolved(value, resolved)}
            assert value in [one["value"] for one in known[option].get("choices") or [{"value": value}]]
            assert not isinstance(value, Channel) or value.kind in known[option]["channel_types"]
            filled.append(sent | ({"focused": True} if option == focused else {}))
        for part in reversed(inner):
            filled = [{"name": part, "type": 1, "options": filled}]
        about = {key: command[key] for key in ("id", "name", "type")}
        return about | {"options": filled, "resolved": resolved}


def _resolved(value: Any, resolved: dict[str, Json]) -> Any:
    """Return what is sent for the value of an option; a channel or role is also put with what is named."""
    if not isinstance(value, Channel | Role):
        return value
    kind = "channels" if isinstance(value, Channel) else "roles"
    resolved[kind] = {str(value.id): value.payload() | {"permissions": "0"}}
    return str(value.id)
