"""Opens encoders, and keeps their exports: in a cache of the machine, and in each index that needs one.

    <user cache>/footnote/encoders/<first 16 of the model's fingerprint>-<format>/
    <index folder>/encoders/<first 16 of the model's fingerprint>/

So a model is exported once a machine, and an index can be copied to a host without torch.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import portalocker
from platformdirs import user_cache_path

from index.encoding.encoder import REFERENCE, Encoder
from index.encoding.models import Model, check_pin, find_model, same_name
from index.encoding.onnx_encoder import FILES, FORMAT, RECORD, WEIGHTS, Export, OnnxEncoder, faults
from index.encoding.reference import ExportError, ReferenceEncoder, export
from index.errors import DamagedIndexError, NoModelError
from index.files import sync, write_file

__all__ = [
    "ENCODERS",
    "build_encoder",
    "find_model_of",
    "install",
    "open_encoder",
    "remove_unused",
    "verify_encoder",
]

_LOG = logging.getLogger(__name__)

ENCODERS = "encoders"
"""The folder of exports in an index folder."""

_LOCK_SECONDS = 600


def open_encoder(  # noqa: PLR0913 - what decides on an encoder
    index_folder: Path,
    *,
    name: str,
    fingerprint: str,
    producer: str,
    threads: int | None = None,
    pin: str = "",
) -> Encoder:
    """Open the encoder of a generation, to encode questions; `threads` None uses all cores.

    `name` and `pin` are the settings FOOTNOTE_MODEL and FOOTNOTE_MODEL_SHA256; `fingerprint` and `producer`
    are the generation's. If the producer is an export, neither torch nor the model's files are needed.

    Raises:
        DamagedIndexError: the generation is of another model, or its export is damaged.
        NoModelError: the model's files are needed and cannot be had.
    """
    if pin not in {"", fingerprint}:
        raise DamagedIndexError(
            f"the index was made with the encoder of fingerprint {fingerprint}, and FOOTNOTE_MODEL_SHA256 "
            "names another. Run `footnote index build`, or correct FOOTNOTE_MODEL_SHA256."
        )
    if producer == REFERENCE:
        return ReferenceEncoder(_find_same(name, fingerprint, "another encoder"), threads)
    found = _find_export(index_folder, fingerprint, producer)
    if not same_name(name, found.name):
        _find_same(name, fingerprint, f"the encoder {found.name}")
    return OnnxEncoder(found, threads)


def _find_same(name: str, fingerprint: str, used: str) -> Model:
    model = find_model(name)
    if model.fingerprint != fingerprint:
        raise DamagedIndexError(
            f"the index was made with {used}, and FOOTNOTE_MODEL names {name}. "
            "Run `footnote index build`, or set FOOTNOTE_MODEL back."
        )
    return model


def build_encoder(
    index_folder: Path, model: Model, sample_texts: Sequence[str] = (), threads: int | None = None
) -> Encoder:
    """Open the encoder of a build, to encode passages; only under the lock of the index.

    It is the model's export in the index or in the cache. If there is none, the model is exported, which
    takes torch and 20 seconds, and compared with sentence-transformers on some texts. sentence-transformers
    encodes if the model cannot be exported, or if there is a GPU (this was never tried on one).

    Raises:
        NoModelError: the model's files are needed and cannot be had.
        OSError: the export can be written neither to the cache nor to the index.
    """
    encoder: Encoder | None = None
    with suppress(DamagedIndexError):
        encoder = OnnxEncoder(_find_export(index_folder, model.fingerprint), threads)
    if encoder is None or (model.files and _has_gpu()):
        reference = ReferenceEncoder(model, threads)
        try:
            encoder = encoder or OnnxEncoder(_export_once(index_folder, reference, sample_texts), threads)
        except ExportError as error:
            reason = "so sentence-transformers encodes, which is slow to start"
            _LOG.warning("the encoder %s cannot be exported, %s: %s", model.name, reason, error)
            return reference
        if _has_gpu():
            reference.export, encoder = encoder.export, reference
    encoder.model = model
    return encoder


def _has_gpu() -> bool:
    if not (Path("/dev/nvidiactl").exists() or (sys.platform, platform.machine()) == ("darwin", "arm64")):
        return False  # without asking torch, which takes seconds to import
    with suppress(ImportError):
        import torch

        return torch.cuda.is_available() or torch.backends.mps.is_available()
    return False


def _export_once(index_folder: Path, reference: ReferenceEncoder, sample_texts: Sequence[str]) -> Export:
    """Export a model to the cache, unless another build just did; to the index if there can be no cache."""
    fingerprint = reference.model.fingerprint
    cache = _cached(fingerprint)
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with portalocker.Lock(cache.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            if not any(faults(cache)):
                return Export.read(cache)
            return _export_to(cache, reference, sample_texts)
    except (OSError, portalocker.LockException) as error:
        _LOG.warning("the export of the encoder cannot be cached in %s: %s", cache, error)
    return _export_to(_installed(index_folder, fingerprint), reference, sample_texts)


def _export_to(home: Path, reference: ReferenceEncoder, sample_texts: Sequence[str]) -> Export:
    with _written_aside(home) as aside:
        made = export(reference, sample_texts, aside)
        write_file(aside / RECORD, made.to_bytes())
    return replace(made, home=home)


def _find_export(index_folder: Path, fingerprint: str, producer: str = "") -> Export:
    """Return the export of a model in the index, else in the cache, every byte of it checked."""
    errors = []
    for home in (_installed(index_folder, fingerprint), _cached(fingerprint)):
        error = next(faults(home, producer), None)
        if error is None:
            return Export.read(home)
        errors.append(error)
    raise errors[0]


def find_model_of(index_folder: Path, name: str, pin: str = "") -> Model:
    """Find a model: its files or, if these are not here, its export in an index.

    Raises:
        NoModelError: there is neither, or its fingerprint is not `pin`.
    """
    try:
        model = find_model(name)
    except NoModelError:
        whole = (home for home in (index_folder / ENCODERS).glob("*") if not any(faults(home)))
        exported = [found.model for found in map(Export.read, whole) if same_name(name, found.name)]
        if not exported:
            raise
        model = exported[0]
    check_pin(model, pin)
    return model


def install(index_folder: Path, encoder: Encoder) -> None:
    """Put the export of an encoder, if it has one, into an index; only under the lock of the index.

    Raises:
        OSError: a file cannot be written.
    """
    if encoder.export is None:
        return
    home = _installed(index_folder, encoder.model.fingerprint)
    wanted = replace(encoder.export, home=home, name=encoder.model.name)
    if any(faults(home)) or Export.read(home) != wanted:
        with _written_aside(home) as aside:
            for name in FILES:
                _link_or_copy(encoder.export.home / name, aside / name)
            write_file(aside / RECORD, wanted.to_bytes())


def _link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link to weights, which are large, if the file system can; copy anything else."""
    if source.name == WEIGHTS:
        with suppress(OSError):
            os.link(source, target)
    if not target.exists():
        shutil.copyfile(source, target)


def remove_unused(index_folder: Path, fingerprints: Collection[str]) -> None:
    """Remove from an index the exports of models other than these, and unfinished ones."""
    used = {_installed(index_folder, fingerprint) for fingerprint in fingerprints}
    older = index_folder / "models"  # where formats up to 4 had them
    for path in {*(index_folder / ENCODERS).glob("*"), older} - used:
        _remove(path)


def verify_encoder(index_folder: Path, fingerprint: str, producer: str) -> Iterator[str]:
    """Yield a line on each file of a generation's encoder that is not as it was written."""
    if producer != REFERENCE:
        yield from map(str, faults(_installed(index_folder, fingerprint), producer))


def _installed(index_folder: Path, fingerprint: str) -> Path:
    return index_folder / ENCODERS / fingerprint[:16]


def _cached(fingerprint: str) -> Path:
    return user_cache_path("footnote") / ENCODERS / f"{fingerprint[:16]}-{FORMAT}"


@contextmanager
def _written_aside(home: Path) -> Iterator[Path]:
    """Give a new folder beside `home`, which takes its place, synced, once it is written."""
    aside = home.with_name(f".building-{home.name}")
    _remove(aside)
    aside.mkdir(parents=True)
    try:
        yield aside
        for path in (*aside.iterdir(), aside):
            sync(path)
        _remove(home)
        aside.rename(home)
        for parent in (home.parent, home.parent.parent):
            sync(parent)
    finally:
        _remove(aside)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
