"""Minutes of random trouble: a service is asked all the time, while one thing after the other befalls it.

    python -m benchmarks.soak [--minutes 20] [--seed 1] [--only TROUBLE ...] [--first STEP] [--log FILE]

What happens is `benchmarks.trouble`. Of every step, all that is left to chance is drawn from the seed and the
step's number, so `--seed 7 --first 12 --steps 1` plays the twelfth step again (what runs beside it takes its
own time, as on any machine). After each step:

- every answer since the last was right for the generation that it names, or an error for people;
- every quote stands, to the letter, in a version of the article that was written;
- the next build works without help and cleans up, `verify` has nothing to say, and its answers are right;
- the process holds no more than after the first steps.

Printed is one JSON object; the exit status is 1 where a promise was broken. `--log` gets a JSON line a step.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any, TextIO

from benchmarks.ground import BrokenError, Ground
from benchmarks.held import Held, growth
from benchmarks.processes import build_small
from benchmarks.trouble import TROUBLES

_ASKERS = 3
_WARM = 12
"""Steps after which the process should grow no more."""


class Soak:
    """Plays one step after the other, each on the ground that the one before left."""

    def __init__(self, given: argparse.Namespace, home: Path, log: TextIO | None) -> None:
        self._given, self._home, self._log = given, home, log
        self.step = given.first
        self.played: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.broken: list[str] = []
        self.held: dict[str, Held] = {}
        self._end = math.inf

    @property
    def _over(self) -> bool:
        steps = self._given.steps
        return time.monotonic() >= self._end or bool(steps and self.step >= self._given.first + steps)

    async def run(self) -> None:
        """Play until the time or the steps are over, on new ground after a step without recovery."""
        while not self._over:
            ground = Ground(self._home / f"ground-{self.step}", self._given.places, self._given.small)
            async with ground.open():
                # Counted from the first ground on, however long that took.
                self._end = min(self._end, time.monotonic() + 60 * self._given.minutes)
                askers = [ground.keep_asking(self._draw(f"asker {number}")) for number in range(_ASKERS)]
                asking = [asyncio.create_task(one) for one in askers]
                recovered = True
                while recovered and not self._over:
                    recovered = await self._play(ground)
                for task in asking:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            self.seen += ground.seen

    def _draw(self, what: object) -> Random:
        """Return the source of chance for something; the same again for the same seed."""
        return Random(f"{self._given.seed} {what}")  # noqa: S311

    async def _play(self, ground: Ground) -> bool:
        """Play one step; return whether it was recovered from."""
        draw = self._draw(self.step)
        name = draw.choice(self._given.only)
        begun, detail, recovered = time.monotonic(), "", False
        try:
            async with TROUBLES[name](ground, draw) as detail:
                await ground.ask_some(draw)
            await ground.recover(draw)
            recovered = True
        except BrokenError as error:
            ground.broken.append(str(error))
        except Exception:  # noqa: BLE001 - a fault nobody thought of, which is what is looked for
            ground.broken.append(traceback.format_exc())
        self._note(name, detail, ground, time.monotonic() - begun)
        return recovered

    def _note(self, name: str, detail: str, ground: Ground, seconds: float) -> None:
        held = Held.now(ground.index)
        if self.played.total() in {0, _WARM}:
            self.held["begin"] = held
        self.held["end"] = held
        line = {
            "step": self.step, "trouble": name, "detail": detail, "seconds": round(seconds, 1),
            "broken": ground.broken, "seen": dict(ground.seen), "held": asdict(held),
        }  # fmt: skip
        if self._log:
            print(json.dumps(line), file=self._log, flush=True)
        for what in ground.broken:
            print(f"BROKEN at step {self.step}, {name} ({detail}): {what}", file=sys.stderr)
            self.broken.append(f"step {self.step}, {name} ({detail}): {what}")
        print(f"{self.step} {name}: {detail[:200]}", file=sys.stderr)
        ground.broken = []
        self.played[name] += 1
        self.step += 1

    def found(self) -> dict[str, Any]:
        """Return what came of it."""
        settled = self.played.total() > 2 * _WARM
        grown = growth(self.held["begin"], self.held["end"]) if settled else ()
        broken = self.broken + [f"held: {line}" for line in grown]
        return {
            "seed": self._given.seed,
            "steps": self.played.total(),
            "troubles": dict(self.played),
            "questions": dict(self.seen),
            "held": {at: asdict(held) for at, held in self.held.items()},
            "trials": f"{self.played.total()} faults, {self.seen.total():,} answers",
            "broken": broken,
        }


def main() -> None:
    """Play, and print what was found as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int, help="end after so many steps")
    parser.add_argument("--first", type=int, default=1, help="the step to begin with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=sorted(TROUBLES), default=list(TROUBLES))
    parser.add_argument("--places", type=int, default=40, help="articles")
    parser.add_argument("--small", type=Path, help="an index to take the encoder's graph from")
    parser.add_argument("--log", type=Path, help="a file for a JSON line a step")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if given.small is None:
            given.small = home / "small"
            build_small(given.small)
        print(f"seed {given.seed}", file=sys.stderr)
        log = given.log.open("w", encoding="utf-8") if given.log else None
        soak = Soak(given, home, log)
        asyncio.run(soak.run())
        found = soak.found()
    print(json.dumps(found, indent=1))
    print(*found["broken"], sep="\n", file=sys.stderr)
    raise SystemExit(1 if found["broken"] else 0)


if __name__ == "__main__":
    main()
