"""The reader of JSON Lines: each line is an article, an object with "id", "text" and the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from index.articles.article import ParsedArticle, RefusedError
from index.articles.blocks import BLANKS
from index.articles.folder import MAX_BYTES, NOT_UTF8, TOO_LARGE, SourceFile

__all__ = ["read_json_lines"]

_TEXTS = ("text", "content", "body")  # the fields that may hold the text, the first of them first
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]*)"')
_LOOKAHEAD = 64  # bytes that show whether a file is an array


def read_json_lines(file: SourceFile) -> Iterator[ParsedArticle | RefusedError]:
    """Read an article a line; blank lines are skipped.

    Raises:
        RefusedError: the file cannot be read or is empty, or a line is too large to read on.
    """
    is_empty = True
    number = 0
    with file.open() as lines:
        start = lines.read(_LOOKAHEAD)
        lines.seek(0)
        if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            yield from _read_array(file)
            return
        while line := lines.readline(MAX_BYTES + 1):
            number += 1
            if len(line) > MAX_BYTES:
                raise RefusedError(TOO_LARGE, number)
            if line.decode(errors="replace").strip(BLANKS):
                is_empty = False
                yield _parse(line, number)
    if is_empty:
        raise RefusedError("empty")


def _read_array(file: SourceFile) -> Iterator[ParsedArticle | RefusedError]:
    """Read a file that is one JSON array of articles."""
    try:
        rows = json.loads(file.text())
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deeply, or a number is too long")
        raise RefusedError(f"not JSON: {reason}", getattr(error, "lineno", None)) from error
    if not rows:
        raise RefusedError("empty")
    for row in rows:
        yield _check_object(row, None) if isinstance(row, dict) else RefusedError("not a JSON object")


def _parse(line: bytes, number: int) -> ParsedArticle | RefusedError:
    found = _ID.search(line)  # for a line in which a comma is missing, or the end
    identity = found[1].decode(errors="replace") if found else ""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return RefusedError(NOT_UTF8.format(line[error.start]), number, identity)
    except json.JSONDecodeError as error:
        return RefusedError(f"not JSON: {error.msg} (column {error.colno})", number, identity)
    except (ValueError, RecursionError):
        return RefusedError("not JSON: nested too deeply, or a number is too long", number)
    if not isinstance(row, dict):
        return RefusedError("not a JSON object", number)
    return _check_object(row, number)


def _check_object(row: dict[str, Any], number: int | None) -> ParsedArticle | RefusedError:
    identity = row.get("id")
    body = next((row[name] for name in _TEXTS if isinstance(row.get(name), str)), None)
    if isinstance(identity, bool) or not isinstance(identity, str | int) or not str(identity).strip():
        return RefusedError('"id" is missing, empty or not a string', number)
    if body is None:
        return RefusedError('"text" is missing or not a string', number, str(identity))
    return ParsedArticle(str(identity), row, body, line=number)
