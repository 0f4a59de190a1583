"""Settings of servers and channels: where the bot answers, and how.

All of them are held in memory, since each message asks for them; the file is written first, and memory then
follows what the file has. One process at a time may use the file.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.records.transactions import atomic

__all__ = ["AnswersTo", "ChannelSettings", "SettingsTable", "checked"]

_WHOLE_SERVER = 0
_LANGUAGE = re.compile(r"auto|[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class AnswersTo(StrEnum):
    """What the bot answers in a channel: what is addressed to it, every question, or nothing."""

    MENTIONS = "mentions"
    QUESTIONS = "questions"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What holds in a channel; the defaults are what holds where nobody set anything.

    `private`: answers to commands are shown to the asker alone. `language`: of the bot's own words, a tag
    such as "en" or "pt-BR", or "auto". `helper_role` and `helper_channel`: to whom a question may be passed
    on. `tell_gaps`: whether a channel is told once a question that was not answered there has an answer.
    """

    answers: AnswersTo = AnswersTo.MENTIONS
    private: bool = False
    language: str = "auto"
    helper_role: int | None = None
    helper_channel: int | None = None
    tell_gaps: bool = False


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a setting can be: in words, as a test, and made from what the file has."""

    values: str
    accepts: Callable[[object], bool]
    load: Callable[[Any], object]


_FLAG = _Setting("True or False", lambda value: isinstance(value, bool), bool)
_ID = _Setting("an id", lambda value: type(value) is int and 0 < value < 2**63, int)
_SETTINGS = {
    "answers": _Setting(", ".join(AnswersTo), lambda value: value in list(AnswersTo), AnswersTo),
    "private": _FLAG,
    "language": _Setting(
        "auto or a language's tag such as en or pt-BR",
        lambda value: isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None,
        str,
    ),
    "helper_role": _ID,
    "helper_channel": _ID,
    "tell_gaps": _FLAG,
}
_SERVER_WIDE = frozenset({"tell_gaps"})


class SettingsTable:
    """The rows of all servers; changed in the thread of the database, read from any."""

    def __init__(self) -> None:
        # A server's rows are replaced as a whole and never changed, so a reader needs no lock.
        self._servers: dict[int, Mapping[int, Mapping[str, Any]]] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read all that the file has."""
        for (server,) in connection.execute("SELECT DISTINCT server FROM settings").fetchall():
            self.refresh(connection, server)

    def effective(self, server: int | None, channel: int | None, parent: int | None) -> ChannelSettings:
        """Return what holds in a channel: its own value, else its parent's, the server's, the default."""
        if server is None:
            return ChannelSettings()
        rows = self._servers.get(server, {})
        found: dict[str, Any] = {}
        for place in (_WHOLE_SERVER, parent, channel):  # each over those before it
            if place is not None:
                found.update(rows.get(place, {}))
        return ChannelSettings(**found)

    def rows(self, server: int) -> list[tuple[int | None, dict[str, object]]]:
        """Return a server's rows as they were set: the whole server's first (None), then its channels'."""
        return [(place or None, dict(values)) for place, values in self._servers.get(server, {}).items()]

    def change(
        self, connection: sqlite3.Connection, server: int, channel: int | None, values: Mapping[str, object]
    ) -> None:
        """Write checked values (None: as inherited) into a row, which goes where it then has none."""
        place = channel or _WHOLE_SERVER
        with atomic(connection):
            connection.execute(
                "INSERT INTO settings (server, channel) VALUES (?, ?) ON CONFLICT DO NOTHING", (server, place)
            )
            for name, value in values.items():
                statement = f"UPDATE settings SET {name} = ? WHERE server = ? AND channel = ?"  # noqa: S608 - checked
                connection.execute(statement, (value, server, place))
            unset = " AND ".join(f"{name} IS NULL" for name in _SETTINGS)
            connection.execute(f"DELETE FROM settings WHERE {unset}")  # noqa: S608 - our own names
        self.refresh(connection, server)

    def refresh(self, connection: sqlite3.Connection, server: int) -> None:
        """Have of a server what the file has, once that is committed."""
        self._servers[server] = _read(connection, server)


def checked(channel: int | None, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values as they are kept.

    Raises:
        ValueError: no setting has the name, it is the whole server's alone, or the value is none it can have.
    """
    for name, value in values.items():
        if name not in _SETTINGS:
            raise ValueError(f"{name} is no setting; there are {', '.join(_SETTINGS)}")
        if channel is not None and name in _SERVER_WIDE:
            raise ValueError(f"{name} can be set for the whole server only")
        if value is not None and not _SETTINGS[name].accepts(value):
            raise ValueError(f"{name} can be {_SETTINGS[name].values}, not {value!r}")
    return dict(values)


def _read(connection: sqlite3.Connection, server: int) -> dict[int, dict[str, Any]]:
    """Return a server's rows by channel, the whole server's first, without what is inherited."""
    names = ", ".join(_SETTINGS)
    query = f"SELECT channel, {names} FROM settings WHERE server = ? ORDER BY channel"  # noqa: S608 - our own names
    rows: dict[int, dict[str, Any]] = {}
    for place, *values in connection.execute(query, (server,)):
        kept = zip(_SETTINGS.items(), values, strict=True)
        rows[place] = {name: setting.load(value) for (name, setting), value in kept if value is not None}
    return rows
