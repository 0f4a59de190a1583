"""A client of OpenAI's chat completions API, bounded in time and size, that never raises.

It retries once, and after failures in a row it pauses, so that a server in trouble does not slow every answer
down (a circuit breaker: Nygard, "Release It!", 2007).
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx2
from pydantic import BaseModel, Field, SecretStr, ValidationError

from index.errors import SettingsError
from index.terminal import one_line

__all__ = ["ChatCompletions", "Message"]

_LOG = logging.getLogger(__name__)

_FAILURES = 3  # in a row, after which the server is left alone for a while
_MOST_BYTES = 256 * 1024  # of a response; a model's reasoning may come with it
_RETRY_AFTER = "0.5"  # seconds, where the server does not say
_SHORT = re.compile(r"[012](\.\d+)?")  # seconds that a retry waits for
_ADVICE = {
    400: "Use a model and a server with structured output (response_format json_schema) and temperature 0",
    401: "Correct the reader's key",
    404: "Correct the address, which mostly ends in /v1, or the model's name",
    429: "Raise the limit of requests there",
}
_ADVICE |= {403: _ADVICE[401], 422: _ADVICE[400]}
_ADVICE |= dict.fromkeys(range(300, 400), "Redirects are not followed: set the address to where it leads")
_OTHER_ADVICE = "See the server's own log"


class Message(BaseModel):
    """What a model says: its content, or that it refuses."""

    content: str | None = None
    refusal: str | None = None


class _Candidate(BaseModel):
    message: Message


class _Completion(BaseModel):
    choices: list[_Candidate] = Field(min_length=1)


class _FailedError(Exception):
    """What went wrong, what to do, and the seconds after which to retry, if at all."""

    def __init__(self, problem: str, advice: str, retry_after: float | None = None) -> None:
        super().__init__(f"{problem}. {advice}.")
        self.retry_after = retry_after


class ChatCompletions:
    """A model on an OpenAI-compatible server; threads may share it."""

    def __init__(self, url: str, key: SecretStr | None, timeout: float, pause: float) -> None:
        """Prepare to ask; nothing is sent yet.

        `timeout` seconds bound a whole exchange, its retry included; for `pause` seconds the server is left
        alone after three failures in a row.

        Raises:
            SettingsError: the key has a character that no HTTP header may have, or SSL_CERT_FILE is wrong.
        """
        self._url, self._timeout, self._pause = url, timeout, pause
        self._key = SecretStr(key.get_secret_value().strip() if key else "")
        if not re.fullmatch(r"[!-~]*", self._key.get_secret_value()):
            raise SettingsError("The reader's key has a space, or a character beyond ASCII. Copy it again.")
        try:
            self._tls = httpx2.create_ssl_context()
        except OSError as error:
            problem = f"The certificates in SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error}."
            raise SettingsError(f"{problem} Correct that variable or unset it.") from error
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="footnote-reader")
        self._lock = threading.Lock()
        self._failures, self._paused_until = 0, 0.0

    def complete(self, request: Mapping[str, object]) -> Message | None:
        """Return the model's message; None, with a line in the log, where there is none.

        None at once, and no line, during a pause.
        """
        if time.monotonic() < self._paused_until:
            return None
        try:
            message = self._ask(json.dumps(request))
        except _FailedError as error:
            self._count_failure(error)
            return None
        self._failures = 0
        return message

    def _count_failure(self, error: _FailedError) -> None:
        with self._lock:
            self._failures += 1
            pauses = self._failures >= _FAILURES  # after a pause, one more failure begins the next
            if pauses:
                self._paused_until = time.monotonic() + self._pause
        pause = f" It is not asked for {self._pause:g} seconds." if pauses else ""
        _LOG.warning("The language model's server %s %s%s", self._url, error, pause)

    def _ask(self, body: str) -> Message:
        """Exchange a request for a message.

        HTTP's timeouts are of one read each, and looking up a name has none. So the exchange has a thread of
        its own, which is not waited for longer: without its client it ends.
        """
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key := self._key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        # Nothing from the environment: a proxy would see what plain http carries.
        with httpx2.Client(
            headers=headers, verify=self._tls, timeout=self._timeout, trust_env=False
        ) as client:
            exchange = self._threads.submit(self._exchange, client, body)
            try:
                return _Completion.model_validate_json(exchange.result(self._timeout)).choices[0].message
            except (TimeoutError, httpx2.TimeoutException):
                problem = f"did not answer within {self._timeout:g} seconds"
                raise _FailedError(problem, "Use a faster server or a smaller model") from None
            except ValidationError:
                raise _FailedError("did not answer with a chat completion", _ADVICE[404]) from None
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
                raise _FailedError("cannot be asked", _ADVICE[404]) from None
            finally:
                exchange.cancel()

    def _exchange(self, client: httpx2.Client, body: str) -> bytes:
        try:
            return self._post(client, body)
        except _FailedError as error:
            if error.retry_after is None:
                raise
            time.sleep(error.retry_after)
        return self._post(client, body)

    def _post(self, client: httpx2.Client, body: str) -> bytes:
        content = bytearray()
        try:
            with client.stream("POST", f"{self._url}/chat/completions", content=body) as response:
                if not response.is_success:
                    raise _refused(response.status_code, response.headers.get("retry-after", _RETRY_AFTER))
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > _MOST_BYTES:
                        raise _FailedError(f"answered with more than {_MOST_BYTES:,} bytes", _OTHER_ADVICE)
        except httpx2.NetworkError as error:
            problem = f"cannot be reached ({one_line(error)})"
            raise _FailedError(problem, "Check the address, and that it runs", float(_RETRY_AFTER)) from None
        except httpx2.RemoteProtocolError:  # its text may quote what was received
            raise _FailedError("broke off, or speaks no HTTP", _OTHER_ADVICE, float(_RETRY_AFTER)) from None
        return bytes(content)


def _refused(status: int, retry_after: str) -> _FailedError:
    retries = (status == 429 or status >= 500) and _SHORT.fullmatch(retry_after)
    advice = _ADVICE.get(status, _OTHER_ADVICE)
    return _FailedError(f"answered with HTTP {status}", advice, float(retry_after) if retries else None)
