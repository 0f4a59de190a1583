"""Request bodies: JSON, or a form with `payload_json` and files; and the files of messages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any

from aiohttp import web

from tests.wire.faults import invalid_form
from tests.wire.records import Json, RefusedError

__all__ = ["BODY", "FILES", "MOST_BYTES", "Upload", "Uploads", "read_body"]

MOST_BYTES = 10 * 1024 * 1024
"""The largest file that Discord takes."""
_MOST_FILES = 10
_WITH_FILES = re.compile(r"/messages(/[^/]+)?$|/callback$|/webhooks/\d+/[^/]+$")
_FIELD = re.compile(r"^files\[(\d+)\]$")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a request; `number` is n of its field files[n]."""

    number: int
    filename: str
    kind: str
    data: bytes


BODY: web.RequestKey[Any] = web.RequestKey("body", object)
"""What a request carries, where it has been read: the JSON, or None."""
FILES: web.RequestKey[list[Upload]] = web.RequestKey("files", list)
"""The files that came with it."""


def _loaded(text: bytes) -> Any:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:  # no JSON, or text that is no Unicode (a lone surrogate)
        raise RefusedError(400, 50109, "The request body contains invalid JSON.") from None
    return found


def _parts(data: bytes, boundary: str) -> list[tuple[str, str, str, bytes]]:
    """Take a form apart into (field, file name, content type, bytes)."""
    found = []
    for piece in (b"\r\n" + data).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head)
        name = headers.get_param("name", "", "content-disposition")
        found.append((str(name), headers.get_filename("") or "", headers.get_content_type(), body))
    return found


def _of_form(data: bytes, boundary: str) -> tuple[Any, list[Upload]]:
    body: Any = {}
    files: list[Upload] = []
    for name, filename, kind, content in _parts(data, boundary):
        field = _FIELD.match(name)
        if name == "payload_json":
            body = _loaded(content)
        elif field:
            files.append(Upload(int(field[1]), filename, kind, content))
        else:
            raise invalid_form([(name or "form", "BASE_TYPE_INVALID", "No field of this form")])
    if len({one.number for one in files}) < len(files):
        raise invalid_form([("files", "BASE_TYPE_INVALID", "Two files have the same number")])
    return body, files


async def read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    """Return what a request carries: its JSON (None without a body) and its files.

    Raises:
        RefusedError: the body is neither, cannot be read, or has a file that is too large.
    """
    if not request.can_read_body:
        return None, []
    data = await request.read()
    if request.content_type == "application/json":
        return _loaded(data), []
    if request.content_type != "multipart/form-data" or not _WITH_FILES.search(request.path):
        raise RefusedError(400, 50035, "Expected the Content-Type header application/json.")
    boundary = re.search(r'boundary="?([^";]+)', request.headers["Content-Type"])
    body, files = _of_form(data, boundary[1] if boundary else "")
    if any(len(one.data) > MOST_BYTES for one in files):
        raise RefusedError(413, 40005, "Request entity too large")
    return body, files


class Uploads:
    """The bytes behind the attachments of messages."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def attach(self, body: Json, files: list[Upload], kept: list[Json], new_id: Any) -> list[Json]:
        """Return the attachments that a message has after a request.

        Raises:
            RefusedError: the request names a file that did not come with it, or there are too many.
        """
        named: dict[str, Json] = {str(one.get("id")): one for one in body.get("attachments") or []}
        numbers = {str(one.number) for one in files}
        known = {one["id"] for one in kept}
        if unknown := set(named) - numbers - known:
            message = "Attachment not found"
            raise invalid_form((f"attachments.{one}", "ATTACHMENT_NOT_FOUND", message) for one in unknown)
        found = [one for one in kept if body.get("attachments") is None or one["id"] in named]
        found += [self._keep(one, named.get(str(one.number), {}), str(new_id())) for one in files]
        if len(found) > _MOST_FILES:
            raise RefusedError(400, 30015, "Maximum number of attachments in a message reached (10)")
        return found

    def _keep(self, file: Upload, about: Json, attachment_id: str) -> Json:
        name = re.sub(r"[^\w.-]", "_", about.get("filename") or file.filename)
        self.files[attachment_id] = file.data
        url = f"https://cdn.example/attachments/{attachment_id}/{name}"
        return {
            "id": attachment_id, "filename": name, "size": len(file.data), "url": url, "proxy_url": url,
            "content_type": file.kind, "description": about.get("description"),
        }  # fmt: skip
