"""A rebuild in a child process: `footnote index build --json`, with our settings as options.

A refresh of sources is another command, `footnote sources refresh --json`, which prints the same.

The process has its own memory and less processor time than what answers, so that whatever happens to it
leaves the answers alone. If the bot dies first, it still finishes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import NotServedError, RebuildError
from index.errors import BusyError, FootnoteError
from index.settings import PREFIX, IndexSettings
from index.storage.engine import engine_of

if TYPE_CHECKING:
    from index.build_report import BuildReport, Progress

__all__ = ["Rebuilder", "build_command"]

_LOG = logging.getLogger(__name__)

_LONGEST_LINE = 64 * 1024 * 1024  # bytes of a line that are read: a report names every article that was added
_STDERR_TAIL = 4_000  # bytes of the end of standard error that go to the log
_PATIENCE = 5.0  # seconds after which a process that was told to end is killed
_NICENESS = 5  # how much lower its priority is: about a quarter of the time of a core that both want
_OOM_SCORE = "500"  # its oom_score_adj: where memory runs out, Linux kills the rebuild and not the bot
_STOPPED = {-signal.SIGTERM, -signal.SIGINT, 130}  # how it ends if Footnote is being stopped from outside


def build_command(settings: IndexSettings, *, refresh: bool = False) -> list[str]:
    """Return the command line that builds with exactly these settings, wherever they came from.

    With `refresh`, it first fetches the sources whose names are added to it, or all.
    """
    values = ((name, getattr(settings, name)) for name in IndexSettings.model_fields)
    options = [f"--{name.replace('_', '-')}={'' if value is None else value}" for name, value in values]
    # -P: a file in the working folder is not taken for a module.
    command = ("sources", "refresh") if refresh else ("index", "build")
    return [sys.executable, "-P", "-m", "bot.cli", *command, "--json", *options]


class Rebuilder:
    """Builds the next generation in a child process, one at a time."""

    def __init__(
        self, settings: IndexSettings, command: Sequence[str] | None = None, patience: float = _PATIENCE
    ) -> None:
        """Take the settings; the command and the seconds in which it has to end are other ones in tests."""
        self._patience = patience
        self._settings = settings
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._given_up = False

    async def run(
        self,
        progress: Callable[[Progress], None],
        *,
        force: bool = False,
        refresh: Collection[str] | None = None,
    ) -> BuildReport:
        """Build; `progress` is called on the loop. With `force` there may be far fewer articles than before.

        With `refresh`, the sources of these names are fetched first; all of them where it is empty.

        Raises:
            BusyError: another build holds the lock, or this one was given up.
            NotServedError: it was given up or ended without a report, but had published a generation.
            RebuildError: the process ended without a report; the log has its last output.
            FootnoteError: the build was refused, as `build_index` raises it.
        """
        before = await asyncio.to_thread(self._published)
        command = self._command or build_command(self._settings, refresh=refresh is not None)
        more = ["--force"] * force + (["--", *refresh] if refresh else [])
        process = self._process = await self._start([*command, *more])
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101 - both are pipes
        try:
            reading = _read_events(process.stdout, progress), _tail(process.stderr)
            outcome, stderr = await asyncio.gather(*reading)
            status = await process.wait()
        finally:
            self._process = None
        if isinstance(outcome, FootnoteError):
            raise outcome
        if outcome is not None:
            return outcome
        now = await asyncio.to_thread(self._published)
        raise self._no_report(status, stderr, "" if now == before else now)

    async def _start(self, command: Sequence[str]) -> asyncio.subprocess.Process:
        # Settings are passed as options, and the token to nobody.
        environment = {name: os.environ[name] for name in os.environ if not name.upper().startswith(PREFIX)}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
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

    def _no_report(self, status: int, stderr: str, published: str) -> FootnoteError:
        if self._given_up:
            ended = "Footnote is stopping: the rebuild was cancelled."
        else:
            ended = _describe_end(status)
            _LOG.error("The rebuild ended with status %s; its last output:\n%s", status, stderr or "none")
        if published:
            return NotServedError(
                f"{ended} Generation {published} was published before that: Footnote swaps to it by itself."
            )
        unchanged = f"{ended} Nothing was published: the previous index keeps serving."
        return BusyError(unchanged) if self._given_up else RebuildError(unchanged)

    def _published(self) -> str:
        try:
            return engine_of(self._settings).serving()
        except FootnoteError:
            return ""


def _lower_priority(pid: int) -> None:
    """Give a process less processor time than us, and have it killed first if memory runs out."""
    with suppress(OSError):  # it has ended, or this is not Linux: it runs as it is
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
        Path(f"/proc/{pid}/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


async def _read_events(
    lines: asyncio.StreamReader, progress: Callable[[Progress], None]
) -> BuildReport | FootnoteError | None:
    """Pass on progress until the output ends; return the report or error, None without one."""
    from index.build_report import BuildReport, Progress, read_line

    outcome: BuildReport | FootnoteError | None = None
    while True:
        try:
            if not (line := await lines.readline()):
                return outcome
            event = await asyncio.to_thread(read_line, line)  # a long report takes a while to parse
        except ValueError as error:  # too long, or no event
            _LOG.warning("The rebuild printed a line that cannot be read: %s", error)
            continue
        if isinstance(event, Progress):
            asyncio.get_running_loop().call_soon(progress, event)  # its error must not end the build
        elif isinstance(event, BuildReport | FootnoteError):
            outcome = event


async def _tail(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end; return the last of it."""
    tail = b""
    while chunk := await stream.read(_STDERR_TAIL):
        tail = (tail + chunk)[-_STDERR_TAIL:]
    return tail.decode("utf-8", "replace").strip()


def _describe_end(status: int) -> str:
    if status == -signal.SIGKILL:
        return (
            "The rebuild was killed, perhaps because memory ran out: free some, or build the index on a "
            "bigger machine."
        )
    if status in _STOPPED:
        return "The rebuild was stopped by a signal: start it again."
    if status < 0:
        return f"The rebuild was ended by signal {-status}: try again; the log has its last output."
    return f"The rebuild failed with status {status}: the log has its last output."
