"""Which encoder asks and which one builds: the graph kept with the index, or sentence-transformers."""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from index.articles.article import Article
from index.encoding.agreement import Agreement, compare, sample_texts
from index.encoding.encoder import Encoder
from index.encoding.export import UnfitModelError, export, refuse_unfit
from index.encoding.exports import (
    GraphRecord,
    graph_digest,
    graph_home,
    keep_graph,
    read_graph,
    read_refusal,
    refuse_graph,
)
from index.encoding.models import Model, check_pin, find_model, is_default
from index.encoding.onnx_encoder import Graph
from index.encoding.reference import Reference
from index.errors import DamagedIndexError, NoIndexError, NoModelError
from index.storage.durable import need_room
from index.storage.manifest import TEMPORARY, Manifest, read_manifest, read_pointer

__all__ = ["build_encoder", "choose_encoder", "find_model_of", "open_encoder"]

_LOG = logging.getLogger(__name__)


def open_encoder(
    folder: Path, manifest: Manifest, name: str, threads: int | None = None, pin: str = ""
) -> Encoder:
    """Open what encodes questions to a generation below `folder`, where `name` is the encoder asked for.

    That is the graph which the manifest names, and then nothing is read of the model's own files; without
    one, sentence-transformers.

    Raises:
        DamagedIndexError: the graph is not as it was written, or the generation is another encoder's, or not
            that of the one whose fingerprint is `pin`, where one is given.
        NoModelError: the encoder's weights are needed and cannot be had.
    """
    manifest.check_pin(pin)
    if not (manifest.graph and _same_name(name, manifest.encoder)):
        model = find_model(name)
        manifest.check_encoder(model)
        if not manifest.graph:
            return Encoder(model, threads)
    return _open_graph(folder, manifest.encoder_fingerprint, manifest.graph, threads)


def choose_encoder(folder: Path, name: str, threads: int | None = None, pin: str = "") -> Encoder:
    """Open an encoder for what is not in the index at `folder`: by that index's graph, where it has one.

    Raises:
        DamagedIndexError: the graph is not as it was written.
        NoModelError: the encoder's weights are needed and cannot be had.
    """
    model = find_model_of(folder, name, pin)
    digest = graph_digest(folder, model.fingerprint)
    return _open_graph(folder, model.fingerprint, digest, threads) if digest else Encoder(model, threads)


def find_model_of(folder: Path, name: str, pin: str = "") -> Model:
    """Find the model called `name`: its files or, where these are not here, the index's graph of it.

    Raises:
        NoModelError: neither is here, or it has not the fingerprint `pin`, where one is given.
    """
    model = _find_either(folder, name)
    check_pin(model, pin)
    return model


def _find_either(folder: Path, name: str) -> Model:
    try:
        return find_model(name)
    except NoModelError:
        try:
            manifest = read_manifest(folder, read_pointer(folder))
            if manifest.graph and _same_name(name, manifest.encoder):
                home = graph_home(folder, manifest.encoder_fingerprint)
                return read_graph(home, manifest.graph).model(home)
        except (NoIndexError, DamagedIndexError) as error:
            _LOG.debug("no graph to go by: %s", error)
        raise


def build_encoder(folder: Path, model: Model, articles: Sequence[Article]) -> Encoder:
    """Return what encodes the articles of a build; only under the lock of the index at `folder`.

    The first build of a model exports its graph, which takes torch and some twenty seconds; a model of which
    no graph can be made is told of once in the log, and is encoded by sentence-transformers.

    Raises:
        NoModelError: the encoder's weights are needed and cannot be had.
        OSError: the graph cannot be written.
    """
    digest = graph_digest(folder, model.fingerprint)
    if digest:
        try:
            return _open_graph(folder, model.fingerprint, digest)
        except DamagedIndexError as error:
            _LOG.warning("the graph of the encoder is made anew: %s", error)
            digest = ""
    reference = Reference(model)
    encoder = Encoder(model, backend=reference)
    if not digest and read_refusal(folder, model.fingerprint) is None:
        digest = _export(folder, encoder, reference, articles)
    if not digest:
        return encoder
    return _open_graph(folder, model.fingerprint, digest)


def _export(folder: Path, encoder: Encoder, reference: Reference, articles: Sequence[Article]) -> str:
    """Export a model's graph and keep it where it agrees with the reference; return "" where it does not."""
    made = folder / f"{TEMPORARY}{os.getpid()}-graph"
    made.mkdir()
    try:
        refuse_unfit(reference)
        record = export(encoder.model, reference, encoder.basis, made)
        found = compare(reference, Graph(made, record, ""), sample_texts(articles))
        return keep_graph(folder, _agreed(record, found), made)
    except (OSError, MemoryError, DamagedIndexError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever torch, its exporter and ONNX Runtime raise
        if not isinstance(error, UnfitModelError):
            # ONNX Runtime does not say what kept it from writing a file.
            model = encoder.model
            need_room(made, 2 * sum((model.folder / name).stat().st_size for name, _ in model.files))
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
    finally:
        shutil.rmtree(made, ignore_errors=True)
    refuse_graph(folder, encoder.model.fingerprint, reason)
    _LOG.warning(
        "no graph can be made of the encoder %s, so it is asked by sentence-transformers, which is slower to "
        "start: %s",
        encoder.model.name,
        reason,
    )
    return ""


def _agreed(record: GraphRecord, found: Agreement) -> GraphRecord:
    """Return the record with the agreement that was found, or raise where that is not enough."""
    if not found.holds:
        why = found.apart or f"its vectors differ (cosine {found.dense:.5f}, of tokens {found.tokens:.5f})"
        raise UnfitModelError(why)
    measured = {"texts": found.texts, "dense": found.dense, "tokens": found.tokens}
    return dataclasses.replace(record, agreement=measured)


def _open_graph(folder: Path, fingerprint: str, digest: str, threads: int | None = None) -> Encoder:
    home = graph_home(folder, fingerprint)
    record = read_graph(home, digest)
    model = record.model(home)
    if model.fingerprint != fingerprint:
        raise DamagedIndexError(f"{home} holds the graph of another encoder. Run `footnote index build`.")
    return Encoder(model, backend=Graph(home, record, digest, threads))


def _same_name(name: str, other: str) -> bool:
    return name == other or (is_default(name) and is_default(other))
