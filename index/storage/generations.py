"""Changing which generation serves: publishing, refusing, rolling back, pruning, and falling back.

A generation's folder is renamed before its files are deleted, so that no half of one is left under its name.
Whatever writes holds the folder's lock.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.encoding.exports import remove_unused
from index.errors import DamagedIndexError, GateError, MissingError, NoIndexError
from index.files import checksum, locked, remove_folder, sync, writable, write_file
from index.storage.inspection import (
    generation_homes,
    generation_number,
    generation_problems,
    readable_manifest,
    refused_homes,
    serving_name,
)
from index.storage.local import LocalStore, open_generation
from index.storage.manifest import (
    GATE_REPORT,
    POINTER,
    REFUSED,
    TEMPORARY,
    Manifest,
    generation_name,
    point_at,
    read_pointer,
)
from index.storage.vector_cache import VectorCache

__all__ = ["clean_up", "last_good", "prune", "publish", "refuse", "remove_leftovers", "roll_back"]


def publish(folder: Path, home: Path, manifest: Manifest) -> str:
    """Give the generation written at `home` its name and make CURRENT point at it; return the name.

    Raises:
        OSError: it cannot be written; the previous generation keeps serving.
    """
    name = _next_name(folder, manifest)
    home.rename(folder / name)
    try:
        sync(folder)
        point_at(folder, name)
    except BaseException:
        with suppress(OSError, DamagedIndexError, NoIndexError):
            if serving_name(folder) != name:
                remove_folder(folder / name, home)
        raise
    return name


def refuse(folder: Path, home: Path, manifest: Manifest, refusal: str, details: Any = None) -> GateError:
    """Keep the generation at `home`, which the gate refused, aside; return the error to raise.

    `details`, as JSON, are the report kept with it. Only the last refused generation is kept. Raises OSError
    where it cannot be written.
    """
    aside = folder / f"{REFUSED}{_next_name(folder, manifest)}"
    write_file(home / GATE_REPORT, (json.dumps(details, indent=1) + "\n").encode())
    sync(home)
    _remove_refused(folder)
    home.rename(aside)
    sync(folder)
    return GateError(
        f"{refusal}\nThe previous generation keeps serving; the new one is kept, with a report in "
        f"{aside / GATE_REPORT}. Correct the articles, or outdated gold questions, and build again. "
        "FOOTNOTE_GATE_AT sets how many may be lost."
    )


def roll_back(folder: Path, name: str | None = None) -> str:
    """Make another generation serve, once every byte of it is found whole; return its name.

    `name` may be its number alone; None is the generation that served before, or where that is not whole, the
    next before it. A damaged or missing CURRENT is repaired.

    Raises:
        BusyError: a build holds the lock.
        DamagedIndexError: the generation is not whole.
        GateError: the gate refused it.
        MissingError: there is no such generation, or none to roll back to.
        NoIndexError: there is no index.
        NotWritableError: CURRENT cannot be written.
    """
    serving_name(folder)
    with writable(folder), locked(folder):
        serving = serving_name(folder)
        chosen = _whole_before(folder, serving) if name is None else _find(folder, name)
        if name is not None and (problems := list(generation_problems(folder / chosen))):
            raise DamagedIndexError("\n".join(problems))
        if chosen != serving:
            point_at(folder, chosen)
        return chosen


def prune(folder: Path, keep: int) -> list[str]:
    """Keep the serving generation and the newest others, `keep` in all; return the names of the removed.

    Refused generations and what interrupted builds left go too.

    Raises:
        BusyError: a build holds the lock.
        DamagedIndexError: the serving generation is not whole; nothing was removed.
        NoIndexError: there is no index.
        NotWritableError: something cannot be removed.
    """
    read_pointer(folder)
    with writable(folder), locked(folder):
        serving = read_pointer(folder)
        if problems := list(generation_problems(folder / serving)):
            raise DamagedIndexError("\n".join([*problems, "Nothing was removed."]))
        remove_leftovers(folder)
        return clean_up(folder, serving, keep)


def clean_up(folder: Path, serving: str, keep: int, previous: str = "") -> list[str]:
    """Remove old and refused generations, unused encoders and the vector cache; return the removed names.

    The serving generation and `keep` - 1 whole others stay: `previous` first, then the newest. `serving` and
    `previous` are known to be whole. A generation that cannot be read now may be whole: it stays too. Raises
    OSError where something cannot be removed.
    """
    VectorCache.remove(folder)
    others = [home for home in generation_homes(folder) if home.name != serving]
    others.sort(key=lambda home: home.name != previous)  # stable: the rest stay newest first
    removed, room = [], keep - 1
    for home in others:
        if room > 0 and (home.name == previous or not any(generation_problems(home))):
            room -= 1
        elif room == 0 or _is_readable(home):
            _remove(home)
            removed.append(home.name)
    removed += _remove_refused(folder)
    manifests = [manifest for home in generation_homes(folder) if (manifest := readable_manifest(home))]
    remove_unused(folder, {manifest.encoder_fingerprint for manifest in manifests})
    return removed


def remove_leftovers(folder: Path) -> None:
    """Remove what an interrupted build left unfinished."""
    for path in folder.glob(f"{TEMPORARY}*"):
        remove_folder(path, path)
    (folder / f"{POINTER}.new").unlink(missing_ok=True)


def last_good(folder: Path, but: Collection[str] = ()) -> LocalStore:
    """Open a whole generation that is not among `but`: the serving one, or the last that served before it.

    Generations that never served, or were rolled back from, come last.

    Raises:
        NoIndexError: there is no other.
        DamagedIndexError: there are others, and none of them is whole.
    """
    serving = serving_name(folder)
    names = [home.name for home in generation_homes(folder)]
    problems = []
    for name in dict.fromkeys([*filter(names.count, [serving]), *_served_before(folder, serving), *names]):
        if name in but:
            continue
        try:
            store = open_generation(folder, name)
            store.check()
        except (DamagedIndexError, NoIndexError) as error:
            problems.append(str(error))
        else:
            return store
    if problems:
        raise DamagedIndexError("\n".join(problems))
    raise NoIndexError(f"no other generation at {folder}: run `footnote index build`.")


def _next_name(folder: Path, manifest: Manifest) -> str:
    homes = (*generation_homes(folder), *refused_homes(folder))
    last = max((generation_number(home.name) for home in homes), default=0)
    return generation_name(last + 1, manifest.to_bytes())


def _is_readable(home: Path) -> bool:
    try:
        for path in filter(Path.is_file, home.rglob("*")):
            checksum(path)
    except (OSError, DamagedIndexError):
        return False
    return True


def _remove(home: Path) -> None:
    remove_folder(home, home.with_name(f"{TEMPORARY}{home.name}"))


def _remove_refused(folder: Path) -> list[str]:
    homes = refused_homes(folder)
    for home in homes:
        _remove(home)
    return [home.name for home in homes]


def _find(folder: Path, name: str) -> str:
    names = [home.name for home in (*generation_homes(folder), *refused_homes(folder))]
    matches = [each for each in names if name == each or name.lstrip("0") == str(generation_number(each))]
    if len(matches) != 1:
        what = f"{len(matches)} generations have the number" if matches else "no generation"
        raise MissingError(f"{what} {name!r} at {folder}: `footnote index history` lists them.")
    if matches[0].startswith(REFUSED):
        report = folder / matches[0] / GATE_REPORT
        raise GateError(
            f"the gate refused {matches[0]}, so it cannot serve; {report} says why. Correct the articles or "
            "the gold questions, and build again."
        )
    return matches[0]


def _served_before(folder: Path, serving: str) -> list[str]:
    """Return the generations to roll back to: those that served before, then the others that are older.

    Where it is unknown what serves, all of them.
    """
    names = [home.name for home in generation_homes(folder)]
    served: list[str] = []
    at = serving
    while (manifest := readable_manifest(folder / at) if at else None) and manifest.previous in names:
        at = manifest.previous
        if at in (serving, *served):
            break
        served.append(at)
    older = [name for name in names if not serving or generation_number(name) < generation_number(serving)]
    return list(dict.fromkeys([*served, *older]))


def _whole_before(folder: Path, serving: str) -> str:
    for name in _served_before(folder, serving):
        if not any(generation_problems(folder / name)):
            return name
    raise MissingError(
        f"there is no whole generation at {folder} older than {serving or 'the damaged one'}. "
        "`footnote index history` lists those that exist; FOOTNOTE_KEEP says how many are kept."
    )
