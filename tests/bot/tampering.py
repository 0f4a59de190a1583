"""Generations that are out of step with themselves though their checksums are right, and damaged ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from index.storage.manifest import DATABASE, read_pointer
from tests.index.forging import publish

__all__ = ["damage", "tamper"]


def tamper(index: Path, *statements: str) -> None:
    """Change the current generation's database, and publish it anew with every checksum right."""
    home = index / read_pointer(index).generation
    with closing(sqlite3.connect(home / DATABASE)) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0, statement
        database.commit()
    publish(index)


def damage(file: Path, part: bytes = b"") -> None:
    """Flip a bit of each byte of a file, or of a part of it, for whoever has it open as well."""
    data = file.read_bytes()
    at = data.index(part) if part else 0
    end = at + len(part) if part else len(data)
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(bytes(byte ^ 1 for byte in data[at:end]))
