"""One request of the HTTP API: what it carries, and how Discord refuses it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.wire.limits import MOST_BYTES

__all__ = ["Call", "Handler", "RefusedError", "Upload"]


class RefusedError(Exception):
    """A request that Discord answers with an error; `code` is Discord's own.

    `violation` is False where a well-behaved bot can meet the refusal: a message that is gone, say.
    """

    def __init__(self, status: int, code: int, message: str, *, violation: bool = True) -> None:
        super().__init__(message)
        self.status, self.violation = status, violation
        self.body = {"message": message, "code": code}


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a request; `number` is n of its field files[n]."""

    number: int
    filename: str
    data: bytes


@dataclass(slots=True)
class Call:
    """A request as a handler gets it; a handler returns JSON, or None for 204, or raises RefusedError."""

    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: list[Upload] = field(default_factory=list)

    async def read(self, request: web.Request) -> None:
        """Read the body: JSON, or a form with `payload_json` and files.

        Raises:
            RefusedError: it is neither, or a file is too large.
        """
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                await self._read_part(part)
        elif request.can_read_body:
            self.body = _loaded(await request.read())

    async def _read_part(self, part: BodyPartReader) -> None:
        content, number = bytes(await part.read()), re.fullmatch(r"files\[(\d+)\]", part.name or "")
        if part.name == "payload_json":
            self.body = _loaded(content)
        elif number is None:
            raise RefusedError(400, 50035, f"Invalid Form Body: {part.name}")
        elif len(content) > MOST_BYTES:
            raise RefusedError(413, 40005, "Request entity too large")
        else:
            self.files.append(Upload(int(number[1]), part.filename or "", content))


Handler = Callable[[Call], Awaitable[Any]]


def _loaded(text: bytes) -> Any:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:  # no JSON, or text that is no Unicode (half a surrogate pair)
        raise RefusedError(400, 50109, "The request body contains invalid JSON.") from None
    return found
