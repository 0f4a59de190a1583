"""What an account may do in a channel, computed from roles and overwrites as Discord documents it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.wire.records import Json

__all__ = [
    "ADD_REACTIONS",
    "ADMINISTRATOR",
    "ALL",
    "ATTACH_FILES",
    "CREATE_PUBLIC_THREADS",
    "EMBED_LINKS",
    "EVERYDAY",
    "MANAGE_GUILD",
    "MANAGE_MESSAGES",
    "MANAGE_THREADS",
    "MENTION_EVERYONE",
    "OF_DIRECT_MESSAGES",
    "OF_RESPONSES",
    "READ_MESSAGE_HISTORY",
    "SEND_MESSAGES",
    "SEND_MESSAGES_IN_THREADS",
    "USE_APPLICATION_COMMANDS",
    "VIEW_CHANNEL",
    "Overwrite",
    "with_overwrites",
]

ADMINISTRATOR, MANAGE_GUILD, ADD_REACTIONS = 1 << 3, 1 << 5, 1 << 6
VIEW_CHANNEL, SEND_MESSAGES, MANAGE_MESSAGES = 1 << 10, 1 << 11, 1 << 13
EMBED_LINKS, ATTACH_FILES, READ_MESSAGE_HISTORY, MENTION_EVERYONE = 1 << 14, 1 << 15, 1 << 16, 1 << 17
_EXTERNAL_EMOJIS = 1 << 18
USE_APPLICATION_COMMANDS, MANAGE_THREADS, CREATE_PUBLIC_THREADS = 1 << 31, 1 << 34, 1 << 35
SEND_MESSAGES_IN_THREADS, _EXTERNAL_APPS = 1 << 38, 1 << 50

ALL = (1 << 53) - 1
EVERYDAY = (
    VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_MESSAGE_HISTORY | ADD_REACTIONS
    | USE_APPLICATION_COMMANDS | CREATE_PUBLIC_THREADS | SEND_MESSAGES_IN_THREADS | _EXTERNAL_APPS
)  # fmt: skip
"""What everyone may do in a new server, as far as it matters here."""
OF_DIRECT_MESSAGES = ATTACH_FILES | EMBED_LINKS | MENTION_EVERYONE | _EXTERNAL_EMOJIS
"""`app_permissions` in direct messages with the bot."""
OF_RESPONSES = OF_DIRECT_MESSAGES
"""All that an app without a bot in the place can use: only responses to interactions."""


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel takes from, or gives to, one role or member."""

    member: bool
    denied: int = 0
    allowed: int = 0

    def payload(self, whom: int) -> Json:
        """Return the overwrite object."""
        kind = 1 if self.member else 0
        return {"id": str(whom), "type": kind, "allow": str(self.allowed), "deny": str(self.denied)}


def with_overwrites(
    base: int, overwrites: dict[int, Overwrite], everyone: int, roles: Iterable[int], member: int
) -> int:
    """Return the permissions in a channel: everyone's overwrite, then the roles' together, then the member's.

    Who may not view the channel may do nothing in it.
    """
    held = [overwrites[role] for role in roles if role in overwrites]
    denied, allowed = 0, 0
    for one in held:
        denied |= one.denied
        allowed |= one.allowed
    for step in (overwrites.get(everyone), Overwrite(False, denied, allowed), overwrites.get(member)):
        if step is not None:
            base = base & ~step.denied | step.allowed
    return base if base & VIEW_CHANNEL else 0
