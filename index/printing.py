"""Other people's text in a message of ours: it cannot steer a terminal, and a name stays in its line."""

from __future__ import annotations

import re

__all__ = ["count_of", "one_line", "printable"]

# Controls but line break and tab, overrides of direction, and halves of characters.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ROOM = 300


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control characters and the like give way to U+FFFD.

    All else stays to the letter, joiners and soft hyphens too; the length stays the same, so offsets hold.
    """
    return _STEERING.sub("\ufffd", text.replace("\u2028", " ").replace("\u2029", " "))


def one_line(name: object, room: int = _ROOM) -> str:
    """Return a path, an id or the like so that it is printable and keeps to its line.

    Of one that is longer than `room` the middle gives way to an ellipsis.
    """
    text = printable(str(name)).replace("\n", "\ufffd").replace("\t", "\ufffd")
    return text if len(text) <= room else f"{text[: room // 2]}…{text[-room // 2 :]}"


def count_of(number: int, noun: str) -> str:
    """Return a number with what it counts: "1 article", "2,000 articles"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
