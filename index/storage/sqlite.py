"""SQLite files that nobody writes to any more, and how SQLite reports damage."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from index.errors import DamagedIndexError

__all__ = ["harden", "open_read_only", "raise_if_damaged", "read_only_uri"]

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
_UNREADABLE = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT}
)


def harden(database: sqlite3.Connection) -> None:
    """Run no function that the schema calls, and check pages before use.

    Raises:
        sqlite3.Error: the file is no database.
    """
    database.execute("PRAGMA trusted_schema = OFF").close()
    database.execute("PRAGMA cell_size_check = ON").close()


def read_only_uri(path: Path) -> str:
    """Return the URI that opens a file that nobody writes to for reading: no lock, no journal."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open an immutable database, usable from any one thread at a time; the file may be removed afterwards.

    Raises:
        sqlite3.Error: it is no database.
    """
    database = sqlite3.connect(read_only_uri(path), uri=True, check_same_thread=False)
    try:
        harden(database)
        database.execute("PRAGMA mmap_size = 0").close()  # under a map, a failing disk would end the process
    except BaseException:
        database.close()
        raise
    return database


def raise_if_damaged(path: Path, error: sqlite3.Error) -> None:
    """Raise an error that names the file, if SQLite reports damage or a failing disk.

    Raises:
        DamagedIndexError: it does.
    """
    # Text that is not UTF-8 is reported by Python, without a code.
    unknown = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    code: int = getattr(error, "sqlite_errorcode", unknown)
    if code & 0xFF in _DAMAGED or code in _UNREADABLE:
        raise DamagedIndexError.of(path, f"is damaged or cannot be read ({error})") from error
