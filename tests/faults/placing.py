"""An export of small made files, put where that of a real encoder stands: a real one takes half a minute."""

from __future__ import annotations

from pathlib import Path

from index.encoding.exports import FILES, make_home, put_export, write_hashes
from index.encoding.models import find_model
from index.settings import DEFAULT_MODEL

__all__ = ["place_small_graph"]


def place_small_graph(index: Path) -> str:
    """Put an export in an index folder, as a build does; return the model's fingerprint."""
    index.mkdir(exist_ok=True)
    made = index.with_name("small-export")
    make_home(made)
    for name in FILES:
        (made / name).write_text(name)
    write_hashes(made)
    fingerprint = find_model(DEFAULT_MODEL).fingerprint
    put_export(index, fingerprint, made)
    return fingerprint
