"""Generations made in a moment: copies of a real one, each with a manifest of its own; and damage to them."""

from __future__ import annotations

import dataclasses
import json
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.encoding.exports import FILES, export_home, make_home, write_hashes
from index.files import checksum
from index.storage.generations import publish
from index.storage.inspection import serving_name
from index.storage.manifest import (
    MANIFEST,
    POINTER,
    TEMPORARY,
    Manifest,
    generation_name,
    point_at,
    read_manifest,
)
from tests.index.shelf import serving_home

__all__ = ["add_copy", "files_no_larger_than", "flip", "forge", "forge_bytes", "write_copy"]


def write_copy(index: Path, source: Path | None = None) -> tuple[Path, Manifest]:
    """Write a copy of a generation aside, unpublished, to follow the one that serves.

    An index without an export gets one of small files, which is quick to check and cannot be loaded.
    """
    source = source or serving_home(index)
    home = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=index))
    shutil.copytree(source, home, dirs_exist_ok=True)
    previous = serving_name(index) if (index / POINTER).exists() else ""
    manifest = dataclasses.replace(
        read_manifest(source), built="2026-01-01T00:00:00+00:00", previous=previous
    )
    export = export_home(index, manifest.encoder_fingerprint)
    if not export.exists():
        make_home(export)
        for name in FILES:
            (export / name).write_text(name)
        write_hashes(export)
    (home / MANIFEST).write_bytes(manifest.to_bytes())
    return home, manifest


def add_copy(index: Path, source: Path | None = None) -> str:
    """Publish a copy of a generation; return its name."""
    return publish(index, *write_copy(index, source))


def forge(index: Path, **fields: object) -> Path:
    """Rewrite the serving generation's manifest with right checksums and other fields; it keeps serving.

    Return its new folder. A field of None is left out.
    """
    home = serving_home(index)
    values = json.loads((home / MANIFEST).read_bytes())
    values["files"] = {name: dataclasses.asdict(checksum(home / name)) for name in values["files"]}
    values = {name: value for name, value in (values | fields).items() if value is not None}
    return forge_bytes(index, json.dumps(values).encode())


def forge_bytes(index: Path, data: bytes) -> Path:
    """Replace the serving generation's manifest, and give the folder the name that goes with it."""
    home = serving_home(index)
    (home / MANIFEST).write_bytes(data)
    renamed = home.rename(index / generation_name(9, data))
    point_at(index, renamed.name)
    return renamed


def flip(path: Path, place: float = 0.5, bit: int = 0) -> None:
    """Flip one bit of a file, in place."""
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Refuse to write files beyond a size for as long as the block lasts, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
