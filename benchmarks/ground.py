"""What faults are played on: a stand whose rebuilds can be hindered, and what is asked of it meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import psutil
from index.storage.verification import verify

from benchmarks.library import Question
from benchmarks.stand import Stand
from bot.service.rebuild import Rebuilder, build_command
from bot.service.service import Service
from index.errors import FootnoteError

__all__ = ["PATIENCE", "BrokenError", "Ground"]

PATIENCE = 120.0
"""Seconds after which something counts as hanging."""

_WAITING = 32
"""Questions that may wait."""

_PLAIN = 'exec "$@"'


class BrokenError(Exception):
    """A promise that was broken."""


class Ground(Stand):
    """A stand with a service that is asked all the time; `broken` has what was wrong with any answer."""

    service: Service

    def __init__(self, home: Path, places: int, small: Path) -> None:
        super().__init__(home, places, small, waiting=_WAITING)
        self.home = home
        self.broken: list[str] = []
        self.seen: Counter[str] = Counter()
        """How many questions were answered right and refused, and other ends."""
        self._script = home / "rebuild.sh"
        self.rebuilt_by()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve from it while the block runs."""
        command = ["sh", str(self._script), *build_command(self.settings)]
        async with self.serving(Rebuilder(self.settings, command)) as self.service:
            yield

    def rebuilt_by(self, script: str = _PLAIN) -> None:
        """Have rebuilds be started by a shell script, which has the usual command as its arguments."""
        self._script.write_text(script + "\n", encoding="utf-8")

    async def try_rebuild(self) -> str:
        """Rebuild from what is there; return what came of it: "done", or the error.

        Raises:
            BrokenError: it hangs, or what it failed with is no error for people.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self.rebuild(self.service)
        except FootnoteError as error:
            return f"{type(error).__name__}: {error}"
        except TimeoutError:
            raise BrokenError(f"a rebuild hung for {PATIENCE:.0f} s") from None
        return "done"

    async def child(self) -> psutil.Process | None:
        """Return the process of the rebuild that was just asked for; None where it has ended."""
        for _ in range(500):
            for child in psutil.Process().children():
                if "--json" in child.cmdline():
                    return child
            await asyncio.sleep(0.01)
        return None

    async def ask(self, text: str, question: Question | None = None) -> str:
        """Ask, and note what is wrong with the answer; return what came of it: "right", or another word."""
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self.service.ask(text)
        except FootnoteError as error:
            came = f"refused: {type(error).__name__}"
        except TimeoutError:
            came = f"no answer for {PATIENCE:.0f} s"
            self.broken.append(f"{text[:80]!r}: {came}")
        except Exception as error:  # noqa: BLE001 - whatever it is, people should not meet it
            came = f"raised {type(error).__name__}: {error}"
            self.broken.append(f"{text[:80]!r} {came}")
        else:
            faults = list(self.faults(answer, question))
            self.broken += faults
            came = "wrong" if faults else "right"
        self.seen[came] += 1
        return came

    async def ask_some(self, draw: Random, count: int = 8) -> Sequence[str]:
        """Ask questions of those that are known; return what came of each."""
        asked = draw.sample(self.library.questions(), count)
        return [await self.ask(one.text, one) for one in asked]

    async def keep_asking(self, draw: Random) -> None:
        """Ask for ever, with pauses."""
        while True:
            await self.ask_some(draw, 1)
            await asyncio.sleep(draw.random() / 10)

    async def recover(self, draw: Random) -> None:
        """See to it that the next build works without help, cleans up, and is answered from.

        Raises:
            BrokenError: it does not.
        """
        self.rebuilt_by()
        self.change(draw, 0.05)
        if (came := await self.try_rebuild()) != "done":
            raise BrokenError(f"the build after it failed: {came}")
        if left := verify(self.index):
            raise BrokenError(f"the build after it left: {left}")
        asked = draw.sample(self.library.questions(), 12)
        for question in asked:
            answer = await self.service.ask(question.text)
            if wrong := list(self.library.faults(answer, question, self.library.now)):
                raise BrokenError(f"it does not answer from the build after it: {wrong}")
