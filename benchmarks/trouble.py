"""What may befall a bot and its index. Each is a context: the trouble is there while it lasts, then mended.

Each takes the ground and a source of chance, and gives a line on what it did; `benchmarks.soak` plays them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random

from benchmarks import harmed, hindered
from benchmarks.ground import Ground

__all__ = ["TROUBLES", "Trouble"]

Trouble = Callable[[Ground, Random], AbstractAsyncContextManager[str]]

_HOSTILE = (
    "", " ", "?", "\0", "\u202e\u2066", "NEAR(a b) OR * AND", '"unbalanced', "a" * 1_000_000, "é" * 100_000,
    "who " * 50_000, "Z\u0300\u0301\u0302" * 10_000, "\U0001f3f4" * 1_000, "\ud800", "'; DROP TABLE passages",
    "@everyone who?", "\x1b[31mred\x1b[0m", "Wh\u043e k\u0435\u0435ps it?", "\n" * 10_000,
    "-" * 5_000, "(" * 20_000, "1/2 " * 10_000,
    "www.example.org/" + "a/" * 5_000, "keeps NOT lighthouse", "{}[]()<>|\\^$.*+?",
)  # fmt: skip


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
        hindered.articles_change, hindered.broken_articles, hindered.rebuild_killed, hindered.rebuild_stopped,
        hindered.no_room, hindered.clock_moved, hindered.two_builders, hindered.lock_left, hindered.leftovers,
        harmed.file_damaged, harmed.all_damaged, harmed.pointer_damaged, harmed.generations_deleted,
        harmed.rolled_back, harmed.pruned, crowd, hostile_questions,
    )
}  # fmt: skip
