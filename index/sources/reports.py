"""What a refresh reports: of each source, and of each page that changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from index.terminal import count_of

__all__ = ["PageChange", "SourceReport"]


@dataclass(frozen=True, slots=True)
class PageChange:
    """What a refresh changed of a page: words and paragraphs that came and went.

    `differences` are the first paragraphs that did, with "+" or "-" before each.
    """

    kind: Literal["added", "changed", "removed"]
    id: str
    words_added: int = 0
    words_removed: int = 0
    paragraphs: int = 0
    differences: tuple[str, ...] = ()

    def line(self) -> str:
        """Return a line for people."""
        counts = ""
        if self.kind == "added":
            counts = f"  {count_of(self.words_added, 'word')}"
        elif self.kind == "changed":
            counts = f"  +{self.words_added:,} −{self.words_removed:,} words in"
            counts += f" {count_of(self.paragraphs, 'paragraph')}"
        return f"{self.kind:<8} {self.id}{counts}"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a refresh found: pages kept, those that had not changed, that could not be taken, and changes.

    `notes` has a line for each page that could not be taken, `problem` says why the source as a whole could
    not be refreshed; what was fetched before stays.
    """

    source: str
    pages: int
    unchanged: int
    failed: int = 0
    changes: tuple[PageChange, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    def summary(self) -> str:
        """Return a sentence for people."""
        if self.problem:
            stays = " What was fetched before stays." if self.pages else ""
            return f"{self.source}: {self.problem.removesuffix('.')}.{stays}"
        kinds = Counter(change.kind for change in self.changes)
        counts = [f"{kinds[kind]:,} {kind}" for kind in ("added", "changed", "removed")]
        failed = f", {self.failed:,} not taken" if self.failed else ""
        pages = f"{self.source}: {count_of(self.pages, 'page')}"
        return f"{pages}; {', '.join(counts)}, {self.unchanged:,} unchanged{failed}."
