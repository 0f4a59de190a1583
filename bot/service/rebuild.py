"""A rebuild in a child process: `footnote index build --json`, with our settings as options.

It has its own memory and less processor time than what answers, so that whatever happens to it leaves the
answers alone. If the bot dies first, it still finishes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import NotServedError, RebuildError
from index.errors import BusyError, FootnoteError
from index.settings import IndexSettings
from index.storage.manifest import read_pointer

if TYPE_CHECKING:
    from index.build_report import BuildReport, Progress

__all__ = ["Rebuilder", "build_command"]

_LOG = logging.getLogger(__name__)

_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a line that are read: a report names every article that was added."""

_STDERR_TAIL = 4_000
"""Bytes of the end of standard error that go to the log."""

_PATIENCE = 5.0
"""Seconds after which a process that was told to end is killed."""

_NICENESS = 5
"""How much lower its priority is: about a quarter of the time of a core that both want."""

_OOM_SCORE = "500"
"""Its oom_score_adj: where memory runs out, Linux kills the rebuild and not the bot."""

_KILLED = -9
_TOLD_TO_END = {-signal.SIGTERM, -signal.SIGINT, 130}
"""How it ends when Footnote is being stopped from outside, which may reach the rebuild first."""


def build_command(settings: IndexSettings) -> list[str]:
    """Return the command line that builds with exactly these settings, wherever they came from."""
    values = ((name, getattr(settings, name)) for name in IndexSettings.model_fields)
    options = [f"--{name.replace('_', '-')}={'' if value is None else value}" for name, value in values]
    # -P: a file in the working folder is not taken for a module.
    return [sys.executable, "-P", "-m", "bot.cli", "index", "build", "--json", *options]


class Rebuilder:
    """Builds the next generation in a child process, one at a time."""

    def __init__(
        self, settings: IndexSettings, command: Sequence[str] | None = None, patience: float = _PATIENCE
    ) -> None:
        """Take the settings; `command` replaces `build_command` in tests.

        `patience` is how many seconds the process has to end when it is told to.
        """
        self._patience = patience
        self._index = settings.index
        self._command = command or build_command(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._given_up = False

    async def run(self, progress: Callable[[Progress], None], *, force: bool = False) -> BuildReport:
        """Build; `progress` is called on the loop. With `force` there may be far fewer articles than before.

        Raises:
            NotServedError: it was given up or ended without a report, but had published a generation.
            BusyError: another build holds the lock, or this one was given up.
            RebuildError: the process ended without a report; the log has its last words.
            FootnoteError: the build was refused, as `build_index` raises it.
        """
        before = self._published()
        process = self._process = await self._start(["--force"] if force else [])
        out, err = process.stdout, process.stderr
        assert out is not None  # noqa: S101 - both are pipes
        assert err is not None  # noqa: S101 - both are pipes
        try:
            outcome, stderr = await asyncio.gather(_read_events(out, progress), _tail(err))
            status = await process.wait()
        finally:
            self._process = None
        if isinstance(outcome, FootnoteError):
            raise outcome
        if outcome is not None:
            return outcome
        raise self._no_report(status, stderr, before)

    async def _start(self, more: Sequence[str]) -> asyncio.subprocess.Process:
        # Settings are passed as options, and the token to nobody.
        environment = {
            name: value for name, value in os.environ.items() if not name.upper().startswith("FOOTNOTE_")
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *more,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=_LONGEST_LINE,
                process_group=0,  # Ctrl-C in a chat reaches the chat, which then gives up the rebuild
            )
        except OSError as error:
            raise RebuildError(
                f"The rebuild cannot be started: {error.strerror}. The previous index keeps serving. Free "
                "some memory or processes, or run `footnote index build`."
            ) from error
        _lower_priority(process.pid)
        if self._given_up:
            with suppress(ProcessLookupError):
                process.terminate()
        return process

    async def give_up(self) -> None:
        """End the process and wait for its end; another one would be ended as soon as it starts."""
        self._given_up = True
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self._patience)
            except TimeoutError:
                process.kill()
                await process.wait()

    def _no_report(self, status: int, stderr: str, before: str) -> FootnoteError:
        """Return the error for a process that ended without a report or an error."""
        now = self._published()
        if self._given_up:
            if now == before:
                return BusyError("Footnote is stopping: the rebuild was given up, and nothing was changed.")
            return NotServedError(
                f"Footnote is stopping. The rebuild had published generation {now}, which answers once it is "
                "back."
            )
        _LOG.error("The rebuild ended with status %s; its last words:\n%s", status, stderr or "none")
        ended = _describe_end(status)
        if now == before:
            return RebuildError(f"{ended} Nothing was published: the previous index keeps serving.")
        return NotServedError(
            f"{ended} Generation {now} was published before that: Footnote swaps to it by itself."
        )

    def _published(self) -> str:
        """Return the name of the published generation, "" where there is none."""
        try:
            return read_pointer(self._index)
        except FootnoteError:
            return ""


def _lower_priority(pid: int) -> None:
    """Give a process less processor time than us, and have it killed first if memory runs out."""
    with suppress(OSError):  # it has ended, or we may not: it runs as it is
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


async def _read_events(
    lines: asyncio.StreamReader, progress: Callable[[Progress], None]
) -> BuildReport | FootnoteError | None:
    """Pass on progress until the output ends; return the report or error, None without one."""
    from index.build_report import BuildReport, Progress, read_line

    loop = asyncio.get_running_loop()
    outcome: BuildReport | FootnoteError | None = None
    while line := await _next_line(lines):
        try:
            event = await asyncio.to_thread(read_line, line)  # a long report takes a while to parse
        except ValueError as error:
            _LOG.warning("The rebuild printed %s", error)
            continue
        if isinstance(event, Progress):
            loop.call_soon(progress, event)  # an error in the callback must not end the build
        elif isinstance(event, BuildReport | FootnoteError):
            outcome = event
    return outcome


async def _next_line(lines: asyncio.StreamReader) -> bytes:
    """Return the next line, b"" after the last; one that is too long is skipped."""
    while True:
        try:
            return await lines.readline()
        except ValueError:
            _LOG.warning("The rebuild printed a line of more than %s bytes.", f"{_LONGEST_LINE:,}")


async def _tail(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end; return the last of it."""
    tail = b""
    while chunk := await stream.read(_STDERR_TAIL):
        tail = (tail + chunk)[-_STDERR_TAIL:]
    return tail.decode("utf-8", "replace").strip()


def _describe_end(status: int) -> str:
    """Say how a process ended without a report, and what to do."""
    if status == _KILLED:
        return (
            "The rebuild was killed, perhaps because memory ran out: free some, or build the index on a "
            "bigger machine."
        )
    if status in _TOLD_TO_END:
        return "The rebuild was told to end by a signal: ask for it again."
    if status < 0:
        name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
        return f"The rebuild was ended by {name}: try again; the log has its last words."
    return f"The rebuild failed with status {status}: the log has its last words."
