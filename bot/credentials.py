"""The bot's token: read from the settings or a file of its own, and hidden in everything printed."""

from __future__ import annotations

import base64
import os
import stat
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import SettingsError

if TYPE_CHECKING:
    from bot.settings import BotSettings

__all__ = ["HIDDEN", "Redactor", "exposed_files", "has_mode", "redacted", "with_token"]

HIDDEN = "(token not shown)"
"""What is printed in place of the token."""

_MAX_FILE = 1024
"""Bytes that a token file may have; a token has about seventy."""


class Redactor:
    """Replaces secrets in texts, as they are and in base64."""

    def __init__(self, *secrets: str) -> None:
        """Take the secrets; empty ones are ignored."""
        forms = {form for secret in secrets if secret.strip() for form in _forms(secret.strip())}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with the secrets replaced."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret and its base64, which depends on how many bytes precede it, modulo 3."""
    yield secret
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"." * before + secret.encode()).decode().rstrip("=")
        # Leave out the characters that also hold bits of what precedes and follows.
        yield encoded[skipped : len(encoded) - (len(encoded) % 4 > 0)]


_redactor = Redactor()


def redacted(text: str) -> str:
    """Return a text without the token that `with_token` last returned."""
    return _redactor(text)


def with_token(settings: BotSettings) -> BotSettings:
    """Return the settings with the token, if there is one, and hide it in uncaught errors and in `redacted`.

    Reads a file if the settings name one, so call it before the event loop runs.

    Raises:
        SettingsError: both a token and a file are set, or the file holds no readable token.
    """
    from pydantic import SecretStr

    if settings.discord_token_file is not None:
        if settings.discord_token is not None and settings.discord_token.get_secret_value().strip():
            raise SettingsError(
                "FOOTNOTE_DISCORD_TOKEN and FOOTNOTE_DISCORD_TOKEN_FILE are both set, so it is unclear which "
                "one to use. Remove one of them."
            )
        token = SecretStr(_read(settings.discord_token_file))
        settings = settings.model_copy(update={"discord_token": token})
    if settings.discord_token is not None:
        _hide(settings.discord_token.get_secret_value())
    return settings


def _read(file: Path) -> str:
    advice = "Write the bot's token to a file and set FOOTNOTE_DISCORD_TOKEN_FILE to it."
    try:
        # Non-blocking: opening a pipe that nobody writes to would otherwise wait for ever.
        opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            regular = stat.S_ISREG(os.fstat(opened).st_mode)
            data = os.read(opened, _MAX_FILE + 1) if regular else b""
        finally:
            os.close(opened)
    except OSError as error:
        raise SettingsError(f"The token file {file} cannot be read: {error.strerror}. {advice}") from error
    faults = {
        "is not a file": not regular,
        "is too long": len(data) > _MAX_FILE,
        "is empty": not data.strip(),
    }
    for fault, found in faults.items():
        if found:
            raise SettingsError(f"The token file {file} {fault}. {advice}")
    return data.decode("ascii", "replace").strip()


def _hide(token: str) -> None:
    global _redactor  # noqa: PLW0603 - a process prints to one place
    _redactor = Redactor(token)
    threading.excepthook = sys.unraisablehook = _print_uncaught


def _print_uncaught(event: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
    """Print an exception that a thread or a finalizer raised, without the token."""
    lines = traceback.format_exception(event.exc_type, event.exc_value, event.exc_traceback)
    print(redacted("".join(lines)), end="", file=sys.stderr)  # noqa: T201 - there is nobody to raise it to


def exposed_files(settings: BotSettings) -> Iterator[str]:
    """Yield a line about each file with the token that other users of this machine can read."""
    import dotenv

    env, file = Path(".env"), settings.discord_token_file
    if has_mode(env, stat.S_IRGRP | stat.S_IROTH):
        names = {name.upper() for name, value in dotenv.dotenv_values(env, encoding="utf-8").items() if value}
        if "FOOTNOTE_DISCORD_TOKEN" in names:
            yield f"{env} holds the token, and other users of this machine can read it: chmod 600 {env}"
    # Not the group, which systemd uses to let the service's user read its credentials.
    if file is not None and has_mode(file, stat.S_IROTH):
        yield f"{file} holds the token, and other users of this machine can read it: chmod o= {file}"


def has_mode(file: Path, bits: int) -> bool:
    """Tell whether a file's mode has any of these bits; False without a file, or where there are no modes."""
    try:
        return os.name == "posix" and bool(file.stat().st_mode & bits)
    except OSError:
        return False
