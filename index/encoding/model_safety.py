"""A model's folder, looked at before anything is loaded from it: data alone, none of it from elsewhere.

What may be loaded is text, JSON and safetensors that lie in the folder. A model that wants code to be run
(its own, or of a module that is not on the list below), whose weights are pickled, or whose files are links
to somewhere else is refused, by file and reason. What is found here is all that the loader is shown
(`index.encoding.reference`): what lies beside it, a pickle or a `.py`, is nowhere to be found.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from index.errors import NoModelError

__all__ = ["SUFFIXES", "model_files"]

SUFFIXES = (".json", ".safetensors", ".txt", ".model")
"""How the names of files end that may be loaded, and that a fingerprint covers."""

_WEIGHTLESS = ("Dropout", "Normalize", "Pooling", "Transformer")
_WEIGHTED = ("CNN", "Dense", "LayerNorm", "LSTM", "StaticEmbedding", "WeightedLayerPooling")
_MODULE = re.compile(
    r"sentence_transformers\.(?:models|base\.modules|sentence_transformer\.modules)(?:\.[a-zA-Z_]+)?"
    rf"\.(?P<kind>{'|'.join((*_WEIGHTLESS, *_WEIGHTED))})"
)
"""The modules that a model may be made of; the `Transformer` is looked at apart."""

_ACTIVATION = re.compile(r"torch\.nn\.modules\.(?:activation|linear)\.[A-Za-z]+")
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
"""Keys by which a configuration asks for code of its own to be run."""
_ELSEWHERE = ("base_model_name_or_path", "tokenizer_name_or_path", "backbone")
"""Keys by which it asks for files of another model."""
_WORDS = ("tokenizer.json", "vocab.json")
"""JSON that holds words, which mean nothing, and may be very long."""
_WEIGHTS = "model.safetensors"
_PICKLED = (".bin", ".ckpt", ".h5", ".joblib", ".msgpack", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth")
_ADVICE = "Footnote loads data only, and runs no code of a model: name another with FOOTNOTE_MODEL"


def model_files(folder: Path) -> list[Path]:
    """Return the files of the model in `folder` that may be loaded, sorted.

    Raises:
        NoModelError: it is no model, or one that is refused; the message names the file and says why.
    """
    if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
        raise NoModelError(
            f"no .safetensors weights in {folder}, nor a config.json: FOOTNOTE_MODEL must name a model."
        )
    files = sorted(_files(folder))
    for file in files:
        if file.suffix == ".json" and file.name not in _WORDS:
            _check_config(file)
    if (folder / "modules.json").is_file():
        _check_modules(folder)
    else:
        _check_transformer(folder)
    return files


def _refuse(file: Path, reason: str) -> NoReturn:
    raise NoModelError(f"{file} {reason}. {_ADVICE}.")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files with our suffixes, of which none may be, or lie behind, a link out of the folder."""
    within = [Path(os.path.realpath(folder))]
    if folder.parent.name == "snapshots":  # the hub's cache: each file is a link to one that its hash names
        within.append(Path(os.path.realpath(folder.parents[1] / "blobs")))
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            target = Path(os.path.realpath(path))
            if path.is_symlink() and not any(target.is_relative_to(root) for root in within):
                _refuse(path, "is a link to what lies outside of the model's folder")
            if path.suffix in SUFFIXES and path.is_file():
                yield path


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        _refuse(file, f"cannot be read ({error.strerror})")
    except (ValueError, RecursionError):
        _refuse(file, "is no JSON that can be read")


def _check_config(file: Path) -> None:
    """Refuse a configuration that asks for code, or for files of another model, however deep it says so."""
    waiting = [_read(file)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            for key, below in value.items():
                if below and (fault := _fault(key, below)):
                    _refuse(file, f"{fault} ({key}: {str(below)[:80]!r})")
            for name in _shards(value):
                if PurePosixPath(name).name != name or not name.endswith(".safetensors"):
                    _refuse(file, f"names {name[:80]!r}, which is no safetensors beside it")


def _fault(key: str, value: Any) -> str | None:
    """Return what is wrong with an entry of a configuration, None for nothing."""
    if key in _CODE or ("implementation" in key and "/" in str(value)):
        return "asks for code to be run"
    if key in _ELSEWHERE:
        return "asks for files of another model"
    if key == "activation_function" and not _ACTIVATION.fullmatch(str(value)):
        return "names an activation that is none of torch's"
    return None


def _shards(config: dict[str, Any]) -> set[str]:
    """Return the files that an index of several weight files names."""
    shards = config.get("weight_map")
    return set(map(str, shards.values())) if isinstance(shards, dict) else set()


def _check_modules(folder: Path) -> None:
    """Refuse modules that are not on our list, or whose place or weights are not as they must be."""
    file = folder / "modules.json"
    modules = _read(file)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        _refuse(file, "is no list of modules")
    for module in modules:
        kind, place = str(module.get("type", "")), str(module.get("path", ""))
        known = _MODULE.fullmatch(kind)
        if known is None:
            _refuse(file, f"names the module {kind[:80]!r}, which is none of those that are loaded")
        if PurePosixPath(place).is_absolute() or ".." in re.split(r"[/\\]", place) or ":" in place:
            _refuse(file, f"names {place[:80]!r}, outside of the model's folder")
        if known["kind"] == "Transformer":
            _check_transformer(folder / place)
        elif known["kind"] in _WEIGHTED:
            _check_weights(folder / place, _WEIGHTS)


def _check_transformer(folder: Path) -> None:
    _check_weights(folder, _WEIGHTS, f"{_WEIGHTS}.index.json")


def _check_weights(folder: Path, *names: str) -> None:
    """Refuse a module that has none of these files of weights."""
    if any((folder / name).is_file() for name in names):
        return
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() in _PICKLED:
            _refuse(path, f"is a pickle or the like, and there is no {_WEIGHTS} beside it")
    raise NoModelError(f"no .safetensors weights in {folder}: FOOTNOTE_MODEL must name a model with them.")
