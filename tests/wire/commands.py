"""The registered commands, of all places and of single servers, and the routes about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tests.wire.records import Json, RefusedError
from tests.wire.schema import as_stored, check_commands
from tests.wire.uploads import BODY
from tests.wire.world import World

__all__ = ["Commands"]


class Commands:
    """What is registered: `everywhere`, and by server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.everywhere: list[Json] = []
        self.of_guilds: dict[int, list[Json]] = {}

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the routes, below the API's base."""
        for base in ("/applications/{application}", "/applications/{application}/guilds/{guild}"):
            commands = base + "/commands"
            yield web.get(commands, self._list)
            yield web.put(commands, self._overwrite)
            yield web.post(commands, self._add)
            yield web.get(commands + "/{command}", self._one)
            yield web.patch(commands + "/{command}", self._change)
            yield web.delete(commands + "/{command}", self._remove)

    def find(self, name: str, kind: int, guild_id: int | None) -> Json | None:
        """Return what is registered under a name: for the server, else everywhere."""
        own = self.of_guilds.get(guild_id, []) if guild_id else []
        wanted = (name, kind)
        return next((one for one in [*own, *self.everywhere] if (one["name"], one["type"]) == wanted), None)

    def _scope(self, request: web.Request) -> tuple[list[Json], int | None]:
        """Return the list that a request is about, and the server it is of.

        Raises:
            RefusedError: another application's, or a server that the application is not in.
        """
        if request.match_info["application"] != str(self.world.application_id):
            raise RefusedError(403, 20012, "You are not authorized to do this with that application")
        if "guild" not in request.match_info:
            return self.everywhere, None
        guild = self.world.guilds.get(int(request.match_info["guild"]))
        if guild is None or guild.bot is None:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        return self.of_guilds.setdefault(guild.id, []), guild.id

    def _stored(self, command: Json, command_id: int, guild_id: int | None) -> Json:
        return as_stored(command, command_id, self.world.application_id, guild_id)

    def _check(self, commands: Any) -> None:
        check_commands(commands, self.world.install_contexts)

    async def _list(self, request: web.Request) -> Any:
        found, _ = self._scope(request)
        if request.query.get("with_localizations", "").lower() in {"true", "1"}:
            return found
        return [one | {"name_localizations": None, "description_localizations": None} for one in found]

    async def _overwrite(self, request: web.Request) -> Any:
        found, guild_id = self._scope(request)
        body = request[BODY]
        self._check(body)
        old = {(one["type"], one["name"]): int(one["id"]) for one in found}
        ids = [old.get((one.get("type", 1), one["name"])) or self.world.new_id() for one in body]
        found[:] = [self._stored(one, known, guild_id) for one, known in zip(body, ids, strict=True)]
        return found

    async def _add(self, request: web.Request) -> Any:
        found, guild_id = self._scope(request)
        body = request[BODY]
        same = (body.get("type", 1), body.get("name"))
        kept = [one for one in found if (one["type"], one["name"]) != same]
        self._check([*kept, body])
        found[:] = [*kept, self._stored(body, self.world.new_id(), guild_id)]
        return found[-1]

    def _find(self, request: web.Request) -> tuple[list[Json], int | None, Json]:
        found, guild_id = self._scope(request)
        for command in found:
            if command["id"] == request.match_info["command"]:
                return found, guild_id, command
        raise RefusedError(404, 10063, "Unknown application command")

    async def _one(self, request: web.Request) -> Any:
        return self._find(request)[2]

    async def _change(self, request: web.Request) -> Any:
        _, guild_id, command = self._find(request)
        changed = command | request[BODY]
        self._check([changed])
        command |= self._stored(changed, int(command["id"]), guild_id)
        return command

    async def _remove(self, request: web.Request) -> Any:
        found, _, command = self._find(request)
        found.remove(command)
        return None
