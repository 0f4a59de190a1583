"""The default encoder's graph: exported once for all processes of a test run, and lent to indexes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path

import portalocker
import pytest

from index.encoding import export
from index.encoding import exports as graphs
from index.encoding.encoder import Encoder
from index.encoding.models import Model, find_model
from index.encoding.opening import build_encoder, choose_encoder
from index.settings import DEFAULT_MODEL

__all__ = ["copy_index_file", "default_graph", "lend_graph", "open_default"]

_EXPORTED_BY = ("export", "exports", "reference")


def default_graph(config: pytest.Config, base: Path) -> Path:
    """Return an index folder that holds the default encoder's graph and nothing else.

    It is kept in pytest's cache for as long as neither the code that makes it nor a package changes.
    """
    code = [Path(str(export.__file__)).with_name(f"{name}.py").read_bytes() for name in _EXPORTED_BY]
    key = hashlib.sha256(b"".join(code) + str(graphs.producer_versions()).encode()).hexdigest()[:16]
    cache = config.cache if hasattr(config, "cache") else None
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(cache.mkdir(f"graph-{key}")) if cache else shared / f"graph-{key}"
    folder.mkdir(exist_ok=True)
    with portalocker.Lock(folder / "lock", timeout=600):
        if not graphs.graph_digest(folder, find_model(DEFAULT_MODEL).fingerprint):
            build_encoder(folder, find_model(DEFAULT_MODEL), ())
    return folder


def open_default(folder: Path) -> Encoder:
    """Open the graph on one thread, which short texts take less time on."""
    return choose_encoder(folder, DEFAULT_MODEL, threads=1)


def lend_graph(folder: Path, index: Path, model: Model | None = None) -> None:
    """Put the default's graph into the index folder `index`, as that of another model of the same weights."""
    home = graphs.graph_home(folder, find_model(DEFAULT_MODEL).fingerprint)
    index.mkdir(parents=True, exist_ok=True)
    made = Path(shutil.copytree(home, index / ".building-lent", copy_function=copy_index_file))
    record = graphs.read_graph(made)
    if model:
        record = dataclasses.replace(
            record, name=model.name, model_files=model.files, packaged=model.packaged
        )
    graphs.keep_graph(index, record, made)


def copy_index_file(source: str, target: str) -> str:
    """Copy a file for `shutil.copytree`; a graph's 90 MB are shared, so never change them in place."""
    if Path(source).name == graphs.WEIGHTS:
        try:
            os.link(source, target)
        except OSError:  # on another disk
            shutil.copyfile(source, target)
    else:
        shutil.copy2(source, target)
    return target
