"""What Discord refuses, with its own codes; the least and the most of everything that the bot sends, in a table.

The shape of a request is judged by Discord's own OpenAPI document, from what is recorded (see `tests.wire`).
Texts are counted in UTF-16 code units, the strictest of the ways in which Discord counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

__all__ = ["MOST_BYTES", "RefusedError", "check", "units"]

MOST_BYTES = 10 * 1024 * 1024
"""The largest file that Discord takes."""

_LIMITS = {
    # Of a message
    "content": (0, 2000),
    "embeds": (0, 10),
    "embeds.title": (0, 256),
    "embeds.description": (0, 4096),
    "embeds.fields": (0, 25),
    "embeds.fields.name": (1, 256),
    "embeds.fields.value": (1, 1024),
    "embeds.footer.text": (0, 2048),
    "components": (0, 5),
    "components.components": (1, 5),
    "components.components.label": (1, 80),
    "components.components.custom_id": (1, 100),
    # Of a form
    "title": (1, 45),
    "custom_id": (1, 100),
    "components.label": (1, 45),
    "components.description": (0, 100),
    "components.component.custom_id": (1, 100),
    # Of what is suggested while somebody types
    "choices": (0, 25),
    "choices.name": (1, 100),
    "choices.value": (1, 100),
    # Of a list of commands
    "": (0, 100),
    "name": (1, 32),
    "description": (0, 100),
    "options": (0, 25),
    "options.name": (1, 32),
    "options.description": (1, 100),
}
"""The least and the most units of a text, or elements of a list, by the path to it without numbers."""
_IN_EMBEDS, _IN_A_COMMAND = 6000, 8000
"""The most units of all that is read in a message's embeds, and in a command."""


class RefusedError(Exception):
    """A request that Discord answers with an error; `code` is Discord's own.

    `violation` is False where a well-behaved bot can meet the refusal: a message that is gone, say.
    """

    def __init__(self, status: int, code: int, message: str, *, violation: bool = True) -> None:
        super().__init__(message)
        self.status, self.violation = status, violation
        self.body = {"message": message, "code": code}


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check(body: Any) -> None:
    """Refuse a message, form, list of suggestions or list of commands that breaks a limit.

    Raises:
        RefusedError: it does.
    """
    ids, wrong = Counter[str](), list[str]()
    for path, value in _walk(body, ""):
        ids.update([value] if path.endswith("custom_id") else [])
        if path in _LIMITS and isinstance(value, str | list):
            (low, high), size = _LIMITS[path], units(value.strip()) if isinstance(value, str) else len(value)
            wrong += (
                [] if low <= size and len(value) <= high >= size else [f"{path}: {size} of {low} to {high}"]
            )
    wrong += [f"{count} components {name}" for name, count in ids.items() if count > 1]
    in_embeds = sum(map(_letters, body.get("embeds") or [])) if isinstance(body, dict) else 0
    in_a_command = max(map(_letters, body), default=0) if isinstance(body, list) else 0
    wrong += ["too much in all"] if in_embeds > _IN_EMBEDS or in_a_command > _IN_A_COMMAND else []
    if wrong:
        raise RefusedError(400, 50035, f"Invalid Form Body: {wrong}")


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield all that is in a body with its path; options within options count as options."""
    yield re.sub(r"^(options\.)+", "options.", path), value
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _walk(inner, f"{path}.{key}".lstrip("."))
    for inner in value if isinstance(value, list) else ():
        if isinstance(inner, dict):
            yield from _walk(inner, path)


def _letters(body: Any) -> int:
    """Return the units of all that people read in an embed or a command."""
    read = ("title", "description", "text", "name", "value")
    return sum(units(one) for path, one in _walk(body, "") if path.endswith(read) and isinstance(one, str))
