"""Whether an index folder is as it was written, file by file, and what serves there in figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from index.encoding import opening
from index.encoding.opening import ENCODERS
from index.errors import DamagedIndexError
from index.storage.checksums import check_file, verify_file
from index.storage.held import HeldFile
from index.storage.manifest import (
    GATE,
    GENERATION,
    KEPT,
    LOCK,
    MANIFEST,
    POINTER,
    REFUSED,
    TEMPORARY,
    Manifest,
    read_manifest,
    read_named_manifest,
    read_pointer,
)

__all__ = [
    "IndexStatus",
    "index_status",
    "kept_manifests",
    "status_of",
    "verify",
    "verify_generation",
]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The current generation in figures; `built` is in UTC, ISO 8601.

    `graph` is the SHA-256 of the encoder's graph, "" where sentence-transformers encodes;
    `confidence` says what the confidence was fitted on, where whoever asks knows.
    """

    generation: str
    built: str
    encoder: str
    encoder_fingerprint: str
    articles: int
    passages: int
    sentences: int
    bytes: int
    confidence: str = ""
    graph: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """Return label and value pairs for people."""
        built = datetime.fromisoformat(self.built)
        return [
            ("generation", self.generation),
            ("built", f"{built:%Y-%m-%d %H:%M} UTC"),
            ("encoder", self.encoder),
            ("fingerprint", self.encoder_fingerprint),
            ("articles", f"{self.articles:,}"),
            ("passages", f"{self.passages:,}"),
            ("sentences", f"{self.sentences:,}"),
            ("size", f"{self.bytes / 1e6:,.1f} MB"),
            ("graph", "kept with the index" if self.graph else "none: sentence-transformers encodes"),
            *([("confidence", self.confidence)] if self.confidence else []),
        ]


def index_status(folder: Path) -> IndexStatus:
    """Check every byte of the current generation and its graph, and return its figures; needs no encoder.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written.
    """
    pointer = read_pointer(folder)
    manifest = read_manifest(folder, pointer)
    for name, wanted in manifest.digests().items():
        with HeldFile(folder / pointer.generation / name) as file:
            check_file(file, wanted)
    for line in opening.verify(folder, manifest.encoder_fingerprint, manifest.producer):
        raise DamagedIndexError(line)
    return status_of(pointer.generation, manifest)


def status_of(generation: str, manifest: Manifest) -> IndexStatus:
    """Return the figures of a generation as its manifest has them."""
    return IndexStatus(
        generation,
        manifest.built,
        manifest.encoder,
        manifest.encoder_fingerprint,
        manifest.articles,
        manifest.passages,
        manifest.sentences,
        manifest.size,
        graph=manifest.graph,
    )


def verify(folder: Path) -> list[str]:
    """Recompute every checksum under the index folder; return a line on each thing that is not as written.

    Raises:
        NoIndexError: there is no index.
    """
    problems: list[str] = []
    try:
        pointer = read_pointer(folder)
        read_manifest(folder, pointer)
    except DamagedIndexError as error:
        problems.append(str(error))
    for path in sorted(folder.iterdir()):
        if path.name.startswith(TEMPORARY) or path.name == f"{POINTER}.new":
            problems.append(f"{path}: left by a build that was cut off; the next build removes it.")
        elif path.is_dir() and GENERATION.fullmatch(path.name.removeprefix(REFUSED)):
            try:
                problems.extend(verify_generation(path))
            except FileNotFoundError:  # a build beside us has just removed it
                continue
        elif path.name not in {POINTER, LOCK, KEPT, ENCODERS}:
            problems.append(f"{path}: not a file of the index.")
    for manifest in kept_manifests(folder).values():
        problems.extend(opening.verify(folder, manifest.encoder_fingerprint, manifest.producer))
    return list(dict.fromkeys(problems))


def kept_manifests(folder: Path) -> dict[Path, Manifest]:
    """Return the manifests of the generations that are there, each by its path, but those not readable."""
    found = {}
    for home in sorted(folder.iterdir()):
        if GENERATION.fullmatch(home.name):
            with suppress(DamagedIndexError):
                found[home / MANIFEST] = read_named_manifest(home)
    return found


def verify_generation(home: Path, *, strays: bool = True) -> Iterator[str]:
    """Yield a line on each file of one generation that is not as it was written, by every checksum of it.

    With `strays`, also on each file that is none of its own; those do no harm.
    """
    try:
        manifest = read_named_manifest(home)
    except DamagedIndexError as error:
        yield str(error)
        return
    for name, wanted in manifest.digests().items():
        try:
            verify_file(home / name, wanted)
        except DamagedIndexError as error:
            yield str(error)
    for path in sorted(home.iterdir()) if strays else ():
        if path.name not in {MANIFEST, *manifest.files, *([GATE] if home.name.startswith(REFUSED) else [])}:
            yield f"{path}: not a file of the index."
