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

import faiss
import numpy as np

from index.database import write_database
from index.drafts import Draft, passage_settings, passage_text, sentence_texts
from index.encoder import Encoder, Vectors, hash_file
from index.errors import DamagedIndexError, NoIndexError
from index.generation import (
    DATABASE,
    DENSE,
    FORMAT,
    GENERATION,
    MANIFEST,
    POINTER,
    SENTENCES,
    TEMPORARY,
    Manifest,
    Pointer,
    generation_name,
    read_pointer,
    verify_generation,
)

__all__ = [
    "Progress",
    "remove_leftovers",
    "write_generation",
]


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


def write_generation(
    folder: Path,
    drafts: Sequence[Draft],
    encoder: Encoder,
    language: str,
    progress: Callable[[Progress], None],
) -> tuple[str, Manifest]:
    """Write and publish the next generation below `folder`; return its name and manifest.

    Raises:
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    home = folder / f"{TEMPORARY}{os.getpid()}"
    home.mkdir()
    try:
        dense, sentences = _encode(drafts, encoder, language, progress)
        progress(Progress("writing", 0, 1))
        write_database(home / DATABASE, drafts, language)
        _sync(home / DATABASE)
        _write_file(home / DENSE, _flat_index(dense))
        _write_file(home / SENTENCES, _half_index(sentences))
        manifest = _manifest(home, drafts, encoder, language)
        _write_file(home / MANIFEST, manifest.to_bytes())
        _sync(home)
        name = _publish(folder, home, manifest)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    progress(Progress("writing", 1, 1))
    return name, manifest


def _encode(
    drafts: Sequence[Draft], encoder: Encoder, language: str, progress: Callable[[Progress], None]
) -> tuple[Vectors, Vectors]:
    """Return the vectors of all passages and of all sentences, in order, encoding those that are new."""
    fresh = [draft for draft in drafts if draft.vectors is None]
    passages = [
        passage_text(draft.article, one, encoder, language) for draft in fresh for one in draft.passages
    ]
    sentences = [
        text
        for draft in fresh
        for one in draft.passages
        for text in sentence_texts(draft.article, one, language)
    ]
    total = len(passages) + len(sentences)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress(Progress("encoding", done, total))

    passage_vectors = encoder.encode_passages(passages, report)
    sentence_vectors = encoder.encode_passages(sentences, report)
    return _in_order(drafts, passage_vectors, 0), _in_order(drafts, sentence_vectors, 1)


def _in_order(drafts: Sequence[Draft], new: Vectors, which: int) -> Vectors:
    """Put new vectors and those at hand (`which`: 0 passages, 1 sentences) in the order of the drafts."""
    parts: list[Vectors] = []
    used = 0
    for draft in drafts:
        if draft.vectors is not None:
            parts.append(draft.vectors[which])
            continue
        count = len(draft.passages) if which == 0 else sum(len(one.sentences) for one in draft.passages)
        parts.append(new[used : used + count])
        used += count
    return np.concatenate(parts)


def _flat_index(vectors: Vectors) -> bytes:
    """Return an exact inner-product index of unit vectors: inner product is cosine."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


def _half_index(vectors: Vectors) -> bytes:
    """Return the vectors in half precision (2 bytes a dimension); they are read back by row."""
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


def _manifest(home: Path, drafts: Sequence[Draft], encoder: Encoder, language: str) -> Manifest:
    passages = [passage for draft in drafts for passage in draft.passages]
    return Manifest(
        format=FORMAT,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        dimension=encoder.dimension,
        passage_settings=passage_settings(language),
        articles=len(drafts),
        passages=len(passages),
        sentences=sum(len(passage.sentences) for passage in passages),
        files={name: hash_file(home / name) for name in (DATABASE, DENSE, SENTENCES)},
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
