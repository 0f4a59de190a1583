"""Log lines on standard error: text for people or JSON for programs, in which no token is ever shown.

Each line written while a question is answered carries that question's correlation id, also from a worker
thread to which the context was copied (`asyncio.to_thread` does that; `run_in_executor` does not).

A JSON line is one object with these keys:

- `time`: when, in UTC, as ISO 8601 with milliseconds
- `level`: debug, info, warning, error or critical
- `logger`: which module wrote it
- `message`: what happened
- `id`: the question's correlation id, 8 hex characters; only while a question is answered
- `traceback`: of an error; only where there is one

and where a question was answered (`log_answered`) also:

- `way`: how it was asked (see `Way`)
- `verdict`, `confidence`, `elapsed_ms`, `generation`: as in the answer's own JSON
- `waited_ms`: milliseconds in the queue
- `server`, `channel`: Discord's ids of where it was asked; null in a direct message
- `question` where `FOOTNOTE_LOG_QUESTIONS` is on, else `question_length`, in characters

Nobody's user id is among them.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from bot.answering.answer import Answer
from bot.credentials import HIDDEN, Redactor
from bot.discordapp.delivery import is_ours
from bot.settings import BotSettings
from index.errors import FootnoteError
from index.terminal import printable

__all__ = [
    "JsonFormatter",
    "RedactingFormatter",
    "Way",
    "about",
    "begin_question",
    "correlation",
    "log_answered",
    "set_up_logging",
]

Way = Literal["slash", "mention", "reply", "direct", "menu", "follow-up", "thread", "forum", "channel"]
"""How a question was asked: by command, in a message or its menu, by the follow-up button, or as a post."""

correlation: ContextVar[str] = ContextVar("correlation", default="")
"""The id of the question that is being answered; empty while none is."""

_FORMAT = "%(asctime)s %(levelname)-7s %(mark)s%(message)s"
_DEBUG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(mark)s%(message)s"
# Whoever has an interaction's token can speak as the bot for fifteen minutes; it stands in addresses.
_IN_ADDRESS = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s'\"?]+")
_IN_PAYLOAD = re.compile(r"(['\"]token['\"]: ?['\"])[^'\"]*")

_log = logging.getLogger(__name__)


@contextmanager
def begin_question() -> Iterator[str]:
    """Give what is logged inside, in this task and what it starts, a new correlation id; yield that id."""
    made = secrets.token_hex(4)
    before = correlation.set(made)
    try:
        yield made
    finally:
        correlation.reset(before)


def about(question: str, settings: BotSettings) -> str:
    """Return what a log line may say of a question: its text, quoted, where the settings allow it."""
    if settings.log_questions:
        return printable(json.dumps(question, ensure_ascii=False))
    return f"{len(question)} characters"


def log_answered(  # noqa: PLR0913 - what is worth knowing of an answer
    answer: Answer,
    settings: BotSettings,
    *,
    way: Way,
    server: int | None,
    waited_ms: float,
    channel: int | None = None,
) -> None:
    """Write the one line that says how a question was asked and what came of it, at level info.

    `server` and `channel` are Discord's ids, None in a direct message; `waited_ms` is the time in the queue.
    """
    fields: dict[str, Any] = {
        "way": way,
        "verdict": answer.verdict,
        "confidence": answer.confidence,
        "elapsed_ms": answer.elapsed_ms,
        "waited_ms": round(waited_ms, 1),
        "generation": answer.generation,
        "server": server,
        "channel": channel,
    }
    if settings.log_questions:
        fields["question"] = answer.question
    else:
        fields["question_length"] = len(answer.question)
    _log.info("Question done", extra={"question_fields": fields})


class _Redacting(logging.Formatter):
    """Knows what must not be shown."""

    def __init__(self, layout: str | None, hidden: tuple[str, ...]) -> None:
        super().__init__(layout, datefmt="%H:%M:%S")
        self._redact = Redactor(*hidden)

    def redacted(self, text: str) -> str:
        """Return the text without tokens."""
        text = _IN_ADDRESS.sub(rf"\1{HIDDEN}", self._redact(text))
        return _IN_PAYLOAD.sub(rf"\1{HIDDEN}", text)


class RedactingFormatter(_Redacting):
    """Formats as text, tracebacks included, then takes the tokens out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the lines of a traceback, without tokens and what would steer a terminal."""
        asked = correlation.get()
        record.mark = f"[{asked}] " if asked else ""
        return printable(self.redacted(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Return the line; fields follow as name=value, a value as JSON has it, simple words bare."""
        fields: dict[str, Any] = getattr(record, "question_fields", {})
        pairs = [f"{name}={_bare(value)}" for name, value in fields.items()]
        return " ".join([super().formatMessage(record), *pairs])


def _bare(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+", value):
        return value
    return json.dumps(value, ensure_ascii=False)


class JsonFormatter(_Redacting):
    """Formats as one line of JSON; tokens are taken out of each text before it is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the keys that this module's documentation names."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if asked := correlation.get():
            line["id"] = asked
        line |= getattr(record, "question_fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # As ASCII: half a character, which a message may hold, could not be written otherwise.
        return json.dumps(
            {key: self.redacted(value) if isinstance(value, str) else value for key, value in line.items()}
        )


class _Quieter(logging.Filter):
    """Turns discord.py's tracebacks of trouble that is not ours into a line each: it goes on by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not record.name.startswith("discord"):
            return True
        if str(record.msg).startswith("Attempting a reconnect"):
            told = f"The connection to Discord was lost ({type(error).__name__}). {record.getMessage()}"
        elif isinstance(error, FootnoteError) or not is_ours(error):
            told = f"{record.getMessage()} ({error})"
        else:
            return True
        record.msg, record.args, record.exc_info, record.exc_text = told, None, None, None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def set_up_logging(settings: BotSettings, stream: TextIO | None = None) -> logging.Handler:
    """Write log lines to standard error at the level and in the form of the settings; return the handler.

    Libraries are heard from warnings up. With level debug they are heard from info up, and from debug up only
    where questions may be logged: discord.py's debug lines hold whole messages and who wrote them.
    """
    level = logging.getLevelName(settings.log_level.upper())
    debug = level <= logging.DEBUG
    token = settings.discord_token
    hidden = (token.get_secret_value(),) if token else ()
    handler = logging.StreamHandler(stream or sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter(None, hidden))
    else:
        handler.setFormatter(RedactingFormatter(_DEBUG_FORMAT if debug else _FORMAT, hidden))
    handler.addFilter(_Quieter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    if debug:
        libraries = logging.DEBUG if settings.log_questions else logging.INFO
    else:
        libraries = max(level, logging.WARNING)
    for name in ("discord", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(libraries)
    return handler
