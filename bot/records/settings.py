"""Per-server settings: where and how the bot answers, inherited from the server by channels and threads.

All settings are also held in memory, since every message reads them. The file is written first, and memory
then follows the file, so only one process may use the file at a time.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.records.database import atomic

__all__ = ["AnswersTo", "ChannelSettings", "SettingsCache", "validate"]

_WHOLE_SERVER = 0
_LANGUAGE = re.compile(r"auto|[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class AnswersTo(StrEnum):
    """What the bot answers in a channel: messages that address it, every question, or nothing."""

    MENTIONS = "mentions"
    QUESTIONS = "questions"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The settings in effect in a channel; the defaults apply where nothing was set.

    `private`: answers to commands are shown only to the asker. `language`: that of the bot's own words, a tag
    such as "en" or "pt-BR", or "auto". `helper_role` and `helper_channel`: whom a question may be passed on
    to. `tell_gaps`: whether a channel is told when a question that was asked there can be answered.
    """

    answers: AnswersTo = AnswersTo.MENTIONS
    private: bool = False
    language: str = "auto"
    helper_role: int | None = None
    helper_channel: int | None = None
    tell_gaps: bool = False


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value < 2**63


_VALID: dict[str, Callable[[Any], bool]] = {
    "answers": lambda value: value in list(AnswersTo),
    "private": lambda value: isinstance(value, bool),
    "language": lambda value: isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None,
    "helper_role": _is_id,
    "helper_channel": _is_id,
    "tell_gaps": lambda value: isinstance(value, bool),
}
_FROM_SQL: dict[str, Callable[[Any], object]] = {"answers": AnswersTo, "private": bool, "tell_gaps": bool}
_SERVER_ONLY = frozenset({"tell_gaps"})
_COLUMNS = ", ".join(_VALID)


class SettingsCache:
    """All servers' settings in memory; changed on the database's thread, read from any thread."""

    def __init__(self) -> None:
        # A server's mapping is replaced as a whole and never changed, so readers need no lock.
        self._servers: dict[int, Mapping[int, Mapping[str, Any]]] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read the settings of every server."""
        for (server,) in connection.execute("SELECT DISTINCT server FROM settings").fetchall():
            self.refresh(connection, server)

    def refresh(self, connection: sqlite3.Connection, server: int) -> None:
        """Read a server's settings again after they were committed."""
        query = f"SELECT channel, {_COLUMNS} FROM settings WHERE server = ? ORDER BY channel"  # noqa: S608 - our own names
        rows: dict[int, dict[str, Any]] = {}
        for channel, *values in connection.execute(query, (server,)):
            columns = zip(_VALID, values, strict=True)
            rows[channel] = {
                name: _FROM_SQL[name](value) if name in _FROM_SQL else value
                for name, value in columns
                if value is not None
            }
        self._servers[server] = rows

    def effective(self, server: int | None, channel: int | None, parent: int | None) -> ChannelSettings:
        """Return what applies in a channel: its own value, else its parent's, its server's or the default."""
        rows = {} if server is None else self._servers.get(server, {})
        merged: dict[str, Any] = {}
        for place in (_WHOLE_SERVER, parent, channel):  # the nearest last, overriding the others
            if place is not None:
                merged.update(rows.get(place, {}))
        return ChannelSettings(**merged)

    def overview(self, server: int) -> list[tuple[int | None, dict[str, object]]]:
        """Return what was set explicitly: for the whole server (None) first, then by channel."""
        rows = self._servers.get(server, {})
        return [(channel or None, dict(values)) for channel, values in rows.items()]

    def change(
        self, connection: sqlite3.Connection, server: int, channel: int | None, values: Mapping[str, object]
    ) -> None:
        """Write validated values (None: inherited); a row without any value is deleted."""
        place = channel or _WHOLE_SERVER
        with atomic(connection):
            connection.execute(
                "INSERT INTO settings (server, channel) VALUES (?, ?) ON CONFLICT DO NOTHING", (server, place)
            )
            for name, value in values.items():
                statement = f"UPDATE settings SET {name} = ? WHERE server = ? AND channel = ?"  # noqa: S608 - validated
                connection.execute(statement, (value, server, place))
            connection.execute(f"DELETE FROM settings WHERE COALESCE({_COLUMNS}) IS NULL")  # noqa: S608 - our own names
        self.refresh(connection, server)


def validate(channel: int | None, values: Mapping[str, object]) -> None:
    """Check names and values of settings for a channel, or for the whole server (None).

    Raises:
        ValueError: a name is unknown or applies to whole servers only, or a value is not accepted.
    """
    for name, value in values.items():
        if name not in _VALID:
            raise ValueError(f"{name} is not a setting; the settings are {_COLUMNS}")
        if channel is not None and name in _SERVER_ONLY:
            raise ValueError(f"{name} can only be set for the whole server")
        if value is not None and not _VALID[name](value):
            raise ValueError(f"{name} cannot be {value!r}")
