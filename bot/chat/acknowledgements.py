"""Acknowledgements go first: Discord waits three seconds for one, and then a quarter of an hour for the rest.

Where very many ask at once, what follows an acknowledgement (the answer, and telling whoever waits their
place) would otherwise delay those of the others until Discord has given them up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Acknowledging"]

_LONGEST = 2.0
"""Seconds that the rest waits at most: in a stream of questions without a gap, too, it has its turn."""


class Acknowledging:
    """Counts the acknowledgements that are on their way."""

    def __init__(self) -> None:
        self._pending = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one as on its way."""
        self._pending += 1
        self._none.clear()
        try:
            yield
        finally:
            self._pending -= 1
            if not self._pending:
                self._none.set()

    async def others(self) -> None:
        """Wait until none is on its way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                await self._none.wait()
