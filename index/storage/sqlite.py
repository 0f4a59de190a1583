"""SQLite with respect: a database is data, and what it says is never run."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from index.errors import DamagedIndexError

__all__ = ["IMMUTABLE", "address", "harden", "open_database", "tell_damage"]

IMMUTABLE = "mode=ro&immutable=1"
"""How a file is opened that is only read, and that nobody writes to: without a lock or a journal."""

_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON")
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
_UNREADABLE = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT}
)


def address(path: Path, options: str) -> str:
    """Return a file as SQLite's URI; there is no other way to open one to be read only."""
    return f"{path.resolve().as_uri()}?{options}"


def harden(database: sqlite3.Connection) -> None:
    """Have no function run that the schema calls, look at pages before use, and keep the schema as it is.

    Raises:
        sqlite3.Error: the file is no database.
    """
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}").close()
    if sys.version_info >= (3, 12):
        database.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def open_database(path: Path) -> sqlite3.Connection:
    """Open a database that is only read, by any thread; its schema may be of tables and indexes alone.

    Raises:
        ValueError: it has a view or a trigger, which no build makes.
        sqlite3.Error: it is no database.
    """
    database = sqlite3.connect(address(path, IMMUTABLE), uri=True, check_same_thread=False)
    try:
        harden(database)
        database.execute("PRAGMA query_only = ON").close()
        database.execute("PRAGMA mmap_size = 0").close()  # a disk that fails would end the process
        strange = database.execute(
            "SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
        ).fetchone()
        if strange:
            raise ValueError(f"{path.name} has a {strange[0]} {strange[1]!r}")
    except BaseException:
        database.close()
        raise
    return database


def tell_damage(path: Path, error: sqlite3.Error) -> None:
    """Raise an error that names the file, where SQLite tells of damage or of a disk that fails.

    Raises:
        DamagedIndexError: so it is.
    """
    # Text that is no UTF-8 is told of by Python, without a code.
    unknown = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    code: int = getattr(error, "sqlite_errorcode", unknown)
    if code & 0xFF in _DAMAGED or code in _UNREADABLE:
        raise DamagedIndexError.of(path, f"is damaged or cannot be read ({error})") from error
