"""The records database: a SQLite file with schema migrations and secure deletion.

SQLite's header identifies the file: `application_id` says that it is ours, `user_version` holds the version
of the schema. Versions are only ever added, because the earlier ones have already run on users' files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import DamagedRecordsError, RecordsError

__all__ = ["APPLICATION_ID", "MIGRATIONS", "connect", "migrate", "scrub", "translating_errors"]

APPLICATION_ID = 0x466F6F74  # "Foot"

_VERSION_1 = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    "CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    # Channel 0 stands for the whole server; NULL means "inherited".
    """CREATE TABLE settings (
        server INTEGER NOT NULL, channel INTEGER NOT NULL,
        answers TEXT CHECK (answers IN ('mentions', 'questions', 'never')),
        private INTEGER CHECK (private IN (0, 1)), language TEXT,
        helper_role INTEGER, helper_channel INTEGER, tell_gaps INTEGER CHECK (tell_gaps IN (0, 1)),
        PRIMARY KEY (server, channel)) WITHOUT ROWID""",
    # AUTOINCREMENT: the id of a deleted gap is never reused, since an old button may still refer to it.
    "CREATE TABLE gaps (id INTEGER PRIMARY KEY AUTOINCREMENT, server INTEGER, answered_by TEXT)",
    # One row per time asked: deleting a person's rows leaves a gap exactly as if they had never asked.
    """CREATE TABLE askings (
        id INTEGER PRIMARY KEY AUTOINCREMENT, gap INTEGER NOT NULL REFERENCES gaps ON DELETE CASCADE,
        person BLOB NOT NULL, channel INTEGER NOT NULL, question TEXT NOT NULL, folded TEXT NOT NULL,
        verdict TEXT NOT NULL, confidence REAL NOT NULL, vector BLOB NOT NULL, at REAL NOT NULL)""",
    """CREATE TABLE feedback (
        id INTEGER PRIMARY KEY AUTOINCREMENT, server INTEGER, channel INTEGER NOT NULL,
        message INTEGER NOT NULL, person BLOB NOT NULL, question TEXT NOT NULL,
        helpful INTEGER NOT NULL CHECK (helpful IN (0, 1)), at REAL NOT NULL, UNIQUE (message, person))""",
    "CREATE INDEX gaps_by_server ON gaps (server)",
    "CREATE INDEX askings_by_gap ON askings (gap)",
    "CREATE INDEX askings_by_person ON askings (person)",
    "CREATE INDEX feedback_by_server ON feedback (server)",
    "CREATE INDEX feedback_by_person ON feedback (person)",
)
_VERSION_2 = ("ALTER TABLE feedback ADD COLUMN reason TEXT NOT NULL DEFAULT ''",)
_VERSION_3 = (
    "ALTER TABLE settings ADD COLUMN collection TEXT",
    "ALTER TABLE gaps ADD COLUMN collection TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feedback ADD COLUMN collection TEXT NOT NULL DEFAULT ''",
)

# The statements that make each schema version from the one before; version 0 is an empty file.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3)


@contextmanager
def translating_errors(file: Path) -> Iterator[None]:
    """Raise SQLite's errors in the block as RecordsError, or DamagedRecordsError if the file is at fault."""
    try:
        yield
    except OSError as error:
        raise RecordsError.of(file, error.strerror or str(error)) from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}:
            raise DamagedRecordsError.of(file, str(error)) from error
        if isinstance(error, sqlite3.OperationalError):
            raise RecordsError.of(file, str(error)) from error
        raise


def connect(file: Path) -> sqlite3.Connection:
    """Open the file, creating it and its folder if missing, and migrate it to the newest version.

    Raises:
        RecordsError: the file cannot be written.
        DamagedRecordsError: it is not ours, damaged or of a newer version; it is left unchanged.
    """
    with translating_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(0o600)  # only the owner may read what people asked
        if not file.is_file():
            raise RecordsError.of(file, "it is not a regular file")
        connection = sqlite3.connect(file, isolation_level="IMMEDIATE")
        try:
            _configure(connection, file)
        except BaseException:
            connection.close()
            raise
        return connection


def _check_owner(connection: sqlite3.Connection, file: Path) -> None:
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if owner != APPLICATION_ID and (owner or tables):
        raise DamagedRecordsError(
            f"{file} is another program's database and was left unchanged. "
            "Set FOOTNOTE_RECORDS to another file, or move this one away."
        )
    if (version := _version(connection)) > len(MIGRATIONS):
        raise DamagedRecordsError(
            f"{file} has schema version {version} and was left unchanged; this Footnote knows versions up to "
            f"{len(MIGRATIONS)}. Upgrade Footnote, or set FOOTNOTE_RECORDS to another file."
        )


def _configure(connection: sqlite3.Connection, file: Path) -> None:
    # A file may be a forgery: run no function that its schema calls, and check pages before use.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    _check_owner(connection, file)
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise DamagedRecordsError.of(file, result)
    with suppress(PermissionError):  # another user's file, or a file system without modes
        file.chmod(0o600)
    # Keep what people asked out of temporary files; a hardened host may not have a folder for them anyway.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    with suppress(sqlite3.OperationalError):  # a file system without shared memory keeps a journal
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    migrate(connection)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Upgrade the schema to the newest version; each step is one transaction."""
    for version, statements in enumerate(migrations):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == version:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def scrub(connection: sqlite3.Connection) -> None:
    """Remove every byte of deleted rows from the file and its write-ahead log, outside a transaction.

    `secure_delete` overwrites rows in place, but not the copies that SQLite left behind when it moved rows
    between pages (6 of 1,500 random files had some). VACUUM rewrites the file without them.
    """
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
