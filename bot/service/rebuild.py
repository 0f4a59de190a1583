"""A rebuild in a process of its own: what it is started with, what it tells, and how it may end.

The process is `footnote index build --json`: it has its own memory and its own processor time, less of it
than what answers, and nothing that befalls it befalls the answers. Where the bot dies before it, it finishes.
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
    from index.build import BuildReport
    from index.progress import Progress

__all__ = ["Rebuilder", "build_command"]

_LOG = logging.getLogger(__name__)

_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a line that are read: a report names every article that was added."""

_KEPT = 4_000
"""Bytes of the end of what the process says on standard error that are kept for the log."""

_PATIENCE = 5.0
"""Seconds after which a process that was told to end is killed."""

_NICER = 5
"""How much less it is favoured than the bot: about a quarter of the time of a core that both want."""

_FIRST_TO_GO = "500"
"""Its oom_score_adj: where memory runs out, Linux takes the rebuild and not the bot."""

_KILLED = -9
_TOLD_TO_END = {-signal.SIGTERM, -signal.SIGINT, 130}
"""How it ends when Footnote is being stopped from outside, which may tell the rebuild first."""


def build_command(settings: IndexSettings) -> list[str]:
    """Return the command line that builds with exactly these settings, wherever they came from."""
    given = ((name, getattr(settings, name)) for name in IndexSettings.model_fields)
    options = [f"--{name.replace('_', '-')}={_written(value)}" for name, value in given]
    # -P: a file of the working folder is not taken for a module.
    return [sys.executable, "-P", "-m", "bot.cli", "index", "build", "--json", *options]


def _written(value: object) -> str:
    """Return a setting's value as an option takes it."""
    if value is None:
        return ""
    return ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)


class Rebuilder:
    """Builds the next generation in a process of its own, one at a time."""

    def __init__(
        self, settings: IndexSettings, command: Sequence[str] | None = None, patience: float = _PATIENCE
    ) -> None:
        """Take the settings; `command` is what is started in the place of `build_command`.

        `patience` is how many seconds the process has to end in when it is told to.
        """
        self._patience = patience
        self._index = settings.index
        self._command = command or build_command(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._given_up = False

    async def run(self, progress: Callable[[Progress], None], *, force: bool = False) -> BuildReport:
        """Build; `progress` is called on the loop. With `force` there may be far fewer articles than before.

        Raises:
            NotServedError: it was given up, or ended without a word, but had published a generation.
            BusyError: another build holds the lock, or this one was given up.
            RebuildError: the process ended without a word; the log has what it said.
            FootnoteError: what the build refused, as `build_index` raises it.
        """
        before = self._published()
        process = self._process = await self._start(["--force"] if force else [])
        out, err = process.stdout, process.stderr
        assert out is not None  # noqa: S101 - both are pipes
        assert err is not None  # noqa: S101 - both are pipes
        try:
            told, said = await asyncio.gather(_hear(out, progress), _last_words(err))
            status = await process.wait()
        finally:
            self._process = None
        if isinstance(told, FootnoteError):
            raise told
        if told is not None:
            return told
        raise self._unexplained(status, said, before)

    async def _start(self, more: Sequence[str]) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *more,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                env=_environment(),
                limit=_LONGEST_LINE,
                process_group=0,  # Ctrl-C in a chat is for the chat, which then gives up the rebuild
            )
        except OSError as error:
            raise RebuildError(
                f"The rebuild cannot be started: {error.strerror}. Answers go on coming from the generation "
                "of before. Make memory or processes free, or run `footnote index build`."
            ) from error
        _favour_less(process.pid)
        if self._given_up:
            with suppress(ProcessLookupError):
                process.terminate()
        return process

    async def give_up(self) -> None:
        """Have the process end, and wait for its end; another one would be ended as soon as it starts."""
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

    def _unexplained(self, status: int, said: str, before: str) -> FootnoteError:
        """Return the error for a process that ended without report or error."""
        now = self._published()
        if self._given_up:
            if now == before:
                return BusyError("Footnote is stopping: the rebuild was given up, and nothing was changed.")
            return NotServedError(
                f"Footnote is stopping. The rebuild had published the generation {now}, from which it "
                "answers when it is back."
            )
        _LOG.error("The rebuild ended with status %s; the last that it said:\n%s", status, said or "nothing")
        if now == before:
            return RebuildError(
                f"{_ended(status)} Nothing was published: answers go on coming from the generation of before."
            )
        return NotServedError(
            f"{_ended(status)} The generation {now} was published before that: Footnote swaps to it by "
            "itself."
        )

    def _published(self) -> str:
        """Return the name of the generation that is published, "" where there is none."""
        try:
            return read_pointer(self._index).generation
        except FootnoteError:
            return ""


def _environment() -> dict[str, str]:
    """Return our environment without our settings, which are given as options or, as the token, to nobody."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("FOOTNOTE_")}


def _favour_less(pid: int) -> None:
    """Give a process less processor time than us, and let it go first where memory runs out."""
    with suppress(OSError):  # it has ended, or we may not: it runs as it is
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICER)
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


async def _hear(
    lines: asyncio.StreamReader, progress: Callable[[Progress], None]
) -> BuildReport | FootnoteError | None:
    """Pass on the progress until the process falls silent; return its last word, None without one."""
    from index.build import BuildReport
    from index.build_events import read_line
    from index.progress import Progress

    loop = asyncio.get_running_loop()
    last: BuildReport | FootnoteError | None = None
    while line := await _next_line(lines):
        try:
            # A report of very many articles takes a while to read.
            told = await asyncio.to_thread(read_line, line)
        except ValueError as error:
            _LOG.warning("The rebuild printed %s", error)
            continue
        if isinstance(told, Progress):
            loop.call_soon(progress, told)  # what it raises is no matter of the build's
        elif isinstance(told, BuildReport | FootnoteError):
            last = told
    return last


async def _next_line(lines: asyncio.StreamReader) -> bytes:
    """Return the next line with its end, b"" after the last; one that is too long is passed over."""
    while True:
        try:
            return await lines.readline()
        except ValueError:
            _LOG.warning("The rebuild printed a line of more than %s bytes.", f"{_LONGEST_LINE:,}")


async def _last_words(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end; return the last of it."""
    kept = b""
    while piece := await stream.read(_KEPT):
        kept = (kept + piece)[-_KEPT:]
    return kept.decode("utf-8", "replace").strip()


def _ended(status: int) -> str:
    """Say how a process ended that should have said more, and what to do."""
    if status == _KILLED:
        return (
            "The rebuild was killed, perhaps since memory ran out: make more of it free, or build the index "
            "on a bigger machine."
        )
    if status in _TOLD_TO_END:
        return "The rebuild was told to end by a signal: ask for it again."
    if status < 0:
        name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
        return f"The rebuild was ended by {name}: try it again; what it said is in the log."
    return f"The rebuild failed with status {status}: what it said is in the log."
