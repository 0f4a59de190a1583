"""Interactions: three seconds to acknowledge, one initial response, a token for fifteen minutes."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.wire.api import Call, Files, Handler
from tests.wire.faults import Faults
from tests.wire.limits import RefusedError, check
from tests.wire.messages import Messages
from tests.wire.world import LOADING, Channel, Json, Message, User

__all__ = ["Interaction", "Interactions", "Use"]

Use = Literal["command", "button", "suggestion", "form"]
_TYPES: dict[Use, int] = {"command": 2, "button": 3, "suggestion": 4, "form": 5}
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _FORM = 4, 5, 6, 7, 8, 9
_TAKES: dict[Use, set[int]] = {
    "command": {_MESSAGE, _DEFERRED, _FORM},
    "button": {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _FORM},
    "suggestion": {_CHOICES},
    "form": {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE},
}
_BY_COMMAND, _REPLY = 20, 19


@dataclass(slots=True, eq=False)
class Interaction:
    """One use of a command, button or form, and what the bot has done about it."""

    id: int
    token: str
    use: Use
    name: str
    """The command's name, the button's label or the form's title."""
    user: User
    channel: Channel
    data: Json
    owners: dict[str, str]
    """Who installed the application, as `authorizing_integration_owners` has it."""
    message: Message | None = None
    """The message that the button is under, also of the form that it opened."""
    born: float = field(default_factory=time.monotonic)
    response: int | None = None
    """The type of the initial response, once there is one."""
    acknowledged_after: float | None = None
    excused: bool = False
    """Whether Discord itself kept the bot from acknowledging in time."""
    private: bool = False
    original: Message | None = None
    """The message of the initial response; of an update, the one that the button is under."""
    edits: list[Json] = field(default_factory=list)
    followups: list[Message] = field(default_factory=list)
    form: Json | None = None
    choices: list[Json] | None = None

    @property
    def thinking(self) -> bool:
        """Whether people see "is thinking"."""
        return self.original is not None and not self.original.deleted and bool(self.original.flags & LOADING)

    @property
    def outcome(self) -> Message | None:
        """The finished response: the message, else the last follow-up."""
        changed = self.response != _DEFERRED_UPDATE or self.edits
        if self.original is not None and not self.original.deleted and not self.thinking and changed:
            return self.original
        return self.followups[-1] if self.followups else None

    def metadata(self) -> Json:
        """Return what a response says of the interaction."""
        about = {"id": str(self.id), "type": _TYPES[self.use], "user": self.user.payload()}
        return about | {"authorizing_integration_owners": self.owners}

    def payload(self, application_id: int, message: Json | None) -> Json:
        """Return the interaction object; `message` is the payload of the message that it is about."""
        where, guild = self.channel, self.channel.guild
        event: Json = {
            "id": str(self.id), "application_id": str(application_id), "type": _TYPES[self.use], "version": 1,
            "data": self.data, "token": self.token, "locale": self.user.locale, "entitlements": [],
            "channel": where.payload(), "channel_id": str(where.id), "context": where.context,
            "app_permissions": str(int(where.app_permissions)), "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": self.owners,
        }  # fmt: skip
        event |= {"message": message} if message else {}
        if guild is None:
            return event | {"user": self.user.payload()}
        of_guild = {"id": str(guild.id), "locale": guild.locale, "features": []}
        about = {"guild_id": str(guild.id), "guild_locale": guild.locale, "guild": of_guild}
        return event | about | {"member": guild.member(self.user)}


class Interactions:
    """Every interaction, and the routes by which the bot responds."""

    def __init__(self, messages: Messages, faults: Faults) -> None:
        self.messages, self.faults = messages, faults
        self.world, self.log = messages.world, messages.log
        self.all: list[Interaction] = []
        self.acknowledge_within, self.token_life = 3.0, 15 * 60.0
        self.clock_ahead = 0.0
        """Seconds by which the clock of the tokens has been moved forward."""

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "POST /interactions/{id}/{token}/callback": self._respond,
            "POST /webhooks/{application}/{token}": self._follow_up,
            "PATCH /webhooks/{application}/{token}/messages/@original": self._edit,
            "DELETE /webhooks/{application}/{token}/messages/@original": self._delete,
        }

    async def begin(self, use: Use, user: User, channel: Channel, name: str, **more: Any) -> Interaction:
        """Have somebody use something: make the interaction and tell the bot."""
        made = Interaction(self.world.new_id(), secrets.token_hex(24), use, name, user, channel, **more)
        made.excused = self.faults.paused
        self.all.append(made)
        asyncio.get_running_loop().call_later(self.acknowledge_within, self._judge, made)
        message = self.messages.seen(made.message) if made.message is not None else None
        event = made.payload(self.world.application_id, message)
        guild = channel.guild
        await self.messages.gateway.dispatch("INTERACTION_CREATE", event, guild.id if guild else None)
        return made

    def _judge(self, made: Interaction) -> None:
        if made in self.all and made.response is None and not made.excused:
            self.log.violations.append(f"{made.name} was not acknowledged in {self.acknowledge_within} s")

    def excuse(self, path: str) -> None:
        """Blame nobody for a late acknowledgement of the interaction that a path is about."""
        for one in self.all:
            one.excused |= path.startswith(f"/interactions/{one.id}/")

    def unfinished(self) -> list[str]:
        """Name the interactions whose users see no end, though the bot could still give one."""
        alive = [one for one in self.all if not self._expired(one)]
        return [one.name for one in alive if one.thinking or (one.response is None and not one.excused)]

    def _expired(self, made: Interaction) -> bool:
        return time.monotonic() + self.clock_ahead - made.born > self.token_life

    async def _respond(self, call: Call) -> Any:
        made = next((one for one in self.all if str(one.id) == call.params["id"]), None)
        if made is None or made.token != call.params["token"]:
            raise RefusedError(404, 10062, "Unknown interaction")
        if made.response is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        after = time.monotonic() - made.born
        if after > self.acknowledge_within:
            raise RefusedError(404, 10062, "Unknown interaction", violation=not made.excused)
        kind, data = call.body["type"], call.body.get("data") or {}
        if kind not in _TAKES[made.use] or (kind in {_DEFERRED_UPDATE, _UPDATE} and made.message is None):
            raise RefusedError(400, 50035, f"A {made.use} takes no response of type {kind}")
        check(data)
        made.response, made.acknowledged_after = kind, after
        await self._take(made, data, call.files)
        return self._result(made) if call.query.get("with_response") else None

    async def _take(self, made: Interaction, data: Json, files: Files) -> None:
        if made.response == _CHOICES:
            made.choices = data["choices"]
        elif made.response == _FORM:
            made.form = data
        elif made.response in {_MESSAGE, _DEFERRED}:
            made.original = await self._make(made, data, files, LOADING if made.response == _DEFERRED else 0)
            made.private = made.original.private
        elif made.message is not None:
            made.original, made.private = made.message, made.message.private
            if made.response == _UPDATE:
                await self._change(made, made.message, data, files)

    async def _make(self, made: Interaction, body: Json, files: Files, flags: int = 0) -> Message:
        kind = _BY_COMMAND if made.use == "command" else _REPLY if made.message else 0
        about: Json = {
            "webhook": True,
            "interaction": made.metadata(),
            "kind": kind,
            "reply_to": made.message,
        }
        message = self.messages.make(made.channel, self.world.bot, body, files, flags=flags, **about)
        await self.messages.announce(message)
        return message

    def _result(self, made: Interaction) -> Json:
        about: Json = {"id": str(made.id), "type": _TYPES[made.use]}
        resource: Json = {"type": made.response}
        if made.original is not None:
            about |= {
                "response_message_id": str(made.original.id), "response_message_loading": made.thinking,
                "response_message_ephemeral": made.private,
            }  # fmt: skip
            if made.response in {_MESSAGE, _UPDATE}:
                resource["message"] = self.messages.seen(made.original)
        return {"interaction": about, "resource": resource}

    def _of_token(self, call: Call) -> Interaction:
        made = next((one for one in self.all if one.token == call.params["token"]), None)
        if made is not None and self._expired(made):
            raise RefusedError(401, 50027, "Invalid Webhook Token", violation=False)
        if made is None or made.response is None:
            raise RefusedError(404, 10015, "Unknown Webhook", violation=made is None or not made.excused)
        return made

    def _original(self, call: Call) -> tuple[Interaction, Message]:
        made = self._of_token(call)
        if made.original is None or made.original.deleted:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        return made, made.original

    async def _follow_up(self, call: Call) -> Any:
        made = self._of_token(call)
        if made.thinking:  # the first follow-up takes the place of "is thinking"
            return await self._edit(call)
        check(call.body)
        made.followups.append(await self._make(made, call.body, call.files))
        return self.messages.seen(made.followups[-1])

    async def _edit(self, call: Call) -> Any:
        made, message = self._original(call)
        await self._change(made, message, call.body, call.files)
        return self.messages.seen(message)

    async def _change(self, made: Interaction, message: Message, body: Json, files: Files) -> None:
        self.messages.change(message, body, files)
        message.flags &= ~LOADING
        made.edits.append(body)
        await self.messages.announce(message, "MESSAGE_UPDATE")

    async def _delete(self, call: Call) -> Any:
        await self.messages.delete(self._original(call)[1])
