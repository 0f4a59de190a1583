"""Generations whose checksums are right and whose content is not what a build writes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from index.storage.checksums import block_sums, digest_file
from index.storage.manifest import MANIFEST, ROWS, Pointer, generation_name, read_pointer

__all__ = ["publish"]


def publish(index: Path, *, sums: bool = True, **changes: object) -> None:
    """Publish the current generation anew with the files that are in its folder now, their checksums right.

    Those of blocks are only with `sums`. Fields of the manifest are changed as told; those that are None are
    left out.
    """
    home = index / read_pointer(index).generation
    for name, blocks in ROWS.items():
        if sums and (home / name).exists():
            (home / blocks).write_bytes(block_sums(home / name).tobytes())
    found = {path.name: digest_file(path) for path in home.iterdir() if path.name != MANIFEST}
    fields = {
        **json.loads((home / MANIFEST).read_bytes()),
        "files": {name: one.sha256 for name, one in found.items()},
        "quick": {name: one.quick for name, one in found.items()},
        "sizes": {name: one.size for name, one in found.items()},
        **changes,
    }
    data = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
    (home / MANIFEST).write_bytes(data)
    name = generation_name(2, data)
    home.rename(index / name)
    (index / "CURRENT").write_bytes(Pointer(name, hashlib.sha256(data).hexdigest()).line())
