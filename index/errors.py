"""Every error a user can meet, as one tree; each is named for what its reader can do about it.

FootnoteError
├── SettingsError          2   correct a setting or an option
├── ArticleError          65   correct the named articles; nothing was changed
├── DamagedIndexError     65   rebuild the index
├── GateError             65   correct the articles or the gold questions; nothing was published
├── ShrunkError           65   check where the articles are; --force if there are meant to be fewer
├── MissingError          69   provide what is missing
│   ├── NoIndexError           build an index
│   ├── NoModelError           provide the weights of the encoder or the reader
│   ├── NotWritableError       free disk space, or give access to the folder
│   └── OutOfMemoryError       free memory
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
    """An error that a person can act on: its message says what happened, where, and what to do next."""

    exit_status: ClassVar[int] = 70


class SettingsError(FootnoteError):
    """A setting or an option has a value that is not accepted."""

    exit_status = 2


class ArticleError(FootnoteError):
    """Articles cannot be indexed; `problems` has a line for each: file, line if known, and reason."""

    exit_status = 65

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        head = f"{count} in the articles; nothing was indexed:"
        more = [f"and {len(problems) - 20} more"] if len(problems) > 20 else []
        super().__init__("\n  ".join([head, *problems[:20], *more]))


class DamagedIndexError(FootnoteError):
    """A file of the index is not as it was written, or is of another format or encoder."""

    exit_status = 65

    @classmethod
    def of(cls, path: Path, what: str) -> Self:
        """Return the error for a file: what is wrong with it, and what to do."""
        return cls(f"{path} {what}. Run `footnote index build` to rebuild it.")

    @classmethod
    def unreadable(cls, path: Path, error: OSError) -> Self:
        """Return the error for a file that cannot be read, with the reason."""
        return cls.of(path, f"cannot be read: {error.strerror or error}")


class GateError(FootnoteError):
    """A new generation no longer answers some gold questions, or the gold questions cannot be read."""

    exit_status = 65


class ShrunkError(FootnoteError):
    """There are far fewer articles than before, and --force was not given."""

    exit_status = 65


class MissingError(FootnoteError):
    """Something that is needed is missing."""

    exit_status = 69


class NoIndexError(MissingError):
    """There is no index yet."""


class NoModelError(MissingError):
    """The weights of the encoder, or of the reader, cannot be found or used."""


class NotWritableError(MissingError):
    """The index cannot be written: no access, or no disk space."""


class OutOfMemoryError(MissingError):
    """The system is out of memory."""


class BusyError(FootnoteError):
    """Another build holds the lock, or the queue of questions is full; try again in `seconds`, if known."""

    exit_status = 75

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds
