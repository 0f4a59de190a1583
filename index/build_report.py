"""What a build reports: how far it is, what it would change, and what it did."""

from __future__ import annotations

from dataclasses import dataclass

from index.storage.gate import Gold
from index.terminal import count_of

__all__ = ["BuildReport", "Changes", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: `done` of `total` steps of a stage, whose name is for people."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What a build would change: the ids of articles added, changed and removed, and notes for people."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    everything: str = ""
    """Why everything is encoded anew, where it is."""
    notes: tuple[str, ...] = ()

    @property
    def before(self) -> int:
        """How many articles the serving generation has."""
        return self.unchanged + len(self.changed) + len(self.removed)

    @property
    def shrunk(self) -> float:
        """The share by which the number of articles falls; 0 where it does not."""
        fewer = len(self.removed) - len(self.added)
        return max(fewer, 0) / self.before if self.before else 0.0

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed or self.everything)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. Where nothing had changed, `generation` is the one that already served.

    `reused` and `encoded` count articles. `passages_encoded` were encoded by this build, `passages_resumed`
    by one that was interrupted.
    """

    generation: str
    changes: Changes
    articles: int
    passages: int
    reused: int
    encoded: int
    seconds: float
    passages_encoded: int = 0
    passages_resumed: int = 0
    gold: Gold | None = None
    """What the gate found, where there is one."""

    def summary(self) -> str:
        """Return a sentence for people."""
        articles = count_of(self.articles, "article")
        if not self.changes.any:
            return f"Nothing has changed: generation {self.generation} holds {articles}."
        resumed = count_of(self.passages_resumed, "passage")
        resuming = f"; resumed: {resumed} had been encoded before" if self.passages_resumed else ""
        return (
            f"Generation {self.generation}: {articles} in {count_of(self.passages, 'passage')}; "
            f"{count_of(self.encoded, 'article')} encoded, {self.reused:,} reused, "
            f"{len(self.changes.removed):,} removed{resuming}; {self.seconds:.1f} s."
            + (f" {self.gold.summary()}" if self.gold else "")
        )
