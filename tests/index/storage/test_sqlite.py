"""A database is data: nothing in its schema is run, and damage is told by the file's name."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.errors import DamagedIndexError
from index.storage.sqlite import harden, open_read_only, raise_if_damaged


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open, as a careless program does, a database whose schema calls a function."""
    with closing(sqlite3.connect(tmp_path / "hostile.sqlite", isolation_level=None)) as database:
        database.executescript(
            "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('x');"
            "CREATE VIEW seen AS SELECT boom(text) AS text FROM notes;"
            "CREATE TRIGGER added AFTER INSERT ON notes BEGIN SELECT boom(new.text); END;"
        )
        yield database


@pytest.mark.parametrize("statement", ["SELECT * FROM seen", "INSERT INTO notes VALUES ('x')"])
def test_function_that_a_schema_calls_is_not_run(hostile: sqlite3.Connection, statement: str) -> None:
    called: list[object] = []
    hostile.create_function("boom", 1, called.append)
    hostile.execute(statement).fetchall()
    assert called, "else the test proves nothing"
    called.clear()
    harden(hostile)
    with pytest.raises(sqlite3.OperationalError, match=r"unsafe use of boom\(\)"):
        hostile.execute(statement).fetchall()
    assert called == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 cannot set it before")
def test_schema_may_not_be_changed(hostile: sqlite3.Connection) -> None:
    harden(hostile)
    hostile.execute("PRAGMA writable_schema = ON")
    with pytest.raises(sqlite3.OperationalError, match="may not be modified"):
        hostile.execute("DELETE FROM sqlite_schema")


def test_read_only_database_has_tables_alone_and_is_read_only(
    hostile: sqlite3.Connection, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"view 'seen'|trigger 'added'"):
        open_read_only(tmp_path / "hostile.sqlite")
    with closing(sqlite3.connect(tmp_path / "plain ?#%.sqlite", isolation_level=None)) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    with closing(open_read_only(tmp_path / "plain ?#%.sqlite")) as database:
        for statement in ("INSERT INTO notes VALUES ('x')", "CREATE TEMP TABLE more (text TEXT)"):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                database.execute(statement)


def test_damage_names_the_file_and_a_mistake_of_ours_does_not(tmp_path: Path) -> None:
    path = tmp_path / "torn.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES (zeroblob(99999));")
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(sqlite3.DatabaseError) as torn:
        open_read_only(path)
    with pytest.raises(DamagedIndexError, match=r"torn\.sqlite is damaged.*footnote index build"):
        raise_if_damaged(path, torn.value)
    with closing(sqlite3.connect(":memory:")) as database:
        with pytest.raises(sqlite3.OperationalError) as mistake:
            database.execute("SELECT nothing FROM nowhere")
        raise_if_damaged(path, mistake.value)
        with pytest.raises(sqlite3.OperationalError) as undecodable:
            database.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()
    with pytest.raises(DamagedIndexError, match=r"torn\.sqlite"):
        raise_if_damaged(path, undecodable.value)
