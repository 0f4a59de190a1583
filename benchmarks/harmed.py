"""Trouble with an index: files and CURRENT changed in place or gone, other generations gone back to.

Each is a context (see `benchmarks.trouble`).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from index.storage.retention import generations
from index.storage.verification import index_status, verify

from benchmarks.ground import Ground
from index.errors import DamagedIndexError, FootnoteError, NoIndexError
from index.storage.generations import prune, roll_back
from index.storage.manifest import POINTER, read_pointer


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


@asynccontextmanager
async def all_damaged(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Change a file of every generation in place, so that there is none to go back to."""
    did = []
    for home in generations(ground.index):
        path = draw.choice(sorted(home.iterdir()))
        did.append(f"{_damage(path, draw)} of {home.name}/{path.name}")
    await asyncio.sleep(draw.random() * 4)
    yield ", ".join(did)


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
    except (DamagedIndexError, FootnoteError, NoIndexError):
        pass
    await asyncio.sleep(draw.random() * 4)
    yield kind
    if draw.random() < 0.5:
        path.write_bytes(before)


@asynccontextmanager
async def generations_deleted(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Delete folders of generations, that of the serving one too."""
    there = generations(ground.index)
    gone = draw.sample(there, draw.randrange(1, len(there) + 1))
    for path in gone:
        shutil.rmtree(path)
    await asyncio.sleep(draw.random() * 4)
    yield ", ".join(path.name for path in gone)


@asynccontextmanager
async def rolled_back(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Go back to another generation, by the service or from beside it."""
    name = draw.choice([None, *(path.name for path in generations(ground.index))])
    try:
        if draw.random() < 0.5:
            came = await ground.service.roll_back(name)
        else:
            came = f"beside it: {await asyncio.to_thread(roll_back, ground.index, name)}"
            await asyncio.sleep(draw.random() * 4)
    except FootnoteError as error:  # there may be no other
        came = f"{type(error).__name__}: {error}"
    yield f"{name}: {came}"


@asynccontextmanager
async def pruned(ground: Ground, draw: Random) -> AsyncIterator[str]:
    """Keep no generation but some, while they are read."""
    yield str(await asyncio.to_thread(prune, ground.index, draw.randrange(1, 3)))
