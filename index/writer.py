"""One generation written: aside, synced, checksummed, renamed, and named by one replace of the pointer.

A crash at any byte leaves the generation before serving; what it left behind is removed by the next build.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from index.assembly import assemble, encode_missing
from index.checksums import block_sums, digest_file
from index.compression import Basis
from index.database import DatabaseWriter
from index.dense import write_dense
from index.drafts import Draft, passage_settings
from index.durable import sync, write_file
from index.encoder import Encoder
from index.errors import DamagedIndexError, NoIndexError
from index.generation import Generation, kept_manifests, verify_generation
from index.graphs import graph_digest, remove_models
from index.kept import Kept
from index.manifest import (
    BASIS,
    DATABASE,
    DENSE,
    EXACT,
    FORMAT,
    GENERATION,
    KEPT,
    MANIFEST,
    POINTER,
    POSTINGS,
    ROWS,
    TEMPORARY,
    TOKENS,
    Manifest,
    Pointer,
    generation_name,
    read_pointer,
)
from index.progress import Progress

__all__ = ["Written", "remove_leftovers", "remove_old", "write_generation"]


def remove_leftovers(folder: Path) -> None:
    """Remove what a build that was cut off left unfinished or unpublished; only under the lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(path)
    (folder / f"{POINTER}.new").unlink(missing_ok=True)
    with suppress(NoIndexError, DamagedIndexError):
        serving = _number(folder / read_pointer(folder).generation)
        for path in _generations(folder):
            if _number(path) > serving:
                shutil.rmtree(path)


def remove_old(folder: Path, serving: str, whole: str = "") -> None:
    """Keep the generation that serves and the last whole one before it; remove the others.

    `whole` names one that was just found whole: reading it once more takes seconds where it is large.
    """
    others = sorted((_number(path), path) for path in _generations(folder) if path.name != serving)
    kept = None
    for number, path in reversed(others):
        before = kept is None and number < _number(folder / serving)
        if before and (path.name == whole or not any(verify_generation(path))):
            kept = path
        else:
            shutil.rmtree(path, ignore_errors=True)


def _generations(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if GENERATION.fullmatch(path.name)]


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Written:
    """A generation that was published, and how many passages were encoded for it, now and before a cut."""

    name: str
    manifest: Manifest
    encoded: int
    resumed: int


def write_generation(  # noqa: PLR0913 - what a generation is made of
    folder: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    basis: Basis,
    language: str,
    progress: Callable[[Progress], None],
    old: Generation | None = None,
) -> Written:
    """Write and publish the next generation below `folder`.

    What is in `old`, made with the same encoder, basis and settings, is not encoded again, and drafts may
    name its rows. What is encoded is kept in a file on the way, so that a build that is cut off goes on
    where it was.

    Raises:
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    scope = f"{encoder.model.fingerprint} {encoder.producer}"
    home = folder / f"{TEMPORARY}{os.getpid()}"
    with Kept(folder / KEPT, scope, basis) as kept:
        source = encode_missing(drafts, old, kept, encoder, basis, language, progress)
        home.mkdir()
        try:
            before = folder / old.name / DATABASE if old else None
            with DatabaseWriter(home / DATABASE, language, before) as database:
                places = (home / TOKENS, home / EXACT)
                assemble(*places, drafts, source, database, encoder, language, progress)
                database.finish()
            sync(home / DATABASE)
            sync(home / POSTINGS)
            _write_dense(home, encoder.dimension)
            write_file(home / BASIS, basis.tobytes())
            _write_sums(home)
            manifest = _manifest(home, database, encoder, basis, language)
            write_file(home / MANIFEST, manifest.to_bytes())
            sync(home)
            name = _publish(folder, home, manifest)
            remove_old(folder, name, old.name if old else "")
            remove_models(folder, [one.encoder_fingerprint for one in kept_manifests(folder).values()])
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        kept.remove()
    return Written(name, manifest, source.encoded, source.resumed)


def _write_dense(home: Path, dimension: int) -> None:
    """Write the index over the passages' vectors; their file stays where the index has them not exactly."""
    write_dense(home, np.memmap(home / EXACT, dtype=np.float32, mode="r").reshape(-1, dimension))
    for name in (DENSE, EXACT):
        if (home / name).exists():
            sync(home / name)


def _write_sums(home: Path) -> None:
    """Write the checksums of the blocks of each file of rows."""
    for name, sums in ROWS.items():
        if (home / name).exists():
            write_file(home / sums, block_sums(home / name).tobytes())


def _manifest(
    home: Path, database: DatabaseWriter, encoder: Encoder, basis: Basis, language: str
) -> Manifest:
    found = {path.name: digest_file(path) for path in sorted(home.iterdir())}
    return Manifest(
        format=FORMAT,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        graph=graph_digest(home.parent, encoder.model.fingerprint),
        producer=encoder.producer,
        dimension=encoder.dimension,
        passage_settings=passage_settings(language),
        articles=database.articles,
        passages=database.passages,
        sentences=database.sentences,
        tokens=database.tokens,
        token_width=basis.shape[1],
        files={name: one.sha256 for name, one in found.items()},
        quick={name: one.quick for name, one in found.items()},
        sizes={name: one.size for name, one in found.items()},
    )


def _publish(folder: Path, home: Path, manifest: Manifest) -> str:
    """Give the generation its name, and point CURRENT at it in one step."""
    content = manifest.to_bytes()
    number = max(map(_number, _generations(folder)), default=0) + 1
    name = generation_name(number, content)
    home.rename(folder / name)
    sync(folder)
    aside = folder / f"{POINTER}.new"
    write_file(aside, Pointer(name, hashlib.sha256(content).hexdigest()).line())
    aside.replace(folder / POINTER)
    sync(folder)
    return name
