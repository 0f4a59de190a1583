"""The records' tables, version by version, and what tells a file of ours from another.

A version is a tuple of statements that make it from the one before. Versions are only ever added: what is
written here has been run on people's files. The file's own header says whose it is (`application_id`) and
which version it has (`user_version`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from bot.errors import DamagedRecordsError
from bot.records.transactions import atomic

__all__ = ["APPLICATION_ID", "MIGRATIONS", "check", "migrate"]

APPLICATION_ID = 0x466F6F74  # "Foot"

_VERSION_1 = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    "CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    # Channel 0 is the whole server; NULL is "as inherited".
    """CREATE TABLE settings (
        server INTEGER NOT NULL, channel INTEGER NOT NULL,
        answers TEXT CHECK (answers IN ('mentions', 'questions', 'never')),
        private INTEGER CHECK (private IN (0, 1)), language TEXT,
        helper_role INTEGER, helper_channel INTEGER, tell_gaps INTEGER CHECK (tell_gaps IN (0, 1)),
        PRIMARY KEY (server, channel)) WITHOUT ROWID""",
    # AUTOINCREMENT: a dropped gap's number is never another's, which an old button may still name.
    "CREATE TABLE gaps (id INTEGER PRIMARY KEY AUTOINCREMENT, server INTEGER, answered_by TEXT)",
    # A row an asking, so that all that is told of a gap (its wording too) is of people who are still in it.
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
"""What makes each version from the one before; version 0 is an empty file."""


def check(connection: sqlite3.Connection, file: Path) -> None:
    """See that the database is ours, of a version that is known, and whole; only reads.

    Raises:
        DamagedRecordsError: it is not; the message names the file and says what to do.
        sqlite3.Error: it cannot be read at all.
    """
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if owner != APPLICATION_ID and (owner or tables):
        raise DamagedRecordsError(
            f"{file} is another program's database, and was left as it is. "
            "Name another file with FOOTNOTE_RECORDS, or move this one away."
        )
    if (version := _version(connection)) > len(MIGRATIONS):
        raise DamagedRecordsError(
            f"{file} is of version {version}, and this Footnote knows versions up to {len(MIGRATIONS)}; it "
            "was left as it is. Upgrade Footnote, or name another file with FOOTNOTE_RECORDS."
        )
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise DamagedRecordsError.of(file, found)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the database to the newest version, each step whole or not at all.

    Raises:
        sqlite3.Error: a step failed; the database is as the step before left it.
    """
    pending = True
    while pending:
        # The version is read inside, since another process may be at the same step.
        with atomic(connection):
            version = _version(connection)
            pending = version < len(migrations)
            if pending:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
