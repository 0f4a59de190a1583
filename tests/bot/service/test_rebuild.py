"""Rebuilds in a child process: what it is given, every way in which it may end, and the service meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.answering.answer import Verdict
from bot.errors import NotServedError, RebuildError
from bot.service.rebuild import Rebuilder, build_command
from index.build_report import BuildReport, Changes, Progress, line_of
from index.cli import index_group
from index.encoding.encoder import Encoder
from index.errors import ArticleError, BusyError, FootnoteError, SettingsError, ShrunkError
from index.settings import IndexSettings
from index.storage.inspection import verify
from index.storage.manifest import point_at, read_pointer
from tests.bot.conftest import NEWS
from tests.bot.services import BOUND, add_many_articles, heartbeat, serving, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")

LAMP, BELL = "Who kept the lamp on Gull Rock?", "Who cast the fog bell of Gull Rock?"
STEP = Progress("encoding", 3, 9)
REPORT = BuildReport("000002-0123456789abcdef", Changes(("a",), (), ("b",), 0), 1, 3, 0, 1, 2.5)
BAD_LINES = ["", "done!", "{" * 9_999, '{"progress": 7}', '{"report": {}}', line_of(REPORT.changes)]
PRINT = "import json, os, signal, sys, time\nsay = lambda line: print(line, flush=True)\n"


class Child(Rebuilder):
    """Runs a program of the test's own in place of a build, and collects the progress that it prints."""

    def __init__(self, *lines: str, then: str = "", patience: float = BOUND) -> None:
        program = "".join(f"say({line!r})\n" for line in lines) + then
        command = [sys.executable, "-I", "-c", PRINT + program]
        super().__init__(IndexSettings.load(index="index"), command, patience)
        self.steps: list[Progress] = []

    async def report(self) -> BuildReport:
        return await asyncio.wait_for(self.run(self._note), BOUND)

    async def start_and_give_up(self) -> asyncio.Task[BuildReport]:
        """Start the build, and give it up once it printed progress."""
        build = asyncio.create_task(self.report())
        await until(lambda: self.steps)
        await asyncio.wait_for(self.give_up(), BOUND)
        return build

    def _note(self, step: Progress) -> None:
        self.steps.append(step)
        raise ValueError("a callback that fails does not fail the build")


@pytest.fixture(autouse=True)
async def quiet_callbacks() -> None:
    """Keep the errors of callbacks, which the event loop handles, from failing the test."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)


def publishing() -> str:
    """Return a statement that publishes a generation, as far as its name, for a program to run."""
    Path("index").mkdir()
    point_at(Path("index"), REPORT.generation)
    Path("index/CURRENT").rename("index/next")
    return "os.rename('index/next', 'index/CURRENT')"


async def test_progress_is_passed_on_and_the_report_returned_whatever_else_is_printed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    child = Child(*BAD_LINES, line_of(STEP), line_of(REPORT), "done!")
    assert (await child.report(), child.steps) == (REPORT, [STEP])
    assert caplog.text.count("a line that is no build event") >= len(BAD_LINES)
    with pytest.raises(RebuildError, match="status 0"):
        await Child(*BAD_LINES).report()


async def test_a_long_report_is_read_and_a_line_beyond_all_bounds_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = tuple(f"article-{number}" for number in range(100_000))
    report = BuildReport("g", Changes(names, (), (), 0), 100_000, 1, 0, 1, 1.0)
    Path("report").write_text(line_of(report), encoding="utf-8")
    assert await Child(then="say('x' * 70_000_000)\nsay(open('report').read())").report() == report
    assert "cannot be read: Separator is" in caplog.text


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("sys.exit(70)", "failed with status 70: the log has its last output"),
        ("sys.exit(130)", "stopped by a signal: start it again"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "stopped by a signal: start it again"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed, perhaps because memory ran out"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11: try again"),
    ],
)
async def test_an_end_without_a_report_says_what_happened_and_whether_something_was_published(
    end: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    last_words = "print('x' * 100_000, 'last words', file=sys.stderr)"
    with pytest.raises(RebuildError, match=f"{message}.*Nothing was published") as raised:
        await Child(then=f"{last_words}\n{end}").report()
    logged = "".join(one.getMessage() for one in caplog.records if one.name == "bot.service.rebuild")
    assert ("last words" in logged, len(logged) < 10_000) == (True, True)
    assert "xxx" not in str(raised.value)
    with pytest.raises(NotServedError, match=f"{message}.*{REPORT.generation} was published before that"):
        await Child(then=f"{publishing()}\n{end}").report()


async def test_a_program_that_cannot_be_started_is_reported() -> None:
    missing = Rebuilder(IndexSettings.load(index="index"), ["./no-such-program"])
    with pytest.raises(RebuildError, match="cannot be started: No such file"):
        await missing.run(lambda step: None)


@pytest.mark.parametrize("handler", ["signal.SIG_DFL", "signal.SIG_IGN"])
async def test_a_build_that_is_given_up_ends_even_if_it_ignores_that(handler: str) -> None:
    program = f"signal.signal(signal.SIGTERM, {handler})\nsay({line_of(STEP)!r})\ntime.sleep(600)"
    child = Child(then=program, patience=0.1)
    with pytest.raises(BusyError, match=r"cancelled.*Nothing was published"):
        await (await child.start_and_give_up())
    with pytest.raises(BusyError, match="cancelled"):  # another one would be ended as soon as it starts
        await child.report()


@pytest.mark.parametrize("reported", [True, False])
async def test_what_was_published_is_never_reported_as_given_up(reported: bool) -> None:
    report = f"os.write(1, {line_of(REPORT).encode()!r}); " if reported else ""
    end = f"def end(*_): {publishing()}; {report}os._exit(0)\nsignal.signal(signal.SIGTERM, end)\n"
    build = await Child(then=f"{end}say({line_of(STEP)!r})\ntime.sleep(600)").start_and_give_up()
    if reported:
        assert await build == REPORT
    else:
        with pytest.raises(NotServedError, match=REPORT.generation):
            await build


async def test_the_process_gets_no_token_and_less_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FOOTNOTE_DISCORD_TOKEN", "footnote_other", "OTHER"):
        monkeypatch.setenv(name, "t0ken")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    await Child(
        line_of(REPORT),
        then=f"while (now := os.getpriority(os.PRIO_PROCESS, 0)) == {own}: time.sleep(0.01)\n"
        "names = [name for name, value in os.environ.items() if value == 't0ken']\n"
        "print(json.dumps([names, now, os.getpgid(0) == os.getpid()]), file=open('found', 'w'))\n",
    ).report()
    names, priority, has_own_group = json.loads(Path("found").read_text(encoding="utf-8"))
    assert (names, priority > own, has_own_group) == (["OTHER"], True, True)


@pytest.mark.parametrize("given", [True, False])
def test_the_command_line_has_every_setting_whatever_the_environment_says(
    given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"articles": "-a b", "index": "--index", "model": "./my model", "language": "es", "keep": "9"}
    options |= {"gate": "-gold .jsonl", "gate_at": "0.25", "shrink": "0", "answer_at": "0.75"}
    settings = IndexSettings.load(**options if given else {})
    for name in ("ARTICLES", "INDEX", "MODEL", "GATE"):
        monkeypatch.setenv(f"FOOTNOTE_{name}", "x")
    Path(".env").write_text(
        "FOOTNOTE_KEEP=7\nFOOTNOTE_LANGUAGE=de\nFOOTNOTE_ANSWER_AT=0.1\n", encoding="utf-8"
    )
    parsed: dict[str, Any] = {}

    def load(**given: Any) -> IndexSettings:
        parsed.update(IndexSettings.load(**given).model_dump())
        raise SettingsError("the settings are known")

    _, *start, command = build_command(settings)[:6]
    assert (start, command) == (["-P", "-m", "bot.cli", "index"], "build")
    with pytest.raises(SettingsError, match="known"):
        index_group.main(build_command(settings)[5:], obj=load, standalone_mode=False)
    assert parsed == settings.model_dump()


# ---- with the service, and the real build


async def test_questions_are_answered_during_a_rebuild_whose_generation_serves_next(home: Path) -> None:
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
    add_many_articles(home)
    steps: list[Progress] = []
    threads: set[threading.Thread] = set()

    def note(step: Progress) -> None:
        steps.append(step)
        threads.add(threading.current_thread())

    async with serving(home) as service, heartbeat() as pauses:
        before = (await service.status()).generation
        rebuild = asyncio.create_task(service.rebuild(note))
        await until(lambda: any(step.stage == "encoding" for step in steps))
        with pytest.raises(BusyError, match="already running"):
            await service.rebuild()
        answer = await service.ask(LAMP)
        assert (answer.verdict, answer.generation, rebuild.done()) == (Verdict.ANSWERED, before, False)
        report = await rebuild
        after = await service.ask(BELL)
        assert after.generation == report.generation == (await service.status()).generation != before
        assert after.quotes[0].text == "The fog bell of Gull Rock was cast in Bergen by Tove Dahl."
        assert (report.reused, report.encoded) == (3, 25)
    assert (max(pauses) < 0.5, threads) == (True, {threading.main_thread()})
    assert all(0 <= step.done <= step.total for step in steps)
    assert steps[-1] == Progress("writing", 28, 28)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"lamp.txt": b"", "bread.md": None, "odd.jsonl": b"{"}, ArticleError, r"odd\.jsonl, line 1: "),
        ({"lamp.txt": None, "odd.jsonl": None}, ShrunkError, "FOOTNOTE_SHRINK"),
    ],
    ids=["article", "shrunk"],
)
async def test_a_refused_rebuild_says_why_and_the_previous_generation_keeps_serving(
    home: Path, changes: dict[str, bytes | None], error: type[FootnoteError], message: str
) -> None:
    for name, content in changes.items():
        path = home / "articles" / name
        path.unlink() if content is None else path.write_bytes(content)
    async with serving(home) as service:
        before = (await service.status()).generation
        with pytest.raises(error, match=message):
            await service.rebuild()
        assert (await service.ask(LAMP)).generation == before
        if error is ShrunkError:
            report = await service.rebuild(force=True)
            assert (await service.ask(LAMP)).generation == report.generation != before
    assert verify(home / ".footnote/index") == []


async def test_a_file_that_cannot_be_indexed_is_named_and_its_previous_version_stays(home: Path) -> None:
    (home / "articles/lamp.txt").write_bytes(b"")
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
    (home / "articles/bad.jsonl").write_bytes(b"{")
    async with serving(home) as service:
        report = await service.rebuild()
        notes = "\n".join(report.changes.notes)
        assert "lamp.txt: empty; passed over" in notes
        assert "lamp: the previous version stays" in notes
        assert "bad.jsonl, line 1: " in notes
        assert (report.articles, report.changes.added, report.changes.removed) == (4, ("news",), ())
        for question in (LAMP, BELL):
            answer = await service.ask(question)
            assert (answer.verdict, answer.generation) == (Verdict.ANSWERED, report.generation)


async def test_close_gives_up_a_rebuild_and_answers_what_waits(home: Path) -> None:
    add_many_articles(home)
    steps: list[Progress] = []
    async with serving(home) as service:
        before = (await service.status()).generation
        rebuild = asyncio.create_task(service.rebuild(steps.append))
        await until(lambda: any(step.stage == "encoding" for step in steps))
        question = asyncio.create_task(service.ask(LAMP))
        await asyncio.sleep(0)
        await asyncio.wait_for(service.close(), BOUND)
        assert (await question).verdict is Verdict.ANSWERED
        with pytest.raises(BusyError, match="cancelled"):
            await rebuild
    assert read_pointer(home / ".footnote/index") == before


async def test_a_cancelled_caller_does_not_stop_its_rebuild(home: Path, encoder: Encoder) -> None:
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
    swaps: list[str] = []
    async with serving(home, encoder, poll_seconds=BOUND) as service:
        service.on_swap(swaps.append)
        rebuild = asyncio.create_task(service.rebuild())
        await asyncio.sleep(0)
        rebuild.cancel()
        await until(lambda: swaps)
        assert (rebuild.cancelled(), swaps) == (True, [read_pointer(home / ".footnote/index")])
