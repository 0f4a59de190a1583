"""A generation whose files are all as its manifest says, and whose content is out of step with itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from index.manifest import (
    DATABASE,
    MANIFEST,
    POINTER,
    Pointer,
    generation_name,
    read_manifest,
    read_pointer,
)
from index.models import hash_file

__all__ = ["tamper"]


def tamper(index: Path, *statements: str) -> str:
    """Change the current generation's database, make every checksum right again, and return its name."""
    pointer = read_pointer(index)
    manifest = read_manifest(index, pointer)
    home = index / pointer.generation
    copy = home / "changed"
    copy.write_bytes((home / DATABASE).read_bytes())  # the one that is there may be linked elsewhere
    with closing(sqlite3.connect(copy)) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0, statement
        database.commit()
    copy.replace(home / DATABASE)
    data = replace(manifest, files={**manifest.files, DATABASE: hash_file(home / DATABASE)}).to_bytes()
    name = generation_name(int(home.name.partition("-")[0]) + 1, data)
    (home / MANIFEST).write_bytes(data)
    home.rename(index / name)
    digest = hash_file(index / name / MANIFEST)
    (index / POINTER).write_bytes(Pointer(name, digest).line())
    return name
