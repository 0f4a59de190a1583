"""Generations made in a moment: copies of a real one, each with a number and a manifest of its own."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from index.storage.manifest import MANIFEST, TEMPORARY, generation_name, read_pointer
from index.storage.retention import next_number, point_at

__all__ = ["clone", "publish_clone", "write_clone"]


def write_clone(index: Path, source: Path) -> tuple[Path, str]:
    """Write a copy of a generation as a build does before it names it; return where, and the name to give."""
    home = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=index))
    shutil.copytree(source, home, dirs_exist_ok=True)
    fields = json.loads((home / MANIFEST).read_bytes())
    fields["built"] = f"2026-01-01T00:{next_number(index) % 60:02d}:00+00:00"
    data = (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()
    (home / MANIFEST).write_bytes(data)
    return home, generation_name(next_number(index), data)


def clone(index: Path, source: Path | None = None) -> str:
    """Add a whole generation that does not serve; return its name."""
    home, name = write_clone(index, source or index / read_pointer(index).generation)
    home.rename(index / name)
    return name


def publish_clone(index: Path, source: Path | None = None) -> str:
    """Add a whole generation and have it serve; return its name."""
    name = clone(index, source)
    point_at(index, name, (index / name / MANIFEST).read_bytes())
    return name
