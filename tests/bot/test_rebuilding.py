"""The process that rebuilds: what it is given, what it may say, and every way in which it may end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.errors import NotServedError, RebuildError
from bot.service.rebuild import Rebuilder, build_command
from index.build import BuildReport, Changes
from index.build_events import line_of
from index.cli import index_group
from index.errors import (
    ArticleError,
    BusyError,
    DamagedIndexError,
    FootnoteError,
    NoModelError,
    NotWritableError,
    SettingsError,
)
from index.progress import Progress
from index.settings import IndexSettings
from index.storage.manifest import Pointer
from tests.bot.services import BOUND

STEP = Progress("encoding", 3, 9)
REPORT = BuildReport("000002-0123456789abcdef", Changes(("a",), (), ("b",), 0), 1, 3, 0, 1, 2.5)
PRINT = "import os, signal, sys, time\nsay = lambda line: print(line, flush=True)\n"
NEXT = Pointer(REPORT.generation, "0" * 64)
TOKEN = "MTE0.the.t0ken"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")


class Child(Rebuilder):
    """Starts a program of the test's own in the place of a build, and notes what it tells."""

    def __init__(self, program: str, *, patience: float = 60.0) -> None:
        command = [sys.executable, "-I", "-c", PRINT + program]
        super().__init__(IndexSettings.load(index="index"), command, patience=patience)
        self.steps: list[Progress] = []
        self.begun = asyncio.Event()

    async def report(self) -> BuildReport:
        return await asyncio.wait_for(self.run(self._note), BOUND)

    def _note(self, step: Progress) -> None:
        self.steps.append(step)
        self.begun.set()


def saying(*lines: str, then: str = "") -> Child:
    """Return a child that prints lines, and then does something."""
    return Child("".join(f"say({line!r})\n" for line in lines) + then)


async def test_progress_is_passed_on_and_the_report_returned_as_it_was_made() -> None:
    child = saying(line_of(STEP), line_of(REPORT))
    assert await child.report() == REPORT
    assert child.steps == [STEP]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ArticleError(["a.txt, line 2: not UTF-8", "b.md: empty"]), 65),
        (DamagedIndexError("CURRENT is damaged."), 65),
        (NoModelError("the package is missing; run `make setup` again"), 69),
        (NotWritableError("the index at x cannot be written: no room"), 69),
        (FootnoteError("something else"), 70),
        (BusyError("another build is at work on x: process 7"), 75),
        (SettingsError("--language: 'x' is not accepted"), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_an_error_is_raised_as_the_build_raised_it(error: FootnoteError, status: int) -> None:
    child = saying(line_of(error), then=f"sys.exit({status})")
    with pytest.raises(FootnoteError) as raised:
        await child.report()
    assert (type(raised.value), str(raised.value)) == (type(error), str(error))


@pytest.mark.parametrize("status", [0, 2, 65, 69, 70, 75])
async def test_an_end_without_a_word_is_told_and_what_was_said_is_for_the_log(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    child = Child(f"print('x' * 100_000, 'segment fault at 0x7', file=sys.stderr)\nsys.exit({status})")
    with pytest.raises(RebuildError, match=f"failed with status {status}.*Nothing was published") as raised:
        await child.report()
    assert "segment fault" not in str(raised.value)
    assert "segment fault at 0x7" in caplog.text
    assert len(caplog.text) < 10_000


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, "killed, perhaps since memory ran out"),
        (signal.SIGSEGV, "ended by SIGSEGV"),
        (signal.SIGTERM, "told to end by a signal: ask for it again"),
    ],
)
async def test_a_process_that_a_signal_ends_is_told_with_what_to_do(number: int, told: str) -> None:
    child = saying(line_of(STEP), then=f"os.kill(os.getpid(), {number})")
    with pytest.raises(RebuildError, match=told):
        await child.report()
    assert child.steps == [STEP]


async def test_what_was_published_before_a_sudden_end_is_told() -> None:
    child = Child(f"{publishing()}\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(NotServedError, match=f"{REPORT.generation} was published before that"):
        await child.report()


def publishing() -> str:
    """Return a program that publishes, for which the pointer alone is looked at."""
    return f"os.makedirs('index', exist_ok=True)\nopen('index/CURRENT', 'wb').write({NEXT.line()!r})"


RUBBISH = ["", "null", "[]", "{}", "\udcff", '{"progress": 7}', '{"progress": {"stage": "x"}}', "{" * 9_999]
OTHERS = [
    '{"report": {}}',
    '{"error": {"class": "SystemExit", "message": "x"}}',
    '{"error": {"class": "__all__", "message": "x"}}',
    '{"report": {"generation": "g", "changes": [], "new": 1}}',
    line_of(REPORT.changes),
]


async def test_lines_that_are_none_of_a_build_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    lines = [*RUBBISH[:4], line_of(STEP), *RUBBISH[5:], *OTHERS, line_of(REPORT), "done!"]
    child = saying(*lines)
    assert await child.report() == REPORT
    assert child.steps == [STEP]
    assert "done!" in caplog.text


@pytest.mark.parametrize("line", [*RUBBISH[:4], *RUBBISH[5:], *OTHERS])
async def test_a_line_that_is_none_of_a_build_is_no_outcome(line: str) -> None:
    with pytest.raises(RebuildError, match="status 0"):
        await saying(line).report()


async def test_a_report_of_very_many_articles_is_read_and_a_line_beyond_all_bounds_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    many = tuple(f"article-{number}" for number in range(100_000))
    report = BuildReport("g", Changes(many, (), (), 0), 100_000, 1, 0, 1, 1.0)
    Path("report").write_text(line_of(report), encoding="utf-8")
    child = Child("say('x' * 70_000_000)\nsay(open('report').read())")
    assert await child.report() == report
    assert "a line of more than 67,108,864 bytes" in caplog.text


async def test_a_progress_that_fails_does_not_fail_the_build() -> None:
    def fail(step: Progress) -> None:
        raise ValueError(step.stage)

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    child = saying(line_of(STEP), line_of(REPORT))
    assert await asyncio.wait_for(child.run(fail), BOUND) == REPORT


async def test_to_give_up_ends_the_process_and_says_that_nothing_was_changed() -> None:
    child = saying(line_of(STEP), then="time.sleep(600)")
    building = asyncio.create_task(child.report())
    await child.begun.wait()
    await asyncio.wait_for(child.give_up(), BOUND)
    with pytest.raises(BusyError, match="given up, and nothing was changed"):
        await building


async def test_a_process_that_will_not_end_is_killed() -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + f"say({line_of(STEP)!r})\ntime.sleep(600)"
    child = Child(deaf, patience=0.1)
    building = asyncio.create_task(child.report())
    await child.begun.wait()
    await asyncio.wait_for(child.give_up(), BOUND)
    with pytest.raises(BusyError, match="given up"):
        await building


async def test_to_give_up_while_the_process_is_being_started_ends_it_too() -> None:
    child = saying(then="time.sleep(600)")
    building = asyncio.create_task(child.report())
    await asyncio.sleep(0)
    await child.give_up()
    with pytest.raises(BusyError, match="given up"):
        await building


@pytest.mark.parametrize("reported", [True, False])
async def test_what_was_published_is_never_told_as_given_up(reported: bool) -> None:
    report = f"os.write(1, {line_of(REPORT).encode()!r})" if reported else "pass"
    publish = "; ".join(publishing().splitlines())
    at_end = (
        f"def end(*_):\n    {publish}\n    {report}\n    os._exit(0)\nsignal.signal(signal.SIGTERM, end)\n"
    )
    child = Child(f"{at_end}say({line_of(STEP)!r})\ntime.sleep(600)")
    building = asyncio.create_task(child.report())
    await child.begun.wait()
    await child.give_up()
    if reported:
        assert await building == REPORT
    else:
        with pytest.raises(NotServedError, match=REPORT.generation):
            await building


async def test_a_program_that_cannot_be_started_is_told() -> None:
    missing = Rebuilder(IndexSettings.load(index="index"), ["./no-such-program"])
    with pytest.raises(RebuildError, match="cannot be started: No such file"):
        await missing.run(lambda step: None)


async def test_the_process_has_neither_the_token_nor_as_much_of_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("footnote_language", "es")
    monkeypatch.setenv("OTHER", "kept")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    child = Child(
        f"OWN = {own}\n"
        "import json, pathlib\n"
        f"until = time.monotonic() + {BOUND / 2}\n"  # it is begun before it is favoured less
        "while os.getpriority(os.PRIO_PROCESS, 0) == OWN and time.monotonic() < until: time.sleep(0.01)\n"
        "found = [dict(os.environ), os.getpriority(os.PRIO_PROCESS, 0), os.getpgid(0) == os.getpid()]\n"
        "pathlib.Path('found').write_text(json.dumps(found))\n"
        f"say({line_of(REPORT)!r})"
    )
    await child.report()
    environment, priority, own_group = json.loads(Path("found").read_text(encoding="utf-8"))
    assert environment["OTHER"] == "kept"
    assert [name for name in environment if name.upper().startswith("FOOTNOTE")] == []
    assert TOKEN not in environment.values()
    assert priority > own
    assert own_group


def parsed(command: Sequence[str]) -> dict[str, Any]:
    """Return the settings that the program takes from a command line."""
    got: dict[str, Any] = {}

    def load(**options: Any) -> IndexSettings:
        got.update(IndexSettings.load(**options).model_dump())
        raise SettingsError("enough is known")

    with pytest.raises(SettingsError, match="enough"):
        index_group.main(list(command), obj=load, standalone_mode=False)
    return got


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"articles": "-a b", "index": "--index", "model": "./my model", "language": "es"},
        {"fit_file": "a=b.json", "without": "late, dense", "encode_with": "reference"},
        {"gate": "-gold .jsonl", "gate_at": "0.25", "shrink": "0", "keep": "9", "answer_at": "0.75"},
    ],
)
def test_the_command_line_gives_every_setting_whatever_the_environment_says(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = IndexSettings.load(**options)
    _, *flags, module, cli, group = build_command(settings)[:6]
    assert (flags, module, cli, group) == (["-P", "-m"], "bot.cli", "index", "build")
    for name, value in {
        "ARTICLES": "x",
        "INDEX": "x",
        "MODEL": "x",
        "MODEL_SHA256": "0" * 64,
        "LANGUAGE": "de",
        "FIT_FILE": "x",
        "ENCODE_WITH": "reference",
    }.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    Path(".env").write_text("FOOTNOTE_WITHOUT=spelling\nFOOTNOTE_GATE=x\nFOOTNOTE_ANSWER_AT=0.1\n")
    assert parsed(build_command(settings)[5:]) == settings.model_dump()
