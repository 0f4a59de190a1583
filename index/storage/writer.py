"""One generation written: aside, synced, checksummed, renamed, and named by one replace of the pointer.

A crash at any byte leaves the generation before serving; what it left behind is removed by the next build.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from index.encoding.compression import Basis
from index.encoding.encoder import Encoder
from index.encoding.opening import install, remove_unused
from index.errors import DamagedIndexError, GateError, NoIndexError
from index.passages.drafts import Draft, passage_settings
from index.progress import Progress
from index.storage.assembly import assemble, encode_missing
from index.storage.checksums import block_sums, digest_file
from index.storage.database import DatabaseWriter
from index.storage.durable import discard, sync, write_file
from index.storage.gate import GateReport, Gold, set_aside
from index.storage.local import Generation, open_home
from index.storage.manifest import (
    ALL_FILES,
    BASIS,
    DATABASE,
    DENSE,
    EXACT,
    FORMAT,
    KEPT,
    MANIFEST,
    POSTINGS,
    ROWS,
    TEMPORARY,
    TOKENS,
    Manifest,
    generation_name,
    read_pointer,
)
from index.storage.retention import next_number, point_at, remove_old, remove_refused
from index.storage.vector_cache import Kept
from index.storage.vectors import write_dense
from index.storage.verification import kept_manifests

_LOG = logging.getLogger(__name__)

__all__ = ["Written", "write_generation"]


@dataclass(frozen=True, slots=True)
class Written:
    """A generation that was published, and how many passages were encoded for it, now and before a cut."""

    name: str
    manifest: Manifest
    encoded: int
    resumed: int
    gold: Gold | None


def write_generation(  # noqa: PLR0913 - what a generation is made of
    folder: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    basis: Basis,
    language: str,
    progress: Callable[[Progress], None],
    old: Generation | None = None,
    *,
    keep: int = 3,
    before: str = "",
    gate: Callable[[Generation], GateReport] | None = None,
) -> Written:
    """Write and publish the next generation below `folder`.

    What is in `old`, made with the same encoder, basis and settings, is not encoded again, and drafts may
    name its rows. What is encoded is kept in a file on the way, so that a build that is cut off goes on
    where it was. `keep` generations stay, the one that served `before` among them, which was found whole.
    What `gate` refuses is not published.

    Raises:
        GateError: the gate refused it; it is kept aside.
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    scope = f"{encoder.model.fingerprint} {encoder.producer}"
    home = folder / f"{TEMPORARY}{os.getpid()}"
    install(folder, encoder)
    with Kept(folder / KEPT, scope, basis) as kept:
        source = encode_missing(drafts, old, kept, encoder, basis, language, progress)
        home.mkdir()
        try:
            previous = folder / old.name / DATABASE if old else None
            with DatabaseWriter(home / DATABASE, language, previous) as database:
                places = (home / TOKENS, home / EXACT)
                assemble(*places, drafts, source, database, encoder, language, progress)
                database.finish()
            sync(home / DATABASE)
            sync(home / POSTINGS)
            _write_dense(home, encoder.dimension)
            write_file(home / BASIS, basis.tobytes())
            _write_sums(home)
            manifest = _manifest(home, database, encoder, basis, language, before)
            write_file(home / MANIFEST, manifest.to_bytes())
            sync(home)
            name = generation_name(next_number(folder), manifest.to_bytes())
            found = _judge(home, manifest, gate) if gate else None
            if found and found.refusal:
                raise set_aside(folder, home, name, found)
            _publish(folder, home, name, manifest)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        try:
            kept.remove()
            remove_old(folder, name, keep, before)
            remove_refused(folder)
            remove_unused(folder, [one.encoder_fingerprint for one in kept_manifests(folder).values()])
        except OSError as error:
            _LOG.warning("%s serves; what it replaces is removed by the next build: %s", name, error)
    return Written(name, manifest, source.encoded, source.resumed, found.gold if found else None)


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


def _manifest(  # noqa: PLR0913 - what a manifest says
    home: Path, database: DatabaseWriter, encoder: Encoder, basis: Basis, language: str, before: str
) -> Manifest:
    # Whatever else is there was put there by somebody else.
    found = {path.name: digest_file(path) for path in sorted(home.iterdir()) if path.name in ALL_FILES}
    return Manifest(
        format=FORMAT,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        graph=encoder.producer if encoder.export else "",
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
        before=before,
    )


def _judge(home: Path, manifest: Manifest, gate: Callable[[Generation], GateReport]) -> GateReport:
    """Have a gate judge the generation that was just written, before it has its name."""
    try:
        generation = open_home(home, manifest, check_mb=0)
        try:
            return gate(generation)
        finally:
            generation.close()
    except DamagedIndexError as error:
        raise GateError(
            f"the gold questions could not be asked, so nothing was published: {error}"
        ) from error


def _publish(folder: Path, home: Path, name: str, manifest: Manifest) -> None:
    """Give the generation its name, and point CURRENT at it in one step."""
    home.rename(folder / name)
    try:
        sync(folder)
        point_at(folder, name, manifest.to_bytes())
    except BaseException:
        with suppress(OSError, DamagedIndexError):  # else it stays, and can be gone to by its name
            if not _serves(folder, name):
                discard(folder / name, home)
        raise


def _serves(folder: Path, name: str) -> bool:
    try:
        return read_pointer(folder).generation == name
    except NoIndexError:
        return False
