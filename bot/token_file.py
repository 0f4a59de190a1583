"""The token from where it is kept: the settings, or a file of its own such as Docker and systemd give."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import dotenv
from pydantic import SecretStr

from bot.redaction import hide
from bot.settings import BotSettings
from index.errors import SettingsError

__all__ = ["allows", "exposed", "with_token"]

_LONGEST = 1024
"""Bytes of a token's file; a token has some seventy."""


def with_token(settings: BotSettings) -> BotSettings:
    """Return settings that hold the token, where there is one, and have it hidden in all that is printed.

    It reads a file where the settings name one, so it is called before the event loop runs.

    Raises:
        SettingsError: both the token and a file are given, or the file holds none that can be read.
    """
    file = settings.discord_token_file
    if file is not None:
        if settings.discord_token is not None and settings.discord_token.get_secret_value().strip():
            raise SettingsError(
                "FOOTNOTE_DISCORD_TOKEN and FOOTNOTE_DISCORD_TOKEN_FILE are both set: which one is meant "
                "cannot be told. Take one of them out."
            )
        settings = settings.model_copy(update={"discord_token": SecretStr(_read(file))})
    if settings.discord_token is not None:
        hide(settings.discord_token.get_secret_value())
    return settings


def _read(file: Path) -> str:
    advice = "Write the bot's token into a file, and name it with FOOTNOTE_DISCORD_TOKEN_FILE."
    try:
        # Without waiting: a pipe that nobody writes to would be waited for without end.
        opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            regular = stat.S_ISREG(os.fstat(opened).st_mode)
            data = os.read(opened, _LONGEST + 1) if regular else b""
        finally:
            os.close(opened)
    except OSError as error:
        raise SettingsError(f"{file}, for the token, cannot be read: {error.strerror}. {advice}") from error
    if not regular:
        raise SettingsError(f"{file}, for the token, is no file. {advice}")
    if len(data) > _LONGEST:
        raise SettingsError(f"{file}, for the token, is longer than any token. {advice}")
    if not data.strip():
        raise SettingsError(f"{file}, for the token, is empty. {advice}")
    return data.decode("ascii", "replace").strip()


def exposed(settings: BotSettings) -> Iterator[str]:
    """Yield a line on each file with the token that others on this machine can read."""
    env = Path(".env")
    if allows(env, stat.S_IRGRP | stat.S_IROTH) and _holds_token(env):
        yield f"{env} holds the token and can be read by other users of this machine: chmod 600 {env}"
    file = settings.discord_token_file
    # Not the group: systemd lets the service's user read its credentials by way of it.
    if file is not None and allows(file, stat.S_IROTH):
        yield f"{file} holds the token and can be read by other users of this machine: chmod o= {file}"


def allows(file: Path, what: int) -> bool:
    """Say whether a file's mode has any of these bits; False without a file, or where there are no modes."""
    try:
        return os.name == "posix" and bool(file.stat().st_mode & what)
    except OSError:
        return False


def _holds_token(env: Path) -> bool:
    values = dotenv.dotenv_values(env, encoding="utf-8")
    return any(value for name, value in values.items() if name.upper() == "FOOTNOTE_DISCORD_TOKEN")
