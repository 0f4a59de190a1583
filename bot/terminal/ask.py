"""`footnote ask`: one question, or a batch of them, answered one after the other.

Everything runs in the main thread, so that no event loop or worker has to start before the first answer.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from bot.answering.answer import Answer
from bot.answering.explanation import explanation
from bot.service.answerer import Answerer
from bot.settings import BotSettings
from index.errors import MissingError
from index.terminal import opening

__all__ = ["MAX_LINE", "ask_batch", "ask_once", "bounded_lines"]

MAX_LINE = 4_000_000
"""Bytes that a line of a batch may have; only the beginning of a question is read anyway."""


def ask_once(settings: BotSettings, question: str, *, as_json: bool, explain: bool = False) -> None:
    """Answer one question on standard output.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    with _opened(settings) as answerer:
        _printer(as_json=as_json, explain=explain)({}, answerer.answer(question))


def ask_batch(settings: BotSettings, file: BinaryIO, *, as_json: bool, explain: bool = False) -> int:
    """Answer JSON Lines (objects with a `question`) in order; return how many lines were bad.

    Each answer is flushed as it is made. Blank lines are skipped.

    Raises:
        FootnoteError: the index cannot be opened, or the file cannot be read.
    """
    bad = 0
    with _opened(settings) as answerer:
        print_answer = _printer(as_json=as_json, explain=explain, heading=True)
        for number, line in enumerate(bounded_lines(file), 1):
            if not line.strip():
                continue
            row, fault = _parse(line)
            if not fault:
                print_answer(row, answerer.answer(row["question"]))
                continue
            bad += 1
            if as_json:
                _print_json({**row, "error": f"line {number}: {fault}"})
            else:
                print(f"footnote: line {number}: {fault}", file=sys.stderr, flush=True)  # noqa: T201
    return bad


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield each line; of one that is longer, only the first `MAX_LINE` bytes and one more.

    Raises:
        MissingError: the file cannot be read.
    """

    def read() -> bytes:
        try:
            return file.readline(MAX_LINE + 1)
        except OSError as error:
            raise MissingError(f"the questions cannot be read: {error.strerror}.") from error

    while line := read():
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = read()


@contextmanager
def _opened(settings: BotSettings) -> Iterator[Answerer]:
    with opening():
        answerer = Answerer.open(settings)
    gc.freeze()  # what is loaded now stays, so no collection need traverse it again
    try:
        yield answerer
    finally:
        answerer.close()


def _printer(
    *, as_json: bool, explain: bool, heading: bool = False
) -> Callable[[dict[str, Any], Answer], None]:
    """Return the function that prints an answer, with the keys of the line that asked for it."""
    if as_json:
        return lambda row, answer: _print_json({**row, **_fields(answer, explain)})
    from bot.terminal.rendering import make_console, show

    console = make_console()
    return lambda _, answer: show(console, answer, heading=heading, explain=explain)


def _fields(answer: Answer, explain: bool) -> dict[str, Any]:
    return {**answer.as_json(), **({"explanation": explanation(answer)} if explain else {})}


def _parse(line: bytes) -> tuple[dict[str, Any], str]:
    """Return a line's object, and what is wrong with it, if anything."""
    row: Any = None
    if len(line) > MAX_LINE:
        fault = f"longer than {MAX_LINE:,} bytes"
    else:
        row, fault = _load(line)
    if not fault and not isinstance(row, dict):
        fault = "not a JSON object"
    row = row if isinstance(row, dict) else {}
    if not fault and not isinstance(row.get("question"), str):
        fault = 'has no "question" (a string)'
    return {"question": None, **row}, fault


def _load(line: bytes) -> tuple[Any, str]:
    try:
        row = json.loads(line.decode("utf-8-sig"))
        # Infinite numbers and deep nesting could not be printed again; four levels of margin.
        json.dumps([[[[row]]]], allow_nan=False)
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg}"
    except (ValueError, RecursionError):
        return None, "not JSON: a number is too large, or a list nested too deep"
    return row, ""


def _print_json(fields: dict[str, Any]) -> None:
    # As ASCII: some readers end a line at U+2028, and some are not UTF-8.
    print(json.dumps(fields), flush=True)  # noqa: T201
