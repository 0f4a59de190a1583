"""How Footnote bears load: nothing lost, nothing answered twice, nothing wrong, and nothing that grows.

    python -m benchmarks.load [--only discord service rebuilds] [--questions 1000] [--face 10000]
                              [--rebuilds 100] [--places 250] [--seed 1] [--small INDEX]

- discord: 1,000 questions at once over the loopback Discord beside a rebuild; once with the usual bound on
  those who wait, so that most are turned away, and once with room for all.
- service: 10,000 questions to the service from many tasks, while articles change and rebuilds go on.
- rebuilds: 100 rebuilds in a row, and what the process that serves holds after them.

The articles are made up (`benchmarks.library`), so that every right answer is known. Printed is one JSON
object; the exit status is 1 where a promise was broken. `--small` is an index to take the encoder's graph
from; without it one is made first.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.burst import burst, percentiles
from benchmarks.held import Held, growth, table
from benchmarks.processes import build_small
from benchmarks.stand import Stand
from bot.service.service import Service
from index.errors import BusyError

_ASKERS = 64
_WARM = 0.1
"""Share of the questions after which the process has what it needs, and should grow no more."""

_SETTLED = 3
"""Rebuilds after which there are as many generations as are kept."""

_TOLD_AT = (1, 10, 50, 100)
"""Rebuilds after which it is told what is held; from the tenth on there should be no growth."""

Found = dict[str, Any]


async def on_discord(given: argparse.Namespace, home: Path) -> Found:
    """Ask everything at once, with few places in the queue and with enough."""
    found: Found = {}
    for name, places in (("few", 256), ("enough", 100_000)):
        stand = Stand(home / name, given.places, given.small)
        asked = stand.library.questions()[: given.questions]
        found[name] = one = await burst(stand.library, stand.index, asked, places, given.places // 8)
        one["broken"] = list(_broken(one, all_answered=places > given.questions))
    return found | {"broken": [line for one in found.values() for line in one["broken"]]}


def _broken(one: Found, *, all_answered: bool) -> Iterator[str]:
    """Yield a line on each promise that a burst broke."""
    for kind in ("lost", "wrong", "twice", "not_acknowledged"):
        if one.get(kind):
            yield f"{one[kind]} of {one['questions']} questions: {kind}"
    if all_answered and one.get("answered") != one["questions"]:
        yield f"{one.get('answered', 0)} of {one['questions']} answered, with room for all"
    if one["most_waiting"] > one["places"]:
        yield f"{one['most_waiting']} waited in {one['places']} places"
    if "done" not in one["rebuild"]:
        yield f"the rebuild came to: {one['rebuild']}"
    yield from one["violations"]


async def on_the_service(given: argparse.Namespace, home: Path) -> Found:
    """Ask very much from many tasks, while rebuilds go on one after the other."""
    stand = Stand(home, given.places, given.small, waiting=2 * _ASKERS)
    draw = random.Random(given.seed)  # noqa: S311
    questions = stand.library.questions()
    asked = iter([draw.choice(questions) for _ in range(given.face)])
    took: list[float] = []
    wrong: list[str] = []
    outcomes: Counter[str] = Counter()
    generations: Counter[str] = Counter()
    held: list[Held] = []

    async def ask(service: Service) -> None:
        for question in asked:
            begun = time.perf_counter()
            try:
                answer = await service.ask(question.text)
            except BusyError:
                outcomes["turned away"] += 1
                continue
            took.append(time.perf_counter() - begun)
            outcomes["answered"] += 1
            generations[answer.generation] += 1
            wrong.extend(stand.faults(answer, question))
            if len(took) == int(_WARM * given.face):
                held.append(Held.now(stand.index))

    async def keep_rebuilding(service: Service) -> None:
        while True:
            await _change(stand, service, draw)

    async with stand.serving() as service:
        for _ in range(_SETTLED):
            await _change(stand, service, draw)
        rebuilding = asyncio.create_task(keep_rebuilding(service))
        await asyncio.gather(*(ask(service) for _ in range(_ASKERS)))
        rebuilding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rebuilding
        held.append(Held.now(stand.index))
    broken = wrong[:20] + list(growth(held[0], held[-1]))
    if sum(outcomes.values()) != given.face or outcomes["turned away"]:
        broken.append(f"of {given.face} questions: {dict(outcomes)}")
    if len(generations) < 2:
        broken.append("there was no swap")
    return {
        "questions": given.face,
        "outcomes": dict(outcomes),
        "generations": len(generations),
        "wrong": len(wrong),
        "answer_ms": percentiles(took),
        "held": {"warm": asdict(held[0]), "end": asdict(held[-1])},
        "broken": broken,
    }


async def _change(stand: Stand, service: Service, draw: random.Random) -> None:
    stand.change(draw)
    await stand.rebuild(service)


async def on_rebuilds(given: argparse.Namespace, home: Path) -> Found:
    """Rebuild very often, and ask what has changed after each."""
    stand = Stand(home, min(given.places, 40), given.small)
    draw = random.Random(given.seed)  # noqa: S311
    held: dict[str, Held] = {}
    wrong: list[str] = []
    seconds: list[float] = []
    async with stand.serving() as service:
        for number in range(1, given.rebuilds + 1):
            begun = time.perf_counter()
            await _change(stand, service, draw)
            seconds.append(time.perf_counter() - begun)
            for question in draw.sample(stand.library.questions(), 8):
                answer = await service.ask(question.text)
                wrong.extend(stand.library.faults(answer, question, stand.library.now))
            if number in {*_TOLD_AT, given.rebuilds}:
                held[str(number)] = Held.now(stand.index)
    print(table("rebuilds", held), file=sys.stderr)
    settled = held.get("10", next(iter(held.values())))
    return {
        "rebuilds": given.rebuilds,
        "wrong": len(wrong),
        "rebuild_ms": percentiles(seconds),
        "held": {at: asdict(one) for at, one in held.items()},
        "broken": wrong[:20] + list(growth(settled, list(held.values())[-1])),
    }


PARTS: dict[str, Callable[[argparse.Namespace, Path], Coroutine[Any, Any, Found]]] = {
    "discord": on_discord,
    "service": on_the_service,
    "rebuilds": on_rebuilds,
}


def main() -> None:
    """Run the parts and print what was found as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--questions", type=int, default=1_000, help="at once, over Discord")
    parser.add_argument("--face", type=int, default=10_000, help="questions to the service")
    parser.add_argument("--rebuilds", type=int, default=100)
    parser.add_argument("--places", type=int, default=250, help="articles; each is asked four questions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", type=Path, help="an index to take the encoder's graph from")
    given = parser.parse_args()
    given.places = max(given.places, -(-given.questions // 4))
    found: Found = {"seed": given.seed}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if given.small is None:
            given.small = home / "small"
            build_small(given.small)
        for part in given.only:
            print(f"{part}, seed {given.seed}", file=sys.stderr)
            found[part] = asyncio.run(PARTS[part](given, home / part))
    broken = [f"{part}: {line}" for part in given.only for line in found[part]["broken"]]
    trials = {"discord": "2 bursts", "service": f"{given.face:,} questions", "rebuilds": f"{given.rebuilds}"}
    found |= {"trials": ", ".join(trials[part] for part in given.only), "broken": broken}
    print(json.dumps(found, indent=1))
    print(*broken, sep="\n", file=sys.stderr)
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
