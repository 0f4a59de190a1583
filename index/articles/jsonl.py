"""The reader of JSON Lines: each line is an article, an object with "id", "text" and the fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from index.articles.article import BLANKS, ParsedArticle, RefusedError
from index.articles.folder import MAX_BYTES, NOT_UTF8, TOO_LARGE, SourceFile

__all__ = ["read_json_lines"]


def read_json_lines(file: SourceFile) -> Iterator[ParsedArticle | RefusedError]:
    """Read an article a line; blank lines are skipped.

    Raises:
        RefusedError: the file cannot be read or is empty, or a line is too large to read on.
    """
    is_empty = True
    number = 0
    with file.open() as lines:
        while line := lines.readline(MAX_BYTES + 1):
            number += 1
            if len(line) > MAX_BYTES:
                raise RefusedError(TOO_LARGE, number)
            if line.decode(errors="replace").strip(BLANKS):
                is_empty = False
                yield _parse(line, number)
    if is_empty:
        raise RefusedError("empty")


def _parse(line: bytes, number: int) -> ParsedArticle | RefusedError:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return RefusedError(NOT_UTF8.format(line[error.start]), number)
    except json.JSONDecodeError as error:
        return RefusedError(f"not JSON: {error.msg} (column {error.colno})", number)
    except (ValueError, RecursionError):
        return RefusedError("not JSON: nested too deeply, or a number is too long", number)
    if not isinstance(row, dict):
        return RefusedError("not a JSON object", number)
    return _check_object(row, number)


def _check_object(row: dict[str, Any], number: int) -> ParsedArticle | RefusedError:
    identity, body = row.get("id"), row.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int) or not str(identity).strip():
        return RefusedError('"id" is missing, empty or not a string', number)
    if not isinstance(body, str):
        return RefusedError('"text" is missing or not a string', number)
    return ParsedArticle(str(identity), row, body, line=number)
