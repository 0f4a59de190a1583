"""Per-server settings: where and how the bot answers, inherited from the server by channels and threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["AnswersTo", "ChannelSettings", "Overrides", "change", "load"]


class AnswersTo(StrEnum):
    """What the bot answers in a channel: messages that address it, every question, or nothing."""

    MENTIONS = "mentions"
    QUESTIONS = "questions"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The settings in effect in a channel; the defaults apply where nothing was set."""

    answers: AnswersTo = AnswersTo.MENTIONS
    private: bool = False  # answers to commands are shown only to the asker
    language: str = "auto"  # of the bot's own words: a tag such as "en" or "pt-BR", or "auto"
    helper_role: int | None = None  # to whom, or where, a question may be passed on
    helper_channel: int | None = None
    tell_gaps: bool = False  # a channel is told when a question that was asked there can be answered
    collection: str | None = None  # the name of what is asked there; "" and None: the default collection


# What was set in one server: for the whole server (None), then by channel.
Overrides = Mapping[int | None, Mapping[str, Any]]

_TYPES: dict[str, Callable[[Any], object]] = {
    "answers": AnswersTo,
    "private": bool,
    "language": str,
    "helper_role": int,
    "helper_channel": int,
    "tell_gaps": bool,
    "collection": str,
}
_COLUMNS = ", ".join(_TYPES)


def load(connection: sqlite3.Connection) -> dict[int, Overrides]:
    """Return what was set, by server."""
    servers: dict[int, dict[int | None, dict[str, Any]]] = {}
    query = f"SELECT server, channel, {_COLUMNS} FROM settings ORDER BY server, channel"  # noqa: S608 - our own names
    for server, channel, *values in connection.execute(query):
        row = zip(_TYPES.items(), values, strict=True)
        typed = {name: to_type(value) for (name, to_type), value in row if value is not None}
        servers.setdefault(server, {})[channel or None] = typed
    return {**servers}


def change(
    connection: sqlite3.Connection, server: int, channel: int | None, values: Mapping[str, object]
) -> None:
    """Write values (None: inherited) of a channel or the whole server; a row without any value is deleted.

    Raises:
        LookupError: there is no setting of that name.
        ValueError: a setting does not accept the value.
    """
    typed = {name: None if value is None else _TYPES[name](value) for name, value in values.items()}
    for name, value in typed.items():
        connection.execute(
            f"INSERT INTO settings (server, channel, {name}) VALUES (?, ?, ?) "  # noqa: S608 - our own names
            f"ON CONFLICT DO UPDATE SET {name} = excluded.{name}",
            (server, channel or 0, value),
        )
    connection.execute(f"DELETE FROM settings WHERE COALESCE({_COLUMNS}) IS NULL")  # noqa: S608 - our own names
