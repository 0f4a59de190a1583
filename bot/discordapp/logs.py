"""Log lines on standard error, in which no token is ever shown."""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

from bot.settings import BotSettings

__all__ = ["RedactingFormatter", "set_up_logging"]

_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"
_DEBUG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_HIDDEN = "(token not shown)"
# Whoever has an interaction's token can speak as the bot for fifteen minutes; it stands in addresses.
_IN_ADDRESS = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s'\"?]+")
_IN_PAYLOAD = re.compile(r"(['\"]token['\"]: ?['\"])[^'\"]*")


class RedactingFormatter(logging.Formatter):
    """Formats as usual, tracebacks included, then takes the tokens out."""

    def __init__(self, layout: str, secrets: tuple[str, ...]) -> None:
        super().__init__(layout, datefmt="%H:%M:%S")
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the lines of a traceback, without tokens."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _IN_ADDRESS.sub(rf"\1{_HIDDEN}", text)
        return _IN_PAYLOAD.sub(rf"\1{_HIDDEN}", text)


class _Quieter(logging.Filter):
    """Turns discord.py's traceback of a lost connection into one line: it reconnects by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and str(record.msg).startswith("Attempting a reconnect"):
            error = record.exc_info[1]
            record.msg = f"The connection to Discord was lost ({type(error).__name__}). {record.msg}"
            record.exc_info, record.exc_text = None, None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def set_up_logging(settings: BotSettings, stream: TextIO | None = None) -> logging.Handler:
    """Write log lines to standard error at the level that the settings name; return the handler.

    discord.py reports its inner life at that level only when it is debug, and from warnings up otherwise.
    """
    level = logging.getLevelName(settings.log_level.upper())
    debug = level <= logging.DEBUG
    token = settings.discord_token
    secrets = (token.get_secret_value(), token.get_secret_value().strip()) if token else ()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RedactingFormatter(_DEBUG_FORMAT if debug else _FORMAT, secrets))
    handler.addFilter(_Quieter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    quiet = level if debug else max(level, logging.WARNING)
    for name in ("discord", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(quiet)
    return handler
