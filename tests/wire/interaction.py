"""One interaction: a command, button, menu or form that a person used, and what the bot did about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.wire.places import Channel, User
from tests.wire.records import Json

__all__ = [
    "AUTOCOMPLETE",
    "CHOICES",
    "COMMAND",
    "COMPONENT",
    "DEFERRED",
    "DEFERRED_UPDATE",
    "FORM",
    "MESSAGE",
    "MODAL",
    "UPDATE",
    "Interaction",
    "Kind",
]

Kind = Literal["command", "autocomplete", "component", "modal"]

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
_TYPES: dict[Kind, int] = {
    "command": COMMAND,
    "component": COMPONENT,
    "autocomplete": AUTOCOMPLETE,
    "modal": MODAL,
}


@dataclass(slots=True, eq=False)
class Interaction:
    """One use of a command, component or form, and what the bot did about it."""

    id: int
    token: str
    user: User
    channel: Channel
    command: str
    """What was used: a command's name, a button's text, a form's title."""
    born: float
    kind_of_use: Kind = "command"
    data: Json = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Who installed the application, as `authorizing_integration_owners` has it."""
    context: int = 0
    """Where it was used: 0 a server, 1 a direct message with the bot, 2 another private channel."""
    message: Json | None = None
    """The message that the component stands on; of a form, if it came from one."""
    source: Interaction | None = None
    """Of a form: the interaction that it answered."""
    kind: int | None = None
    """The type of the initial response; None until there is one."""
    acknowledged_after: float | None = None
    ephemeral: bool = False
    loading: bool = False
    """Whether people still see "is thinking"."""
    original: Json | None = None
    """The initial response; of an update, the message that the component stands on."""
    modal: Json | None = None
    """The form that the bot answered with."""
    choices: list[Json] | None = None
    """What the bot suggested."""
    excused: bool = False
    """Whether Discord itself kept the bot from acknowledging in time."""
    edited_before: Any = None
    edits: list[Json] = field(default_factory=list)
    followups: list[Json] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What was used, for people: "/ask", "button 'Show context'"."""
        if self.kind_of_use == "autocomplete":
            return f"autocomplete of /{self.command}"
        if self.kind_of_use == "command":
            return f"/{self.command}" if self.data.get("type", 1) == 1 else f"menu {self.command!r}"
        if self.kind_of_use == "modal":
            return f"form {self.command!r}"
        return f"{'button' if self.data.get('component_type') == 2 else 'menu'} {self.command!r}"

    @property
    def type(self) -> int:
        """The interaction type."""
        return _TYPES[self.kind_of_use]

    @property
    def shown(self) -> Json | None:
        """The finished response: the message, else the last follow-up.

        Of a deferred update: the last follow-up, else the message once it has been changed.
        """
        if self.kind == DEFERRED_UPDATE:
            changed = self.original is not None and self.original["edited_timestamp"] != self.edited_before
            return self.followups[-1] if self.followups else self.original if changed else None
        if self.original is not None and not self.loading:
            return self.original
        return self.followups[-1] if self.followups else None

    def metadata(self) -> Json:
        """Return the message interaction metadata of a response."""
        about: Json = {
            "id": str(self.id), "type": self.type, "user": self.user.payload(),
            "authorizing_integration_owners": self.owners,
        }  # fmt: skip
        if self.kind_of_use == "component" and self.message is not None:
            about["interacted_message_id"] = self.message["id"]
        if self.source is not None:
            about["triggering_interaction_metadata"] = self.source.metadata()
        if "target_id" in self.data:
            about["target_message_id"] = self.data["target_id"]
        return about

    def payload(self, message: Json | None, application_id: int) -> Json:
        """Return the interaction as INTERACTION_CREATE carries it; `message` is that of the component."""
        where = self.channel
        guild = where.guild
        event: Json = {
            "id": str(self.id), "application_id": str(application_id), "type": self.type,
            "data": self.data, "version": 1, "token": self.token,
            "locale": self.user.locale, "entitlements": [],
            "channel": where.payload(), "channel_id": str(where.id),
            "app_permissions": str(where.app_permissions(self.user)), "context": self.context,
            "attachment_size_limit": 10_485_760, "authorizing_integration_owners": self.owners,
        }  # fmt: skip
        if message is not None:
            event["message"] = message
        if guild is None:
            return event | {"user": self.user.payload()}
        event["channel"]["permissions"] = str(guild.permissions_of(self.user, where))
        member = guild.member(self.user, full=True, channel=where)
        about = {"id": str(guild.id), "locale": guild.locale, "features": []}
        return event | {
            "guild_id": str(guild.id),
            "guild_locale": guild.locale,
            "guild": about,
            "member": member,
        }
