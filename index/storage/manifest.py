"""What the index folder says of itself: which generation serves, what it holds, the checksum of each file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from index.encoding.models import Model
from index.errors import DamagedIndexError, NoIndexError
from index.storage.checksums import Digests
from index.storage.held import HeldFile

__all__ = [
    "ALL_FILES",
    "BASIS",
    "DATABASE",
    "DENSE",
    "EXACT",
    "EXACT_SUMS",
    "FILES",
    "FORMAT",
    "GATE",
    "GENERATION",
    "KEPT",
    "LOCK",
    "MANIFEST",
    "POINTER",
    "POSTINGS",
    "POSTINGS_SUMS",
    "REBUILD",
    "REFUSED",
    "ROWS",
    "TEMPORARY",
    "TOKENS",
    "TOKENS_SUMS",
    "Manifest",
    "Pointer",
    "generation_name",
    "read_manifest",
    "read_named_manifest",
    "read_pointer",
]

FORMAT = 4
"""The version of the format on disk; another version is refused, and a build makes this one."""

POINTER = "CURRENT"
MANIFEST = "manifest.json"
DATABASE = "passages.sqlite"
DENSE = "dense.faiss"
EXACT = "dense.f32"
EXACT_SUMS = "dense.f32.sums"
POSTINGS = "postings.bin"
POSTINGS_SUMS = "postings.bin.sums"
TOKENS = "tokens.i8"
TOKENS_SUMS = "tokens.i8.sums"
BASIS = "basis.f32"
LOCK = "lock"
KEPT = "kept.vectors"
TEMPORARY = ".building-"
REFUSED = "refused-"
"""What the name of a generation that the gate refused begins with."""
GATE = "gate.json"
"""In such a one: which gold questions were lost."""
GENERATION = re.compile(r"(?P<number>\d{6,})-[0-9a-f]{16}")
REBUILD = DamagedIndexError.advice
ROWS = {TOKENS: TOKENS_SUMS, EXACT: EXACT_SUMS, POSTINGS: POSTINGS_SUMS}
"""Files of rows, each with the file of its blocks' checksums, by which they are read."""
FILES = frozenset({DATABASE, POSTINGS, POSTINGS_SUMS, DENSE, TOKENS, TOKENS_SUMS, BASIS})
"""What every generation holds; one whose dense index is approximate has the exact vectors as well."""
ALL_FILES = FILES | {EXACT, EXACT_SUMS}
"""What a generation may hold besides its manifest."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMED_BY = 16
"""Characters of the manifest's SHA-256 that a generation's name ends in."""


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

    `graph` is the SHA-256 of the record of the encoder's graph, "" where it has none. Of
    each file, by its name, `files` has the SHA-256, `quick` the XXH3-128 and `sizes` the bytes. `before` is
    the generation that served when it was made, "" where none did.
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
    quick: dict[str, str]
    sizes: dict[str, int]
    before: str

    def digests(self) -> dict[str, Digests]:
        """Return what each file is known by, by its name."""
        return {name: Digests(self.files[name], self.quick[name], self.sizes[name]) for name in self.files}

    @property
    def size(self) -> int:
        """The size of all files together."""
        return sum(self.sizes.values())

    @property
    def row_bytes(self) -> int:
        """The size of the files of rows together."""
        return sum(size for name, size in self.sizes.items() if name in ROWS)

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


_KINDS: dict[str, type] = {
    **dict.fromkeys(("articles", "passages", "sentences", "tokens", "token_width", "dimension"), int),
    **dict.fromkeys(("before", "built", "encoder", "encoder_fingerprint", "graph", "producer"), str),
    **dict.fromkeys(("passage_settings", "files", "quick", "sizes"), dict),
}
"""What each field of a manifest is."""


def generation_name(number: int, manifest: bytes) -> str:
    """Return the name of the generation with this number and manifest."""
    return f"{number:06d}-{hashlib.sha256(manifest).hexdigest()[:_NAMED_BY]}"


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
    if len(fields) == 3 and GENERATION.fullmatch(fields[0]):
        pointer = Pointer(fields[0], fields[1])
        if pointer.line() == data:
            return pointer
    raise DamagedIndexError.of(path, "is damaged")


def read_manifest(folder: Path, pointer: Pointer) -> Manifest:
    """Read the manifest of the generation that a pointer names.

    Raises:
        DamagedIndexError: it is not the one that the pointer was written with, or is of another version.
    """
    return _read_manifest(folder / pointer.generation, pointer.manifest)


def read_named_manifest(home: Path) -> Manifest:
    """Read the manifest of the generation at `home`, whose name is made of the manifest's SHA-256.

    Raises:
        DamagedIndexError: it is not the one that gave the name, or is of another version.
    """
    return _read_manifest(home, home.name.removeprefix(REFUSED).partition("-")[2])


def _read_manifest(home: Path, digest: str) -> Manifest:
    """Read the manifest whose SHA-256 begins with `digest`."""
    if home.is_symlink():
        raise DamagedIndexError.of(home, "is a link, which is not followed")
    path = home / MANIFEST
    with HeldFile(path) as file:
        data = file.read()
    if not hashlib.sha256(data).hexdigest().startswith(digest):
        raise DamagedIndexError.of(path, "is damaged")
    return _parse(data, path)


def _parse(data: bytes, path: Path) -> Manifest:
    """Read a manifest from the content of the file at `path`.

    Raises:
        DamagedIndexError: it is of another version.
    """
    try:
        manifest = Manifest(**json.loads(data))
        datetime.fromisoformat(manifest.built)
    except (TypeError, ValueError, RecursionError) as error:
        raise DamagedIndexError.of(path, "is of another version of Footnote") from error
    if manifest.format != FORMAT:
        raise DamagedIndexError.of(path, f"has format {manifest.format!r}; this Footnote reads {FORMAT}")
    if not _is_ours(manifest):
        raise DamagedIndexError.of(path, "is damaged (it says what no manifest says)")
    return manifest


def _is_ours(manifest: Manifest) -> bool:
    """Tell whether each field is of its kind, and the files are those of a generation, by their names."""
    if not all(type(getattr(manifest, name)) is kind for name, kind in _KINDS.items()):
        return False
    if min(getattr(manifest, name) for name, kind in _KINDS.items() if kind is int) < 0:
        return False
    if not all(map(_DIGEST.fullmatch, (manifest.encoder_fingerprint, manifest.graph or "0" * 64))):
        return False  # of which paths are made
    known = ALL_FILES if EXACT in manifest.files else FILES
    return (
        known == set(manifest.files) == set(manifest.quick) == set(manifest.sizes)
        and all(type(one) is str for one in (*manifest.files.values(), *manifest.quick.values()))
        and all(type(one) is int for one in manifest.sizes.values())
    )
