"""txtai: `Embeddings` by the path of its model, `hybrid` by its own setting; no content is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from txtai import Embeddings

from benchmarks.peers.run import TOP, model


def build(texts: dict[str, str], folder: Path, mode: str) -> None:
    """Index the passages and save them."""
    embeddings = Embeddings(path=model(), hybrid=mode == "hybrid")
    embeddings.index(texts.items())
    embeddings.save(str(folder))


def open_index(folder: Path, mode: str) -> Callable[[str], list[str]]:
    """Load what was saved."""
    embeddings = Embeddings()
    embeddings.load(str(folder))
    return lambda question: [identity for identity, _ in embeddings.search(question, TOP)]
