"""One generation written: aside, synced, checksummed, renamed, and named by one replace of the pointer.

A crash at any byte leaves the generation before serving; what it left behind is removed by the next build.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from index.compression import Basis, Vectors
from index.database import write_database
from index.dense import write_dense
from index.drafts import Draft, DraftVectors, passage_settings, passage_text, vectors_of
from index.encoder import Encoder
from index.errors import DamagedIndexError, NoIndexError
from index.generation import kept_manifests, verify_generation
from index.graphs import graph_digest, remove_models
from index.manifest import (
    BASIS,
    DATABASE,
    DENSE,
    EXACT,
    FORMAT,
    GENERATION,
    MANIFEST,
    POINTER,
    POSTINGS,
    TEMPORARY,
    TOKENS,
    Manifest,
    Pointer,
    generation_name,
    read_pointer,
)
from index.models import hash_file

__all__ = [
    "Progress",
    "remove_leftovers",
    "write_generation",
]

_GROUP = 1024
"""Passages that are encoded together: some 20 MB of token vectors."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: `done` of `total` steps of a stage, whose name is for people."""

    stage: str
    done: int
    total: int


def remove_leftovers(folder: Path) -> None:
    """Remove what a build that was cut off left behind, and what is damaged; only under the lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(path)
    (folder / f"{POINTER}.new").unlink(missing_ok=True)
    with suppress(NoIndexError, DamagedIndexError):
        _remove_old(folder, read_pointer(folder).generation)


def _remove_old(folder: Path, serving: str) -> None:
    """Keep the generation that serves and the last whole one before it; remove the others."""
    others = sorted((_number(path), path) for path in _generations(folder) if path.name != serving)
    kept = None
    for number, path in reversed(others):
        whole = kept is None and number < _number(folder / serving) and not any(verify_generation(path))
        if whole:
            kept = path
        else:
            shutil.rmtree(path, ignore_errors=True)


def _generations(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if GENERATION.fullmatch(path.name)]


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def write_generation(  # noqa: PLR0913 - what a generation is made of
    folder: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    basis: Basis,
    language: str,
    progress: Callable[[Progress], None],
) -> tuple[str, Manifest]:
    """Write and publish the next generation below `folder`; return its name and manifest.

    Token vectors that the drafts bring must be of the same `basis`.

    Raises:
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    home = folder / f"{TEMPORARY}{os.getpid()}"
    home.mkdir()
    try:
        dense, counts = _encode(home / TOKENS, drafts, encoder, basis, language, progress)
        progress(Progress("writing", 0, 1))
        write_database(home / DATABASE, drafts, counts, language)
        _sync(home / DATABASE)
        _sync(home / POSTINGS)
        write_dense(home, dense)
        for name in (DENSE, EXACT):
            if (home / name).exists():
                _sync(home / name)
        _write_file(home / BASIS, basis.tobytes())
        manifest = _manifest(home, drafts, sum(counts), encoder, basis, language)
        _write_file(home / MANIFEST, manifest.to_bytes())
        _sync(home)
        name = _publish(folder, home, manifest)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    progress(Progress("writing", 1, 1))
    return name, manifest


def _encode(  # noqa: PLR0913 - one step of `write_generation`
    path: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    basis: Basis,
    language: str,
    progress: Callable[[Progress], None],
) -> tuple[Vectors, list[int]]:
    """Write the token vectors of all sentences to `path`, encoding those that are new.

    Return the vectors of all passages, and the tokens of each sentence, in order.
    """
    total = sum(len(draft.passages) for draft in drafts if draft.vectors is None)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress(Progress("encoding", done, total))

    dense: list[Vectors] = []
    counts: list[int] = []
    with path.open("wb") as file:
        for group in _groups(drafts):
            for vectors in _encode_group(group, encoder, basis, language, report):
                dense.append(vectors.dense)
                counts.extend(vectors.counts)
                file.write(vectors.tokens.tobytes())
        file.flush()
        os.fsync(file.fileno())
    return np.concatenate(dense), counts


def _groups(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    """Part drafts, in order, into groups whose token vectors fit the memory while they are encoded."""
    group: list[Draft] = []
    passages = 0
    for draft in drafts:
        group.append(draft)
        passages += len(draft.passages)
        if passages >= _GROUP:
            yield group
            group, passages = [], 0
    if group:
        yield group


def _encode_group(
    drafts: Sequence[Draft], encoder: Encoder, basis: Basis, language: str, report: Callable[[int], None]
) -> Iterator[DraftVectors]:
    """Yield the vectors of each draft, in order; new ones are encoded together, which batches them well."""
    texts = [
        passage_text(draft.article, one, encoder, language)[0]
        for draft in drafts
        if draft.vectors is None
        for one in draft.passages
    ]
    encoded = iter(encoder.encode_passages(texts, basis, report))
    for draft in drafts:
        if draft.vectors is not None:
            yield draft.vectors
        else:
            own = list(itertools.islice(encoded, len(draft.passages)))
            yield vectors_of(draft, own, encoder, language)


def _manifest(  # noqa: PLR0913 - one step of `write_generation`
    home: Path, drafts: Sequence[Draft], tokens: int, encoder: Encoder, basis: Basis, language: str
) -> Manifest:
    passages = [passage for draft in drafts for passage in draft.passages]
    return Manifest(
        format=FORMAT,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        graph=graph_digest(home.parent, encoder.model.fingerprint),
        dimension=encoder.dimension,
        passage_settings=passage_settings(language),
        articles=len(drafts),
        passages=len(passages),
        sentences=sum(len(passage.sentences) for passage in passages),
        tokens=tokens,
        token_width=basis.shape[1],
        files={path.name: hash_file(path) for path in sorted(home.iterdir())},
    )


def _publish(folder: Path, home: Path, manifest: Manifest) -> str:
    """Give the generation its name, point CURRENT at it in one step, and remove those no longer kept."""
    content = manifest.to_bytes()
    number = max(map(_number, _generations(folder)), default=0) + 1
    name = generation_name(number, content)
    home.rename(folder / name)
    _sync(folder)
    aside = folder / f"{POINTER}.new"
    _write_file(aside, Pointer(name, hashlib.sha256(content).hexdigest()).line())
    aside.replace(folder / POINTER)
    _sync(folder)
    _remove_old(folder, name)
    remove_models(folder, [one.encoder_fingerprint for one in kept_manifests(folder).values()])
    return name


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
