"""The service, as far as the Discord surface uses it; the tests of this surface bring one of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from index.storage.verification import IndexStatus

    from bot.answering.answer import Answer
    from bot.answering.followups import Earlier
    from bot.answering.verify import Checked
    from bot.service.catalogue import Catalogue
    from bot.service.job_queue import Waiting
    from bot.service.live_index import Damage
    from bot.service.service import ServiceStats
    from index.articles.article import Article
    from index.build import BuildReport
    from index.progress import Progress
    from index.storage.generations import GenerationLine

__all__ = ["Answering"]


class Answering(Protocol):
    """What answers and rebuilds; `bot.service.Service` is one. All of it is used on the event loop."""

    async def start(self) -> None:
        """Open the index and load the encoder."""

    async def ask(
        self,
        question: str,
        *,
        article: str | None = None,
        earlier: Earlier | None = None,
        waiting: Callable[[Waiting], None] | None = None,
    ) -> Answer:
        """Answer, from one article (its id) or from all, read with what was asked earlier.

        `waiting` is called once, at once, where other questions are answered before. Raises BusyError, which
        says when to try again, when too many questions wait.
        """

    async def catalogue(self) -> Catalogue:
        """Return what articles there are; raises BusyError."""

    async def article(self, identity: str) -> Article | None:
        """Return an article by its id; raises BusyError."""

    async def check(self, text: str) -> tuple[Checked, ...]:
        """Say of each sentence of a text whether it stands in an article, and where; raises BusyError."""

    async def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,); raises BusyError."""

    def on_swap(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called with the generation's name after each swap to another one."""

    @property
    def stats(self) -> ServiceStats:
        """How busy it is, and what it answered."""

    def on_damage(self, callback: Callable[[Damage | None], None]) -> None:
        """Have `callback` called where a generation turns out damaged, and with None once that is over."""

    @property
    def damage(self) -> Damage | None:
        """What is damaged, as long as answers do not come from what was published last."""

    async def rebuild(
        self, progress: Callable[[Progress], None] | None = None, *, force: bool = False
    ) -> BuildReport:
        """Build the next generation and swap to it; raises FootnoteError."""

    async def history(self) -> list[GenerationLine]:
        """Return the generations that are kept, the newest first; raises FootnoteError."""

    async def roll_back(self, name: str | None = None) -> str:
        """Answer from another generation, and return its name; raises FootnoteError."""

    async def status(self) -> IndexStatus:
        """Return what is being served."""

    async def close(self) -> None:
        """Finish the answers under way, then stop."""
