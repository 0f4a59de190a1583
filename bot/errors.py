"""What can go wrong in the bot, beside what can go wrong in the index.

FootnoteError (index.errors)
├── DamagedRecordsError   65   move the file of the records away, or name another
├── NotServedError        65   mend the index that was built; answers come from the one before
└── MissingError          69
    ├── DiscordRefusedError    correct the token, the intents or the address
    ├── RebuildError           make memory free, or look into the log; answers come from the generation before
    └── RecordsError           give access to the file of the records, or make room
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from index.errors import FootnoteError, MissingError

__all__ = ["DamagedRecordsError", "DiscordRefusedError", "NotServedError", "RebuildError", "RecordsError"]


class DiscordRefusedError(MissingError):
    """Discord cannot be reached, or refuses the bot; the message says what to do about it."""


class RecordsError(MissingError):
    """The file of the records cannot be read or written: no access, no room, or another program holds it."""

    @classmethod
    def of(cls, file: Path, reason: str) -> Self:
        """Say of which file, why, and what to do."""
        return cls(
            f"{file} (settings, unanswered questions, feedback) cannot be written: {reason}. Give access to "
            "it and its folder, make room, or name another file with FOOTNOTE_RECORDS."
        )


class DamagedRecordsError(FootnoteError):
    """The file of the records is not ours, is damaged, or is of a newer version; it was left as it is."""

    exit_status = 65

    @classmethod
    def of(cls, file: Path, reason: str) -> Self:
        """Say of which file, what is wrong with it, and what to do."""
        return cls(
            f"{file} is damaged, or no database of Footnote ({reason}); it was left as it is. Restore it "
            "from a copy, name another file with FOOTNOTE_RECORDS, or move it away to begin anew."
        )


class NotServedError(FootnoteError):
    """A new generation is published, but cannot be used; answers still come from the one before."""

    exit_status = 65


class RebuildError(MissingError):
    """The process that rebuilds ended without saying why: it was killed, or met a fault of ours."""
