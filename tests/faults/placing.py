"""A graph of small made files, put where that of a real encoder stands: its export takes half a minute."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import cast

from index.encoding.encoder import Encoder
from index.encoding.onnx_encoder import FILES, Export
from index.encoding.opening import install
from index.storage.files import checksum

__all__ = ["place_small_graph"]


class _Small:
    """Stands for an encoder with a small export: `install` reads these."""

    def __init__(self, export: Export) -> None:
        self.export, self.model, self.producer = export, export.model, export.digest


def place_small_graph(index: Path, real: Path) -> str:
    """Install an export in an index folder, as a build does; its record is like that of `real`."""
    index.mkdir(exist_ok=True)
    made = index.with_name("small-export")
    shutil.rmtree(made, ignore_errors=True)  # an installed file may be a link to one of its files
    made.mkdir()
    for name in FILES:
        (made / name).write_text(name)
    hashes = {name: checksum(made / name).xxh3 for name in FILES}
    export = dataclasses.replace(Export.read(real), home=made, files=hashes)
    install(index, cast(Encoder, _Small(export)))
    return export.digest
