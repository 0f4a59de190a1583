"""A graph of small made files, put where that of a real encoder stands: its export takes half a minute."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from index.encoding.exports import FILES, keep_graph, read_graph
from index.storage.checksums import digest_file
from index.storage.manifest import TEMPORARY
from index.storage.retention import remove_leftovers

__all__ = ["place_small_graph"]


def place_small_graph(index: Path, real: Path) -> str:
    """Put a graph in its place in an index folder, as a build does; its record is that of `real`."""
    index.mkdir(exist_ok=True)
    remove_leftovers(index)
    made = index / f"{TEMPORARY}1-graph"
    made.mkdir()
    for name in FILES:
        (made / name).write_text(name)
    found = {name: digest_file(made / name) for name in FILES}
    record = dataclasses.replace(
        read_graph(real),
        files={name: one.sha256 for name, one in found.items()},
        quick={name: one.quick for name, one in found.items()},
        sizes={name: one.size for name, one in found.items()},
    )
    return keep_graph(index, record, made)
