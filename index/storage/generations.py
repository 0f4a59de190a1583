"""The generations of an index folder: which there are, which serves, and how to go back to another one."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from index.encoding.opening import remove_unused
from index.errors import DamagedIndexError, GateError, MissingError, NoIndexError
from index.printing import count_of
from index.storage.local import Generation, open_named
from index.storage.lock import locked, writable
from index.storage.manifest import GATE, KEPT, MANIFEST, REFUSED, Manifest, read_named_manifest, read_pointer
from index.storage.retention import (
    generations,
    number_of,
    point_at,
    problems_of,
    refused,
    remove_leftovers,
    remove_old,
    remove_refused,
)
from index.storage.verification import kept_manifests

__all__ = [
    "GenerationLine",
    "State",
    "folder_size",
    "history",
    "last_good",
    "prune",
    "roll_back",
    "serving_name",
]

_DIGITS = 18
"""Of a number that is typed; more would be none of ours."""


class State(StrEnum):
    """What a generation of an index folder is there for."""

    SERVING = "serving"
    """CURRENT names it: answers come from it."""
    KEPT = "kept"
    """It can be gone back to."""
    REFUSED = "refused"
    """The gate refused it: it never served, and is there to be looked into."""
    DAMAGED = "damaged"
    """Its manifest cannot be read; the next build removes it."""


@dataclass(frozen=True, slots=True)
class GenerationLine:
    """A generation in figures, from its manifest; `built` is in UTC, ISO 8601, and "" where it is damaged.

    `lost` counts the gold questions for which the gate refused it.
    """

    generation: str
    state: State
    built: str
    encoder: str
    articles: int
    passages: int
    bytes: int
    lost: int = 0

    @property
    def when(self) -> str:
        """When it was built, for people; "" where that is not known."""
        return f"{datetime.fromisoformat(self.built):%Y-%m-%d %H:%M} UTC" if self.built else ""

    def line(self) -> str:
        """Return it as one line for people."""
        mark = "*" if self.state is State.SERVING else " "
        if self.state is State.DAMAGED:
            return f"{mark} {self.generation}  damaged"
        held = f"{count_of(self.articles, 'article')}, {count_of(self.passages, 'passage')}"
        figures = f"{held}, {self.bytes / 1e6:,.1f} MB"
        lost = f" ({count_of(self.lost, 'gold question')} lost)" if self.lost else ""
        return f"{mark} {self.generation}  {self.when}  {figures}, {self.encoder}: {self.state}{lost}"


def history(folder: Path) -> list[GenerationLine]:
    """Return the generations that are there, the newest first. Of their files only the manifests are read.

    Raises:
        NoIndexError: there is none.
    """
    serving = serving_name(folder)
    homes = sorted([*generations(folder), *refused(folder)], key=lambda home: -number_of(home.name))
    return [_line(home, serving) for home in homes]


def roll_back(folder: Path, name: str | None = None) -> str:
    """Have another generation serve, once every byte of it is found whole; return its name.

    `name` may be its number alone; None is the one that served before, or where that is not whole, the next
    before it. Where CURRENT is damaged or gone, this mends it.

    Raises:
        BusyError: a build holds the lock.
        DamagedIndexError: the generation is not whole.
        GateError: the gate refused it.
        MissingError: there is no such generation, or none to go back to.
        NoIndexError: there is no index.
        NotWritableError: CURRENT cannot be written.
    """
    serving_name(folder)
    with writable(folder), locked(folder):
        serving = serving_name(folder)
        chosen = _before(folder, serving) if name is None else _named(folder, name)
        if name is not None and (problems := list(problems_of(folder, chosen))):
            raise DamagedIndexError("\n".join(problems))
        if chosen != serving:
            point_at(folder, chosen, (folder / chosen / MANIFEST).read_bytes())
        return chosen


def prune(folder: Path, keep: int) -> list[str]:
    """Keep the generation that serves and the newest others, `keep` in all; return the names of what went.

    Generations that the gate refused go too, and what builds that were cut off left.

    Raises:
        BusyError: a build holds the lock.
        DamagedIndexError: the generation that serves is not whole; nothing was removed.
        NoIndexError: there is no index.
        NotWritableError: something cannot be removed.
    """
    read_pointer(folder)
    with writable(folder), locked(folder):
        serving = read_pointer(folder).generation
        if problems := list(problems_of(folder, serving)):
            raise DamagedIndexError("\n".join([*problems, "Nothing was removed."]))
        remove_leftovers(folder)
        (folder / KEPT).unlink(missing_ok=True)
        gone = [*remove_old(folder, serving, keep), *remove_refused(folder)]
        remove_unused(folder, [one.encoder_fingerprint for one in kept_manifests(folder).values()])
        return gone


def last_good(folder: Path, but: Collection[str] = ()) -> Generation:
    """Open a generation that is whole and not among `but`: the one that serves, or the last that did before.

    Those that never served, or were gone back from, come last.

    Raises:
        NoIndexError: there is no other.
        DamagedIndexError: there are others, and none of them is whole.
    """
    serving = serving_name(folder)
    there = [home.name for home in generations(folder)]
    problems = []
    for name in dict.fromkeys([*filter(there.count, [serving]), *_earlier(folder, serving), *there]):
        if name in but:
            continue
        try:
            return open_named(folder, name)
        except (DamagedIndexError, NoIndexError) as error:  # damaged, or removed meanwhile
            problems.append(str(error))
    if problems:
        raise DamagedIndexError("\n".join(problems))
    raise NoIndexError(f"no other generation at {folder}: run `footnote index build`.")


def serving_name(folder: Path) -> str:
    """Return the name of the generation that serves; "" where CURRENT is damaged, or gone from beside others.

    Raises:
        NoIndexError: there is no generation at all.
    """
    try:
        return read_pointer(folder).generation
    except DamagedIndexError:
        return ""
    except NoIndexError:
        if folder.is_dir() and generations(folder):
            return ""
        raise


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder; one that goes meanwhile counts as none."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.lstat().st_size if not file.is_dir() else 0
    return total


def _line(home: Path, serving: str) -> GenerationLine:
    size = folder_size(home)
    manifest = _manifest(home)
    if manifest is None:
        return GenerationLine(home.name, State.DAMAGED, "", "", 0, 0, size)
    state = State.SERVING if home.name == serving else State.KEPT
    lost = 0
    if home.name.startswith(REFUSED):
        state, lost = State.REFUSED, _lost(home)
    return GenerationLine(
        home.name, state, manifest.built, manifest.encoder, manifest.articles, manifest.passages, size, lost
    )


def _manifest(home: Path) -> Manifest | None:
    with suppress(OSError, DamagedIndexError):
        return read_named_manifest(home)
    return None


def _lost(home: Path) -> int:
    """Return how many gold questions a gate's report names; 0 where it cannot be read."""
    with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
        return len(json.loads((home / GATE).read_bytes())["lost"])
    return 0


def _named(folder: Path, name: str) -> str:
    """Return the full name of the generation with a name or number."""
    number = int(name) if len(name) <= _DIGITS and name.isascii() and name.isdecimal() else None
    names = [home.name for home in (*generations(folder), *refused(folder))]
    found = [one for one in names if one == name or number_of(one) == number]
    if len(found) != 1:
        what = f"{len(found)} generations have the number {name!r}" if found else f"no generation {name!r}"
        raise MissingError(f"{what} at {folder}: `footnote index history` lists those that are there.")
    if found[0].startswith(REFUSED):
        raise GateError(
            f"the gate refused {found[0]}, so it cannot serve; {folder / found[0] / GATE} says why. Correct "
            "the articles or the gold questions, and build again."
        )
    return found[0]


def _earlier(folder: Path, serving: str) -> list[str]:
    """Return the generations to go back to, the best first; all of them where it is not known what serves.

    First those from which answers came before, one after another: one that was gone back from, or that was
    never published, is newer than they are, and was not what served. Then the others that are older.
    """
    there = [home.name for home in generations(folder)]
    served: list[str] = []
    at = serving
    while (manifest := _manifest(folder / at) if at else None) and manifest.before in there:
        at = manifest.before
        if at in (serving, *served):
            break
        served.append(at)
    older = [one for one in there if not serving or number_of(one) < number_of(serving)]
    return list(dict.fromkeys([*served, *older]))


def _before(folder: Path, serving: str) -> str:
    """Return the first whole generation of those to go back to."""
    for name in _earlier(folder, serving):
        if not any(problems_of(folder, name)):
            return name
    raise MissingError(
        f"there is no whole generation at {folder} that is older than {serving or 'the damaged one'}. "
        "`footnote index history` lists those that are there, and FOOTNOTE_KEEP says how many are kept."
    )
