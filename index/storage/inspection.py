"""What an index folder holds: its generations in figures, which one serves, and whether they are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from index.encoding.exports import ENCODERS, READERS, export_home, find_damage
from index.encoding.models import Model, find_model, same_name
from index.errors import DamagedIndexError, NoIndexError, NoModelError
from index.files import LOCK, check_file
from index.settings import IndexSettings
from index.storage.manifest import (
    GATE_REPORT,
    GENERATION,
    MANIFEST,
    POINTER,
    REFUSED,
    TEMPORARY,
    Manifest,
    read_manifest,
    read_pointer,
)
from index.storage.store import StoreInfo
from index.storage.vector_cache import CACHE
from index.terminal import count_of

__all__ = [
    "GenerationSummary",
    "State",
    "find_model_of",
    "generation_homes",
    "generation_number",
    "generation_problems",
    "history",
    "index_status",
    "readable_manifest",
    "refused_homes",
    "serving_name",
    "verify",
]


class State(StrEnum):
    """What a generation in an index folder is for.

    Answers come from the serving one. A kept one can be rolled back to. A refused one is kept for inspection.
    The manifest of a damaged one cannot be read; the next build removes it.
    """

    SERVING = "serving"
    KEPT = "kept"
    REFUSED = "refused"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class GenerationSummary:
    """A generation in figures, from its manifest; `built` is in UTC, ISO 8601, "" where it is damaged.

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
        """When it was built, for people; "" where that is unknown."""
        return f"{datetime.fromisoformat(self.built):%Y-%m-%d %H:%M} UTC" if self.built else ""

    def line(self) -> str:
        """Return a line for people."""
        mark = "*" if self.state is State.SERVING else " "
        if self.state is State.DAMAGED:
            return f"{mark} {self.generation}  damaged"
        figures = f"{count_of(self.articles, 'article')}, {count_of(self.passages, 'passage')}"
        lost = f" ({count_of(self.lost, 'gold question')} lost)" if self.lost else ""
        size = f"{self.bytes / 1e6:,.1f} MB"
        return f"{mark} {self.generation}  {self.when}  {figures}, {size}, {self.encoder}: {self.state}{lost}"


def serving_name(folder: Path) -> str:
    """Return the name of the generation that serves; "" where CURRENT is damaged, or gone beside generations.

    Raises:
        NoIndexError: there is no generation at all.
    """
    try:
        return read_pointer(folder)
    except DamagedIndexError:
        return ""
    except NoIndexError:
        if folder.is_dir() and generation_homes(folder):
            return ""
        raise


def history(folder: Path) -> list[GenerationSummary]:
    """Return the generations that exist, newest first. Only their manifests are read.

    Raises:
        NoIndexError: there is none.
    """
    serving = serving_name(folder)
    homes = [*generation_homes(folder), *refused_homes(folder)]
    homes.sort(key=lambda home: -generation_number(home.name))
    return [_summary(home, serving) for home in homes]


def index_status(folder: Path) -> StoreInfo:
    """Check every byte of the serving generation and its encoder, and return its figures.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written.
    """
    name = read_pointer(folder)
    if problems := list(generation_problems(folder / name)):
        raise DamagedIndexError("\n".join(problems))
    return read_manifest(folder / name).info(name)


def find_model_of(settings: IndexSettings) -> Model:
    """Find the model that the settings name: its files, or the index's if these are not here.

    Raises:
        NoModelError: there is neither, or the settings allow only another fingerprint.
    """
    try:
        model = find_model(settings.model)
    except NoModelError:
        manifest = None
        with suppress(NoIndexError, DamagedIndexError):
            manifest = read_manifest(settings.index / read_pointer(settings.index))
        if manifest is None or not same_name(settings.model, manifest.encoder):
            raise
        model = Model(manifest.encoder, settings.index, manifest.encoder_fingerprint)
    if settings.model_sha256 not in {"", model.fingerprint}:
        raise NoModelError(
            f"the encoder {model.name} in {model.folder} has the fingerprint {model.fingerprint}, which "
            "is not the one in FOOTNOTE_MODEL_SHA256. Restore its files, or set that if you trust them."
        )
    return model


def verify(folder: Path) -> list[str]:
    """Recompute every checksum in an index folder; return a line on each thing that is not as written.

    Raises:
        NoIndexError: there is no index.
    """
    problems: list[str] = []
    try:
        read_manifest(folder / read_pointer(folder))
    except DamagedIndexError as error:
        problems.append(str(error))
    known = {POINTER, LOCK, ENCODERS, READERS, CACHE, f"{CACHE}-wal", f"{CACHE}-shm"}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(TEMPORARY) or path.name == f"{POINTER}.new":
            problems.append(f"{path}: left by an interrupted build; the next build removes it.")
        elif path.is_dir() and GENERATION.fullmatch(path.name.removeprefix(REFUSED)):
            with suppress(FileNotFoundError):  # a build beside us may just have pruned it
                problems += generation_problems(path, strays=True)
        elif path.name not in known:
            problems.append(f"{path}: not a file of the index.")
    problems += [str(damage) for home in (folder / READERS).glob("*-*") if (damage := find_damage(home))]
    return list(dict.fromkeys(problems))


def generation_homes(folder: Path) -> list[Path]:
    """Return the folders of the generations, whole or not, newest first."""
    homes = [path for path in folder.iterdir() if GENERATION.fullmatch(path.name)]
    return sorted(homes, key=lambda home: (generation_number(home.name), home.name), reverse=True)


def refused_homes(folder: Path) -> list[Path]:
    """Return the folders of the generations that the gate refused."""
    homes = folder.glob(f"{REFUSED}*")
    return sorted(home for home in homes if GENERATION.fullmatch(home.name.removeprefix(REFUSED)))


def generation_number(name: str) -> int:
    """Return the number in the name of a generation, refused or not."""
    return int(name.removeprefix(REFUSED).partition("-")[0])


def readable_manifest(home: Path) -> Manifest | None:
    """Return the manifest of the generation at `home`, or None where it is damaged."""
    with suppress(OSError, DamagedIndexError):
        return read_manifest(home)
    return None


def generation_problems(home: Path, *, strays: bool = False) -> Iterator[str]:
    """Yield a line on each file of a generation, and of its encoder, that is not as it was written.

    With `strays`, also on each file that is none of its own.
    """
    try:
        manifest = read_manifest(home)
    except DamagedIndexError as error:
        yield str(error)
        return
    for name, expected in manifest.files.items():
        try:
            check_file(home / name, expected)
        except DamagedIndexError as error:
            yield str(error)
    if damage := find_damage(export_home(home.parent, manifest.encoder_fingerprint)):
        yield str(damage)
    if strays:
        known = {MANIFEST, GATE_REPORT, *manifest.files}
        for path in sorted(home.rglob("*")):
            name = path.relative_to(home).as_posix()
            if not path.is_dir() and name not in known:
                yield f"{path}: not a file of the index."


def _summary(home: Path, serving: str) -> GenerationSummary:
    manifest = readable_manifest(home)
    if manifest is None:
        return GenerationSummary(home.name, State.DAMAGED, "", "", 0, 0, 0)
    state, lost = State.SERVING if home.name == serving else State.KEPT, 0
    if home.name.startswith(REFUSED):
        state = State.REFUSED
        with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
            lost = len(json.loads((home / GATE_REPORT).read_bytes())["lost"])
    counts = (manifest.articles, manifest.passages, manifest.info(home.name).bytes, lost)
    return GenerationSummary(home.name, state, manifest.built, manifest.encoder, *counts)
