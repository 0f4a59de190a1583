"""The schedule: sources refreshed when due, folders watched, failures logged once and tried again."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.answering.answer import Verdict
from bot.service.rebuild import build_command
from bot.service.schedule import Schedule
from bot.service.service import Service
from index.build_report import BuildReport, Changes
from index.encoding.encoder import Encoder
from index.errors import BusyError, GateError
from index.sources.archive import Archive, Refresh, archive_file
from index.sources_cli import sources_group
from tests.bot.conftest import NEWS
from tests.bot.services import serving, settings_of, until
from tests.index.sources.web import WebServer

BELL = "Who cast the fog bell of Gull Rock?"
PAGE = f"<html><head><title>The fog bell</title></head><body><main><p>{NEWS}</p></main></body></html>"
LOOK, CALM = 0.02, 0.1
REPORT = BuildReport("000002-0123456789abcdef", Changes(("a",), (), ("b",), 0), 1, 3, 0, 1, 2.5)
DUE = '[bell]\nurl = "https://bell.example/"\nevery = "1h"\n'


class StagedService(Service):
    """Rebuilds nothing, but returns or raises what a test has set, the last of it again and again."""

    def __init__(self, home: Path) -> None:
        super().__init__(settings_of(home))
        self.outcomes: list[BuildReport | Exception] = [REPORT]
        self.rebuilds: list[Sequence[str] | None] = []

    async def rebuild(self, progress: Any = None, *, force: bool = False, refresh: Any = None) -> BuildReport:
        self.rebuilds.append(refresh)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def note(self, problem: str = "") -> None:
        """Note that the source was refreshed, as a refresh does."""
        with Archive(archive_file(self.settings.index), writing=True) as archive:
            archive.note(Refresh("bell", datetime.now(UTC).isoformat(), "", problem))


@asynccontextmanager
async def running(
    service: Service, ended: Callable[..., Any] = lambda names, outcome: None
) -> AsyncIterator[Schedule]:
    """Run a schedule that looks often; in the end it must stop at once."""

    async def tell(*outcome: object) -> None:
        ended(*outcome)

    schedule = Schedule(service, tell, LOOK, CALM)
    task = asyncio.create_task(schedule.run())
    try:
        yield schedule
        assert not task.done()
    finally:
        task.cancel()
        async with asyncio.timeout(1):
            await asyncio.gather(task, return_exceptions=True)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of the schedule; threads of other tests may still log theirs."""
    ours = [record for record in caplog.records if record.name == "bot.service.schedule"]
    return [record.getMessage() for record in ours if record.levelname == "WARNING"]


@pytest.fixture
async def service(tmp_path: Path) -> StagedService:
    """Give a service without an index, whose source was never refreshed."""
    service = StagedService(tmp_path)
    with Archive(archive_file(service.settings.index), writing=True):
        return service


async def test_a_due_source_is_refreshed_in_a_process_and_not_again_before_its_time(home: Path) -> None:
    async with WebServer({"/bell": PAGE}) as site, serving(home) as service:
        listed = f'url = "{site.url("/bell")}"\nevery = "1h"\nallow_private = ["127.0.0.1"]\n'
        Path("sources.toml").write_text(f"[bell]\n{listed}[by-hand]\nurl = 'https://a.example/'\n", "utf-8")
        ends: list[Any] = []
        async with running(service, lambda *ended: ends.append(ended)) as schedule:
            assert (schedule.state(), math.isnan(schedule.age())) == ({}, True)
            await until(lambda: ends)
            ((names, report),) = ends
            assert (names, report.changes.added) == (["bell"], ("bell/bell",))
            await until(lambda: not math.isnan(schedule.age()))
            await asyncio.sleep(5 * LOOK)
            shown: Any = json.loads(json.dumps(schedule.state()))["sources"]
            assert (shown["count"], shown["failing"], schedule.age() < 60) == (2, [], True)
            assert datetime.fromisoformat(shown["next"]) > datetime.now(UTC)
        answer = await service.ask(BELL)
        assert (answer.verdict, site.paths, len(ends)) == (Verdict.ANSWERED, ["/bell"], 1)


async def test_a_failed_refresh_is_logged_once_and_tried_again_less_and_less_often(
    service: StagedService, caplog: pytest.LogCaptureFixture
) -> None:
    Path("sources.toml").write_text(DUE, encoding="utf-8")
    service.outcomes = [GateError("The gold question\n  about lamps is lost.")]
    times: list[float] = []

    def fail(*_: object) -> None:
        times.append(time.monotonic())
        raise ValueError("a callback that fails does not end the schedule")

    async with running(service, fail) as schedule:
        await until(lambda: len(times) == 4)  # nothing was noted, so it is due all the time
        pauses = [after - before for before, after in itertools.pairwise(times)]
        assert all(pause > LOOK * 2**number for number, pause in enumerate(pauses, 1))
        assert lines(caplog) == ["The refresh of bell failed: The gold question about lamps is lost."]
        service.note("not published: The gold question is lost.")
        await until(lambda: "bell" in str(schedule.state().get("sources", {})))
        assert (service.rebuilds[0], len(service.rebuilds)) in ((["bell"], 4), (["bell"], 5))


async def test_busy_is_tried_again_though_the_source_is_not_due_any_more(
    service: StagedService, caplog: pytest.LogCaptureFixture
) -> None:
    Path("sources.toml").write_text(DUE, encoding="utf-8")
    busy = BusyError("Another build holds the lock.")
    service.outcomes = [busy, busy, busy, REPORT]
    async with running(service):
        await until(lambda: service.rebuilds)
        service.note("Another build holds the lock.")
        await until(lambda: len(service.rebuilds) == 4)
        await asyncio.sleep(5 * LOOK)
    assert service.rebuilds == [["bell"]] * 4
    assert lines(caplog) == [f"The refresh of bell failed: {busy}"]


async def test_the_list_may_be_broken_and_mended_while_the_schedule_runs(
    service: StagedService, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(service):
        Path("sources.toml").write_text("[bell\n", encoding="utf-8")
        await until(lambda: lines(caplog))
        await asyncio.sleep(5 * LOOK)
        (line,) = lines(caplog)
        assert ("sources.toml cannot be read" in line, service.rebuilds) == (True, [])
        Path("sources.toml").write_text(DUE, encoding="utf-8")
        await until(lambda: service.rebuilds)


def write(name: str, text: str = NEWS) -> None:
    """Write a file, in one step, as an editor does."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".swp").write_text(text, encoding="utf-8")
    path.with_suffix(".swp").replace(path)


async def test_changes_of_articles_in_watched_folders_have_the_index_rebuilt_once_they_are_over(
    service: StagedService, tmp_path: Path
) -> None:
    for (
        name
    ) in "wiki/old.md wiki/guides/one.md notes.md wiki/index/lock elsewhere/a.md elsewhere/b.md".split():
        write(name)
    listed = '[wiki]\npath = "wiki"\n[notes]\npath = "notes.md"\n[later]\npath = "later"\n'
    Path("sources.toml").write_text(listed, encoding="utf-8")
    service.settings = settings_of(tmp_path, index=tmp_path / "wiki/index")
    async with running(service):
        await asyncio.sleep(3 * CALM)
        for name in (".draft.md", ".git/news.md", "program.log", "index/CURRENT", "../other/news.md"):
            write(f"wiki/{name}")
        await asyncio.sleep(4 * CALM)
        assert service.rebuilds == []
        changes: list[Callable[[], object]] = [
            lambda: shutil.copytree("elsewhere", "wiki/deep/er"),
            lambda: Path("wiki/old.md").unlink(),
            lambda: shutil.move("wiki/guides", "guides"),
            lambda: write("notes.md", "The notes."),
            lambda: write("notes.md", "The same notes, in another file of the same name."),
        ]
        for number, change in enumerate(changes, 1):
            change()
            await until(lambda: len(service.rebuilds) >= number)  # noqa: B023
            await asyncio.sleep(2 * CALM)
            assert service.rebuilds == [None] * number
        Path("later").mkdir()
        await asyncio.sleep(3 * CALM)
        write("later/news.md")
        await until(lambda: len(service.rebuilds) > len(changes))


async def test_a_changed_folder_is_quotable_after_the_rebuild_which_waits_for_another_one(
    home: Path, encoder: Encoder
) -> None:
    write("wiki/notes.md")
    Path("sources.toml").write_text('[wiki]\npath = "wiki"\n', encoding="utf-8")
    async with serving(home, encoder) as service, running(service):
        await asyncio.sleep(2 * CALM)
        other = asyncio.create_task(service.rebuild())
        write("wiki/rope.md", "# Rope\n\nThe tow rope was spun by Nils Aker.")
        await other
        swaps: list[str] = []
        service.on_swap(swaps.append)
        while (await service.article("wiki/rope")) is None:
            await until(lambda: swaps.pop() if swaps else None)
        assert (await service.ask("Who spun the tow rope?")).verdict is Verdict.ANSWERED


def test_the_command_of_a_refresh_has_every_setting_and_takes_names(home: Path) -> None:
    settings = settings_of(home, contact="-me@example.org", sources="my sources.toml", keep=9)
    parsed: dict[str, Any] = {}
    command = [*build_command(settings, refresh=True), "--force", "--", "bell", "-odd"]
    assert command[4:6] == ["sources", "refresh"]

    def load(**given: Any) -> Any:
        parsed.update(type(settings).load(**given).model_dump())
        raise GateError("the settings are known")

    with pytest.raises(GateError, match="known"):
        sources_group.main(command[5:], obj=load, standalone_mode=False)
    assert parsed == settings.model_dump()
