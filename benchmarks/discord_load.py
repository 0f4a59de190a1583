"""How the bot bears a burst: 200 questions at once on a loopback Discord while the index is being rebuilt.

    python -m benchmarks.discord_load [--questions 200] [--articles 40]

The bot is a process of its own, with a heartbeat in its event loop; Discord is the loopback one of the tests.
Printed: questions lost, how soon each was acknowledged and answered, and for how long the loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.build import BuildReport
from index.progress import Progress
from tests.wire.interaction import Interaction
from tests.wire.loopback import LoopbackDiscord

TOKEN = "MTE0.loopback.benchmark"  # noqa: S105 - of the loopback Discord
PEOPLE = 50
PATIENCE = 120.0
BEAT = 0.005
_WORDS = "keeper tower sea storm oil lens harbour fog bell ship wave coast signal boat island wind".split()


def write_articles(folder: Path, count: int, first: int = 0) -> None:
    """Write `count` articles of made-up sentences, numbered from `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(first)  # noqa: S311 - made-up text
    for number in range(first, first + count):
        lines = (
            f"The {draw.choice(_WORDS)} {number} met the {draw.choice(_WORDS)} {row} near the "
            f"{draw.choice(_WORDS)} of a {draw.choice(_WORDS)}."
            for row in range(40)
        )
        (folder / f"story-{number}.txt").write_text(
            f"Story {number}\n\n{' '.join(lines)}\n", encoding="utf-8"
        )


async def be_the_bot() -> None:
    """Run the bot until it is told to stop, and print how long its loop stood still, in milliseconds."""
    from bot.discordapp.starting import serve_until_signalled

    from bot.service.service import Service
    from bot.settings import BotSettings

    pauses: list[float] = []

    async def beat() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(BEAT)
            pauses.append(1000 * (time.perf_counter() - begun - BEAT))

    class Watched(Service):
        """Watches the loop from the rebuild on, with which the burst begins."""

        async def rebuild(
            self, progress: Callable[[Progress], None] | None = None, *, force: bool = False
        ) -> BuildReport:
            self.beating = asyncio.create_task(beat())
            return await super().rebuild(progress, force=force)

        async def close(self) -> None:
            self.beating.cancel()
            await super().close()

    await serve_until_signalled(BotSettings.load(), Watched)
    pauses.sort()
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: round(pauses[int(share * (len(pauses) - 1))], 1) for name, share in at.items()}
    over = sum(pause > 50 for pause in pauses)
    print(json.dumps({**found, "max": round(pauses[-1], 1), "over_50_ms": over, "beats": len(pauses)}))


async def measure(questions: int, articles: int) -> dict[str, Any]:
    """Return the figures of one burst."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_articles(home / "articles", articles)
        async with LoopbackDiscord(TOKEN) as wire:
            environment = {
                **os.environ,
                "FOOTNOTE_DISCORD_TOKEN": TOKEN,
                "FOOTNOTE_DISCORD_API_URL": wire.url,
                "FOOTNOTE_ARTICLES": str(home / "articles"),
                "FOOTNOTE_INDEX": str(home / "index"),
                "FOOTNOTE_RECORDS": str(home / "records.sqlite"),
                "FOOTNOTE_DISCORD_SERVER_RATE": "0",
                "FOOTNOTE_LOG_LEVEL": "warning",
            }
            program = Path(sys.executable).with_name("footnote")
            building = await asyncio.create_subprocess_exec(program, "index", "build", env=environment)
            assert await building.wait() == 0  # noqa: S101 - a benchmark without an index measures nothing
            write_articles(home / "articles", articles, first=articles)
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.discord_load", "--bot", env=environment,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await wire.connected(PATIENCE)
            figures = await burst(wire, questions)
            bot.terminate()
            out, _ = await bot.communicate()
            return figures | {"loop_ms": json.loads(out.decode().splitlines()[-1])}


async def burst(wire: LoopbackDiscord, questions: int) -> dict[str, Any]:
    """Ask for a rebuild, then everything at once; return what came of it."""
    world = wire.world
    guild = world.guild()
    await wire.gateway.announce(guild)
    people = [world.join(guild, world.user(f"user {number}")) for number in range(PEOPLE)]
    await wire.log.until(lambda: wire.interactions.commands, "the commands", PATIENCE)
    rebuild = await wire.slash("index rebuild", world.owner, world.dm(world.owner))
    await wire.log.until(lambda: rebuild.acknowledged_after is not None, "the rebuild", PATIENCE)
    begun = time.perf_counter()
    asked = [
        await wire.slash(
            "ask", people[number % PEOPLE], guild, question=f"What did the keeper {number} meet?"
        )
        for number in range(questions)
    ]

    async def answered(one: Interaction) -> float:
        # The place in the queue is shown without buttons, and is no answer yet.
        await wire.log.until(lambda: one.shown and one.shown["components"], "an answer", PATIENCE)
        return time.perf_counter() - begun

    took = await asyncio.gather(*map(answered, asked), return_exceptions=True)
    seconds = sorted(one for one in took if isinstance(one, float))
    during = rebuild.loading or "Rebuilding" in str(rebuild.shown)
    done = await wire.log.until(
        lambda: next((one for one in [rebuild.shown] if one and "is done" in str(one)), None), "it", PATIENCE
    )
    acknowledged = sorted(one.acknowledged_after for one in asked if one.acknowledged_after is not None)
    return {
        "questions": questions,
        "lost": questions - len(seconds),
        "acknowledged_ms": {
            "p50": round(1000 * statistics.median(acknowledged), 1),
            "p99": round(1000 * acknowledged[int(0.99 * (len(acknowledged) - 1))], 1),
            "max": round(1000 * acknowledged[-1], 1),
        },
        "all_answered_after_s": round(seconds[-1], 2) if seconds else None,
        "rebuild_was_still_running": during,
        "rebuild": done["embeds"][0]["description"] if done else "",
        "violations": wire.log.violations,
    }


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--articles", type=int, default=40)
    parser.add_argument("--bot", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bot:
        asyncio.run(be_the_bot())
    else:
        print(json.dumps(asyncio.run(measure(given.questions, given.articles)), indent=1))


if __name__ == "__main__":
    main()
