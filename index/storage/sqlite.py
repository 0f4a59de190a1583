"""SQLite, hardened: a database file is data, and nothing in its schema is ever run."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from index.errors import DamagedIndexError

__all__ = ["harden", "open_read_only", "raise_if_damaged", "read_only_uri"]

_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON")
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
_UNREADABLE = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT}
)


def harden(database: sqlite3.Connection) -> None:
    """Run no function that the schema calls, check pages before use, and keep the schema as it is.

    Raises:
        sqlite3.Error: the file is no database.
    """
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}").close()
    if sys.version_info >= (3, 12):
        database.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def read_only_uri(path: Path) -> str:
    """Return the URI that opens a file that nobody writes to for reading: no lock, no journal."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open an immutable database, without lock or journal, usable from any one thread at a time.

    Its schema may hold tables and indexes only. The file is opened here, and may be removed afterwards.

    Raises:
        ValueError: it has a view or a trigger, which no build makes.
        sqlite3.Error: it is no database.
    """
    database = sqlite3.connect(read_only_uri(path), uri=True, check_same_thread=False)
    try:
        harden(database)
        database.execute("PRAGMA query_only = ON").close()
        database.execute("PRAGMA mmap_size = 0").close()  # under a map, a failing disk would end the process
        strange = database.execute(
            "SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
        ).fetchone()
        if strange:
            raise ValueError(f"{path.name} has a {strange[0]} {strange[1]!r}")
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
