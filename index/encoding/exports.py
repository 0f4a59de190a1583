"""Exports of models to ONNX: where they are kept, and whether they are whole.

    <index folder, or cache of the machine>/encoders/<first 16 digits of the fingerprint>-<version>/
                                            readers/<the same>/

An export is the graph, its weights, the tokenizer, of an encoder also the basis of token vectors and other
data (`encoder.json`), and a hash of each (`hashes.txt`). An index contains those of its encoder and of its
reader, so that it answers on hosts without torch.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from index.errors import DamagedIndexError
from index.files import checksum, make_folder, read_file, sync, write_file

__all__ = [
    "BASIS",
    "DATA",
    "ENCODERS",
    "FILES",
    "GRAPH",
    "HASHES",
    "READERS",
    "TOKENIZER",
    "WEIGHTS",
    "export_home",
    "find_damage",
    "make_home",
    "put_export",
    "remove_unused",
    "write_hashes",
]

ENCODERS, READERS = "encoders", "readers"
"""The folders of exports in an index folder, and in the machine's cache, by what the models are for."""

GRAPH, WEIGHTS, TOKENIZER = "model.onnx", "model.onnx.data", "tokenizer.json"
BASIS, DATA, HASHES = "basis.npy", "encoder.json", "hashes.txt"
FILES = (GRAPH, WEIGHTS, TOKENIZER, BASIS, DATA)
"""What is hashed of an encoder's. Weights are apart from the graph so that they are mapped, not copied."""

_FILES = {ENCODERS: FILES, READERS: (GRAPH, WEIGHTS, TOKENIZER)}
_VERSION = 4


def export_home(folder: Path, fingerprint: str, kind: str = ENCODERS) -> Path:
    """Return where an index, or the machine's cache, has the export of a model, of either kind."""
    return folder / kind / f"{fingerprint[:16]}-{_VERSION}"


def find_damage(home: Path) -> DamagedIndexError | None:
    """Read an export as a whole; return what is wrong with the first file that is not as it was written."""
    try:
        hashes = read_file(home / HASHES).decode(errors="replace").splitlines()
        for name in _FILES[home.parent.name]:
            if _hash_line(home, name) not in hashes:
                return DamagedIndexError.of(home / name, f"is damaged (it does not match {HASHES})")
    except DamagedIndexError as error:
        return error
    return None


def write_hashes(home: Path) -> None:
    """Write the hashes of an export's files, once they are written; all are then on the disk.

    Raises:
        OSError: they cannot be written.
    """
    lines = [_hash_line(home, name) for name in _FILES[home.parent.name]]
    write_file(home / HASHES, "\n".join(lines).encode())
    _sync_all(home)


def _hash_line(home: Path, name: str) -> str:
    return f"{checksum(home / name).xxh3}  {name}"


def put_export(folder: Path, fingerprint: str, source: Path, kind: str = ENCODERS) -> None:
    """Put the export in the folder `source` into an index; only under the lock of the index.

    Raises:
        OSError: a file cannot be written.
    """
    home = export_home(folder, fingerprint, kind)
    if find_damage(home) is None:
        return
    make_home(home)
    for name in (*_FILES[kind], HASHES):
        if name == WEIGHTS:  # these are large: they share the disk with the cache if the file system can
            with suppress(OSError):
                os.link(source / name, home / name)
        if not (home / name).exists():
            shutil.copyfile(source / name, home / name)
    _sync_all(home)


def _sync_all(home: Path) -> None:
    for path in (*home.iterdir(), home):
        sync(path)


def make_home(home: Path) -> None:
    """Make an empty folder for an export, in place of a damaged one."""
    shutil.rmtree(home, ignore_errors=True)
    make_folder(home)


def remove_unused(folder: Path, fingerprints: Collection[str], kind: str = ENCODERS) -> None:
    """Remove from an index the exports of models of a kind other than these, and those of older versions."""
    used = {export_home(folder, fingerprint, kind) for fingerprint in fingerprints}
    for path in {folder / "models", *(folder / kind).glob("*-*")} - used:
        shutil.rmtree(path, ignore_errors=True)
