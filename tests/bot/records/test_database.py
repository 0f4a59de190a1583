"""The records file: migrated or refused as a whole, private to its owner, and safe after a crash."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import DamagedRecordsError, RecordsError
from bot.records.database import APPLICATION_ID, MIGRATIONS, scrub
from bot.records.gaps import Gap
from bot.records.settings import AnswersTo, ChannelSettings
from bot.records.store import PersonRecords, Records
from tests.bot.records.conftest import ANN, BEN, HERE, Clock, ask, bytes_of, query, rate, write_version_1

ROOT = Path(__file__).parents[3]
NEWEST = len(MIGRATIONS)


async def python(code: str, *arguments: str | Path) -> int:
    """Run Python code in a process of its own; return its exit status."""
    command = (sys.executable, "-c", code, *arguments)
    quiet = asyncio.subprocess.DEVNULL
    return await (await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=quiet)).wait()


def shape(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the columns of each table and index."""
    names = query(file, "SELECT type, name FROM sqlite_master ORDER BY name")
    return {name: query(file, f"PRAGMA {kind}_xinfo({name})") for kind, name in names}


async def test_file_of_the_first_version_keeps_every_row_and_gets_the_shape_of_a_new_one(
    file: Path, clock: Clock, tmp_path: Path
) -> None:
    write_version_1(file)
    records, new = Records(file, clock=clock), Records(tmp_path / "new")
    await records.open()
    await new.open()
    assert await records.settings(HERE, 5) == ChannelSettings(AnswersTo.QUESTIONS, True, "de", 31, 32, True)
    (gap,) = await records.gaps(HERE)
    assert gap == Gap(3, HERE, 6, "Who mends the lamp?", 2, 2, gap.first, gap.last, "not_found", 0.125, None)
    assert [gap.answered_by for gap in await records.gaps(None, answered=True)] == ["0007-abcdef"]
    (feedback,) = await records.feedback(HERE)
    assert await records.show(BEN) == PersonRecords(("who mends the lamp",), (feedback,))
    await rate(records, "When was it lit?", message=77, user=BEN, reason="found it")
    assert [row.reason for row in await records.feedback(HERE)] == ["found it"]
    await records.close()
    await new.close()
    assert shape(file) == shape(tmp_path / "new")
    assert query(file, "PRAGMA user_version") == [(NEWEST,)]


@pytest.mark.parametrize("killed", [False, True])
async def test_failing_migration_leaves_the_version_before_it(file: Path, killed: bool) -> None:
    write_version_1(file)
    code = (
        "import os, sqlite3, sys\n"
        "from bot.records.database import MIGRATIONS, migrate\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.create_function('fail', 0, lambda: os._exit(9) if sys.argv[2] == 'exit' else 1 / 0)\n"
        "bad = ('UPDATE askings SET question = hex(randomblob(90000))', 'SELECT fail()')\n"
        "migrate(connection, (*MIGRATIONS, bad))\n"
    )
    assert await python(code, file, "exit" if killed else "raise") == (9 if killed else 1)
    assert query(file, "PRAGMA user_version") == [(NEWEST,)]
    texts = query(file, "SELECT question FROM askings ORDER BY id")
    assert texts == [("Who mends the lamp?",), ("who mends the lamp",), ("Is there tea?",)]


def script(file: Path, statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(statements)


def cut_short(file: Path) -> None:
    write_version_1(file)
    file.write_bytes(file.read_bytes()[:-6000])


def overwritten(file: Path) -> None:
    write_version_1(file)
    content = bytearray(file.read_bytes())
    content[5000:9000] = bytes(range(250)) * 16
    file.write_bytes(content)


def newer(file: Path) -> None:
    write_version_1(file)
    script(file, f"PRAGMA user_version = {NEWEST + 1}")


def of_another_program(file: Path) -> None:
    script(file, "PRAGMA application_id = 77; CREATE TABLE notes (text); INSERT INTO notes VALUES (1)")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (newer, "schema version 4.*up to 3.*Upgrade"),
        (of_another_program, "another program's"),
        (lambda file: script(file, "CREATE TABLE notes (text)"), "another program's"),
        (lambda file: file.write_text("Dear diary, nobody asked. " * 80), "not a database"),
        (cut_short, "damaged"),
        (overwritten, "damaged"),
    ],
)
async def test_file_that_is_not_ours_or_not_whole_is_refused_and_left_unchanged(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    file = tmp_path / "a b?mode=memory#%41ö/records.sqlite"
    file.parent.mkdir()
    make(file)
    file.chmod(0o644)
    before, beside = file.read_bytes(), sorted(file.parent.iterdir())
    records = Records(file)
    with pytest.raises(DamagedRecordsError, match=f"(?s){reason}") as refused:
        await records.open()
    for words in (str(file), "FOOTNOTE_RECORDS", "was left unchanged"):
        assert words in str(refused.value)
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == (before, beside)
    assert file.stat().st_mode & 0o777 == 0o644
    with pytest.raises(RecordsError, match="not open"):
        await records.gaps(HERE)


@pytest.mark.parametrize("wal", [False, True])
async def test_empty_file_becomes_ours_and_one_without_its_tables_is_refused(file: Path, wal: bool) -> None:
    file.parent.mkdir()
    script(file, "PRAGMA journal_mode = WAL" if wal else "")
    records = Records(file)
    await records.open()
    await records.close()
    file.unlink()
    script(file, f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {NEWEST}")
    with pytest.raises(DamagedRecordsError, match="no such table"):
        await Records(file).open()


async def test_what_was_stored_is_there_after_a_crash(file: Path) -> None:
    code = (
        "import asyncio, os, pathlib, sys\n"
        "from bot.records.store import Records\n"
        "from tests.bot.records.conftest import ask\n"
        "async def main():\n"
        "    records = Records(pathlib.Path(sys.argv[1]))\n"
        "    await records.open()\n"
        "    for server in range(20): await ask(records, 'one lamp', server=server)\n"
        "    os._exit(9)\n"
        "asyncio.run(main())\n"
    )
    assert await python(code, file) == 9
    records = Records(file)
    await records.open()
    assert len(await records.every_open_gap()) == 20
    await records.close()


async def test_only_the_owner_may_read_the_files(records: Records, file: Path, tmp_path: Path) -> None:
    await ask(records, "one lamp")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == dict.fromkeys([file.name, f"{file.name}-wal", f"{file.name}-shm"], 0o600)
    assert await records._run(lambda db: db.execute("PRAGMA temp_store").fetchone()) == (2,), (
        "no temporary file"
    )
    write_version_1(tmp_path / "readable")
    (tmp_path / "readable").chmod(0o664)
    readable = Records(tmp_path / "readable")
    await readable.open()
    await readable.close()
    assert stat.S_IMODE((tmp_path / "readable").stat().st_mode) == 0o600


async def test_the_file_is_used_on_one_thread_and_settings_come_from_memory(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    await records._run(lambda db: db.set_trace_callback(lambda _: threads.add(threading.get_ident())))
    await ask(records, "one lamp")
    await records.forget(ANN)
    assert len(threads - {threading.get_ident()}) == len(threads) == 1
    release = threading.Event()
    job = asyncio.create_task(records._run(lambda _: release.wait(60)))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(records.gaps(HERE))
    assert not (await records.settings(HERE, 5)).private
    assert await records.overview(HERE) == []
    assert not waiting.done()
    release.set()
    await asyncio.gather(job, waiting)


async def test_closing_finishes_what_was_started_and_then_refuses(records: Records, file: Path) -> None:
    asked = [asyncio.create_task(ask(records, "one lamp", server=server)) for server in range(30)]
    await asyncio.sleep(0)
    await records.close()
    await records.close()
    await asyncio.gather(*asked)
    for use in (records.gaps(HERE), ask(records, "too late"), records.forget(ANN), records.prune()):
        with pytest.raises(RecordsError, match="not open"):
            await use
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    await records.open()
    assert len(await records.every_open_gap()) == 30


async def test_path_that_is_no_file_of_ours_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text", encoding="utf-8")
    for file in (tmp_path / "text/records.sqlite", tmp_path, Path("/dev/null")):
        with pytest.raises(RecordsError, match="FOOTNOTE_RECORDS") as refused:
            await Records(file).open()
        assert str(file) in str(refused.value)
    assert (tmp_path / "text").read_text(encoding="utf-8") == "text"


async def test_full_disk_and_a_lock_are_reported_and_leave_what_was_there(
    records: Records, file: Path
) -> None:
    await ask(records, "one lamp")
    await records._run(lambda db: db.executescript("PRAGMA max_page_count = 1; PRAGMA busy_timeout = 0"))
    with pytest.raises(RecordsError, match=r"full.*free disk space"):
        await ask(records, "x" * 100_000)
    assert query(file, "SELECT COUNT(*) FROM gaps") == [(1,)], "no gap without its question"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for use in (ask(records, "one lamp"), records.change(HERE, None, private=True), records.forget(ANN)):
            with pytest.raises(RecordsError, match="locked"):
                await use
        assert not (await records.settings(HERE)).private, "memory follows the file"
    await ask(records, "one lamp")
    assert [gap.count for gap in await records.gaps(HERE)] == [2]


@pytest.mark.parametrize("seed", [145, 751, 861, 1005, 1252, 1344])
def test_no_copy_is_left_of_a_deleted_row(tmp_path: Path, seed: int) -> None:
    """With these seeds SQLite 3.40 leaves copies in the file, whatever `secure_delete` overwrites."""
    draw = random.Random(seed)
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as connection:
        for pragma in ("secure_delete = ON", "journal_mode = WAL", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        for row in range(draw.randint(5, 60)):
            text = ("SECRETSECRET" if draw.randrange(2) else "other") + "x" * draw.randrange(9000)
            connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
            connection.execute("DELETE FROM notes WHERE id = ?", (draw.randint(1, row + 1),))
        connection.execute("DELETE FROM notes WHERE text LIKE 'SECRET%'")
        scrub(connection)
        assert b"SECRET" not in bytes_of(tmp_path / "file")
        assert b"other" in bytes_of(tmp_path / "file")
