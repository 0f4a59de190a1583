"""Interactions: three seconds to acknowledge, one initial response, a token that lives fifteen minutes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire.channels import Channels
from tests.wire.gateway import Gateway
from tests.wire.limits import check_message, invalid_form
from tests.wire.records import Json, Log, RefusedError
from tests.wire.schema import as_stored, check_commands
from tests.wire.world import Channel, User, World

__all__ = ["Interaction", "Interactions"]

_PONG, _MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _AUTOCOMPLETE, _MODAL = 1, 4, 5, 6, 7, 8, 9
_EPHEMERAL = 1 << 6


@dataclass(slots=True, eq=False)
class Interaction:
    """One use of a command, and what the bot did about it."""

    id: int
    token: str
    user: User
    channel: Channel
    command: str
    born: float
    kind: int | None = None
    """The type of the initial response; None until there is one."""
    acknowledged_after: float | None = None
    ephemeral: bool = False
    loading: bool = False
    """Whether people still see "is thinking"."""
    original: Json | None = None
    edits: list[Json] = field(default_factory=list)
    followups: list[Json] = field(default_factory=list)

    @property
    def shown(self) -> Json | None:
        """The finished response: the original message, else the last follow-up."""
        if self.original is not None and not self.loading:
            return self.original
        return self.followups[-1] if self.followups else None


def _changes(body: Json) -> Json:
    empty: Json = {"content": "", "embeds": [], "components": []}
    return {key: body[key] or nothing for key, nothing in empty.items() if key in body}


class Interactions:
    """The registered commands, the interactions, and the routes about both."""

    def __init__(self, world: World, log: Log, gateway: Gateway, channels: Channels) -> None:
        self.world, self.log, self.gateway, self.channels = world, log, gateway, channels
        self.commands: list[Json] = []
        self.all: list[Interaction] = []
        self.acknowledge_within = 3.0
        self.token_life = 15 * 60.0
        self.clock_ahead = 0.0
        """Seconds by which tests have moved the clock of tokens forward."""
        self._deadlines: list[asyncio.TimerHandle] = []

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the routes, below the API's base."""
        commands = "/applications/{application}/commands"
        hook = "/webhooks/{application}/{token}"
        return [
            web.get(commands, self._list),
            web.put(commands, self._overwrite),
            web.post(commands, self._add),
            web.patch(commands + "/{command}", self._change),
            web.delete(commands + "/{command}", self._remove),
            web.post("/interactions/{id}/{token}/callback", self._callback),
            web.post(hook, self._follow_up),
            web.get(hook + "/messages/{message}", self._read),
            web.patch(hook + "/messages/{message}", self._edit),
            web.delete(hook + "/messages/{message}", self._delete),
        ]

    def begin(self, user: User, channel: Channel, command: str) -> Interaction:
        """Make an interaction, and watch that it is acknowledged in time."""
        made = Interaction(
            self.world.new_id(), secrets.token_hex(24), user, channel, command, time.monotonic()
        )
        self.all.append(made)
        loop = asyncio.get_running_loop()
        self._deadlines.append(loop.call_later(self.acknowledge_within, self._judge, made))
        return made

    def _judge(self, interaction: Interaction) -> None:
        if interaction.kind is None:
            limit = self.acknowledge_within
            self.log.violations.append(f"/{interaction.command} was not acknowledged within {limit} s")

    def stop(self) -> None:
        """Stop watching."""
        for deadline in self._deadlines:
            deadline.cancel()

    def unfinished(self) -> list[str]:
        """Name the interactions that people see without an answer, though the bot could still give one."""
        waiting = [one for one in self.all if (one.kind is None or one.loading) and not self._expired(one)]
        return [f"/{one.command} ({'thinking' if one.loading else 'not acknowledged'})" for one in waiting]

    def _expired(self, interaction: Interaction) -> bool:
        return time.monotonic() + self.clock_ahead - interaction.born > self.token_life

    # Commands

    async def _list(self, _: web.Request) -> Any:
        return self.commands

    async def _overwrite(self, request: web.Request) -> Any:
        body = await request.json()
        check_commands(body)
        old = {(one["type"], one["name"]): int(one["id"]) for one in self.commands}
        self.commands = [
            as_stored(
                one,
                old.get((one.get("type", 1), one["name"])) or self.world.new_id(),
                self.world.application_id,
            )
            for one in body
        ]
        return self.commands

    async def _add(self, request: web.Request) -> Any:
        body = await request.json()
        check_commands([body])
        self.commands = [one for one in self.commands if one["name"] != body["name"]]
        self.commands.append(as_stored(body, self.world.new_id(), self.world.application_id))
        return self.commands[-1]

    def _find_command(self, request: web.Request) -> Json:
        for command in self.commands:
            if command["id"] == request.match_info["command"]:
                return command
        raise RefusedError(404, 10063, "Unknown application command")

    async def _change(self, request: web.Request) -> Any:
        command = self._find_command(request)
        changed = command | await request.json()
        check_commands([changed])
        command |= as_stored(changed, int(command["id"]), self.world.application_id)
        return command

    async def _remove(self, request: web.Request) -> Any:
        self.commands.remove(self._find_command(request))
        return None

    # Responses

    async def _callback(self, request: web.Request) -> Any:
        found = [one for one in self.all if str(one.id) == request.match_info["id"]]
        if not found or found[0].token != request.match_info["token"]:
            raise RefusedError(404, 10062, "Unknown interaction")
        interaction, body = found[0], await request.json()
        if interaction.kind is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        if time.monotonic() - interaction.born > self.acknowledge_within:
            raise RefusedError(404, 10062, "Unknown interaction")
        kind, data = body.get("type"), body.get("data") or {}
        if kind not in {_MESSAGE, _DEFERRED}:
            raise invalid_form(
                [("type", "BASE_TYPE_CHOICES", "A command may be answered with types 4 and 5")]
            )
        if kind == _MESSAGE:
            check_message(data)
        interaction.ephemeral = bool(data.get("flags", 0) & _EPHEMERAL)
        message = self._build(interaction, data)
        interaction.original, interaction.kind = message, kind
        interaction.acknowledged_after = time.monotonic() - interaction.born
        interaction.loading = kind == _DEFERRED
        return (
            self._callback_result(interaction)
            if request.query.get("with_response") in {"1", "true"}
            else None
        )

    def _build(self, interaction: Interaction, body: Json, *, ephemeral: bool | None = None) -> Json:
        private = interaction.ephemeral if ephemeral is None else ephemeral
        message = self.channels.build(interaction.channel, self.world.bot, body, ephemeral=private)
        message |= {
            "application_id": str(self.world.application_id),
            "webhook_id": str(self.world.application_id),
        }
        self.channels.note_pings(message, body)
        return message

    def _callback_result(self, interaction: Interaction) -> Json:
        message = interaction.original or {}
        about = {
            "id": str(interaction.id), "type": 2, "response_message_id": message["id"],
            "response_message_loading": interaction.loading,
            "response_message_ephemeral": interaction.ephemeral,
        }  # fmt: skip
        return {"interaction": about, "resource": {"type": interaction.kind, "message": message}}

    def _of_token(self, request: web.Request) -> Interaction:
        for one in self.all:
            if one.token == request.match_info["token"]:
                break
        else:
            raise RefusedError(404, 10015, "Unknown Webhook")
        if self._expired(one):
            raise RefusedError(401, 50027, "Invalid Webhook Token", violation=False)
        if one.kind is None:
            raise RefusedError(404, 10015, "Unknown Webhook")
        return one

    async def _follow_up(self, request: web.Request) -> Any:
        interaction, body = self._of_token(request), await request.json()
        check_message(body)
        if interaction.loading and interaction.original is not None:
            return self._finish(interaction, body)  # the first follow-up takes the deferred message's place
        message = self._build(interaction, body, ephemeral=bool(body.get("flags", 0) & _EPHEMERAL))
        interaction.followups.append(message)
        return message

    def _finish(self, interaction: Interaction, body: Json) -> Json:
        assert interaction.original is not None
        interaction.edits.append(body)
        interaction.original |= _changes(body)
        interaction.loading = False
        self.channels.note_pings(interaction.original, body)
        return interaction.original

    def _find(self, request: web.Request) -> tuple[Interaction, Json]:
        interaction, wanted = self._of_token(request), request.match_info["message"]
        original = [interaction.original] if interaction.original is not None else []
        for message in original + interaction.followups:
            if wanted == message["id"] or (original and wanted == "@original" and message is original[0]):
                return interaction, message
        raise RefusedError(404, 10008, "Unknown Message", violation=False)

    async def _read(self, request: web.Request) -> Any:
        return self._find(request)[1]

    async def _edit(self, request: web.Request) -> Any:
        interaction, message = self._find(request)
        body = await request.json()
        check_message(body, editing=True)
        if message is interaction.original:
            if interaction.loading:
                check_message(body)
            return self._finish(interaction, body)
        message |= _changes(body)
        return message

    async def _delete(self, request: web.Request) -> Any:
        interaction, message = self._find(request)
        self.channels.messages.pop(int(message["id"]), None)
        if message is interaction.original:
            interaction.original, interaction.loading = None, False
        else:
            interaction.followups.remove(message)
        return None
