"""The `footnote` command with a watch on its event loop: `python -m benchmarks.stalls FILE COMMAND...`.

Whenever the loop was late by more than 5 ms, a line is added to FILE: the monotonic clock, and the seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bot.cli import main

__all__ = ["longest", "watch"]

_TICK = 0.005
_run = asyncio.run


def watch(file: Path) -> None:
    """Let `asyncio.run` run a ticking task beside what it is given."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return _run(_watched(coroutine, file))

    asyncio.run = run  # type: ignore[assignment]


async def _watched(coroutine: Coroutine[Any, Any, Any], file: Path) -> Any:
    ticking = asyncio.create_task(_tick(file))
    try:
        return await coroutine
    finally:
        ticking.cancel()


async def _tick(file: Path) -> None:
    with file.open("a", encoding="utf-8", buffering=1) as lines:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(_TICK)
            ended = time.monotonic()
            if ended - begun > 2 * _TICK:
                lines.write(f"{ended} {ended - begun - _TICK}\n")


def longest(file: Path, since: float, until: float) -> float:
    """Return the seconds of the longest stall between two times of the monotonic clock; 0 without any."""
    rows = [tuple(map(float, line.split())) for line in file.read_text("utf-8").splitlines()]
    return max((late for ended, late in rows if since <= ended <= until), default=0.0)


if __name__ == "__main__":
    watch(Path(sys.argv.pop(1)))
    main()
