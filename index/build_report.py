"""What a build reports: its progress, what it would change, what it did, and what a gate found.

`footnote index build --json` prints these as JSON Lines, which the bot reads from its child process:

    {"progress": {"stage": "encoding", "done": 16, "total": 240}}      any number of these; then one of
    {"report": {"generation": "...", "changes": {"added": [...], ...}, ...}}
    {"changes": {"added": [...], ...}}                                 for `--dry-run`
    {"error": {"class": "ArticleError", "message": "...", "problems": [...]}}

An error's class is one of `index.errors`. Lines are ASCII, so that no reader takes U+2028 for a line's end.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from index import errors
from index.errors import ArticleError, FootnoteError
from index.sources.reports import SourceReport
from index.terminal import count_of

if TYPE_CHECKING:
    from index.storage.store import Store

__all__ = [
    "BuildEvent",
    "BuildReport",
    "Changes",
    "Gate",
    "GateReport",
    "Gold",
    "Progress",
    "line_of",
    "print_progress",
    "read_line",
]

_PRINT_SECONDS = 0.1  # between two lines on the same stage


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: `done` of `total` steps of a stage, whose name is for people."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What a build would change: the ids of articles added, changed and removed, and notes for people.

    `everything` says why everything is encoded anew, where it is.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    everything: str = ""
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
class Gold:
    """How many gold questions were `asked`, and `answered` rightly by the new generation.

    `lost` names those that the serving generation answers and the new one does not. `note` says why the two
    were not compared, where that was impossible.
    """

    asked: int
    answered: int
    lost: tuple[str, ...] = ()
    note: str = ""

    def summary(self) -> str:
        """Return a sentence for people."""
        lost = f", {len(self.lost):,} lost" if self.lost else ""
        return f"{self.answered:,} of {self.asked:,} gold questions answered{lost}."


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a gate found; `refusal` says why the generation must not be published, "" where it may.

    `details` is written to the report of a refused generation.
    """

    gold: Gold
    refusal: str = ""
    details: Mapping[str, Any] | None = None


class Gate(Protocol):
    """Judges a new generation before it is published."""

    def note(self) -> str:
        """Say what will be asked, for `--dry-run`."""

    def __call__(self, new: Store, old: Store | None, progress: Callable[[Progress], None]) -> GateReport:
        """Judge a new generation beside the one that serves, where there is one."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. Where nothing had changed, `generation` is the one that already served.

    `reused` and `encoded` count articles. `passages_encoded` were encoded by this build, `passages_resumed`
    by one that was interrupted. `gold` is what the gate found, where there is one. `sources` says what a
    refresh fetched before it.
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
    sources: tuple[SourceReport, ...] = ()

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


BuildEvent = Progress | BuildReport | Changes | FootnoteError
"""What a line of JSON holds."""

_KINDS: dict[str, Any] = {"progress": Progress, "report": BuildReport, "changes": Changes}


def line_of(event: BuildEvent) -> str:
    """Return an event's line of JSON, without its end."""
    if isinstance(event, FootnoteError):
        # A class defined elsewhere is written as its nearest base in `index.errors`.
        known = next(kind.__name__ for kind in type(event).__mro__ if kind.__name__ in errors.__all__)
        fields: dict[str, Any] = {"class": known, "message": str(event)}
        if isinstance(event, ArticleError):
            fields["problems"] = event.problems
        return json.dumps({"error": fields})
    name = next(name for name, kind in _KINDS.items() if type(event) is kind)
    return json.dumps({name: dataclasses.asdict(event)})


def read_line(line: bytes) -> BuildEvent:
    """Return the event of a line.

    Raises:
        ValueError: it is no line of a build.
    """
    from pydantic import TypeAdapter

    try:
        ((name, fields),) = json.loads(line).items()
        event: BuildEvent
        if name != "error":
            event = TypeAdapter(_KINDS[name]).validate_python(fields)
        elif "problems" in fields:
            event = ArticleError(fields["problems"])
        elif fields["class"] in errors.__all__:
            event = getattr(errors, fields["class"])(fields["message"])
        else:
            raise ValueError(fields["class"])
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"a line that is no build event: {line[:200]!r}") from error
    return event


def print_progress() -> Callable[[Progress], None]:
    """Return a callback that prints the begin and end of each stage, and how far it is in between."""
    stage, printed_at = "", 0.0

    def progress(step: Progress) -> None:
        nonlocal stage, printed_at
        now = time.monotonic()
        if step.stage == stage and step.done < step.total and now < printed_at + _PRINT_SECONDS:
            return
        stage, printed_at = step.stage, now
        with suppress(BrokenPipeError):  # a build goes on when nobody reads how far it is
            click.echo(line_of(step))

    return progress
