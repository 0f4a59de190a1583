"""Log lines on standard error, as text or JSON, with every token replaced.

A JSON line has the keys `time` (UTC), `level`, `logger` and `message`, `traceback` for an error, and `id`
while a question is answered: eight hex characters that all lines on it share, also those from worker threads
(`asyncio.to_thread` copies the context). The line on an answer adds the fields of `log_answer`. No line holds
a user's id.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pydantic import SecretStr
from pythonjsonlogger.core import RESERVED_ATTRS, merge_record_extra
from pythonjsonlogger.json import JsonFormatter

from bot.credentials import HIDDEN, Redactor
from index.terminal import printable

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.settings import BotSettings

__all__ = ["Way", "begin_question", "log_answer", "set_up_logging"]

_DiscordWay = Literal[
    "slash", "mention", "reply", "direct", "menu", "follow-up", "thread", "forum", "channel"
]
Way = Literal[_DiscordWay, "web", "api", "mcp"]
"""How a question was asked: on Discord by a command, a message or its menu, the follow-up form, or a forum
post; in a browser, by a program, or by an assistant's tool."""

# With an interaction's token anyone can post as the bot for fifteen minutes.
_INTERACTION_TOKEN = re.compile(
    r"""(/(?:webhooks|interactions)/\d+/|['"]token['"]:\ ?['"])[^/\s'"?]+""", re.VERBOSE
)
_question_id: ContextVar[str] = ContextVar("question_id", default="")
_log = logging.getLogger(__name__)


@contextmanager
def begin_question() -> Iterator[str]:
    """Give what is logged inside, by this task and those it starts, a new id; yield the id."""
    token = _question_id.set(secrets.token_hex(4))
    try:
        yield _question_id.get()
    finally:
        _question_id.reset(token)


def log_answer(answer: Answer, settings: BotSettings, *, way: Way, waited_ms: float, **place: object) -> None:
    """Log one line on an answer; the question itself only where FOOTNOTE_LOG_QUESTIONS is on.

    `waited_ms` are the milliseconds in the queue; `place` is where: `server`, `channel` and `collection`.
    """
    fields = {"way": way, "verdict": str(answer.verdict), "confidence": answer.confidence}
    fields |= {"elapsed_ms": answer.elapsed_ms, "waited_ms": round(waited_ms, 1)}
    fields |= {"generation": answer.generation, **place}
    question = answer.question
    shown = {"question": question} if settings.log_questions else {"question_length": len(question)}
    _log.info("Question done", extra=fields | shown)


class _TextLines(logging.Formatter):
    """Formats lines for people: extra fields as name=value, nothing that could steer a terminal."""

    def __init__(self, layout: str, redact: Callable[[str], str]) -> None:
        super().__init__(layout, datefmt="%H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        record.mark = f"[{record.id}] " if hasattr(record, "id") else ""
        return printable(self._redact(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        extra = merge_record_extra(record, {}, [*RESERVED_ATTRS, "id", "mark"])
        fields = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in extra.items())
        return " ".join([super().formatMessage(record), *fields])


class _JsonLines(JsonFormatter):
    """Formats lines for programs."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(message)s", rename_fields={"exc_info": "traceback"})
        self._redact = redact

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: self._redact(v) if isinstance(v, str) else v for key, v in log_data.items()}

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data.update(time=when, level=record.levelname.lower(), logger=record.name)
        super().add_fields(log_data, record, message_dict)


def _mark_question(record: logging.LogRecord) -> bool:
    if question_id := _question_id.get():
        record.id = question_id
    return True


def set_up_logging(
    settings: BotSettings, stream: TextIO | None = None, libraries: Iterable[str] = ()
) -> logging.Handler:
    """Log to standard error (or `stream`) as the settings say, and return the handler.

    Of `libraries`, warnings and errors are logged. At level debug, so is info, and where questions may be
    logged also debug: a platform's library logs whole messages there, with their authors.
    """
    hidden = (value for _, value in settings if isinstance(value, SecretStr))
    hide_secrets = Redactor(*(secret.get_secret_value() for secret in hidden))

    def redact(text: str) -> str:
        return _INTERACTION_TOKEN.sub(rf"\1{HIDDEN}", hide_secrets(text))

    level = logging.getLevelName(settings.log_level.upper())
    debug = level <= logging.DEBUG
    layout = f"%(asctime)s %(levelname)-7s {'%(name)s: ' if debug else ''}%(mark)s%(message)s"
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines(redact) if settings.log_format == "json" else _TextLines(layout, redact))
    handler.addFilter(_mark_question)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(level)
    quiet = (logging.DEBUG if settings.log_questions else logging.INFO) if debug else logging.WARNING
    for name in libraries:
        logging.getLogger(name).setLevel(max(level, quiet))
    return handler
