"""What the Discord surface needs of the service, and of what the service returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bot.answers import Answer

__all__ = ["Answering", "Report", "Status", "Step"]


class Step(Protocol):
    """How far a rebuild has come."""

    @property
    def stage(self) -> str:
        """What is being done, in one word."""

    @property
    def done(self) -> int:
        """How many are done."""

    @property
    def total(self) -> int:
        """Of how many; 0 where that is not known."""


class Report(Protocol):
    """What a rebuild did."""

    @property
    def generation(self) -> str:
        """The generation that is served now: the new one, unless nothing had changed."""

    @property
    def articles(self) -> int:
        """How many articles it holds."""

    @property
    def passages(self) -> int:
        """How many passages it holds."""

    @property
    def reused(self) -> int:
        """How many articles were not encoded again."""

    def summary(self) -> str:
        """Say it in one plain sentence."""


class Status(Protocol):
    """What is being served."""

    def lines(self) -> list[tuple[str, str]]:
        """Return it as label and value pairs."""


class Answering(Protocol):
    """The service, as far as this surface uses it (bot.service.Service is one)."""

    async def start(self) -> None:
        """Open the index and load the encoder."""

    async def ask(self, question: str) -> Answer:
        """Answer; raises BusyError when too many questions wait."""

    async def rebuild(self, progress: Callable[[Step], None] | None = None) -> Report:
        """Build the next generation and swap to it; raises FootnoteError."""

    async def status(self) -> Status:
        """Return what is being served."""

    async def close(self) -> None:
        """Finish the answers under way, then stop."""
