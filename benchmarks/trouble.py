"""What may befall a bot and its index. Each is a context: the trouble is there while it lasts, then mended.

Each takes the ground and a source of chance, and gives a line on what it did; `benchmarks.soak` plays them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from random import Random

import psutil

from benchmarks.ground import BrokenError, Ground
from benchmarks.processes import PROGRAM, bare_environment
from index import index_status, verify
from index.errors import DamagedIndexError, NoIndexError
from index.manifest import GENERATION, LOCK, POINTER, read_pointer

__all__ = ["TROUBLES", "Trouble"]

Trouble = Callable[[Ground, Random], AbstractAsyncContextManager[str]]

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

_HOSTILE = (
    "", " ", "?", "\0", "\u202e\u2066", "NEAR(a b) OR * AND", '"unbalanced', "a" * 1_000_000, "é" * 100_000,
    "who " * 50_000, "Z\u0300\u0301\u0302" * 10_000, "\U0001f3f4" * 1_000, "\ud800", "'; DROP TABLE passages",
    "@everyone who?", "\x1b[31mred\x1b[0m", "Wh\u043e k\u0435\u0435ps it?", "\n" * 10_000,
    "-" * 5_000, "(" * 20_000, "1/2 " * 10_000,
    "www.example.org/" + "a/" * 5_000, "keeps NOT lighthouse", "{}[]()<>|\\^$.*+?",
)  # fmt: skip


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
    command = [PROGRAM, "index", "build", "--articles", ground.library.folder, "--index", ground.index]
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
async def file_damaged(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Change a file of the generation that serves in place, which `verify` and `status` have to tell of."""
    home = ground.index / read_pointer(ground.index).generation
    path = draw.choice(sorted(home.iterdir()))
    did = _damage(path, draw)
    named = path.name in " ".join(verify(ground.index))
    try:
        index_status(ground.index)
    except DamagedIndexError as error:
        named &= path.name in str(error)
    else:
        named = False
    if not named:
        ground.broken.append(f"{did} of {path.name} is not told of by both verify and status")
    await asyncio.sleep(draw.random() * 4)
    yield f"{did} of {path.name}"


def _damage(path: Path, draw: Random) -> str:
    """Change a file in place; return how."""
    size = path.stat().st_size
    at = int(draw.random() * size)
    kind = draw.choice(["bit", "bit", "page", "cut"])
    with path.open("r+b") as file:
        if kind == "cut":
            file.truncate(at)
            return f"cut at byte {at}"
        file.seek(at)
        (first, *rest) = file.read(1 if kind == "bit" else 4_096)
        file.seek(at)
        file.write(bytes([first ^ 1 << draw.randrange(8), *(0 for _ in rest)]))
    return f"{kind} at byte {at}"


@asynccontextmanager
async def pointer_damaged(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Garble CURRENT or take it away, for a while or for good."""
    path = ground.index / POINTER
    before = path.read_bytes()
    kind = draw.choice(["gone", "empty", "garbled", "way out", "of no generation"])
    garbled = {"empty": b"", "garbled": draw.randbytes(100), "way out": b"../../etc " + b"0" * 64 + b"\n"}
    if kind == "gone":
        path.unlink()
    else:
        path.write_bytes(garbled.get(kind, b"000099-0123456789abcdef " + b"0" * 64 + b"\n"))
    try:
        index_status(ground.index)
        ground.broken.append(f"the status is told while the pointer is {kind}")
    except (DamagedIndexError, NoIndexError):
        pass
    await asyncio.sleep(draw.random() * 4)
    yield kind
    if draw.random() < 0.5:
        path.write_bytes(before)


@asynccontextmanager
async def generations_deleted(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Delete folders of generations, that of the serving one too."""
    gone = [path for path in ground.index.iterdir() if GENERATION.fullmatch(path.name)]
    gone = draw.sample(sorted(gone), draw.randrange(1, len(gone) + 1))
    for path in gone:
        shutil.rmtree(path)
    await asyncio.sleep(draw.random() * 4)
    yield ", ".join(path.name for path in gone)


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


@asynccontextmanager
async def crowd(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Ask far more at once than may wait."""
    asked = ground.library.questions()
    draw.shuffle(asked)
    came = await asyncio.gather(*(ground.ask(one.text, one) for one in asked))
    refused = sum(one != "right" for one in came)
    if any(one not in {"right", "refused: BusyError"} for one in came) or not refused:
        ground.broken.append(f"a crowd came to {set(came)}, {refused} refused")
    yield f"{refused} of {len(came)} turned away"


@asynccontextmanager
async def hostile_questions(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Ask what is no question."""
    asked = [*draw.sample(_HOSTILE, 8), draw.randbytes(500).decode("utf-8", "replace")]
    yield str([await ground.ask(text) for text in asked])


TROUBLES: dict[str, Trouble] = {
    one.__name__: one
    for one in (
        articles_change, broken_articles, rebuild_killed, rebuild_stopped, no_room, clock_moved, two_builders,
        lock_left, file_damaged, pointer_damaged, generations_deleted, leftovers, crowd, hostile_questions,
    )
}  # fmt: skip
