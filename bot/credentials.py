"""Tokens: the bot's is read from the settings or a file of its own; all are hidden in everything printed."""

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

__all__ = ["HIDDEN", "Redactor", "exposed_files", "has_mode", "hide_tokens", "redacted", "with_token"]

HIDDEN = "(token not shown)"
"""What is printed in place of a token."""

_TOKENS = ("discord_token", "web_token", "web_admin_token")
_MAX_LENGTH = 1024  # characters; a token has about seventy


class Redactor:
    """Replaces secrets in texts, as they are and in base64; an empty one is ignored."""

    def __init__(self, *secrets: str) -> None:
        self._forms: list[str] = []
        for secret in filter(None, map(str.strip, secrets)):
            self._forms.append(secret)
            # Its base64 depends on how many bytes precede it, modulo 3. The characters that also hold bits of
            # what precedes and follows are left out.
            for before, skipped in ((0, 0), (1, 2), (2, 3)):
                encoded = base64.b64encode(b"." * before + secret.encode()).decode().rstrip("=")
                self._forms.append(encoded[skipped : len(encoded) - (len(encoded) % 4 > 0)])

    def __call__(self, text: str) -> str:
        """Return the text with the secrets replaced."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text


_redactor = Redactor()


def redacted(text: str) -> str:
    """Return a text without the tokens that `hide_tokens` was last given."""
    return _redactor(text)


def hide_tokens(settings: BotSettings) -> None:
    """Hide the tokens of the settings in uncaught errors and in what `redacted` returns."""
    global _redactor  # noqa: PLW0603 - a process prints to one place
    tokens = (getattr(settings, name) for name in _TOKENS)
    _redactor = Redactor(*(token.get_secret_value() for token in tokens if token))
    threading.excepthook = sys.unraisablehook = _print_uncaught


def with_token(settings: BotSettings) -> BotSettings:
    """Return the settings with the bot's token from its file, if any; hide this and all others.

    Raises:
        SettingsError: both a token and a file are set, or the file holds no readable token.
    """
    from pydantic import SecretStr

    token = settings.discord_token.get_secret_value().strip() if settings.discord_token else ""
    if settings.discord_token_file is not None:
        if token:
            raise SettingsError(
                "FOOTNOTE_DISCORD_TOKEN and FOOTNOTE_DISCORD_TOKEN_FILE are both set, so it is unclear which "
                "one to use. Remove one of them."
            )
        token = _read(settings.discord_token_file)
    if token:
        settings = settings.model_copy(update={"discord_token": SecretStr(token)})
    hide_tokens(settings)
    return settings


def _read(file: Path) -> str:
    fault = "is not a file"
    try:
        if stat.S_ISREG(file.stat().st_mode):  # opening a pipe that nobody writes to would wait for ever
            token = file.read_text("ascii", "replace").strip()
            if 0 < len(token) <= _MAX_LENGTH:
                return token
            fault = "is too long" if token else "is empty"
    except OSError as error:
        fault = f"cannot be read: {error.strerror}"
    raise SettingsError(
        f"The token file {file} {fault}. Write the bot's token to a file and set "
        "FOOTNOTE_DISCORD_TOKEN_FILE to it."
    )


def _print_uncaught(event: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
    lines = traceback.format_exception(event.exc_type, event.exc_value, event.exc_traceback)
    print(redacted("".join(lines)), end="", file=sys.stderr)  # noqa: T201 - there is nobody to raise it to


def exposed_files(settings: BotSettings) -> Iterator[str]:
    """Yield a line about each file with a token that other users of this machine can read."""
    from index.settings import read_variables

    in_file, _ = read_variables()
    if not in_file.keys().isdisjoint(_TOKENS) and has_mode(Path(".env"), stat.S_IRGRP | stat.S_IROTH):
        yield ".env holds a token, and other users of this machine can read it: chmod 600 .env"
    file = settings.discord_token_file
    # Not the group, which systemd uses to let the service's user read its credentials.
    if file is not None and has_mode(file, stat.S_IROTH):
        yield f"{file} holds the token, and other users of this machine can read it: chmod o= {file}"


def has_mode(file: Path, bits: int) -> bool:
    """Tell whether a file's mode has any of these bits; False without a file, or where there are no modes."""
    try:
        return os.name == "posix" and bool(file.stat().st_mode & bits)
    except OSError:
        return False
