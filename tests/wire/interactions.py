"""Interactions: three seconds to acknowledge, one initial response, a token that lasts fifteen minutes."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Literal

from tests.wire.api import Call, Files, Handler, RefusedError
from tests.wire.entities import LOADING, Channel, Json, Message, User
from tests.wire.faults import Faults
from tests.wire.messages import Messages

__all__ = ["Interaction", "Interactions", "Trigger"]

Trigger = Literal["command", "button", "autocompletion", "modal"]
_TYPES: dict[Trigger, int] = {"command": 2, "button": 3, "autocompletion": 4, "modal": 5}
# Types of the initial response
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _CHOICES, _MODAL = 4, 5, 6, 8, 9
_ALLOWED: dict[Trigger, set[int]] = {
    "command": {_MESSAGE, _DEFERRED, _MODAL},
    "button": {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _MODAL},
    "autocompletion": {_CHOICES},
    "modal": {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE},
}
# Types of a message
_REPLY, _BY_COMMAND = 19, 20


@dataclass(slots=True, eq=False)
class Interaction:
    """One use of a command, button or modal, with the bot's responses so far."""

    id: int
    token: str
    trigger: Trigger
    name: str
    """The command's name, the button's label or the modal's title."""
    user: User
    channel: Channel
    data: Json
    owners: dict[str, str]
    """Who installed the application: `authorizing_integration_owners`."""
    message: Message | None = None
    """The message with the button; of a modal, the one with the button that opened it."""
    born: float = field(default_factory=time.monotonic)
    response: int | None = None
    """The type of the initial response."""
    acknowledged_after: float | None = None
    original: Message | None = None
    """The message of the initial response; of an update, the one with the button."""
    edits: list[Json] = field(default_factory=list)
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None

    @property
    def thinking(self) -> bool:
        """Whether people see "is thinking"."""
        return self.original is not None and not self.original.deleted and bool(self.original.flags & LOADING)

    @property
    def outcome(self) -> Message | None:
        """The finished response: the original message, or the last follow-up."""
        changed = self.response != _DEFERRED_UPDATE or self.edits
        if self.original is not None and not self.original.deleted and not self.thinking and changed:
            return self.original
        return self.followups[-1] if self.followups else None

    def metadata(self) -> Json:
        metadata = {"id": str(self.id), "type": _TYPES[self.trigger], "user": self.user.payload()}
        return metadata | {"authorizing_integration_owners": self.owners}

    def payload(self, application_id: int, message: Json | None) -> Json:
        """Return the interaction object; `message` is the payload of `self.message`."""
        channel, guild = self.channel, self.channel.guild
        payload: Json = {
            "id": str(self.id), "application_id": str(application_id), "type": _TYPES[self.trigger],
            "version": 1, "data": self.data, "token": self.token, "locale": self.user.locale,
            "entitlements": [], "channel": channel.payload(), "channel_id": str(channel.id),
            "context": channel.context, "app_permissions": str(int(channel.app_permissions)),
            "attachment_size_limit": 10_485_760, "authorizing_integration_owners": self.owners,
        }  # fmt: skip
        payload |= {"message": message} if message else {}
        if guild is None:
            return payload | {"user": self.user.payload()}
        partial = {"id": str(guild.id), "locale": guild.locale, "features": []}
        payload |= {"guild_id": str(guild.id), "guild_locale": guild.locale, "guild": partial}
        return payload | {"member": guild.member(self.user)}


class Interactions:
    """Every interaction, and the routes on which the bot responds."""

    def __init__(self, messages: Messages, faults: Faults) -> None:
        self.messages, self.faults = messages, faults
        self.world, self.log = messages.world, messages.log
        self.all: list[Interaction] = []
        self.acknowledge_within, self.token_lifetime = 3.0, 15 * 60.0
        self.clock_ahead = 0.0
        """Seconds by which the clock for tokens has been moved forward."""

    def routes(self) -> dict[str, Handler]:
        return {
            "POST /interactions/{id}/{token}/callback": self._respond,
            "POST /webhooks/{application}/{token}": self._follow_up,
            "PATCH /webhooks/{application}/{token}/messages/@original": self._edit,
            "DELETE /webhooks/{application}/{token}/messages/@original": self._delete,
        }

    async def begin(
        self, trigger: Trigger, user: User, channel: Channel, name: str, data: Json,
        message: Message | None = None, *, by_user: bool = False,
    ) -> Interaction:  # fmt: skip
        """Make an interaction and send it to the bot; `by_user` means that the user has installed the bot."""
        guild = channel.guild
        owners = {"0": str(guild.id) if guild else "0"} if guild is None or guild.bot else {}
        owners |= {"1": str(user.id)} if by_user else {}
        identity, token = self.world.new_id(), secrets.token_hex(24)
        interaction = Interaction(identity, token, trigger, name, user, channel, data, owners, message)
        self.all.append(interaction)
        asyncio.get_running_loop().call_later(self.acknowledge_within, self._judge, interaction)
        shown = self.messages.payload(message) if message is not None else None
        payload = interaction.payload(self.world.application_id, shown)
        await self.messages.gateway.dispatch("INTERACTION_CREATE", payload, guild.id if guild else None)
        return interaction

    def _judge(self, interaction: Interaction) -> None:
        if interaction in self.all and interaction.response is None and not self.faults.used:
            late = f"{interaction.name} was not acknowledged within {self.acknowledge_within} s"
            self.log.violations.append(late)

    def unfinished(self) -> list[str]:
        """Return the names of interactions whose users still wait, though the bot could respond."""
        return [
            interaction.name
            for interaction in self.all
            if not self._expired(interaction)
            if interaction.thinking or (interaction.response is None and not self.faults.used)
        ]

    def _expired(self, interaction: Interaction) -> bool:
        return time.monotonic() + self.clock_ahead - interaction.born > self.token_lifetime

    def _of_token(self, call: Call) -> Interaction | None:
        return next((known for known in self.all if known.token == call.params["token"]), None)

    async def _respond(self, call: Call) -> Json:
        interaction = self._of_token(call)
        after = time.monotonic() - interaction.born if interaction is not None else 0.0
        if interaction is None or after > self.acknowledge_within:
            raise RefusedError(404, 10062, "Unknown interaction", violation=not self.faults.used)
        if interaction.response is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        kind, data = call.body["type"], call.body.get("data") or {}
        if kind not in _ALLOWED[interaction.trigger]:
            raise RefusedError(400, 50035, f"A {interaction.trigger} takes no response of type {kind}")
        self.messages.check(data)
        interaction.response, interaction.acknowledged_after = kind, after
        await self._apply(interaction, data, call.files)
        return {"interaction": {"id": str(interaction.id), "type": _TYPES[interaction.trigger]}}

    async def _apply(self, interaction: Interaction, data: Json, files: Files) -> None:
        kind = interaction.response
        if kind == _CHOICES:
            interaction.choices = data["choices"]
        elif kind == _MODAL:
            interaction.modal = data
        elif kind in {_MESSAGE, _DEFERRED}:
            flags = LOADING if kind == _DEFERRED else 0
            interaction.original = await self._make(interaction, data, files, flags)
        else:
            interaction.original = interaction.message

    async def _make(self, interaction: Interaction, body: Json, files: Files, flags: int = 0) -> Message:
        kind = _BY_COMMAND if interaction.trigger == "command" else _REPLY if interaction.message else 0
        message = self.messages.make(
            interaction.channel, self.world.bot, body, files, flags=flags, webhook=True, kind=kind,
            interaction=interaction.metadata(), reply_to=interaction.message,
        )  # fmt: skip
        await self.messages.announce(message)
        return message

    def _acknowledged(self, call: Call) -> Interaction:
        interaction = self._of_token(call)
        if interaction is None or interaction.response is None:
            raise RefusedError(404, 10015, "Unknown Webhook", violation=not self.faults.used)
        if self._expired(interaction):
            raise RefusedError(401, 50027, "Invalid Webhook Token", violation=False)
        return interaction

    def _original(self, call: Call) -> tuple[Interaction, Message]:
        interaction = self._acknowledged(call)
        if interaction.original is None or interaction.original.deleted:
            raise RefusedError(404, 10008, "Unknown Message", violation=False)
        return interaction, interaction.original

    async def _follow_up(self, call: Call) -> Json:
        interaction = self._acknowledged(call)
        self.messages.check(call.body)
        interaction.followups.append(await self._make(interaction, call.body, call.files))
        return self.messages.payload(interaction.followups[-1])

    async def _edit(self, call: Call) -> Json:
        interaction, message = self._original(call)
        message.flags &= ~LOADING
        interaction.edits.append(call.body)
        return await self.messages.change(message, call)

    async def _delete(self, call: Call) -> None:
        await self.messages.delete(self._original(call)[1])
