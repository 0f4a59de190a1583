"""The file: its owner's alone, used off the event loop, whole after a crash, refused in plain words."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.errors import RecordsError
from bot.records import Records
from tests.bot.records.conftest import ANN, HERE, ask, direction, say
from tests.bot.records.version1 import write_version_1


async def test_only_the_owner_may_read_the_files(records: Records, file: Path) -> None:
    await ask(records, "one lamp")
    found = {one.name: stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()}
    assert found == dict.fromkeys([file.name, f"{file.name}-wal", f"{file.name}-shm"], 0o600)


async def test_what_people_asked_is_in_no_temporary_file(records: Records) -> None:
    def where(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA temp_store").fetchone()[0])

    assert await records._worker.run(where) == 2, "in memory"


async def test_file_that_others_may_read_is_closed_to_them(file: Path) -> None:
    write_version_1(file)
    file.chmod(0o664)
    records = Records(file)
    await records.open()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await records.close()


async def test_name_of_the_file_may_have_any_characters(tmp_path: Path) -> None:
    file = tmp_path / "a/b ?mode=memory#%41ö/records.sqlite?x"
    for _ in range(2):
        records = Records(file)
        await records.open()
        await ask(records, "one lamp")
        await records.close()
    records = Records(file)
    await records.open()
    assert [gap.count for gap in await records.gaps(HERE)] == [2]
    await records.close()


async def test_file_is_found_from_another_folder_than_it_was_named_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(Path(".footnote/records.sqlite"))
    await records.open()
    monkeypatch.chdir("/")
    await ask(records, "one lamp")
    assert await records.forget(ANN) == 1
    await records.close()
    assert (tmp_path / ".footnote/records.sqlite").exists()


async def test_every_use_of_the_file_is_in_one_thread_off_the_loop(records: Records) -> None:
    seen: set[int] = set()
    statements: list[str] = []

    def trace(statement: str) -> None:
        seen.add(threading.get_ident())
        statements.append(statement)

    await records._worker.run(lambda connection: connection.set_trace_callback(trace))
    uses = [
        lambda: records.change(HERE, 5, private=True),
        lambda: ask(records, "one lamp"),
        lambda: say(records, "one lamp"),
        lambda: records.gaps(HERE),
        records.every_open_gap,
        lambda: records.mark_answered(1, "0001-abc"),
        lambda: records.drop_gap(HERE, 1),
        lambda: records.feedback(HERE),
        lambda: records.feedback_counts(HERE),
        lambda: records.show(ANN),
        lambda: records.forget(ANN),
        lambda: records.leave(HERE),
        records.prune,
    ]
    for number, use in enumerate(uses):
        statements.clear()
        await use()
        assert statements, number
    assert len(seen) == 1
    assert threading.get_ident() not in seen

    statements.clear()
    await records.settings(HERE, 5)
    await records.overview(HERE)
    assert not statements, "settings come from memory"


async def test_settings_do_not_wait_for_the_file(records: Records) -> None:
    """They are read while the thread of the file is held up by something else."""
    go_on = threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        assert go_on.wait(60)

    job = asyncio.create_task(records._worker.run(hold))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(records.gaps(HERE))
    assert not (await records.settings(HERE, 5)).private
    assert not waiting.done()
    go_on.set()
    await asyncio.gather(job, waiting)


async def test_closing_finishes_what_was_begun_and_then_refuses(records: Records, file: Path) -> None:
    asked = [asyncio.create_task(ask(records, f"lamp {number}", server=number + 1)) for number in range(30)]
    await asyncio.sleep(0)
    await records.close()
    await records.close()
    await asyncio.gather(*asked)
    for use in (records.gaps(HERE), ask(records, "too late"), records.forget(ANN), records.prune()):
        with pytest.raises(RecordsError, match="not open"):
            await use
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    await records.open()
    assert len(await records.every_open_gap()) == 30


async def test_question_whose_asker_gave_up_is_whole_or_absent(records: Records) -> None:
    for number in range(20):
        task = asyncio.create_task(ask(records, f"lamp {number}", vector=direction(number)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert all((gap.count, gap.people) == (1, 1) for gap in await records.gaps(HERE))
    await ask(records, "still at work")
    assert (await records.gaps(HERE))[0].question == "still at work"


@contextmanager
def closed_to_writing(path: Path, mode: int) -> Iterator[None]:
    """Take the right to write from a path while the block runs."""
    path.chmod(mode)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("root may write everywhere")
        yield
    finally:
        path.chmod(0o700)


@pytest.mark.parametrize("there", [True, False])
async def test_folder_that_may_not_be_written_is_told(file: Path, there: bool) -> None:
    file.parent.mkdir()
    if there:
        write_version_1(file)
    with closed_to_writing(file.parent, 0o500):
        await refused(file)


async def test_file_that_may_not_be_written_is_told(file: Path) -> None:
    write_version_1(file)
    before = file.read_bytes()
    with closed_to_writing(file, 0o400):
        await refused(file)
    assert file.read_bytes() == before


async def refused(file: Path) -> None:
    """See that records cannot be opened, and that what is told about it can be acted on."""
    with pytest.raises(RecordsError, match="FOOTNOTE_RECORDS") as told:
        await Records(file).open()
    assert str(file) in str(told.value)
    assert told.value.exit_status == 69


async def test_folder_that_is_a_file_and_file_that_is_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    nowhere = Path(os.devnull)
    before = nowhere.stat().st_mode
    for file in (tmp_path / "text/records.sqlite", tmp_path, tmp_path / "pipe", nowhere):
        await refused(file)
    assert nowhere.stat().st_mode == before
    assert (tmp_path / "text").read_text(encoding="utf-8") == "text"


async def test_no_room_is_told_and_leaves_what_was_there(records: Records, file: Path) -> None:
    await ask(records, "one lamp")
    await records.change(HERE, None, private=True)

    def no_more_pages(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    await records._worker.run(no_more_pages)
    with pytest.raises(RecordsError, match=r"full.*make room"):
        await ask(records, "x" * 100_000)
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT COUNT(*) FROM gaps").fetchone() == (1,), "no gap without its asking"
    await ask(records, "one lamp")
    assert [gap.count for gap in await records.gaps(HERE)] == [2]


async def test_file_that_another_program_holds_is_told(records: Records, file: Path) -> None:
    def do_not_wait(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout = 0")

    await records._worker.run(do_not_wait)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for use in (ask(records, "one lamp"), records.change(HERE, None, private=True), records.forget(ANN)):
            with pytest.raises(RecordsError, match="locked"):
                await use
        assert not (await records.settings(HERE)).private, "memory has what the file has"
    await ask(records, "one lamp")
    assert len(await records.gaps(HERE)) == 1


async def test_fault_of_ours_is_not_told_as_a_fault_of_the_file(records: Records) -> None:
    def faulty(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT * FROM nothing")

    with pytest.raises(sqlite3.OperationalError, match="nothing"):
        await records._worker.run(faulty)


_CRASH = """
import asyncio, os, sys
from pathlib import Path
from bot.records import Records
from tests.bot.records.conftest import ask

async def main():
    records = Records(Path(sys.argv[1]))
    await records.open()
    for number in range(20):
        await ask(records, f"lamp {number}", server=number + 1)
    os._exit(9)

asyncio.run(main())
"""


async def test_what_was_kept_is_there_after_a_crash(file: Path) -> None:
    root = Path(__file__).parents[3]
    crashed = await asyncio.create_subprocess_exec(sys.executable, "-c", _CRASH, str(file), cwd=root)
    assert await crashed.wait() == 9
    records = Records(file)
    await records.open()
    assert len(await records.every_open_gap()) == 20
    await records.close()


async def test_journal_that_a_crash_left_is_rolled_back(tmp_path: Path, file: Path) -> None:
    """Where the file system has no WAL, reading alone cannot tell what such a file holds."""
    origin = tmp_path / "origin"
    write_version_1(origin)
    file.parent.mkdir()
    with closing(sqlite3.connect(origin, isolation_level=None)) as torn:
        torn.execute("PRAGMA cache_size = 1")
        torn.execute("BEGIN")
        torn.execute("UPDATE askings SET question = hex(randomblob(50000))")
        for ending in ("", "-journal"):
            file.with_name(file.name + ending).write_bytes(
                origin.with_name(origin.name + ending).read_bytes()
            )
    records = Records(file, days=36_500)
    await records.open()
    assert [gap.question for gap in await records.gaps(HERE)] == ["Who mends the lamp?"]
    await records.close()
