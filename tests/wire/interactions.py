"""Interactions: three seconds to acknowledge, one initial response, a token that lives fifteen minutes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tests.wire.answers import check_answer
from tests.wire.commands import Commands
from tests.wire.interaction import (
    CHOICES,
    DEFERRED,
    FORM,
    MESSAGE,
    UPDATE,
    Interaction,
    Kind,
)
from tests.wire.limits import check_message
from tests.wire.messages import EPHEMERAL, REPLY, Messages
from tests.wire.places import Channel, User
from tests.wire.records import Json, Log, RefusedError
from tests.wire.trouble import Trouble
from tests.wire.uploads import BODY, FILES, Upload
from tests.wire.world import World

__all__ = ["Interaction", "Interactions"]

_LOADING = 1 << 7
_BY_COMMAND, _BY_MENU = 20, 23  # types of messages
_MOST_FOLLOWUPS = 5  # where only the person installed the application


class Interactions:
    """The registered commands, the interactions, and the routes about both."""

    def __init__(self, world: World, log: Log, messages: Messages, trouble: Trouble) -> None:
        self.world, self.log, self.messages, self.trouble = world, log, messages, trouble
        self.registered = Commands(world)
        self.commands = self.registered.everywhere
        self.guild_commands = self.registered.of_guilds
        self.all: list[Interaction] = []
        self.acknowledge_within = 3.0
        self.token_life = 15 * 60.0
        self.clock_ahead = 0.0
        """Seconds by which tests have moved the clock of tokens forward."""
        self._deadlines: list[asyncio.TimerHandle] = []

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the routes, below the API's base."""
        hook = "/webhooks/{application}/{token}"
        return [
            *self.registered.routes(),
            web.post("/interactions/{id}/{token}/callback", self._callback),
            web.post(hook, self._follow_up),
            web.get(hook + "/messages/{message}", self._read),
            web.patch(hook + "/messages/{message}", self._edit),
            web.delete(hook + "/messages/{message}", self._delete),
        ]

    async def begin(self, kind: Kind, user: User, channel: Channel, name: str, **more: Any) -> Interaction:
        """Make an interaction, watch that it is acknowledged in time, and tell the bot."""
        made = Interaction(
            self.world.new_id(), secrets.token_hex(24), user, channel, name, time.monotonic(), kind, **more
        )
        made.excused = self.trouble.paused
        self.all.append(made)
        loop = asyncio.get_running_loop()
        self._deadlines.append(loop.call_later(self.acknowledge_within, self._judge, made))
        message = self.messages.seen(made.message) if made.message is not None else None
        event = made.payload(message, self.world.application_id)
        guild_id = channel.guild.id if channel.guild else None
        await self.messages.gateway.dispatch("INTERACTION_CREATE", event, guild_id=guild_id)
        return made

    def _judge(self, interaction: Interaction) -> None:
        if interaction.kind is None and not interaction.excused:
            limit = self.acknowledge_within
            self.log.violations.append(f"{interaction.name} was not acknowledged within {limit} s")

    def excuse(self, path: str | None = None) -> None:
        """Blame nobody for a late acknowledgement: of all that wait, or of the one that a path is about."""
        for one in self.all:
            if one.kind is None and (path is None or path.startswith(f"/interactions/{one.id}/")):
                one.excused = True

    def stop(self) -> None:
        """Stop watching."""
        for deadline in self._deadlines:
            deadline.cancel()

    def unfinished(self) -> list[str]:
        """Name the interactions that people see without an answer, though the bot could still give one."""
        alive = [one for one in self.all if not self._expired(one)]
        waiting = [one for one in alive if self._thinking(one)]
        waiting += [one for one in alive if one.kind is None and not (one.excused and self._late(one))]
        return [f"{one.name} ({'thinking' if one.loading else 'not acknowledged'})" for one in waiting]

    def _thinking(self, interaction: Interaction) -> bool:
        """Say whether people still see "is thinking"; not where somebody deleted that."""
        original = interaction.original
        return interaction.loading and original is not None and int(original["id"]) in self.messages.all

    def _late(self, interaction: Interaction) -> bool:
        return time.monotonic() - interaction.born > self.acknowledge_within

    def _expired(self, interaction: Interaction) -> bool:
        return time.monotonic() + self.clock_ahead - interaction.born > self.token_life

    # The initial response

    async def _callback(self, request: web.Request) -> Any:
        found = [one for one in self.all if str(one.id) == request.match_info["id"]]
        if not found or found[0].token != request.match_info["token"]:
            raise RefusedError(404, 10062, "Unknown interaction")
        interaction, body, files = found[0], request[BODY] or {}, request[FILES]
        if interaction.kind is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        if self._late(interaction):
            raise RefusedError(404, 10062, "Unknown interaction", violation=not interaction.excused)
        kind, data = body.get("type"), body.get("data") or {}
        check_answer(interaction, kind, data, files=len(files))
        if kind == UPDATE and int((interaction.message or {})["id"]) not in self.messages.all:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        interaction.kind = kind
        interaction.acknowledged_after = time.monotonic() - interaction.born
        await self._respond(interaction, data, files)
        if request.query.get("with_response") in {"1", "true"}:
            return self._callback_result(interaction)
        return None

    async def _respond(self, interaction: Interaction, data: Json, files: list[Upload]) -> None:
        if interaction.kind == CHOICES:
            interaction.choices = data.get("choices") or []
        elif interaction.kind == FORM:
            interaction.modal = data
        elif interaction.kind in {MESSAGE, DEFERRED}:
            interaction.ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
            interaction.loading = interaction.kind == DEFERRED
            interaction.original = await self._build(interaction, data, files)
        elif interaction.message is not None:
            interaction.original = message = interaction.message
            interaction.edited_before = message["edited_timestamp"]
            interaction.ephemeral = bool(message["flags"] & EPHEMERAL)
            if interaction.kind == UPDATE:
                await self._change(interaction, message, data, files)

    async def _build(
        self, interaction: Interaction, body: Json, files: list[Upload], *, ephemeral: bool | None = None
    ) -> Json:
        private = interaction.ephemeral if ephemeral is None else ephemeral
        made = self.messages.build(interaction.channel, self.world.bot, body, ephemeral=private, files=files)
        own = str(self.world.application_id)
        made |= {"application_id": own, "webhook_id": own, "interaction_metadata": interaction.metadata()}
        if interaction.kind_of_use == "command":
            made |= {"type": _BY_COMMAND if interaction.data["type"] == 1 else _BY_MENU}
            made["interaction"] = {
                "id": str(interaction.id), "type": interaction.type, "name": interaction.command,
                "user": interaction.user.payload(),
            }  # fmt: skip
        earlier = interaction.message or self.messages.all.get(int(interaction.data.get("target_id", 0)))
        if earlier is not None and int(earlier["id"]) in self.messages.all:
            self.messages.point(made, earlier, _BY_MENU if "target_id" in interaction.data else REPLY)
        if interaction.original is not None:
            made["interaction_metadata"]["original_response_message_id"] = interaction.original["id"]
        elif interaction.loading:
            made["flags"] |= _LOADING
        self.messages.note_pings(made, body, response=True)
        await self.messages.announce(made)
        return made

    def _callback_result(self, interaction: Interaction) -> Json:
        """Return the callback's result, with the message where one is there to be seen (types 4 and 7)."""
        about: Json = {"id": str(interaction.id), "type": interaction.type}
        if interaction.original is not None:
            about |= {
                "response_message_id": interaction.original["id"],
                "response_message_loading": interaction.loading,
                "response_message_ephemeral": interaction.ephemeral,
            }
        resource: Json = {"type": interaction.kind}
        if interaction.kind in {MESSAGE, UPDATE} and interaction.original is not None:
            resource["message"] = self.messages.seen(interaction.original)
        return {"interaction": about, "resource": resource}

    # What follows

    def _of_token(self, request: web.Request) -> Interaction:
        for one in self.all:
            if one.token == request.match_info["token"]:
                break
        else:
            raise RefusedError(404, 10015, "Unknown Webhook")
        if self._expired(one):
            raise RefusedError(401, 50027, "Invalid Webhook Token", violation=False)
        if one.kind is None:
            raise RefusedError(404, 10015, "Unknown Webhook", violation=not one.excused)
        return one

    async def _follow_up(self, request: web.Request) -> Any:
        interaction, body, files = self._of_token(request), request[BODY] or {}, request[FILES]
        check_message(body, files=len(files))
        if interaction.original is not None and self._thinking(interaction):
            # the first follow-up takes the deferred message's place
            return await self._change(interaction, interaction.original, body, files)
        if set(interaction.owners) == {"1"} and len(interaction.followups) >= _MOST_FOLLOWUPS:
            message = "This interaction has reached the maximum number of follow up messages"
            raise RefusedError(400, 40094, message)
        private = bool((body.get("flags") or 0) & EPHEMERAL)
        made = await self._build(interaction, body, files, ephemeral=private)
        interaction.followups.append(made)
        return self.messages.seen(made)

    async def _change(self, interaction: Interaction, message: Json, body: Json, files: list[Upload]) -> Json:
        check_message(body, editing=True)
        self.messages.change(message, body, files)
        if message is interaction.original:
            interaction.edits.append(body)
            interaction.loading = False
            message["flags"] &= ~_LOADING
        self.messages.note_pings(message, body, response=True)
        await self.messages.announce(message, "MESSAGE_UPDATE")
        return self.messages.seen(message)

    def _find(self, request: web.Request) -> tuple[Interaction, Json]:
        interaction, wanted = self._of_token(request), request.match_info["message"]
        original = [interaction.original] if interaction.original is not None else []
        for message in original + interaction.followups:
            named = wanted == message["id"] or (wanted == "@original" and message is interaction.original)
            if named and int(message["id"]) in self.messages.all:
                return interaction, message
        raise RefusedError(404, 10008, "Unknown Message", violation=False)

    async def _read(self, request: web.Request) -> Any:
        return self.messages.seen(self._find(request)[1])

    async def _edit(self, request: web.Request) -> Any:
        interaction, message = self._find(request)
        return await self._change(interaction, message, request[BODY] or {}, request[FILES])

    async def _delete(self, request: web.Request) -> Any:
        interaction, message = self._find(request)
        await self.messages.forget(message)
        if message is interaction.original:
            interaction.original, interaction.loading = None, False
        else:
            interaction.followups.remove(message)
        return None
