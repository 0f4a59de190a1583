"""Versions: each is reached from every one before it, whole or not at all; what is not ours is left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.errors import DamagedRecordsError, RecordsError
from bot.records import AnswersTo, Asked, ChannelSettings, Feedback, Gap, PersonRecords, Records
from bot.records.schema import APPLICATION_ID, MIGRATIONS, migrate
from tests.bot.records.conftest import ANN, BEN, HERE, START, Clock, ask, bytes_of, say
from tests.bot.records.version1 import GAP, write_version_1

NEWEST = len(MIGRATIONS)


def dump(file: Path) -> list[str]:
    """Return the whole database as SQL, with its version."""
    with closing(sqlite3.connect(file)) as connection:
        return [str(version_of(connection)), *connection.iterdump()]


def version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def shape(file: Path) -> dict[str, list[object]]:
    """Return the columns of each table and the columns of each index."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
        return {name: connection.execute(f"PRAGMA {kind}_xinfo({name})").fetchall() for kind, name in names}


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


async def test_every_row_of_the_first_version_is_there_in_the_newest(file: Path, clock: Clock) -> None:
    write_version_1(file)
    records = Records(file, clock=clock)
    await records.open()
    assert await records.settings(HERE, 5) == ChannelSettings(AnswersTo.QUESTIONS, True, "de", 31, 32, True)
    assert await records.settings(HERE) == ChannelSettings(AnswersTo.NEVER, False, "de", 31, None, True)
    assert await records.gaps(HERE) == [
        Gap(3, HERE, 6, "Who mends the lamp?", 2, 2, moment(0.25), moment(100), "not_found", 0.125, None)
    ]
    assert await records.gaps(None, answered=True) == [
        Gap(GAP, None, 9, "Is there tea?", 1, 1, moment(50), moment(50), "not_found", 0.0625, "0007-abcdef")
    ]
    given = Feedback(HERE, 5, 77, "When was it lit?", helpful=False, reason="", when=moment(200.5))
    assert await records.feedback(HERE) == [given]
    assert await records.show(BEN) == PersonRecords(
        (Asked("who mends the lamp", HERE, moment(100)),), (given,)
    )
    await records.close()


async def test_file_of_the_first_version_is_used_like_a_new_one(file: Path, clock: Clock) -> None:
    write_version_1(file)
    records = Records(file, clock=clock)
    await records.open()
    await ask(records, "Repairs of the lamp, by whom are they done?", vector=np.array([1, 0.1, 0, 0]))
    assert [(gap.id, gap.count) for gap in await records.gaps(HERE)] == [(3, 3)]
    await say(records, "When was it lit?", message=77, user=BEN, helpful=True, reason="found it")
    assert [one.reason for one in await records.feedback(HERE)] == ["found it"]
    await ask(records, "a new lamp")
    assert sorted(gap.id for gap in await records.gaps(HERE)) == [3, GAP + 1]
    assert await records.forget(ANN) == 4
    await records.close()
    assert dump(file)[0] == str(NEWEST)


@pytest.mark.parametrize("version", range(1, NEWEST))
async def test_every_version_comes_to_the_shape_of_a_new_file(tmp_path: Path, version: int) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:version])
        assert version_of(connection) == version
    for file in (new, old):
        records = Records(file)
        await records.open()
        await records.close()
    assert shape(old) == shape(new)


def test_first_version_is_what_people_have(tmp_path: Path) -> None:
    write_version_1(tmp_path / "kept")
    with closing(sqlite3.connect(tmp_path / "made", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert shape(tmp_path / "made") == shape(tmp_path / "kept")


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_failing_step_leaves_the_version_before_it_as_it_was(tmp_path: Path, version: int) -> None:
    file = tmp_path / "records"
    write_version_1(file)
    bad = (
        "DELETE FROM feedback",
        "ALTER TABLE gaps ADD COLUMN colour TEXT",
        "INSERT INTO nothing VALUES (1)",
    )
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:version])
        before = dump(file)
        with pytest.raises(sqlite3.OperationalError, match="nothing"):
            migrate(connection, (*MIGRATIONS[:version], bad))
        assert not connection.in_transaction
        assert dump(file) == before
        assert before[0] == str(version)
        assert any("When was it lit?" in line for line in before)
        migrate(connection)
        assert version_of(connection) == NEWEST


def test_step_of_a_killed_process_is_undone(tmp_path: Path) -> None:
    file = tmp_path / "records"
    write_version_1(file)
    code = (
        "import os, sqlite3, sys\n"
        "from bot.records.schema import MIGRATIONS, migrate\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.create_function('die', 0, lambda: os._exit(9))\n"
        "bad = ('UPDATE askings SET question = hex(randomblob(90000))', 'SELECT die()')\n"
        "migrate(connection, (*MIGRATIONS, bad))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, file], check=False).returncode == 9
    with closing(sqlite3.connect(file)) as connection:
        assert version_of(connection) == NEWEST
        texts = connection.execute("SELECT question FROM askings ORDER BY id").fetchall()
    assert texts == [("Who mends the lamp?",), ("who mends the lamp",), ("Is there tea?",)]


def newer(file: Path) -> None:
    write_version_1(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")


def of_another_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "PRAGMA application_id = 77; CREATE TABLE notes (text); INSERT INTO notes VALUES (1)"
        )


def of_nobody(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("PRAGMA user_version = 1; CREATE TABLE notes (text)")


def no_database(file: Path) -> None:
    file.write_text("Dear diary, today nobody asked about the lamp. " * 40, encoding="utf-8")


def cut_short(file: Path) -> None:
    write_version_1(file)
    file.write_bytes(file.read_bytes()[:-6000])


def overwritten(file: Path) -> None:
    write_version_1(file)
    whole = bytearray(file.read_bytes())
    whole[5000:9000] = bytes(range(250)) * 16
    file.write_bytes(whole)


def without_its_tables(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {NEWEST}")
        connection.execute("CREATE TABLE keys (name)")


REFUSED = [
    (newer, "version 3.*up to 2.*Upgrade"),
    (of_another_program, "another program's"),
    (of_nobody, "another program's"),
    (no_database, "not a database"),
    (cut_short, "damaged"),
    (overwritten, "damaged"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
async def test_file_that_is_not_ours_or_not_whole_is_refused_and_left_as_it_is(
    tmp_path: Path, make: object, reason: str
) -> None:
    file = tmp_path / "a b?mode=memory#%41ö/records.sqlite"
    assert callable(make)
    file.parent.mkdir()
    make(file)
    file.chmod(0o644)
    before, beside = file.read_bytes(), sorted(file.parent.iterdir())
    records = Records(file)
    with pytest.raises(DamagedRecordsError, match=f"(?s){reason}") as refused:
        await records.open()
    assert str(file) in str(refused.value)
    assert "FOOTNOTE_RECORDS" in str(refused.value)
    assert "left as it is" in str(refused.value)
    assert refused.value.exit_status == 65
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == (before, beside)
    assert file.stat().st_mode & 0o777 == 0o644
    with pytest.raises(RecordsError, match="not open"):
        await records.gaps(HERE)


@pytest.mark.parametrize("program", [of_another_program, newer])
async def test_log_of_a_refused_file_is_left_as_it_is(tmp_path: Path, file: Path, program: object) -> None:
    """Opened for writing, it would be written into the file when that is closed."""
    assert callable(program)
    origin = tmp_path / "origin"
    file.parent.mkdir()
    program(origin)
    with closing(sqlite3.connect(origin)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE more (text)")
        other.commit()
        for ending in ("", "-wal"):
            file.with_name(file.name + ending).write_bytes(
                origin.with_name(origin.name + ending).read_bytes()
            )
    log = file.with_name(f"{file.name}-wal")
    before = (file.read_bytes(), log.read_bytes())
    assert before[1]
    with pytest.raises(DamagedRecordsError):
        await Records(file).open()
    assert (file.read_bytes(), log.read_bytes()) == before


async def test_file_without_its_tables_is_damaged(file: Path) -> None:
    file.parent.mkdir()
    without_its_tables(file)
    with pytest.raises(DamagedRecordsError, match="no column"):
        await Records(file).open()


@pytest.mark.parametrize("content", [b"", "header"])
async def test_empty_file_is_begun(file: Path, content: bytes | str) -> None:
    """A process that was killed before its first step leaves one."""
    file.parent.mkdir()
    file.touch()
    if content:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        assert file.stat().st_size
    records = Records(file)
    await records.open()
    await ask(records, "one lamp")
    await records.close()
    assert b"one lamp" in bytes_of(file)
