"""What can go wrong, as one tree; each leaf is named for what its reader can do about it.

FootnoteError
├── SettingsError          2   correct a setting or an option
├── ArticleError          65   correct the named articles; nothing was changed
├── DamagedIndexError     65   build the index again
├── GateError             65   correct the articles or the gold questions; nothing was published
├── ShrunkError           65   look where the articles are; --force where they are meant to be fewer
├── MissingError          69   provide what is missing
│   ├── NoIndexError           build an index
│   ├── NoModelError           provide the encoder's weights
│   ├── NotWritableError       make room, or give access to the folder
│   └── OutOfMemoryError       make memory free
└── BusyError             75   wait for the other build, or for the queue
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

__all__ = [
    "ArticleError",
    "BusyError",
    "DamagedIndexError",
    "FootnoteError",
    "GateError",
    "MissingError",
    "NoIndexError",
    "NoModelError",
    "NotWritableError",
    "OutOfMemoryError",
    "SettingsError",
    "ShrunkError",
]


class FootnoteError(Exception):
    """Something a person can act on: the message says what happened, where, and what to do next."""

    exit_status: ClassVar[int] = 70


class SettingsError(FootnoteError):
    """A setting or an option has a value that is not accepted."""

    exit_status = 2


class ArticleError(FootnoteError):
    """One or more articles cannot be indexed.

    `problems` holds one line each: file, line where there is one, and reason.
    """

    exit_status = 65

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in problems[:20]]
        if len(problems) > len(shown):
            shown.append(f"  and {len(problems) - len(shown)} more")
        head = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{head} in the articles; nothing was indexed:", *shown]))


class DamagedIndexError(FootnoteError):
    """A file of the index is not what was written, or is not of this version or encoder."""

    exit_status = 65
    advice: ClassVar[str] = "Run `footnote index build` to make it anew."

    @classmethod
    def of(cls, path: Path, what: str) -> Self:
        """Say what is wrong with the file at `path`, and what to do."""
        return cls(f"{path} {what}. {cls.advice}")

    @classmethod
    def unreadable(cls, path: Path, error: OSError) -> Self:
        """Say that the file at `path` cannot be read, and why."""
        return cls.of(path, f"cannot be read: {error.strerror or error}")


class GateError(FootnoteError):
    """A new generation loses gold questions that the one before answers, or these cannot be read."""

    exit_status = 65


class ShrunkError(FootnoteError):
    """There are far fewer articles than before, and nobody said that this is meant."""

    exit_status = 65


class MissingError(FootnoteError):
    """Something needed is not there."""

    exit_status = 69


class NoIndexError(MissingError):
    """There is no index yet."""


class NoModelError(MissingError):
    """The encoder's weights cannot be had."""


class NotWritableError(MissingError):
    """The index cannot be written: no access, or no room."""


class OutOfMemoryError(MissingError):
    """The system gives no more memory."""


class BusyError(FootnoteError):
    """Somebody else is at it: another build holds the lock, or the queue of questions is full.

    `seconds` says after how long it is worth trying again, where that can be told.
    """

    exit_status = 75

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds
