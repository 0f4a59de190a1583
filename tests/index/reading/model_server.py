"""A loopback server of OpenAI's chat completions API that replies as planned, also wrongly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

__all__ = ["ModelServer", "Reply", "Request", "completion", "drip", "failure", "hang", "raw"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: its path, its headers, and its body as JSON."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> dict[str, Any]:
        """What the model is shown: the question and the passages."""
        prompt: dict[str, Any] = json.loads(self.body["messages"][-1]["content"])
        return prompt

    @property
    def sentences(self) -> dict[str, int]:
        """The numbers of the sentences that it is shown, by their text."""
        passages = self.prompt["passages"]
        return {text: int(number) for passage in passages for number, text in passage["sentences"].items()}


Reply = Callable[[BaseHTTPRequestHandler, Request], None]


def completion(content: str | Callable[[Request], str] | None, **message: str) -> Reply:
    """Reply with a message of this content, which may depend on the request."""

    def reply(handler: BaseHTTPRequestHandler, request: Request) -> None:
        said = content(request) if callable(content) else content
        body = {"choices": [{"message": {"role": "assistant", "content": said, **message}}]}
        failure(200, json.dumps(body).encode())(handler, request)

    return reply


def failure(status: int, body: bytes = b"{}", **headers: str) -> Reply:
    """Reply with a status, a body and more headers."""

    def reply(handler: BaseHTTPRequestHandler, _: Request) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def raw(data: bytes) -> Reply:
    """Write these bytes and close the connection."""

    def reply(handler: BaseHTTPRequestHandler, _: Request) -> None:
        handler.wfile.write(data)

    return reply


def hang(handler: BaseHTTPRequestHandler, _: Request) -> None:
    """Say nothing until the client goes."""
    handler.rfile.read(1)


def drip(start: bytes) -> Reply:
    """Write these bytes, then one more every few milliseconds until the client goes."""

    def reply(handler: BaseHTTPRequestHandler, _: Request) -> None:
        handler.wfile.write(start)
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)

    return reply


class ModelServer(ThreadingHTTPServer):
    """Replies in order, the last reply again and again; records the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def plan(self, *replies: Reply) -> None:
        """Forget earlier requests, and reply as planned from now on."""
        self.requests.clear()
        self.replies[:] = replies

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.path, dict(self.headers), json.loads(body))
        replies, seen = self.server.replies, self.server.requests
        seen.append(request)
        with suppress(OSError):  # the client has gone
            replies[min(len(seen), len(replies)) - 1](self, request)

    def log_message(self, *_: object) -> None:
        """Write nothing to standard error."""
