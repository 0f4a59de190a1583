"""Very many questions at once over the loopback Discord, while the index is being rebuilt.

The bot is a process of its own. Each question is one use of /ask: what it got is read from the requests that
the loopback Discord recorded, where an answer has the time at which it came.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.library import Library, Question
from benchmarks.processes import bare_environment, quantile, resident_mb
from tests.wire.interaction import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json

__all__ = ["burst", "percentiles"]

TOKEN = "MTE0.loopback.load"  # noqa: S105 - of the loopback Discord
_PEOPLE = 50
_PATIENCE = 300.0
_BEAT = 0.01


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return how long something took, in milliseconds."""
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: round(1000 * quantile(seconds, share), 1) for name, share in shares.items()}


async def burst(
    library: Library, index: Path, asked: Sequence[Question], places: int, more: int
) -> dict[str, Any]:
    """Ask all at once, with `places` in the queue, beside a rebuild; return what came of it.

    The rebuild has `more` articles to encode that the index has not.
    """
    right = {question: library.fact(question, library.now) for question in asked}
    library.add(more)
    async with LoopbackDiscord(TOKEN) as wire:
        async with _bot(wire, library, index, places) as told:
            used, rebuild = await _ask(wire, asked)
            await _settled(wire, [rebuild, *used.values()])
        outcomes = [_outcome(wire, one, question, right[question]) for question, one in used.items()]
        return _figures(outcomes, list(used.values())) | {
            "places": places,
            "most_waiting": told["most_waiting"],
            "memory_mb": told["memory_mb"],
            "rebuild": _words(rebuild.shown),
            "violations": wire.log.violations,
        }


@asynccontextmanager
async def _bot(wire: LoopbackDiscord, library: Library, index: Path, places: int) -> Any:
    """Run the bot while the block runs; what it tells at its end is in the mapping that is given."""
    environment = bare_environment(
        FOOTNOTE_DISCORD_TOKEN=TOKEN,
        FOOTNOTE_DISCORD_API_URL=wire.url,
        FOOTNOTE_ARTICLES=str(library.folder),
        FOOTNOTE_INDEX=str(index),
        FOOTNOTE_RECORDS=str(index.parent / "records.sqlite"),
        FOOTNOTE_FIT_FILE=str(index.parent / "no-fit.json"),
        FOOTNOTE_DISCORD_SERVER_RATE="0",
        FOOTNOTE_DISCORD_USER_RATE="0",
        FOOTNOTE_WAITING=str(places),
        FOOTNOTE_LOG_LEVEL="error",
    )
    told: dict[str, Any] = {}
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.burst", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        await wire.connected(_PATIENCE)
        await wire.log.until(lambda: wire.interactions.commands, "the commands", _PATIENCE)
        yield told
    finally:
        bot.terminate()
        out, _ = await bot.communicate()
    told |= json.loads(out.decode().splitlines()[-1])


async def _ask(
    wire: LoopbackDiscord, questions: Iterable[Question]
) -> tuple[dict[Question, Interaction], Interaction]:
    """Ask for a rebuild, then everything at once."""
    world = wire.world
    guild = world.guild()
    await wire.gateway.announce(guild)
    people = [world.join(guild, world.user(f"user {number}")) for number in range(_PEOPLE)]
    rebuild = await wire.slash("index rebuild", world.owner, world.dm(world.owner))
    await wire.log.until(lambda: rebuild.acknowledged_after is not None, "the rebuild", _PATIENCE)
    used = {
        question: await wire.slash("ask", people[number % _PEOPLE], guild, question=question.text)
        for number, question in enumerate(questions)
    }
    return used, rebuild


async def _settled(wire: LoopbackDiscord, used: Sequence[Interaction]) -> None:
    """Wait until every use has its outcome, or there is none for very long."""
    end = time.monotonic() + _PATIENCE
    # Not looked at after each request, of which there are thousands.
    while time.monotonic() < end and not all(_final(one.shown) for one in used):  # noqa: ASYNC110
        await asyncio.sleep(0.25)
    await asyncio.sleep(1)  # for what comes a second time


def _final(shown: Json | None) -> bool:
    """Tell whether a message is the last word, and neither a place in the queue nor a rebuild's progress."""
    words = _words(shown)
    return bool(shown) and not any(text in words for text in ("in line", "Rebuilding the index"))


def _words(shown: Json | None) -> str:
    embeds = (shown or {}).get("embeds") or []
    told = [(shown or {}).get("content") or ""]
    for embed in embeds:
        told += [embed.get("title") or "", embed.get("description") or ""]
        told += [f"{field['name']} {field['value']}" for field in embed.get("fields") or []]
    return " ".join(filter(None, told)).replace("*", "")


def _outcome(
    wire: LoopbackDiscord, used: Interaction, question: Question, fact: str | None
) -> dict[str, Any]:
    """Return what a question came to, and when: every message to it is one request with its token."""
    messages = [one for one in wire.log.requests if used.token in one.path and one.status < 300]
    # A place in the queue is shown without buttons; who is turned away is told so in a follow-up.
    answers = [one for one in messages if (one.body or {}).get("components")]
    words = _words(used.shown)
    if answers:
        kind = "answered" if fact and fact in words and question.place in words else "wrong"
    else:
        kind = "turned_away" if "Too many questions" in words else "lost"
    return {
        "kind": kind,
        "twice": len(answers) + len(used.followups) > 1,
        "seconds": (answers or messages)[-1].at - used.born if messages else None,
        "words": words,
    }


def _figures(outcomes: Sequence[dict[str, Any]], used: Sequence[Interaction]) -> dict[str, Any]:
    acknowledged = [one.acknowledged_after for one in used if one.acknowledged_after is not None]
    took: dict[str, list[float]] = defaultdict(list)
    for one in outcomes:
        took[one["kind"]].append(one["seconds"] or 0.0)
    return {
        "questions": len(outcomes),
        **dict(Counter(one["kind"] for one in outcomes)),
        "twice": sum(one["twice"] for one in outcomes),
        "not_acknowledged": len(used) - len(acknowledged),
        "acknowledged_ms": percentiles(acknowledged),
        "outcome_ms": {kind: percentiles(seconds) for kind, seconds in took.items()},
        "odd": [one["words"] for one in outcomes if one["kind"] in {"wrong", "lost"}][:5],
    }


async def be_the_bot() -> None:
    """Run the bot until it is told to stop, and print how many questions waited at most, and its memory."""
    from bot.discordapp.starting import serve_until_signalled

    from bot.service.service import Service
    from bot.settings import BotSettings

    told: dict[str, Any] = {"most_waiting": 0, "memory_mb": {}}

    class Watched(Service):
        """Counts those who wait, again and again."""

        async def start(self) -> None:
            await super().start()
            told["memory_mb"]["before"] = round(resident_mb(), 1)
            self.counting = asyncio.create_task(self._count())

        async def _count(self) -> None:
            while True:
                told["most_waiting"] = max(told["most_waiting"], self.stats.waiting)
                await asyncio.sleep(_BEAT)

        async def close(self) -> None:
            self.counting.cancel()
            told["memory_mb"]["after"] = round(resident_mb(), 1)
            await super().close()

    await serve_until_signalled(BotSettings.load(), Watched)
    print(json.dumps(told))


if __name__ == "__main__":
    os.chdir(os.environ["FOOTNOTE_INDEX"])  # no .env is read
    asyncio.run(be_the_bot())
