"""Rebuilds in a child process: what it is given, every way in which it may end, and the service meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.answering.answer import Verdict
from bot.errors import NotServedError, RebuildError
from bot.service.rebuild import Rebuilder, build_command
from index.build_events import line_of
from index.build_report import BuildReport, Changes
from index.cli import index_group
from index.encoding.encoder import Encoder
from index.errors import (
    ArticleError,
    BusyError,
    DamagedIndexError,
    FootnoteError,
    GateError,
    NoModelError,
    SettingsError,
    ShrunkError,
)
from index.progress import Progress
from index.settings import IndexSettings
from index.storage.inspection import verify
from index.storage.manifest import point_at, read_pointer
from tests.bot.conftest import NEWS
from tests.bot.services import BOUND, add_many_articles, heartbeat, serving, until

LAMP = "Who kept the lamp on Gull Rock?"
BELL = "Who cast the fog bell of Gull Rock?"
STEP = Progress("encoding", 3, 9)
REPORT = BuildReport("000002-0123456789abcdef", Changes(("a",), (), ("b",), 0), 1, 3, 0, 1, 2.5)
BAD_LINES = [
    *["", "null", "[]", "{}", "done!", '{"progress": 7}', '{"progress": {"stage": "x"}}', "{" * 9_999],
    *['{"report": {}}', '{"report": {"generation": "g", "changes": [], "new": 1}}', line_of(REPORT.changes)],
    *[
        '{"error": {"class": "SystemExit", "message": "x"}}',
        '{"error": {"class": "__all__", "message": "x"}}',
    ],
]
PRINT = "import os, signal, sys, time\nsay = lambda line: print(line, flush=True)\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")


class Child(Rebuilder):
    """Runs a program of the test's own in place of a build, and collects the progress that it prints."""

    def __init__(self, program: str, patience: float = BOUND) -> None:
        command = [sys.executable, "-I", "-c", PRINT + program]
        super().__init__(IndexSettings.load(index="index"), command, patience)
        self.steps: list[Progress] = []

    async def report(self) -> BuildReport:
        return await asyncio.wait_for(self.run(self.steps.append), BOUND)


def saying(*lines: str, then: str = "") -> Child:
    """Return a child that prints lines and then does something."""
    return Child("".join(f"say({line!r})\n" for line in lines) + then)


def published_by(program: str) -> str:
    """Return a program that runs another one after it published a generation."""
    Path("index").mkdir()
    point_at(Path("index"), REPORT.generation)
    Path("index/CURRENT").rename("index/next")
    return f"os.rename('index/next', 'index/CURRENT')\n{program}"


async def test_progress_is_passed_on_and_the_report_returned_whatever_else_is_printed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    child = saying(*BAD_LINES, line_of(STEP), line_of(REPORT), "done!")
    assert await child.report() == REPORT
    assert child.steps == [STEP]
    assert caplog.text.count("a line that is no build event") >= len(BAD_LINES)
    with pytest.raises(RebuildError, match="status 0"):
        await saying(*BAD_LINES).report()


async def test_a_long_report_is_read_and_a_line_beyond_all_bounds_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = tuple(f"article-{number}" for number in range(100_000))
    report = BuildReport("g", Changes(names, (), (), 0), 100_000, 1, 0, 1, 1.0)
    Path("report").write_text(line_of(report), encoding="utf-8")
    assert await Child("say('x' * 70_000_000)\nsay(open('report').read())").report() == report
    assert "a line of more than 67,108,864 bytes" in caplog.text


async def test_a_progress_callback_that_fails_does_not_fail_the_build() -> None:
    def fail(step: Progress) -> None:
        raise ValueError(step.stage)

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    child = saying(line_of(STEP), line_of(REPORT))
    assert await asyncio.wait_for(child.run(fail), BOUND) == REPORT


@pytest.mark.parametrize(
    "error",
    [
        ArticleError(["a.txt, line 2: not UTF-8", "b.md: empty"]),
        DamagedIndexError("CURRENT is damaged."),
        NoModelError("the package is missing"),
        BusyError("another build is at work on x: process 7"),
        GateError("2 gold questions are lost."),
        FootnoteError("something else"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_is_raised_as_the_build_raised_it(error: FootnoteError) -> None:
    child = saying(line_of(error), then=f"sys.exit({error.exit_status})")
    with pytest.raises(FootnoteError) as raised:
        await child.report()
    assert (type(raised.value), str(raised.value)) == (type(error), str(error))


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("sys.exit(0)", "failed with status 0: the log has its last words"),
        ("sys.exit(70)", "failed with status 70: the log has its last words"),
        ("sys.exit(130)", "told to end by a signal: ask for it again"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "told to end by a signal: ask for it again"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed, perhaps because memory ran out"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV: try again"),
    ],
)
async def test_an_end_without_a_report_says_what_happened_and_what_to_do(
    end: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    child = saying(line_of(STEP), then=f"print('x' * 100_000, 'last words', file=sys.stderr)\n{end}")
    with pytest.raises(RebuildError, match=f"{message}.*Nothing was published") as raised:
        await child.report()
    assert ("last words" in caplog.text, len(caplog.text) < 10_000) == (True, True)
    assert "xxx" not in str(raised.value)
    assert child.steps == [STEP]


async def test_what_was_published_before_a_sudden_end_is_reported() -> None:
    child = Child(published_by("os.kill(os.getpid(), signal.SIGKILL)"))
    with pytest.raises(NotServedError, match=f"{REPORT.generation} was published before that"):
        await child.report()


async def test_a_program_that_cannot_be_started_is_reported() -> None:
    missing = Rebuilder(IndexSettings.load(index="index"), ["./no-such-program"])
    with pytest.raises(RebuildError, match="cannot be started: No such file"):
        await missing.run(lambda step: None)


@pytest.mark.parametrize("handler", ["signal.SIG_DFL", "signal.SIG_IGN"])
async def test_a_build_that_is_given_up_ends_even_if_it_ignores_that(handler: str) -> None:
    ready = f"signal.signal(signal.SIGTERM, {handler})\nsay({line_of(STEP)!r})\ntime.sleep(600)"
    child = Child(ready, patience=0.1)
    build = asyncio.create_task(child.report())
    await until(lambda: bool(child.steps))
    await asyncio.wait_for(child.give_up(), BOUND)
    with pytest.raises(BusyError, match="given up, and nothing was changed"):
        await build
    with pytest.raises(BusyError, match="given up"):  # another one would be ended as soon as it starts
        await child.report()


@pytest.mark.parametrize("reported", [True, False])
async def test_what_was_published_is_never_reported_as_given_up(reported: bool) -> None:
    report = f"os.write(1, {line_of(REPORT).encode()!r})" if reported else "pass"
    end = published_by(f"{report}\nos._exit(0)").replace("\n", "; ")
    ready = f"def end(*_): {end}\nsignal.signal(signal.SIGTERM, end)\nsay({line_of(STEP)!r})\ntime.sleep(600)"
    child = Child(ready)
    build = asyncio.create_task(child.report())
    await until(lambda: bool(child.steps))
    await child.give_up()
    if reported:
        assert await build == REPORT
    else:
        with pytest.raises(NotServedError, match=REPORT.generation):
            await build


async def test_the_process_gets_no_token_and_less_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FOOTNOTE_DISCORD_TOKEN", "footnote_keep", "OTHER"):
        monkeypatch.setenv(name, "7771")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    child = Child(
        f"import json\nwhile (now := os.getpriority(os.PRIO_PROCESS, 0)) == {own}: time.sleep(0.01)\n"
        "names = [name for name, value in os.environ.items() if value == '7771']\n"
        "print(json.dumps([names, now, os.getpgid(0) == os.getpid()]), file=open('found', 'w'))\n"
        f"say({line_of(REPORT)!r})"
    )
    await child.report()
    names, priority, has_own_group = json.loads(Path("found").read_text(encoding="utf-8"))
    assert (names, priority > own, has_own_group) == (["OTHER"], True, True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"articles": "-a b", "index": "--index", "model": "./my model", "language": "es", "keep": "9"},
        {"gate": "-gold .jsonl", "gate_at": "0.25", "shrink": "0", "answer_at": "0.75"},
    ],
)
def test_the_command_line_has_every_setting_whatever_the_environment_says(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = IndexSettings.load(**options)
    values = {"ARTICLES": "x", "INDEX": "x", "MODEL": "x", "MODEL_SHA256": "0" * 64, "LANGUAGE": "de"}
    for name, value in values.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    Path(".env").write_text("FOOTNOTE_KEEP=7\nFOOTNOTE_GATE=x\nFOOTNOTE_ANSWER_AT=0.1\n", encoding="utf-8")
    parsed: dict[str, Any] = {}

    def load(**given: Any) -> IndexSettings:
        parsed.update(IndexSettings.load(**given).model_dump())
        raise SettingsError("the settings are known")

    _, *flags, module, group, command = build_command(settings)[:6]
    assert (flags, module, group, command) == (["-P", "-m"], "bot.cli", "index", "build")
    with pytest.raises(SettingsError, match="known"):
        index_group.main(build_command(settings)[5:], obj=load, standalone_mode=False)
    assert parsed == settings.model_dump()


# ---- with the service, and the real build


async def test_questions_are_answered_during_a_rebuild_whose_generation_serves_next(home: Path) -> None:
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
    add_many_articles(home)
    heard: list[tuple[Progress, threading.Thread]] = []
    async with serving(home) as service, heartbeat() as pauses:
        before = (await service.status()).generation
        progress: Callable[[Progress], None] = lambda step: heard.append((step, threading.current_thread()))  # noqa: E731
        rebuild = asyncio.create_task(service.rebuild(progress))
        await until(lambda: any(step.stage == "encoding" for step, _ in heard))
        with pytest.raises(BusyError, match="already running"):
            await service.rebuild()
        answer = await service.ask(LAMP)
        assert (answer.verdict, answer.generation, rebuild.done()) == (Verdict.ANSWERED, before, False)
        report = await rebuild
        after = await service.ask(BELL)
        assert after.generation == report.generation == (await service.status()).generation != before
        assert after.quotes[0].text == "The fog bell of Gull Rock was cast in Bergen by Tove Dahl."
        assert (report.reused, report.encoded) == (3, 25)
    assert max(pauses) < 0.5
    assert {thread for _, thread in heard} == {threading.main_thread()}
    assert all(0 <= step.done <= step.total for step, _ in heard)
    assert (heard[-1][0].stage, heard[-1][0].done) == ("writing", 28)


def spoil_article(articles: Path) -> None:
    (articles / "bad.txt").write_bytes(b"A title\n\nGood line.\nBad \xff byte.\n")


def remove_most(articles: Path) -> None:
    for name in ("lamp.txt", "odd.jsonl"):
        (articles / name).unlink()


def lose_gold(articles: Path) -> None:
    gold = {"id": "q", "question": LAMP, "answers": ["Ebba Lind"], "answerable": True}
    (articles / "questions.jsonl").write_text(json.dumps(gold), encoding="utf-8")
    (articles / "lamp.txt").write_text("The lamp\n\nThe lamp was sold.\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (spoil_article, ArticleError, r"bad\.txt, line 4: not UTF-8 \(byte 0xff\)"),
        (remove_most, ShrunkError, "FOOTNOTE_SHRINK"),
        (lose_gold, GateError, "gold question"),
    ],
)
async def test_a_refused_rebuild_says_why_and_the_previous_generation_keeps_serving(
    home: Path, spoil: Callable[[Path], None], error: type[FootnoteError], message: str
) -> None:
    spoil(home / "articles")
    async with serving(home) as service:
        before = (await service.status()).generation
        with pytest.raises(error, match=message):
            await service.rebuild()
        assert (await service.ask(LAMP)).generation == before
        if error is ShrunkError:
            report = await service.rebuild(force=True)
            assert (await service.ask(LAMP)).generation == report.generation != before
    assert verify(home / ".footnote/index") == []


async def test_close_gives_up_a_rebuild_and_answers_what_waits(home: Path) -> None:
    add_many_articles(home)
    heard: list[Progress] = []
    async with serving(home) as service:
        before = (await service.status()).generation
        rebuild = asyncio.create_task(service.rebuild(heard.append))
        await until(lambda: any(step.stage == "encoding" for step in heard))
        question = asyncio.create_task(service.ask(LAMP))
        await asyncio.sleep(0)
        await asyncio.wait_for(service.close(), BOUND)
        assert (await question).verdict is Verdict.ANSWERED
        with pytest.raises(BusyError, match="given up"):
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
        with pytest.raises(asyncio.CancelledError):
            await rebuild
        with pytest.raises(BusyError, match="already running"):
            await service.rebuild()
        await until(lambda: bool(swaps))
        assert swaps == [read_pointer(home / ".footnote/index")]
