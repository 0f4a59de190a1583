"""Trouble with builds: what they read, what they are run with, who builds beside them, and their sudden ends.

Each is a context (see `benchmarks.trouble`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import psutil

from benchmarks.ground import BrokenError, Ground
from benchmarks.processes import PROGRAM, bare_environment
from index.storage.manifest import LOCK

_CLOCK = """\
import datetime, runpy, sys, time
days, now = float(sys.argv.pop(1)), time.time
class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(days=days)
datetime.datetime, time.time = Moved, lambda: now() + 86400 * days
runpy.run_module("bot.cli", run_name="__main__", alter_sys=True)
"""
"""A build whose clock is some days off."""

_HOLD = """\
import sys, time
import portalocker
file = open(sys.argv[1], "a+")
portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)
print("held", flush=True)
time.sleep(600)
"""


@asynccontextmanager
async def articles_change(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Add, change and remove articles, and build."""
    ground.library.add(draw.randrange(3))
    ground.change(draw, draw.random())
    if len(ground.library.now) > 24:
        for name in draw.sample(sorted(ground.library.now), draw.randrange(4)):
            ground.library.remove(name)
    yield await ground.try_rebuild()


@asynccontextmanager
async def broken_articles(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Put something among the articles that is none, and build."""
    path = ground.library.folder / f"broken{draw.choice(['.txt', '.md', '.jsonl'])}"
    kind = draw.choice(["bytes", "fifo", "loop", "way out", "folder", "nested", "front matter", "nul"])
    content = {
        "bytes": draw.randbytes(2_000),
        "nested": b'{"id": ' * 100_000,
        "front matter": b"---\na: &a [x, x]\nb: [*a, *a]\ntitle: !!python/object:os.system x\n---\nText.",
        "nul": b"\0" * 5_000,
    }
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind in {"loop", "way out"}:
        path.symlink_to(path if kind == "loop" else Path(__file__))
    else:
        path.write_bytes(content[kind])
    ground.change(draw)
    yield f"{kind} in {path.name}: {await ground.try_rebuild()}"
    path.rmdir() if kind == "folder" else path.unlink()


@asynccontextmanager
async def rebuild_killed(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Kill the rebuild's process at a random time."""
    after = draw.random() * 3
    ground.change(draw, 0.5)
    yield await _interrupted(ground, after, lambda child: child.kill())


@asynccontextmanager
async def rebuild_stopped(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Have the rebuild's process stand still for a while, and go on."""
    after = draw.random() * 2
    ground.change(draw, 0.3)

    def stop(child: psutil.Process) -> None:
        child.suspend()
        asyncio.get_running_loop().call_later(1.5, child.resume)

    yield await _interrupted(ground, after, stop)


async def _interrupted(ground: Ground, after: float, act: Callable[[psutil.Process], None]) -> str:
    """Rebuild, and do something to its process some seconds after its start; return what came of it."""
    building = asyncio.create_task(ground.try_rebuild())
    if child := await ground.child():
        await asyncio.sleep(after)
        with suppress(psutil.NoSuchProcess):
            act(child)
    return f"after {after:.2f} s: {await building}"


@asynccontextmanager
async def no_room(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Let the rebuild write no file beyond a size, or have no more than some memory."""
    ground.change(draw, 0.5)
    limit = draw.choice([f"-f {draw.randrange(2_000)}", f"-v {draw.randrange(100_000, 2_000_000)}"])
    ground.rebuilt_by(f'ulimit {limit}; exec "$@"')
    yield f"ulimit {limit}: {await ground.try_rebuild()}"


@asynccontextmanager
async def clock_moved(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Set the clock of the rebuild off by up to two years, either way, and the times of the files too."""
    ground.change(draw, 0.2)
    days = draw.uniform(-700, 700)
    program = ground.home / "clock.py"
    program.write_text(_CLOCK, encoding="utf-8")
    # The first four arguments are the interpreter, -P, -m and bot.cli.
    ground.rebuilt_by(f'shift 4; exec "{sys.executable}" -P "{program}" {days} "$@"')
    for path in ground.index.rglob("*"):
        os.utime(path, (time.time() - 86_400 * days,) * 2)
    yield f"{days:.0f} days: {await ground.try_rebuild()}"


@asynccontextmanager
async def two_builders(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Build in another process at the same time."""
    ground.change(draw, 0.3)
    command: list[str | Path] = [
        PROGRAM,
        "index",
        "build",
        "--articles",
        ground.library.folder,
        "--index",
        ground.index,
    ]
    other = await asyncio.create_subprocess_exec(
        *command, env=bare_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await asyncio.sleep(draw.random() * 2)
    came, status = await ground.try_rebuild(), await other.wait()
    ground.note_generations()
    if status not in {0, 75}:
        raise BrokenError(f"the other build ended with {status}; ours: {came}")
    yield f"the other ended with {status}; ours: {came}"


@asynccontextmanager
async def lock_left(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Have another process hold the lock, then kill it."""
    ground.change(draw)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLD, ground.index / LOCK, stdout=subprocess.PIPE
    )
    assert holder.stdout  # noqa: S101 - a pipe
    await holder.stdout.readline()
    came = await ground.try_rebuild()
    holder.kill()
    await holder.wait()
    if "BusyError" not in came:
        raise BrokenError(f"a build while another holds the lock: {came}")
    yield came


@asynccontextmanager
async def leftovers(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Leave in the index folder what a build that was cut off may leave, and worse."""
    building = ground.index / f".building-{draw.randrange(1, 100_000)}"
    building.mkdir()
    (building / "tokens.i8").write_bytes(draw.randbytes(5_000))
    (ground.index / "CURRENT.new").write_bytes(draw.randbytes(30))
    (ground.index / "kept.vectors").write_bytes(draw.randbytes(draw.randrange(10_000)))
    ground.change(draw, 0.5)
    yield await ground.try_rebuild()
