"""The bot's errors, beside those of the index; each is named for what its reader can do about it.

FootnoteError (index.errors)
├── NoCollectionError      2   list it in FOOTNOTE_COLLECTIONS again, or choose another with `/settings`
├── DamagedRecordsError   65   move the records file away, or set FOOTNOTE_RECORDS to another one
├── NotServedError        65   repair the new index; the previous generation keeps serving
└── MissingError          69
    ├── DiscordRefusedError    correct the token, the intents or the address
    ├── RebuildError           free memory or look into the log; the previous generation keeps serving
    └── RecordsError           give access to the records file, or free disk space
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from index.errors import FootnoteError, MissingError, SettingsError

__all__ = [
    "DamagedRecordsError",
    "DiscordRefusedError",
    "NoCollectionError",
    "NotServedError",
    "RebuildError",
    "RecordsError",
]


class NoCollectionError(SettingsError):
    """A collection that was chosen is no longer listed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no collection {name!r}. FOOTNOTE_COLLECTIONS does not list it.")
        self.name = name


class DiscordRefusedError(MissingError):
    """Discord cannot be reached, or refuses the bot; the message says what to do about it."""


class RecordsError(MissingError):
    """The records file cannot be read or written: no access, no space, or another program has locked it."""

    @classmethod
    def of(cls, file: Path, reason: str) -> Self:
        """Return the error for a file, with the reason and what to do."""
        return cls(
            f"{file} (settings, unanswered questions, feedback) cannot be written: {reason}. Make the "
            "file and its folder writable, free disk space, or set FOOTNOTE_RECORDS to another file."
        )


class DamagedRecordsError(FootnoteError):
    """The records file is not ours, is damaged, or is of a newer version; it was left unchanged."""

    exit_status = 65

    @classmethod
    def of(cls, file: Path, reason: str) -> Self:
        """Return the error for a file, with what is wrong with it and what to do."""
        return cls(
            f"{file} is damaged or not a Footnote database ({reason}), and was left unchanged. Restore a "
            "backup, set FOOTNOTE_RECORDS to another file, or move this one away to start afresh."
        )


class NotServedError(FootnoteError):
    """A new generation was published but cannot be used; the previous one keeps serving."""

    exit_status = 65


class RebuildError(MissingError):
    """The rebuild process ended without saying why: it was killed, or it hit a bug."""
