"""What must never be shown, taken out of whatever text is about to be: log lines, errors, tracebacks.

A secret is hidden as it is, in base64, in the form that it has in an address, and in part: any run of eight
of its characters, which is what is left of it where a text was cut.
"""

from __future__ import annotations

import base64
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

__all__ = ["HIDDEN", "Redactor", "hide", "redacted"]

HIDDEN = "(token not shown)"
"""What stands in the place of a secret."""

_PART = 8
"""Characters of a secret that are hidden wherever they stand together."""


class Redactor:
    """Takes secrets out of texts."""

    def __init__(self, *secrets: str) -> None:
        """Take the secrets; empty ones are none."""
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._parts = {form[at : at + _PART] for form in forms for at in range(len(form) - _PART + 1)}

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        if not self._parts:
            return text
        found = [at for at in range(len(text) - _PART + 1) if text[at : at + _PART] in self._parts]
        pieces, shown = [], 0
        for at in found:
            if at >= shown:  # else it goes on what is hidden already
                pieces += [text[shown:at], HIDDEN]
            shown = at + _PART
        return "".join([*pieces, text[shown:]])


def _forms(secret: str) -> set[str]:
    """Return how a secret may be written: as itself, in an address, in base64 alone or as a header."""
    written = {secret, secret.strip(), quote(secret, safe="")}
    for before, own in ((0, 0), (1, 2), (2, 3)):
        # After so many other bytes its own characters begin there; the last may hold what comes after.
        encoded = base64.b64encode(b"." * before + secret.strip().encode()).decode().rstrip("=")
        written.add(encoded[own : len(encoded) - (len(encoded) % 4 > 0)])
    written.add(base64.b64encode(secret.strip().encode()).decode().rstrip("="))
    return written - {""}


_redactor = Redactor()


def hide(*secrets: str) -> None:
    """Keep these secrets out of what this process prints of an error that nobody caught; see `redacted`."""
    global _redactor  # noqa: PLW0603 - a process prints to one place
    _redactor = Redactor(*secrets)
    for module, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        before = getattr(module, name)
        if not isinstance(before, _Guard):
            setattr(module, name, _Guard(before))


def redacted(text: str) -> str:
    """Return a text without the secrets that this process was told to `hide`."""
    return _redactor(text)


class _Guard:
    """Stands before one of Python's hooks, and prints in its place an error that would show a secret."""

    def __init__(self, before: Callable[..., object]) -> None:
        self._before = before

    def __call__(self, *told: Any) -> None:
        if len(told) == 1:  # of a thread, or of what is collected: with what it came from
            (of,) = told
            head = f"{getattr(of, 'err_msg', None) or ''} {getattr(of, 'object', None)!r}\n"
            error = of.exc_type, of.exc_value, of.exc_traceback
        else:
            head, error = "", told
        text = head + "".join(traceback.format_exception(*error))
        shown = redacted(text)
        if shown == text:
            self._before(*told)
        else:
            print(shown, end="", file=sys.stderr)  # noqa: T201 - there is nobody left to tell
