"""The records database: a SQLite file with schema migrations, transactions and secure deletion.

Each schema version is a tuple of statements that upgrades the version before it. Versions are only ever
added, because the earlier ones have already run on users' files. SQLite's header identifies the file:
`application_id` says that it is ours, `user_version` holds the schema version.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.errors import DamagedRecordsError, RecordsError
from index.storage.sqlite import harden, read_only_uri

__all__ = ["APPLICATION_ID", "MIGRATIONS", "atomic", "connect", "explain", "migrate", "scrub"]

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

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2)
"""The statements that make each schema version from the one before; version 0 is an empty file."""


def connect(file: Path) -> sqlite3.Connection:
    """Open the file, creating it and its folder if missing, and migrate it to the newest version.

    Raises:
        RecordsError: the file cannot be written.
        DamagedRecordsError: it is not ours, damaged or of a newer version; it is left unchanged.
    """
    try:
        _create(file)
        # Read without the right to write, since SQLite may change even a file that it merely opens for
        # writing.
        with closing(sqlite3.connect(read_only_uri(file), uri=True)) as connection:
            _check_owner(connection, file)
        connection = sqlite3.connect(file, isolation_level=None)
        try:
            _configure(connection, file)
        except BaseException:
            connection.close()
            raise
    except OSError as error:
        raise RecordsError.of(file, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise explain(error, file, opening=True) from error
    return connection


def _create(file: Path) -> None:
    """Create the file and its folder if missing; only the owner may read what people asked."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if not stat.S_ISREG(file.stat().st_mode):
            raise RecordsError.of(file, "it is not a regular file") from None


def _check_owner(connection: sqlite3.Connection, file: Path) -> None:
    """Raise DamagedRecordsError unless the database is empty, or ours and of a known version."""
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
    harden(connection)
    _check_owner(connection, file)
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise DamagedRecordsError.of(file, result)
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        with suppress(PermissionError):  # another user's file, or a file system without modes
            file.chmod(0o600)
    # Keep what people asked out of temporary files; a hardened host may not have a folder for them anyway.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    with suppress(sqlite3.OperationalError):  # a file system without shared memory keeps a journal
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    migrate(connection)


def explain(error: sqlite3.Error, file: Path, *, opening: bool = False) -> Exception:
    """Return the error to raise: one that says what to do if the file is at fault, else `error` itself.

    While the file is being opened, an SQL error is the file's fault too: it lacks a table or a column.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or (opening and code == sqlite3.SQLITE_ERROR):
        return DamagedRecordsError.of(file, str(error))
    if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
        return RecordsError.of(file, str(error))
    return error


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Upgrade the schema to the newest version; each step is one transaction.

    Raises:
        sqlite3.Error: a step failed; the database is at the version before it.
    """
    pending = True
    while pending:
        # The version is read inside the transaction, since another process may be at the same step.
        with atomic(connection):
            version = _version(connection)
            pending = version < len(migrations)
            if pending:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction: committed at its end, rolled back on any error.

    The write lock is taken at the start, so nothing changes between what the block reads and what it writes.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # report the first error
            connection.rollback()
        raise


def scrub(connection: sqlite3.Connection) -> None:
    """Remove every byte of deleted rows from the file and its write-ahead log.

    `secure_delete` overwrites a row in place, but not the copies that SQLite left behind when it moved rows
    between pages (6 of 1,500 random files had some). VACUUM rewrites the file without them; the checkpoint
    truncates the log as soon as no other process reads it.
    """
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
