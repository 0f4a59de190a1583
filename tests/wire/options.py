"""What a person types into a command's options, turned into what Discord sends for it."""

from __future__ import annotations

from typing import Any

from tests.wire.places import Channel, Guild, Role, User
from tests.wire.records import Json
from tests.wire.schema import leaf_options

__all__ = ["Filling", "nested"]

_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _NUMBER = 3, 4, 5, 6, 7, 8, 10
_FORMS: dict[int, tuple[type, ...]] = {
    _STRING: (str,), _INTEGER: (int,), _BOOLEAN: (bool,), _NUMBER: (int, float),
    _USER: (User, int), _CHANNEL: (Channel, int), _ROLE: (Role, int),
}  # fmt: skip


class Filling:
    """The options of one use of a command, as data, with what they name `resolved`.

    Everything that Discord's client would not let a person send fails.
    """

    def __init__(self, guild: Guild | None, user: User) -> None:
        self.guild, self.user = guild, user
        self.resolved: dict[str, dict[str, Json]] = {}

    def fill(
        self, command: Json, path: list[str], given: dict[str, Any], focused: str | None = None
    ) -> list[Json]:
        """Return the leaf options; with `focused`, what is typed so far while that one is suggested."""
        known = {option["name"]: option for option in leaf_options(command, path)}
        where = " ".join([command["name"], *path])
        assert set(given) <= set(known), f"/{where} has the options {sorted(known)}, not {sorted(given)}"
        filled: list[Json] = []
        for name, option in known.items():
            value = given.get(name)
            if focused == name:
                assert option.get("autocomplete"), f"{name} of /{where} suggests nothing"
                typed = {"name": name, "type": option["type"], "value": str(value or ""), "focused": True}
                filled.append(typed)
            elif value is None:
                assert not option.get("required") or focused, f"{name} is required"
            else:
                filled.append({"name": name, "type": option["type"], "value": self._value(option, value)})
        assert focused is None or focused in known, f"/{where} has no option {focused!r}"
        return filled

    def _value(self, option: Json, value: Any) -> Any:
        kind, name = option["type"], option["name"]
        for choice in option.get("choices", []):
            if value in {choice["name"], choice["value"]} and not isinstance(value, bool):
                return choice["value"]
        assert not option.get("choices"), f"{name} offers {[one['name'] for one in option['choices']]}"
        fits = isinstance(value, _FORMS[kind])
        assert fits, f"{name} takes no {type(value).__name__}"
        assert kind == _BOOLEAN or not isinstance(value, bool), f"{name} takes no bool"
        if kind in {_USER, _CHANNEL, _ROLE}:
            return self.resolve(option, value)
        if kind == _STRING:
            least, most, size = option.get("min_length", 0), option.get("max_length", 6000), len(value)
            assert least <= size <= most, f"refused by Discord: {name} takes {least} to {most} characters"
        elif kind in {_INTEGER, _NUMBER}:
            least, most = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
            assert least <= value <= most, f"refused by Discord: {name} takes {least} to {most}"
        return value

    def resolve(self, option: Json, value: Any) -> str:
        """Return the id of a person, channel or role, and keep what it stands for."""
        kind, name = option["type"], option["name"]
        wanted = value if isinstance(value, int) else value.id
        guild = self.guild
        assert guild is not None, f"{name} can be chosen in servers only"
        if kind == _ROLE:
            assert wanted in guild.roles, f"{name}: no role of {guild.name}"
            self._keep("roles", wanted, guild.roles[wanted].payload())
        elif kind == _USER:
            assert wanted in guild.members, f"{name}: no member of {guild.name}"
            user = guild.members[wanted][0]
            self._keep("users", wanted, user.payload())
            held = {"permissions": str(guild.permissions_of(user))}
            self._keep("members", wanted, guild.member(user) | held)
        else:
            found = {one.id: one for one in [*guild.channels, *guild.threads]}.get(wanted)
            assert found is not None, f"{name}: no channel of {guild.name}"
            kinds = option.get("channel_types") or [found.kind]
            assert found.kind in kinds, f"{name} takes channels of types {kinds}, not {found.kind}"
            whole = found.payload() | {"permissions": str(guild.permissions_of(self.user, found))}
            whole.pop("permission_overwrites", None)
            self._keep("channels", wanted, whole)
        return str(wanted)

    def _keep(self, kind: str, wanted: int, payload: Json) -> None:
        self.resolved.setdefault(kind, {})[str(wanted)] = payload


def nested(options: list[Json], path: list[str]) -> list[Json]:
    """Put the options below the sub-command that they are of, as Discord sends them."""
    for depth, part in enumerate(reversed(path)):
        options = [{"name": part, "type": 1 + depth, "options": options}]
    return options
