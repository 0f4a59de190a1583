"""Transactions: whole or not at all, the first error told; and nothing stays of what was deleted."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.records.transactions import atomic, scrub
from tests.bot.records.conftest import bytes_of


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file with one table, as the records open theirs."""
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as opened:
        opened.execute("PRAGMA secure_delete = ON")
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA synchronous = OFF")
        opened.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        yield opened


def texts(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]


def test_block_is_committed_at_its_end(connection: sqlite3.Connection, tmp_path: Path) -> None:
    with atomic(connection):
        connection.execute("INSERT INTO notes (text) VALUES ('one'), ('two')")
    with closing(sqlite3.connect(tmp_path / "file")) as other:
        assert texts(other) == ["one", "two"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_any_error_undoes_the_block_and_goes_on(
    connection: sqlite3.Connection, error: type[BaseException]
) -> None:
    def fail() -> None:
        with atomic(connection):
            connection.execute("INSERT INTO notes (text) VALUES ('one')")
            raise error

    with pytest.raises(error):
        fail()
    assert not connection.in_transaction
    assert texts(connection) == []


def test_first_error_is_told_where_sqlite_has_undone_the_block_itself(connection: sqlite3.Connection) -> None:
    def fail() -> None:
        with atomic(connection):
            connection.execute("INSERT INTO notes VALUES (2, 'two')")
            connection.execute("INSERT OR ROLLBACK INTO notes VALUES (1, 'one again')")

    connection.execute("INSERT INTO notes VALUES (1, 'one')")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        fail()
    assert texts(connection) == ["one"]


def test_nobody_writes_between_what_a_block_reads_and_writes(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "file", timeout=0, isolation_level=None)) as other:
        with atomic(connection), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO notes (text) VALUES ('between')")
        other.execute("INSERT INTO notes (text) VALUES ('after')")


@pytest.mark.parametrize("seed", [145, 751, 861, 1005, 1252, 1344])
def test_no_copy_stays_of_a_deleted_row(connection: sqlite3.Connection, tmp_path: Path, seed: int) -> None:
    """With these seeds SQLite 3.40 leaves copies in the file, whatever `secure_delete` overwrites."""
    draw = random.Random(seed)
    for row in range(draw.randint(5, 60)):
        begun = "SECRETSECRET" if draw.randrange(2) else "other"
        text = begun + "x" * draw.randrange(9000)
        connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        connection.execute("DELETE FROM notes WHERE id = ?", (draw.randint(1, row + 1),))
    connection.execute("DELETE FROM notes WHERE text LIKE 'SECRET%'")
    scrub(connection)
    assert b"SECRET" not in bytes_of(tmp_path / "file")
    assert b"other" in bytes_of(tmp_path / "file")
