"""What stays in an index folder: the generation that serves, some others to go back to, nothing unfinished.

A folder is renamed before its files are removed, so that no half of a generation is left under its name.
Nothing here may be called without the lock.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from index.encoding.opening import verify
from index.storage.durable import discard, replace_file
from index.storage.manifest import GENERATION, POINTER, REFUSED, TEMPORARY, Pointer, read_named_manifest
from index.storage.verification import verify_generation

__all__ = [
    "generations",
    "next_number",
    "number_of",
    "point_at",
    "problems_of",
    "refused",
    "remove_leftovers",
    "remove_old",
    "remove_refused",
]


def generations(folder: Path) -> list[Path]:
    """Return the folders of the generations, whole or not, the newest first."""
    found = [path for path in folder.iterdir() if GENERATION.fullmatch(path.name)]
    return sorted(found, key=lambda path: (number_of(path.name), path.name), reverse=True)


def refused(folder: Path) -> list[Path]:
    """Return the folders of the generations that a gate refused."""
    found = folder.glob(f"{REFUSED}*")
    return sorted(path for path in found if GENERATION.fullmatch(path.name.removeprefix(REFUSED)))


def number_of(name: str) -> int:
    """Return the number in the name of a generation, refused or not."""
    return int(name.removeprefix(REFUSED).partition("-")[0])


def next_number(folder: Path) -> int:
    """Return the number of the next generation, which none that is there has."""
    return 1 + max((number_of(path.name) for path in (*generations(folder), *refused(folder))), default=0)


def point_at(folder: Path, name: str, manifest: bytes) -> None:
    """Have CURRENT name a generation with this manifest, in one step that a power cut does not undo.

    Raises:
        OSError: it cannot be written.
    """
    line = Pointer(name, hashlib.sha256(manifest).hexdigest()).line()
    replace_file(folder / POINTER, folder / f"{POINTER}.new", line)


def problems_of(folder: Path, name: str) -> Iterator[str]:
    """Yield a line on each file of a generation, and of the graph it names, that is not as it was written."""
    home = folder / name
    found = list(verify_generation(home, strays=False))
    yield from found
    if not found:
        manifest = read_named_manifest(home)
        yield from verify(folder, manifest.encoder_fingerprint, manifest.producer)


def remove_leftovers(folder: Path) -> None:
    """Remove what a build that was cut off left unfinished."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)
    (folder / f"{POINTER}.new").unlink(missing_ok=True)


def remove_old(folder: Path, serving: str, keep: int, before: str = "") -> list[str]:
    """Keep the generation that serves and others that are whole, `keep` in all; return the names removed.

    Of the others the one that served `before` comes first, then the newest. `serving` and `before` were
    just found whole: reading them once more takes seconds where they are large. One that cannot be read now
    may be whole: it stays, and takes nobody's place.
    """
    others = sorted(
        (path for path in generations(folder) if path.name != serving), key=lambda path: path.name != before
    )
    removed, room = [], keep - 1
    for path in others:
        if room > 0 and (path.name == before or not any(problems_of(folder, path.name))):
            room -= 1
        elif room == 0 or _can_be_read(path):
            _remove(path)
            removed.append(path.name)
    return removed


def _can_be_read(home: Path) -> bool:
    """Tell whether the system lets all of a generation be read, whatever is in it."""
    try:
        for path in home.iterdir():
            if path.is_file():
                with path.open("rb") as file:
                    while file.read(1 << 20):
                        pass
    except OSError:
        return False
    return True


def remove_refused(folder: Path) -> list[str]:
    """Remove the generations that a gate refused; return their names."""
    found = refused(folder)
    for path in found:
        _remove(path)
    return [path.name for path in found]


def _remove(home: Path) -> None:
    discard(home, home.with_name(f"{TEMPORARY}{home.name}"))
