"""The service, as far as the Discord surface uses it; the tests of this surface bring one of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bot.answers import Answer
from index import BuildReport, IndexStatus, Progress

__all__ = ["Answering"]


class Answering(Protocol):
    """What answers and rebuilds; `bot.service.Service` is one."""

    async def start(self) -> None:
        """Open the index and load the encoder."""

    async def ask(self, question: str) -> Answer:
        """Answer; raises BusyError when too many questions wait."""

    async def rebuild(self, progress: Callable[[Progress], None] | None = None) -> BuildReport:
        """Build the next generation and swap to it; raises FootnoteError."""

    async def status(self) -> IndexStatus:
        """Return what is being served."""

    async def close(self) -> None:
        """Finish the answers under way, then stop."""
