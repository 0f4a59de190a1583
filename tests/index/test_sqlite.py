"""A database is data: nothing is run that its schema says, and damage is told by the file's name."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.errors import DamagedIndexError
from index.storage.local import open_generation
from index.storage.manifest import DATABASE, read_pointer
from index.storage.sqlite import harden, open_database, tell_damage
from tests.index.forging import publish


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open, as a program does that knows no better, a database whose schema calls a function."""
    with closing(sqlite3.connect(tmp_path / "hostile.sqlite", isolation_level=None)) as database:
        database.executescript(
            "CREATE TABLE notes (text TEXT);"
            "INSERT INTO notes VALUES ('kept');"
            "CREATE VIEW seen AS SELECT boom(text) AS text FROM notes;"
            "CREATE TRIGGER heard AFTER INSERT ON notes BEGIN SELECT boom(new.text); END;"
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


def test_database_that_is_only_read_has_tables_and_indexes_alone(
    hostile: sqlite3.Connection, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"view 'seen'|trigger 'heard'"):
        open_database(tmp_path / "hostile.sqlite")


def test_database_that_is_only_read_is_so(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "plain.sqlite", isolation_level=None)) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    with closing(open_database(tmp_path / "plain.sqlite")) as database:
        for pragma, value in (("trusted_schema", 0), ("cell_size_check", 1), ("query_only", 1)):
            assert database.execute(f"PRAGMA {pragma}").fetchone() == (value,)
        for statement in ("INSERT INTO notes VALUES ('x')", "CREATE TEMP TABLE more (text TEXT)"):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                database.execute(statement)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 sets no such thing before")
def test_defensive_mode_is_on_where_python_has_it(hostile: sqlite3.Connection) -> None:
    harden(hostile)
    hostile.execute("PRAGMA writable_schema = ON")
    with pytest.raises(sqlite3.OperationalError, match="may not be modified"):
        hostile.execute("DELETE FROM sqlite_schema")


@pytest.mark.parametrize(
    "statements",
    [
        "ALTER TABLE articles RENAME TO kept; CREATE VIEW articles AS SELECT * FROM kept;",
        "CREATE TRIGGER heard AFTER INSERT ON articles BEGIN SELECT load_extension('evil'); END;",
        "DROP TABLE stems;",
        "UPDATE passages SET id = id + 100000;",
        "UPDATE passages SET id = 'far' WHERE 0; UPDATE stems SET first = 1000000000;",
    ],
)
def test_generation_with_a_hostile_database_is_refused_though_its_checksums_are_right(
    own_index: Path, statements: str
) -> None:
    path = own_index / read_pointer(own_index).generation / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(statements)
    publish(own_index)
    with pytest.raises(DamagedIndexError, match="cannot be opened"):
        open_generation(own_index)


def test_damage_is_told_by_name_and_a_mistake_of_ours_is_not(tmp_path: Path) -> None:
    path = tmp_path / "torn.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES (zeroblob(99999));")
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(sqlite3.DatabaseError) as torn:
        open_database(path)
    with pytest.raises(DamagedIndexError, match=r"torn\.sqlite is damaged.*footnote index build"):
        tell_damage(path, torn.value)
    with closing(sqlite3.connect(":memory:")) as database:
        with pytest.raises(sqlite3.OperationalError) as mistaken:
            database.execute("SELECT nothing FROM notes")
        tell_damage(path, mistaken.value)


def test_text_that_is_none_is_damage(tmp_path: Path) -> None:
    """SQLite does not look; Python does, and gives no code."""
    with closing(sqlite3.connect(tmp_path / "file.sqlite", isolation_level=None)) as database:
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("SELECT CAST(x'ff' AS TEXT)").fetchall()
        with pytest.raises(DamagedIndexError, match=r"file\.sqlite"):
            tell_damage(tmp_path / "file.sqlite", caught.value)
        database.close()
        with pytest.raises(sqlite3.ProgrammingError) as closed:
            database.execute("SELECT 1")
        tell_damage(tmp_path / "file.sqlite", closed.value)
