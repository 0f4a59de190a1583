"""What the index folder says of itself: which generation serves, what it holds, the checksum of each file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import DamagedIndexError, NoIndexError
from index.models import Model, hash_file

__all__ = [
    "BASIS",
    "DATABASE",
    "DENSE",
    "EXACT",
    "FILES",
    "FORMAT",
    "GENERATION",
    "KEPT",
    "LOCK",
    "MANIFEST",
    "POINTER",
    "POSTINGS",
    "REBUILD",
    "TEMPORARY",
    "TOKENS",
    "Manifest",
    "Pointer",
    "check_file",
    "generation_name",
    "parse_manifest",
    "read_manifest",
    "read_pointer",
]

FORMAT = 3
"""The version of the format on disk; another version is refused, and a build makes this one."""

POINTER = "CURRENT"
MANIFEST = "manifest.json"
DATABASE = "passages.sqlite"
DENSE = "dense.faiss"
EXACT = "dense.f32"
POSTINGS = "postings.bin"
TOKENS = "tokens.i8"
BASIS = "basis.f32"
LOCK = "lock"
KEPT = "kept.vectors"
TEMPORARY = ".building-"
GENERATION = re.compile(r"(?P<number>\d{6,})-[0-9a-f]{16}")
FILES = (DATABASE, POSTINGS, DENSE, TOKENS, BASIS)
"""What every generation holds; one whose dense index is approximate has the exact vectors as well."""
REBUILD = "Run `footnote index build` to make it anew."


@dataclass(frozen=True, slots=True)
class Pointer:
    """What CURRENT says: a generation's name and the SHA-256 of its manifest."""

    generation: str
    manifest: str

    def line(self) -> bytes:
        """Return CURRENT's only content: both, and the SHA-256 of the two before."""
        both = f"{self.generation} {self.manifest}"
        return f"{both} {hashlib.sha256(both.encode()).hexdigest()}\n".encode()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and what it was made with.

    `graph` is the SHA-256 of the record of the encoder's graph (`index.graphs`), "" where it has none.
    """

    format: int
    built: str
    encoder: str
    encoder_fingerprint: str
    graph: str
    producer: str
    dimension: int
    passage_settings: dict[str, Any]
    articles: int
    passages: int
    sentences: int
    tokens: int
    token_width: int
    files: dict[str, str]

    def check_encoder(self, model: Model) -> None:
        """Refuse any model but the one that the generation was made with.

        Raises:
            DamagedIndexError: it is another one.
        """
        if self.encoder_fingerprint != model.fingerprint:
            raise DamagedIndexError(
                f"the index was made with the encoder {self.encoder}, and FOOTNOTE_MODEL names {model.name}. "
                "Run `footnote index build`, or set FOOTNOTE_MODEL back."
            )

    def check_pin(self, pin: str) -> None:
        """Refuse a generation that was made with another encoder than the one with the fingerprint `pin`.

        Raises:
            DamagedIndexError: it was; not where `pin` is "".
        """
        if pin not in {"", self.encoder_fingerprint}:
            raise DamagedIndexError(
                f"the index was made with the encoder {self.encoder}, whose fingerprint "
                f"{self.encoder_fingerprint} is not the one that FOOTNOTE_MODEL_SHA256 names. Run `footnote "
                "index build`, or correct FOOTNOTE_MODEL_SHA256."
            )

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()


def generation_name(number: int, manifest: bytes) -> str:
    """Return the name of the generation with this number and manifest."""
    return f"{number:06d}-{hashlib.sha256(manifest).hexdigest()[:16]}"


def read_pointer(folder: Path) -> Pointer:
    """Read which generation serves.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: CURRENT is not what a build wrote, byte for byte.
    """
    path = folder / POINTER
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoIndexError(f"no index at {folder}: run `footnote index build` first.") from error
    except OSError as error:
        raise DamagedIndexError(f"{path} cannot be read: {error.strerror}.") from error
    fields = data.decode("ascii", "replace").split()
    if len(fields) == 3 and (pointer := Pointer(fields[0], fields[1])).line() == data:
        return pointer
    raise DamagedIndexError(f"{path} is damaged. {REBUILD}")


def read_manifest(folder: Path, pointer: Pointer) -> Manifest:
    """Read the manifest of the generation that a pointer names.

    Raises:
        DamagedIndexError: it is not the one that the pointer was written with, or is of another version.
    """
    path = folder / pointer.generation / MANIFEST
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedIndexError(f"{path} cannot be read: {error.strerror}. {REBUILD}") from error
    if hashlib.sha256(data).hexdigest() != pointer.manifest:
        raise DamagedIndexError(f"{path} is damaged. {REBUILD}")
    return parse_manifest(data, path)


def parse_manifest(data: bytes, path: Path) -> Manifest:
    """Read a manifest from the content of the file at `path`.

    Raises:
        DamagedIndexError: it is of another version.
    """
    try:
        manifest = Manifest(**json.loads(data))
    except (TypeError, ValueError) as error:
        raise DamagedIndexError(f"{path} is of another version of Footnote. {REBUILD}") from error
    if manifest.format != FORMAT or not set(FILES) <= set(manifest.files) <= {*FILES, EXACT}:
        raise DamagedIndexError(
            f"{path} has format {manifest.format}; this Footnote reads {FORMAT}. {REBUILD}"
        )
    return manifest


def check_file(path: Path, digest: str) -> int:
    """Return the file's size in bytes, once its SHA-256 is found to be `digest`.

    Raises:
        DamagedIndexError: it is another one, or the file cannot be read.
    """
    try:
        found, size = hash_file(path), path.stat().st_size
    except OSError as error:
        raise DamagedIndexError(f"{path} cannot be read: {error.strerror}. {REBUILD}") from error
    if found != digest:
        raise DamagedIndexError(f"{path} is damaged (its SHA-256 differs). {REBUILD}")
    return size
