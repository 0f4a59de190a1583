"""`footnote` commands in child processes, forked from a server process that has imported everything.

So a command takes 0.1 to 0.4 s instead of the seconds that a fresh interpreter would need.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from tests.faults.injection import Fault, Injector

__all__ = ["INDEX", "Result", "run"]

INDEX = "index"
"""The index folder's name in the folder that a command runs in; `articles` is beside it."""

_HUNG = 120.0
"""Seconds after which a command counts as hanging, and is killed."""
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__, "bot.cli", "bot.terminal.ask", "index.build", "onnxruntime"])


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: its exit status, negative for a signal, and what it printed and did.

    `unsynced` is what a power cut could have lost when the new generation was published.
    """

    status: int = 0
    out: str = ""
    err: str = ""
    operations: tuple[str, ...] = ()
    unsynced: tuple[str, ...] = ()
    seconds: float = 0.0


def run(
    home: Path, arguments: Sequence[str], fault: Fault | None = None, kill_after: float = _HUNG
) -> Result:
    """Run a command in a folder, with a fault if one is given; kill it after some seconds."""
    receiver, sender = _SERVER.Pipe(duplex=False)
    child = _SERVER.Process(target=_run_here, args=(sender, home, arguments, fault))
    begun = time.monotonic()
    child.start()
    sender.close()
    if not receiver.poll(kill_after):
        child.kill()
    try:
        result: Result = receiver.recv()
    except EOFError:
        result = Result()
    child.join()
    return replace(result, status=child.exitcode or result.status, seconds=time.monotonic() - begun)


def _run_here(sender: Connection, home: Path, arguments: Sequence[str], fault: Fault | None) -> None:
    """Run a command in this process, and send its result."""
    from bot.cli import main

    os.chdir(home)
    for name in [name for name in os.environ if name.startswith("FOOTNOTE_")]:
        del os.environ[name]
    out, err, status = io.StringIO(), io.StringIO(), 0
    injector = Injector(home / INDEX, fault)
    with redirect_stdout(out), redirect_stderr(err), injector:
        try:
            main([*arguments, "--index", INDEX])
        except SystemExit as end:
            status = int(end.code or 0)
    operations, unsynced = tuple(injector.operations), tuple(injector.unsynced)
    sender.send(Result(status, out.getvalue(), err.getvalue(), operations, unsynced))
