"""The default encoder's export, for tests: cached once for all runs, and put into indexes."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from index.encoding import encoder, exports, reference
from index.encoding.exports import ENCODERS, WEIGHTS, put_export
from index.encoding.models import Model, find_model
from index.settings import DEFAULT_MODEL

__all__ = ["cache_folder", "copy_index_file", "lend_graph"]


def cache_folder() -> Path:
    """Return the cache of this version of the code that exports."""
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (encoder, exports, reference))
    return Path(__file__).parents[1] / ".pytest_cache" / f"footnote-{hashlib.sha256(code).hexdigest()[:16]}"


def lend_graph(folder: Path, index: Path, model: Model | None = None) -> None:
    """Put the default's export into an index folder, as that of another model of the same weights."""
    fingerprint = (model or find_model(DEFAULT_MODEL)).fingerprint
    put_export(index, fingerprint, next((folder / ENCODERS).iterdir()))


def copy_index_file(source: str, target: str) -> str:
    """Copy a file for `shutil.copytree`; an export's 90 MB are shared, so never change them in place."""
    if Path(source).name == WEIGHTS:
        try:
            os.link(source, target)
        except OSError:  # on another disk
            shutil.copyfile(source, target)
    else:
        shutil.copy2(source, target)
    return target
