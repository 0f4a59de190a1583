"""One request to the HTTP API: path parameters, query, JSON body, uploaded files."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.wire.limits import MAX_FILE_BYTES, RefusedError

__all__ = ["Call", "Files", "Handler"]

Files = list[tuple[str, bytes]]
"""Uploaded files: name and content."""
Handler = Callable[["Call"], Awaitable[Any]]
"""Returns the JSON of the response, or None for 204; raises RefusedError."""


@dataclass(slots=True)
class Call:
    """A request as its handler sees it."""

    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: Files = field(default_factory=list)

    async def read(self, request: web.Request) -> None:
        """Read the body: JSON, or a multipart form with `payload_json` and files.

        Raises:
            RefusedError: it is neither, or a file is too large.
        """
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                await self._read_part(part)
        elif request.can_read_body:
            self.body = _parse(await request.read())

    async def _read_part(self, part: BodyPartReader) -> None:
        content = bytes(await part.read())
        if part.name == "payload_json":
            self.body = _parse(content)
        elif not re.fullmatch(r"files\[\d+\]", part.name or ""):
            raise RefusedError(400, 50035, f"Invalid Form Body: {part.name}")
        elif len(content) > MAX_FILE_BYTES:
            raise RefusedError(413, 40005, "Request entity too large")
        else:
            self.files.append((part.filename or "", content))


def _parse(body: bytes) -> Any:
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # fails on half a surrogate pair
    except ValueError:
        raise RefusedError(400, 50109, "The request body contains invalid JSON.") from None
    return value
