"""The exported encoders of an index folder: their records, their files, and whether these are whole.

    <index folder>/models/<first 16 of the model's fingerprint>/    graph.json, model.onnx, weights.bin,
                                                                    tokenizer.json, words.txt, basis.f32
    <index folder>/models/<...>/refused.json                        instead: why the model has no graph

A generation's manifest has the SHA-256 of graph.json, which has that of each other file: so every byte that
is read is covered. A record also carries its own SHA-256, since a build that was cut off leaves a graph that
no manifest names yet.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from index.encoding.models import Model
from index.errors import DamagedIndexError
from index.storage.checksums import Digests, check_file, verify_file
from index.storage.durable import discard, sync
from index.storage.held import HeldFile
from index.storage.manifest import REBUILD, TEMPORARY, Manifest

__all__ = [
    "BASIS",
    "FILES",
    "FORMAT",
    "GRAPH",
    "MODEL",
    "MODELS",
    "TOKENIZER",
    "WEIGHTS",
    "WORDS",
    "GraphRecord",
    "check_graph",
    "graph_digest",
    "graph_home",
    "keep_graph",
    "producer_versions",
    "read_graph",
    "read_refusal",
    "refuse_graph",
    "remove_models",
    "verify_models",
    "whole_graph",
]

FORMAT = 2
"""The version of a record; one of another version is made anew."""

MODELS = "models"
GRAPH = "graph.json"
REFUSED = "refused.json"
MODEL = "model.onnx"
WEIGHTS = "weights.bin"
"""The graph's weights, apart from it, so that they are mapped and not copied."""
TOKENIZER = "tokenizer.json"
WORDS = "words.txt"
BASIS = "basis.f32"
FILES = (MODEL, WEIGHTS, TOKENIZER, WORDS, BASIS)
_PRODUCERS = ("onnx", "onnxruntime", "onnxscript", "sentence-transformers", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class GraphRecord:
    """What there is to know of an exported encoder.

    `longest` bounds the tokens of a text with its prompt and the special ones, `window` those of its own;
    `padding` is the token that fills a batch up. `agreement` has the lowest cosines with the reference. Of
    each file, by its name, `files` has the SHA-256, `quick` the XXH3-128 and `sizes` the bytes.
    """

    name: str
    packaged: bool
    model_files: tuple[tuple[str, str], ...]
    versions: dict[str, str]
    weights: str
    inputs: tuple[str, ...]
    dimension: int
    longest: int
    window: int
    padding: int
    question_prompt: str
    passage_prompt: str
    agreement: dict[str, float]
    files: dict[str, str]
    quick: dict[str, str]
    sizes: dict[str, int]
    format: int = FORMAT

    def model(self, home: Path) -> Model:
        """Return the model that was exported; its folder is that of the graph, at `home`."""
        return Model(self.name, home, self.model_files, self.packaged)

    def digests(self) -> dict[str, Digests]:
        """Return what each file is known by, by its name."""
        return {name: Digests(self.files[name], self.quick[name], self.sizes[name]) for name in self.files}


def graph_home(folder: Path, fingerprint: str) -> Path:
    """Return where the graph of a model stands in an index folder."""
    return folder / MODELS / fingerprint[:16]


def producer_versions() -> dict[str, str]:
    """Return the versions of what makes a graph; that of a package that is not here is empty."""
    return {name: _version(name) for name in _PRODUCERS}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def graph_digest(folder: Path, fingerprint: str) -> str:
    """Return the SHA-256 of the record of a model's graph; "" where it has none."""
    try:
        with HeldFile(graph_home(folder, fingerprint) / GRAPH) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except DamagedIndexError:
        return ""


def read_graph(home: Path, digest: str | None = None) -> GraphRecord:
    """Read a graph's record, without looking at the other files.

    Raises:
        DamagedIndexError: it is not as it was written, not the one with this `digest`, or of another version.
    """
    if home.is_symlink():
        raise DamagedIndexError.of(home, "is a link, which is not followed")
    path = home / GRAPH
    with HeldFile(path) as file:
        data = file.read()
    fields = _unseal(data)
    if fields is None or digest not in {None, hashlib.sha256(data).hexdigest()}:
        raise DamagedIndexError.of(path, "is damaged")
    if fields.get("format") != FORMAT:
        raise DamagedIndexError.of(path, f"has format {fields.get('format')!r}; this Footnote reads {FORMAT}")
    try:
        pairs = tuple((name, sha) for name, sha in fields.pop("model_files"))
        record = GraphRecord(model_files=pairs, inputs=tuple(fields.pop("inputs")), **fields)
        ours = set(FILES) == set(record.files) == set(record.quick) == set(record.sizes)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedIndexError.of(path, "is of another version of Footnote") from error
    if not ours:
        raise DamagedIndexError.of(path, "is of another version of Footnote")
    return record


def check_graph(folder: Path, manifest: Manifest) -> None:
    """Check every byte of the graph that a generation names, where it names one.

    Raises:
        DamagedIndexError: a file is not as it was written.
    """
    if manifest.graph:
        whole_graph(graph_home(folder, manifest.encoder_fingerprint), manifest.graph)


def whole_graph(home: Path, digest: str | None = None) -> GraphRecord:
    """Read a graph's record as `read_graph` does, and check every byte of the other files too.

    Raises:
        DamagedIndexError: a file is not as it was written.
    """
    record = read_graph(home, digest)
    for name, wanted in record.digests().items():
        with HeldFile(home / name) as file:
            check_file(file, wanted)
    return record


def keep_graph(folder: Path, record: GraphRecord, made: Path) -> str:
    """Put the files in `made` and their record in place, in one step; return the record's SHA-256.

    Only under the lock. `made` is moved, and must be on the disk of the index folder.
    """
    data = _seal(asdict(record))
    (made / GRAPH).write_bytes(data)
    _place(made, graph_home(folder, record.model(made).fingerprint))
    return hashlib.sha256(data).hexdigest()


def refuse_graph(folder: Path, fingerprint: str, reason: str) -> None:
    """Remember that these versions make no graph of a model, and why; only under the lock."""
    made = folder / f"{TEMPORARY}{os.getpid()}-refused"
    made.mkdir()
    (made / REFUSED).write_bytes(_seal({"reason": reason, "versions": producer_versions()}))
    _place(made, graph_home(folder, fingerprint))


def read_refusal(folder: Path, fingerprint: str) -> str | None:
    """Return why a model has no graph, where the versions that are here have tried; else None."""
    fields = _read_refused(graph_home(folder, fingerprint))
    return str(fields["reason"]) if fields and fields.get("versions") == producer_versions() else None


def _place(made: Path, home: Path) -> None:
    """Have what is in a folder written to the disk, then give it its name in place of what has it."""
    for path in (*made.iterdir(), made):
        sync(path)
    home.parent.mkdir(exist_ok=True)
    if home.exists():
        discard(home, _aside(home))
    made.rename(home)
    sync(home.parent)
    sync(home.parent.parent)


def remove_models(folder: Path, fingerprints: Collection[str]) -> None:
    """Remove what is kept of models that are not among these; only under the lock."""
    kept = {fingerprint[:16] for fingerprint in fingerprints}
    for path in (folder / MODELS).glob("*"):
        if path.name not in kept:
            with suppress(OSError):
                discard(path, _aside(path))


def _aside(home: Path) -> Path:
    """Return the name in the index folder that what is left of a removed folder of `models` has."""
    return home.parent.parent / f"{TEMPORARY}{home.name}"


def verify_models(folder: Path, manifests: Mapping[Path, Manifest]) -> Iterator[str]:
    """Yield a line on each thing of `models` that is not as it was written, or not as a manifest has it."""
    for path, manifest in manifests.items():
        if manifest.graph not in {"", graph_digest(folder, manifest.encoder_fingerprint)}:
            record = graph_home(folder, manifest.encoder_fingerprint) / GRAPH
            yield f"{record}: the encoder's graph is damaged or gone, which {path} names. {REBUILD}"
    for home in sorted((folder / MODELS).glob("*")):
        if not home.is_dir():
            yield f"{home}: not a file of the index."
        elif not (home / REFUSED).exists():
            yield from _verify_graph(home)
        elif _read_refused(home) is None:
            yield f"{home / REFUSED} is damaged. {REBUILD}"


def _read_refused(home: Path) -> dict[str, Any] | None:
    """Return what the record of a refusal says; None where there is none, or it is damaged."""
    try:
        with HeldFile(home / REFUSED) as file:
            return _unseal(file.read())
    except DamagedIndexError:
        return None


def _verify_graph(home: Path) -> Iterator[str]:
    try:
        record = read_graph(home)
    except DamagedIndexError as error:
        yield str(error)
        return
    for name, wanted in record.digests().items():
        try:
            verify_file(home / name, wanted)
        except DamagedIndexError as error:
            yield str(error)
    for path in sorted(home.iterdir()):
        if path.name not in {GRAPH, *record.files}:
            yield f"{path}: not a file of the index."


def _seal(fields: Mapping[str, Any]) -> bytes:
    """Return fields as JSON, with the SHA-256 of the fields alone beside them."""
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return (json.dumps({"sha256": digest, "fields": fields}, indent=1, sort_keys=True) + "\n").encode()


def _unseal(data: bytes) -> dict[str, Any] | None:
    """Return the fields; None where the bytes are not just those that `_seal` made."""
    try:
        fields = json.loads(data)["fields"]
        return fields if isinstance(fields, dict) and _seal(fields) == data else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


ENCODERS = MODELS  # TEMP


def remove_unused_encoders(folder, fingerprints):
    remove_models(folder, list(fingerprints))  # TEMP


def verify_encoder(folder, fingerprint, producer):  # TEMP
    if producer != "reference":
        try:
            whole_graph(graph_home(folder, fingerprint), producer)
        except DamagedIndexError as error:
            yield str(error)


def verify_encoders(folder, encoders):
    return []  # TEMP
