"""One question asked, or a batch of them: answered one after the other in the main thread.

Nothing waits for anything here, so there is neither loop nor thread to start before the first answer.
"""

from __future__ import annotations

import gc
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from bot.answering.answer import Answer
from bot.answering.explanation import explanation
from bot.service.answerer import Serving
from bot.settings import BotSettings
from bot.terminal.lines import LONGEST, lines_of
from index.errors import MissingError
from index.terminal import opening

__all__ = ["ask_batch", "ask_once"]

_DEEPEST = 100
"""Lists and objects within one another that a line may have."""


@contextmanager
def _opened(settings: BotSettings) -> Iterator[Serving]:
    with opening():
        serving = Serving.first(settings)
    gc.freeze()  # what is loaded now stays: no collection need walk it again, least of all at the end
    try:
        yield serving
    finally:
        serving.close()


def ask_once(settings: BotSettings, question: str, *, as_json: bool, explain: bool = False) -> None:
    """Answer one question on standard output.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    with _opened(settings) as serving:
        _printer(as_json=as_json, explain=explain)({}, serving.answer(question, None, None))


def ask_batch(settings: BotSettings, file: BinaryIO, *, as_json: bool, explain: bool = False) -> int:
    """Answer a question a line (JSON objects with a `question`), in order; return how many lines were bad.

    Each answer is flushed as it is made. Blank lines are passed over.

    Raises:
        FootnoteError: the index cannot be opened, or the questions cannot be read.
    """
    bad = 0
    with _opened(settings) as serving:
        tell = _printer(as_json=as_json, explain=explain, heading=True)
        for number, line in _numbered(file):
            row, fault = _parse(line)
            if fault:
                bad += 1
                _print_fault(row, f"line {number}: {fault}", as_json=as_json)
            else:
                tell(row, serving.answer(row["question"], None, None))
    return bad


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers."""
    lines = enumerate(lines_of(file), 1)
    while True:
        try:
            number, line = next(lines)
        except StopIteration:
            return
        except OSError as error:
            raise MissingError(f"the questions cannot be read: {error.strerror}.") from error
        if line.strip():
            yield number, line


def _printer(
    *, as_json: bool, explain: bool, heading: bool = False
) -> Callable[[dict[str, Any], Answer], None]:
    """Return what prints an answer, with the keys of the line that asked for it."""
    if as_json:
        return lambda row, answer: _print_json({**row, **_fields(answer, explain)})
    from bot.terminal.rendering import make_console, show, show_why

    console = make_console()

    def tell(row: dict[str, Any], answer: Answer) -> None:
        show(console, answer, heading=heading)
        if explain:
            show_why(console, answer)

    return tell


def _fields(answer: Answer, explain: bool) -> dict[str, Any]:
    return {**answer.as_json(), **({"explanation": explanation(answer)} if explain else {})}


def _parse(line: bytes) -> tuple[dict[str, Any], str]:
    """Return a line's object, and what is wrong with it, if anything."""
    if len(line) > LONGEST:
        return {"question": None}, f"longer than {LONGEST:,} bytes"
    try:
        row = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        return {"question": None}, "not UTF-8"
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deep, or a number too long")
        return {"question": None}, f"not JSON: {reason}"
    fault = _fault_of(row)
    if isinstance(row, dict) and not _is_deep(row):
        return ({"question": None, **row} if fault else row), fault
    return {"question": None}, fault


def _fault_of(row: object) -> str:
    """Return what is wrong with a line's value; "" where it asks a question."""
    if not isinstance(row, dict):
        return "not a JSON object"
    if _is_deep(row):
        return f"nested more than {_DEEPEST} deep"
    return "" if isinstance(row.get("question"), str) else 'has no "question" (a string)'


def _is_deep(row: object) -> bool:
    """Tell whether values stand within one another so deep that they could not be given back."""
    level = [row]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _values(one)]
    return bool(level)


def _values(one: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return one.values() if isinstance(one, dict) else one


def _no_number(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is no number in JSON", name, 0)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _print_fault(row: dict[str, Any], fault: str, *, as_json: bool) -> None:
    if as_json:
        _print_json({**row, "error": fault})
    else:
        print(f"footnote: {fault}", file=sys.stderr, flush=True)  # noqa: T201


def _print_json(fields: dict[str, Any]) -> None:
    # ASCII, since U+2028 and its like would end the line for some readers, and some are not UTF-8.
    print(json.dumps(fields), flush=True)  # noqa: T201
