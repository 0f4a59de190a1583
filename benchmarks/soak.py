"""Minutes of trouble for a running service, which is asked all the time.

    python -m benchmarks.soak [--minutes 20] [--seed 1] [--askers 16] [--articles 80]

One thing after another happens: rebuilds, some of them killed; going back to an older generation; pruning;
files damaged in place; more questions than may wait. After each, the next build has to work without help,
`footnote index verify` to report nothing, and the answers to be those of the articles. Every answer is
compared with the generation that it names: each quote is a slice of the article's text there, and the first
one holds the fact that was asked for. The process may not grow.

What happens is drawn from the seed; how the threads interleave is not. Prints a JSON object; exits with 1
where a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil

from benchmarks.library import Library, Place, Question, faults
from benchmarks.processes import FOOTNOTE, bare_environment, megabytes, quantile, run
from bot.service.service import Service
from bot.settings import BotSettings
from index.errors import FootnoteError

__all__ = ["Soak", "main"]

_HUNG = 120.0
"""Seconds after which a question or a rebuild counts as hanging."""
_WARM = 10
"""Steps after which the process should grow no more."""
_BOUNDS = {"memory MB": 40.0, "descriptors": 8.0, "threads": 6.0, "index MB": 3.0}
"""By how much each may grow after that."""


class Soak:
    """A service on made-up articles, what happens to it, and what was wrong with its answers."""

    def __init__(self, home: Path, seed: int, articles: int) -> None:
        """Write the articles and build their index."""
        self.library = Library(home / "articles", articles)
        self.index = home / "index"
        run([*FOOTNOTE, "index", "build", "--articles", self.library.folder, "--index", self.index], home)
        settings = BotSettings.load(articles=self.library.folder, index=self.index)
        self.service = Service(settings)
        self.problems: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()
        self.took: list[float] = []
        self._chance = Random(seed)  # noqa: S311 - no secret
        self._built: dict[str, dict[str, Place]] = {}
        self._answers: list[tuple[dict[str, Any], Question | None]] = []
        """Those whose generation may not be known yet."""
        self._damaged = False
        self._learn_generations()

    async def run(self, minutes: float, askers: int) -> dict[str, Any]:
        """Play until the time is over; return what came of it."""
        await self.service.start()
        asking = [asyncio.create_task(self._keep_asking(Random(number))) for number in range(askers)]  # noqa: S311
        end = time.monotonic() + 60 * minutes
        sizes: dict[int, dict[str, float]] = {}
        while time.monotonic() < end:
            await self._step()
            sizes[self.steps.total()] = self._size()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self.service.close()
        last = sizes[max(sizes)]
        warm = sizes.get(_WARM, last)
        for name, bound in _BOUNDS.items():
            if last[name] > warm[name] + bound:
                self.problems.append(f"{name} grew from {warm[name]:,} to {last[name]:,}")
        return {
            "steps": dict(self.steps),
            "answers": dict(self.outcomes),
            "answer, p50 and p99, ms": [round(1000 * quantile(self.took, share)) for share in (0.5, 0.99)],
            "sizes": {"warm": warm, "end": last},
            "problems": len(self.problems),
            "first problems": self.problems[:20],
        }

    async def _step(self) -> None:
        """Have one thing happen, and see to it that everything is right again after it."""
        happening: Callable[[], Awaitable[object]] = self._chance.choice(
            [self._rebuild, self._kill_rebuild, self._roll_back, self._prune, self._damage, self._crowd]
        )
        name = happening.__name__.strip("_")
        print(f"{self.steps.total() + 1}: {name}", file=sys.stderr)
        try:
            await happening()
            await asyncio.sleep(self._chance.uniform(0, 3))
            await self._recover()
        except (FootnoteError, TimeoutError) as error:
            self.problems.append(f"{name}: {type(error).__name__}: {error}")
        self._check_answers(name)
        self.steps[name] += 1

    async def _recover(self) -> None:
        """Rebuild, without help, and ask for what has changed."""
        await self._rebuild()
        if report := await self._footnote("index", "verify"):
            self.problems.append(f"verify reports: {report}")
        self._damaged = False
        for question in self._chance.sample(self.library.questions(), 10):
            answer = (await self.service.ask(question.text)).as_json()
            self.problems += faults(answer, self.library.now, question)

    async def _rebuild(self) -> None:
        """Change articles and rebuild."""
        self.library.change(self._chance)
        try:
            async with asyncio.timeout(_HUNG):
                await self.service.rebuild()
        finally:
            self._learn_generations()

    async def _kill_rebuild(self) -> None:
        """Change articles, and kill the rebuild's process at some time."""
        rebuild = asyncio.create_task(self._rebuild())
        await asyncio.sleep(self._chance.uniform(0, 3))
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):
                child.kill()
        with suppress(FootnoteError):
            await rebuild

    async def _roll_back(self) -> None:
        """Go back to the generation before, if there is one."""
        with suppress(FootnoteError):
            await self.service.roll_back()

    async def _prune(self) -> None:
        """Remove all generations but one while they are read."""
        await self._footnote("index", "prune", "--keep", "1")

    async def _damage(self) -> None:
        """Overwrite part of a file in place: of the generation that was published last, or the pointer."""
        self._damaged = True
        pointer = self.index / "CURRENT"
        generation = self.index / pointer.read_text("ascii").split()[0]
        files = [path for path in sorted(generation.rglob("*")) if path.is_file() and path.stat().st_size]
        path = self._chance.choice([pointer, *files])
        with path.open("r+b") as file:
            file.seek(self._chance.randrange(path.stat().st_size) // 4096 * 4096)
            file.write(bytes(min(4096, path.stat().st_size - file.tell())))
        if not await self._footnote("index", "verify"):
            self.problems.append(f"verify does not report that {path.name} is damaged")

    async def _crowd(self) -> None:
        """Ask more at once than may wait, which is 256 questions."""
        refused = self.outcomes["refused, BusyError"]
        await asyncio.gather(*(self._ask(question) for question in self.library.questions()))
        if self.outcomes["refused, BusyError"] == refused:
            self.problems.append("no question of a crowd was refused")

    async def _keep_asking(self, chance: Random) -> None:
        """Ask one question after another."""
        while True:
            await self._ask(chance.choice(self.library.questions()))
            await asyncio.sleep(0)

    async def _ask(self, question: Question) -> None:
        begun, damaged = time.monotonic(), self._damaged
        try:
            async with asyncio.timeout(_HUNG):
                answer = await self.service.ask(question.text)
        except FootnoteError as error:
            self.outcomes[f"refused, {type(error).__name__}"] += 1
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody should meet it
            self.problems.append(f"{question.text}: {type(error).__name__}: {error}")
            return
        self.took.append(time.monotonic() - begun)
        self.outcomes["answered"] += 1
        # Of damaged vectors, the wrong passage may be quoted; what is quoted is still a slice.
        self._answers.append((answer.as_json(), None if damaged or self._damaged else question))

    def _learn_generations(self) -> None:
        """Note what the new generations were built from; articles change only while no build runs."""
        for path in self.index.iterdir():
            if path.name[0].isdigit():
                self._built.setdefault(path.name, dict(self.library.now))

    def _check_answers(self, step: str) -> None:
        """Compare the answers since the last step with the generations that they name."""
        answers, self._answers = self._answers, []
        for answer, question in answers:
            for fault in faults(answer, self._built[answer["generation"]], question):
                self.problems.append(f"{step}: {fault}")

    async def _footnote(self, *arguments: str) -> str:
        """Run a command on the index beside the service; return what it says on standard error."""
        process = await asyncio.create_subprocess_exec(
            *FOOTNOTE, *arguments, "--index", self.index, env=bare_environment(),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return (await process.communicate())[1].decode().strip()

    def _size(self) -> dict[str, float]:
        """Return what the process holds, after everything that can be freed was."""
        gc.collect()
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps freed memory, which is not held
        process = psutil.Process()
        return {
            "memory MB": round(process.memory_info().rss / 1e6, 1),
            "descriptors": process.num_fds(),
            "threads": process.num_threads(),
            "index MB": round(megabytes(self.index), 1),
        }


def main() -> None:
    """Play, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--askers", type=int, default=16, help="questions that are asked at a time")
    parser.add_argument("--articles", type=int, default=80, help="each is asked 4 questions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # no .env is read
        soak = Soak(Path(folder), options.seed, options.articles)
        found = {"seed": options.seed, **asyncio.run(soak.run(options.minutes, options.askers))}
    print(json.dumps(found, indent=1))
    raise SystemExit(bool(found["problems"]))


if __name__ == "__main__":
    main()
