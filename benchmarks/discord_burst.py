"""A burst: many questions at once on the loopback Discord while the index is rebuilt.

    python -m benchmarks.discord_burst [--questions 1000] [--articles 300] [--new 600]

Footnote runs as a subprocess on articles made for the occasion, and every question is one use of /ask. Each
must be acknowledged within three seconds and end in exactly one answer or, once the queue is full, one notice
to try again; otherwise the exit status is 1. Prints the counts and times, and how long the bot's event loop
stood still at most.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import stalls
from tests.bot.discordapp import texts
from tests.wire.driver import Wire
from tests.wire.interactions import Interaction

__all__ = ["main"]

_USERS = 50
_TIMEOUT = 600.0
_FOOTNOTE = (sys.executable, "-P", "-m", "bot.cli")
_WATCHED = (sys.executable, "-P", "-m", "benchmarks.stalls")
_ROOT = Path(__file__).parents[1]
_ANSWERS = {texts.ANSWERED, texts.RELATED, texts.NOT_FOUND}
_REBUILD_ENDS = {texts.REBUILT, texts.REBUILD_FAILED, texts.OTHER_REBUILD, texts.GIVEN_UP}
_MATERIALS = "oak iron copper granite slate bronze glass marble cedar lead".split()


def main() -> None:
    """Run the benchmark, print the figures and exit with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--new", type=int, default=600, help="articles that the rebuild has to encode")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        broken = asyncio.run(_burst(Path(home), given.questions, given.articles, given.new))
    sys.exit(1 if broken else 0)


async def _burst(home: Path, questions: int, articles: int, new: int) -> list[str]:
    """Ask everything at once beside a rebuild; print the figures, and return what went wrong."""
    _write_articles(home / "articles", range(articles))
    async with Wire("loopback-token") as wire:
        environment = _environment(home, wire)
        build = await asyncio.create_subprocess_exec(*_FOOTNOTE, "index", "build", env=environment)
        if await build.wait():
            sys.exit("The index could not be built.")
        _write_articles(home / "articles", range(articles, articles + new))
        late = home / "stalls.txt"
        async with _bot(wire, environment, late):
            guild, *users = await wire.server(*(f"user {number}" for number in range(_USERS)))
            start = time.monotonic()
            rebuild = await wire.slash(wire.world.owner, "index rebuild", wire.world.owner)
            await wire.log.until(lambda: rebuild.response, "the rebuild")
            uses = [
                await wire.slash(users[number % _USERS], "ask", guild, question=_question(number, articles))
                for number in range(questions)
            ]
            await _finished(lambda: all(_answers(use) or use.followups for use in uses))
            seconds = time.monotonic() - start
            await _finished(lambda: _title(rebuild) in _REBUILD_ENDS)
    longest = stalls.longest(late, start, start + seconds)
    return _report(wire, uses, rebuild, seconds, longest)


def _report(
    wire: Wire, uses: Sequence[Interaction], rebuild: Interaction, seconds: float, longest: float
) -> list[str]:
    """Print the figures; return what went wrong."""
    titles = Counter("answered" if _title(use) in _ANSWERS else _title(use) for use in uses)
    acknowledged = [use.acknowledged_after for use in uses if use.acknowledged_after is not None]
    twice = sum(_answers(use) + len(use.followups) > 1 for use in uses)
    lost = len(uses) - titles["answered"] - titles[texts.BUSY]
    cuts = statistics.quantiles([1000 * value for value in acknowledged], n=100, method="inclusive")
    lines = [
        f"questions: {len(uses)} in {seconds:.1f} s, beside a rebuild: {_title(rebuild)!r}",
        f"outcomes: {dict(titles)}; lost: {lost}; answered twice: {twice}",
        f"acknowledged: {len(acknowledged)}; p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, "
        f"maximum {1000 * max(acknowledged):.0f} ms",
        f"the event loop's longest stall: {1000 * longest:.0f} ms",
        f"violations of Discord's rules: {len(wire.log.violations)}",
    ]
    sys.stdout.write("\n".join([*lines, ""]))
    return [*wire.log.violations, *["lost"] * lost, *["answered twice"] * twice]


def _write_articles(folder: Path, numbers: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        material = _MATERIALS[number % len(_MATERIALS)]
        text = f"The bridge of Wexholm {number} was built of {material} in the year {1500 + number % 400}."
        (folder / f"bridge-{number}.txt").write_text(f"Bridge {number}\n\n{text}\n", encoding="utf-8")


def _question(number: int, articles: int) -> str:
    """Return a question that no other number has."""
    kinds = ("What was the bridge of Wexholm {} built of?", "When was the bridge of Wexholm {} built?")
    asked = kinds[number // articles % len(kinds)].format(number % articles)
    return f"{asked} ({number})"


def _environment(home: Path, wire: Wire) -> dict[str, str]:
    """Return the environment of the subprocesses, in which nothing of this machine's settings is left."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("FOOTNOTE_")}
    return inherited | {
        "PYTHONPATH": str(_ROOT), "FOOTNOTE_DISCORD_TOKEN": wire.token, "FOOTNOTE_DISCORD_API_URL": wire.url,
        "FOOTNOTE_DISCORD_USER_RATE": "0", "FOOTNOTE_LOG_LEVEL": "error",
        "FOOTNOTE_ARTICLES": str(home / "articles"), "FOOTNOTE_INDEX": str(home / "index"),
        "FOOTNOTE_RECORDS": str(home / "records.sqlite"),
    }  # fmt: skip


@asynccontextmanager
async def _bot(wire: Wire, environment: dict[str, str], late: Path) -> AsyncIterator[None]:
    """Run the bot as long as the block runs."""
    bot = await asyncio.create_subprocess_exec(*_WATCHED, late, "discord", env=environment)
    try:
        await wire.log.until(lambda: wire.gateway.connected and wire.commands.of[0], "the bot", _TIMEOUT)
        yield
    finally:
        bot.terminate()
        await bot.wait()


async def _finished(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds or time is up; it is not checked after each of thousands of requests."""
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline and not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.25)


def _answers(use: Interaction) -> int:
    """Return how many answers were given: edits with buttons; one without shows the position in the queue."""
    return sum(bool(edit.get("components")) for edit in use.edits)


def _title(use: Interaction) -> str:
    return use.outcome.title if use.outcome is not None else "none"


if __name__ == "__main__":
    main()
