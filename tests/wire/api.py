"""Requests to the HTTP API, Discord's error responses, and its limits on lengths and counts as one table.

The shape of a request is not checked here but by Discord's own OpenAPI document (see `tests.wire`).
Text is measured in UTF-16 code units, the strictest way in which Discord counts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["Call", "Files", "Handler", "RefusedError", "check"]

Files = list[tuple[str, bytes]]
"""Uploaded files: name and content."""


class RefusedError(Exception):
    """A request that Discord answers with an error; `code` is Discord's JSON error code.

    `violation` is false if a well-behaved bot can run into the error, such as a message deleted meanwhile.
    """

    def __init__(self, status: int, code: int, message: str, *, violation: bool = True) -> None:
        super().__init__(message)
        self.status, self.violation = status, violation
        self.body = {"message": message, "code": code}


@dataclass(slots=True)
class Call:
    """A request as its handler sees it: the parameters of its path, its JSON body, uploaded files."""

    params: dict[str, str]
    body: Any = None
    files: Files = field(default_factory=list)

    async def read(self, request: web.Request) -> None:
        """Read the body: JSON, or a multipart form with `payload_json` and files.

        Raises:
            RefusedError: it is not JSON.
        """
        content: Any
        if request.content_type == "multipart/form-data":
            form = await request.post()
            content = form["payload_json"]
            uploads = [part for part in form.values() if isinstance(part, web.FileField)]
            self.files = [(upload.filename, upload.file.read()) for upload in uploads]
        else:
            content = await request.read()
        try:
            self.body = json.loads(content) if content else None
            json.dumps(self.body, ensure_ascii=False).encode()  # fails on half a surrogate pair
        except ValueError:
            raise RefusedError(400, 50109, "The request body contains invalid JSON.") from None


Handler = Callable[[Call], Awaitable[Any]]
"""Returns the JSON of the response, or None for 204; raises RefusedError."""

_LIMITS = {
    # A message
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
    # A modal
    "title": (1, 45),
    "custom_id": (1, 100),
    "components.label": (1, 45),
    "components.description": (0, 100),
    "components.component.custom_id": (1, 100),
    "components.component.options": (2, 10),
    "components.component.options.label": (1, 100),
    "components.component.options.value": (1, 100),
    # Autocompletion
    "choices": (0, 25),
    "choices.name": (1, 100),
    "choices.value": (1, 100),
    # A list of commands
    "": (0, 100),
    "name": (1, 32),
    "description": (0, 100),
    "options": (0, 25),
    "options.name": (1, 32),
    "options.description": (1, 100),
}
"""The minimum and maximum of a text's units or a list's elements, by path; list indexes are left out."""
_MAX_EMBEDS, _MAX_COMMAND = 6000, 8000
"""The most units of text in a message's embeds together, and in one command."""
_TEXTS = ("title", "description", "text", "name", "value")


def check(body: Any) -> None:
    """Check a message, modal, autocompletion or list of commands against the limits.

    Raises:
        RefusedError: a limit is exceeded.
    """
    problems, custom_ids = [], Counter[str]()
    for path, value in _walk(body, ""):
        if path.endswith("custom_id"):
            custom_ids[value] += 1
        if path in _LIMITS and isinstance(value, str | list):
            low, high = _LIMITS[path]
            # Discord strips text before it checks the minimum, and not before the maximum.
            least, most = (_size(value.strip()), _size(value)) if isinstance(value, str) else [len(value)] * 2
            if least < low or most > high:
                problems.append(f"{path}: {most}, not {low} to {high}")
    problems += [f"custom_id {name}: used {count} times" for name, count in custom_ids.items() if count > 1]
    if isinstance(body, dict) and sum(map(_total, body.get("embeds") or [])) > _MAX_EMBEDS:
        problems.append("embeds: too much text in total")
    if isinstance(body, list) and max(map(_total, body), default=0) > _MAX_COMMAND:
        problems.append("a command has too much text in total")
    if problems:
        raise RefusedError(400, 50035, f"Invalid Form Body: {problems}")


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value in a body with its path; nested options count as options."""
    yield re.sub(r"^(options\.)+", "options.", path), value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict):
                yield from _walk(inner, path)


def _total(body: Any) -> int:
    """Return the units of all the text that people read in an embed or a command."""
    texts = [text for path, text in _walk(body, "") if path.endswith(_TEXTS) and isinstance(text, str)]
    return sum(map(_size, texts))
